/**
 * Where a command writes and reads. People get lines with colours where the terminal has them;
 * programs get JSON. Everything from the wire passes `safeText` before it gets here.
 */
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { CliError } from './cli-error.ts';
import { safeBlock, safeJson, safeText } from './safe-text.ts';

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean };

/** The world as a command sees it. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
}

/** The styles used; each has one meaning everywhere. */
export type Style = 'good' | 'bad' | 'waiting' | 'quiet' | 'strong';

const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  good: [32, 39],
  bad: [31, 39],
  waiting: [33, 39],
  quiet: [2, 22],
  strong: [1, 22],
};

/** Exactly the sequences that {@link painterFor} makes. */
// oxlint-disable-next-line no-control-regex
const COLOUR = /(\u001B\[(?:1|2|22|31|32|33|39)m)/u;

/** Paints text, or leaves it where the output is no terminal or colours are not wanted. */
export type Paint = (style: Style, text: string) => string;

/** The painter for one output. `NO_COLOR` with any value but the empty one turns colours off. */
export function painterFor(output: Output, env: Terminal['env']): Paint {
  const wanted = output.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return (style, text) => {
    const [on, off] = CODES[style];
    return wanted ? `\u001B[${String(on)}m${text}\u001B[${String(off)}m` : text;
  };
}

/**
 * A line as it goes to an output, whatever a command forgot: nothing but text, line ends and the
 * colours of {@link painterFor}.
 */
export function guarded(line: string): string {
  return line
    .split(COLOUR)
    .map((part) => (COLOUR.test(part) ? part : safeBlock(part)))
    .join('');
}

/** The style in which a state is shown. */
export function styleOfState(state: string): Style {
  if (state === 'succeeded') return 'good';
  if (state === 'held' || state === 'executing') return 'waiting';
  return state === 'withdrawn' || state === 'expired' ? 'quiet' : 'bad';
}

/** Columns as wide as their widest cell, two spaces between; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  );
}

/** Columns a cell takes: colours take none, East Asian wide characters two. */
function widthOf(cell: string): number {
  const plain = cell
    .split(COLOUR)
    .filter((part) => !COLOUR.test(part))
    .join('');
  let width = 0;
  for (const character of plain) width += widthOfCharacter(character);
  return width;
}

const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}|[\u{20000}-\u{3FFFD}]/u;

function widthOfCharacter(character: string): number {
  if (/^\p{M}$/u.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Writes the error as people or programs read it: one line, and what to do. */
export function writeError(terminal: Terminal, json: boolean, error: CliError): void {
  const { code, message, hint } = error;
  if (json) {
    const document = { error: { code, message, ...(hint === undefined ? {} : { hint }) } };
    terminal.stderr.write(`${safeJson(document)}\n`);
    return;
  }
  const paint = painterFor(terminal.stderr, terminal.env);
  terminal.stderr.write(`${paint('bad', 'error:')} ${safeText(message)}\n`);
  if (hint !== undefined) terminal.stderr.write(`${paint('strong', 'hint:')} ${safeText(hint)}\n`);
}

/** Asks a person for a line; the answer is `undefined` where the input ended. */
export async function askLine(terminal: Terminal, question: string): Promise<string | undefined> {
  const lines = createInterface({ input: terminal.stdin, output: terminal.stderr });
  const ended = new Promise<undefined>((resolve) => {
    lines.once('close', () => resolve(undefined));
  });
  try {
    return await Promise.race([lines.question(question), ended]);
  } finally {
    lines.close();
  }
}

/** Everything on standard input as text, up to a limit. */
export async function readInput(terminal: Terminal, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of terminal.stdin) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > bytesMax) {
      throw new CliError({
        exit: 2,
        code: 'input_too_large',
        message: `standard input has more than ${String(bytesMax)} bytes`,
      });
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
