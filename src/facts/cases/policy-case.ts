/**
 * Cases of a policy: made-up actions with made-up circumstances, and what the policy should say to
 * them. They are decided by the same `decide` as real ones, long before there is a real one.
 */
import type { FindingCode, Verdict } from '../../kernel/decision.ts';
import type { Position } from '../../kernel/document.ts';
import type { ApprovalId, AgentName, PersonName } from '../../kernel/id.ts';
import type { Instant } from '../../kernel/instant.ts';
import type { JsonObject, JsonValue } from '../../kernel/json/value.ts';
import type { IdentifiedRequirement } from '../../kernel/policy.ts';

/** How large a file of cases may be, and what stands in it unless the file says otherwise. */
export const CASE_LIMITS = {
  /** Cases of one file. */
  casesMax: 1000,
  /** Approvals, people, facts and uses of one case each. */
  membersMax: 200,
  /** The longest duration anywhere: 366 days. */
  durationMsMax: 31_622_400_000,
  /** Deadline of an action that names none, counted from when it was proposed. */
  deadlineMsDefault: 3_600_000,
} as const;

/** One case. Times are instants already: `now` is fixed, and everything else is counted from it. */
export interface PolicyCase {
  readonly name: string;
  readonly position: Position;
  readonly now: Instant;
  readonly proposedAt: Instant;
  readonly deadline: Instant;
  readonly agent: CaseAgent;
  readonly delegator?: PersonName;
  readonly target: string;
  readonly operation: string;
  readonly args: JsonObject;
  /** What the system says of itself; as the inventory and its lock file say where absent. */
  readonly environment?: string;
  readonly identity?: string;
  /** What the action would do; not read where absent. */
  readonly preview?: JsonObject;
  readonly context: JsonObject;
  readonly facts: ReadonlyMap<string, CaseFact>;
  readonly people: ReadonlyMap<PersonName, CasePerson>;
  readonly approvals: readonly CaseApproval[];
  /** Use by limit name, as decimal texts; a limit that is not named was not used. */
  readonly used: ReadonlyMap<string, string>;
  readonly succeeded: readonly CaseSuccess[];
  readonly expected: Expectation;
}

/** Who acts. */
export interface CaseAgent {
  readonly name: AgentName;
  readonly roles: readonly string[];
  readonly owners: readonly PersonName[];
}

/** A person's account. */
export interface CasePerson {
  readonly roles: readonly string[];
  readonly aliases: readonly PersonName[];
}

/** A value with the instant that it was asked for. */
export interface CaseFact {
  readonly value: JsonValue;
  readonly observedAt: Instant;
}

/** A yes; one for each requirement that asks the same people. */
export interface CaseApproval {
  readonly id: ApprovalId;
  readonly by: PersonName;
  readonly at: Instant;
  readonly requirements: readonly IdentifiedRequirement[];
  /** What the approver saw, where it was not what the action turns out to be. */
  readonly saw?: { readonly environment?: string; readonly preview?: JsonObject };
}

/** An operation that succeeded before. */
export interface CaseSuccess {
  readonly operation: string;
  /** The case's own target where absent. */
  readonly target?: string;
  readonly at: Instant;
}

/** What the policy should say. Findings are compared without order, each once; not at all where absent. */
export interface Expectation {
  readonly verdict: Verdict;
  readonly findings?: readonly ExpectedFinding[];
}

/** A finding by its code, and by the rule that it comes from where that is given. */
export interface ExpectedFinding {
  readonly code: FindingCode;
  readonly rule?: string;
}
