/** Erases what one action carried. */
import { usageError } from '../cli-error.ts';
import { word, type Command } from '../command.ts';
import { findAction } from '../find-action.ts';
import { safeText } from '../safe-text.ts';
import { ID } from './actions.ts';

/** `erase`. */
export const erase: Command = {
  name: 'erase',
  summary: 'erase what one final action carried; what happened stays in the ledger',
  description:
    'Arguments, note, result, approvals and what it was decided from are erased at once, from the file and its log. Its row, digests, idempotency key and ledger entries stay, and every proof goes on holding. The reason stays in the ledger for good. An action that is held has to be withdrawn or rejected first. Backups made before still hold it all.',
  arguments: [ID],
  options: [{ flags: '--reason <text>', summary: 'why; recorded, and never erased' }],
  client: true,
  examples: ['exequatur erase 0193 --reason "request 17 of a data subject"'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const reason = given.text('reason');
    if (reason === undefined || reason.trim() === '') {
      throw usageError('`--reason` is needed', 'say why; it stays in the ledger');
    }
    const api = await context.api(['operator']);
    const id = await findAction(api, word(given));
    const done = await api.call('erase', { parameters: { id }, body: { reason } });
    context.tell(done);
    const already = done.before ? 'erased before' : `erased: ${String(done.payloads)} payloads`;
    context.say(`${already} · ${safeText(done.id)}`);
    return 0;
  },
};
