/** Appending to the ledger, and reading it: entries get their place in the transaction they describe. */
import type { LedgerDraft } from '../../ledger/entry.ts';
import type { Digest } from '../../kernel/digest.ts';
import type { ActionId } from '../../kernel/id.ts';
import { StoreError, type LedgerRow } from '../../engine/ports.ts';
import { digestBytesOf, uuidBytes } from './columns.ts';
import { LedgerTrees } from './ledger-trees.ts';
import { blob, integer, integerOrNone, type Connection, type Row } from './connection.ts';

/** Payloads of one entry; the schema's keys rest on it. */
export const PAYLOADS_MAX = 64;

/** Entries of one tenant; the schema's keys rest on it. */
const ENTRIES_MAX = 2 ** 36;

/** The row of an entry. Above two thousand tenants a key would lose its last digit. */
function rowOf(tenant: number, sequence: number): number {
  const row = tenant * ENTRIES_MAX + sequence;
  if (!Number.isSafeInteger((row + 1) * PAYLOADS_MAX)) throw new RangeError('too many tenants');
  return row;
}

/** The rows of all entries about an action, whatever the tenant's ledger. */
export function entryRows(db: Connection, action: Uint8Array): readonly number[] {
  return db.all('SELECT id FROM ledger WHERE action = ?', action).map((row) => integer(row, 'id'));
}

/** The ledgers of all tenants. */
export class LedgerRows {
  readonly #db: Connection;
  readonly #last = new Map<number, number>();
  readonly #trees: LedgerTrees;
  #appended: LedgerDraft['kind'][] = [];

  constructor(db: Connection) {
    this.#db = db;
    this.#trees = new LedgerTrees(db, {
      lastOf: (tenant) => this.#lastOf(tenant),
      entries: (tenant, after, count) => whole(this.read(tenant, after, count), { after, count }),
    });
  }

  /** The trees over the entries. */
  get trees(): LedgerTrees {
    return this.#trees;
  }

  /** Appends entries with their payloads, in order. */
  append(tenant: number, drafts: readonly LedgerDraft[]): void {
    for (const draft of drafts) {
      const sequence = this.#lastOf(tenant) + 1;
      // Before the entry is there: the tree may have to be read first, and reads what is there.
      this.#trees.append(tenant, draft.bytes);
      const entry = rowOf(tenant, sequence);
      this.#db.insert(
        'INSERT INTO ledger (id, kind, action, bytes) VALUES (?, ?, ?, ?)',
        entry,
        draft.kind,
        draft.action === undefined ? null : uuidBytes(draft.action),
        draft.bytes,
      );
      this.#last.set(tenant, sequence);
      this.#appended.push(draft.kind);
      if (draft.payloads.length > PAYLOADS_MAX)
        throw new RangeError('an entry has too many payloads');
      for (const [place, payload] of draft.payloads.entries()) {
        this.#db.insert(
          'INSERT INTO payload (id, digest, salt, bytes) VALUES (?, ?, ?, ?)',
          entry * PAYLOADS_MAX + place,
          digestBytesOf(payload.digest),
          payload.salt,
          payload.bytes,
        );
      }
    }
  }

  /** Kinds of the entries appended since it was last asked. */
  appended(): readonly LedgerDraft['kind'][] {
    const appended = this.#appended;
    this.#appended = [];
    return appended;
  }

  /** After a rollback. */
  forget(): void {
    this.#last.clear();
    this.#trees.forget();
    this.#appended = [];
  }

  /** Entries after a sequence number, in order. */
  read(tenant: number, after: number, count: number): readonly LedgerRow[] {
    return this.#db
      .all(
        'SELECT id, bytes FROM ledger WHERE id > ? AND id < ? ORDER BY id LIMIT ?',
        rowOf(tenant, after),
        rowOf(tenant + 1, 0),
        count,
      )
      .map((row) => ledgerRow(row, tenant));
  }

  /** The entries about one action, in order. */
  about(tenant: number, action: ActionId): readonly LedgerRow[] {
    return this.#db
      .all(
        'SELECT id, bytes FROM ledger WHERE action = ? AND id > ? AND id < ? ORDER BY id',
        uuidBytes(action),
        rowOf(tenant, 0),
        rowOf(tenant + 1, 0),
      )
      .map((row) => ledgerRow(row, tenant));
  }

  /** A payload of one entry. */
  payload(tenant: number, sequence: number, digest: Digest): Uint8Array | undefined {
    const entry = rowOf(tenant, sequence);
    const row = this.#db.get(
      'SELECT bytes FROM payload WHERE id >= ? AND id < ? AND digest = ?',
      entry * PAYLOADS_MAX,
      (entry + 1) * PAYLOADS_MAX,
      digestBytesOf(digest),
    );
    return row === undefined ? undefined : blob(row, 'bytes');
  }

  /** The rows of an entry's payloads, in order. */
  payloadRows(tenant: number, sequence: number): readonly Row[] {
    const entry = rowOf(tenant, sequence);
    return this.#db.all(
      'SELECT digest, salt, bytes FROM payload WHERE id >= ? AND id < ? ORDER BY id',
      entry * PAYLOADS_MAX,
      (entry + 1) * PAYLOADS_MAX,
    );
  }

  #lastOf(tenant: number): number {
    const known = this.#last.get(tenant);
    if (known !== undefined) return known;
    const row = this.#db.get(
      'SELECT max(id) AS last FROM ledger WHERE id > ? AND id < ?',
      rowOf(tenant, 0),
      rowOf(tenant + 1, 0),
    );
    const last = row === undefined ? undefined : integerOrNone(row, 'last');
    return last === undefined ? 0 : last - rowOf(tenant, 0);
  }
}

/** The bytes of exactly these entries: a gap is damage, and not to be waited for. */
function whole(
  rows: readonly LedgerRow[],
  { after, count }: { readonly after: number; readonly count: number },
): readonly Uint8Array[] {
  const gapless = rows.every(({ sequence }, index) => sequence === after + index + 1);
  if (rows.length !== count || !gapless) {
    throw new StoreError('store_corrupt', 'entries of the ledger are missing');
  }
  return rows.map(({ bytes }) => bytes);
}

function ledgerRow(row: Row, tenant: number): LedgerRow {
  return { sequence: integer(row, 'id') - rowOf(tenant, 0), bytes: blob(row, 'bytes') };
}
