/**
 * A store that nobody runs, or a backup of one that runs, opened for reading only: what a replay needs
 * of it. It takes no lock, makes no schema newer and changes nothing.
 */
import { DatabaseSync } from 'node:sqlite';
import { StoreError, type Store } from '../../engine/ports.ts';
import { parseActionId, parseTenantName, type ActionId, type TenantName } from '../../kernel/id.ts';
import { readName, readUuid } from './columns.ts';
import { Connection, integer, resultCode } from './connection.ts';
import { epochEntry, sourceOf } from './epochs.ts';
import { LedgerRows } from './ledger-rows.ts';
import { payloadsOf } from './logs.ts';
import { migrations, refuseUnsuitable } from './migrate.ts';
import { StandingState } from './standing.ts';

/** What can be read of a store that nobody runs. */
export interface StoreReader extends Pick<
  Store,
  'ledger' | 'history' | 'payloads' | 'epochEntry' | 'source'
> {
  /** In the order in which they came. */
  tenants(): readonly TenantName[];
  /** The ids of actions that begin with these hex digits, `count` at most. */
  beginning(digits: string, count: number): readonly ActionId[];
  close(): void;
}

const SQLITE_BUSY = 5;

/**
 * Opens a database's file. Errors: `store_locked` where a process owns it, `store_foreign`,
 * `store_newer`, and `store_older` for a schema from before this version.
 */
export function openReader(path: string): StoreReader {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    const db = new Connection(database);
    requireSchema(db, path);
    return readerOf(db);
  } catch (error) {
    database.close();
    if (resultCode(error) !== SQLITE_BUSY) throw error;
    throw new StoreError('store_locked', `the store \`${path}\` is owned by a process`);
  }
}

function requireSchema(db: Connection, path: string): void {
  const pragma = (name: string): number => {
    const row = db.get(`PRAGMA ${name}`);
    return row === undefined ? 0 : integer(row, name);
  };
  const version = pragma('user_version');
  refuseUnsuitable({ application: pragma('application_id'), version }, path);
  const newest = migrations().length;
  if (version === newest) return;
  throw new StoreError(
    'store_older',
    `\`${path}\` has schema ${String(version)} and this version reads ${String(newest)}`,
  );
}

function readerOf(db: Connection): StoreReader {
  const standing = new StandingState(db);
  const ledger = new LedgerRows(db);
  const rowOf = (tenant: TenantName): number => {
    const row = standing.find(tenant);
    if (row === undefined) throw new RangeError(`there is no tenant \`${tenant}\``);
    return row;
  };
  return {
    tenants: () =>
      db
        .all('SELECT name FROM tenant ORDER BY id')
        .map((row) => readName(row, 'name', parseTenantName)),
    beginning: (digits, count) => {
      const from = Buffer.from(digits.padEnd(32, '0'), 'hex');
      const to = Buffer.from(digits.padEnd(32, 'f'), 'hex');
      return db
        .all(
          `SELECT action.uuid FROM tenant JOIN action ON action.tenant = tenant.id
           WHERE action.uuid BETWEEN ? AND ? LIMIT ?`,
          from,
          to,
          count,
        )
        .map((row) => readUuid(row, 'uuid', parseActionId));
    },
    ledger: async (tenant, after, count) => ledger.read(rowOf(tenant), after, count),
    history: async (tenant, action) => ledger.about(rowOf(tenant), action),
    payloads: async (tenant, sequence) => payloadsOf({ ledger }, rowOf(tenant), sequence),
    epochEntry: async (tenant, number) => epochEntry(db, ledger, { tenant: rowOf(tenant), number }),
    source: async (tenant, digest) => sourceOf(db, rowOf(tenant), digest),
    close: () => db.close(),
  };
}
