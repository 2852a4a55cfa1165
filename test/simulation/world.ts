/**
 * Runs a plan: the real engine on the production store, in virtual time, among systems, people and
 * agents who do what the plan says. What could be seen of it is the history.
 */
import { cpSync, mkdtempSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enrol } from '../../src/engine/directory.ts';
import { Engine } from '../../src/engine/engine.ts';
import { controlEntry } from '../../src/engine/entries.ts';
import {
  StoreError,
  type Calendars,
  type Clock,
  type FactSource,
  type Randomness,
  type Store,
} from '../../src/engine/ports.ts';
import { executedOf } from '../../src/gateways/http/view-action.ts';
import { addMs, instantOf, type Instant } from '../../src/kernel/instant.ts';
import { openSqliteStore } from '../../src/stores/sqlite/open.ts';
import { Actors } from './actors.ts';
import {
  BASE_MS,
  EVERYBODY,
  OPERATIONS,
  SEND_DELAY_MS_MAX,
  TENANT,
  WINDOWS_MS,
  epochDigest,
  personNamed,
  policyOf,
  the,
  type Variant,
} from './boundary.ts';
import { withCrashPoints } from './crash-points.ts';
import { createSimulatedExecutor } from './executor.ts';
import type { Flaw } from './flaws.ts';
import { entryOf, type Happening, type History, type Seen } from './history.ts';
import { Outside } from './outside.ts';
import { ACTIVE_MS, ENGINES, type Plan } from './plan.ts';
import { Random } from './random.ts';
import { VirtualTime, ownerNamed, type Owner } from './virtual-time.ts';

/** By when everything that can end has ended. */
const END_MS = 45_000;
/** How long it takes until an engine that could not start is started again. */
const RESTART_MS = 200;
/** A run that does not end is a defect of engine or simulation. */
const EVENTS_MAX = 200_000;

/** One engine's place: the process that is there now, if any. */
export interface Place {
  readonly name: string;
  readonly index: number;
  owner: Owner;
  engine: Engine | undefined;
  starts: number;
}

/** A run under way: what the actors act on. */
export class World {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly outside: Outside;
  readonly keeper: Owner = ownerNamed('store');
  readonly places: readonly Place[];
  /** The policy that is active or becomes so. */
  variant: Variant = 'calm';
  readonly #store: Store;
  readonly #flaw: Flaw | undefined;
  readonly #clock: WallClock;
  readonly #happenings: Happening[] = [];
  readonly #activating = new Map<Engine, Promise<void>>();
  #epoch = 1;
  #sequence: number;

  constructor(parts: {
    readonly plan: Plan;
    readonly time: VirtualTime;
    readonly clock: WallClock;
    readonly store: Store;
    readonly flaw: Flaw | undefined;
    readonly sequence: number;
  }) {
    this.plan = parts.plan;
    this.time = parts.time;
    this.#clock = parts.clock;
    this.#store = parts.store;
    this.#flaw = parts.flaw;
    this.#sequence = parts.sequence;
    this.outside = new Outside(parts.plan, parts.time, (seen) => this.see(seen));
    this.places = ENGINES.slice(0, parts.plan.engines).map((name, index) => ({
      name,
      index,
      owner: ownerNamed(name),
      engine: undefined,
      starts: 0,
    }));
  }

  get history(): History {
    return this.#happenings;
  }

  see(seen: Seen): void {
    this.#happenings.push({ atMs: this.time.nowMs, ...seen });
  }

  /** Notes what was committed since it was last asked. */
  readonly committed = async (): Promise<void> => {
    const rows = await this.#store.ledger(TENANT, this.#sequence, 1000);
    for (const { sequence, bytes } of rows) {
      if (sequence <= this.#sequence) continue;
      this.#sequence = sequence;
      this.see({ kind: 'entry', entry: entryOf(sequence, bytes) });
    }
  };

  /** Sets the wall clock so far from true time. */
  setClock(aheadMs: number): void {
    this.#clock.aheadMs = aheadMs;
    this.see({ kind: 'clock', aheadMs });
  }

  get clockAheadMs(): number {
    return this.#clock.aheadMs;
  }

  /** The process at a place is gone at once; another one starts after `downMs`. */
  crash(place: Place, downMs: number, what = 'crashed'): void {
    place.owner.dead = true;
    place.engine = undefined;
    this.see({ kind: 'engine', engine: place.name, what });
    const next = ownerNamed(place.name);
    place.owner = next;
    this.time.after(next, downMs, () => this.start(place));
  }

  /** Starts an engine at its place, as the layer does. */
  start(place: Place): void {
    place.starts += 1;
    const { owner } = place;
    const engine = this.#engineAt(place, owner);
    this.#start(place, engine).catch((error: unknown) => {
      if (!(error instanceof StoreError)) throw error;
      // A layer that cannot start ends, and whoever keeps it running starts it again.
      if (!owner.dead) this.crash(place, RESTART_MS, `cannot start: ${error.code}`);
    });
  }

  async #start(place: Place, engine: Engine): Promise<void> {
    const { variant } = this;
    await this.activate(engine);
    await engine.start();
    place.engine = engine;
    this.see({ kind: 'engine', engine: place.name, what: 'started' });
    // A reload that came while it started.
    if (variant !== this.variant) await this.activate(engine);
  }

  /** Makes the variant of now the active epoch, or learns that it is; one at a time, as a daemon does. */
  activate(engine: Engine): Promise<void> {
    const before = this.#activating.get(engine) ?? Promise.resolve();
    const next = before.then(() => this.#activate(engine, this.variant));
    this.#activating.set(
      engine,
      next.catch(() => undefined),
    );
    return next;
  }

  async #activate(engine: Engine, variant: Variant): Promise<void> {
    const digest = epochDigest(variant);
    const epoch = await engine.store.activate(TENANT, digest, (at, number) =>
      controlEntry('epoch', {
        tenant: TENANT,
        at,
        by: 'operator',
        body: { digest, epoch: number },
        salt: engine.life.salt,
      }),
    );
    engine.configure({ tenant: TENANT, epoch, policy: policyOf(variant) });
    if (epoch.number <= this.#epoch) return;
    this.#epoch = epoch.number;
    // Every other engine learns of it, in its own time.
    for (const { owner, engine: other } of this.places) {
      if (other === undefined || other === engine) continue;
      this.time.after(owner, this.outside.latencyMs(), () => void this.activate(other));
    }
  }

  #engineAt(place: Place, owner: Owner): Engine {
    const { outside, keeper } = this;
    const clock = this.#clockOf(place, owner);
    const randomness = randomnessOf(this.plan.seed, `${place.name} ${String(place.starts)}`);
    return new Engine({
      store: withCrashPoints({
        store: this.#store,
        flaw: this.#flaw,
        outside,
        keeper,
        engine: owner,
        committed: this.committed,
        crash: (downMs) => {
          if (!owner.dead) this.crash(place, downMs);
        },
      }),
      executors: {
        http: createSimulatedExecutor({
          outside,
          owner,
          clock,
          flaw: this.#flaw,
        }),
      },
      facts: this.#facts(owner, clock),
      calendars: CALENDARS,
      clock,
      randomness,
      name: place.name,
      limits: {
        sendDelayMsMax: SEND_DELAY_MS_MAX,
        gatherMsMax: 1000,
        leaseMs: 1500,
        retryMs: 400,
        reconcileMs: 800,
        reconcileMsMax: 2000,
        deadlineMsDefault: 12_000,
        challengeMs: 3000,
      },
      trouble: (code) => {
        const broken = code === 'advance_failed' || code === 'executor_threw';
        this.see({ kind: 'trouble', engine: place.name, code, broken });
      },
    });
  }

  #clockOf(place: Place, owner: Owner): Clock {
    const skewMs = this.plan.skewMs[place.index] ?? 0;
    return {
      now: () => addMs(this.#clock.now(), skewMs),
      monotonicMs: () => this.time.nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          signal?.addEventListener('abort', () => resolve(), { once: true });
          this.time.after(owner, ms, resolve);
        }),
    };
  }

  #facts(owner: Owner, clock: Clock): FactSource {
    const { outside, time } = this;
    return {
      fetch: (_spec, signal) => {
        const fault = outside.fault('ask', 'fact');
        const observedAt = clock.now();
        const askedMs = time.nowMs;
        return new Promise((resolve) => {
          const stalled = { kind: 'failed', code: 'timeout', message: 'no answer' } as const;
          signal.addEventListener('abort', () => resolve(stalled), { once: true });
          if (fault?.how === 'stall') return;
          time.after(owner, outside.latencyMs(), () => {
            if (fault !== undefined) {
              resolve({ kind: 'failed', code: 'unreachable', message: 'not there' });
              return;
            }
            const value = outside.ready;
            this.see({ kind: 'fact', askedMs, value });
            const tookMs = time.nowMs - askedMs;
            resolve({ kind: 'known', value: { value, source: 'ready', observedAt, tookMs } });
          });
        });
      },
    };
  }
}

/** The store's wall clock: true time, and what somebody did to it. */
class WallClock implements Clock {
  readonly #time: VirtualTime;
  aheadMs = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  now(): Instant {
    return instantOf(BASE_MS + this.#time.nowMs + this.aheadMs);
  }

  monotonicMs(): number {
    return this.#time.nowMs;
  }

  sleep(): Promise<void> {
    throw new Error('the store does not sleep');
  }
}

const CALENDARS: Calendars = {
  at: (_calendar, instant) => {
    for (const [from, until] of WINDOWS_MS) {
      if (instant < BASE_MS + from) return { open: false, opensAt: instantOf(BASE_MS + from) };
      if (instant < BASE_MS + until) return { open: true, closesAt: instantOf(BASE_MS + until) };
    }
    return { open: false };
  },
};

function randomnessOf(seed: number, stream: string): Randomness {
  const random = new Random(seed, stream);
  return { bytes: (count) => random.bytes(count) };
}

// ---------------------------------------------------------------- running

/** Memory where the system has some as files, so that a commit is not a wait for a disk. */
const FOLDER = statSync('/dev/shm', { throwIfNoEntry: false })?.isDirectory()
  ? '/dev/shm'
  : tmpdir();

/** Makes a folder for the files of simulators. */
export function simulationFolder(): string {
  return mkdtempSync(join(FOLDER, 'exequatur-simulation-'));
}

/** Runs plans one after the other; close it to remove its files. */
export class Simulator {
  readonly #folder: string;
  #template: Promise<number> | undefined;
  #runs = 0;

  /** Its files lie in the given folder, or in one of its own. */
  constructor(folder?: string) {
    this.#folder = folder === undefined ? simulationFolder() : mkdtempSync(join(folder, 'part-'));
  }

  /** The history of a plan. The same plan gives the same history, byte for byte. */
  async run(plan: Plan, flaw?: Flaw): Promise<History> {
    this.#template ??= this.#makeTemplate();
    const sequence = await this.#template;
    const directory = this.#place();
    const time = new VirtualTime(plan.seed);
    const uninstall = time.install();
    try {
      const clock = new WallClock(time);
      const store = await openSqliteStore({ directory, clock });
      const world = new World({ plan, time, clock, store, flaw, sequence });
      await play(world, store);
      const closed = settled(store.close());
      await time.run(() => closed.done, time.nowMs + 1000);
      return world.history;
    } finally {
      uninstall();
      rmSync(directory, { recursive: true, force: true });
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A store with everybody enrolled and the first epoch active; gives its last ledger position. */
  async #makeTemplate(): Promise<number> {
    const directory = join(this.#folder, 'template');
    const time = new VirtualTime(0);
    const clock = new WallClock(time);
    const store = await openSqliteStore({ directory, clock });
    const plan: Plan = { seed: 0, engines: 1, skewMs: [], steps: [], faults: [] };
    const engine = new Engine({
      store,
      executors: {},
      facts: { fetch: () => Promise.resolve({ kind: 'absent' }) },
      calendars: CALENDARS,
      clock,
      randomness: randomnessOf(0, 'template'),
      name: 'template',
      trouble: () => undefined,
    });
    for (const { kind, name, roles, owners, aliases, delegator } of EVERYBODY) {
      await enrol(engine.life, {
        tenant: TENANT,
        kind,
        name,
        roles,
        owners: owners.map(personNamed),
        aliases: aliases.map(personNamed),
        delegator: delegator === undefined ? undefined : personNamed(delegator),
        by: 'operator',
      });
    }
    const world = new World({ plan, time, clock, store, flaw: undefined, sequence: 0 });
    await world.activate(engine);
    const last = (await store.ledger(TENANT, 0, 1000)).at(-1);
    await store.close();
    return the(last).sequence;
  }

  #place(): string {
    this.#runs += 1;
    const directory = join(this.#folder, `run-${String(this.#runs)}`);
    mkdirSync(directory, { mode: 0o700 });
    cpSync(join(this.#folder, 'template', 'exequatur.db'), join(directory, 'exequatur.db'));
    return directory;
  }
}

/** The plan, then peace, until nothing is left that can still happen. */
async function play(world: World, store: Store): Promise<void> {
  const { time } = world;
  const actors = new Actors(world);
  for (const place of world.places) time.after(place.owner, 0, () => world.start(place));
  for (const step of world.plan.steps) actors.schedule(step);
  const bounded = (): boolean => time.ranCount > EVENTS_MAX;
  await time.run(bounded, ACTIVE_MS);
  actors.calm();
  for (let atMs = ACTIVE_MS + 500; atMs <= END_MS; atMs += 500) {
    await time.run(bounded, atMs);
    if (await isOver(store)) break;
  }
  for (const place of world.places) place.owner.dead = true;
  await world.committed();
  const records = await store.actions({ tenant: TENANT, count: 1000 });
  for (const record of records) {
    const { id: action, state } = record;
    world.see({ kind: 'ended', action, state, executed: executedOf(record) });
  }
  if (bounded()) throw new Error(`seed ${String(world.plan.seed)} does not come to an end`);
}

/** Nothing is open but what no system can tell. */
async function isOver(store: Store): Promise<boolean> {
  const { open } = await store.measures(TENANT);
  if (open.held > 0 || open.executing > 0) return false;
  if (open.unknown === 0) return true;
  const unknown = await store.actions({ tenant: TENANT, states: ['unknown'], count: 1000 });
  return unknown.every(({ operation }) => OPERATIONS[operation]?.tells !== true);
}

/** Whether a promise is settled; it must not reject. */
function settled(promise: Promise<unknown>): { done: boolean } {
  const state = { done: false };
  void promise.then(() => {
    state.done = true;
  });
  return state;
}
