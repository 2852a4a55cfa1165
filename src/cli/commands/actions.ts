/** Looks at actions: the list, one with its history, and why it is as it is. */
import type { ActionView } from '../../protocol/actions.ts';
import type { EventView } from '../../protocol/events.ts';
import { LIST_COUNT_DEFAULT, LIST_COUNT_MAX } from '../../protocol/headers.ts';
import { usageError } from '../cli-error.ts';
import { word, type ArgumentSpec, type Command } from '../command.ts';
import { exitOfState } from '../exits.ts';
import { findAction, shortIds } from '../find-action.ts';
import { errorOf } from '../problem.ts';
import { actionLines, instantText, valueText } from '../render.ts';
import { safeBlock, safeText } from '../safe-text.ts';
import { styleOfState, table, type Paint } from '../terminal.ts';

/** The argument of every command about one action. */
export const ID: ArgumentSpec = { name: 'id', summary: 'id of the action, or its beginning' };

/** `actions`. */
export const actions: Command = {
  name: 'actions',
  summary: 'list actions, newest first',
  options: [
    { flags: '--state <state>', summary: 'only these, such as held or held,unknown' },
    { flags: '--agent <name>', summary: 'only those of this agent' },
    { flags: '--count <number>', summary: `at most so many (${String(LIST_COUNT_DEFAULT)})` },
  ],
  client: true,
  examples: [
    'exequatur actions',
    'exequatur actions --state held,unknown',
    'exequatur actions --json',
  ],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['operator', 'person', 'agent']);
    const [state, agent] = [given.text('state'), given.text('agent')];
    const { actions: list } = await api.call('actions', {
      query: {
        count: String(countOf(given.text('count'))),
        ...(state === undefined ? {} : { state }),
        ...(agent === undefined ? {} : { agent }),
      },
    });
    for (const action of list) context.tell(action);
    if (list.length === 0) context.say('none');
    else for (const line of table(rowsOf(list, context.paint))) context.say(line);
    return 0;
  },
};

function countOf(text: string | undefined): number {
  if (text === undefined) return LIST_COUNT_DEFAULT;
  const count = /^[1-9]\d{0,3}$/u.test(text) ? Number(text) : Number.NaN;
  if (count <= LIST_COUNT_MAX) return count;
  throw usageError(`\`--count ${text}\` is not a number from 1 to ${String(LIST_COUNT_MAX)}`);
}

function rowsOf(list: readonly ActionView[], paint: Paint): readonly (readonly string[])[] {
  const ids = shortIds(list.map(({ id }) => id));
  return [
    ['ID', 'STATE', 'OPERATION', 'TARGET', 'AGENT', 'PROPOSED', 'MESSAGE'],
    ...list.map((action) => [
      safeText(ids.get(action.id) ?? action.id),
      paint(styleOfState(action.state), action.state),
      safeText(action.operation),
      safeText(
        action.environment === undefined
          ? action.target
          : `${action.target} (${action.environment})`,
      ),
      safeText(
        action.delegator === undefined ? action.agent : `${action.agent} for ${action.delegator}`,
      ),
      instantText(action.proposedAt),
      safeText(action.message),
    ]),
  ];
}

/** `show`. */
export const show: Command = {
  name: 'show',
  summary: 'one action with its history from the ledger',
  arguments: [ID],
  client: true,
  examples: ['exequatur show 0193f2aa-1b2c', 'exequatur show 0193f2aa-1b2c --json'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['operator', 'person', 'agent']);
    const parameters = { id: await findAction(api, word(given)) };
    const action = await api.call('action', { parameters });
    const history = await api.ask('history', { parameters });
    // Agents see the action and not the ledger.
    const events = history.kind === 'answer' ? history.answer.events : [];
    context.tell({ ...action, history: events });
    for (const line of actionLines(action, context.paint)) context.say(line);
    context.say(
      `agent ${safeText(action.agent)}${action.delegator === undefined ? '' : ` for ${safeText(action.delegator)}`} · proposed ${instantText(action.proposedAt)} · expires ${instantText(action.expiresAt)}`,
    );
    for (const line of table(events.map(eventRow))) context.say(line);
    return 0;
  },
};

function eventRow(event: EventView): readonly string[] {
  return [
    ` ${instantText(event.at)}`,
    safeText(event.kind),
    `#${String(event.sequence)}`,
    event.body === undefined ? '' : eventText(event.body),
  ];
}

/** What tells events of one kind apart; digests are for `--json`. */
const EVENT_MEMBERS = ['verdict', 'codes', 'outcome', 'code', 'approver', 'person', 'by', 'reason'];

function eventText(body: NonNullable<EventView['body']>): string {
  return EVENT_MEMBERS.flatMap((name) => {
    const value = body[name];
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) {
      return [];
    }
    return [`${name} ${Array.isArray(value) ? value.map(plainText).join(' ') : plainText(value)}`];
  }).join(' · ');
}

function plainText(value: unknown): string {
  return typeof value === 'string' ? safeText(value) : valueText(value);
}

/** `explain`. */
export const explain: Command = {
  name: 'explain',
  summary: 'why an action is as it is, and what would admit it',
  arguments: [ID],
  client: true,
  examples: ['exequatur explain 0193f2aa-1b2c'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['operator', 'person', 'agent']);
    const parameters = { id: await findAction(api, word(given)) };
    const explanation = await api.call('explain', { parameters });
    context.tell(explanation);
    context.say(safeBlock(explanation.text).trimEnd());
    return 0;
  },
};

/** `withdraw`. */
export const withdraw: Command = {
  name: 'withdraw',
  summary: 'withdraw a held action, as the agent that proposed it',
  arguments: [ID],
  client: true,
  examples: ['exequatur withdraw 0193f2aa-1b2c --as demo-agent'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['agent']);
    const parameters = { id: await findAction(api, word(given)) };
    const asked = await api.ask('withdraw', { parameters });
    const action =
      asked.kind === 'answer' ? asked.answer : await api.call('action', { parameters });
    if (asked.kind === 'problem' && asked.problem.code !== 'withdrawn') {
      throw errorOf(asked.problem, api.url);
    }
    context.tell(action);
    for (const line of actionLines(action, context.paint)) context.say(line);
    return exitOfState(action.state) === 4 ? 0 : 1;
  },
};
