/**
 * Power cuts: under load the layer is frozen at a random instant, what is on the disk is copied, and the
 * layer never goes on. Everything answered before is in the copy, every arrival has its crossing there,
 * and nothing that may have been sent is sent again.
 */
import { readFileSync } from 'node:fs';
import { recoverAndInspect } from '../inspect.ts';
import { Layer, type Wrapper } from '../layer.ts';
import { Load } from '../load.ts';
import { canCutImage, diskIn, type Disk } from '../disk.ts';
import { inFolder, pause } from '../machine.ts';
import type { FaultRow, Flaw, Ran, RunAsked } from '../row.ts';
import { inStores, type Place } from '../stores.ts';

const CUTS_PER_STORE = 5;
const IN_FLIGHT = 16;
const ANSWERS_MAX = 80;
/** For what was said before the freeze to be heard. */
const HEARING_MS = 20;

/** The row. */
export const powerCut: FaultRow = {
  name: 'power-cut',
  title: 'frozen at a random instant, the disk copied as it is, started again on the copy',
  quick: 2,
  long: 200,
  run,
};

async function run({ count, progress, flaw }: RunAsked): Promise<Ran> {
  const violations: string[] = [];
  let runs = 0;
  const kind = canCutImage() ? 'image' : 'files';
  await inStores({ count, perStore: CUTS_PER_STORE }, { flaw }, (place, cuts) =>
    inFolder(async (folder) => {
      const disk = diskIn(folder, kind);
      try {
        const parts = { ...place.parts, directory: disk.directory };
        for (let cut = 0; cut < cuts; cut += 1) {
          await cutOnce({ ...place, parts }, disk, wrapperOf(flaw));
          violations.push(...(await recoverAndInspect(parts, place)));
          progress((runs += 1));
        }
      } finally {
        disk.remove();
      }
    }),
  );
  const why = 'no file system of our own can be mounted here: only files were copied';
  return kind === 'image' ? { runs, violations } : { runs, violations, skipped: { count, why } };
}

/** A disk that says it flushed, and did not: the call is answered and never made. */
function wrapperOf(flaw: Flaw | undefined): Wrapper | undefined {
  if (flaw !== 'lying_disk') return undefined;
  const calls = 'fsync,fdatasync';
  // Detached, so that the process which is frozen is the layer and not its tracer.
  return ['strace', '-D', '-o', '/dev/null', '-e', calls, '-e', `inject=${calls}:retval=0`];
}

async function cutOnce(
  { parts, journal }: Place,
  disk: Disk,
  wrapper: Wrapper | undefined,
): Promise<void> {
  const layer = new Layer(parts, wrapper);
  await layer.opened;
  const load = new Load(layer, { journal, inFlight: IN_FLIGHT, haltsPercent: 2 });
  await load.someAnswers(ANSWERS_MAX);
  layer.signal('SIGSTOP');
  load.stop();
  while (!isStopped(layer.pid)) await pause(1);
  await pause(HEARING_MS);
  disk.cut();
  await layer.kill();
  disk.restart();
}

/** Whether the kernel shows it as stopped: from then on it says and writes nothing more. */
function isStopped(pid: number): boolean {
  try {
    return /\) [Tt] /u.test(readFileSync(`/proc/${String(pid)}/stat`, 'utf8'));
  } catch {
    // It is gone, or there is no such file here: then the pause that follows has to do.
    return true;
  }
}
