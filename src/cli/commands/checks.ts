/** Checks of what is on disk: the policy as it would be loaded, and the systems behind the inventory. */
import { CliError } from '../cli-error.ts';
import type { Command, CommandContext } from '../command.ts';
import { problemLines } from '../render.ts';
import { safeText } from '../safe-text.ts';
import type { DocumentProblem } from '../../protocol/errors.ts';

const CONFIG = {
  flags: '--config <file>',
  summary: 'configuration file (exequatur.yaml)',
} as const;

/** `policy check`. */
export const policyCheck: Command = {
  name: 'policy check',
  summary: 'check policy files as a start would, without starting',
  description:
    'Checks the files named, or those of the configuration, against the inventory: every problem with file, line and column. Also tells of rules that can never decide anything, because another one always does, and of those in shadow.',
  arguments: [{ name: 'file', summary: 'policy files', optional: true, many: true }],
  options: [
    CONFIG,
    { flags: '--inventory <file>', summary: 'inventory instead of the configured one' },
  ],
  client: false,
  examples: [
    'exequatur policy check',
    'exequatur policy check policy/shop.yaml --inventory inventory.yaml',
  ],
  exits: [0, 1],
  async run(context, given) {
    const door = await context.server();
    const checked = await door.policyCheck({
      directory: context.terminal.directory,
      config: given.text('config') ?? 'exequatur.yaml',
      files: given.words,
      inventory: given.text('inventory'),
    });
    context.tell(checked);
    sayProblems(context, checked.problems);
    const errors = checked.problems.filter(({ severity }) => severity === 'error').length;
    if (errors > 0 || checked.digest === undefined) {
      throw new CliError({
        exit: 1,
        code: 'configuration_invalid',
        message: `${String(errors)} ${errors === 1 ? 'error' : 'errors'}`,
        hint: 'a layer with these files refuses to start, and keeps its last good epoch at a reload',
      });
    }
    context.say(
      `${checked.files.map(safeText).join(', ')}: ${String(checked.rules)} rules, good · ${checked.digest}`,
    );
    return 0;
  },
};

/** `inventory probe`. */
export const inventoryProbe: Command = {
  name: 'inventory probe',
  summary: 'ask every system of the inventory who it is, and compare with what was reviewed',
  description:
    'Prints the lock file as it is and as it would be. `--write` writes it; review the change like code before the layer reads it again.',
  options: [CONFIG, { flags: '--write', summary: 'write the lock file' }],
  client: false,
  examples: ['exequatur inventory probe', 'exequatur inventory probe --write'],
  exits: [0, 1, 3],
  async run(context, given) {
    const door = await context.server();
    const probed = await door.inventoryProbe({
      config: given.text('config') ?? 'exequatur.yaml',
      write: given.flag('write'),
    });
    context.tell(probed);
    sayProblems(context, probed.problems);
    for (const { target, message } of probed.failures) {
      context.say(`${context.paint('bad', '✗')} ${safeText(target)}: ${safeText(message)}`);
    }
    const moved = probed.changes.some(({ sign }) => sign !== ' ');
    if (moved) {
      for (const { sign, text } of probed.changes) {
        const line = `${sign} ${safeText(text)}`;
        context.say(sign === ' ' ? line : context.paint(sign === '+' ? 'good' : 'bad', line));
      }
    }
    const bad =
      probed.failures.length > 0 || probed.problems.some(({ severity }) => severity === 'error');
    if (bad) {
      throw new CliError({
        exit: 1,
        code: 'probe_failed',
        message: 'not every system could be asked; nothing was written',
        hint: 'a target whose system cannot be asked resolves to nothing, and nothing crosses to it',
      });
    }
    if (!moved) context.say('nothing moved');
    else if (probed.written) context.say(`written to ${safeText(probed.lockFile)}`);
    else context.say('nothing was written; `--write` writes it');
    return moved && !probed.written ? 3 : 0;
  },
};

function sayProblems(context: CommandContext, problems: readonly DocumentProblem[]): void {
  for (const problem of problems) {
    for (const line of problemLines(problem, context.paint)) context.say(line);
  }
}
