/** An empty start. */
import { CliError } from '../cli-error.ts';
import { word, type Command } from '../command.ts';
import { safeText } from '../safe-text.ts';

/** `init`. */
export const init: Command = {
  name: 'init',
  summary: 'write the files of an empty start: exequatur.yaml, inventory.yaml and policy.yaml',
  description:
    'They are valid as they are, deny everything, and say in comments how to go on. Nothing is ever overwritten: where one of them is there already, none is written.',
  arguments: [
    { name: 'directory', summary: 'where to write them; here if absent', optional: true },
  ],
  client: false,
  examples: ['exequatur init', 'exequatur init shop'],
  exits: [0, 1],
  async run(context, given) {
    const door = await context.server();
    const directory = word(given) === '' ? '.' : word(given);
    const done = await door.init({ directory, from: context.terminal.directory });
    if (done.kind === 'refused') {
      throw new CliError({ exit: 1, code: done.code, message: done.message, hint: done.hint });
    }
    const files = done.files;
    const [config = ''] = files;
    const next = [
      `exequatur policy check --config ${config}`,
      `exequatur serve --config ${config}`,
      'exequatur person add NAME --role lead',
      'exequatur agent add NAME --owner PERSON --role release',
    ];
    context.tell({ files, next });
    for (const file of files) context.say(`wrote ${safeText(file)}`);
    context.say('next: declare a target in the inventory, allow something in the policy, then');
    for (const line of next) context.say(`  ${safeText(line)}`);
    return 0;
  },
};
