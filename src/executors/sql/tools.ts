/** What every step of the executor for databases needs: leases, sessions, and how failures are told. */
import type { Clock } from '../../engine/ports.ts';
import type { Target } from '../../kernel/inventory.ts';
import { leaseCredential, type Environment } from '../credentials.ts';
import type { Masker } from '../mask.ts';
import { ExecutorRefusal, refuse, type RefusalCode } from '../refusal.ts';
import { openPostgres } from './postgres.ts';
import type { SqlBinding } from './compile.ts';
import {
  type SessionOptions,
  SqlFailure,
  type SqlLooking,
  type SqlSession,
  within,
} from './session.ts';
import { openSqlite } from './sqlite.ts';

/** What the executor was made with. */
export interface SqlTools {
  readonly masker: Masker;
  readonly environment: Environment;
  readonly clock: Clock;
  /** The program that holds a SQLite database. */
  readonly sqliteProgram: string;
}

/** A look takes no longer than this. */
const LOOK_MS_MAX = 15_000;
/** A look waits no longer than this for somebody's lock. */
const LOOK_LOCK_MS_MAX = 2000;

/** The reference that acts; `undefined` where the database takes none. */
export function actReference(target: Target): string | undefined {
  const { executor, credentials } = target;
  if (executor.kind === 'sql' && executor.engine === 'sqlite') return undefined;
  return (
    credentials.act ??
    refuse('credential_missing', `target \`${target.name}\` has no credential to act`)
  );
}

/** The reference that looks: `act` only where nothing weaker is declared, and then read-only too. */
function lookReference(target: Target): string | undefined {
  const act = actReference(target);
  return act === undefined ? undefined : (target.credentials.look ?? act);
}

/** The reference for previews that write and are rolled back. */
function rollbackReference(target: Target): string | undefined {
  const act = actReference(target);
  return act === undefined ? undefined : (target.credentials.rollback ?? act);
}

/** Leases a credential and opens a session; the lease is over when the connection stands. */
export async function openSession(
  { target }: Pick<SqlBinding, 'target'>,
  reference: string | undefined,
  options: Omit<SessionOptions, 'lease' | 'location' | 'clock'>,
  tools: SqlTools,
): Promise<SqlSession> {
  const lease = reference === undefined ? undefined : await leaseCredential(reference, tools);
  try {
    const whole = { ...options, lease, location: target.location, clock: tools.clock };
    return target.engine === 'postgres'
      ? await openPostgres(whole, tools.masker)
      : await openSqlite(whole, tools.sqliteProgram);
  } finally {
    lease?.release();
  }
}

/** How a look is made. */
export interface Look {
  readonly target: Target;
  readonly binding: Pick<SqlBinding, 'target'>;
  readonly signal: AbortSignal;
  readonly failure: RefusalCode;
}

/** Runs `work` in a read-only transaction under the credential `look`, within a bounded time. */
export async function looking<Value>(
  { target, binding, signal, failure }: Look,
  tools: SqlTools,
  work: (session: SqlLooking) => Promise<Value>,
): Promise<Value> {
  const timeoutMs = LOOK_MS_MAX;
  const options = { mode: 'read', timeoutMs, lockTimeoutMs: LOOK_LOCK_MS_MAX, signal } as const;
  const reference = lookReference(target);
  const session = await openSession(binding, reference, options, tools);
  try {
    return await within(session, { timeoutMs, signal, clock: tools.clock }, async () => {
      await session.begin();
      return await work(session);
    });
  } catch (error) {
    return refuseFailure(error, failure, tools.masker);
  } finally {
    session.close();
  }
}

/** What a preview that writes may take: for that long, others may wait for the rows that it holds. */
const ROLLBACK_MS_MAX = 5000;

/** How the one look that writes is made. */
export interface RollbackLook extends Look {
  readonly timeoutMs: number;
  readonly lockTimeoutMs: number;
}

/**
 * Runs `work` in a transaction that is rolled back, whatever becomes of `work`: by the word where the
 * connection stands, by its end where it does not. INVARIANT: nothing here can commit; the session
 * itself refuses to.
 */
export async function rollingBack<Value>(
  { target, binding, signal, failure, ...bounds }: RollbackLook,
  tools: SqlTools,
  work: (session: SqlLooking) => Promise<Value>,
): Promise<Value> {
  const timeoutMs = Math.min(bounds.timeoutMs, ROLLBACK_MS_MAX);
  const { lockTimeoutMs } = bounds;
  const options = { mode: 'rollback', timeoutMs, lockTimeoutMs, signal } as const;
  const reference = rollbackReference(target);
  const session = await openSession(binding, reference, options, tools);
  try {
    return await within(session, { timeoutMs, signal, clock: tools.clock }, async () => {
      await session.begin();
      // A crash from here on leaves a connection that ends, and its transaction with it.
      try {
        return await work(session);
      } finally {
        await undo(session);
      }
    });
  } catch (error) {
    return refuseFailure(error, failure, tools.masker);
  } finally {
    session.close();
  }
}

async function undo(session: SqlLooking): Promise<void> {
  try {
    await session.rollback();
  } catch (error) {
    // Over already, or the connection is: either way nothing can be committed any more.
    if (!(error instanceof SqlFailure)) throw error;
  }
}

/** A failure of a session as a refusal; anything else is a defect. */
export function refuseFailure(error: unknown, code: RefusalCode, masker: Masker): never {
  if (error instanceof ExecutorRefusal || !(error instanceof SqlFailure)) throw error;
  const { kind, message } = error;
  refuse(kind === 'timeout' || kind === 'cancelled' ? kind : code, oneLine(masker.text(message)));
}

/** The longest message that is kept of what a database says. */
const MESSAGE_LENGTH_MAX = 200;

/** A database's message as one bounded line. */
export function oneLine(message: string): string {
  const line = message.replaceAll(/\s+/gu, ' ').trim();
  return line.slice(0, MESSAGE_LENGTH_MAX).toWellFormed();
}
