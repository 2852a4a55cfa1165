/**
 * The text of an `exec:` credential reference: which program prints the secret. The inventory checks it
 * where it stands, and executors read it again at each lease. There is no shell and nothing is expanded.
 *
 * ```
 * reference = "exec:" *( setting " " ) word *( " " word )
 * setting   = ( "PATH=" / "HOME=" ) word
 * word      = 1*( plain / "'" *( any printable character but "'" ) "'" )
 * plain     = A-Z a-z 0-9 and % + , - . / : = @ _
 * ```
 */

/** How long an `exec:` reference may be, in characters. */
const COMMAND_LENGTH_MAX = 4096;

const PREFIX = 'exec:';
// mutant: it is asked about one character.
const PLAIN = /^[A-Za-z0-9%+,./:=@_-]$/u;
// mutant (pattern): the rest of the word is all that is left of it.
const SETTING = /^(PATH|HOME)=(.*)$/su;

/** A program that prints a credential. */
export interface CredentialCommand {
  /** The first word is an absolute path. */
  readonly argv: readonly string[];
  /** The whole environment of the program: `PATH` and `HOME` where the reference sets them. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A command, or where in the reference (in characters from its start) it is none, and why. */
export type CredentialCommandRead =
  | { readonly ok: true; readonly command: CredentialCommand }
  | { readonly ok: false; readonly offset: number; readonly message: string };

interface Word {
  readonly text: string;
  readonly offset: number;
}

/** Reads `exec:/absolute/path word word`. The words are references, no secrets: they are shown. */
export function readCredentialCommand(reference: string): CredentialCommandRead {
  if (!reference.startsWith(PREFIX)) return refused(0, 'an `exec:` reference begins with `exec:`');
  if (reference.length > COMMAND_LENGTH_MAX) {
    return refused(COMMAND_LENGTH_MAX, 'an `exec:` reference is too long');
  }
  const words = wordsOf(reference);
  if ('message' in words) return words;
  const environment: Record<string, string> = {};
  let count = 0;
  for (const { text, offset } of words) {
    // mutant: a setting has a value, if only an empty one.
    const [, name, value = ''] = SETTING.exec(text) ?? [];
    if (name === undefined) break;
    if (Object.hasOwn(environment, name)) return refused(offset, `\`${name}\` is set twice`);
    if (!value.startsWith('/')) return refused(offset, `\`${name}\` is no absolute path`);
    environment[name] = value;
    count += 1;
  }
  const argv = words.slice(count);
  const [program] = argv;
  if (program === undefined) return refused(reference.length, 'the program is missing');
  if (!program.text.startsWith('/') || /\/$|\/\.{0,2}(?:\/|$)/u.test(program.text)) {
    return refused(program.offset, 'the program is no plain absolute path');
  }
  return { ok: true, command: { argv: argv.map(({ text }) => text), environment } };
}

type Refused = Extract<CredentialCommandRead, { readonly ok: false }>;

function refused(offset: number, message: string): Refused {
  return { ok: false, offset, message };
}

/** Splits what follows the prefix; words are separated by one or more spaces. */
function wordsOf(reference: string): readonly Word[] | Refused {
  const words: Word[] = [];
  let at = PREFIX.length;
  while (at < reference.length) {
    if (reference[at] === ' ') {
      at += 1;
      continue;
    }
    const start = at;
    let text = '';
    while (at < reference.length && reference[at] !== ' ') {
      // mutant: the place lies within the reference.
      const character = reference[at] ?? '';
      if (character === "'") {
        const end = reference.indexOf("'", at + 1);
        if (end === -1) return refused(at, 'a quote is not closed');
        const quoted = reference.slice(at + 1, end);
        const control = quoted.search(/\p{Cc}/u);
        if (control !== -1) return refused(at + 1 + control, 'a control character');
        text += quoted;
        at = end + 1;
      } else if (PLAIN.test(character)) {
        text += character;
        at += 1;
      } else return refused(at, 'a character that stands only between single quotes');
    }
    words.push({ text, offset: start });
  }
  return words;
}
