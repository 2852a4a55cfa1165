/**
 * Steps 2 to 4 of an action's life: what its names mean now, what it would do now, and the remote facts
 * that its rules name, all asked within one limit and kept for this advance only. Also builds what
 * `decide` is given, from what was gathered and what the store read.
 */
import type { ConsentSubject, Preview, Resolution } from '../kernel/action.ts';
import { demandOf } from '../kernel/decide.ts';
import type {
  DecisionInput,
  Demand,
  Fact,
  Gathered,
  LocalFacts,
  WindowState,
} from '../kernel/decision.ts';
import type { Instant } from '../kernel/instant.ts';
import type { Operation, Target } from '../kernel/inventory.ts';
import type { Release } from './lanes.ts';
import type { Candidate, Configuration, Life } from './life.ts';
import type { Attempt, EffectRequest, Executor, LocalQuery } from './ports.ts';

/** What was asked of the world for one advance. */
export class Gathering {
  readonly candidate: Candidate;
  readonly configuration: Configuration;
  readonly target: Target | undefined;
  readonly operation: Operation | undefined;
  readonly #life: Life;
  #resolution: Gathered<Resolution> = { kind: 'absent' };
  #preview: Gathered<Preview | 'none'> = { kind: 'absent' };
  #facts: Readonly<Record<string, Gathered<Fact>>> = {};
  #demand: Demand | undefined;
  #startedMs: number;

  constructor(life: Life, configuration: Configuration, candidate: Candidate) {
    this.#life = life;
    this.configuration = configuration;
    this.candidate = candidate;
    this.target = configuration.policy.inventory.targets.get(candidate.action.target);
    this.operation = this.target?.operations.get(candidate.action.operation);
    this.#startedMs = life.clock.monotonicMs();
  }

  get resolution(): Gathered<Resolution> {
    return this.#resolution;
  }

  get preview(): Gathered<Preview | 'none'> {
    return this.#preview;
  }

  /**
   * Resolves, previews and fetches, in that order, within `gatherMsMax`. `early` is what is known
   * before. Answers the place in the conflict lane, if the operation needs one and it came in time.
   */
  async gather(early: DecisionInput): Promise<Release | undefined> {
    const executor = this.executor();
    const request = this.request();
    if (executor === undefined || request === undefined) return undefined;
    if (request.operation.once !== undefined && this.candidate.effectKey === undefined) {
      this.#resolution = EFFECT_UNNAMED;
      return undefined;
    }
    this.#startedMs = this.#life.clock.monotonicMs();
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), this.#life.limits.gatherMsMax);
    const signal = AbortSignal.any([deadline.signal, this.#life.stopping]);
    const lane = await this.#enterLane(request.operation, signal);
    this.#resolution = gathered(await executor.resolve(request, signal));
    if (this.#resolution.kind === 'known') {
      this.#preview = gathered(await executor.preview(request, signal));
      this.#demand = await this.#fetchFacts(early, signal);
    }
    clearTimeout(timer);
    return lane;
  }

  /** For a forecast that touches nothing: what the rules ask of local state, as far as it is known. */
  expect({ now, local }: DecisionInput): void {
    this.#demand = demandOf(this.configuration.policy, this.inputAt(now, local));
  }

  /** Preparing failed: the target cannot be reached as it was resolved. */
  fail(attempt: Extract<Attempt<unknown>, { ok: false }>): void {
    this.#resolution = gathered(attempt);
  }

  /**
   * Why what was gathered is too old for a crossing now, if it is (law 6): another action settled
   * after the preview, or gathering and preparing together took longer than each may.
   */
  staleness({ now, local }: DecisionInput): string | undefined {
    const settledAt = local.conflict.settledAt ?? 0;
    if (this.#preview.kind === 'known' && this.#preview.value !== 'none') {
      if (settledAt > this.#preview.value.observedAt) return 'the target changed after the preview';
    }
    const since = this.#resolution.kind === 'known' ? this.#resolution.value.observedAt : 0;
    const elapsedMs = Math.max(now - since, this.#life.clock.monotonicMs() - this.#startedMs);
    return elapsedMs > 2 * this.#life.limits.gatherMsMax ? 'gathered too long ago' : undefined;
  }

  /** What `decide` is given at this instant, with these local facts. */
  inputAt(now: Instant, local: LocalFacts): DecisionInput {
    const { candidate } = this;
    return {
      now,
      id: candidate.id,
      action: candidate.action,
      actionDigest: candidate.digest,
      ...(candidate.effectKey === undefined ? {} : { effectKey: candidate.effectKey }),
      proposedAt: candidate.record?.proposedAt ?? now,
      askedSince: candidate.record?.askedSince ?? now,
      target: this.target,
      operation: this.operation,
      resolution: this.#resolution,
      preview: this.#preview,
      consent: this.#subject(),
      facts: this.#facts,
      windows: this.#windowsAt(now),
      local,
      ...(candidate.redemption === undefined ? {} : { redemption: candidate.redemption }),
    };
  }

  /** The local facts that the rules which match ask for, as far as they are known to. */
  query(): LocalQuery {
    const { action, id, effectKey, conflictKey } = this.candidate;
    const executor = this.target?.executor;
    return {
      tenant: action.tenant,
      action: id,
      stored: this.candidate.record !== undefined,
      agent: action.principal.agent,
      delegator: action.principal.delegator,
      effectKey,
      once: this.operation?.once !== undefined,
      conflictKey,
      serialised: this.operation !== undefined && isSerialised(this.operation),
      limits: this.#demand?.limits ?? [],
      after: this.#demand?.after ?? [],
      ...(executor?.kind === 'permit' ? { executor: executor.audience } : {}),
    };
  }

  /** What an executor may know of the action; `undefined` where target or operation is unknown. */
  request(): EffectRequest | undefined {
    const { target, operation } = this;
    if (target === undefined || operation === undefined) return undefined;
    const { action, id } = this.candidate;
    return { tenant: action.tenant, action: id, target, operation, args: action.args };
  }

  executor(): Executor | undefined {
    return this.operation && this.#life.executors[this.operation.binding.kind];
  }

  /**
   * Who does not get in before the gathering is over goes on without: the transaction sees the other
   * one executing, and holds.
   */
  async #enterLane(operation: Operation, signal: AbortSignal): Promise<Release | undefined> {
    if (!isSerialised(operation)) return undefined;
    const timeout = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const key = `${this.candidate.action.tenant} ${this.candidate.conflictKey}`;
    return this.#life.lanes.enter(key, timeout);
  }

  /** Fetches the facts that rules which match name, all at once; answers all that they demand. */
  async #fetchFacts({ now, local }: DecisionInput, signal: AbortSignal): Promise<Demand> {
    const { policy } = this.configuration;
    const demand = demandOf(policy, this.inputAt(now, local));
    if (demand.facts.length === 0) return demand;
    const fetched = await Promise.all(
      demand.facts.map(async ({ name }): Promise<readonly [string, Gathered<Fact>]> => {
        const spec = policy.facts.get(name);
        return [name, spec ? await this.#life.facts.fetch(spec, signal) : { kind: 'absent' }];
      }),
    );
    this.#facts = Object.fromEntries(fetched);
    // Asked again: a limit's counter may be named by a fact.
    return demandOf(policy, this.inputAt(now, local));
  }

  /** The calendars that matching rules name, at this instant; asked again after the clock was read. */
  #windowsAt(now: Instant): Readonly<Record<string, WindowState>> {
    const states: Record<string, WindowState> = {};
    for (const name of this.#demand?.windows ?? []) {
      const calendar = this.configuration.policy.calendars.get(name);
      if (calendar !== undefined) states[name] = this.#life.calendars.at(calendar, now);
    }
    return states;
  }

  #subject(): ConsentSubject | undefined {
    if (this.#resolution.kind !== 'known' || this.#preview.kind !== 'known') return undefined;
    const { id, nonce, digest, action } = this.candidate;
    return {
      tenant: action.tenant,
      action: id,
      nonce,
      actionDigest: digest,
      resolution: this.#resolution.value,
      preview: this.#preview.value === 'none' ? null : this.#preview.value,
    };
  }
}

const EFFECT_UNNAMED: Gathered<Resolution> = {
  kind: 'failed',
  code: 'effect_key_unknown',
  message: '`once` of the operation gives no value for these arguments',
};

/**
 * Whether actions of this operation go one at a time from preview to settlement: what they would do is
 * consented to, and the target does not check it itself.
 */
function isSerialised(operation: Operation): boolean {
  const previewed = operation.binding.preview !== undefined;
  return previewed && operation.precondition !== 'conditional' && !operation.safing;
}

function gathered<Value>(attempt: Attempt<Value>): Gathered<Value> {
  return attempt.ok
    ? { kind: 'known', value: attempt.value }
    : { kind: 'failed', code: attempt.code, message: attempt.message };
}
