/**
 * A process that owns a store: started by tests, and killed by them. Prints `ready`, then the id of each
 * action once the store said that it is durable.
 *
 * usage: sqlite-writer.ts <directory> write|own
 */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { instantOf } from '../../src/kernel/instant.ts';
import type { Clock } from '../../src/engine/ports.ts';
import { openSqliteStore } from '../../src/stores/sqlite/open.ts';
import { Boundary } from './boundary.ts';

const [directory = '', mode = 'own'] = process.argv.slice(2);
const IN_FLIGHT = 64;

const clock: Clock = {
  now: () => instantOf(Date.now()),
  monotonicMs: () => performance.now(),
  sleep: async (ms) => sleep(ms),
};

const store = await openSqliteStore({ directory, clock });
const boundary = await new Boundary(store, clock).enrolAll();
writeSync(1, 'ready\n');

async function write(): Promise<never> {
  for (;;) {
    const record = await boundary.proposed();
    // Synchronous: a kill cannot lose what was said before it.
    writeSync(1, `${record.id}\n`);
  }
}

if (mode === 'write') await Promise.all(Array.from({ length: IN_FLIGHT }, write));
else await sleep(60_000);
