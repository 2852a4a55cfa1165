/**
 * EIO and ENOSPC at each write, flush and directory flush that a store makes, from the creation of its
 * file to its end, one at a time. What was answered stays true; after a failed write or flush of the
 * file or its log nothing more is answered; and the store opens and works again once the disk does.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DATABASE_FILE } from '../../../src/stores/sqlite/files.ts';
import { recoverAndInspect } from '../inspect.ts';
import { Layer } from '../layer.ts';
import { inFolder, inLanes, spread } from '../machine.ts';
import { OneCrossing } from '../one-crossing.ts';
import type { FaultRow, Ran, RunAsked } from '../row.ts';
import { openShop, type ShopParts } from '../shop.ts';
import { inStore, type Place } from '../stores.ts';
import {
  callsIn,
  pointsOf,
  storePaths,
  straceMissing,
  type SyscallPoint,
  type TracedCall,
} from '../strace.ts';

/** Every call by which a store changes its files or makes a change durable. */
const CALLS = 'pwrite64,write,ftruncate,fallocate,fsync,fdatasync';
const FLUSHES: ReadonlySet<string> = new Set(['fsync', 'fdatasync']);

/** The rows. */
export const ioErrors: FaultRow = row('EIO', 'io-errors');
export const fullDisk: FaultRow = row('ENOSPC', 'full-disk');

function row(error: 'EIO' | 'ENOSPC', name: string): FaultRow {
  return {
    name,
    title: `${error} at each write, flush and directory flush of the store`,
    quick: 2,
    long: 1000,
    run: (asked) => run(error, asked),
  };
}

async function run(error: 'EIO' | 'ENOSPC', { count, progress, flaw }: RunAsked): Promise<Ran> {
  const why = straceMissing();
  if (why !== undefined) return { runs: 0, violations: [], skipped: { count, why } };
  const violations: string[] = [];
  let runs = 0;
  points ??= pointsOfOneStore();
  await inLanes(spread(await points, count), async (point) => {
    const found = await inStore({ flaw }, (place) => strike(place, point, error));
    const where = `${error} at ${point.name} ${String(point.nth)}`;
    violations.push(...found.map((each) => `${where}: ${each}`));
    progress((runs += 1));
  });
  return { runs, violations };
}

/** Both rows strike the same calls. */
let points: Promise<readonly SyscallPoint[]> | undefined;

async function pointsOfOneStore(): Promise<readonly SyscallPoint[]> {
  const found = await inStore({ flaw: undefined }, async (place) =>
    pointsOf((await trace(place)).calls),
  );
  if (found.length === 0) throw new Error('a store made no writes: the trace is empty');
  return found;
}

async function strike(
  place: Place,
  point: SyscallPoint,
  error: string,
): Promise<readonly string[]> {
  const inject = `inject=${point.name}:error=${error}:when=${String(point.nth)}`;
  const { layer, calls, late } = await trace(place, ['-e', inject]);
  return [
    ...(late ? ['it hung, and had to be ended'] : []),
    ...answersAfterError(layer, calls, error),
    ...(await recoverAndInspect(place.parts, place)),
    ...(await worksAgain(place.parts)),
  ];
}

/** Opens an empty folder and takes two actions through their lives, traced. */
async function trace(
  { parts, journal }: Place,
  more: readonly string[] = [],
): Promise<{
  readonly layer: Layer;
  readonly calls: readonly TracedCall[];
  /** It did not end by itself. */
  readonly late: boolean;
}> {
  return inFolder(async (folder) => {
    const log = join(folder, 'log');
    const traced = ['-o', log, '-ttt', '-y', '-e', `trace=${CALLS}`];
    const paths = storePaths(parts.directory);
    const layer = new Layer(parts, ['strace', ...traced, ...paths, ...more]);
    if ((await layer.opened) === 'ready') {
      const crossing = new OneCrossing(layer, journal);
      await crossing.run(randomUUID(), 'pay');
      await crossing.run(randomUUID());
    }
    const { late } = await layer.close();
    return { layer, calls: callsIn(log), late };
  });
}

/** A failed flush says nothing about what is on the disk, so nothing may be answered after it. */
function answersAfterError(
  layer: Layer,
  calls: readonly TracedCall[],
  error: string,
): readonly string[] {
  const struck = calls.find(({ injected }) => injected);
  if (struck === undefined) return [];
  const file = struck.path?.split('/').at(-1) ?? '';
  const isStore = file === DATABASE_FILE || file === `${DATABASE_FILE}-wal`;
  const isFatal = error === 'EIO' || FLUSHES.has(struck.name);
  if (!isStore || !isFatal) return [];
  const after = layer.heard.filter(
    ({ said, wallMs }) => (said === 'answered' || said === 'halted') && wallMs > struck.wallMs,
  );
  return after.length === 0 ? [] : [`${String(after.length)} answers came after it`];
}

async function worksAgain(parts: ShopParts): Promise<readonly string[]> {
  const shop = await openShop(parts);
  try {
    await shop.start();
    const payment = { operation: 'pay', to: 'afterwards', amount: '1.00' } as const;
    const proposed = await shop.propose(randomUUID(), payment);
    if (proposed.kind === 'refused') return [`afterwards it refuses: ${proposed.code}`];
    const { tenant } = shop.caller;
    const settled = await shop.engine.settledWithin(tenant, proposed.record.id, 15_000);
    return settled?.state === 'succeeded'
      ? []
      : [`afterwards an action is ${settled?.state ?? 'lost'}`];
  } finally {
    await shop.close();
  }
}
