/**
 * The words between the engine and `decide`: everything a decision is made from, and what it says.
 * All of it is plain data with a canonical form, so that a decision can be replayed from the ledger.
 */
import type { Action, ConsentSubject, Preview, Resolution } from './action.ts';
import type { Digest } from './digest.ts';
import type { Position } from './document.ts';
import type { ActionId, AgentName, ApprovalId, HaltId, PersonName } from './id.ts';
import type { Instant } from './instant.ts';
import type { Operation, Target } from './inventory.ts';
import type { JsonValue } from './json/value.ts';

/** What a decision is made from. Absent local or remote values are `undetermined`, never ignored. */
export interface DecisionInput {
  /** The clock: read after the lock at a crossing. */
  readonly now: Instant;
  readonly id: ActionId;
  readonly action: Action;
  readonly actionDigest: Digest;
  /** When the action was proposed and, if it is held, since when people could be asked. */
  readonly proposedAt: Instant;
  readonly askedSince: Instant;
  /** What makes two actions the same effect; absent for reads. Names what a busy effect waits for. */
  readonly effectKey?: Digest;
  /** From the active inventory; `undefined` where the action names an unknown one. */
  readonly target: Target | undefined;
  readonly operation: Operation | undefined;
  readonly resolution: Gathered<Resolution>;
  /** `none`: the operation has no preview. */
  readonly preview: Gathered<Preview | 'none'>;
  readonly consent: ConsentSubject | undefined;
  readonly facts: Readonly<Record<string, Gathered<Fact>>>;
  readonly windows: Readonly<Record<string, WindowState>>;
  readonly local: LocalFacts;
  /** Present while the action's permit is being redeemed: without it nothing for an executor elsewhere crosses. */
  readonly redemption?: Redemption;
}

/** A permit in the hands of the executor that it is for. */
export interface Redemption {
  /** Who redeems it, from authentication. */
  readonly by: string;
  /** The digest of the effect that the claim was made for. */
  readonly effect: Digest;
  readonly expiresAt: Instant;
}

/** A value, or why there is none (yet). `absent`: not asked for yet; a decision treats both alike, as undetermined. */
export type Gathered<Value> =
  | { readonly kind: 'known'; readonly value: Value }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'absent' };

/** A live value; its age is counted from the start of the request for it. */
export interface Fact {
  readonly value: JsonValue;
  readonly source: string;
  readonly observedAt: Instant;
  readonly tookMs: number;
}

/** Whether a calendar is open at `now`, and when that changes next. Absent instants: never. */
export interface WindowState {
  readonly open: boolean;
  readonly opensAt?: Instant;
  readonly closesAt?: Instant;
}

/** What the store reads under lock, in the same transaction as the crossing. */
export interface LocalFacts {
  readonly epoch: number;
  readonly halts: readonly Halt[];
  readonly agent: AgentState | undefined;
  /** Account and roles of every person who matters: delegator, owners, approvers. */
  readonly people: Readonly<Record<string, PersonState>>;
  readonly approvals: readonly Approval[];
  /** A live or unknown action with the same effect key, or a success that makes this one already done. */
  readonly effect: EffectOccupant | undefined;
  /** An executing action with the same conflict key, and when the last one settled. */
  readonly conflict: { readonly executing?: ActionId; readonly settledAt?: Instant };
  /** By limit key. */
  readonly limits: Readonly<Record<string, LimitState>>;
  /** By {@link AfterQuery} key: when the operation last succeeded. */
  readonly after: Readonly<Record<string, Instant>>;
  /** The account of the executor that a permit is for; present only where one is. */
  readonly executor?: { readonly name: string; readonly live: boolean };
}

/** An agent's account. `owners` are people; each counts as requester where no delegator is proven. */
export interface AgentState {
  readonly name: AgentName;
  readonly live: boolean;
  readonly roles: readonly string[];
  readonly owners: readonly PersonName[];
  /** Whether the delegation the action was proposed under still stands; true where there is none. */
  readonly delegationLive: boolean;
}

/** A person's account. People that share an alias group are one person to separation of duty. */
export interface PersonState {
  readonly live: boolean;
  readonly roles: readonly string[];
  readonly aliases: readonly PersonName[];
}

/** A scoped stop. Every member given must hold for the halt to cover an action; none given covers all. */
export interface Halt {
  readonly id: HaltId;
  readonly scope: HaltScope;
  readonly reason: string;
  readonly by: string;
  readonly at: Instant;
}

/** What a halt covers. */
export interface HaltScope {
  readonly target?: string;
  readonly operation?: string;
  readonly kind?: string;
  readonly agent?: string;
  readonly environment?: string;
}

/** A person's answer as stored. */
export interface Approval {
  readonly id: ApprovalId;
  readonly kind: 'approval' | 'confirmation';
  /** The requirement it answers. */
  readonly requirement: Digest;
  /** The consent digest it is a yes to, and what that digest stood for. */
  readonly consent: Digest;
  readonly subject: ConsentSubject;
  readonly approver: PersonName;
  readonly at: Instant;
  readonly expiresAt: Instant;
  readonly consumed: boolean;
}

/** Who holds an effect key. */
export interface EffectOccupant {
  readonly action: ActionId;
  readonly state: 'held' | 'executing' | 'unknown' | 'succeeded';
}

/** A counter's use. Amounts are decimal strings; `frees` says when and down to what use time alone brings it. */
export interface LimitState {
  /** Posted within the period, reserved and unknown together. */
  readonly used: string;
  /** Instants at which posted use ages out, in order, each with the use that is left then. */
  readonly frees: readonly { readonly at: Instant; readonly used: string }[];
}

/** What the engine must read or fetch before a decision can be made; from `demandOf`. */
export interface Demand {
  readonly facts: readonly { readonly name: string; readonly maxAgeMs: number }[];
  readonly windows: readonly string[];
  readonly limits: readonly LimitDemand[];
  readonly after: readonly AfterQuery[];
}

/** One counter that rules name for this action. */
export interface LimitDemand {
  readonly key: string;
  readonly perMs: number;
}

/** The last success of an operation at a target. */
export interface AfterQuery {
  readonly key: string;
  readonly target: string;
  readonly operation: string;
}

/** What happens now. */
export type Verdict = 'admit' | 'hold' | 'deny';

/** What a decision says. Only `decide` makes one; {@link isDecision} in `decide.ts` tells. */
export interface Decision {
  readonly verdict: Verdict;
  /** In order of precedence, then of rule id; the first names the reason. */
  readonly findings: readonly Finding[];
  /** Ids of the rules that matched, in order. */
  readonly matched: readonly string[];
  /** What shadow rules would have done. */
  readonly shadow: readonly { readonly rule: string; readonly would: Verdict }[];
  /** On `admit`: the approvals that this crossing consumes. */
  readonly consumes: readonly ApprovalId[];
  /** On `admit`: the amounts that this crossing reserves. */
  readonly reserves: readonly Reservation[];
  /** On `hold`: when time alone may change the verdict. */
  readonly wakeAt?: Instant;
  /**
   * On `hold`: everything whose change may alter the verdict, sorted. More than the findings name,
   * because another `allow` than the one reported may be met first.
   */
  readonly waitsFor: readonly string[];
  /** On `hold`: the requirements that people could answer now. */
  readonly asks: readonly Ask[];
  /** On `admit`: no crossing instant at or after this one is covered by the decision. */
  readonly validUntil: Instant;
}

/** An amount to reserve under a limit. */
export interface Reservation {
  readonly key: string;
  readonly perMs: number;
  readonly amount: string;
}

/** A requirement that a person could answer. */
export interface Ask {
  readonly kind: 'approval' | 'confirmation';
  readonly requirement: Digest;
  readonly from: { readonly role: string } | { readonly person: string } | 'delegator';
  readonly have: number;
  readonly need: number;
  readonly validForMs: number;
  readonly until: Instant;
}

/** The result of one requirement, or of what is always required. */
export interface Finding {
  readonly code: FindingCode;
  readonly status: 'met' | 'unmet' | 'undetermined' | 'impossible';
  /** One line for people. */
  readonly message: string;
  /** The rule it comes from; absent for what is always required. */
  readonly rule?: { readonly id: string; readonly effect: string; readonly position: Position };
  readonly requirement?: Digest;
  readonly actual?: JsonValue;
  readonly needed?: JsonValue;
  /** The smallest change to the action that would meet it, such as `amount <= 20.00`. */
  readonly change?: string;
  /** When time alone would meet it. */
  readonly at?: Instant;
  /** What it waits for: `effect:…`, `conflict:…`, `limit:…`, `after:…`, `approval`, `halt`, `time`, `fact`, `redemption`. */
  readonly waitsFor?: string;
}

/**
 * Every finding code, in order of precedence: if several apply, the first is given first. What is
 * always required comes before rules, denials before what is missing.
 */
export const FINDING_CODES = [
  'payload_mismatch',
  'target_unknown',
  'operation_unknown',
  'arguments_invalid',
  'deadline_passed',
  'principal_unknown',
  'principal_revoked',
  'delegation_revoked',
  'halted',
  'denied_by_rule',
  'no_rule_allows',
  'already_done',
  'identity_mismatch',
  'pinned_file_changed',
  'resolution_failed',
  'preview_failed',
  'rule_undetermined',
  'consent_moved',
  'approval_expired',
  'approver_not_entitled',
  'approval_ask_over',
  'approval_missing',
  'confirmation_missing',
  'not_before',
  'window_closed',
  'window_too_short',
  'over_limit',
  'fact_unavailable',
  'fact_stale',
  'fact_unmet',
  'after_missing',
  'after_too_soon',
  'after_too_late',
  'requirement_unsupported',
  'effect_busy',
  'target_busy',
  'permit_not_redeemed',
  'allowed',
  'requirement_met',
] as const;

/** The stable code of a finding. */
export type FindingCode = (typeof FINDING_CODES)[number];
