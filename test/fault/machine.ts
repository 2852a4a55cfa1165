/** Time, chance and folders of this machine, as the drivers of faults use them. */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Milliseconds on the clock that all processes of this machine share and nobody sets. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** Wall time in milliseconds, with its fraction. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

/** A whole number from `least` to `most`, both included. */
export function between(least: number, most: number): number {
  return randomInt(least, most + 1);
}

/** One of these. */
export function oneOf<Item>(items: readonly Item[]): Item {
  const item = items[randomInt(items.length)];
  if (item === undefined) throw new RangeError('nothing to choose from');
  return item;
}

/** Resolves after some milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Runs with a folder of its own, removed afterwards. */
export async function inFolder<Value>(run: (folder: string) => Promise<Value>): Promise<Value> {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-fault-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `count` spread over a list, so that a short run still sees its beginning, middle and end. */
export function spread<Item>(items: readonly Item[], count: number): readonly Item[] {
  if (items.length <= count) return items;
  const start = Math.random() * (items.length / count);
  return Array.from({ length: count }, (_, index) => {
    const at = Math.floor(start + (index * items.length) / count);
    return items[Math.min(at, items.length - 1)];
  }).filter((item) => item !== undefined);
}

let cache: string | undefined;

/** The environment of child programs: code compiled once is kept for all that this driver starts. */
export function childEnvironment(): NodeJS.ProcessEnv {
  if (cache === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'exequatur-fault-code-'));
    cache = folder;
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...environment } = process.env;
  return { ...environment, NODE_COMPILE_CACHE: cache };
}

/** Works on a list, so many at once; what one throws is thrown once all have ended. */
export async function inLanes<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  const ended = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
}

/** Two: one core for what is struck, and one for who looks after. */
const LANES = 2;
