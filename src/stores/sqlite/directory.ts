/** Halts, accounts with their keys, and epochs: the standing state, and how it changes. */
import type { Halt } from '../../kernel/decision.ts';
import type { Digest } from '../../kernel/digest.ts';
import {
  parsePersonName,
  parseTenantName,
  type HaltId,
  type PersonName,
  type TenantName,
} from '../../kernel/id.ts';
import type { Instant } from '../../kernel/instant.ts';
import type { LedgerDraft } from '../../ledger/entry.ts';
import type { Account, AccountKey, DirectoryChange, KeyHolder } from '../../engine/ports.ts';
import {
  digestBytesOf,
  jsonText,
  readInstant,
  readInstantOrNone,
  readName,
  uuidBytes,
} from './columns.ts';
import { integer, text, textOrNone, type Connection, type Row } from './connection.ts';
import { wakeWaiting, type Context } from './context.ts';
import { accountKind, readAccount, readHalt } from './standing.ts';

/** Stores a halt. */
export function halt(
  context: Context,
  { tenant: name, ...asked }: Omit<Halt, 'at'> & { readonly tenant: TenantName },
  entry: (now: Instant) => LedgerDraft,
  now: Instant,
): Halt {
  const tenant = context.standing.ensure(name);
  context.db.insert(
    'INSERT INTO halt (tenant, uuid, scope, reason, by, at) VALUES (?, ?, ?, ?, ?, ?)',
    tenant,
    uuidBytes(asked.id),
    jsonText(asked.scope),
    asked.reason,
    asked.by,
    now,
  );
  context.standing.changed(tenant);
  context.ledger.append(tenant, [entry(now)]);
  return { ...asked, at: now };
}

/** Ends a halt, and wakes who waited for that; `undefined` where none such stands. */
export function resume(
  context: Context,
  { tenant: name, id }: { readonly tenant: TenantName; readonly id: HaltId },
  entry: (now: Instant, halt: Halt) => LedgerDraft,
  now: Instant,
): Halt | undefined {
  const { db, standing } = context;
  const tenant = standing.find(name);
  if (tenant === undefined) return undefined;
  const row = db.get(
    'SELECT * FROM halt WHERE tenant = ? AND uuid = ? AND resumed_at IS NULL',
    tenant,
    uuidBytes(id),
  );
  if (row === undefined) return undefined;
  const stood = readHalt(row);
  db.one(
    'UPDATE halt SET resumed_at = ? WHERE tenant = ? AND uuid = ? AND resumed_at IS NULL',
    now,
    tenant,
    uuidBytes(id),
  );
  standing.changed(tenant);
  wakeWaiting(context, tenant, ['halt'], now);
  context.ledger.append(tenant, [entry(now, stood)]);
  return stood;
}

/** What became of a change of the directory. */
export type Directed =
  | { readonly kind: 'written' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** Enrols, revokes, or changes roles. */
export function direct(
  context: Context,
  name: TenantName,
  change: DirectoryChange,
  entry: (now: Instant) => LedgerDraft,
  now: Instant,
): Directed {
  const tenant = context.standing.ensure(name);
  const done =
    change.kind === 'enrol'
      ? enrol(context, tenant, change, now)
      : amend(context, tenant, change, now);
  if (done.kind === 'refused') return done;
  context.standing.changed(tenant);
  context.ledger.append(tenant, [entry(now)]);
  return done;
}

const WRITTEN: Directed = { kind: 'written' };

type Enrolment = Extract<DirectoryChange, { readonly kind: 'enrol' }>;

function enrol(context: Context, tenant: number, change: Enrolment, now: Instant): Directed {
  const { db } = context;
  const { account } = change;
  const label = `${account.kind} \`${account.name}\``;
  const unfit = refuseKey(db, tenant, { ...change, ...account });
  if (unfit !== undefined) return unfit;
  const known = readAccount(db, tenant, account.kind, account.name);
  if (known !== undefined && !known.account.live) {
    return refused('account_revoked', `${label} is revoked, and a name is never given again`);
  }
  if (known !== undefined && !sameSettings(known.account, account)) {
    return refused('account_exists', `${label} exists with other settings`);
  }
  const id = known?.id ?? insertAccount(db, tenant, account, now);
  insertKey(db, id, change, now);
  return WRITTEN;
}

type NewKey = Pick<Enrolment, 'keyId' | 'keyHash' | 'delegator'>;

function refuseKey(
  db: Connection,
  tenant: number,
  { kind, name, keyHash, delegator }: NewKey & Pick<Account, 'kind' | 'name'>,
): Directed | undefined {
  if (db.get('SELECT 1 FROM access_key WHERE hash = ?', digestBytesOf(keyHash)) !== undefined) {
    return refused('key_in_use', 'the key is enrolled already');
  }
  if (delegator === undefined) return undefined;
  if (kind !== 'agent') {
    const label = `${kind} \`${name}\``;
    return refused(
      'delegator_not_allowed',
      `${label} acts for nobody: only agents have delegators`,
    );
  }
  if (readAccount(db, tenant, 'person', delegator)?.account.live !== true) {
    return refused('delegator_unknown', `no live person \`${delegator}\``);
  }
  return undefined;
}

function insertKey(
  db: Connection,
  account: number,
  { keyId, keyHash, delegator }: NewKey,
  now: Instant,
): void {
  db.insert(
    'INSERT INTO access_key (account, name, hash, delegator, created_at) VALUES (?, ?, ?, ?, ?)',
    account,
    keyId,
    digestBytesOf(keyHash),
    delegator ?? null,
    now,
  );
}

function insertAccount(
  db: Connection,
  tenant: number,
  account: Enrolment['account'],
  now: Instant,
): number {
  return db.insert(
    'INSERT INTO account (tenant, kind, name, roles, owners, aliases, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    tenant,
    account.kind,
    account.name,
    jsonText(sorted(account.roles)),
    jsonText(sorted(account.owners)),
    jsonText(sorted(account.aliases)),
    now,
  );
}

function amend(
  { db }: Context,
  tenant: number,
  change: Exclude<DirectoryChange, Enrolment>,
  now: Instant,
): Directed {
  const label = `${change.account} \`${change.name}\``;
  const known = readAccount(db, tenant, change.account, change.name);
  if (known === undefined) return refused('account_unknown', `no ${label}`);
  if (!known.account.live) return refused('account_revoked', `${label} is revoked already`);
  if (change.kind === 'add-key') {
    const unfit = refuseKey(db, tenant, { ...change, kind: change.account });
    if (unfit !== undefined) return unfit;
    insertKey(db, known.id, change, now);
    return WRITTEN;
  }
  if (change.kind === 'revoke-key') return revokeKey(db, known.id, change.keyId, now);
  if (change.kind === 'roles') {
    const roles = jsonText(sorted(change.roles));
    db.one('UPDATE account SET roles = ? WHERE id = ?', roles, known.id);
    return WRITTEN;
  }
  db.one('UPDATE account SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL', now, known.id);
  // Its keys name nobody from here on: `holder` asks for a live account. The hashes stay, so that a
  // revoked key is never enrolled again.
  return WRITTEN;
}

/** The hash stays, so that a revoked key is never enrolled again. */
function revokeKey(db: Connection, account: number, keyId: string, now: Instant): Directed {
  const key = db.get(
    'SELECT id FROM access_key WHERE account = ? AND name = ? AND revoked_at IS NULL',
    account,
    keyId,
  );
  if (key === undefined) return refused('key_unknown', `no live key \`${keyId}\``);
  db.one('UPDATE access_key SET revoked_at = ? WHERE id = ?', now, integer(key, 'id'));
  return WRITTEN;
}

/** The keys of an account, oldest first. */
export function keys(
  db: Connection,
  tenant: number,
  { kind, name }: Pick<Account, 'kind' | 'name'>,
  used: ReadonlyMap<number, Instant>,
): readonly AccountKey[] | undefined {
  const account = readAccount(db, tenant, kind, name);
  if (account === undefined) return undefined;
  return db
    .all(
      `SELECT id, name, delegator, created_at, revoked_at FROM access_key
       WHERE account = ? ORDER BY id`,
      account.id,
    )
    .map((row) => ({
      id: text(row, 'name'),
      delegator: delegatorOf(row),
      createdAt: readInstant(row, 'created_at'),
      revokedAt: readInstantOrNone(row, 'revoked_at'),
      usedAt: used.get(integer(row, 'id')),
    }));
}

function delegatorOf(row: Row): PersonName | undefined {
  return textOrNone(row, 'delegator') === undefined
    ? undefined
    : readName(row, 'delegator', parsePersonName);
}

function sameSettings(known: Account, asked: Enrolment['account']): boolean {
  return (
    sameNames(known.roles, asked.roles) &&
    sameNames(known.owners, asked.owners) &&
    sameNames(known.aliases, asked.aliases)
  );
}

function sameNames(known: readonly string[], asked: readonly string[]): boolean {
  return jsonText(sorted(known)) === jsonText(sorted(asked));
}

/** Each once, in order: a list of names is a set. */
function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}

/** Who a key belongs to now. */
export function holder(
  db: Connection,
  keyHash: Digest,
): (KeyHolder & { readonly tenant: TenantName; readonly keyRow: number }) | undefined {
  const row = db.get(
    `SELECT access_key.id, account.kind, account.name, access_key.delegator, tenant.name AS tenant
     FROM access_key JOIN account ON account.id = access_key.account
     JOIN tenant ON tenant.id = account.tenant
     WHERE access_key.hash = ? AND access_key.revoked_at IS NULL
       AND account.revoked_at IS NULL`,
    digestBytesOf(keyHash),
  );
  if (row === undefined) return undefined;
  return {
    tenant: readName(row, 'tenant', parseTenantName),
    kind: accountKind(row),
    name: text(row, 'name'),
    delegator: delegatorOf(row),
    keyRow: integer(row, 'id'),
  };
}

function refused(code: string, message: string): Directed {
  return { kind: 'refused', code, message };
}
