/** Which sources are mutated, and which tests may find their mutants. */
import { existsSync, globSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { readSyntax } from './syntax.ts';

const SOURCES = ['src/kernel/**/*.ts', 'src/approval/**/*.ts', 'src/engine/transition.ts'];

/** All tests near the sources, and those of the laws, which are slower. */
const NEAR = [
  'src/kernel/**/*.test.ts',
  'src/approval/**/*.test.ts',
  'src/engine/transition.test.ts',
];
const LAWS = ['test/laws/{decide,explain,findings,separation}.test.ts'];

/** Measures of time: instrumented code is slower, so that they would find mutants that are none. */
const TIMED_TESTS: ReadonlySet<string> = new Set(['src/kernel/json/growth.test.ts']);

/** Titles of tests that measure time, in files that do more. */
export const TIMED_TITLE: RegExp = /\bin a second\b/u;

/** The sources whose path begins with one of `prefixes`, or all; paths from `root`. */
export function sourcesOf(root: string, prefixes: readonly string[]): readonly string[] {
  return files(root, SOURCES).filter(
    (path) =>
      !path.endsWith('.test.ts') &&
      (prefixes.length === 0 || prefixes.some((prefix) => path.startsWith(prefix))),
  );
}

/**
 * The tests that import the source, however far away; paths from `root`. In stages, so that most mutants
 * need few tests: those of the source's own name, those near it, those of the laws.
 */
export function stagesOf(root: string, source: string): readonly (readonly string[])[] {
  const known = new Map<string, ReadonlySet<string>>();
  const [near, laws] = [NEAR, LAWS].map((patterns) =>
    files(root, patterns).filter(
      (test) => !TIMED_TESTS.has(test) && reachedFrom(root, test, known).has(source),
    ),
  );
  const name = source.slice(0, -'ts'.length);
  const own = near?.filter((test) => test.startsWith(name)) ?? [];
  return [own, near ?? [], laws ?? []];
}

function files(root: string, patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
}

/** Everything that a file imports, and what that imports; `known` keeps the direct imports read before. */
function reachedFrom(
  root: string,
  file: string,
  known: Map<string, ReadonlySet<string>>,
): ReadonlySet<string> {
  const reached = new Set([file]);
  for (const path of reached) {
    const imports = known.get(path) ?? directImports(root, path);
    known.set(path, imports);
    for (const imported of imports) reached.add(imported);
  }
  return reached;
}

function directImports(root: string, path: string): ReadonlySet<string> {
  const absolute = join(root, path);
  // What is not there imports nothing; whoever needs it fails to load, loudly.
  if (!existsSync(absolute)) return new Set();
  return new Set(
    readSyntax(absolute)
      .imports.filter((specifier) => specifier.startsWith('.') && specifier.endsWith('.ts'))
      .map((specifier) => relative(root, join(dirname(absolute), specifier))),
  );
}
