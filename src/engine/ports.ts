/**
 * What the engine needs from the world: a store, executors, live values, time and randomness. Ring 2
 * implements them; nothing here does anything.
 */
import type { Action, ConsentSubject, Preview, Resolution } from '../kernel/action.ts';
import type {
  AfterQuery,
  Approval,
  Decision,
  Fact,
  Gathered,
  Halt,
  LimitDemand,
  LocalFacts,
  WindowState,
} from '../kernel/decision.ts';
import type { Digest } from '../kernel/digest.ts';
import type {
  ActionId,
  AgentName,
  ExecutionId,
  HaltId,
  PersonName,
  TenantName,
} from '../kernel/id.ts';
import type { Instant } from '../kernel/instant.ts';
import type { Operation, Target } from '../kernel/inventory.ts';
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import type { CalendarSpec, FactSpec } from '../kernel/policy.ts';
import type { LedgerDraft } from '../ledger/entry.ts';
import type { Account, AccountKey, DirectoryChange, KeyHolder } from './account.ts';
import type {
  AdvanceCommand,
  AdvanceResult,
  AnswerCommand,
  ChangeCommand,
  ChangeResult,
  Ended,
} from './commands.ts';
import type { Execution } from './execution.ts';
import type { ActionState, OutcomeState } from './transition.ts';
import type { LogStore } from './log.ts';
import type { Erased, PurgeCommand, Purged, StoreMeasures } from './upkeep.ts';

export type { Account, AccountKey, DirectoryChange, KeyHolder } from './account.ts';
export type {
  AdvanceCommand,
  AdvanceResult,
  AnswerCommand,
  AnswerJudgement,
  ChangeCommand,
  ChangeJudgement,
  ChangeResult,
  Ended,
  Judgement,
} from './commands.ts';
export type { LogState, LogStore, StoredPayload, TreeHead } from './log.ts';
export type { Erased, PurgeCommand, Purged, StoreMeasures } from './upkeep.ts';
export type {
  BlobPut,
  BlobRefusalCode,
  BlobStore,
  BlobUpload,
  BlobUse,
  OpenBlob,
} from './blobs.ts';

// ---------------------------------------------------------------- time, randomness

/** Wall and monotonic time. The wall clock is the store's where it decides an expiry. */
export interface Clock {
  now(): Instant;
  /** Milliseconds from an arbitrary start, never going back. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Fresh unpredictable bytes. */
export interface Randomness {
  bytes(count: number): Uint8Array;
}

/** Signs with the layer's Ed25519 keys. While they rotate there are several, the newest first. */
export interface Signer {
  /** Of 32 bytes each. */
  readonly publicKeys: readonly Uint8Array[];
  /** One signature of 64 bytes for each of {@link publicKeys}, in the same order. */
  sign(bytes: Uint8Array): readonly Uint8Array[];
}

// ---------------------------------------------------------------- executors

/** An effect to resolve, preview or send: everything an executor may know of an action. */
export interface EffectRequest {
  readonly tenant: TenantName;
  readonly action: ActionId;
  readonly target: Target;
  readonly operation: Operation;
  /** Parsed from the stored bytes, never from what the caller sent. */
  readonly args: JsonObject;
}

/** A result or a stable error. `code` is one of the executor's documented codes; no secrets in `message`. */
export type Attempt<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** A prepared effect: credential leased, connected; nothing of the action is sent. */
export interface Prepared {
  /**
   * Sends once, and tells how it ended. Refuses an execution that no crossing made, one whose effect
   * digest is not that of what it compiled, and a second call. `sending` is called before the first
   * byte; where it returns false nothing is sent and the outcome is `not_executed`.
   */
  send(execution: Execution, options: SendOptions): Promise<Outcome>;
  /** Lets go of everything leased. Safe after `send`, and twice. */
  discard(): Promise<void>;
}

/** What a send is given. */
export interface SendOptions {
  readonly signal: AbortSignal;
  /** The last question before the first byte. */
  readonly sending: () => boolean;
}

/** How a send or a look at the target ended. `result` is masked and bounded. */
export interface Outcome {
  readonly state: OutcomeState;
  /** `false` only where provably no byte of the effect left. */
  readonly sent: boolean;
  /** A stable code such as `exit_0`, `status_201`, `timeout`, `connection_lost`. */
  readonly code: string;
  /** One line for people. */
  readonly message: string;
  readonly result: JsonValue;
}

/** Performs operations of one binding kind: the only code that sees credentials. */
export interface Executor {
  /** Such as `http/1`; changes when the meaning of a compiled effect changes. */
  readonly contract: string;
  /** Compiles the effect, pins files, asks the system who it is. */
  resolve(request: EffectRequest, signal: AbortSignal): Promise<Attempt<Resolution>>;
  /** With a credential that cannot write. `none` where the operation has no preview. */
  preview(request: EffectRequest, signal: AbortSignal): Promise<Attempt<Preview | 'none'>>;
  /** Everything before the first byte, for exactly this resolution and preview. */
  prepare(
    request: EffectRequest,
    resolution: Resolution,
    preview: Preview | 'none',
    signal: AbortSignal,
  ): Promise<Attempt<Prepared>>;
  /** Looks at the target for evidence of an execution. `undefined`: still unknown. Never sends the effect. */
  reconcile(
    request: EffectRequest,
    execution: ExecutionId,
    signal: AbortSignal,
  ): Promise<Attempt<Outcome | undefined>>;
}

// ---------------------------------------------------------------- live values

/** Fetches declared facts. Never throws: what cannot be had is `failed` with a code. */
export interface FactSource {
  fetch(spec: FactSpec, signal: AbortSignal): Promise<Gathered<Fact>>;
}

/** Evaluates calendars; synchronous, so that a crossing can ask after it read the clock. */
export interface Calendars {
  at(calendar: CalendarSpec, instant: Instant): WindowState;
}

// ---------------------------------------------------------------- the store

/** A stored action. `bytes` are the canonical bytes of the action exactly as stored: re-hash before use. */
export interface ActionRecord {
  readonly tenant: TenantName;
  readonly id: ActionId;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly nonce: string;
  /** Digest of the request body; another body with the same idempotency key is refused. */
  readonly requestDigest: Digest;
  readonly agent: AgentName;
  readonly delegator: PersonName | undefined;
  readonly target: string;
  readonly operation: string;
  readonly effectKey: Digest | undefined;
  readonly conflictKey: string;
  readonly deadline: Instant;
  readonly proposedAt: Instant;
  readonly askedSince: Instant;
  readonly state: ActionState;
  /** Counts the changes of this row; every write expects the one it read. */
  readonly revision: number;
  readonly note: string | undefined;
  /** The newest decision, for people and agents. */
  readonly decision: StoredDecision | undefined;
  /** What people are asked to consent to now. */
  readonly subject: ConsentSubject | undefined;
  readonly execution: ExecutionRecord | undefined;
  /** Who rejected it, and why. */
  readonly ended: Ended | undefined;
  readonly updatedAt: Instant;
}

/** A decision as stored beside its action. */
export type StoredDecision = Pick<
  Decision,
  'verdict' | 'findings' | 'matched' | 'shadow' | 'asks' | 'wakeAt'
> & { readonly at: Instant; readonly epoch: number };

/** The one try, as stored. */
export interface ExecutionRecord {
  readonly id: ExecutionId;
  readonly crossedAt: Instant;
  /** The engine that sends, and until when nobody else may call it lost. */
  readonly engine: string;
  readonly leaseUntil: Instant;
  readonly effect: Digest;
  readonly outcome: Outcome | undefined;
  readonly settledAt: Instant | undefined;
  /** The person who resolved an unknown outcome, and why. */
  readonly resolvedBy: { readonly person: PersonName; readonly reason: string } | undefined;
}

/** An action to be inserted. */
export interface NewAction {
  readonly id: ActionId;
  readonly action: Action;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly nonce: string;
  readonly idempotencyKey: string;
  readonly requestDigest: Digest;
  readonly effectKey: Digest | undefined;
  readonly conflictKey: string;
  readonly note: string | undefined;
}

/** Which local facts a transaction reads. */
export interface LocalQuery {
  readonly tenant: TenantName;
  readonly action: ActionId;
  /** `false` for a proposal, about which nothing is stored yet. */
  readonly stored: boolean;
  readonly agent: AgentName;
  readonly delegator: PersonName | undefined;
  readonly effectKey: Digest | undefined;
  /** The operation declares `once`: a past success counts as an occupant. */
  readonly once: boolean;
  readonly conflictKey: string;
  /** The operation goes one at a time under its conflict key; else what is under way there is not read. */
  readonly serialised: boolean;
  readonly limits: readonly LimitDemand[];
  readonly after: readonly AfterQuery[];
  /** The executor that a permit is for: whether its account is live is read, too. */
  readonly executor?: string;
}

/** An epoch: which policy, inventory and calendars are active, by digest, with their sources. */
export interface Epoch {
  readonly number: number;
  readonly digest: Digest;
  readonly at: Instant;
}

/** A document that an epoch was made from, under the SHA-256 of its bytes. */
export interface SourceText {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** An entry of the ledger as stored; `bytes` are canonical and final. */
export interface LedgerRow {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/**
 * Durable state, one method a transaction, tenant in every key. Each resolves only after the commit
 * is durable. Errors: `StoreError` with `store_full` (nothing written, come back later),
 * `store_overloaded` (nothing written) or `store_closed`; anything worse ends the process.
 */
export interface Store extends LogStore {
  /** Local facts as they are now, outside any transaction: good for a forecast only. */
  look(query: LocalQuery): Promise<{ readonly now: Instant; readonly local: LocalFacts }>;
  advance(command: AdvanceCommand): Promise<AdvanceResult>;
  /** A single-use challenge for one person and one action, good for `validMs`. */
  challenge(command: {
    readonly tenant: TenantName;
    readonly action: ActionId;
    readonly person: PersonName;
    readonly challenge: string;
    readonly validMs: number;
  }): Promise<void>;
  answer(command: AnswerCommand): Promise<ChangeResult>;
  change(command: ChangeCommand): Promise<ChangeResult>;
  /** Extends the leases of this engine's executions; answers those it no longer has. */
  renew(
    engine: string,
    executions: readonly ExecutionId[],
    until: Instant,
  ): Promise<readonly ExecutionId[]>;

  halt(
    halt: Omit<Halt, 'at'> & { readonly tenant: TenantName },
    entry: (now: Instant) => LedgerDraft,
  ): Promise<Halt>;
  /** `undefined` where no such halt stands. */
  resume(
    tenant: TenantName,
    id: HaltId,
    entry: (now: Instant, halt: Halt) => LedgerDraft,
  ): Promise<Halt | undefined>;
  halts(tenant: TenantName): Promise<readonly Halt[]>;

  direct(
    tenant: TenantName,
    change: DirectoryChange,
    entry: (now: Instant) => LedgerDraft,
  ): Promise<
    | { readonly kind: 'written' }
    | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  >;
  accounts(tenant: TenantName): Promise<readonly Account[]>;
  /** The keys of an account, oldest first; `undefined` where there is no such account. */
  keys(
    tenant: TenantName,
    account: Pick<Account, 'kind' | 'name'>,
  ): Promise<readonly AccountKey[] | undefined>;
  /** The live holder of a key, by its hash. */
  holder(keyHash: Digest): Promise<(KeyHolder & { readonly tenant: TenantName }) | undefined>;

  /**
   * Makes another policy, inventory and calendars the active ones; the same digest answers the standing
   * epoch. The documents are kept, each once.
   */
  activate(
    tenant: TenantName,
    digest: Digest,
    entry: (now: Instant, number: number) => LedgerDraft,
    sources?: readonly SourceText[],
  ): Promise<Epoch>;
  /** The entry that made an epoch the active one. */
  epochEntry(tenant: TenantName, number: number): Promise<LedgerRow | undefined>;
  /** A document that was kept for an epoch. */
  source(tenant: TenantName, digest: Digest): Promise<Uint8Array | undefined>;

  action(tenant: TenantName, id: ActionId): Promise<ActionRecord | undefined>;
  /** By idempotency key of one agent. */
  proposed(
    tenant: TenantName,
    agent: AgentName,
    idempotencyKey: string,
  ): Promise<ActionRecord | undefined>;
  /** Newest first, after the id `before` if given. */
  actions(filter: {
    readonly tenant: TenantName;
    readonly agent?: AgentName;
    readonly states?: readonly ActionState[];
    readonly before?: ActionId;
    readonly count: number;
  }): Promise<readonly ActionRecord[]>;
  approvals(tenant: TenantName, action: ActionId): Promise<readonly Approval[]>;
  /** Held actions whose wake-up time or deadline has come, oldest first. */
  due(
    now: Instant,
    count: number,
  ): Promise<readonly { readonly tenant: TenantName; readonly id: ActionId }[]>;
  /** Marks held actions as due now: those that wait for one of these keys, or all of the tenant. */
  wake(tenant: TenantName, waitsFor: readonly string[] | 'all'): Promise<number>;
  /** Executions without an outcome: those of other engines only once their lease is over. */
  lost(engine: string, now: Instant): Promise<readonly ActionRecord[]>;
  /** Executing actions of any engine, for the halt's answer. */
  executing(tenant: TenantName): Promise<readonly ActionRecord[]>;
  ledger(tenant: TenantName, after: number, count: number): Promise<readonly LedgerRow[]>;
  /** The entries about one action, oldest first. */
  history(tenant: TenantName, action: ActionId): Promise<readonly LedgerRow[]>;
  /** The bytes of a payload that the entry at `sequence` names by its salted digest, unless erased. */
  payload(tenant: TenantName, sequence: number, digest: Digest): Promise<Uint8Array | undefined>;

  /**
   * Erases arguments, notes, results and what was decided from, of final actions that are old enough;
   * rows, digests, idempotency keys and ledger entries stay. Such a record has no bytes any more.
   */
  purge(
    command: PurgeCommand,
    entry: (now: Instant, count: number) => LedgerDraft,
  ): Promise<Purged>;
  /**
   * Erases the same of one action now, if it is final. What was erased lies neither in the file nor in
   * its log any more once this resolves.
   */
  erase(
    tenant: TenantName,
    action: ActionId,
    entry: (now: Instant, record: ActionRecord) => LedgerDraft,
  ): Promise<Erased>;
  /** What it is doing. */
  measures(tenant: TenantName): Promise<StoreMeasures>;

  close(): Promise<void>;
}

/**
 * Why a store refuses. At opening: `store_locked` (another process owns it), `store_foreign` (not a
 * store of ours), `store_newer` (of a later version), `store_unsafe` (durability cannot be promised),
 * and for a reader `store_older` (of an earlier version).
 * `store_corrupt` is about one action.
 */
export type StoreErrorCode =
  | 'store_full'
  | 'store_overloaded'
  | 'store_closed'
  | 'clock_jumped'
  | 'store_corrupt'
  | 'store_locked'
  | 'store_foreign'
  | 'store_newer'
  | 'store_older'
  | 'store_unsafe';

/** A store's refusal; nothing was written. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
