/**
 * Agents, people and operators: each does what its step says through an engine that is there, waits for
 * the answer only so long, and knows nothing but what it was told.
 */
import { answer, ask, resolve, withdraw } from '../../src/engine/answers.ts';
import { direct } from '../../src/engine/directory.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { StoreError, type ActionRecord } from '../../src/engine/ports.ts';
import type { Proposal } from '../../src/engine/proposal.ts';
import { executedOf } from '../../src/gateways/http/view-action.ts';
import { digestOf } from '../../src/kernel/digest.ts';
import { parseAgentName, type ActionId, type AgentName } from '../../src/kernel/id.ts';
import { addMs, instantOf } from '../../src/kernel/instant.ts';
import { writeCanonical } from '../../src/kernel/json/write.ts';
import type { JsonObject } from '../../src/kernel/json/value.ts';
import { BASE_MS, TENANT, personNamed, the } from './boundary.ts';
import type { Step } from './plan.ts';
import { ownerNamed, type Owner } from './virtual-time.ts';
import type { Place, World } from './world.ts';

/** How long anybody waits for an answer before asking again, and how often. */
const PATIENCE_MS = 1500;
const TRIES_MAX = 5;

type StepOf<Kind extends Step['kind']> = Extract<Step, { readonly kind: Kind }>;
type ArgumentsOf = (step: StepOf<'propose'>) => JsonObject;

const ARGUMENTS: Readonly<Record<string, ArgumentsOf>> = {
  pay: ({ name, amount }) => ({ to: name, amount: `${String(amount)}.00` }),
  refund: ({ name, amount }) => ({ charge: name, amount: `${String(amount)}.00` }),
  stop: ({ name }) => ({ why: name }),
  deploy: ({ name }) => ({ release: name }),
  look: ({ name }) => ({ page: name }),
};

const TARGETS: Readonly<Record<string, string>> = {
  pay: 'bank',
  refund: 'bank',
  stop: 'bank',
  deploy: 'shop',
  look: 'shop',
};

/** Everybody who acts. */
export class Actors {
  readonly #world: World;
  /** What proposers were told: the action of each proposal, by its number. */
  readonly #actions = new Map<number, ActionId>();
  readonly #halts: { readonly resume: () => void }[] = [];
  #calm = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** Makes a step happen when its time comes. */
  schedule(step: Step): void {
    const owner = ownerNamed(`${step.kind} ${String(step.atMs)}`);
    this.#world.time.after(owner, step.atMs, () => void this.#do(step, owner));
  }

  /** Ends every disturbance: all engines run, no halt stands, the clock is right, systems are well. */
  calm(): void {
    this.#calm = true;
    const world = this.#world;
    world.see({ kind: 'note', text: 'from here on nothing goes wrong any more' });
    world.outside.calm();
    const aheadMs = world.clockAheadMs;
    if (aheadMs < 0 || aheadMs >= 86_400_000) world.setClock(0);
    for (const halt of this.#halts) halt.resume();
  }

  async #do(step: Step, owner: Owner): Promise<void> {
    const { outside, places } = this.#world;
    switch (step.kind) {
      case 'propose':
        return this.#propose(step, owner);
      case 'answer':
        return this.#answer(step, owner);
      case 'withdraw':
        return this.#withdraw(step, owner);
      case 'resolve':
        return this.#resolve(step, owner);
      case 'halt':
        return this.#halt(step, owner);
      case 'revoke':
      case 'demote':
        return this.#direct(step, owner);
      case 'reload':
        return this.#reload(step);
      case 'clock':
        return this.#clock(step, owner);
      case 'ready':
        outside.ready = step.value;
        return this.#note(`the fact \`ready\` becomes ${String(step.value)}`);
      case 'move':
        outside.identity = `${outside.identity}'`;
        return this.#note('another system answers as the shop');
      case 'crash':
        return this.#world.crash(the(places[step.engine]), step.downMs);
      case 'stop':
        return this.#stop(the(places[step.engine]), step.downMs);
      case 'freeze':
        return this.#freeze(the(places[step.engine]), step.forMs);
      default:
        return step satisfies never;
    }
  }

  #note(text: string): void {
    this.#world.see({ kind: 'note', text });
  }

  // ------------------------------------------------------ asking an engine

  /** Asks the engine at a place; `undefined` where no answer came in time. */
  async #ask<Value>(
    owner: Owner,
    index: number,
    work: (engine: Engine) => Promise<Value>,
  ): Promise<Value | undefined> {
    const { time, outside, places } = this.#world;
    const place = the(places[index % places.length]);
    return new Promise((resolveAsk) => {
      time.after(owner, PATIENCE_MS, () => resolveAsk(undefined));
      const { owner: process, engine } = place;
      if (engine === undefined) return;
      time.after(process, outside.latencyMs(), () => {
        work(engine).then(
          (value) => time.after(owner, outside.latencyMs(), () => resolveAsk(value)),
          (error: unknown) => {
            const code = error instanceof StoreError ? error.code : String(error);
            const broken = !(error instanceof StoreError);
            this.#world.see({ kind: 'trouble', engine: place.name, code, broken });
          },
        );
      });
    });
  }

  /** Asks again, at the next engine each time, until there is an answer. */
  async #insist<Value>(
    owner: Owner,
    index: number,
    work: (engine: Engine) => Promise<Value>,
  ): Promise<Value | undefined> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const value = await this.#ask(owner, index + tries, work);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  // ------------------------------------------------------ agents

  async #propose(step: StepOf<'propose'>, owner: Owner): Promise<void> {
    const world = this.#world;
    const args = Object.freeze(the(ARGUMENTS[step.operation])(step));
    const target = the(TARGETS[step.operation]);
    const deadline = instantOf(BASE_MS + step.atMs + step.deadlineMs);
    const notBefore = addMs(instantOf(BASE_MS + step.atMs), step.notBeforeMs);
    const agent: AgentName = the(parseAgentName(step.agent));
    const delegator = step.delegated && agent === 'bot-b' ? personNamed('dana') : undefined;
    const body = [
      agent,
      delegator ?? null,
      target,
      step.operation,
      args,
      deadline,
      step.notBeforeMs,
    ];
    const proposal: Proposal = {
      idempotencyKey: step.key,
      requestDigest: digestOf('exequatur/effect/v1', body),
      target,
      operation: step.operation,
      args,
      deadline,
      ...(step.notBeforeMs === 0 ? {} : { notBefore }),
    };
    const request = proposal.requestDigest;
    const content = writeCanonical(args);
    world.see({
      kind: 'proposed',
      agent,
      request,
      what: step.operation,
      content,
      amount: step.amount,
      deadline,
      notBefore: step.notBeforeMs === 0 ? 0 : notBefore,
    });
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const told = await this.#ask(owner, step.engine + tries, (engine) =>
        engine.propose({ tenant: TENANT, agent, delegator }, proposal),
      );
      if (told?.kind === 'record') {
        this.#actions.set(step.number, told.record.id);
        this.#told(told.record);
        return;
      }
      if (told === undefined) {
        world.see({ kind: 'unanswered', request });
        continue;
      }
      world.see({ kind: 'refused', request, code: told.code });
      if (told.code === 'idempotency_key_reused') return;
      await world.time.sleep(owner, 300);
    }
  }

  #told(record: ActionRecord): void {
    const { id: action, state } = record;
    this.#world.see({ kind: 'told', action, state, executed: executedOf(record) });
  }

  async #withdraw(step: StepOf<'withdraw'>, owner: Owner): Promise<void> {
    const action = this.#actions.get(step.of);
    if (action === undefined) return;
    await this.#insist(owner, step.engine, async (engine) => {
      const record = await engine.store.action(TENANT, action);
      return record && withdraw(engine, { tenant: TENANT, agent: record.agent, action });
    });
  }

  // ------------------------------------------------------ people

  /** Opens the hold once it is there, thinks, and answers, perhaps twice at once. */
  async #answer(step: StepOf<'answer'>, owner: Owner): Promise<void> {
    const { time } = this.#world;
    const person = personNamed(step.person);
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const action = this.#actions.get(step.of);
      const asked =
        action &&
        (await this.#ask(owner, step.engine, (engine) =>
          ask(engine, { tenant: TENANT, person, action }),
        ));
      if (action === undefined || asked === undefined || asked.kind === 'refused') {
        await time.sleep(owner, 200);
        continue;
      }
      await time.sleep(owner, step.thinkMs);
      const { consent, challenge } = asked;
      const given = { tenant: TENANT, person, action, consent, challenge };
      const copies = Array.from({ length: step.copies }, (_, index) =>
        this.#say(owner, step.engine + index, { ...given, decision: step.decision, reason: 'no' }),
      );
      await Promise.all(copies);
      return;
    }
  }

  async #say(owner: Owner, index: number, given: Parameters<typeof answer>[1]): Promise<void> {
    const { person, action, decision, challenge } = given;
    const world = this.#world;
    world.see({ kind: 'answering', person, action, decision, challenge });
    const said = await this.#ask(owner, index, (engine) => answer(engine, given));
    if (said?.kind !== 'written') return;
    world.see({ kind: 'accepted', person, action, challenge });
    this.#told(said.record);
  }

  async #resolve(step: StepOf<'resolve'>, owner: Owner): Promise<void> {
    const action = this.#actions.get(step.of);
    if (action === undefined) return;
    const { person, outcome } = step;
    await this.#ask(owner, step.engine, async (engine) => {
      const record = await engine.store.action(TENANT, action);
      if (record?.state !== 'unknown') return;
      this.#world.see({ kind: 'word', person, action, outcome });
      await resolve(engine, {
        tenant: TENANT,
        person: personNamed(person),
        action,
        outcome,
        reason: 'seen at the system',
      });
    });
  }

  // ------------------------------------------------------ operators

  async #halt(step: StepOf<'halt'>, owner: Owner): Promise<void> {
    const world = this.#world;
    const by = 'operator';
    let over = false;
    const end = Promise.withResolvers<void>();
    this.#halts.push({ resume: () => end.resolve() });
    const place = the(world.places[step.engine]);
    const halted = await this.#ask(owner, step.engine, async (engine) => {
      const done = await engine.halt({ tenant: TENANT, scope: step.scope, reason: 'stop', by });
      // Seen where it is acknowledged: what happens on the way to the operator counts as afterwards.
      const { halt, sent } = done;
      world.see({ kind: 'halted', halt: halt.id, engine: place.name, sent });
      return done;
    });
    if (!this.#calm) await Promise.race([world.time.sleep(owner, step.forMs), end.promise]);
    while (!over) {
      const resumed = await this.#insist(owner, step.engine, async (engine) => {
        const standing = await engine.store.halts(TENANT);
        // Without an answer nobody knows which halt it is: all are ended.
        const ids = halted === undefined ? standing.map(({ id }) => id) : [halted.halt.id];
        for (const id of ids) await engine.resume(TENANT, id, by);
        return ids.length;
      });
      over = resumed !== undefined;
    }
  }

  async #direct(step: StepOf<'revoke' | 'demote'>, owner: Owner): Promise<void> {
    await this.#insist(owner, step.engine, (engine) =>
      direct(engine.life, {
        tenant: TENANT,
        by: 'operator',
        change:
          step.kind === 'revoke'
            ? { kind: 'revoke', account: step.account, name: step.name }
            : { kind: 'roles', account: 'person', name: step.name, roles: [] },
      }),
    );
  }

  /** Every engine reads the new policy, each in its own time. */
  #reload({ variant }: StepOf<'reload'>): void {
    const world = this.#world;
    world.variant = variant;
    this.#note(`the policy becomes the ${variant} one`);
    for (const { owner, engine } of world.places) {
      if (engine === undefined) continue;
      world.time.after(owner, 1 + world.outside.latencyMs(), () => {
        void world.activate(engine);
      });
    }
  }

  async #clock(step: StepOf<'clock'>, owner: Owner): Promise<void> {
    const world = this.#world;
    const before = world.clockAheadMs;
    world.setClock(before + step.byMs);
    await world.time.sleep(owner, step.forMs);
    // A small step forward is the truth from then on; anything else is set right.
    const isNews = step.byMs > 0 && step.byMs < 86_400_000;
    if (!this.#calm && !isNews && world.clockAheadMs === before + step.byMs) world.setClock(before);
  }

  #freeze({ owner, name }: Place, forMs: number): void {
    const { time } = this.#world;
    owner.frozenUntilMs = time.nowMs + forMs;
    this.#world.see({ kind: 'engine', engine: name, what: `stands still for ${String(forMs)} ms` });
  }

  /** An orderly stop; the process ends when the engine says so. */
  async #stop(place: Place, downMs: number): Promise<void> {
    const { engine, owner } = place;
    if (engine === undefined) return;
    const { time } = this.#world;
    time.after(owner, 0, () => {
      void engine.stop(300).then(() => {
        if (!owner.dead) this.#world.crash(place, downMs, 'stopped');
      });
    });
  }
}
