/** Keys of agents, people and executors: another beside those there are, their list, and the end of one. */
import type { KeyView } from '../../protocol/directory.ts';
import { word, type Command, type CommandContext, type Given } from '../command.ts';
import { instantText } from '../render.ts';
import { safeText } from '../safe-text.ts';
import { table } from '../terminal.ts';
import { enrolled, KEY_OUT } from './key-out.ts';

type Kind = 'agent' | 'person' | 'executor';

const NAME = { name: 'name', summary: 'name of the account' } as const;
const KEY = { name: 'key', summary: 'id of the key, as its list has it' } as const;

/** `agent key add`. */
export const agentKeyAdd: Command = {
  name: 'agent key add',
  summary: 'make another key for an agent; the key is shown this once',
  description:
    'The keys it has stay good, so that a key can be changed without a gap: add, hand over, revoke the old one.',
  arguments: [NAME],
  options: [{ flags: '--for <person>', summary: 'person on whose behalf this key acts' }, KEY_OUT],
  client: true,
  examples: ['exequatur agent key add support-bot --for dana'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const delegator = given.text('for');
    return add(context, given, {
      kind: 'agent',
      body: delegator === undefined ? {} : { delegator },
    });
  },
};

/** `agent key list`. */
export const agentKeyList: Command = {
  name: 'agent key list',
  summary: 'the keys of an agent, never the keys themselves',
  arguments: [NAME],
  client: true,
  examples: ['exequatur agent key list support-bot'],
  exits: [0, 1, 6, 7],
  run: (context, given) => list(context, given, 'agent'),
};

/** `agent key revoke`. */
export const agentKeyRevoke: Command = {
  name: 'agent key revoke',
  summary: 'revoke one key of an agent, for good; its other keys go on',
  arguments: [NAME, KEY],
  client: true,
  examples: ['exequatur agent key revoke support-bot 1f2e3d4c'],
  exits: [0, 1, 6, 7],
  run: (context, given) => revoke(context, given, 'agent'),
};

/** `person key add`. */
export const personKeyAdd: Command = {
  name: 'person key add',
  summary: 'make another key for a person; the key is shown this once',
  description: 'The keys they have stay good until they are revoked.',
  arguments: [NAME],
  options: [KEY_OUT],
  client: true,
  examples: ['exequatur person key add mei'],
  exits: [0, 1, 6, 7],
  run: (context, given) => add(context, given, { kind: 'person', body: {} }),
};

/** `person key list`. */
export const personKeyList: Command = {
  name: 'person key list',
  summary: 'the keys of a person, never the keys themselves',
  arguments: [NAME],
  client: true,
  examples: ['exequatur person key list mei'],
  exits: [0, 1, 6, 7],
  run: (context, given) => list(context, given, 'person'),
};

/** `person key revoke`. */
export const personKeyRevoke: Command = {
  name: 'person key revoke',
  summary: 'revoke one key of a person, for good; their other keys go on',
  arguments: [NAME, KEY],
  client: true,
  examples: ['exequatur person key revoke mei 1f2e3d4c'],
  exits: [0, 1, 6, 7],
  run: (context, given) => revoke(context, given, 'person'),
};

/** `executor key add`. */
export const executorKeyAdd: Command = {
  name: 'executor key add',
  summary: 'make another key for an executor; the key is shown this once',
  description: 'The keys it has stay good until they are revoked.',
  arguments: [NAME],
  options: [KEY_OUT],
  client: true,
  examples: ['exequatur executor key add robot-cell'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['operator']);
    const parameters = { name: word(given) };
    await enrolled(context, given, () => api.call('addExecutorKey', { parameters }));
    return 0;
  },
};

/** `executor key list`. */
export const executorKeyList: Command = {
  name: 'executor key list',
  summary: 'the keys of an executor, never the keys themselves',
  arguments: [NAME],
  client: true,
  examples: ['exequatur executor key list robot-cell'],
  exits: [0, 1, 6, 7],
  run: (context, given) => list(context, given, 'executor'),
};

/** `executor key revoke`. */
export const executorKeyRevoke: Command = {
  name: 'executor key revoke',
  summary: 'revoke one key of an executor, for good; its other keys go on',
  arguments: [NAME, KEY],
  client: true,
  examples: ['exequatur executor key revoke robot-cell 1f2e3d4c'],
  exits: [0, 1, 6, 7],
  run: (context, given) => revoke(context, given, 'executor'),
};

const ROUTES = {
  agent: { add: 'addAgentKey', list: 'agentKeys', revoke: 'revokeAgentKey' },
  person: { add: 'addPersonKey', list: 'personKeys', revoke: 'revokePersonKey' },
  executor: { list: 'executorKeys', revoke: 'revokeExecutorKey' },
} as const;

async function add(
  context: CommandContext,
  given: Given,
  {
    kind,
    body,
  }: { readonly kind: Exclude<Kind, 'executor'>; readonly body: { readonly delegator?: string } },
): Promise<0> {
  const api = await context.api(['operator']);
  const parameters = { name: word(given) };
  await enrolled(context, given, () => api.call(ROUTES[kind].add, { parameters, body }));
  return 0;
}

async function list(context: CommandContext, given: Given, kind: Kind): Promise<0> {
  const api = await context.api(['operator']);
  const { keys } = await api.call(ROUTES[kind].list, { parameters: { name: word(given) } });
  for (const key of keys) context.tell(key);
  const rows = keys.map((key) => [
    safeText(key.id),
    stateOf(key),
    safeText(key.delegator ?? ''),
    instantText(key.createdAt),
    key.usedAt === undefined ? '-' : instantText(key.usedAt),
  ]);
  const head = ['KEY', 'STATE', 'FOR', 'MADE', 'USED SINCE THE START'];
  for (const line of table([head, ...rows])) context.say(line);
  return 0;
}

function stateOf({ revokedAt }: KeyView): string {
  return revokedAt === undefined ? 'live' : `revoked ${instantText(revokedAt)}`;
}

async function revoke(context: CommandContext, given: Given, kind: Kind): Promise<0> {
  const api = await context.api(['operator']);
  const parameters = { name: word(given), key: word(given, 1) };
  const key = await api.call(ROUTES[kind].revoke, { parameters });
  context.tell(key);
  const whose = `${kind} ${safeText(word(given))}`;
  context.say(`key ${safeText(key.id)} of ${whose} is revoked: nobody is let in with it any more`);
  return 0;
}
