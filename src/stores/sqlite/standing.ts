/**
 * What changes seldom and is read by every crossing: tenants, epochs, halts and the directory. The file
 * belongs to this process alone, so what one transaction read holds until a later one writes: it is kept
 * in memory, and forgotten at every write to it and at every rollback.
 */
import type { AgentState, Halt, PersonState } from '../../kernel/decision.ts';
import {
  parseAgentName,
  parseHaltId,
  parsePersonName,
  parseTenantName,
  type PersonName,
  type TenantName,
} from '../../kernel/id.ts';
import type { Account, Epoch } from '../../engine/ports.ts';
import {
  readDigest,
  readInstant,
  readInstantOrNone,
  readJson,
  readName,
  readUuid,
} from './columns.ts';
import { integer, text, textOrNone, type Connection, type Row } from './connection.ts';
import { haltScope, people, texts } from './stored.ts';

/** The standing state of one tenant. */
export interface Standing {
  readonly tenant: number;
  readonly epoch: Epoch | undefined;
  readonly halts: readonly Halt[];
  readonly agents: ReadonlyMap<string, AgentState>;
  readonly people: ReadonlyMap<string, PersonState>;
  /** Executors elsewhere, and whether each is live. */
  readonly executors: ReadonlyMap<string, boolean>;
  /** Names that a person is connected with by an alias, in either direction, one step away. */
  readonly connected: ReadonlyMap<string, ReadonlySet<string>>;
  /** Agent and delegator of every live key that was issued for somebody. */
  readonly delegations: ReadonlySet<string>;
}

/** The standing state of all tenants, as far as it was asked for. */
export class StandingState {
  readonly #db: Connection;
  readonly #tenants = new Map<TenantName, number>();
  readonly #standing = new Map<number, Standing>();

  constructor(db: Connection) {
    this.#db = db;
  }

  /** The tenant's row, or `undefined` while nothing was ever written for it. */
  find(name: TenantName): number | undefined {
    const known = this.#tenants.get(name);
    if (known !== undefined) return known;
    const row = this.#db.get('SELECT id FROM tenant WHERE name = ?', name);
    if (row === undefined) return undefined;
    const id = integer(row, 'id');
    this.#tenants.set(name, id);
    return id;
  }

  /** The tenant's row, made where there is none: only inside a transaction. */
  ensure(name: TenantName): number {
    const known = this.find(name);
    if (known !== undefined) return known;
    const id = this.#db.insert('INSERT INTO tenant (name) VALUES (?)', name);
    this.#tenants.set(name, id);
    return id;
  }

  /** A tenant's name by its row. */
  nameOf(tenant: number): TenantName {
    for (const [name, id] of this.#tenants) if (id === tenant) return name;
    const row = this.#db.get('SELECT name FROM tenant WHERE id = ?', tenant);
    if (row === undefined) throw new Error('a row belongs to no tenant');
    const name = readName(row, 'name', parseTenantName);
    this.#tenants.set(name, tenant);
    return name;
  }

  of(tenant: number): Standing {
    const known = this.#standing.get(tenant);
    if (known !== undefined) return known;
    const standing = readStanding(this.#db, tenant);
    this.#standing.set(tenant, standing);
    return standing;
  }

  /** After a write to what is kept here. */
  changed(tenant: number): void {
    this.#standing.delete(tenant);
  }

  /** After a rollback: nothing in memory may outlive what was undone. */
  forget(): void {
    this.#tenants.clear();
    this.#standing.clear();
  }
}

/** The key under which a live delegation is found. Names hold no space. */
export function delegationKey(agent: string, delegator: string): string {
  return `${agent} ${delegator}`;
}

/** Everybody connected with these names by aliases, however far, and the names themselves. */
export function closure(standing: Standing, names: Iterable<string>): ReadonlySet<string> {
  const reached = new Set(names);
  // A set's iteration also visits what is added meanwhile.
  for (const name of reached) {
    for (const other of standing.connected.get(name) ?? []) reached.add(other);
  }
  return reached;
}

/** All accounts of a tenant, in order of kind and name. */
export function readAccounts(db: Connection, tenant: number): readonly Account[] {
  return db.all('SELECT * FROM account WHERE tenant = ? ORDER BY kind, name', tenant).map(account);
}

/** One account. */
export function readAccount(
  db: Connection,
  tenant: number,
  kind: Account['kind'],
  name: string,
): { readonly id: number; readonly account: Account } | undefined {
  const row = db.get(
    'SELECT * FROM account WHERE tenant = ? AND kind = ? AND name = ?',
    tenant,
    kind,
    name,
  );
  return row === undefined ? undefined : { id: integer(row, 'id'), account: account(row) };
}

/** A halt as stored. */
export function readHalt(row: Row): Halt {
  return {
    id: readUuid(row, 'uuid', parseHaltId),
    scope: readJson(row, 'scope', haltScope),
    reason: text(row, 'reason'),
    by: text(row, 'by'),
    at: readInstant(row, 'at'),
  };
}

function account(row: Row): Account {
  const revokedAt = readInstantOrNone(row, 'revoked_at');
  return {
    kind: accountKind(row),
    name: text(row, 'name'),
    roles: readJson(row, 'roles', texts),
    owners: readJson(row, 'owners', people),
    aliases: readJson(row, 'aliases', people),
    live: revokedAt === undefined,
    createdAt: readInstant(row, 'created_at'),
    revokedAt,
  };
}

/** The kind of an account's row. */
export function accountKind(row: Row): Account['kind'] {
  const kind = text(row, 'kind');
  return kind === 'agent' || kind === 'executor' ? kind : 'person';
}

function readStanding(db: Connection, tenant: number): Standing {
  const accounts = readAccounts(db, tenant);
  const persons = accounts.filter((each) => each.kind === 'person');
  return {
    tenant,
    epoch: readEpoch(db, tenant),
    halts: db
      .all('SELECT * FROM halt WHERE tenant = ? AND resumed_at IS NULL ORDER BY id', tenant)
      .map(readHalt),
    agents: new Map(accounts.filter((each) => each.kind === 'agent').flatMap(agentEntry)),
    people: new Map(
      persons.map(({ name, live, roles, aliases }) => [name, { live, roles, aliases }]),
    ),
    executors: new Map(
      accounts.filter(({ kind }) => kind === 'executor').map(({ name, live }) => [name, live]),
    ),
    connected: connections(persons),
    delegations: readDelegations(db, tenant),
  };
}

function readEpoch(db: Connection, tenant: number): Epoch | undefined {
  const row = db.get('SELECT * FROM epoch WHERE tenant = ? ORDER BY number DESC LIMIT 1', tenant);
  if (row === undefined) return undefined;
  return {
    number: integer(row, 'number'),
    digest: readDigest(row, 'digest'),
    at: readInstant(row, 'at'),
  };
}

function agentEntry({ name, live, roles, owners }: Account): [string, AgentState][] {
  const agent = parseAgentName(name);
  if (agent === undefined) return [];
  return [[name, { name: agent, live, roles, owners, delegationLive: true }]];
}

function connections(persons: readonly Account[]): Map<string, Set<string>> {
  const connected = new Map<string, Set<string>>();
  const connect = (from: string, to: string): void => {
    const others = connected.get(from) ?? new Set();
    connected.set(from, others.add(to));
  };
  for (const { name, aliases } of persons) {
    for (const alias of aliases) {
      connect(name, alias);
      connect(alias, name);
    }
  }
  return connected;
}

function readDelegations(db: Connection, tenant: number): Set<string> {
  const rows = db.all(
    `SELECT account.name, access_key.delegator FROM access_key
     JOIN account ON account.id = access_key.account
     WHERE account.tenant = ? AND account.kind = 'agent' AND account.revoked_at IS NULL
       AND access_key.delegator IS NOT NULL AND access_key.revoked_at IS NULL`,
    tenant,
  );
  const delegations = new Set<string>();
  for (const row of rows) {
    const delegator: PersonName | undefined = parsePersonName(textOrNone(row, 'delegator') ?? '');
    if (delegator !== undefined) delegations.add(delegationKey(text(row, 'name'), delegator));
  }
  return delegations;
}
