/** Inventories made from what systems say about themselves: drafts, for a person to read and correct. */
import { CliError } from '../cli-error.ts';
import { word, type Command, type CommandContext, type Given } from '../command.ts';
import type { ExitCode } from '../exits.ts';
import { problemLines } from '../render.ts';
import type { ImportOptions } from '../server-door.ts';

const OPTIONS = [
  { flags: '--target <name>', summary: 'name of the target' },
  { flags: '--write <file>', summary: 'write it to a file that is not there yet' },
] as const;

/** `inventory import openapi`. */
export const importOpenapi: Command = {
  name: 'inventory import openapi',
  summary: 'make operations from an OpenAPI 3 document, as a draft',
  description:
    'Prints an inventory with every operation, its arguments, and a guessed kind with the reason for the guess. Read it before a layer does: whatever stands in it, an agent can propose. References that lead out of the document are refused.',
  arguments: [{ name: 'document', summary: 'file or address of the document, JSON or YAML' }],
  options: OPTIONS,
  client: false,
  examples: [
    'exequatur inventory import openapi pay.yaml',
    'exequatur inventory import openapi https://api.pay.example/openapi.json --write inventory.yaml',
  ],
  exits: [0, 1],
  run: (context, given) => runImport('openapi', context, given),
};

/** `inventory import curl`. */
export const importCurlLine: Command = {
  name: 'inventory import curl',
  summary: 'make an operation from one curl command, as a draft',
  description:
    'Nothing is run or sent: a line in which a shell would run, read or replace anything is refused at that character. What it holds as examples becomes arguments; secrets are left out, and a reference stands in their place.',
  arguments: [{ name: 'line', summary: 'the whole command, in quotes' }],
  options: OPTIONS,
  client: false,
  examples: [
    "exequatur inventory import curl 'curl https://api.pay.example/v1/refunds -d charge=ch_3P -d amount=4990'",
  ],
  exits: [0, 1],
  run: (context, given) => runImport('curl', context, given),
};

async function runImport(
  from: ImportOptions['from'],
  context: CommandContext,
  given: Given,
): Promise<ExitCode> {
  const door = await context.server();
  const { directory } = context.terminal;
  const imported = await door.inventoryImport({
    from,
    source: word(given),
    directory,
    target: given.text('target'),
    write: given.text('write'),
  });
  if (imported.kind === 'refused') {
    const { code, message } = imported;
    const hint = HINTS[code];
    throw new CliError({ exit: 1, code, message: placed(message, imported.position), hint });
  }
  const { text, operations, file, problems } = imported;
  context.tell({ text, operations, problems, ...(file === undefined ? {} : { file }) });
  if (file === undefined) for (const line of text.trimEnd().split('\n')) context.say(line);
  else
    context.say(
      `${String(operations)} operations written to ${file}; read them before a layer does`,
    );
  for (const problem of problems) {
    for (const line of problemLines(problem, context.paint)) context.say(line);
  }
  if (problems.length === 0) return 0;
  throw new CliError({
    exit: 1,
    code: 'draft_incomplete',
    message: `the draft needs a hand in ${String(problems.length)} places`,
    hint: 'correct what is listed; a layer with it as it is refuses to start',
  });
}

function placed(message: string, position: string | undefined): string {
  if (position === undefined || message.includes('at character')) return message;
  const where = /^\d+$/u.test(position) ? `character ${position}` : `\`${position}\``;
  return `${message} (${where})`;
}

/** What to do about a refusal, where there is something. */
const HINTS: Readonly<Record<string, string>> = {
  remote_reference: 'bundle the document into one file first',
  document_not_openapi: 'OpenAPI 3.0 and 3.1 are read, as JSON or YAML',
  file_exists: 'choose another name, and move over what you want of it',
  shell_substitution: 'write what the command would give in its place',
  shell_variable: 'write the value in its place; secrets are left out anyway',
  shell_operator: 'give one command, with its address in quotes',
  shell_redirection: 'leave it out: nothing is fetched',
  file_reference: 'write a small example of the body in its place',
  not_curl: "give the whole command in quotes: 'curl https://…'",
  option_unknown: 'leave it out where the request is the same without it',
};
