/** What is on disk, in another form: the inventory as types, and a policy of TypeScript as YAML. */
import { CliError } from '../cli-error.ts';
import { word, type Command } from '../command.ts';
import { problemLines } from '../render.ts';

/** `inventory types`. */
export const inventoryTypes: Command = {
  name: 'inventory types',
  summary: 'print the inventory as TypeScript types',
  description:
    'Targets, operations, arguments and measures, for `definePolicy` of `exequatur/policy` and for agents in TypeScript.',
  options: [
    { flags: '--config <file>', summary: 'configuration file (exequatur.yaml)' },
    { flags: '--inventory <file>', summary: 'inventory instead of the configured one' },
  ],
  client: false,
  examples: [
    'exequatur inventory types > inventory.types.ts',
    'exequatur inventory types --inventory shop/inventory.yaml',
  ],
  exits: [0, 1],
  async run(context, given) {
    const door = await context.server();
    const { text, problems } = await door.inventoryTypes({
      directory: context.terminal.directory,
      config: given.text('config') ?? 'exequatur.yaml',
      inventory: given.text('inventory'),
    });
    context.tell({ text, problems });
    if (text !== undefined) {
      for (const line of text.trimEnd().split('\n')) context.say(line);
      return 0;
    }
    for (const problem of problems) {
      for (const line of problemLines(problem, context.paint)) context.say(line);
    }
    throw new CliError({
      exit: 1,
      code: 'inventory_invalid',
      message: 'the inventory has errors; no types were written',
      hint: 'correct what is listed above',
    });
  },
};

/** `policy print`. */
export const policyPrint: Command = {
  name: 'policy print',
  summary: 'print a policy that is written in TypeScript as the document a layer loads',
  description:
    'The file exports it as `policy`, made by `definePolicy` of `exequatur/policy`. The file is run by this command, with your rights; a layer loads only what is printed.',
  arguments: [{ name: 'file', summary: 'the TypeScript or JavaScript file' }],
  client: false,
  examples: ['exequatur policy print policy.ts > policy.yaml'],
  exits: [0, 1],
  async run(context, given) {
    const door = await context.server();
    const { directory } = context.terminal;
    const printed = await door.policyPrint({ directory, file: word(given) });
    if (printed.text === undefined) {
      throw new CliError({
        exit: 1,
        code: printed.code,
        message: printed.message,
        ...(printed.code === 'policy_not_exported'
          ? { hint: 'write `export const policy = definePolicy({ … })`' }
          : {}),
      });
    }
    context.tell(JSON.parse(printed.text));
    for (const line of printed.text.trimEnd().split('\n')) context.say(line);
    return 0;
  },
};
