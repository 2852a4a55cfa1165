/** Time and randomness of this machine, for everything that takes them as arguments. */
import { randomBytes } from 'node:crypto';
import type { Clock, Randomness } from '../engine/ports.ts';
import { instantOf } from '../kernel/instant.ts';

/** The machine's clocks. */
export const SYSTEM_CLOCK: Clock = {
  now: () => instantOf(Date.now()),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener('abort', end, { once: true });
    }),
};

/** The system's random numbers. */
export const SYSTEM_RANDOMNESS: Randomness = {
  bytes: (count) => new Uint8Array(randomBytes(count)),
};
