/** `verify`: whether receipts and ledger exports are genuine, with nothing but a key policy file. */
import type { Command } from '../command.ts';

/** `verify`. */
export const verify: Command = {
  name: 'verify',
  summary: 'check receipts and ledger exports offline, with a key policy file',
  description:
    'Needs no daemon, no network and no database. Says of each file what was proved and what was not, and ends with 0 where every file is genuine, 1 where one is not, and 2 where nobody can tell: it is cut off, of an unknown version, or signed by no key that the policy names. With `--since`, a checkpoint that was kept elsewhere, an older copy and a second history of the ledger are found too.',
  arguments: [{ name: 'file', summary: 'receipts and ledger exports', many: true }],
  options: [
    {
      flags: '--trust <file>',
      summary: 'key policy file (C2SP tlog-policy): the keys of logs and witnesses to believe',
    },
    {
      flags: '--since <file>',
      summary: 'a checkpoint that was kept elsewhere; the ledger must continue it',
      many: true,
    },
  ],
  client: false,
  examples: [
    'exequatur verify 0193b2a0.receipt.json --trust ledger.policy',
    'exequatur verify ledger.export --trust ledger.policy --since checkpoint.2026-11-01',
  ],
  exits: [0, 1],
  async run(context, given) {
    // The verifier is a score of files that no other command needs.
    const { verifyFiles } = await import('../verify-files.ts');
    return verifyFiles(context, given);
  },
};
