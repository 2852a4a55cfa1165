/** A clock that stands until it is moved: an adapter of the port for tests that are about time. */
import type { Clock } from '../../src/engine/ports.ts';
import { addMs, instantOf, type Instant } from '../../src/kernel/instant.ts';

export class HandClock implements Clock {
  #wall: Instant;
  #monotonicMs = 0;

  constructor(startMs: number = Date.UTC(2026, 10, 22, 8)) {
    this.#wall = instantOf(startMs);
  }

  now(): Instant {
    return this.#wall;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  async sleep(ms: number): Promise<void> {
    this.pass(ms);
  }

  /** Time goes by: both clocks move. */
  pass(ms: number): void {
    this.#wall = addMs(this.#wall, ms);
    this.#monotonicMs += ms;
  }

  /** Somebody sets the wall clock; monotonic time does not notice. */
  jump(ms: number): void {
    this.#wall = addMs(this.#wall, ms);
  }
}
