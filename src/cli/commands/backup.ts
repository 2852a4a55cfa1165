/** Backups: made by the daemon while it goes on, restored while none runs. */
import { CliError, usageError } from '../cli-error.ts';
import { word, type Command } from '../command.ts';
import { instantText } from '../render.ts';
import { safeText } from '../safe-text.ts';

/** `backup`. */
export const backup: Command = {
  name: 'backup',
  summary: 'copy the store into `backups/` of the data directory, while the layer goes on',
  description:
    'The copy is consistent and readable by its owner only. Copy it to another machine: it holds every payload, but no key and no credential.',
  arguments: [{ name: 'name', summary: 'name of the backup; the time if absent', optional: true }],
  client: true,
  examples: ['exequatur backup', 'exequatur backup before-upgrade'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['operator']);
    const name = word(given);
    const made = await api.call('backup', { body: name === '' ? {} : { name } });
    context.tell(made);
    context.say(`${safeText(made.path)} (${String(made.bytes)} bytes)`);
    return 0;
  },
};

/** `restore`. */
export const restore: Command = {
  name: 'restore',
  summary: 'put a backup in the place of a stopped store; the layer comes back halted',
  description:
    'What crossed, was revoked or was halted since the backup is not known to it. So every approval of a held action is dropped, what was executing becomes unknown at the next start, and a halt stands over everything until somebody has looked and ends it. A store that is there is moved aside, and only with `--force`. The ledger goes on as another log, whose first new entry names the newest checkpoint of the one before.',
  arguments: [{ name: 'file', summary: 'the backup' }],
  options: [
    { flags: '--data <directory>', summary: 'data directory to restore into' },
    {
      flags: '--keys <directory>',
      summary:
        'directory of the signing keys, as `ledger.keys` says; `keys` in the data directory if absent',
    },
    { flags: '--force', summary: 'replace the store that is there; it is moved aside' },
  ],
  client: false,
  examples: ['exequatur restore backups/before-upgrade.db --data data'],
  exits: [0, 1],
  async run(context, given) {
    const data = given.text('data');
    if (data === undefined) throw usageError('`--data` is needed', 'name the data directory');
    const keys = given.text('keys');
    const door = await context.server();
    const done = await door.restore({
      file: word(given),
      data,
      ...(keys === undefined ? {} : { keys }),
      force: given.flag('force'),
      from: context.terminal.directory,
    });
    if (done.kind === 'refused') {
      throw new CliError({ exit: 1, code: done.code, message: done.message, hint: done.hint });
    }
    context.tell(done);
    context.say(
      `restored into ${safeText(done.data)}; it knows nothing after ${instantText(done.knownUntil)}`,
    );
    if (done.replaced !== undefined)
      context.say(`the store that was there is ${safeText(done.replaced)}`);
    context.say(`approvals dropped: ${String(done.approvalsDropped)}`);
    context.say('another log begins: hand `exequatur signing show` to verifiers');
    context.say(
      'everything is halted: look at what crossed since then, repeat revocations and halts,',
    );
    context.say('then start the layer, and end the halt with `exequatur resume`');
    return 0;
  },
};
