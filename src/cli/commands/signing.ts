/** The keys that sign checkpoints, receipts and permits: shown to verifiers, rotated with overlap. */
import { CliError } from '../cli-error.ts';
import type { Command, CommandContext, Given } from '../command.ts';
import { safeText } from '../safe-text.ts';
import type { Refused, SigningOptions } from '../server-door.ts';

const WHERE = [
  {
    flags: '--config <file>',
    summary: 'the configuration that says where the keys lie; ./exequatur.yaml if neither is given',
  },
  { flags: '--data <directory>', summary: 'the data directory, where nothing else is configured' },
] as const;

/** `signing show`. */
export const signingShow: Command = {
  name: 'signing show',
  summary: 'print the public keys as a key policy, for whoever verifies',
  description:
    'The policy (C2SP tlog-policy) names the log with every key that signs it now; retired keys, and other logs such as the one before a restore, stand there as comments. Hand it to verifiers by a way that agents cannot change.',
  options: [
    ...WHERE,
    { flags: '--log <origin>', summary: 'the log that the policy is for; the newest if absent' },
  ],
  client: false,
  examples: ['exequatur signing show > ledger.policy'],
  exits: [0, 1],
  async run(context, given) {
    const door = await context.server();
    const shown = orThrow(
      await door.signingShow({ ...optionsOf(context, given), log: given.text('log') }),
    );
    context.tell(shown);
    for (const line of shown.policy.slice(0, -1).split('\n')) context.say(safeText(line));
    return 0;
  },
};

/** `signing rotate`. */
export const signingRotate: Command = {
  name: 'signing rotate',
  summary: 'make the next signing key; from the next start on both sign',
  description:
    'A running layer goes on with the key it has until it is restarted. While both sign, a verifier that knows either is satisfied: hand out the new policy, then retire the older key.',
  options: WHERE,
  client: false,
  examples: ['exequatur signing rotate'],
  exits: [0, 1],
  async run(context, given) {
    const door = await context.server();
    const done = orThrow(await door.signingRotate(optionsOf(context, given)));
    context.tell(done);
    context.say(`${safeText(done.file)} signs from the next start on, beside the key before it`);
    context.say('hand `exequatur signing show` to verifiers, then `exequatur signing retire`');
    return 0;
  },
};

/** `signing retire`. */
export const signingRetire: Command = {
  name: 'signing retire',
  summary: 'put the older of two signing keys aside; from the next start on it signs no more',
  description:
    'What it signed stays verifiable for whoever still trusts it. Destroy its file where somebody may have read it.',
  options: WHERE,
  client: false,
  examples: ['exequatur signing retire'],
  exits: [0, 1],
  async run(context, given) {
    const door = await context.server();
    const done = orThrow(await door.signingRetire(optionsOf(context, given)));
    context.tell(done);
    context.say(`retired: ${safeText(done.file)}; it signs no more from the next start on`);
    return 0;
  },
};

function optionsOf({ terminal }: CommandContext, given: Given): SigningOptions {
  return { config: given.text('config'), data: given.text('data'), from: terminal.directory };
}

function orThrow<Done extends { readonly kind: string }>(done: Done | Refused): Done {
  if (!isRefused(done)) return done;
  const { code, message, hint } = done;
  throw new CliError({ exit: 1, code, message, ...(hint === undefined ? {} : { hint }) });
}

function isRefused(done: { readonly kind: string }): done is Refused {
  return done.kind === 'refused';
}
