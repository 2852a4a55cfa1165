/**
 * The engine's lifetime: proposals in, holds woken, leases renewed, unknowns looked for, halts
 * acknowledged, everything bounded. The life of one action is in `advance.ts`.
 */
import type { Halt, HaltScope, Redemption } from '../kernel/decision.ts';
import {
  parseHaltId,
  uuidV7,
  type ActionId,
  type HaltId,
  type PersonName,
  type TenantName,
} from '../kernel/id.ts';
import { advance, forecast, type Advanced, type Forecast } from './advance.ts';
import { Background, troubleOf } from './background.ts';
import { keepNamed } from './blobs.ts';
import { sentElsewhere } from './elsewhere.ts';
import { controlEntry } from './entries.ts';
import { Gate, Lanes } from './lanes.ts';
import type { Caller, Candidate, Configuration, Life } from './life.ts';
import { ENGINE_LIMITS, type EngineLimits } from './limits.ts';
import { LiveCrossings } from './live.ts';
import {
  type ActionRecord,
  type BlobStore,
  type Calendars,
  type Clock,
  type Executor,
  type FactSource,
  type Randomness,
  type Store,
} from './ports.ts';
import {
  candidateOf,
  refusal,
  refusalOf,
  refuseTimes,
  replayOf,
  rereadOf,
  type Proposal,
  type Proposed,
} from './proposal.ts';
import { callLost } from './recovery.ts';
import { denyTampered } from './tampered.ts';
import { isFinal } from './transition.ts';
import { Watch } from './watch.ts';

/** What an engine is made of. */
export interface EngineParts {
  readonly store: Store;
  /** By binding kind. */
  readonly executors: Readonly<Record<string, Executor>>;
  readonly facts: FactSource;
  readonly calendars: Calendars;
  /** Without them an action that names a blob is refused. */
  readonly blobs?: BlobStore;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** The name under which executions are leased; one engine at a time may use it. */
  readonly name: string;
  /** What separates the layer from the agent, for receipts: `none` makes it advice. */
  readonly isolation?: string;
  readonly limits?: Partial<EngineLimits>;
  /** Told what went wrong without stopping anything; no secrets. */
  readonly trouble: (code: string, message: string) => void;
}

/** What a halt stopped. */
export interface Halted {
  readonly halt: Halt;
  /** Actions in scope whose first byte had left before the halt was acknowledged. */
  readonly sent: readonly ActionId[];
}

/** What an advance for a redemption came to; of the last three nothing was written. */
export type RedeemedAdvance =
  | Advanced
  | { readonly kind: 'not_held'; readonly record: ActionRecord | undefined }
  | { readonly kind: 'draining' | 'overloaded' };

/** How often a redemption starts over because another replica looked at the action. */
const REDEEM_ROUNDS_MAX = 4;

/** One engine over one store. */
export class Engine {
  readonly store: Store;
  readonly watch: Watch = new Watch();
  readonly life: Life;
  readonly #gate: Gate;
  readonly #stopping = new AbortController();
  readonly #configurations = new Map<TenantName, Configuration>();
  readonly #advancing = new Map<ActionId, Promise<Advanced>>();
  readonly #proposing = new Map<string, Promise<Proposed>>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #denials = new Map<string, { minute: number; count: number }>();
  readonly #background: Background;
  readonly #blobs: BlobStore | undefined;
  #draining = false;

  constructor(parts: EngineParts) {
    const limits = { ...ENGINE_LIMITS, ...parts.limits };
    this.store = parts.store;
    this.#blobs = parts.blobs;
    this.#gate = new Gate({ placesMax: limits.actionsMax, waitingMax: limits.waitingMax });
    this.life = {
      store: parts.store,
      executors: parts.executors,
      facts: parts.facts,
      calendars: parts.calendars,
      clock: parts.clock,
      randomness: parts.randomness,
      engine: parts.name,
      isolation: parts.isolation,
      limits,
      lanes: new Lanes(),
      live: new LiveCrossings(),
      executing: new Map(),
      salt: () => parts.randomness.bytes(32),
      stopping: this.#stopping.signal,
      changed: (record) => this.watch.changed(record),
      trouble: parts.trouble,
    };
    this.#background = new Background({
      life: this.life,
      tenants: () => this.#configurations.keys(),
      configuration: (tenant) => this.configuration(tenant),
      advance: (tenant, id) => this.#tryAdvance(tenant, id),
    });
  }

  /** Makes this the tenant's active configuration; its epoch must be the store's newest. */
  configure(configuration: Configuration): void {
    this.#configurations.set(configuration.tenant, configuration);
  }

  /** The tenant's active configuration; throws where there is none. */
  configuration(tenant: TenantName): Configuration {
    const configuration = this.#configurations.get(tenant);
    if (configuration === undefined) throw new Error(`no configuration for tenant \`${tenant}\``);
    return configuration;
  }

  /** Calls lost what a crash left, then begins to wake holds. */
  async start(): Promise<readonly ActionRecord[]> {
    const lost = await callLost(this.life);
    for (const tenant of this.#configurations.keys()) await this.store.wake(tenant, 'all');
    this.#background.start();
    return lost;
  }

  // ------------------------------------------------------ propose

  /** Proposes once: the same key and body again answers the same action. */
  async propose(caller: Caller, proposal: Proposal): Promise<Proposed> {
    // JSON keeps the three apart whatever they contain.
    const key = JSON.stringify([caller.tenant, caller.agent, proposal.idempotencyKey]);
    const before = this.#proposing.get(key);
    if (before !== undefined) return replayOf(await before, proposal);
    const promise = this.#propose(caller, proposal);
    this.#proposing.set(key, promise);
    try {
      return await promise;
    } finally {
      this.#proposing.delete(key);
    }
  }

  async #propose(caller: Caller, proposal: Proposal): Promise<Proposed> {
    const stored = await this.store.proposed(caller.tenant, caller.agent, proposal.idempotencyKey);
    if (stored !== undefined) {
      return replayOf({ kind: 'record', record: stored, replayed: true }, proposal);
    }
    const refused = this.#refuse(caller, proposal);
    if (refused !== undefined) return refused;
    const leave = await this.#gate.enter();
    if (leave === undefined) return refusal('overloaded');
    try {
      const candidate = this.#candidate(caller, proposal);
      return this.#proposed(caller, await this.#track(this.#advance(candidate)));
    } catch (error) {
      return refusalOf(error);
    } finally {
      leave();
    }
  }

  /** What is refused before anything is stored. */
  #refuse(caller: Caller, proposal: Proposal): Proposed | undefined {
    if (this.#draining) return refusal('draining');
    const denials = this.#denials.get(JSON.stringify([caller.tenant, caller.agent]));
    const over =
      denials?.minute === Math.floor(this.life.clock.now() / 60_000) &&
      denials.count >= this.life.limits.denialsPerMinuteMax;
    if (over) return refusal('too_many_denials');
    return refuseTimes(this.life, proposal) ?? this.#refuseBlobs(caller, proposal);
  }

  #refuseBlobs(caller: Caller, { target, operation: name, args }: Proposal): Proposed | undefined {
    const { targets } = this.configuration(caller.tenant).policy.inventory;
    const operation = targets.get(target)?.operations.get(name);
    return keepNamed(this.#blobs, caller, { operation, args })
      ? undefined
      : refusal('blob_missing');
  }

  #proposed(caller: Caller, advanced: Advanced): Proposed {
    switch (advanced.kind) {
      case 'stopped':
        if (advanced.record.state === 'denied') this.#countDenial(caller);
        return { kind: 'record', record: advanced.record, replayed: false };
      case 'crossed':
        return { kind: 'record', record: advanced.record, replayed: false };
      case 'existing':
      case 'stale':
        return { kind: 'record', record: advanced.record, replayed: true };
      case 'key_reused':
        return refusal('idempotency_key_reused');
      case 'too_many_open':
        return refusal('too_many_open');
      case 'unsettled':
        return refusal('unsettled');
      default:
        return advanced satisfies never;
    }
  }

  #candidate(caller: Caller, proposal: Proposal): Candidate {
    return candidateOf(this.life, this.configuration(caller.tenant), { caller, proposal });
  }

  #countDenial(caller: Caller): void {
    const key = JSON.stringify([caller.tenant, caller.agent]);
    const minute = Math.floor(this.life.clock.now() / 60_000);
    const before = this.#denials.get(key);
    this.#denials.set(key, {
      minute,
      count: before?.minute === minute ? before.count + 1 : 1,
    });
  }

  /** What would happen now; nothing is stored, and no target is asked unless `touch`. */
  async forecast(caller: Caller, proposal: Proposal, touch: boolean): Promise<Forecast> {
    const candidate = this.#candidate(caller, proposal);
    return forecast(this.life, this.configuration(caller.tenant), candidate, touch);
  }

  // ------------------------------------------------------ advance

  /** Moves a stored action as far as it goes now. Two at once for one action are one. */
  async advance(tenant: TenantName, id: ActionId): Promise<ActionRecord | undefined> {
    await this.#tryAdvance(tenant, id);
    return this.store.action(tenant, id);
  }

  /** `false` where nothing could be written: the hold stands, and stays due. */
  async #tryAdvance(tenant: TenantName, id: ActionId): Promise<boolean> {
    try {
      const record = await this.store.action(tenant, id);
      if (record?.state !== 'held') return record !== undefined;
      const advanced = await this.#track(this.#advance(rereadOf(record) ?? record));
      return advanced.kind !== 'unsettled';
    } catch (error) {
      this.life.trouble(...troubleOf(error));
      return false;
    }
  }

  /**
   * Advances a held action while its permit is being redeemed. No two redemptions share an advance, so
   * that of all who redeem at once one crosses.
   */
  async redeem(tenant: TenantName, id: ActionId, redemption: Redemption): Promise<RedeemedAdvance> {
    if (this.#draining) return { kind: 'draining' };
    const leave = await this.#gate.enter();
    if (leave === undefined) return { kind: 'overloaded' };
    try {
      for (let round = 0; round < REDEEM_ROUNDS_MAX;) {
        const record = await this.store.action(tenant, id);
        if (record?.state !== 'held') return { kind: 'not_held', record };
        // INVARIANT: between this question and the advance nothing is awaited.
        const before = this.#advancing.get(id);
        if (before !== undefined) {
          // However that one ends: what it left is read again.
          await before.catch(() => undefined);
          continue;
        }
        round += 1;
        const candidate = rereadOf(record);
        const advancing = this.#advance(candidate ? { ...candidate, redemption } : record);
        const advanced = await this.#track(advancing);
        // Another replica looked at it meanwhile.
        if (advanced.kind !== 'stale') return advanced;
      }
      return { kind: 'unsettled' };
    } finally {
      leave();
    }
  }

  async #advance(candidate: Candidate | ActionRecord): Promise<Advanced> {
    const before = this.#advancing.get(candidate.id);
    if (before !== undefined) {
      if ('redemption' in candidate) throw new Error('no two redemptions share an advance');
      return before;
    }
    const promise =
      'action' in candidate
        ? advance(this.life, () => this.configuration(candidate.action.tenant), candidate)
        : denyTampered(this.life, this.configuration(candidate.tenant), candidate);
    this.#advancing.set(candidate.id, promise);
    try {
      const advanced = await promise;
      // Its end may be what others wait for.
      if (advanced.kind === 'crossed')
        void this.#track(advanced.settled).then(() => this.#background.poke());
      return advanced;
    } finally {
      this.#advancing.delete(candidate.id);
    }
  }

  /** The action once it is settled or waits for something that takes long, or as it is after `waitMs`. */
  async settledWithin(
    tenant: TenantName,
    id: ActionId,
    waitMs: number,
  ): Promise<ActionRecord | undefined> {
    const waiting = waitMs > 0 ? this.watch.until(id, waitMs, isSettled) : undefined;
    const record = await this.store.action(tenant, id);
    if (record === undefined || isSettled(record) || waiting === undefined) return record;
    return (await waiting) ?? (await this.store.action(tenant, id));
  }

  // ------------------------------------------------------ halts

  /** Stops everything in scope. Resolves once nothing in it can be sent any more. */
  async halt(parts: {
    readonly tenant: TenantName;
    readonly scope: HaltScope;
    readonly reason: string;
    readonly by: PersonName | 'operator';
  }): Promise<Halted> {
    const { tenant, scope, reason, by } = parts;
    const id = parseHaltId(uuidV7(this.life.clock.now(), this.life.randomness.bytes(10)));
    if (id === undefined) throw new Error('a fresh UUIDv7 has its form');
    const halt = await this.store.halt({ tenant, id, scope, reason, by }, (at) =>
      controlEntry('halted', {
        tenant,
        at,
        by,
        body: { halt: id, reason, scope: { ...scope } },
        salt: this.life.salt,
      }),
    );
    const here = await this.life.live.halt(scope);
    const configuration = this.#configurations.get(tenant);
    const elsewhere = configuration && (await sentElsewhere(this.life, configuration, scope));
    this.watch.touched();
    return { halt, sent: [...here, ...(elsewhere ?? [])] };
  }

  /** Ends a halt; what it held is looked at again. `undefined` where no such halt stands. */
  async resume(
    tenant: TenantName,
    id: HaltId,
    by: PersonName | 'operator',
  ): Promise<Halt | undefined> {
    const halt = await this.store.resume(tenant, id, (at) =>
      controlEntry('resumed', { tenant, at, by, body: { halt: id }, salt: this.life.salt }),
    );
    if (halt !== undefined) {
      await this.store.wake(tenant, 'all');
      this.#background.poke();
    }
    return halt;
  }

  /** Looks at due holds soon: something changed that they may wait for. */
  poke(): void {
    this.#background.poke();
  }

  async #track<Value>(promise: Promise<Value>): Promise<Value> {
    this.#underWay.add(promise);
    try {
      return await promise;
    } finally {
      this.#underWay.delete(promise);
    }
  }

  /**
   * Takes nothing new, waits for what is under way, and lets go. What is still running after `graceMs`
   * is cut off; the next start calls it unknown.
   */
  async stop(graceMs: number): Promise<void> {
    this.#draining = true;
    const grace = new AbortController();
    const waited = this.life.clock.sleep(graceMs, grace.signal);
    const done = (async () => {
      await this.#background.stop();
      while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    })();
    await Promise.race([done, waited]);
    grace.abort();
    this.#stopping.abort();
    const last = new AbortController();
    await Promise.race([done, this.life.clock.sleep(1000, last.signal)]);
    last.abort();
  }

  /** Whether new proposals are taken. */
  get draining(): boolean {
    return this.#draining;
  }
}

/** Whether waiting longer is of no use: final, unknown, or held for more than another action's end. */
function isSettled(record: ActionRecord): boolean {
  if (isFinal(record.state) || record.state === 'unknown') return true;
  if (record.state === 'executing') return false;
  const reasons = record.decision?.findings.filter((finding) => finding.status !== 'met') ?? [];
  return reasons.some(({ code }) => code !== 'target_busy' && code !== 'effect_busy');
}
