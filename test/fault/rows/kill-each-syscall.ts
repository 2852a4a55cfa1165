/**
 * SIGKILL at each syscall of one crossing in turn: from the proposal to the settled answer, through an
 * approval, whatever the process asks the kernel for: its files, the bank's socket, its own clock. The
 * tracer is attached right before the proposal, so that it counts nothing but the crossing.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Journal } from '../journal.ts';
import { recoverAndInspect } from '../inspect.ts';
import { Layer } from '../layer.ts';
import { inFolder, spread } from '../machine.ts';
import { OneCrossing } from '../one-crossing.ts';
import type { FaultRow, Ran, RunAsked } from '../row.ts';
import type { ShopParts } from '../shop.ts';
import { inStore, inStores } from '../stores.ts';
import { attach, callsIn, pointsOf, straceMissing, type SyscallPoint } from '../strace.ts';

/** The row. */
export const killEachSyscall: FaultRow = {
  name: 'kill-each-syscall',
  title: 'SIGKILL at each syscall of a crossing in turn',
  quick: 3,
  long: 1000,
  run,
};

async function run({ count, progress, flaw }: RunAsked): Promise<Ran> {
  const why = straceMissing();
  if (why !== undefined) return { runs: 0, violations: [], skipped: { count, why } };
  const violations: string[] = [];
  let runs = 0;
  const points = spread(await pointsOfOneCrossing(), count);
  let next = 0;
  const perStore = Math.ceil(points.length / 2);
  await inStores({ count: points.length, perStore }, { flaw }, async (place, strikes) => {
    for (const point of points.slice(next, (next += strikes))) {
      await strike(place.parts, place.journal, point);
      const found = await recoverAndInspect(place.parts, place);
      violations.push(...found.map((each) => `${point.name} ${String(point.nth)}: ${each}`));
      progress((runs += 1));
    }
  });
  return { runs, violations };
}

async function pointsOfOneCrossing(): Promise<readonly SyscallPoint[]> {
  const points = await inStore({ flaw: undefined }, ({ parts, journal }) =>
    inFolder(async (folder) => {
      const log = join(folder, 'log');
      const layer = new Layer(parts);
      await layer.opened;
      const tracer = await attach(layer.pid, ['-o', log, '-ttt', '-y']);
      await new OneCrossing(layer, journal).run(randomUUID());
      await layer.kill();
      await tracer.ended;
      return pointsOf(callsIn(log));
    }),
  );
  if (points.length === 0) throw new Error('a crossing made no syscalls: the trace is empty');
  return points;
}

async function strike(parts: ShopParts, journal: Journal, point: SyscallPoint): Promise<void> {
  const layer = new Layer(parts);
  await layer.opened;
  const inject = `inject=${point.name}:signal=KILL:when=${String(point.nth)}`;
  const tracer = await attach(layer.pid, ['-o', '/dev/null', '-e', inject]);
  await new OneCrossing(layer, journal).run(randomUUID());
  // Another run may need fewer calls of this name: then it ends here.
  await layer.kill();
  await tracer.ended;
}
