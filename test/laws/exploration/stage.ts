/**
 * A production `Engine` over a store that only listens: each command that the engine hands it is kept,
 * for its pure `judge` to be asked in every state of the search.
 */
import { setImmediate } from 'node:timers/promises';
import { answer, resolve, withdraw } from '../../../src/engine/answers.ts';
import { Engine } from '../../../src/engine/engine.ts';
import { mintExecution } from '../../../src/engine/execution.ts';
import { Gathering } from '../../../src/engine/gather.ts';
import type { Configuration } from '../../../src/engine/life.ts';
import type {
  ActionRecord,
  AdvanceCommand,
  AdvanceResult,
  AnswerCommand,
  AnswerJudgement,
  ChangeCommand,
  Clock,
  Executor,
  Outcome,
  SendOptions,
  Store,
} from '../../../src/engine/ports.ts';
import { rereadOf } from '../../../src/engine/proposal.ts';
import { callLost, reconcile } from '../../../src/engine/recovery.ts';
import type { ActionState } from '../../../src/engine/transition.ts';
import { consentDigest, type Resolution } from '../../../src/kernel/action.ts';
import { foreclose } from '../../../src/kernel/decide.ts';
import type { Approval, LocalFacts } from '../../../src/kernel/decision.ts';
import { parseExecutionId } from '../../../src/kernel/id.ts';
import type { CompiledPolicy } from '../../../src/kernel/policy/compiled.ts';
import { PHASES } from './clock.ts';
import type { AdvanceWrite, ChangeName, ChangeWrite, Knowledge } from './judged.ts';
import {
  AGENT,
  CALM,
  EFFECT,
  LIMIT_KEY,
  localFacts,
  PEOPLE,
  personNamed,
  TENANT,
  the,
  withGiven,
  type Circumstances,
  type Person,
} from './subject.ts';

const DAY_MS = 86_400_000;
const CONFIRM: Outcome = {
  state: 'succeeded',
  sent: true,
  code: 'status_200',
  message: 'it happened',
  result: null,
};
const ENDINGS = ['succeeded', 'failed', 'not_executed', 'unknown'] as const;
const WORDS = ['succeeded', 'failed', 'not_executed'] as const;

/** What the executor does when it is told to send. */
type Sending = (options: SendOptions) => Outcome;

/** One engine, and what it said to its store. */
export class Stage {
  readonly #policy: CompiledPolicy;
  readonly #configuration: Configuration;
  readonly #engine: Engine;
  readonly #approvals = new Map<string, Approval>();
  #now = PHASES[0];
  #monotonicMs = 0;
  #facts: LocalFacts;
  #record: ActionRecord | undefined;
  #crosses = false;
  #sending: Sending = () => CONFIRM;
  #advanced: AdvanceCommand | undefined;
  #changed: ChangeCommand | undefined;
  #answered: AnswerCommand | undefined;

  constructor(policy: CompiledPolicy) {
    this.#policy = policy;
    this.#configuration = {
      tenant: TENANT,
      epoch: { number: 1, digest: EFFECT, at: PHASES[0] },
      policy,
    };
    this.#facts = this.#factsIn(CALM);
    this.#engine = this.#newEngine();
    this.#engine.configure(this.#configuration);
  }

  // ------------------------------------------------------ running the engine up to a command

  /** What the engine asks its store to do with a proposal. */
  async captureProposal(knowledge: Knowledge): Promise<AdvanceCommand> {
    this.#facts = this.#factsFor(knowledge);
    this.#advanced = undefined;
    const proposal = {
      idempotencyKey: 'once',
      requestDigest: EFFECT,
      target: 'bank',
      operation: 'pay',
      args: {},
      deadline: PHASES[2],
    };
    await this.#engine.propose({ tenant: TENANT, agent: AGENT, delegator: undefined }, proposal);
    return this.#checked(knowledge);
  }

  /** The same for the held action. */
  async captureAdvance(knowledge: Knowledge): Promise<AdvanceCommand> {
    this.#facts = this.#factsFor(knowledge);
    this.#advanced = undefined;
    await this.#engine.advance(TENANT, the(this.#record).id);
    return this.#checked(knowledge);
  }

  /** INVARIANT: what was captured is what its name says, and reads the counter that the facts name. */
  #checked(knowledge: Knowledge): AdvanceCommand {
    const command = the(this.#advanced, `no command of a ${knowledge} engine`);
    const keys = command.query.limits.map(({ key }) => key);
    const expected = knowledge === 'foreclosed' ? [] : [LIMIT_KEY];
    if (keys.join() !== expected.join()) throw new Error(`it reads the counters ${keys.join()}`);
    return command;
  }

  /** Stores what a proposal came to, with nothing in its way but the approvals it waits for. */
  hold(command: AdvanceCommand): void {
    const judgement = command.judge(PHASES[0], this.#factsIn({ ...CALM, occupant: 'held' }));
    const { id, action, bytes, digest, nonce, requestDigest, effectKey, conflictKey, note } = the(
      command.propose,
    );
    const { decision, subject, askedSince } = judgement;
    this.#record = {
      tenant: TENANT,
      id,
      bytes,
      digest,
      nonce,
      requestDigest,
      agent: AGENT,
      delegator: undefined,
      target: action.target,
      operation: action.operation,
      effectKey,
      conflictKey,
      deadline: action.deadline,
      proposedAt: PHASES[0],
      askedSince,
      state: 'held',
      revision: 1,
      note,
      decision: { ...decision, at: PHASES[0], epoch: 1 },
      subject,
      execution: undefined,
      ended: undefined,
      updatedAt: PHASES[0],
    };
  }

  /** What the engine asks its store to do with a person's answer. */
  async captureAnswer(person: Person, decision: 'approve' | 'reject'): Promise<AnswerCommand> {
    const record = the(this.#record);
    await answer(this.#engine, {
      tenant: TENANT,
      action: record.id,
      person: personNamed(person),
      consent: consentDigest(the(record.subject)),
      challenge: 'once',
      decision,
      reason: 'said so',
    });
    return the(this.#answered, 'no answer came to the store');
  }

  /** Takes the approvals that answers in each phase store; who requests gets one too, as a flaw would make it. */
  collectApprovals(answers: ReadonlyMap<Person, AnswerCommand>): void {
    for (const [person, command] of answers) {
      for (const phase of [0, 1] as const) {
        const record = the(this.#record);
        const facts = this.#factsIn({ ...CALM, ignorance: 'owners' });
        const judgement = command.judge(PHASES[phase], record, facts);
        if (judgement.kind !== 'write') continue;
        for (const approval of judgement.approvals) {
          this.#approvals.set(`${person} ${String(phase)}`, approval);
        }
      }
    }
  }

  /** Every change of a row that the engine makes without a decision. */
  async captureChanges(): Promise<ReadonlyMap<ChangeName, ChangeCommand>> {
    const changes = new Map<ChangeName, ChangeCommand>();
    for (const state of ENDINGS) {
      changes.set(`settle ${state}`, await this.#captureSettlement({ ...CONFIRM, state }));
    }
    changes.set('settle barred', await this.#captureSettlement(undefined));
    const { life } = this.#engine;
    const record = this.#recordIn('executing');
    await callLost(life);
    changes.set('lose', this.#takeChange());
    for (const state of ['succeeded', 'not_executed'] as const) {
      this.#evidence = { ...CONFIRM, state };
      await reconcile(life, this.#configuration, this.#recordIn('unknown'));
      changes.set(`evidence ${state}`, this.#takeChange());
    }
    const at = { tenant: TENANT, action: record.id, person: personNamed('tom') };
    for (const outcome of WORDS) {
      await resolve(this.#engine, { ...at, outcome, reason: 'looked' });
      changes.set(`word ${outcome}`, this.#takeChange());
    }
    await withdraw(this.#engine, { tenant: TENANT, agent: AGENT, action: record.id });
    changes.set('withdraw', this.#takeChange());
    return changes;
  }

  /** Whether a crossing's send begins, barred by a halt or not, late or not. */
  async tableOfSends(): Promise<ReadonlyMap<string, boolean>> {
    const table = new Map<string, boolean>();
    for (const barred of [false, true]) {
      for (const late of [false, true]) {
        await this.#cross(({ sending }) => {
          if (barred) void this.#engine.life.live.halt({});
          if (late) this.#monotonicMs += this.#engine.life.limits.sendDelayMsMax + 1;
          table.set(`${String(barred)} ${String(late)}`, sending());
          return { ...CONFIRM, state: 'not_executed', sent: false };
        });
        this.#takeChange();
      }
    }
    return table;
  }

  #evidence: Outcome | undefined;

  /** `undefined`: a halt bars the crossing before its first byte. */
  async #captureSettlement(outcome: Outcome | undefined): Promise<ChangeCommand> {
    await this.#cross(({ sending }) => {
      if (outcome === undefined) void this.#engine.life.live.halt({});
      sending();
      return outcome ?? { ...CONFIRM, state: 'not_executed', sent: false };
    });
    return this.#takeChange();
  }

  async #cross(sending: Sending): Promise<void> {
    this.#crosses = true;
    this.#sending = sending;
    this.#facts = this.#factsFor('prepared');
    await this.#engine.advance(TENANT, the(this.#record).id);
    // Sending and settling go on beside it, and wait for nothing but promises that are kept already.
    await setImmediate();
    this.#crosses = false;
  }

  #takeChange(): ChangeCommand {
    const command = the(this.#changed, 'no change came to the store');
    this.#changed = undefined;
    return command;
  }

  // ------------------------------------------------------ asking what was captured

  /** What the transaction of an advance writes. */
  judge(command: AdvanceCommand, where: Circumstances): AdvanceWrite {
    let judgement;
    try {
      judgement = command.judge(PHASES[where.now], this.#factsIn(where));
    } catch (error) {
      if (error instanceof Error && error.name === 'MovedOn') return undefined;
      throw error;
    }
    const { decision, state, crossing } = judgement;
    return {
      state,
      crosses: crossing !== undefined,
      consumes: this.#peopleOf(decision.consumes),
      reserves: decision.reserves.reduce((sum, { amount }) => sum + Number(amount), 0),
      asks: decision.asks.length > 0,
    };
  }

  #peopleOf(consumed: readonly string[]): number {
    let mask = 0;
    for (const id of consumed) {
      const [key] = the([...this.#approvals].find(([, approval]) => approval.id === id));
      mask |= 1 << PEOPLE.findIndex((person) => key.startsWith(person));
    }
    return mask;
  }

  /** Whether the engine's first look makes anything further pointless. */
  forecloses(where: Circumstances): boolean {
    const candidate = the(rereadOf(the(this.#record)));
    const gathering = new Gathering(this.#engine.life, this.#configuration, candidate);
    const input = gathering.inputAt(PHASES[where.now], this.#factsIn(where));
    return foreclose(this.#policy, input) !== undefined;
  }

  /** What a change writes to a row in this state. */
  judgeChange(command: ChangeCommand, state: ActionState): ChangeWrite {
    const judgement = command.judge(PHASES[0], this.#recordIn(state));
    if (judgement.kind === 'refuse') return undefined;
    const { limits, restoreApprovals } = judgement;
    return { state: judgement.state, limits, restores: restoreApprovals };
  }

  /** What a person's answer to the hold writes. */
  judgeAnswer(command: AnswerCommand, where: Circumstances): AnswerJudgement {
    return command.judge(PHASES[where.now], the(this.#record), this.#factsIn(where));
  }

  #factsIn(where: Circumstances): LocalFacts {
    return localFacts({ policy: this.#policy, approvals: this.#approvals }, where);
  }

  /** Facts under which an engine comes to know this. */
  #factsFor(knowledge: Knowledge): LocalFacts {
    if (knowledge === 'foreclosed') return this.#factsIn({ ...CALM, halted: true });
    if (knowledge === 'unprepared') return this.#factsIn({ ...CALM, occupant: 'executing' });
    const asked = this.#approvals.size > 0;
    const given = asked
      ? withGiven(withGiven(0, PEOPLE.indexOf('mei'), 0), PEOPLE.indexOf('tom'), 0)
      : 0;
    return this.#factsIn({ ...CALM, given });
  }

  #recordIn(state: ActionState): ActionRecord {
    const execution = {
      id: the(parseExecutionId('01a0f3a0-0000-7000-8000-000000000009')),
      crossedAt: PHASES[0],
      engine: 'another',
      leaseUntil: PHASES[0],
      effect: EFFECT,
      outcome: undefined,
      settledAt: undefined,
      resolvedBy: undefined,
    };
    return { ...the(this.#record), state, execution };
  }

  // ------------------------------------------------------ the ports

  #newEngine(): Engine {
    let drawn = 0;
    return new Engine({
      store: this.#store(),
      executors: { http: this.#executor() },
      facts: { fetch: () => Promise.resolve({ kind: 'absent' }) },
      calendars: { at: () => ({ open: true }) },
      clock: this.#clock(),
      randomness: { bytes: (count) => new Uint8Array(count).fill(++drawn % 256) },
      name: 'one',
      // Law 6 would stop what was gathered in an earlier phase, and hide from the search whether law 8 does.
      limits: { gatherMsMax: DAY_MS },
      trouble: () => undefined,
    });
  }

  #clock(): Clock {
    return {
      now: () => this.#now,
      monotonicMs: () => this.#monotonicMs,
      sleep: () => Promise.resolve(),
    };
  }

  #store(): Store {
    return portOf({
      proposed: () => Promise.resolve(undefined),
      action: () => Promise.resolve(this.#record),
      look: () => Promise.resolve({ now: this.#now, local: this.#facts }),
      advance: (command) => Promise.resolve(this.#listen(command)),
      answer: (command) => {
        this.#answered = command;
        return Promise.resolve(NOT_WRITTEN);
      },
      change: (command) => {
        this.#changed = command;
        return Promise.resolve(NOT_WRITTEN);
      },
      lost: () => Promise.resolve([this.#recordIn('executing')]),
    });
  }

  /** Commits a crossing where the capture goes on to its send. */
  #listen(command: AdvanceCommand): AdvanceResult {
    this.#advanced = command;
    if (!this.#crosses) return { kind: 'too_many_open', limit: 0 };
    const { decision, crossing } = command.judge(this.#now, this.#facts);
    const { execution: id, effect } = the(crossing, 'the prepared engine crosses');
    const record = this.#recordIn('executing');
    const execution = mintExecution(decision, {
      tenant: TENANT,
      action: record.id,
      id,
      crossedAt: this.#now,
      effect,
    });
    return { kind: 'written', record, execution };
  }

  #executor(): Executor {
    const resolution: Resolution = {
      identity: null,
      environment: 'production',
      operation: EFFECT,
      effect: EFFECT,
      credential: null,
      executor: 'http/1',
      files: {},
      recorded: {},
      observedAt: PHASES[0],
    };
    return {
      contract: 'http/1',
      resolve: () => Promise.resolve({ ok: true, value: resolution }),
      preview: () => Promise.resolve({ ok: true, value: 'none' }),
      prepare: () =>
        Promise.resolve({
          ok: true,
          value: {
            send: (_execution, options) => Promise.resolve(this.#sending(options)),
            discard: () => Promise.resolve(),
          },
        }),
      reconcile: () => Promise.resolve({ ok: true, value: this.#evidence }),
    };
  }
}

const NOT_WRITTEN = { kind: 'refused', code: 'listening', message: 'nothing is written' } as const;

/** A store that answers only what the captures ask of it. */
function portOf(answers: Partial<Store>): Store {
  return new Proxy(answers, {
    get: (own, name): unknown => {
      const found: unknown = Reflect.get(own, name);
      if (found === undefined) throw new Error(`no capture asks a store for ${String(name)}`);
      return found;
    },
  }) as Store;
}
