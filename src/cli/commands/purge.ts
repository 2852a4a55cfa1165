/** Erases what old actions carried. */
import { usageError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { parseDurationMs } from '../duration.ts';

/** What the layer keeps at least, so that a proposal that is repeated is answered whole. */
const KEPT_MS_MIN = 86_400_000;

/** `purge`. */
export const purge: Command = {
  name: 'purge',
  summary: 'erase what old final actions carried; what happened stays in the ledger',
  description:
    'Arguments, notes, results, approvals and what was decided from are erased, of actions that last changed so long ago: a day at least. Rows, digests, idempotency keys and ledger entries stay. `retention` in the configuration does the same by itself. Backups made before still hold it all.',
  options: [
    { flags: '--older-than <duration>', summary: 'such as 90d' },
    { flags: '--dry-run', summary: 'only say what would be erased' },
  ],
  client: true,
  examples: ['exequatur purge --older-than 90d --dry-run', 'exequatur purge --older-than 90d'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const text = given.text('older-than') ?? '';
    const olderThanMs = parseDurationMs(text);
    if (olderThanMs === undefined) {
      throw usageError('`--older-than` is needed, and is a duration', 'such as `--older-than 90d`');
    }
    if (olderThanMs < KEPT_MS_MIN) {
      throw usageError(
        `\`${text}\` is less than a day`,
        'what is younger than a day is never erased',
      );
    }
    const dryRun = given.flag('dry-run');
    const api = await context.api(['operator']);
    let [actions, payloads, complete] = [0, 0, false];
    while (!complete) {
      const done = await api.call('purge', { body: { olderThanMs, dryRun } });
      actions += done.actions;
      payloads += done.payloads;
      // A trial would count the same ones again.
      complete = done.complete || dryRun;
    }
    context.tell({ actions, payloads, dryRun });
    const verb = dryRun ? 'would be erased' : 'erased';
    context.say(`${verb}: ${String(actions)} actions, ${String(payloads)} payloads`);
    return 0;
  },
};
