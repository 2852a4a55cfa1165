/** Agents, people and executors: enrolled, listed, revoked, given other roles. Only the operator changes them. */
import { addKey, direct, enrol, type Directed } from '../../engine/directory.ts';
import type { Account, AccountKey } from '../../engine/ports.ts';
import { parsePersonName, type PersonName, type TenantName } from '../../kernel/id.ts';
import { formatInstant } from '../../kernel/instant.ts';
import type {
  AccountList,
  AccountView,
  EnrolledView,
  KeyList,
  KeyView,
} from '../../protocol/directory.ts';
import { ApiProblem, refusedProblem } from './api-problem.ts';
import { parameterOf, whoOf, type Call, type Handlers, type Reply, type Served } from './call.ts';

type Kind = Account['kind'];
type AnyCall = Pick<Call<unknown, unknown>, 'served' | 'who' | 'parameters'>;

/** Routes about accounts. */
export const DIRECTORY_HANDLERS: Handlers<
  | 'enrolAgent'
  | 'agents'
  | 'revokeAgent'
  | 'agentRoles'
  | 'agentKeys'
  | 'addAgentKey'
  | 'revokeAgentKey'
  | 'enrolPerson'
  | 'people'
  | 'revokePerson'
  | 'personRoles'
  | 'personKeys'
  | 'addPersonKey'
  | 'revokePersonKey'
  | 'enrolExecutor'
  | 'executors'
  | 'revokeExecutor'
  | 'executorKeys'
  | 'addExecutorKey'
  | 'revokeExecutorKey'
> = {
  enrolAgent: async (call) => {
    const { name, roles = [], owners = [], delegator } = call.body;
    return enrolled(call, {
      kind: 'agent',
      name,
      roles,
      owners: owners.map(personName),
      aliases: [],
      delegator: delegator === undefined ? undefined : personName(delegator),
    });
  },
  enrolPerson: async (call) => {
    const { name, roles = [], aliases = [] } = call.body;
    return enrolled(call, {
      kind: 'person',
      name,
      roles,
      owners: [],
      aliases: aliases.map(personName),
      delegator: undefined,
    });
  },
  enrolExecutor: async (call) =>
    enrolled(call, {
      kind: 'executor',
      name: call.body.name,
      roles: [],
      owners: [],
      aliases: [],
      delegator: undefined,
    }),
  agents: async (call) => accountsOf(call, 'agent'),
  people: async (call) => accountsOf(call, 'person'),
  executors: async (call) => accountsOf(call, 'executor'),
  revokeAgent: async (call) => changed(call, 'agent', undefined),
  revokePerson: async (call) => changed(call, 'person', undefined),
  revokeExecutor: async (call) => changed(call, 'executor', undefined),
  agentRoles: async (call) => changed(call, 'agent', call.body.roles),
  personRoles: async (call) => changed(call, 'person', call.body.roles),
  agentKeys: async (call) => keysOf(call, 'agent'),
  addAgentKey: async (call) => keyAdded(call, 'agent', call.body.delegator),
  revokeAgentKey: async (call) => keyRevoked(call, 'agent'),
  personKeys: async (call) => keysOf(call, 'person'),
  addPersonKey: async (call) => keyAdded(call, 'person', call.body.delegator),
  revokePersonKey: async (call) => keyRevoked(call, 'person'),
  executorKeys: async (call) => keysOf(call, 'executor'),
  addExecutorKey: async (call) => keyAdded(call, 'executor', undefined),
  revokeExecutorKey: async (call) => keyRevoked(call, 'executor'),
};

async function enrolled(
  call: AnyCall,
  account: Omit<Parameters<typeof enrol>[1], 'tenant' | 'by'>,
): Promise<Reply<EnrolledView>> {
  const { tenant } = whoOf(call);
  const done = await enrol(call.served.engine.life, { ...account, tenant, by: 'operator' });
  return keyShown(call, account, done);
}

/** Answers a fresh key, this once. */
async function keyShown(
  call: AnyCall,
  account: Pick<Account, 'kind' | 'name'>,
  done: Directed,
): Promise<Reply<EnrolledView>> {
  if (done.kind === 'refused') throw refusedProblem(done);
  if (done.kind !== 'enrolled') throw new Error('enrolling answers a key');
  const { key, keyId } = done;
  const view = await viewOf(call.served, whoOf(call).tenant, account);
  return { status: 201, body: { account: view, key, keyId } };
}

async function keyAdded(
  call: AnyCall,
  kind: Kind,
  delegator: string | undefined,
): Promise<Reply<EnrolledView>> {
  const account = { kind, name: parameterOf(call, 'name') };
  const done = await addKey(call.served.engine.life, {
    ...account,
    tenant: whoOf(call).tenant,
    delegator: delegator === undefined ? undefined : personName(delegator),
    by: 'operator',
  });
  return keyShown(call, account, done);
}

async function keyRevoked(call: AnyCall, kind: Kind): Promise<Reply<KeyView>> {
  const { engine } = call.served;
  const { tenant } = whoOf(call);
  const keyId = parameterOf(call, 'key');
  const done = await direct(engine.life, {
    tenant,
    by: 'operator',
    change: { kind: 'revoke-key', account: kind, name: parameterOf(call, 'name'), keyId },
  });
  if (done.kind === 'refused') throw refusedProblem(done);
  engine.poke();
  const { body } = await keysOf(call, kind);
  const view = body.keys.find(({ id }) => id === keyId);
  if (view === undefined) throw new Error('a revoked key stays in the list');
  return { status: 200, body: view };
}

async function keysOf(call: AnyCall, kind: Kind): Promise<Reply<KeyList>> {
  const name = parameterOf(call, 'name');
  const keys = await call.served.engine.store.keys(whoOf(call).tenant, { kind, name });
  if (keys === undefined) throw new ApiProblem('account_unknown');
  return { status: 200, body: { keys: keys.map(viewKey) } };
}

function viewKey({ id, delegator, createdAt, usedAt, revokedAt }: AccountKey): KeyView {
  return {
    id,
    live: revokedAt === undefined,
    ...(delegator === undefined ? {} : { delegator }),
    createdAt: formatInstant(createdAt),
    ...(usedAt === undefined ? {} : { usedAt: formatInstant(usedAt) }),
    ...(revokedAt === undefined ? {} : { revokedAt: formatInstant(revokedAt) }),
  };
}

/** Revokes, or gives other roles. */
async function changed(
  call: AnyCall,
  kind: Kind,
  roles: readonly string[] | undefined,
): Promise<Reply<AccountView>> {
  const { served } = call;
  const { tenant } = whoOf(call);
  const name = parameterOf(call, 'name');
  const done = await direct(served.engine.life, {
    tenant,
    by: 'operator',
    change:
      roles === undefined
        ? { kind: 'revoke', account: kind, name }
        : { kind: 'roles', account: kind, name, roles },
  });
  if (done.kind === 'refused') throw refusedProblem(done);
  served.engine.poke();
  return { status: 200, body: await viewOf(served, tenant, { kind, name }) };
}

async function accountsOf(call: AnyCall, kind: Kind): Promise<Reply<AccountList>> {
  const accounts = await call.served.engine.store.accounts(whoOf(call).tenant);
  const views = accounts.filter((each) => each.kind === kind).map(viewAccount);
  return { status: 200, body: { accounts: views } };
}

async function viewOf(
  { engine }: Served,
  tenant: TenantName,
  { kind, name }: { readonly kind: Kind; readonly name: string },
): Promise<AccountView> {
  const accounts = await engine.store.accounts(tenant);
  const account = accounts.find((each) => each.kind === kind && each.name === name);
  if (account === undefined) throw new ApiProblem('account_unknown');
  return viewAccount(account);
}

function viewAccount(account: Account): AccountView {
  const { kind, name, roles, owners, aliases, live, createdAt, revokedAt } = account;
  return {
    kind,
    name,
    roles,
    owners,
    aliases,
    live,
    createdAt: formatInstant(createdAt),
    ...(revokedAt === undefined ? {} : { revokedAt: formatInstant(revokedAt) }),
  };
}

/** The schema has checked the form already. */
function personName(text: string): PersonName {
  const name = parsePersonName(text);
  if (name === undefined) throw new ApiProblem('invalid_request');
  return name;
}
