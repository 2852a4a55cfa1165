/**
 * The words of one command line as a shell would split it. Nothing is run, expanded or read: where a
 * shell would do any of that, the line is refused at that character. UNTRUSTED: the line is from a web
 * page, as often as not.
 */
import { IMPORT_LIMITS, refuseImport, type ImportCode } from './draft.ts';

/** A word with the character it begins at, from 1. */
export interface ShellWord {
  readonly text: string;
  readonly at: number;
}

/** Splits a line. Refusals: the `shell_…` codes of `IMPORT_CODES`, with the character as position. */
export function shellWords(line: string): readonly ShellWord[] {
  if (line.length > IMPORT_LIMITS.commandLengthMax) {
    const limit = String(IMPORT_LIMITS.commandLengthMax);
    refuseImport('import_too_large', `the line has more than ${limit} characters`);
  }
  return new Splitting(line).words();
}

class Splitting {
  readonly #line: string;
  readonly #words: ShellWord[] = [];
  #index = 0;
  /** The word being read; `undefined` between words. */
  #parts: string[] | undefined;
  #start = 0;

  constructor(line: string) {
    this.#line = line;
  }

  words(): readonly ShellWord[] {
    while (this.#index < this.#line.length) this.#step();
    this.#end();
    return this.#words;
  }

  #step(): void {
    const character = this.#line[this.#index] ?? '';
    switch (character) {
      case ' ':
      case '\t':
        this.#end();
        break;
      case "'":
        this.#single();
        break;
      case '"':
        this.#double();
        break;
      case '\\':
        this.#escape();
        break;
      case '#':
        if (this.#parts === undefined) this.#refuse('shell_comment', 'a comment begins');
        this.#add(character);
        break;
      default:
        this.#refuseActive(character);
        this.#add(character);
    }
    this.#index += 1;
  }

  #add(text: string): void {
    if (this.#parts === undefined) {
      this.#parts = [];
      this.#start = this.#index;
    }
    if (text !== '') this.#parts.push(text);
  }

  #end(): void {
    if (this.#parts === undefined) return;
    this.#words.push({ text: this.#parts.join(''), at: this.#start + 1 });
    this.#parts = undefined;
  }

  /** Everything up to the next single quote is what it is. */
  #single(): void {
    const end = this.#line.indexOf("'", this.#index + 1);
    if (end === -1) this.#refuse('shell_quote_open', 'a quote begins and does not end');
    // An empty pair of quotes is a word too.
    this.#add(this.#line.slice(this.#index + 1, end));
    this.#index = end;
  }

  #double(): void {
    const start = this.#index;
    this.#add('');
    for (this.#index += 1; this.#index < this.#line.length; this.#index += 1) {
      const character = this.#line[this.#index] ?? '';
      if (character === '"') return;
      if (character === '\\') this.#escapeInDouble();
      else {
        if (character === '$' || character === '`') this.#refuseActive(character);
        this.#add(character);
      }
    }
    this.#index = start;
    this.#refuse('shell_quote_open', 'a quote begins and does not end');
  }

  /** A backslash within double quotes escapes only what would be active there. */
  #escapeInDouble(): void {
    const next = this.#line[this.#index + 1] ?? '';
    if (next === '\n') this.#index += 1;
    else if (next !== '' && '$`"\\'.includes(next)) {
      this.#add(next);
      this.#index += 1;
    } else this.#add('\\');
  }

  #escape(): void {
    const rest = this.#line.slice(this.#index + 1, this.#index + 3);
    const lineEnd = /^\r?\n/u.exec(rest)?.[0];
    if (lineEnd !== undefined) {
      // A line goes on in the next one.
      this.#index += lineEnd.length;
      return;
    }
    const next = this.#line[this.#index + 1];
    if (next === undefined) this.#refuse('shell_quote_open', 'the line ends in a backslash');
    this.#add(next);
    this.#index += 1;
  }

  /** Refuses what a shell would act on. */
  #refuseActive(character: string): void {
    const next = this.#line[this.#index + 1] ?? '';
    switch (character) {
      case '`':
        return this.#refuse('shell_substitution', 'a backtick runs a command');
      case '$':
        if (next === '(') return this.#refuse('shell_substitution', '`$(` runs a command');
        // A dollar before anything else is a dollar.
        if (/[\w{?!@*#$'"-]/u.test(next))
          this.#refuse('shell_variable', '`$` stands for something');
        return;
      case '<':
      case '>':
        if (next === '(') return this.#refuse('shell_substitution', 'a parenthesis runs a command');
        return this.#refuse('shell_redirection', `\`${character}\` redirects`);
      case '\n':
      case '\r':
        // Nothing but blanks may follow the line.
        if (this.#line.slice(this.#index).trim() === '') return this.#end();
        return this.#refuse('shell_operator', 'a second line begins');
      case ';':
      case '|':
      case '&':
      case '(':
      case ')':
        return this.#refuse('shell_operator', `\`${character}\` ends the command`);
      default:
    }
  }

  #refuse(code: ImportCode, message: string): never {
    const position = String(this.#index + 1);
    return refuseImport(code, `${message} at character ${position}; nothing is run here`, position);
  }
}
