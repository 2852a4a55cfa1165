/**
 * Clock steps, from a millisecond to ten years either way, also in the midst of a crossing. A small
 * reference says for each step whether the store may believe the clock, and what time it then is: what
 * crosses, what waits and what has expired is held against that.
 */
import { randomUUID } from 'node:crypto';
import { answer, ask } from '../../../src/engine/answers.ts';
import { StoreError, type ActionRecord } from '../../../src/engine/ports.ts';
import { parseActionId } from '../../../src/kernel/id.ts';
import { inspect } from '../inspect.ts';
import { between, oneOf } from '../machine.ts';
import type { FaultRow, Ran, RunAsked } from '../row.ts';
import { SetClock } from '../set-clock.ts';
import { LEADS, openShop, personOf, type Payment, type Shop } from '../shop.ts';
import { inStores, type Place } from '../stores.ts';

const START_MS = Date.UTC(2026, 2, 28, 12);
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const YEARS_MS = 3650 * DAY_MS;
/** As the store promises: a step back this long waits, one ahead this long is believed. */
const BACK_MS_MAX = 1000;
const FORWARD_MS_MAX = DAY_MS;
/** As the policy says. */
const YES_VALID_MS = HOUR_MS;
const DEADLINE_MS = 2 * HOUR_MS;
const STEPS_PER_STORE = 40;
const SETTLE_MS = 5000;

/** Around everything that has a limit, and far beyond. */
const STEPS_MS: readonly number[] = [
  1,
  BACK_MS_MAX - 1,
  BACK_MS_MAX,
  BACK_MS_MAX + 1,
  60_000,
  YES_VALID_MS - 1,
  YES_VALID_MS,
  YES_VALID_MS + 1,
  DEADLINE_MS - 1,
  DEADLINE_MS,
  FORWARD_MS_MAX,
  FORWARD_MS_MAX + 1,
  YEARS_MS,
];

/** Two yeses, so that time can pass between them. */
const RULES = `  - id: two
    match: { operation: pay-asked }
    require:
      - approval: { from: role:lead, count: 2, askFor: 8h, validFor: 1h }
`;

/** The row. */
export const clockSteps: FaultRow = {
  name: 'clock-steps',
  title: 'the wall clock set back and ahead, between and within crossings',
  quick: 24,
  long: 2000,
  run,
};

async function run({ count, progress, flaw }: RunAsked): Promise<Ran> {
  const violations: string[] = [];
  let runs = 0;
  const stores = { count, perStore: STEPS_PER_STORE };
  await inStores(stores, { flaw, rules: RULES }, async (place, share) => {
    const world = await World.open(place);
    for (let step = 0; step < share; step += 1) {
      violations.push(...(await world.stepOnce(step)));
      progress((runs += 1));
    }
    violations.push(...(await world.close()));
  });
  return { runs, violations };
}

/** What the store may believe, told in the plainest way. */
class Reference {
  /** The latest time it gave out. */
  mark: number;
  #believedWall: number;
  #believedMs: number;

  constructor(clock: SetClock) {
    this.mark = clock.wall;
    this.#believedWall = clock.wall;
    this.#believedMs = clock.monotonicMs();
  }

  /** The time by the store, or that it does not know. */
  read(clock: SetClock): number | 'jumped' {
    const wall = clock.wall;
    const expected = this.#believedWall + (clock.monotonicMs() - this.#believedMs);
    if (wall < this.mark - BACK_MS_MAX || wall - expected > FORWARD_MS_MAX) return 'jumped';
    this.#believedWall = wall;
    this.#believedMs = clock.monotonicMs();
    this.mark = Math.max(this.mark, wall);
    return this.mark;
  }
}

const SOME_ACTION = parseActionId('0193b2a0-0000-7000-8000-000000000009');
if (SOME_ACTION === undefined) throw new Error('this is an id');
/** To ask the store for its time alone. */
const NOTHING_MORE = {
  action: SOME_ACTION,
  effectKey: undefined,
  once: false,
  stored: false,
  serialised: false,
  conflictKey: '',
  limits: [],
  after: [],
} as const;

class World {
  readonly #place: Place;
  readonly #shop: Shop;
  readonly #clock: SetClock;
  #reference: Reference;

  private constructor(place: Place, shop: Shop, clock: SetClock) {
    this.#place = place;
    this.#shop = shop;
    this.#clock = clock;
    this.#reference = new Reference(clock);
  }

  static async open(place: Place): Promise<World> {
    const clock = new SetClock(START_MS);
    const shop = await openShop(place.parts, { clock });
    // Nothing happens by itself: a hold is looked at when this row says so.
    return new World(place, shop, clock);
  }

  /** One step, and what may be done then: a fresh payment, or the second yes to one from before. */
  async stepOnce(index: number): Promise<readonly string[]> {
    const ms = oneOf(STEPS_MS) * (between(0, 2) === 0 ? -1 : 1);
    if (index % 4 === 3) return this.#withinCrossing(ms);
    return index % 2 === 0 ? this.#fresh(ms) : this.#secondYes(ms);
  }

  async #fresh(ms: number): Promise<readonly string[]> {
    this.#move(ms);
    const now = this.#reference.read(this.#clock);
    const record = await this.#propose('pay');
    const found = expect(
      `a step of ${String(ms)} ms`,
      record,
      now === 'jumped' ? 'clock_jumped' : 'crossed',
    );
    if (now !== 'jumped' && typeof record === 'object') {
      const { execution, deadline } = record;
      if (execution?.crossedAt !== now)
        found.push(`it crossed at another time than ${String(now)}`);
      if (execution !== undefined && execution.crossedAt >= deadline)
        found.push('it crossed too late');
    }
    await this.#setRight();
    return found;
  }

  async #secondYes(ms: number): Promise<readonly string[]> {
    const first = this.#reference.read(this.#clock);
    const held = await this.#propose('pay-asked');
    if (first === 'jumped' || typeof held === 'string')
      return [`nothing was held: ${typeof held === 'string' ? held : held.state}`];
    const [one = '', other = ''] = LEADS;
    await this.#approve(held, one);
    this.#move(ms);
    const now = this.#reference.read(this.#clock);
    let record = await this.#approve(held, other);
    // Nobody is asked any more; what becomes of it the next look says.
    if (record === 'not_asked') record = (await this.#advance(held)) ?? 'lost';
    await this.#setRight();
    return expect(`two yeses with ${String(ms)} ms between`, record, expectedAfter(now, first));
  }

  /** The clock is set at some reading within an action's life; what came of it is inspected at the end. */
  async #withinCrossing(ms: number): Promise<readonly string[]> {
    this.#clock.stepAtReading(between(1, 14), ms);
    await this.#propose('pay');
    this.#clock.stepAtReading(Number.POSITIVE_INFINITY, 0);
    await this.#setRight();
    return [];
  }

  /** Somebody sets it, or time goes by. */
  #move(ms: number): void {
    if (ms > 0 && between(0, 1) === 0) this.#clock.pass(ms);
    else this.#clock.step(ms);
  }

  /** As an operator would: to right after the latest time that the store has given out. */
  async #setRight(): Promise<void> {
    this.#clock.step((await this.#storeTime()) + 1 - this.#clock.wall);
    const believed = await this.#storeTime();
    if (believed !== this.#clock.wall) throw new Error('the store does not believe a right clock');
    this.#reference = new Reference(this.#clock);
  }

  async #storeTime(): Promise<number> {
    const { store, caller } = this.#shop;
    const { now } = await store.look({ ...caller, ...NOTHING_MORE });
    return now;
  }

  /** The action once it rests, or the code of its refusal. */
  async #propose(operation: Payment['operation']): Promise<ActionRecord | string> {
    const key = randomUUID();
    const payment: Payment = { operation, to: key.slice(0, 13), amount: '1.00' };
    this.#place.journal.asked(key, payment);
    const deadline = this.#clock.wall + DEADLINE_MS;
    const proposed = await this.#shop.propose(key, payment, deadline);
    if (proposed.kind === 'refused') {
      this.#place.journal.refused(key, proposed.code);
      return proposed.code;
    }
    const { id, state } = proposed.record;
    this.#place.journal.answered(key, id, state);
    const { tenant } = this.#shop.caller;
    return (await this.#shop.engine.settledWithin(tenant, id, SETTLE_MS)) ?? 'lost';
  }

  #advance({ id, tenant }: ActionRecord): Promise<ActionRecord | undefined> {
    return this.#shop.engine.advance(tenant, id);
  }

  async #approve({ id, tenant }: ActionRecord, name: string): Promise<ActionRecord | string> {
    const at = { tenant, action: id, person: personOf(name) };
    try {
      const asked = await ask(this.#shop.engine, at);
      if (asked.kind === 'refused') return asked.code;
      const { consent, challenge } = asked;
      const given = { ...at, consent, challenge, decision: 'approve' } as const;
      const answered = await answer(this.#shop.engine, given);
      if (answered.kind === 'refused') return answered.code;
      return (await this.#shop.engine.settledWithin(tenant, id, SETTLE_MS)) ?? 'lost';
    } catch (error) {
      if (error instanceof StoreError) return error.code;
      throw error;
    }
  }

  async close(): Promise<readonly string[]> {
    const { engine, store, caller } = this.#shop;
    await engine.stop(SETTLE_MS);
    const arrivals = (await this.#place.arrivals()).map((arrival) => ({
      ...arrival,
      // Times at the bank are of another clock than the one that was set.
      wallMs: Number.POSITIVE_INFINITY,
    }));
    const { journal } = this.#place;
    const found = await inspect({
      shop: { store, caller },
      journal,
      arrivals,
      limitMax: undefined,
    });
    await this.#shop.close();
    return found;
  }
}

type Expected = 'crossed' | 'held' | 'expired' | 'clock_jumped';

function expectedAfter(now: number | 'jumped', first: number): Expected {
  if (now === 'jumped') return 'clock_jumped';
  if (now >= first + DEADLINE_MS) return 'expired';
  return now >= first + YES_VALID_MS ? 'held' : 'crossed';
}

function expect(what: string, record: ActionRecord | string, expected: Expected): string[] {
  const got = typeof record === 'string' ? record : stateOf(record);
  return got === expected ? [] : [`after ${what} it is ${got}, and should be ${expected}`];
}

function stateOf({ state, execution }: ActionRecord): string {
  return execution === undefined ? state : 'crossed';
}
