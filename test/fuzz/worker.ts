/**
 * Runs cases in a thread of its own, where a parser that hangs can be stopped and one that takes too
 * much memory ends only its thread. One subject after the other; each is told when it is done.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { randomOfCase } from './random.ts';
import { Defect, type Running, type Subject, type Taken } from './subject.ts';
import { BETWEEN_CASES, type Failure, type Tally, type Work } from './work.ts';

const work: Work = workerData;
const progress = new Int32Array(work.progress);

async function main(): Promise<void> {
  const loaded: { readonly SUBJECTS: readonly Subject[] } = await import(work.module);
  for (const [index, name] of work.subjects.entries()) {
    const subject = loaded.SUBJECTS.find((each) => each.name === name);
    if (subject === undefined) throw new Error(`no subject \`${name}\``);
    const running = await subject.open();
    const tally = await runCases(subject, running);
    Atomics.store(progress, 1, BETWEEN_CASES);
    await running.close();
    Atomics.store(progress, 0, index + 1);
    // A port between threads has no origin.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    parentPort?.postMessage(tally);
  }
}

async function runCases(subject: Subject, running: Running): Promise<Tally> {
  const codes: Record<string, number> = {};
  const until = work.ms === undefined ? Infinity : performance.now() + work.ms;
  let [cases, accepted, refused, slowestMs] = [0, 0, 0, 0];
  let failure: Failure | undefined;
  for (let index = work.from; cases < work.cases && performance.now() < until; index += 1) {
    Atomics.store(progress, 1, index);
    cases += 1;
    try {
      let played = await play(subject, running, index);
      if (played.tookMs > work.caseMsMax) played = await play(subject, running, index);
      count(subject, played.taken, codes);
      if (played.taken === 'accepted') accepted += 1;
      else refused += 1;
      slowestMs = Math.max(slowestMs, played.tookMs);
      if (played.tookMs > work.caseMsMax) throw new Error(`took ${played.tookMs.toFixed(0)} ms`);
    } catch (error) {
      failure = failureOf(index, error);
      break;
    }
  }
  const tally = { subject: subject.name, cases, accepted, refused, slowestMs, codes };
  return failure === undefined ? tally : { ...tally, failure };
}

/** Runs one case; `tookMs` is time of the processor, so that other work on the machine does not count. */
async function play(
  subject: Subject,
  running: Running,
  index: number,
): Promise<{ readonly taken: Taken; readonly tookMs: number }> {
  const before = process.threadCpuUsage();
  const taken = await running.run(randomOfCase(work.seed, subject.name, index));
  const { user, system } = process.threadCpuUsage(before);
  return { taken, tookMs: (user + system) / 1000 };
}

function count(subject: Subject, taken: Taken, codes: Record<string, number>): void {
  if (taken === 'accepted') return;
  if (taken.refusedWith.length === 0) throw new Error('refused without a code');
  for (const code of new Set(taken.refusedWith)) {
    if (!subject.codes.has(code)) throw new Error(`refused with the unknown code \`${code}\``);
    codes[code] = (codes[code] ?? 0) + 1;
  }
}

function failureOf(index: number, error: unknown): Failure {
  const cause = error instanceof Defect ? error.cause : error;
  const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(error);
  const input = error instanceof Defect ? error.input : '';
  return { case: index, message: stack, input };
}

await main();
