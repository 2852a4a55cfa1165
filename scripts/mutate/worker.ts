/**
 * Tries the mutants of one source in its own process: loads the tests that reach it once, notes which
 * test comes by which mutant, and lets for each mutant the cheapest of those tests run first. A mutant
 * that is passed while modules load gets them loaded anew, and so does one whose killer fails without it.
 *
 * Started by `try-source.ts`, which watches it and goes on with another one when it hangs.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { configureGlobal } from 'fast-check';

import { instrument } from './instrument.ts';
import { mutantsOf, type Mutant } from './mutators.ts';
import { takeTests, type KeptTest } from './node-test.ts';
import { TIMED_TITLE } from './scope.ts';
import type { Begin, Told, Verdict } from './spoken.ts';
import { beginRun, endRun, type Passage } from './switch.ts';
import { readSyntax } from './syntax.ts';

/** Random tests draw the same every time, and stop at the first failure instead of shrinking it. */
const SEED = 20_261_122;

interface Known extends KeptTest {
  readonly file: string;
  readonly tookMs: number;
  readonly passage: Passage;
}

const SWITCH = new URL('switch.ts', import.meta.url).href;
const SHIM = new URL('node-test.ts', import.meta.url).href;

let generation = 0;
let onError: ((error: unknown) => void) | undefined;

process.on('uncaughtException', (error) => onError?.(error));
process.on('disconnect', () => process.exit(1));
process.once('message', (begin: Begin) => {
  tryAll(begin).then(
    () => process.exit(0),
    async (error: unknown) => {
      await tell({
        kind: 'broken',
        message: error instanceof Error ? error.message : String(error),
      });
      process.exit(1);
    },
  );
});

function tell(told: Told): Promise<void> {
  return new Promise((resolve) => {
    assert.ok(process.send !== undefined, 'started by hand');
    process.send(told, undefined, undefined, () => {
      resolve();
    });
  });
}

async function tryAll(begin: Begin): Promise<void> {
  configureGlobal({ seed: SEED, endOnFailure: true });
  const source = join(begin.root, begin.source);
  const syntax = readSyntax(source);
  const mutants = mutantsOf(syntax);
  hookLoading(begin.root, source, instrument(syntax, mutants, SWITCH));
  beginRun(0);
  let files = await load(begin);
  const loading = endRun();
  const known = await firstRuns(files, begin);
  const leftOut = [...files].flatMap(([file, tests]) =>
    tests
      .filter(({ title }) => !known.some((test) => test.file === file && test.title === title))
      .map(({ title }) => `${file}: ${title}`),
  );
  const tookMs = known.reduce((sum, test) => sum + test.tookMs, 0);
  await tell({ kind: 'ready', tookMs, leftOut });
  for (const mutant of mutants) {
    if (begin.done.includes(mutant.id)) continue;
    await tell({ kind: 'trying', id: mutant.id });
    let verdict: Verdict;
    if (loading.reached.has(mutant.id)) {
      verdict = await tryAnew(mutant, known, begin, loading.rounds);
      files = await load(begin);
    } else {
      verdict = await tryOn(mutant, reaching(mutant, known), files);
      if (verdict.kind === 'killed' && !(await isSound(verdict, known, files))) {
        files = await load(begin);
        verdict = await tryOn(mutant, reaching(mutant, known), files);
        files = await load(begin);
      }
    }
    await tell({ kind: 'tried', id: mutant.id, verdict });
  }
}

/** Instruments the source, gives each generation modules of its own, and keeps tests instead of running them. */
function hookLoading(root: string, source: string, instrumented: string): void {
  const rootUrl = pathToFileURL(root).href;
  const sourceUrl = pathToFileURL(source).href;
  const own = new URL('.', import.meta.url).href;
  const texts = new Map<string, string>();
  registerHooks({
    resolve(specifier, context, next) {
      const from = context.parentURL ?? '';
      const isOurs = from.startsWith(rootUrl) && !from.includes('/node_modules/');
      if (specifier === 'node:test' && isOurs) return { url: SHIM, shortCircuit: true };
      const resolved = next(specifier, context);
      const { url } = resolved;
      const isShared =
        url.startsWith(own) || url.includes('/node_modules/') || !url.startsWith(rootUrl);
      return isShared ? resolved : { ...resolved, url: `${url}?generation=${String(generation)}` };
    },
    load(url, context, next) {
      const [file = url, query] = url.split('?');
      if (query === undefined || !file.endsWith('.ts')) return next(url, context);
      const known = texts.get(file);
      const text =
        known ??
        plain(file === sourceUrl ? instrumented : readFileSync(fileURLToPath(file), 'utf8'));
      texts.set(file, text);
      return { format: 'module', source: text, shortCircuit: true };
    },
  });
}

function plain(text: string): string {
  return stripTypeScriptTypes(text, { mode: 'strip' });
}

type Files = ReadonlyMap<string, readonly KeptTest[]>;

/** Loads the test files, and all they import, as new modules. */
async function load({ root, tests }: Begin): Promise<Files> {
  generation += 1;
  const files = new Map<string, readonly KeptTest[]>();
  for (const file of tests) {
    takeTests();
    await import(`${pathToFileURL(join(root, file)).href}?generation=${String(generation)}`);
    files.set(
      file,
      takeTests().filter(({ title }) => !TIMED_TITLE.test(title)),
    );
  }
  return files;
}

/** Every test once, without a mutant: it has to pass, and soon enough. */
async function firstRuns(files: Files, begin: Begin): Promise<Known[]> {
  const known: Known[] = [];
  for (const [file, tests] of files) {
    for (const test of tests) {
      const from = performance.now();
      beginRun(0);
      const failure = await failureOf(test);
      const passage = endRun();
      const tookMs = performance.now() - from;
      if (failure !== undefined)
        throw new Error(`${file}: \`${test.title}\` fails without a mutant`);
      if (tookMs <= begin.testMsMax) known.push({ ...test, file, tookMs, passage });
    }
  }
  return known.sort((left, right) => left.tookMs - right.tookMs);
}

async function failureOf(test: KeptTest): Promise<unknown> {
  let astray: unknown;
  onError = (error) => {
    astray ??= error ?? 'an error';
  };
  try {
    await test.run();
  } catch (error) {
    return error ?? 'an error';
  } finally {
    onError = undefined;
  }
  return astray;
}

function reaching(mutant: Mutant, known: readonly Known[]): Known[] {
  return known.filter(({ passage }) => passage.reached.has(mutant.id));
}

/** The same test in another generation. */
function inFiles(test: Known, files: Files): KeptTest | undefined {
  return files.get(test.file)?.find(({ title }) => title === test.title);
}

async function tryOn(mutant: Mutant, tests: readonly Known[], files: Files): Promise<Verdict> {
  for (const test of tests) {
    const now = inFiles(test, files);
    if (now === undefined) return { kind: 'killed', by: `${test.file}: ${test.title}` };
    beginRun(mutant.id, test.passage.rounds);
    const failure = await failureOf(now);
    if (endRun().isLate) return { kind: 'timeout' };
    if (failure !== undefined) return { kind: 'killed', by: `${test.file}: ${test.title}` };
  }
  return { kind: 'survived', tests: tests.length };
}

/** A mutant that is awake while the modules load: what cannot even be loaded is killed as well. */
async function tryAnew(
  mutant: Mutant,
  known: readonly Known[],
  begin: Begin,
  rounds: number,
): Promise<Verdict> {
  beginRun(mutant.id, rounds);
  let files: Files;
  try {
    files = await load(begin);
  } catch {
    return endRun().isLate ? { kind: 'timeout' } : { kind: 'killed', by: 'loading' };
  }
  return tryOn(mutant, known, files);
}

/** Whether the killer passes again without the mutant. If not, something is left behind in a module. */
async function isSound(verdict: Verdict, known: readonly Known[], files: Files): Promise<boolean> {
  if (verdict.kind !== 'killed') return true;
  const killer = known.find((test) => `${test.file}: ${test.title}` === verdict.by);
  const now = killer === undefined ? undefined : inFiles(killer, files);
  return now === undefined || (await failureOf(now)) === undefined;
}
