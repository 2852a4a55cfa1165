/**
 * Survivors that no test can find are explained beside the code: `// mutant: why`, at the end of the line
 * or above it. An explanation with a word in brackets, `// mutant (boundary): why`, speaks of that mutator
 * alone. It holds for every mutant that begins on its line.
 */
import { lineOf } from './mutators.ts';
import type { Syntax } from './syntax.ts';

/** One explanation, and the line of code that it is about. */
export interface Explanation {
  readonly line: number;
  /** The mutator it speaks of; absent, it speaks of all. */
  readonly mutator?: string;
  readonly why: string;
}

const FORM = /^\s*mutant(?: \(([a-z]+)\))?: (.+)$/u;

/** The explanations of a file. */
export function explanationsOf(syntax: Syntax): readonly Explanation[] {
  const lines = syntax.text.split('\n');
  return syntax.comments.flatMap(({ value, start }): Explanation[] => {
    const [, mutator, why] = FORM.exec(value) ?? [];
    if (why === undefined) return [];
    const line = codeLine(lines, lineOf(syntax.text, start));
    return [{ line, why, ...(mutator === undefined ? {} : { mutator }) }];
  });
}

/** The line of the comment, or the first below it that is no comment. */
function codeLine(lines: readonly string[], from: number): number {
  let line = from;
  while (/^\s*\/\//u.test(lines[line - 1] ?? '')) line += 1;
  return line;
}
