/**
 * What is fuzzed: a parser with documents that it takes, words that mean something to it, and the codes
 * with which it may refuse. Everything else that it does with an input is a defect: another error, an
 * unknown code, a message over several lines, more time or memory than its bounds.
 */
import type { Random } from './random.ts';

/** What became of one input. */
export type Taken = 'accepted' | { readonly refusedWith: readonly string[] };

/** A subject that is ready for cases. */
export interface Running {
  /** Makes an input from these numbers and gives it to the parser. Throws a {@link Defect} or whatever the parser threw. */
  readonly run: (random: Random) => Taken | Promise<Taken>;
  readonly close: () => Promise<void>;
}

/** One parser. */
export interface Subject {
  readonly name: string;
  /** The codes that refusals may have. */
  readonly codes: ReadonlySet<string>;
  readonly open: () => Promise<Running>;
}

/** The parser did with this input what no parser may do. */
export class Defect extends Error {
  override readonly name = 'Defect';
  readonly input: string;

  constructor(message: string, input: string, options?: ErrorOptions) {
    super(message, options);
    this.input = input;
  }
}

/** A refusal as documents have it: code, position and message of everything that is wrong. */
export interface Told {
  readonly code: string;
  readonly message: string;
}

/** The codes of these refusals. Throws where a message is not one line. */
export function refusedWith(problems: readonly Told[]): Taken {
  for (const { code, message } of problems) {
    if (/[\n\r]/u.test(message)) throw new Error(`the message of \`${code}\` has several lines`);
    if (/^\s*at \S+ \(/mu.test(message)) throw new Error(`\`${code}\` tells where the code stands`);
  }
  return { refusedWith: problems.map(({ code }) => code) };
}
