/** Time and randomness of this machine, for everything that takes them as arguments. */
import { randomFillSync } from 'node:crypto';
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

/** Asked for at once: an action needs some two hundred bytes, in small pieces, and asking costs most. */
const POOL_BYTES = 8192;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** The system's random numbers. No byte is given out twice, and none is kept once it was. */
export const SYSTEM_RANDOMNESS: Randomness = {
  bytes: (count) => {
    if (count > POOL_BYTES) return randomFillSync(new Uint8Array(count));
    if (used + count > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const bytes = pool.slice(used, used + count);
    pool.fill(0, used, used + count);
    used += count;
    return bytes;
  },
};
