/**
 * The store's clock (law 8): the wall clock, held against the highest instant ever given out, which is
 * stored, and against monotonic time while running. It never goes back; where the wall clock cannot be
 * believed, nothing crosses, and halts, revocations and outcomes are still stored.
 */
import { addMs, formatInstant, instantOf, type Instant } from '../../kernel/instant.ts';
import { StoreError, type Clock } from '../../engine/ports.ts';
import { integer, type Connection } from './connection.ts';

/** A step back up to this long waits: the time stands still until it is caught up. */
export const CLOCK_BACK_MS_MAX = 1000;
/** The furthest that the wall clock may run ahead of monotonic time while the store is open. */
export const CLOCK_FORWARD_MS_MAX = 86_400_000;

/** What the clock says, and why it must not be crossed on, if so. */
export interface Reading {
  readonly now: Instant;
  readonly jumped: StoreError | undefined;
}

/** One store's clock. */
export class StoreClock {
  readonly #clock: Clock;
  #mark: Instant;
  #stored: Instant;
  /** The last believed wall time, and the monotonic time it was read at. */
  #believed: { readonly wall: number; readonly monotonicMs: number } | undefined;

  constructor(clock: Clock, mark: Instant) {
    this.#clock = clock;
    this.#mark = mark;
    this.#stored = mark;
  }

  /** Reads the time: inside a transaction, after its lock. */
  read(): Reading {
    const wall = this.#clock.now();
    const monotonicMs = this.#clock.monotonicMs();
    const jumped = this.#jump(wall, monotonicMs);
    const now = jumped === undefined ? wall : this.#expected(monotonicMs);
    if (jumped === undefined) this.#believed = { wall, monotonicMs };
    if (now > this.#mark) this.#mark = now;
    return { now: this.#mark, jumped };
  }

  /** Stores the mark with the batch that gave it out; cheap where it has not moved. */
  persist(db: Connection): void {
    if (this.#mark === this.#stored) return;
    db.one('UPDATE clock SET mark = ? WHERE id = 1', this.#mark);
  }

  /** After the commit of what {@link persist} wrote. */
  persisted(): void {
    this.#stored = this.#mark;
  }

  #jump(wall: Instant, monotonicMs: number): StoreError | undefined {
    if (wall < this.#mark - CLOCK_BACK_MS_MAX) {
      return jump(
        `the clock says ${formatInstant(wall)} and has said ${formatInstant(this.#mark)} before: ` +
          'set it right, or wait until it is caught up; if the earlier time was wrong, ' +
          'stop the layer and reset the mark of its store',
      );
    }
    if (this.#believed === undefined) return undefined;
    const aheadMs = wall - this.#expected(monotonicMs);
    if (aheadMs <= CLOCK_FORWARD_MS_MAX) return undefined;
    return jump(
      `the clock jumped ${String(Math.round(aheadMs / 1000))} s ahead to ${formatInstant(wall)}: ` +
        'set it right, or restart the layer if it is right now',
    );
  }

  /** The time by the last believed reading and monotonic progress. */
  #expected(monotonicMs: number): Instant {
    if (this.#believed === undefined) return this.#mark;
    const { wall, monotonicMs: since } = this.#believed;
    return addMs(instantOf(wall), Math.max(0, monotonicMs - since));
  }
}

/** The stored mark. */
export function readMark(db: Connection): Instant {
  const row = db.get('SELECT mark FROM clock WHERE id = 1');
  if (row === undefined) throw new StoreError('store_foreign', 'the store has no clock mark');
  return instantOf(integer(row, 'mark'));
}

function jump(message: string): StoreError {
  return new StoreError('clock_jumped', message);
}
