/**
 * What every step of an action's life shares: the ports, the limits, and what this engine has under
 * way. Made once by the engine; no step keeps state of its own.
 */
import type { Action } from '../kernel/action.ts';
import type { Redemption } from '../kernel/decision.ts';
import type { Digest } from '../kernel/digest.ts';
import type { ActionId, AgentName, ExecutionId, PersonName, TenantName } from '../kernel/id.ts';
import type { Instant } from '../kernel/instant.ts';
import type { CompiledPolicy } from '../kernel/policy/compiled.ts';
import type { Lanes } from './lanes.ts';
import type { EngineLimits } from './limits.ts';
import type { LiveCrossings } from './live.ts';
import type {
  ActionRecord,
  Calendars,
  Clock,
  Epoch,
  Executor,
  FactSource,
  NewAction,
  Randomness,
  Store,
} from './ports.ts';

/** The ports and the shared state of one engine. */
export interface Life {
  readonly store: Store;
  /** By binding kind. */
  readonly executors: Readonly<Record<string, Executor>>;
  readonly facts: FactSource;
  readonly calendars: Calendars;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** The name under which executions are leased. */
  readonly engine: string;
  /** What separates the layer from the agent; receipts say it. */
  readonly isolation: string | undefined;
  readonly limits: EngineLimits;
  readonly lanes: Lanes;
  readonly live: LiveCrossings;
  /** Executions of this engine that have no outcome yet. */
  readonly executing: Map<ExecutionId, ActionId>;
  /** Thirty-two fresh random bytes for a payload's digest. */
  readonly salt: () => Uint8Array;
  /** Aborted when the engine gives up waiting for what is under way. */
  readonly stopping: AbortSignal;
  /** Told after each commit that changed an action. */
  readonly changed: (record: ActionRecord) => void;
  /** Told what went wrong without stopping anything; no secrets. */
  readonly trouble: (code: string, message: string) => void;
}

/** What is active for a tenant: one epoch's policy, with the inventory it was checked against. */
export interface Configuration {
  readonly tenant: TenantName;
  readonly epoch: Epoch;
  readonly policy: CompiledPolicy;
}

/** Who is calling, wholly from authentication. */
export interface Caller {
  readonly tenant: TenantName;
  readonly agent: AgentName;
  readonly delegator: PersonName | undefined;
}

/** An action on its way: proposed just now, or read back from its stored bytes. */
export interface Candidate {
  readonly id: ActionId;
  readonly action: Action;
  readonly digest: Digest;
  readonly nonce: string;
  readonly proposedAt: Instant;
  readonly effectKey: Digest | undefined;
  readonly conflictKey: string;
  /** Given until the action is stored. */
  readonly proposal: NewAction | undefined;
  /** The stored row it was read from, once there is one. */
  readonly record: ActionRecord | undefined;
  /** Given while its permit is being redeemed. */
  readonly redemption?: Redemption;
}
