/** Tries every mutant of one source with the tests that reach it, in processes that may hang or die. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { explanationsOf, type Explanation } from './explanations.ts';
import { mutantsOf, type Mutant } from './mutators.ts';
import type { Begin, Told, Verdict } from './spoken.ts';
import { readSyntax } from './syntax.ts';

/** A mutant that a worker says nothing about for this long, and three times its tests, hangs. */
const SILENCE_MS_MAX = 20_000;
const HEAP_MIB_MAX = 3_072;

/** A mutant and what became of it. */
export interface Tried {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
  /** Why no test finds it, from the code. */
  readonly explanation?: Explanation;
}

/** What a source came to. */
export interface SourceReport {
  readonly source: string;
  readonly leftOut: readonly string[];
  readonly tried: readonly Tried[];
  /** Lines with an explanation where nothing survives. */
  readonly staleLines: readonly number[];
}

/** A source, and the tests that may find its mutants: each stage tries what survives the one before. */
export interface Trial extends Omit<Begin, 'done' | 'tests'> {
  readonly stages: readonly (readonly string[])[];
}

/** Tries all mutants of the source; throws where a test fails without any. */
export async function trySource(trial: Trial): Promise<SourceReport> {
  const syntax = readSyntax(join(trial.root, trial.source));
  const mutants = mutantsOf(syntax);
  const explanations = explanationsOf(syntax);
  const settled = new Map<number, Tried>();
  const leftOut: string[] = [];
  for (const tests of trial.stages) {
    const open = mutants.filter(({ id }) => !isFound(settled.get(id)));
    if (open.length === 0 || tests.length === 0) continue;
    const { verdicts, slow } = await oneStage({ ...trial, tests }, mutants, open);
    leftOut.push(...slow);
    for (const mutant of open) {
      const verdict = verdicts.get(mutant.id) ?? { kind: 'timeout' };
      const before = settled.get(mutant.id)?.verdict;
      settled.set(
        mutant.id,
        explained({ mutant, verdict: together(before, verdict) }, explanations),
      );
    }
  }
  const tried = mutants.map(
    (mutant) =>
      settled.get(mutant.id) ?? { mutant, verdict: { kind: 'survived', tests: 0 } as const },
  );
  const spent = new Set(tried.map(({ explanation }) => explanation));
  const stale = explanations.filter((one) => !spent.has(one));
  return { source: trial.source, leftOut, tried, staleLines: stale.map(({ line }) => line) };
}

/** Whether no other test need try: it was found, or the code says why nothing finds it. */
function isFound(tried: Tried | undefined): boolean {
  return (
    tried !== undefined && (tried.verdict.kind !== 'survived' || tried.explanation !== undefined)
  );
}

function together(before: Verdict | undefined, now: Verdict): Verdict {
  if (before?.kind !== 'survived' || now.kind !== 'survived') return now;
  return { kind: 'survived', tests: before.tests + now.tests };
}

function explained(tried: Tried, explanations: readonly Explanation[]): Tried {
  if (tried.verdict.kind !== 'survived') return tried;
  const { line, mutator } = tried.mutant;
  const explanation = explanations.find(
    (one) => one.line === line && (one.mutator === undefined || one.mutator === mutator),
  );
  return explanation === undefined ? tried : { ...tried, explanation };
}

interface Stage {
  readonly verdicts: ReadonlyMap<number, Verdict>;
  readonly slow: readonly string[];
}

async function oneStage(
  begin: Omit<Begin, 'done'>,
  mutants: readonly Mutant[],
  open: readonly Mutant[],
): Promise<Stage> {
  const others = mutants.filter((mutant) => !open.includes(mutant)).map(({ id }) => id);
  const verdicts = new Map<number, Verdict>();
  let slow: readonly string[];
  do {
    slow = await oneWorker({ ...begin, done: [...others, ...verdicts.keys()] }, verdicts);
  } while (verdicts.size < open.length);
  return { verdicts, slow };
}

/** Runs a worker until it is done, or hangs on a mutant, which is a verdict too. */
function oneWorker(begin: Begin, verdicts: Map<number, Verdict>): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const worker = startWorker();
    let ready: Extract<Told, { kind: 'ready' }> | undefined;
    let trying: number | undefined;
    let failure: string | undefined;
    let timer = watch(worker, undefined);
    worker.on('message', (told: Told) => {
      clearTimeout(timer);
      if (told.kind === 'ready') ready = told;
      if (told.kind === 'broken') failure = told.message;
      if (told.kind === 'trying') trying = told.id;
      if (told.kind === 'tried') {
        verdicts.set(told.id, told.verdict);
        trying = undefined;
      }
      timer = watch(worker, ready?.tookMs);
    });
    worker.once('exit', (code) => {
      clearTimeout(timer);
      if (trying !== undefined) verdicts.set(trying, { kind: 'timeout' });
      if (ready === undefined || (code !== 0 && trying === undefined)) {
        reject(new Error(`${begin.source}: ${failure ?? `the worker ended with ${String(code)}`}`));
      } else {
        resolve(ready.leftOut);
      }
    });
    worker.send(begin);
  });
}

function startWorker(): ChildProcess {
  return fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
    execArgv: [
      '--disable-warning=ExperimentalWarning',
      `--max-old-space-size=${String(HEAP_MIB_MAX)}`,
    ],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

function watch(worker: ChildProcess, testsMs: number | undefined): NodeJS.Timeout {
  const silenceMsMax = testsMs === undefined ? 10 * SILENCE_MS_MAX : SILENCE_MS_MAX + 3 * testsMs;
  return setTimeout(() => worker.kill('SIGKILL'), silenceMsMax);
}
