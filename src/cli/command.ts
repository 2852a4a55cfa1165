/**
 * What a command is: one record that the parser, the help and docs/cli.md are all made from. Each
 * command is a file in `commands/`, and `command-table.ts` lists them.
 */
import type { Api, KeyWish } from './api.ts';
import type { ExitCode } from './exits.ts';
import type { ServerDoor } from './server-door.ts';
import type { Paint, Terminal } from './terminal.ts';

/** A positional argument. */
export interface ArgumentSpec {
  readonly name: string;
  readonly summary: string;
  readonly optional?: true;
  /** Takes everything that is left. */
  readonly many?: true;
}

/** An option such as `--owner <person>`; without a value in angle brackets it is a flag. */
export interface OptionSpec {
  readonly flags: string;
  readonly summary: string;
  /** May be given more than once. */
  readonly many?: true;
}

/** One command. */
export interface Command {
  /** The words it is called by, such as `agent add`. */
  readonly name: string;
  readonly summary: string;
  /** Sentences for help and docs, where the summary does not say everything. */
  readonly description?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** Talks to the daemon: takes `--url`, `--data`, `--key-file` and `--as`. */
  readonly client: boolean;
  readonly examples: readonly string[];
  /** The exit codes besides 2 (used wrongly) that it ends with. */
  readonly exits: readonly ExitCode[];
  run(context: CommandContext, given: Given): Promise<ExitCode>;
}

/** What was given on the command line. */
export interface Given {
  readonly words: readonly string[];
  /** The value of an option by its long name without dashes, or `undefined`. */
  text(option: string): string | undefined;
  texts(option: string): readonly string[];
  flag(option: string): boolean;
}

/** What a command works with. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly paint: Paint;
  /** One line for people; nothing with `--json`. */
  say(line: string): void;
  /** One JSON document on one line; nothing without `--json`. */
  tell(document: unknown): void;
  /** The daemon, with the key that this command needs. */
  api(wish: KeyWish): Promise<Api>;
  /** Loaded only by the commands that run or check a layer in this process. */
  server(): Promise<ServerDoor>;
}

/** The options of every command that talks to the daemon. */
export const CLIENT_OPTIONS: readonly OptionSpec[] = [
  { flags: '--url <url>', summary: 'address of the daemon (or EXEQUATUR_URL)' },
  {
    flags: '--data <directory>',
    summary: 'data directory of the daemon (or EXEQUATUR_DATA; ./.exequatur or ./data if there)',
  },
  {
    flags: '--key-file <file>',
    summary: 'file that holds the key (or EXEQUATUR_KEY); a key is never an argument',
  },
  { flags: '--as <name>', summary: 'use the key `keys/NAME.key` of the data directory' },
];

/** The option of every command. */
export const JSON_OPTION: OptionSpec = {
  flags: '--json',
  summary: 'one JSON document, or one a line; errors are JSON on standard error too',
};

/** The only positional word, or the nth. */
export function word(given: Given, index = 0): string {
  return given.words[index] ?? '';
}
