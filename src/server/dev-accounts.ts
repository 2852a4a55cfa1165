/** The people and the agent of development mode, with their keys where only this user can read them. */
import { join } from 'node:path';
import { enrol, holderOf } from '../engine/directory.ts';
import type { Life } from '../engine/life.ts';
import { parsePersonName, type PersonName, type TenantName } from '../kernel/id.ts';
import { readIfThere, writePrivately } from './private-files.ts';

interface DevAccount {
  readonly kind: 'agent' | 'person';
  readonly name: string;
  readonly roles: readonly string[];
  readonly owners: readonly PersonName[];
}

/** The agent that is tried with. */
export const DEMO_AGENT = 'demo-agent';

const ACCOUNTS: readonly DevAccount[] = [
  { kind: 'person', name: 'dana', roles: [], owners: [] },
  { kind: 'person', name: 'mei', roles: ['payments-lead'], owners: [] },
  { kind: 'person', name: 'tomas', roles: ['payments-lead', 'executive'], owners: [] },
  { kind: 'agent', name: DEMO_AGENT, roles: ['support', 'release'], owners: [personOf('dana')] },
];

/** Enrols whoever is not enrolled, or whose key file is gone, and answers the agent's key. */
export async function enrolDevAccounts(
  life: Life,
  tenant: TenantName,
  data: string,
): Promise<string | undefined> {
  let agentKey: string | undefined;
  for (const account of ACCOUNTS) {
    const key = await keyOf(life, tenant, { account, data });
    if (account.kind === 'agent') agentKey = key;
  }
  return agentKey;
}

/** `undefined` where the account was revoked: then that is how it stays. */
async function keyOf(
  life: Life,
  tenant: TenantName,
  { account, data }: { readonly account: DevAccount; readonly data: string },
): Promise<string | undefined> {
  const path = join(data, 'keys', `${account.name}.key`);
  const there = readIfThere(path)?.trim();
  if (there !== undefined && (await holderOf(life, account.kind, there)) !== undefined) {
    return there;
  }
  const enrolled = await enrol(life, {
    tenant,
    ...account,
    aliases: [],
    delegator: undefined,
    by: 'operator',
  });
  if (enrolled.kind !== 'enrolled') return undefined;
  writePrivately(path, `${enrolled.key}\n`);
  return enrolled.key;
}

function personOf(name: string): PersonName {
  const person = parsePersonName(name);
  if (person === undefined) throw new Error('the name is a name');
  return person;
}
