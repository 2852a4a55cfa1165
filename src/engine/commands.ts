/** The transactions of section 3: what a store is asked to judge and write, and what became of it. */
import type { ConsentSubject } from '../kernel/action.ts';
import type { Approval, Decision, LocalFacts } from '../kernel/decision.ts';
import type { Digest } from '../kernel/digest.ts';
import type { ActionId, ExecutionId, PersonName, TenantName } from '../kernel/id.ts';
import type { Instant } from '../kernel/instant.ts';
import type { LedgerDraft } from '../ledger/entry.ts';
import type { Execution } from './execution.ts';
import type { ActionRecord, LocalQuery, NewAction, Outcome } from './ports.ts';
import type { ActionState } from './transition.ts';

/**
 * One transaction of section 3: lock, read the clock, read local facts, judge, write, commit.
 * `judge` is pure and synchronous and may run more than once; what it says is written whole or not at all.
 */
export interface AdvanceCommand {
  readonly query: LocalQuery;
  /** Given for an action that is not stored yet: it is inserted in the same transaction. */
  readonly propose?: NewAction;
  /** The revision that was gathered for; with `propose` absent, another one answers `stale`. */
  readonly revision: number;
  readonly judge: (now: Instant, local: LocalFacts) => Judgement;
}

/** What a judge says is to be written. */
export type Judgement = {
  readonly decision: Decision;
  /** The state the transition function gives. */
  readonly state: ActionState;
  readonly askedSince: Instant;
  readonly subject: ConsentSubject | undefined;
  /** When to look at a hold again; the decision's own `wakeAt`, or sooner where something is undetermined. */
  readonly wakeAt?: Instant;
  /** Present exactly when the decision admits. */
  readonly crossing?: {
    readonly execution: ExecutionId;
    readonly engine: string;
    readonly leaseUntil: Instant;
    readonly effect: Digest;
  };
  readonly entries: readonly LedgerDraft[];
};

/** What became of an {@link AdvanceCommand}. */
export type AdvanceResult =
  /** Written. `execution` is present exactly when it crossed. */
  | {
      readonly kind: 'written';
      readonly record: ActionRecord;
      readonly execution: Execution | undefined;
    }
  /** Another proposal with the same idempotency key and the same body came first. */
  | { readonly kind: 'existing'; readonly record: ActionRecord }
  | { readonly kind: 'key_reused' }
  /** The action moved on since it was gathered for; nothing is written. */
  | { readonly kind: 'stale'; readonly record: ActionRecord }
  /** Too many open holds of this agent; nothing is written. */
  | { readonly kind: 'too_many_open'; readonly limit: number };

/** A person's answer to a hold, with the challenge it spends. */
export interface AnswerCommand {
  readonly tenant: TenantName;
  readonly action: ActionId;
  readonly challenge: string;
  readonly person: PersonName;
  /** Pure: what the answer does, from the record as it is under lock. */
  readonly judge: (now: Instant, record: ActionRecord, local: LocalFacts) => AnswerJudgement;
}

/** Who ended an action, and the reason that reaches the agent. */
export interface Ended {
  readonly by: PersonName;
  readonly reason: string;
}

/** What an answer writes. */
export type AnswerJudgement =
  | {
      readonly kind: 'write';
      readonly state: ActionState;
      readonly approvals: readonly Approval[];
      /** Who ended the action and why, where the answer is a no. */
      readonly ended?: Ended;
      readonly entries: readonly LedgerDraft[];
    }
  | { readonly kind: 'refuse'; readonly code: string; readonly message: string };

/** A change of one action that no local fact judges: withdrawn, barred, settled, lost, resolved. */
export interface ChangeCommand {
  readonly tenant: TenantName;
  readonly action: ActionId;
  /** For changes of an execution: which. Another one answers `refused`. */
  readonly execution?: ExecutionId;
  readonly judge: (now: Instant, record: ActionRecord) => ChangeJudgement;
}

/** What a change writes. */
export type ChangeJudgement =
  | {
      readonly kind: 'write';
      readonly state: ActionState;
      /** Reservations: post (succeeded, failed), void (not executed, barred) or keep (unknown). */
      readonly limits: 'keep' | 'post' | 'void' | 'unknown';
      /** When to look at it again, where it is held afterwards; at once if absent. */
      readonly wakeAt?: Instant;
      /** Barred: consumed approvals are given back. */
      readonly restoreApprovals: boolean;
      /** `undefined` leaves the execution as it is; `barred` forgets it. */
      readonly outcome?: Outcome | 'barred';
      readonly resolvedBy?: { readonly person: PersonName; readonly reason: string };
      readonly entries: readonly LedgerDraft[];
    }
  | { readonly kind: 'refuse'; readonly code: string; readonly message: string };

/** What became of an answer or a change. */
export type ChangeResult =
  | { readonly kind: 'written'; readonly record: ActionRecord }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };
