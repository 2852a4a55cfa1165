/** What people answer: yes or no to a hold, and the truth about an unknown outcome. */
import type { ActionView } from '../../protocol/actions.ts';
import type { ConsentView } from '../../protocol/answers.ts';
import type { Api } from '../api.ts';
import { CliError, usageError } from '../cli-error.ts';
import { word, type Command, type CommandContext, type Given } from '../command.ts';
import { findAction } from '../find-action.ts';
import { errorOf } from '../problem.ts';
import { actionLines, consentLines } from '../render.ts';
import { askLine } from '../terminal.ts';
import { ID } from './actions.ts';

/** `approve`. */
export const approve: Command = {
  name: 'approve',
  summary: 'look at what a held action would do, and say yes to exactly that',
  description:
    'On a terminal it shows the action and asks. Elsewhere it shows the action, and says yes only with `--yes --consent DIGEST`, where the digest is that of what was shown: if anything moved in between, nothing is approved.',
  arguments: [ID],
  options: [
    { flags: '--yes', summary: 'do not ask; needs `--consent`' },
    { flags: '--consent <digest>', summary: 'the consent digest that was shown' },
  ],
  client: true,
  examples: [
    'exequatur approve 0193f2aa-1b2c --as mei',
    'exequatur approve 0193f2aa-1b2c --as mei --yes --consent 3f0c…',
  ],
  exits: [0, 1, 3, 6, 7],
  async run(context, given) {
    const expected = given.text('consent');
    if (given.flag('yes') && expected === undefined) {
      throw usageError(
        '`--yes` needs `--consent DIGEST`: a yes is to what was shown',
        'run it without `--yes` first; what it shows ends with the digest',
      );
    }
    const api = await context.api(['person']);
    const id = await findAction(api, word(given));
    const consent = await api.call('consent', { parameters: { id } });
    if (expected !== undefined && expected !== consent.consent) throw moved();
    if (!given.flag('yes')) {
      const yes = await askConsent(context, consent);
      if (!yes) return 3;
    }
    const body = {
      consent: consent.consent,
      challenge: consent.challenge,
      decision: 'approve' as const,
    };
    const answered = await api.call('answer', { parameters: { id }, body });
    tellAnswered(context, await settledSoon(api, answered));
    return 0;
  },
};

/** A yes usually lets the action run at once: then what it came to is worth waiting for. */
async function settledSoon(api: Api, action: ActionView): Promise<ActionView> {
  if (action.state !== 'executing') return action;
  return api.call('action', { parameters: { id: action.id }, query: { wait: '10' } });
}

function moved(): CliError {
  return new CliError({
    exit: 1,
    code: 'consent_moved',
    message: 'what was shown under this consent digest is no longer what would happen',
    hint: 'run it again without `--yes` and look at what the action would do now',
  });
}

/** Shows the action and asks. Without a terminal there is nobody to ask, and the answer is no answer. */
async function askConsent(context: CommandContext, consent: ConsentView): Promise<boolean> {
  const { terminal } = context;
  // The challenge answers in this person's name, so it is not printed.
  const { challenge: _, ...shown } = consent;
  context.tell(shown);
  for (const line of consentLines(consent, context.paint)) context.say(line);
  if (context.json || terminal.stdin.isTTY !== true) {
    if (context.json) return false;
    terminal.stderr.write(
      `hint: nothing was answered; say yes with \`--yes --consent ${consent.consent}\`\n`,
    );
    return false;
  }
  const answer = await askLine(terminal, 'Approve exactly this? [y/N] ');
  const yes = answer !== undefined && /^y(?:es)?$/iu.test(answer.trim());
  if (!yes) context.say('nothing was answered; the action stays held');
  return yes;
}

/** `reject`. */
export const reject: Command = {
  name: 'reject',
  summary: 'say no to a held action: it will never run',
  arguments: [ID],
  options: [{ flags: '--reason <text>', summary: 'why; the agent is told' }],
  client: true,
  examples: [
    'exequatur reject 0193f2aa-1b2c --as mei --reason "the customer was refunded already"',
  ],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const reason = reasonOf(given);
    const api = await context.api(['person']);
    const id = await findAction(api, word(given));
    const { consent, challenge } = await api.call('consent', { parameters: { id } });
    const body = { consent, challenge, decision: 'reject' as const, reason };
    tellAnswered(context, await rejectedAs(api, id, body));
    return 0;
  },
};

/** A no is told as the state it leads to, which HTTP calls an error. */
async function rejectedAs(
  api: Api,
  id: string,
  body: {
    readonly consent: string;
    readonly challenge: string;
    readonly decision: 'reject';
    readonly reason: string;
  },
): Promise<ActionView> {
  const parameters = { id };
  const asked = await api.ask('answer', { parameters, body });
  if (asked.kind === 'answer') return asked.answer;
  if (asked.problem.code === 'rejected') return api.call('action', { parameters });
  throw errorOf(asked.problem, api.url);
}

const OUTCOMES = ['succeeded', 'failed', 'not_executed'] as const;

/** `resolve`. */
export const resolve: Command = {
  name: 'resolve',
  summary: 'say what became of an unknown outcome, after looking at the target',
  arguments: [ID, { name: 'outcome', summary: OUTCOMES.join(', ') }],
  options: [{ flags: '--reason <text>', summary: 'what the target showed' }],
  client: true,
  examples: [
    'exequatur resolve 0193f2aa-1b2c succeeded --as mei --reason "refund re_77 is on the account"',
  ],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const outcome = OUTCOMES.find((each) => each === word(given, 1));
    if (outcome === undefined) {
      throw usageError(
        `\`${word(given, 1)}\` is no outcome`,
        `known: ${OUTCOMES.map((each) => `\`${each}\``).join(', ')}`,
      );
    }
    const reason = reasonOf(given);
    const api = await context.api(['person']);
    const parameters = { id: await findAction(api, word(given)) };
    tellAnswered(context, await api.call('resolve', { parameters, body: { outcome, reason } }));
    return 0;
  },
};

/** The reason, which these commands need. */
export function reasonOf(given: Given): string {
  const reason = given.text('reason')?.trim();
  if (reason !== undefined && reason !== '') return reason;
  throw usageError('`--reason` is needed', 'say why in a sentence: it is kept in the ledger');
}

function tellAnswered(context: CommandContext, action: ActionView): void {
  context.tell(action);
  for (const line of actionLines(action, context.paint)) context.say(line);
}
