/**
 * Erasing what final actions carried: arguments, notes, results, what they were decided from. Rows,
 * digests and ledger entries stay, so that the log still proves itself and a repeated proposal is known.
 */
import type { ActionRecord, Erased, PurgeCommand, Purged } from '../../engine/ports.ts';
import { isFinal } from '../../engine/transition.ts';
import type { ActionId, TenantName } from '../../kernel/id.ts';
import type { Instant } from '../../kernel/instant.ts';
import type { LedgerDraft } from '../../ledger/entry.ts';
import { blob, integer, text, type Connection, type Row } from './connection.ts';
import { uuidBytes } from './columns.ts';
import { find, type Context } from './context.ts';
import { PAYLOADS_MAX, entryRows } from './ledger-rows.ts';

/** Actions erased, and looked at, in one transaction: a few milliseconds in which others wait. */
const PURGED_ACTIONS_MAX = 200;
const SCANNED_ACTIONS_MAX = 2000;

const SETTLED: ReadonlySet<string> = new Set(['succeeded', 'failed', 'not_executed']);
const NEVER_RAN: ReadonlySet<string> = new Set(['denied', 'rejected', 'withdrawn', 'expired']);

/** Erases one batch, and says where the next begins. */
export function purge(
  context: Context,
  command: PurgeCommand,
  entry: (now: Instant, count: number) => LedgerDraft,
  now: Instant,
): Purged {
  const { db, standing } = context;
  const tenant = standing.find(command.tenant);
  if (tenant === undefined) return { actions: 0, payloads: 0, next: undefined };
  const rows = db.all(
    `SELECT action.id, uuid, state, updated_at, length(bytes) AS bytes
     FROM action JOIN content ON content.action = action.id
     WHERE action.id > ? AND tenant = ? ORDER BY action.id LIMIT ?`,
    command.after,
    tenant,
    SCANNED_ACTIONS_MAX,
  );
  const found = rows.filter((row) => isOld(row, command));
  const old = found.slice(0, PURGED_ACTIONS_MAX);
  let payloads = 0;
  for (const row of old) {
    const action = { row: integer(row, 'id'), uuid: blob(row, 'uuid') };
    payloads += command.dryRun ? count(db, action.uuid) : erase(db, action);
  }
  if (old.length > 0 && !command.dryRun) {
    context.recent.forget();
    context.ledger.append(tenant, [entry(now, old.length)]);
  }
  const last = found.length > old.length ? old.at(-1) : rows.at(-1);
  const more = found.length > old.length || rows.length === SCANNED_ACTIONS_MAX;
  const next = more && last !== undefined ? integer(last, 'id') : undefined;
  return { actions: old.length, payloads, next };
}

/** Erases one action, whatever its age. */
export function eraseOne(
  context: Context,
  asked: { readonly tenant: TenantName; readonly action: ActionId },
  entry: (now: Instant, record: ActionRecord) => LedgerDraft,
  now: Instant,
): Erased {
  const stored = find(context, asked.tenant, asked.action);
  if (stored === undefined) return { kind: 'unknown_action' };
  const { record } = stored;
  if (!isFinal(record.state)) return { kind: 'not_final', record };
  if (record.bytes.length === 0) return { kind: 'erased_before', record, payloads: 0 };
  const payloads = erase(context.db, { row: stored.row, uuid: uuidBytes(record.id) });
  context.recent.forget();
  context.ledger.append(stored.tenant, [entry(now, record)]);
  const after = find(context, asked.tenant, asked.action);
  return { kind: 'erased', record: after?.record ?? record, payloads };
}

function isOld(row: Row, { settledBefore, deniedBefore }: PurgeCommand): boolean {
  if (integer(row, 'bytes') === 0) return false;
  const state = text(row, 'state');
  const changedAt = integer(row, 'updated_at');
  if (SETTLED.has(state)) return settledBefore !== undefined && changedAt < settledBefore;
  return NEVER_RAN.has(state) && deniedBefore !== undefined && changedAt < deniedBefore;
}

function count(db: Connection, uuid: Uint8Array): number {
  let found = 0;
  for (const id of entryRows(db, uuid)) {
    const counted = db.get(
      'SELECT count(*) AS count FROM payload WHERE id >= ? AND id < ?',
      id * PAYLOADS_MAX,
      (id + 1) * PAYLOADS_MAX,
    );
    found += counted === undefined ? 0 : integer(counted, 'count');
  }
  return found;
}

function erase(
  db: Connection,
  { row: action, uuid }: { readonly row: number; readonly uuid: Uint8Array },
): number {
  let erased = 0;
  for (const id of entryRows(db, uuid)) {
    erased += db.run(
      'DELETE FROM payload WHERE id >= ? AND id < ?',
      id * PAYLOADS_MAX,
      (id + 1) * PAYLOADS_MAX,
    );
  }
  db.one(
    "UPDATE content SET bytes = x'', note = NULL, decision = NULL, subject = NULL WHERE action = ?",
    action,
  );
  db.run(
    `UPDATE action SET outcome = json_set(outcome, '$.message', 'erased', '$.result', NULL)
     WHERE id = ? AND outcome IS NOT NULL`,
    action,
  );
  // What people consented to has the arguments in it; that they did stands in the ledger.
  db.run('DELETE FROM approval WHERE action = ?', action);
  db.run('DELETE FROM challenge WHERE action = ?', action);
  return erased;
}
