/**
 * Stands in for `node:test` while mutants are tried: it keeps the tests of a file, so that they run again
 * and again in one process. What it lacks (mocks, hooks, snapshots) fails loudly.
 */

/** One test, with the names of what it stands in. */
export interface KeptTest {
  readonly title: string;
  readonly run: () => Promise<void>;
}

type Body = (context: TestContext) => unknown;
type Options = { readonly skip?: unknown; readonly todo?: unknown };

/** What a test body is handed. */
interface TestContext {
  readonly test: (title: string, ...rest: Rest) => Promise<void>;
  readonly diagnostic: (message: string) => void;
}

type Rest = readonly [Body] | readonly [Options, Body];

let kept: KeptTest[] = [];
const around: string[] = [];

/** Takes what was kept since the last time. */
export function takeTests(): readonly KeptTest[] {
  const taken = kept;
  kept = [];
  return taken;
}

/** A test, as `node:test` has it. */
export function test(title: string, ...rest: Rest): void {
  const [options, body] = parts(rest);
  if (Boolean(options.skip) || Boolean(options.todo)) return;
  kept.push({ title: [...around, title].join(' › '), run: () => perform(body) });
}

/** The other name of a test. */
export const it: typeof test = test;

/** A group of tests. */
export function describe(
  title: string,
  ...rest: readonly [() => void] | readonly [Options, () => void]
): void {
  const body = rest[1] ?? rest[0];
  if (typeof body !== 'function') throw new TypeError(`\`${title}\` has no body`);
  around.push(title);
  try {
    body();
  } finally {
    around.pop();
  }
}

function parts(rest: Rest): readonly [Options, Body] {
  return rest.length === 1 ? [{}, rest[0]] : rest;
}

async function perform(body: Body): Promise<void> {
  await body({
    test: (_title, ...rest) => perform(parts(rest)[1]),
    diagnostic: () => {},
  });
}
