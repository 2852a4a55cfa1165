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
import { WriteBack } from './write-back.ts';

/** Buckets in a period. */
export const LIMIT_BUCKETS = 60;

/** Counters kept in memory between batches. */
const COUNTERS_KEPT_MAX = 4096;

const ZERO = decimalOf(0n);

/** The counters of all tenants. */
export class LimitCounters {
  readonly #counters: WriteBack<Counter>;

  constructor(db: Connection) {
    this.#counters = new WriteBack({
      db,
      read: (tenant, key) => readCounter(db, tenant, key),
      write: (tenant, key, counter) => counter.write(db, tenant, key),
      keptMax: COUNTERS_KEPT_MAX,
    });
  }

  /** What is used under a counter at `now`, and when time alone frees how much of it. */
  read(tenant: number, { key, perMs }: LimitDemand, now: Instant): LimitState {
    const counter = this.#of(tenant, key);
    const posted = counter.postedAfter(now - perMs);
    let used = posted.reduce((sum, bucket) => add(sum, bucket.amount), counter.reserved);
    const total = canonicalDecimal(used);
    const frees: { readonly at: Instant; readonly used: string }[] = [];
    for (const { endsAt, amount } of posted) {
      used = subtract(used, amount);
      const at = addMs(instantOf(endsAt), perMs);
      // Two buckets that end together, after a change of the period, are freed together.
      if (frees.at(-1)?.at === at) frees.pop();
      frees.push({ at, used: canonicalDecimal(used) });
    }
    return { used: total, frees };
  }

  /** Reserves what a crossing takes. */
  reserve(tenant: number, reserves: readonly Reservation[]): void {
    for (const { key, amount } of reserves) {
      const taken = amountOf(amount);
      if (taken.unscaled < 0n) throw new RangeError(`\`${amount}\` cannot be reserved`);
      const counter = this.#of(tenant, key);
      const sum = checked(add(counter.reserved, taken));
      this.#counters.set(tenant, key, counter);
      counter.reserved = sum;
    }
  }

  /** Gives back what an execution reserved, and posts it where it happened. */
  settle(settled: {
    readonly tenant: number;
    readonly reserves: readonly Reservation[];
    readonly crossedAt: Instant;
    readonly change: 'post' | 'void';
    readonly now: Instant;
  }): void {
    const { tenant, crossedAt, now } = settled;
    for (const { key, perMs, amount } of settled.reserves) {
      const counter = this.#of(tenant, key);
      const left = subtract(counter.reserved, amountOf(amount));
      // INVARIANT: nothing is given back that was not reserved.
      if (left.unscaled < 0n)
        throw new Error('more was given back under a limit than was reserved');
      this.#counters.set(tenant, key, counter);
      counter.reserved = left;
      if (settled.change === 'post') {
        counter.post({ endsAt: bucketEnd(crossedAt, perMs), perMs, amount: amountOf(amount) }, now);
      }
    }
  }

  /** Writes what changed, before the commit. */
  flush(): void {
    this.#counters.flush();
  }

  /** After a rollback. */
  forget(): void {
    this.#counters.forget();
  }

  #of(tenant: number, key: string): Counter {
    return this.#counters.get(tenant, key) ?? new Counter(ZERO, []);
  }
}

/** What was posted in one bucket, named by the instant it ends. */
interface Bucket {
  readonly endsAt: number;
  readonly perMs: number;
  readonly amount: Decimal;
}

/** One counter: the sum of what is reserved, and what was posted, oldest bucket first. */
class Counter {
  reserved: Decimal;
  #written: Decimal;
  #buckets: readonly Bucket[];
  readonly #unwritten = new Set<Bucket>();
  readonly #over = new Set<Bucket>();

  constructor(reserved: Decimal, buckets: readonly Bucket[]) {
    this.reserved = reserved;
    this.#written = reserved;
    this.#buckets = buckets;
  }

  postedAfter(instant: number): readonly Bucket[] {
    return this.#buckets.filter(({ endsAt }) => endsAt > instant);
  }

  /** Adds to a bucket. Only one begun just now is worth the look for ones that are over. */
  post(posted: Bucket, now: Instant): void {
    const same = this.#buckets.find(
      ({ endsAt, perMs }) => endsAt === posted.endsAt && perMs === posted.perMs,
    );
    const sum: Bucket = same
      ? { ...posted, amount: checked(add(same.amount, posted.amount)) }
      : posted;
    if (same !== undefined) this.#unwritten.delete(same);
    this.#unwritten.add(sum);
    const others = this.#buckets.filter((bucket) => bucket !== same);
    const kept =
      same === undefined ? others.filter((each) => !this.#end(each, posted, now)) : others;
    this.#buckets = [...kept, sum].sort((left, right) => left.endsAt - right.endsAt);
  }

  /** Writes what changed since the last time. */
  write(db: Connection, tenant: number, key: string): void {
    if (this.reserved !== this.#written) writeReserved(db, tenant, key, this.reserved);
    this.#written = this.reserved;
    for (const { endsAt, perMs } of this.#over) {
      db.run(
        'DELETE FROM limit_posted WHERE tenant = ? AND key = ? AND ends_at = ? AND per_ms = ?',
        tenant,
        key,
        endsAt,
        perMs,
      );
    }
    this.#over.clear();
    for (const { endsAt, perMs, amount } of this.#unwritten) {
      db.one(
        `INSERT INTO limit_posted (tenant, key, ends_at, per_ms, amount) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET amount = excluded.amount`,
        tenant,
        key,
        endsAt,
        perMs,
        canonicalDecimal(amount),
      );
    }
    this.#unwritten.clear();
  }

  /** Whether a bucket counts no more, under its own period or the new one; then its row goes too. */
  #end(bucket: Bucket, { perMs }: Bucket, now: Instant): boolean {
    const over = bucket.endsAt <= now - Math.max(bucket.perMs, perMs);
    if (over) {
      this.#unwritten.delete(bucket);
      this.#over.add(bucket);
    }
    return over;
  }
}

/** The instant at which the bucket of `instant` ends, in milliseconds. */
function bucketEnd(instant: Instant, perMs: number): number {
  const bucket = Math.floor((instant * LIMIT_BUCKETS) / perMs);
  return Math.max(instant + 1, Math.ceil(((bucket + 1) * perMs) / LIMIT_BUCKETS));
}

function readCounter(db: Connection, tenant: number, key: string): Counter {
  const open = db.get('SELECT amount FROM limit_open WHERE tenant = ? AND key = ?', tenant, key);
  const posted = db.all(
    'SELECT ends_at, per_ms, amount FROM limit_posted WHERE tenant = ? AND key = ? ORDER BY ends_at',
    tenant,
    key,
  );
  return new Counter(
    open === undefined ? ZERO : readAmount(open),
    posted.map((row) => ({
      endsAt: integer(row, 'ends_at'),
      perMs: integer(row, 'per_ms'),
      amount: readAmount(row),
    })),
  );
}

function writeReserved(db: Connection, tenant: number, key: string, sum: Decimal): void {
  if (sum.unscaled === 0n) {
    db.run('DELETE FROM limit_open WHERE tenant = ? AND key = ?', tenant, key);
    return;
  }
  db.one(
    `INSERT INTO limit_open (tenant, key, amount) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET amount = excluded.amount`,
    tenant,
    key,
    canonicalDecimal(sum),
  );
}

/** A sum that could not be read back is never written. */
function checked(sum: Decimal): Decimal {
  if (parseDecimal(canonicalDecimal(sum)) === undefined) {
    throw new RangeError('a sum under a limit is too large');
  }
  return sum;
}

function amountOf(decimal: string): Decimal {
  const parsed = parseDecimal(decimal);
  if (parsed === undefined) throw new RangeError(`\`${decimal}\` is no amount`);
  return parsed;
}

function readAmount(row: Row): Decimal {
  return parseDecimal(text(row, 'amount')) ?? malformed('amount');
}
