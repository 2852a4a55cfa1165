/**
 * The life of an action, from top to bottom as DESIGN section 3 lists it: decide early, resolve,
 * preview, gather, decide, prepare, cross, send, settle. `propose` and `advance` both come here; there
 * is no other way forward.
 */
import { decide, foreclose } from '../kernel/decide.ts';
import type { Decision, DecisionInput } from '../kernel/decision.ts';
import { DIGEST_TAGS, digestBytes } from '../kernel/digest.ts';
import { parseExecutionId, uuidV7, type ExecutionId } from '../kernel/id.ts';
import { addMs, type Instant } from '../kernel/instant.ts';
import { toJsonValue } from '../kernel/json/to-json-value.ts';
import { writeCanonical } from '../kernel/json/write.ts';
import type { CompiledPolicy } from '../kernel/policy/compiled.ts';
import { changedEntry, crossedEntry, decidedEntry, proposedEntry } from './entries.ts';
import type { Execution } from './execution.ts';
import { Gathering } from './gather.ts';
import { handoverOf } from './handed-over.ts';
import type { Release } from './lanes.ts';
import type { Candidate, Configuration, Life } from './life.ts';
import { LiveCrossing } from './live.ts';
import {
  StoreError,
  type ActionRecord,
  type AdvanceResult,
  type Judgement,
  type Outcome,
  type Prepared,
} from './ports.ts';
import { transition, type ActionEvent } from './transition.ts';

/** What an advance came to. */
export type Advanced =
  /** Stored and waiting, or final without having crossed. */
  | { readonly kind: 'stopped'; readonly record: ActionRecord }
  /** Crossed: `settled` resolves with the record once the outcome is stored; it never rejects. */
  | {
      readonly kind: 'crossed';
      readonly record: ActionRecord;
      readonly settled: Promise<ActionRecord>;
    }
  /** Nothing was written by this advance. */
  | Exclude<AdvanceResult, { readonly kind: 'written' }>
  | { readonly kind: 'unsettled' };

/** How often an advance starts over because the world moved under it, before it gives up for now. */
const ROUNDS_MAX = 4;

/** Moves an action as far as it goes now. Rejects only with a `StoreError`: then nothing crossed. */
export async function advance(
  life: Life,
  configuration: () => Configuration,
  candidate: Candidate,
): Promise<Advanced> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const step = new Advance(life, configuration(), candidate);
    try {
      return await step.run();
    } catch (error) {
      if (!(error instanceof MovedOn)) throw error;
    } finally {
      await step.letGo();
    }
  }
  return { kind: 'unsettled' };
}

/** What a forecast is made from: the decision as it would be now, and everything it saw. */
export interface Forecast {
  readonly input: DecisionInput;
  readonly decision: Decision;
}

/** What would happen now, without storing anything; with `touch` the target is asked, else only local state. */
export async function forecast(
  life: Life,
  configuration: Configuration,
  candidate: Candidate,
  touch: boolean,
): Promise<Forecast> {
  const step = new Advance(life, configuration, candidate);
  try {
    return await step.forecast(touch);
  } finally {
    await step.letGo();
  }
}

/** Thrown inside a transaction to undo it: what was gathered no longer fits what is stored. */
class MovedOn extends Error {
  override readonly name = 'MovedOn';
}

/** One pass from stored bytes to a written verdict. */
class Advance {
  readonly #life: Life;
  readonly #gathering: Gathering;
  #foreclosed = false;
  #lane: Release | undefined;
  #prepared: Prepared | undefined;
  #crossing: LiveCrossing | undefined;

  constructor(life: Life, configuration: Configuration, candidate: Candidate) {
    this.#life = life;
    this.#gathering = new Gathering(life, configuration, candidate);
  }

  async run(): Promise<Advanced> {
    // 1. Decide on the action and the inventory alone: what is certain touches no system.
    const early = await this.#look();
    this.#foreclosed = foreclose(this.#policy, early) !== undefined;
    if (!this.#foreclosed) {
      // 2, 3, 4. Resolve, preview, gather.
      this.#lane = await this.#gathering.gather(early);
      // 5. Decide; where it would be admitted, everything but the first byte is done before the lock.
      const { verdict } = decide(this.#policy, await this.#look());
      if (verdict === 'admit') await this.#prepare();
    }
    // 6. Cross, hold or deny, decided again under lock. 7 and 8, send and settle, follow a crossing.
    return this.#cross();
  }

  async forecast(touch: boolean): Promise<Forecast> {
    const early = await this.#look();
    const foreclosed = foreclose(this.#policy, early);
    if (foreclosed !== undefined) return { input: early, decision: foreclosed };
    if (touch) this.#lane = await this.#gathering.gather(early);
    else this.#gathering.expect(early);
    const input = await this.#look();
    return { input, decision: decide(this.#policy, input) };
  }

  /** Gives back everything leased that a send did not take over. Safe after any end. */
  async letGo(): Promise<void> {
    this.#lane?.();
    if (this.#crossing !== undefined) this.#life.live.remove(this.#crossing);
    await this.#prepared?.discard();
  }

  get #policy(): CompiledPolicy {
    return this.#gathering.configuration.policy;
  }

  get #candidate(): Candidate {
    return this.#gathering.candidate;
  }

  /** Local facts as they are now, outside any transaction: what is decided on them is a forecast. */
  async #look(): Promise<DecisionInput> {
    const { now, local } = await this.#life.store.look(this.#gathering.query());
    return this.#gathering.inputAt(now, local);
  }

  // ------------------------------------------------------ 5: prepare

  /** Everything before the first byte. What fails here is a finding of the decision, never an outcome. */
  async #prepare(): Promise<void> {
    const { resolution, preview } = this.#gathering;
    const request = this.#gathering.request();
    if (resolution.kind !== 'known' || preview.kind !== 'known' || request === undefined) return;
    const signal = AbortSignal.any([
      AbortSignal.timeout(this.#life.limits.gatherMsMax),
      this.#life.stopping,
    ]);
    const executor = this.#gathering.executor();
    const prepared = await executor?.prepare(request, resolution.value, preview.value, signal);
    if (prepared?.ok === true) this.#prepared = prepared.value;
    else if (prepared !== undefined) this.#gathering.fail(prepared);
  }

  // ------------------------------------------------------ 6: cross

  /**
   * The one transaction: a crossing, a hold or a denial. A crash before its commit leaves nothing; a
   * crash after it leaves an execution without an outcome, which recovery calls unknown.
   */
  async #cross(): Promise<Advanced> {
    const execution = this.#newExecutionId();
    this.#announceCrossing();
    // Announced before it exists: a look for lost executions must not find one of this engine's own
    // between its commit and the line after.
    this.#life.executing.set(execution, this.#candidate.id);
    let sends = false;
    try {
      const { result, crossedMs } = await this.#decideUnderLock(execution);
      if (result.kind !== 'written') return result;
      this.#life.changed(result.record);
      if (result.execution === undefined) return { kind: 'stopped', record: result.record };
      sends = true;
      const settled = this.#sendAndSettle(result.record, result.execution, crossedMs);
      return { kind: 'crossed', record: result.record, settled };
    } finally {
      if (!sends) this.#life.executing.delete(execution);
    }
  }

  async #decideUnderLock(
    execution: ExecutionId,
  ): Promise<{ readonly result: AdvanceResult; readonly crossedMs: number }> {
    let crossedMs = 0;
    const result = await this.#life.store.advance({
      query: this.#gathering.query(),
      ...(this.#candidate.proposal === undefined ? {} : { propose: this.#candidate.proposal }),
      revision: this.#candidate.record?.revision ?? 0,
      judge: (now, local) => {
        crossedMs = this.#life.clock.monotonicMs();
        return this.#judge(this.#gathering.inputAt(now, local), execution);
      },
    });
    return { result, crossedMs };
  }

  /** Pure: what is to be written, decided again on what was read under lock. */
  #judge(input: DecisionInput, execution: ExecutionId): Judgement {
    const { policy, epoch } = this.#gathering.configuration;
    if (input.local.epoch !== epoch.number) throw new MovedOn('a new epoch');
    const foreclosed = this.#foreclosed ? foreclose(policy, input) : undefined;
    const decision = foreclosed ?? decide(policy, input);
    const admitted = decision.verdict === 'admit';
    if (admitted && this.#prepared === undefined) throw new MovedOn('it became admissible');
    const staleness = admitted ? this.#gathering.staleness(input) : undefined;
    if (staleness !== undefined) throw new MovedOn(staleness);
    const next = transition(this.#candidate.record?.state ?? 'new', {
      kind: 'decided',
      verdict: decision.verdict,
      deadlinePassed: input.now >= input.action.deadline,
    });
    if (!next.ok) throw new MovedOn(next.code);
    const wakeAt = this.#wakeAt(input.now, decision);
    return {
      decision,
      state: next.state,
      askedSince: input.askedSince,
      subject: input.consent ?? this.#candidate.record?.subject,
      ...(wakeAt === undefined ? {} : { wakeAt }),
      ...(admitted ? { crossing: this.#crossingOf(input, execution) } : {}),
      entries: this.#entries(input, decision, { execution, foreclosed: foreclosed !== undefined }),
    };
  }

  #crossingOf(input: DecisionInput, execution: ExecutionId): NonNullable<Judgement['crossing']> {
    const { resolution } = input;
    if (resolution.kind !== 'known') throw new Error('a crossing needs a resolution');
    const { engine, limits } = this.#life;
    const handover = handoverOf(engine, input.target);
    return {
      execution,
      engine: handover?.engine ?? engine,
      leaseUntil: addMs(input.now, handover?.leaseMs ?? limits.leaseMs),
      effect: resolution.value.effect,
    };
  }

  /** What is undetermined is tried again soon; everything else wakes by time or by what it waits for. */
  #wakeAt(now: Instant, decision: Decision): Instant | undefined {
    if (decision.verdict !== 'hold') return undefined;
    const undetermined = decision.findings.some((each) => each.status === 'undetermined');
    if (!undetermined) return decision.wakeAt;
    const retryAt = addMs(now, this.#life.limits.retryMs);
    return decision.wakeAt === undefined || retryAt < decision.wakeAt ? retryAt : decision.wakeAt;
  }

  #entries(
    input: DecisionInput,
    decision: Decision,
    { execution, foreclosed }: { readonly execution: ExecutionId; readonly foreclosed: boolean },
  ): Judgement['entries'] {
    const { salt, isolation } = this.#life;
    const { proposal, record } = this.#candidate;
    const parts = {
      input,
      decision,
      policy: this.#policy.digest,
      ...(foreclosed ? ({ maker: 'foreclosed' } as const) : {}),
      ...(isolation === undefined ? {} : { isolation }),
      salt,
    };
    const entries = proposal === undefined ? [] : [proposedEntry(proposal, input.now, salt)];
    if (decision.verdict === 'admit') return [...entries, crossedEntry(parts, execution)];
    // A hold that is looked at again and still says the same is no news.
    const news = record?.decision === undefined || gist(record.decision) !== gist(decision);
    return news ? [...entries, decidedEntry(parts)] : entries;
  }

  #announceCrossing(): void {
    const { resolution, target, operation } = this.#gathering;
    if (this.#prepared === undefined || target === undefined || operation === undefined) return;
    if (resolution.kind !== 'known') return;
    const { action, id } = this.#candidate;
    this.#crossing = new LiveCrossing({
      action: id,
      safing: operation.safing,
      scoped: {
        target: action.target,
        operation: action.operation,
        kind: operation.kind,
        agent: action.principal.agent,
        environments: [target.environment, resolution.value.environment],
      },
    });
    this.#life.live.add(this.#crossing);
  }

  // ------------------------------------------------------ 7: send

  /** Takes over what this advance leased, sends at most once, and stores what came of it. */
  async #sendAndSettle(
    record: ActionRecord,
    execution: Execution,
    crossedMs: number,
  ): Promise<ActionRecord> {
    const prepared = this.#prepared;
    const crossing = this.#crossing;
    const leave = this.#lane;
    this.#prepared = undefined;
    this.#crossing = undefined;
    this.#lane = undefined;
    try {
      const outcome =
        prepared === undefined || crossing === undefined
          ? undefined
          : await this.#send({ record, execution, prepared, crossing, crossedMs });
      if (crossing !== undefined) this.#life.live.remove(crossing);
      // An executor elsewhere has it now: it settles, or its time runs out. Until then it executes.
      if (outcome?.sent === true && this.#isHandedOver) return record;
      return await this.#settleAtLast(record, execution, outcome && storable(outcome));
    } catch (error) {
      // The store is closing: the row still says executing, and recovery calls it unknown.
      this.#life.trouble('settle_failed', error instanceof Error ? error.message : 'not stored');
      return record;
    } finally {
      this.#life.executing.delete(execution.id);
      leave?.();
      await prepared?.discard();
    }
  }

  get #isHandedOver(): boolean {
    return handoverOf(this.#life.engine, this.#gathering.target) !== undefined;
  }

  /** `undefined`: barred, nothing was sent. */
  async #send(parts: {
    readonly record: ActionRecord;
    readonly execution: Execution;
    readonly prepared: Prepared;
    readonly crossing: LiveCrossing;
    readonly crossedMs: number;
  }): Promise<Outcome | undefined> {
    const { record, execution, prepared, crossing } = parts;
    if (digestBytes(DIGEST_TAGS.action, record.bytes) !== this.#candidate.digest) return undefined;
    const sending = (): boolean => {
      const wallMs = this.#life.clock.now() - execution.crossedAt;
      const monotonicMs = this.#life.clock.monotonicMs() - parts.crossedMs;
      const late = Math.max(wallMs, monotonicMs) > this.#life.limits.sendDelayMsMax;
      return !late && crossing.mayBegin();
    };
    try {
      const outcome = await prepared.send(execution, { signal: this.#life.stopping, sending });
      return crossing.sending ? outcome : undefined;
    } catch (error) {
      // A defect of the executor: what it did is not known, unless it never asked to begin.
      this.#life.trouble('executor_threw', error instanceof Error ? error.message : 'no error');
      return crossing.sending ? UNKNOWN : undefined;
    }
  }

  // ------------------------------------------------------ 8: settle

  /** An outcome is known once: while the disk is full or the store busy it is kept and tried again. */
  async #settleAtLast(
    record: ActionRecord,
    execution: Execution,
    outcome: Outcome | undefined,
  ): Promise<ActionRecord> {
    const { clock, limits, stopping, trouble } = this.#life;
    for (;;) {
      try {
        return await this.#settle(record, execution, outcome);
      } catch (error) {
        const passing =
          error instanceof StoreError && error.code !== 'store_closed' && !stopping.aborted;
        if (!passing) throw error;
        trouble(error.code, `the outcome of \`${record.id}\` waits for the store`);
        await clock.sleep(limits.settleRetryMs, stopping);
      }
    }
  }

  async #settle(
    record: ActionRecord,
    execution: Execution,
    outcome: Outcome | undefined,
  ): Promise<ActionRecord> {
    const barred = outcome === undefined;
    const result = await this.#life.store.change({
      tenant: record.tenant,
      action: record.id,
      execution: execution.id,
      judge: (at, current) => {
        // Another replica may have called it lost meanwhile: then the outcome is evidence.
        const late = current.state === 'unknown' && outcome !== undefined;
        const next = transition(current.state, settlement(outcome, late));
        if (!next.ok) return { kind: 'refuse', code: next.code, message: 'it is settled already' };
        return {
          kind: 'write',
          state: next.state,
          // A machine too slow to send in time would otherwise try without pause.
          ...(barred ? { wakeAt: addMs(at, this.#life.limits.retryMs) } : {}),
          limits: barred ? 'void' : LIMITS_AFTER[outcome.state],
          restoreApprovals: barred,
          outcome: outcome ?? 'barred',
          entries: [
            changedEntry(barred ? 'barred' : late ? 'resolved' : 'settled', {
              record: current,
              at,
              body: {},
              ...(barred ? {} : { outcome }),
              salt: this.#life.salt,
            }),
          ],
        };
      },
    });
    if (result.kind !== 'written') {
      this.#life.trouble(result.code, `the outcome of \`${record.id}\` came too late`);
      return record;
    }
    this.#life.changed(result.record);
    return result.record;
  }

  #newExecutionId(): ExecutionId {
    const { clock, randomness } = this.#life;
    const id = parseExecutionId(uuidV7(clock.now(), randomness.bytes(10)));
    if (id === undefined) throw new Error('a fresh UUIDv7 has its form');
    return id;
  }
}

const UNKNOWN: Outcome = {
  state: 'unknown',
  sent: true,
  code: 'executor_failed',
  message: 'the executor failed while sending; what the target did is not known',
  result: null,
};

/** The outcome, without an answer that has no canonical form: how it ended counts more than what was said. */
function storable(outcome: Outcome): Outcome {
  try {
    toJsonValue(outcome);
    return outcome;
  } catch {
    return { ...outcome, message: 'ended, with an answer that cannot be kept', result: null };
  }
}

/** What a settlement does to what the crossing reserved. */
export const LIMITS_AFTER = {
  succeeded: 'post',
  failed: 'post',
  not_executed: 'void',
  unknown: 'unknown',
} as const;

function settlement(outcome: Outcome | undefined, late: boolean): ActionEvent {
  if (outcome === undefined) return { kind: 'barred' };
  return late && outcome.state !== 'unknown'
    ? { kind: 'resolved', outcome: outcome.state }
    : { kind: 'settled', outcome: outcome.state };
}

/** What a decision says, without its times and values. */
function gist(decision: Pick<Decision, 'verdict' | 'findings'>): string {
  return writeCanonical([
    decision.verdict,
    ...decision.findings.map((each) => [
      each.code,
      each.status,
      each.rule?.id ?? null,
      each.requirement ?? null,
    ]),
  ]);
}
