/** Agents, people and executors: enrol, list, revoke. */
import type { AccountView } from '../../protocol/directory.ts';
import { word, type Command, type CommandContext, type OptionSpec } from '../command.ts';
import { instantText } from '../render.ts';
import { safeText } from '../safe-text.ts';
import { table } from '../terminal.ts';
import { enrolled, KEY_OUT } from './key-out.ts';

const ROLE: OptionSpec = {
  flags: '--role <role>',
  summary: 'role it has; may be repeated',
  many: true,
};
const NAME = { name: 'name', summary: '1 to 64 of a-z, 0-9, dot, underscore, hyphen' } as const;

/** `agent add`. */
export const agentAdd: Command = {
  name: 'agent add',
  summary: 'enrol an agent, or make another key for it; the key is shown this once',
  arguments: [NAME],
  options: [
    {
      flags: '--owner <person>',
      summary: 'person who owns it and so never approves what it proposes; may be repeated',
      many: true,
    },
    ROLE,
    { flags: '--for <person>', summary: 'person on whose behalf this key acts' },
    KEY_OUT,
  ],
  client: true,
  examples: ['exequatur agent add support-bot --owner dana --role support --for dana'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const delegator = given.text('for');
    const body = {
      name: word(given),
      owners: given.texts('owner'),
      roles: given.texts('role'),
      ...(delegator === undefined ? {} : { delegator }),
    };
    const api = await context.api(['operator']);
    await enrolled(context, given, () => api.call('enrolAgent', { body }));
    return 0;
  },
};

/** `agent list`. */
export const agentList: Command = {
  name: 'agent list',
  summary: 'all agents',
  client: true,
  examples: ['exequatur agent list'],
  exits: [0, 6, 7],
  async run(context) {
    const api = await context.api(['operator', 'person']);
    tellAccounts(context, (await api.call('agents')).accounts);
    return 0;
  },
};

/** `agent revoke`. */
export const agentRevoke: Command = {
  name: 'agent revoke',
  summary: 'revoke an agent and all its keys, for good',
  arguments: [NAME],
  client: true,
  examples: ['exequatur agent revoke support-bot'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['operator']);
    const account = await api.call('revokeAgent', { parameters: { name: word(given) } });
    context.tell(account);
    context.say(`agent ${safeText(account.name)} is revoked: nothing of it crosses any more`);
    return 0;
  },
};

/** `person add`. */
export const personAdd: Command = {
  name: 'person add',
  summary: 'enrol a person, or make another key for them; the key is shown this once',
  arguments: [NAME],
  options: [
    ROLE,
    {
      flags: '--alias <name>',
      summary: 'other name of the same human being, who counts once; may be repeated',
      many: true,
    },
    KEY_OUT,
  ],
  client: true,
  examples: ['exequatur person add mei --role payments-lead'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const body = {
      name: word(given),
      roles: given.texts('role'),
      aliases: given.texts('alias'),
    };
    const api = await context.api(['operator']);
    await enrolled(context, given, () => api.call('enrolPerson', { body }));
    return 0;
  },
};

/** `person list`. */
export const personList: Command = {
  name: 'person list',
  summary: 'all people',
  client: true,
  examples: ['exequatur person list'],
  exits: [0, 6, 7],
  async run(context) {
    const api = await context.api(['operator', 'person']);
    tellAccounts(context, (await api.call('people')).accounts);
    return 0;
  },
};

/** `person revoke`. */
export const personRevoke: Command = {
  name: 'person revoke',
  summary: 'revoke a person and all their keys, for good',
  arguments: [NAME],
  client: true,
  examples: ['exequatur person revoke mei'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['operator']);
    const account = await api.call('revokePerson', { parameters: { name: word(given) } });
    context.tell(account);
    context.say(`person ${safeText(account.name)} is revoked: their answers count no more`);
    return 0;
  },
};

/** `executor add`. */
export const executorAdd: Command = {
  name: 'executor add',
  summary: 'enrol an executor that redeems permits, or make another key for it',
  description:
    'Targets under `permit:` name it as their audience. The key is shown this once; with it the executor redeems permits that are for it, and nothing else.',
  arguments: [NAME],
  options: [KEY_OUT],
  client: true,
  examples: ['exequatur executor add robot-cell'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['operator']);
    const body = { name: word(given) };
    await enrolled(context, given, () => api.call('enrolExecutor', { body }));
    return 0;
  },
};

/** `executor list`. */
export const executorList: Command = {
  name: 'executor list',
  summary: 'all executors that redeem permits',
  client: true,
  examples: ['exequatur executor list'],
  exits: [0, 6, 7],
  async run(context) {
    const api = await context.api(['operator', 'person']);
    tellAccounts(context, (await api.call('executors')).accounts);
    return 0;
  },
};

/** `executor revoke`. */
export const executorRevoke: Command = {
  name: 'executor revoke',
  summary: 'revoke an executor and all its keys, for good',
  arguments: [NAME],
  client: true,
  examples: ['exequatur executor revoke robot-cell'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['operator']);
    const account = await api.call('revokeExecutor', { parameters: { name: word(given) } });
    context.tell(account);
    context.say(`executor ${safeText(account.name)} is revoked: it redeems no permit any more`);
    return 0;
  },
};

function tellAccounts(context: CommandContext, accounts: readonly AccountView[]): void {
  for (const account of accounts) context.tell(account);
  if (accounts.length === 0) {
    context.say('none');
    return;
  }
  const rows = accounts.map((account) => [
    safeText(account.name),
    account.revokedAt === undefined ? 'live' : `revoked ${instantText(account.revokedAt)}`,
    account.roles.map(safeText).join(' '),
    [...account.owners, ...account.aliases].map(safeText).join(' '),
    instantText(account.createdAt),
  ]);
  for (const line of table([['NAME', 'STATE', 'ROLES', 'OWNERS, ALIASES', 'ENROLLED'], ...rows])) {
    context.say(line);
  }
}
