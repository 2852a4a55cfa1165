/**
 * Counters under limits (law 11). A crossing reserves; a settled outcome posts or voids; what an unknown
 * outcome reserved stays until somebody knows. All sums are exact and kept as decimal strings.
 *
 * A period has 60 buckets. An amount is posted into the bucket of its crossing instant, and counts
 * until a whole period after that bucket's end: the oldest bucket counts whole, so time never frees an
 * amount early.
 */
import type { LimitDemand, LimitState, Reservation } from '../../kernel/decision.ts';
import {
  add,
  canonicalDecimal,
  decimalOf,
  parseDecimal,
  subtract,
  type Decimal,
} from '../../kernel/decimal.ts';
import { addMs, instantOf, type Instant } from '../../kernel/instant.ts';
import { integer, malformed, text, type Connection, type Row } from './connection.ts';

/** Buckets in a period. */
export const LIMIT_BUCKETS = 60;

const ZERO = decimalOf(0n);

/** What is used under a counter at `now`, and when time alone frees how much of it. */
export function readLimit(
  db: Connection,
  tenant: number,
  { key, perMs }: LimitDemand,
  now: Instant,
): LimitState {
  const posted = db.all(
    'SELECT ends_at, amount FROM limit_posted WHERE tenant = ? AND key = ? AND ends_at > ? ORDER BY ends_at',
    tenant,
    key,
    now - perMs,
  );
  let used = posted.reduce((sum, row) => add(sum, amount(row)), reservedUnder(db, tenant, key));
  const total = canonicalDecimal(used);
  const frees: { readonly at: Instant; readonly used: string }[] = [];
  for (const row of posted) {
    used = subtract(used, amount(row));
    const at = addMs(instantOf(integer(row, 'ends_at')), perMs);
    // Two buckets that end together, after a change of the period, are freed together.
    if (frees.at(-1)?.at === at) frees.pop();
    frees.push({ at, used: canonicalDecimal(used) });
  }
  return { used: total, frees };
}

/** Reserves what a crossing takes. */
export function reserve(
  db: Connection,
  tenant: number,
  action: number,
  reserves: readonly Reservation[],
): void {
  for (const { key, perMs, amount: taken } of reserves) {
    const decimal = parseDecimal(taken);
    if (decimal === undefined || decimal.unscaled < 0n) {
      throw new RangeError(`\`${taken}\` cannot be reserved`);
    }
    db.run(
      "INSERT INTO reservation (action, key, per_ms, amount, state) VALUES (?, ?, ?, ?, 'reserved')",
      action,
      key,
      perMs,
      taken,
    );
    writeReserved(db, tenant, key, add(reservedUnder(db, tenant, key), decimal));
  }
}

/** What becomes of an execution's reservations, and of which action. */
export interface LimitChange {
  readonly tenant: number;
  readonly action: number;
  readonly crossedAt: Instant;
  readonly change: 'keep' | 'post' | 'void' | 'unknown';
  readonly now: Instant;
}

/** Moves the reservations of an execution; answers the keys under which something was freed. */
export function settleLimits(db: Connection, settled: LimitChange): readonly string[] {
  const { tenant, action, change } = settled;
  if (change === 'keep') return [];
  if (change === 'unknown') {
    db.run("UPDATE reservation SET state = 'unknown' WHERE action = ?", action);
    return [];
  }
  const rows = db.all('SELECT key, per_ms, amount FROM reservation WHERE action = ?', action);
  for (const row of rows) {
    const key = text(row, 'key');
    writeReserved(db, tenant, key, subtract(reservedUnder(db, tenant, key), amount(row)));
    if (change === 'post') post(db, settled, row);
  }
  if (rows.length > 0) db.run('DELETE FROM reservation WHERE action = ?', action);
  return rows.map((row) => text(row, 'key'));
}

function post(db: Connection, { tenant, crossedAt, now }: LimitChange, row: Row): void {
  const key = text(row, 'key');
  const perMs = integer(row, 'per_ms');
  const endsAt = bucketEnd(crossedAt, perMs);
  const before = db.get(
    'SELECT amount FROM limit_posted WHERE tenant = ? AND key = ? AND ends_at = ? AND per_ms = ?',
    tenant,
    key,
    endsAt,
    perMs,
  );
  const sum = before === undefined ? amount(row) : add(amount(before), amount(row));
  db.one(
    `INSERT INTO limit_posted (tenant, key, ends_at, per_ms, amount) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET amount = excluded.amount`,
    tenant,
    key,
    endsAt,
    perMs,
    checkedText(sum),
  );
  // Only a bucket begun just now is worth the look for ones that are over.
  if (before !== undefined) return;
  db.run(
    'DELETE FROM limit_posted WHERE tenant = ? AND key = ? AND ends_at <= ? - max(per_ms, ?)',
    tenant,
    key,
    now,
    perMs,
  );
}

/** The instant at which the bucket of `instant` ends, in milliseconds. */
function bucketEnd(instant: Instant, perMs: number): number {
  const bucket = Math.floor((instant * LIMIT_BUCKETS) / perMs);
  return Math.max(instant + 1, Math.ceil(((bucket + 1) * perMs) / LIMIT_BUCKETS));
}

function reservedUnder(db: Connection, tenant: number, key: string): Decimal {
  const row = db.get('SELECT amount FROM limit_open WHERE tenant = ? AND key = ?', tenant, key);
  return row === undefined ? ZERO : amount(row);
}

function writeReserved(db: Connection, tenant: number, key: string, sum: Decimal): void {
  // INVARIANT: nothing is given back that was not reserved.
  if (sum.unscaled < 0n) throw new Error('more was given back under a limit than was reserved');
  if (sum.unscaled === 0n) {
    db.run('DELETE FROM limit_open WHERE tenant = ? AND key = ?', tenant, key);
    return;
  }
  db.one(
    `INSERT INTO limit_open (tenant, key, amount) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET amount = excluded.amount`,
    tenant,
    key,
    checkedText(sum),
  );
}

/** A sum that could not be read back is never written. */
function checkedText(sum: Decimal): string {
  const written = canonicalDecimal(sum);
  if (parseDecimal(written) === undefined) throw new RangeError('a sum under a limit is too large');
  return written;
}

function amount(row: Row): Decimal {
  return parseDecimal(text(row, 'amount')) ?? malformed('amount');
}
