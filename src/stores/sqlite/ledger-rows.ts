/** Appending to the ledger, and reading it: entries get their place in the transaction they describe. */
import type { LedgerDraft } from '../../ledger/entry.ts';
import type { Digest } from '../../kernel/digest.ts';
import type { ActionId } from '../../kernel/id.ts';
import type { LedgerRow } from '../../engine/ports.ts';
import { digestBytesOf, uuidBytes } from './columns.ts';
import { blob, integer, type Connection } from './connection.ts';

/** Payloads of one entry; the schema's keys rest on it. */
export const PAYLOADS_MAX = 64;

/** The ledgers of all tenants. */
export class LedgerRows {
  readonly #db: Connection;
  readonly #last = new Map<number, number>();
  #appended: LedgerDraft['kind'][] = [];

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Appends entries with their payloads, in order. */
  append(tenant: number, drafts: readonly LedgerDraft[]): void {
    for (const draft of drafts) {
      const sequence = this.#lastOf(tenant) + 1;
      const entry = this.#db.insert(
        'INSERT INTO ledger (tenant, sequence, kind, action, bytes) VALUES (?, ?, ?, ?, ?)',
        tenant,
        sequence,
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
    this.#appended = [];
  }

  /** Entries after a sequence number, in order. */
  read(tenant: number, after: number, count: number): readonly LedgerRow[] {
    return this.#db
      .all(
        'SELECT sequence, bytes FROM ledger WHERE tenant = ? AND sequence > ? ORDER BY sequence LIMIT ?',
        tenant,
        after,
        count,
      )
      .map((row) => ({ sequence: integer(row, 'sequence'), bytes: blob(row, 'bytes') }));
  }

  /** The entries about one action, in order. */
  about(tenant: number, action: ActionId): readonly LedgerRow[] {
    return this.#db
      .all(
        'SELECT sequence, bytes FROM ledger WHERE tenant = ? AND action = ? ORDER BY sequence',
        tenant,
        uuidBytes(action),
      )
      .map((row) => ({ sequence: integer(row, 'sequence'), bytes: blob(row, 'bytes') }));
  }

  /** A payload of one entry. */
  payload(tenant: number, sequence: number, digest: Digest): Uint8Array | undefined {
    const row = this.#db.get(
      `SELECT payload.bytes FROM ledger JOIN payload
         ON payload.id >= ledger.id * ${String(PAYLOADS_MAX)}
         AND payload.id < (ledger.id + 1) * ${String(PAYLOADS_MAX)}
       WHERE ledger.tenant = ? AND ledger.sequence = ? AND payload.digest = ?`,
      tenant,
      sequence,
      digestBytesOf(digest),
    );
    return row === undefined ? undefined : blob(row, 'bytes');
  }

  #lastOf(tenant: number): number {
    const known = this.#last.get(tenant);
    if (known !== undefined) return known;
    const row = this.#db.get(
      'SELECT coalesce(max(sequence), 0) AS last FROM ledger WHERE tenant = ?',
      tenant,
    );
    return row === undefined ? 0 : integer(row, 'last');
  }
}
