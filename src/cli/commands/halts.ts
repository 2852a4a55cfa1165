/** Scoped stops. */
import type { HaltScopeView, HaltView } from '../../protocol/halts.ts';
import type { Api } from '../api.ts';
import { CliError, usageError } from '../cli-error.ts';
import { word, type Command, type Given } from '../command.ts';
import { instantText } from '../render.ts';
import { safeText } from '../safe-text.ts';
import { table } from '../terminal.ts';
import { reasonOf } from './answers.ts';

const SCOPES = ['target', 'operation', 'kind', 'agent', 'environment'] as const;

/** `halt`. */
export const halt: Command = {
  name: 'halt',
  summary: 'stop everything in scope',
  description:
    'Answers once nothing in scope can be sent any more, and lists what was sent before. Every scope given must hold.',
  options: [
    { flags: '--target <name>', summary: 'only at this target' },
    { flags: '--operation <name>', summary: 'only this operation' },
    { flags: '--kind <kind>', summary: 'only this kind, such as money.transfer' },
    { flags: '--agent <name>', summary: 'only this agent' },
    { flags: '--environment <name>', summary: 'only in this environment' },
    { flags: '--everything', summary: 'everything; needed where no scope is given' },
    { flags: '--reason <text>', summary: 'why' },
  ],
  client: true,
  examples: [
    'exequatur halt --target shop-payments --reason "refunds look wrong"',
    'exequatur halt --everything --reason "incident 12"',
  ],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const scope = scopeOf(given);
    const reason = reasonOf(given);
    const api = await context.api(['operator', 'person']);
    const halted = await api.call('halt', { body: { scope, reason } });
    context.tell(halted);
    context.say(`halted: ${scopeText(scope)} · ${halted.halt.id}`);
    const { sent } = halted;
    context.say(
      sent.length === 0
        ? 'nothing in scope is under way; nothing in it is sent from now on'
        : `sent before, and still to settle: ${sent.map(safeText).join(' ')}`,
    );
    return 0;
  },
};

function scopeOf(given: Given): HaltScopeView {
  const scope: Partial<Record<(typeof SCOPES)[number], string>> = {};
  for (const name of SCOPES) {
    const value = given.text(name);
    if (value !== undefined) scope[name] = value;
  }
  const scoped = Object.keys(scope).length > 0;
  if (given.flag('everything') && scoped) {
    throw usageError('`--everything` and a narrower scope exclude each other');
  }
  if (given.flag('everything') || scoped) return scope;
  throw usageError(
    'what is to be halted?',
    `give ${SCOPES.map((name) => `\`--${name}\``).join(', ')}, or \`--everything\``,
  );
}

function scopeText(scope: HaltScopeView): string {
  const parts = SCOPES.flatMap((name) => {
    const value = scope[name];
    return value === undefined ? [] : [`${name} ${safeText(value)}`];
  });
  return parts.length === 0 ? 'everything' : parts.join(', ');
}

/** `halts`. */
export const halts: Command = {
  name: 'halts',
  summary: 'the halts that stand',
  client: true,
  examples: ['exequatur halts'],
  exits: [0, 6, 7],
  async run(context) {
    const api = await context.api(['operator', 'person', 'agent']);
    const list = (await api.call('halts')).halts;
    for (const each of list) context.tell(each);
    const rows = list.map((each) => [
      safeText(each.id),
      scopeText(each.scope),
      safeText(each.by),
      instantText(each.at),
      safeText(each.reason),
    ]);
    if (rows.length === 0) context.say('none');
    else
      for (const line of table([['ID', 'SCOPE', 'BY', 'SINCE', 'REASON'], ...rows]))
        context.say(line);
    return 0;
  },
};

/** `resume`. */
export const resume: Command = {
  name: 'resume',
  summary: 'end a halt',
  arguments: [{ name: 'halt', summary: 'id of the halt, or its beginning' }],
  client: true,
  examples: ['exequatur resume 0193f2aa-1b2c'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['operator', 'person']);
    const { id } = await findHalt(api, word(given));
    const ended = await api.call('resume', { parameters: { id } });
    context.tell(ended);
    context.say(`resumed: ${scopeText(ended.scope)}; what it held is looked at again`);
    return 0;
  },
};

async function findHalt(api: Api, given: string): Promise<HaltView> {
  const standing = (await api.call('halts')).halts;
  const [only, another] = standing.filter(({ id }) => id.startsWith(given.toLowerCase()));
  if (only !== undefined && another === undefined) return only;
  throw new CliError({
    exit: 1,
    code: only === undefined ? 'halt_unknown' : 'halt_ambiguous',
    message:
      only === undefined
        ? `no standing halt begins with \`${given}\``
        : `\`${given}\` begins the ids of several halts`,
    hint: 'list them with `exequatur halts`',
  });
}
