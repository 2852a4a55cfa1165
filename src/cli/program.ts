/** Makes the parser from the command table, and runs what was asked for. */
import { Command as Parser, CommanderError, Option } from 'commander';
import { CliError, usageError } from './cli-error.ts';
import {
  CLIENT_OPTIONS,
  JSON_OPTION,
  type ArgumentSpec,
  type Command,
  type CommandContext,
  type Given,
  type OptionSpec,
} from './command.ts';
import { COMMANDS, GROUPS } from './command-table.ts';
import { EXITS, type ExitCode } from './exits.ts';
import { safeJson } from './safe-text.ts';
import type { ServerDoor } from './server-door.ts';
import { guarded, painterFor, writeError, type Terminal } from './terminal.ts';

/** What the entry in `bin/` hands over. */
export interface Entry {
  readonly terminal: Terminal;
  readonly version: string;
  readonly server: () => Promise<ServerDoor>;
}

/** Runs one command line, without the program's own name, and answers the exit code. */
export async function run(entry: Entry, words: readonly string[]): Promise<ExitCode> {
  const { terminal } = entry;
  let exit: ExitCode = 0;
  const parser = programOf(entry, (code) => {
    exit = code;
  });
  try {
    await parser.parseAsync(words, { from: 'user' });
    return exit;
  } catch (error) {
    const refused = cliErrorOf(error);
    if (refused === undefined) return 0;
    writeError(terminal, words.includes('--json'), refused);
    return refused.exit;
  }
}

/** `undefined` where nothing is wrong: help or the version was asked for. */
function cliErrorOf(error: unknown): CliError | undefined {
  if (error instanceof CliError) return error;
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return undefined;
  if (error.code === 'commander.help') {
    return usageError('this command needs another word', 'see the list above');
  }
  const [first = '', ...others] = error.message.replace(/^error: /u, '').split('\n');
  const suggestion = others.join(' ').replaceAll(/[()]/gu, '').trim();
  const near = /^Did you mean (.+)\?$/u.exec(suggestion)?.[1];
  const hint = near === undefined ? 'see `exequatur help`' : `did you mean \`${near}\`?`;
  return usageError(first.replaceAll("'", '`'), hint);
}

function programOf(entry: Entry, ended: (code: ExitCode) => void): Parser {
  const { stdout, stderr } = entry.terminal;
  const program = new Parser('exequatur')
    .description(
      'The execution layer for autonomous AI: should this exact action execute right now?',
    )
    .version(entry.version, '--version', 'print the version')
    .helpOption('--help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Errors are written by `run`, with a hint and as JSON where that is asked for.
      outputError: () => undefined,
    })
    .addHelpText('after', `\n${exitLines(Object.keys(EXITS)).join('\n')}`);
  for (const command of COMMANDS) addCommand(program, entry, command, ended);
  return program;
}

function inherit(from: Parser, to: Parser): Parser {
  return to.copyInheritedSettings(from).helpOption('--help', 'show help');
}

function addCommand(
  program: Parser,
  entry: Entry,
  command: Command,
  ended: (code: ExitCode) => void,
): void {
  const words = command.name.split(' ');
  const last = words.pop() ?? '';
  const parent = groupOf(program, words);
  const parser = inherit(parent, new Parser(last)).description(
    [command.summary, command.description].filter((text) => text !== undefined).join('\n'),
  );
  parser.summary(command.summary);
  for (const argument of command.arguments ?? []) {
    parser.argument(argumentSyntax(argument), argument.summary);
  }
  for (const option of optionsOf(command)) parser.addOption(optionOf(option));
  parser.addHelpText('after', helpAfter(command));
  parser.action(async () => {
    const given = givenOf(parser);
    ended(await command.run(contextOf(entry, given), given));
  });
  parent.addCommand(parser);
}

/** The parser of a command's words but the last, made where its first command needs it. */
function groupOf(program: Parser, words: readonly string[]): Parser {
  const last = words.at(-1);
  if (last === undefined) return program;
  const parent = groupOf(program, words.slice(0, -1));
  const known = parent.commands.find((group) => group.name() === last);
  if (known !== undefined) return known;
  const name = words.join(' ');
  const summary = GROUPS.find((group) => group.name === name)?.summary;
  if (summary === undefined) throw new Error(`the commands of \`${name}\` have no group`);
  const group = inherit(parent, new Parser(last)).description(summary);
  parent.addCommand(group);
  return group;
}

/** Every option a command takes, its own first. */
export function optionsOf(command: Command): readonly OptionSpec[] {
  return [...(command.options ?? []), ...(command.client ? CLIENT_OPTIONS : []), JSON_OPTION];
}

/** How an argument is written in a usage line. */
export function argumentSyntax({ name, optional, many }: ArgumentSpec): string {
  const text = many === true ? `${name}...` : name;
  return optional === true ? `[${text}]` : `<${text}>`;
}

function optionOf({ flags, summary, many }: OptionSpec): Option {
  const option = new Option(flags, summary);
  if (many !== true) {
    return option.argParser((value: string, before: unknown) => {
      if (before !== undefined) throw usageError(`\`${option.long ?? flags}\` is given twice`);
      return value;
    });
  }
  return option.argParser((value: string, before: unknown) => [
    ...(Array.isArray(before) ? before : []),
    value,
  ]);
}

function helpAfter(command: Command): string {
  const examples = command.examples.map((example) => `  $ ${example}`);
  return ['', 'Examples:', ...examples, '', ...exitLines([...command.exits, 2].map(String))].join(
    '\n',
  );
}

function exitLines(codes: readonly string[]): readonly string[] {
  const wanted = Object.entries(EXITS).filter(([code]) => codes.includes(code));
  return ['Exit codes:', ...wanted.map(([code, meaning]) => `  ${code}  ${meaning}`)];
}

function givenOf(parser: Parser): Given {
  const options: Readonly<Record<string, unknown>> = parser.opts();
  const valueOf = (name: string): unknown =>
    options[name.replaceAll(/-(\w)/gu, (_, letter: string) => letter.toUpperCase())];
  const text = (name: string): string | undefined => {
    const value = valueOf(name);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    words: parser.args,
    text,
    texts: (name) => {
      const value = valueOf(name);
      return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
    },
    flag: (name) => valueOf(name) === true,
  };
}

function contextOf(entry: Entry, given: Given): CommandContext {
  const { terminal } = entry;
  const json = given.flag('json');
  const wanted = {
    url: given.text('url'),
    data: given.text('data'),
    keyFile: given.text('key-file'),
    as: given.text('as'),
  };
  return {
    terminal,
    json,
    paint: painterFor(terminal.stdout, terminal.env),
    say: (line) => {
      if (!json) terminal.stdout.write(`${guarded(line)}\n`);
    },
    tell: (document) => {
      if (json) terminal.stdout.write(`${safeJson(document)}\n`);
    },
    // Schemas take a while to load; help and mistakes need none.
    api: async (wish) => (await import('./api.ts')).connect(terminal, wanted, wish),
    server: entry.server,
  };
}
