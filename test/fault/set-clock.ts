/** A clock that only goes where it is put, while timers and sockets go on: for faults of time. */
import type { Clock } from '../../src/engine/ports.ts';
import { addMs, instantOf, type Instant } from '../../src/kernel/instant.ts';
import { systemClock } from '../fixtures/clock.ts';

/** Wall and monotonic time by hand. */
export class SetClock implements Clock {
  #wall: Instant;
  #monotonicMs = 0;
  #stepIn = Number.POSITIVE_INFINITY;
  #stepMs = 0;

  constructor(startMs: number) {
    this.#wall = instantOf(startMs);
  }

  now(): Instant {
    this.#stepIn -= 1;
    if (this.#stepIn === 0) this.step(this.#stepMs);
    return this.#wall;
  }

  /** What it shows, without being read. */
  get wall(): Instant {
    return this.#wall;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }

  /** Time goes by on both clocks. */
  pass(ms: number): void {
    this.#wall = addMs(this.#wall, ms);
    this.#monotonicMs += ms;
  }

  /** Somebody sets the wall clock. */
  step(ms: number): void {
    this.#wall = addMs(this.#wall, ms);
  }

  /** Somebody sets it in the midst of something: at the so many-eth reading from now. */
  stepAtReading(nth: number, ms: number): void {
    this.#stepIn = nth;
    this.#stepMs = ms;
  }
}
