/**
 * Time that passes only when nothing can be done without it. Everything that waits (timers, answers of
 * ports, requests on their way) is an event of one owner; events run one at a time, and each runs until
 * nothing of it is left to do, so one seed gives one history.
 */
import { hashed } from './random.ts';

/** Whose event it is: an engine's process, the store, the network, a person. */
export interface Owner {
  readonly name: string;
  /** A dead owner's events never run: its process is gone. */
  dead: boolean;
  /** Until then its events wait: its process is stopped, and goes on afterwards. */
  frozenUntilMs: number;
}

/** An owner that lives. */
export function ownerNamed(name: string): Owner {
  return { name, dead: false, frozenUntilMs: 0 };
}

interface Event {
  atMs: number;
  /** Orders owners within a millisecond; events of one owner stay in turn. */
  tie: number;
  readonly turn: number;
  readonly owner: Owner;
  readonly run: () => void;
  readonly everyMs: number | undefined;
  cancelled: boolean;
}

const realImmediate = globalThis.setImmediate;
const ORIGINALS = {
  setTimeout: globalThis.setTimeout,
  setInterval: globalThis.setInterval,
  setImmediate: globalThis.setImmediate,
  clearTimeout: globalThis.clearTimeout,
  clearInterval: globalThis.clearInterval,
  clearImmediate: globalThis.clearImmediate,
  timeout: AbortSignal.timeout.bind(AbortSignal),
};

/** Resolves once every promise that can go on has gone on: nothing here waits for anything real. */
async function quiet(): Promise<void> {
  await new Promise<void>((resolve) => {
    realImmediate(resolve);
  });
}

/** One simulated time line. */
export class VirtualTime {
  readonly #seed: number;
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #turn = 0;
  #current: Owner = ownerNamed('nobody');
  #ran = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Milliseconds since the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that ran. */
  get ranCount(): number {
    return this.#ran;
  }

  /** Runs `run` as an event of `owner`, `afterMs` from now. */
  after(owner: Owner, afterMs: number, run: () => void): void {
    this.#push({ owner, run, afterMs });
  }

  /** Resolves as an event of `owner`. */
  sleep(owner: Owner, forMs: number): Promise<void> {
    return new Promise((resolve) => this.after(owner, forMs, resolve));
  }

  /** Runs events in order until `done`, or none is left, or `untilMs` is reached. */
  async run(done: () => boolean, untilMs: number): Promise<void> {
    while (!done()) {
      const event = this.#pop();
      if (event === undefined) return;
      if (event.atMs > untilMs) {
        this.#insert(event);
        return;
      }
      if (event.cancelled || event.owner.dead) continue;
      if (event.owner.frozenUntilMs > event.atMs) {
        event.atMs = event.owner.frozenUntilMs;
        this.#insert(event);
        continue;
      }
      this.#nowMs = event.atMs;
      this.#current = event.owner;
      this.#ran += 1;
      event.run();
      await quiet();
      if (event.everyMs !== undefined) {
        event.atMs += event.everyMs;
        this.#insert(event);
      }
    }
  }

  /** Puts the timers of this process under this time; call what it gives back to undo that. */
  install(): () => void {
    const start = (run: () => void, afterMs = 0, everyMs?: number): Event =>
      this.#push({ owner: this.#current, run, afterMs, everyMs });
    Object.assign(globalThis, {
      setTimeout: (run: () => void, afterMs?: number) => start(run, afterMs),
      setInterval: (run: () => void, everyMs: number) => start(run, everyMs, everyMs),
      setImmediate: (run: () => void) => start(run),
      clearTimeout: cancel,
      clearInterval: cancel,
      clearImmediate: cancel,
    });
    AbortSignal.timeout = (afterMs) => {
      const controller = new AbortController();
      start(() => controller.abort(), afterMs);
      return controller.signal;
    };
    return () => {
      const { timeout, ...timers } = ORIGINALS;
      Object.assign(globalThis, timers);
      AbortSignal.timeout = timeout;
    };
  }

  #push(asked: {
    readonly owner: Owner;
    readonly run: () => void;
    readonly afterMs: number;
    readonly everyMs?: number | undefined;
  }): Event {
    const atMs = this.#nowMs + Math.max(0, Math.trunc(asked.afterMs));
    this.#turn += 1;
    const event: Event = {
      atMs,
      tie: 0,
      turn: this.#turn,
      owner: asked.owner,
      run: asked.run,
      everyMs: asked.everyMs,
      cancelled: false,
    };
    this.#insert(event);
    return event;
  }

  #insert(event: Event): void {
    const heap = this.#heap;
    event.tie = hashed(`${String(this.#seed)} ${event.owner.name} ${String(event.atMs)}`)[0];
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      if (left === undefined) break;
      const right = heap[2 * at + 2];
      const useRight = right !== undefined && isBefore(right, left);
      const least = useRight ? right : left;
      if (!isBefore(least, last)) break;
      heap[at] = least;
      at = 2 * at + (useRight ? 2 : 1);
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one: Event, other: Event): boolean {
  if (one.atMs !== other.atMs) return one.atMs < other.atMs;
  if (one.tie !== other.tie) return one.tie < other.tie;
  return one.turn < other.turn;
}

function cancel(event: Event | undefined): void {
  if (event !== undefined) event.cancelled = true;
}
