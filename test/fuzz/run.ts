/** Starts a worker for some subjects, watches that it goes on, and tells what came of each. */
import { Worker } from 'node:worker_threads';
import { BETWEEN_CASES, type Tally, type Work } from './work.ts';

/** How subjects are run. */
export interface RunOptions extends Pick<Work, 'subjects' | 'seed'> {
  /** Of each subject: the first case, how many, and for how long. */
  readonly from?: number;
  readonly cases?: number;
  readonly ms?: number;
  /** Another module than `subjects.ts`. */
  readonly module?: string;
  readonly limits?: Partial<FuzzLimits>;
  /** Told of each subject as it is done. */
  readonly onTally?: (tally: Tally) => void;
}

/** What no case may pass. */
export interface FuzzLimits {
  /** Memory of the thread, in MiB: a long run that keeps something of each case ends here. */
  readonly heapMibMax: number;
  /** Time of the processor for one case. */
  readonly caseMsMax: number;
  /** How long one case may stand still, waits and a busy machine included. */
  readonly standstillMsMax: number;
}

const LIMITS: FuzzLimits = { heapMibMax: 384, caseMsMax: 1000, standstillMsMax: 20_000 };

/** Runs the cases of each subject; never rejects because of what a subject did. */
export async function runSubjects(options: RunOptions): Promise<readonly Tally[]> {
  const tallies: Tally[] = [];
  // A worker that was stopped had not come to the subjects behind the one that stopped it.
  while (tallies.length < options.subjects.length) {
    const subjects = options.subjects.slice(tallies.length);
    await runWorker({ ...options, subjects }, (tally) => {
      tallies.push(tally);
      options.onTally?.(tally);
    });
  }
  return tallies;
}

async function runWorker(options: RunOptions, done: (tally: Tally) => void): Promise<void> {
  const limits = { ...LIMITS, ...options.limits };
  const work: Work = {
    module: options.module ?? new URL('subjects.ts', import.meta.url).href,
    subjects: options.subjects,
    seed: options.seed,
    from: options.from ?? 0,
    cases: options.cases ?? Infinity,
    ms: options.ms,
    caseMsMax: limits.caseMsMax,
    progress: new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT),
  };
  Atomics.store(new Int32Array(work.progress), 1, BETWEEN_CASES);
  const worker = new Worker(new URL('worker.ts', import.meta.url), {
    workerData: work,
    resourceLimits: { maxOldGenerationSizeMb: limits.heapMibMax },
  });
  const ended = Promise.withResolvers<string | undefined>();
  let left = work.subjects.length;
  worker.on('message', (tally: Tally) => {
    done(tally);
    left -= 1;
    if (left === 0) ended.resolve(undefined);
  });
  worker.once('error', (error) => ended.resolve(told(error)));
  worker.once('exit', () => ended.resolve('the thread ended by itself'));
  const stopWatching = watch(work.progress, limits.standstillMsMax, ended.resolve);
  const failure = await ended.promise;
  stopWatching();
  await worker.terminate();
  if (failure !== undefined) done(stopped(work, failure));
}

function told(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Tells when neither counter moved for so long. */
function watch(
  progress: SharedArrayBuffer,
  standstillMsMax: number,
  tell: (failure: string) => void,
): () => void {
  const counters = new Int32Array(progress);
  let seen = '';
  const timer = setInterval(() => {
    const now = `${String(Atomics.load(counters, 0))} ${String(Atomics.load(counters, 1))}`;
    const isBetweenCases = Atomics.load(counters, 1) === BETWEEN_CASES;
    if (now === seen && !isBetweenCases) tell(`hangs: no end after ${String(standstillMsMax)} ms`);
    seen = now;
  }, standstillMsMax);
  return () => clearInterval(timer);
}

/** The subject that was running when its thread was stopped. */
function stopped(work: Work, message: string): Tally {
  const counters = new Int32Array(work.progress);
  const at = Atomics.load(counters, 1);
  return {
    subject: work.subjects[Atomics.load(counters, 0)] ?? '',
    cases: at - work.from + 1,
    accepted: 0,
    refused: 0,
    slowestMs: 0,
    codes: {},
    failure: { case: at, message, input: '' },
  };
}
