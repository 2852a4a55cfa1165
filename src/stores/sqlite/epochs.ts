/** Epochs with the documents they were made from. */
import type { Epoch, LedgerRow, SourceText } from '../../engine/ports.ts';
import type { Digest } from '../../kernel/digest.ts';
import type { TenantName } from '../../kernel/id.ts';
import type { Instant } from '../../kernel/instant.ts';
import type { LedgerDraft } from '../../ledger/entry.ts';
import { digestBytesOf } from './columns.ts';
import { blob, integerOrNone, type Connection } from './connection.ts';
import { wakeAll, type Context } from './context.ts';
import type { LedgerRows } from './ledger-rows.ts';

/** Begins an epoch, and wakes every hold to be judged by it; the standing one answers its own digest. */
export function activate(
  context: Context,
  asked: {
    readonly tenant: TenantName;
    readonly digest: Digest;
    readonly sources: readonly SourceText[];
  },
  entry: (now: Instant, number: number) => LedgerDraft,
  now: Instant,
): Epoch {
  const { db, standing, ledger } = context;
  const { digest } = asked;
  const tenant = standing.ensure(asked.tenant);
  const current = standing.of(tenant).epoch;
  if (current?.digest === digest) return current;
  const number = (current?.number ?? 0) + 1;
  for (const source of asked.sources) {
    db.run(
      'INSERT INTO source (tenant, digest, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      tenant,
      digestBytesOf(source.digest),
      source.bytes,
    );
  }
  standing.changed(tenant);
  wakeAll(db, tenant, now);
  ledger.append(tenant, [entry(now, number)]);
  db.run(
    'INSERT INTO epoch (tenant, number, digest, at, entry) VALUES (?, ?, ?, ?, ?)',
    tenant,
    number,
    digestBytesOf(digest),
    now,
    ledger.trees.head(tenant).size,
  );
  return { number, digest, at: now };
}

/** The entry that began an epoch. */
export function epochEntry(
  db: Connection,
  ledger: LedgerRows,
  { tenant, number }: { readonly tenant: number; readonly number: number },
): LedgerRow | undefined {
  const row = db.get('SELECT entry FROM epoch WHERE tenant = ? AND number = ?', tenant, number);
  const sequence = row && integerOrNone(row, 'entry');
  return sequence === undefined ? undefined : ledger.read(tenant, sequence - 1, 1)[0];
}

/** A document that was kept for an epoch. */
export function sourceOf(db: Connection, tenant: number, digest: Digest): Uint8Array | undefined {
  const row = db.get(
    'SELECT bytes FROM source WHERE tenant = ? AND digest = ?',
    tenant,
    digestBytesOf(digest),
  );
  return row && blob(row, 'bytes');
}
