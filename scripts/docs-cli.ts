/**
 * Writes docs/cli.md from the command table, which parser and help are made from too.
 *
 * `node scripts/docs-cli.ts` writes it; a test holds that it is current.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import type { Command, OptionSpec } from '../src/cli/command.ts';
import { CLIENT_OPTIONS, JSON_OPTION } from '../src/cli/command.ts';
import { COMMANDS } from '../src/cli/command-table.ts';
import { EXITS } from '../src/cli/exits.ts';
import { argumentSyntax } from '../src/cli/program.ts';

/** Where the documentation of the command stands. */
export const DOCS_FILE: string = fileURLToPath(new URL('../docs/cli.md', import.meta.url));

/** The whole file as it should be. */
export async function docsOfCommand(): Promise<string> {
  const text = [
    '# The command',
    '<!-- Written by scripts/docs-cli.ts from the command table; change it there. -->',
    '`exequatur` runs a layer (`dev`, `serve`), checks its files (`policy check`, `inventory probe`), and is a thin client of the one daemon for everything else.',
    '## What all commands share',
    'Every command takes `--help` and `--json`. With `--json`, standard output holds one JSON document, or one a line for lists, and errors are JSON on standard error: `{"error":{"code","message","hint"}}`. Without it, errors are two lines, `error:` and `hint:`. An error that no command foresaw is one line too, `exequatur:` and a hint; `EXEQUATUR_DEBUG=1` shows its trace. Colours are used on terminals only; `NO_COLOR` turns them off. What an agent or a target wrote is printed with every control and bidirectional character shown by its name.',
    'Commands that talk to the daemon find it by `--url`, `EXEQUATUR_URL`, or the `daemon.json` that it leaves in its data directory: `--data`, `EXEQUATUR_DATA`, else `./.exequatur` or `./data`. They find a key by `--key-file`, `--as`, or `EXEQUATUR_KEY`; what the operator may do uses the operator’s key of the data directory unless another is given. A key is never an argument: other users of the machine can read those.',
    'Ids of actions and halts may be cut short as long as they mean one.',
    optionTable([...CLIENT_OPTIONS, JSON_OPTION]),
    '## Exit codes',
    ['| code | meaning |', '| --- | --- |', ...exitRows()].join('\n'),
    ...COMMANDS.map(sectionOf),
  ].join('\n\n');
  const style = (await resolveConfig(DOCS_FILE)) ?? {};
  return format(text, { ...style, parser: 'markdown' });
}

function sectionOf(command: Command): string {
  const { name, summary, description, examples, exits } = command;
  const words = (command.arguments ?? []).map(argumentSyntax);
  const usage = ['exequatur', name, ...words, '[options]'].join(' ');
  const codes = exits.map(String).join(', ');
  return [
    `## ${name}`,
    `${sentence(summary)}${description === undefined ? '' : ` ${description}`}`,
    `\`\`\`\n${usage}\n\`\`\``,
    ...(command.arguments === undefined
      ? []
      : [command.arguments.map((each) => `- \`${each.name}\`: ${each.summary}`).join('\n')]),
    ...(command.options === undefined ? [] : [optionTable(command.options)]),
    `\`\`\`sh\n${examples.join('\n')}\n\`\`\``,
    `Ends with ${codes}, or 2 where it is used wrongly.${command.client ? '' : ' Needs no daemon.'}`,
  ].join('\n\n');
}

function optionTable(options: readonly OptionSpec[]): string {
  const rows = options.map(({ flags, summary }) => `| \`${flags}\` | ${summary} |`);
  return ['| option | meaning |', '| --- | --- |', ...rows].join('\n');
}

function exitRows(): readonly string[] {
  return Object.entries(EXITS).map(([code, meaning]) => `| ${code} | ${meaning} |`);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

if (import.meta.main) writeFileSync(DOCS_FILE, await docsOfCommand());
