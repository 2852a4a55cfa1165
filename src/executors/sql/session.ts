/**
 * A conversation with a database: one connection, one transaction, at most one commit. The two
 * engines differ only below this line.
 */
import type { Clock } from '../../engine/ports.ts';
import type { JsonObject } from '../../kernel/json/value.ts';
import type { Lease } from '../credentials.ts';

/** A value as it is bound; a list is one value, which each engine takes in its own form. */
export type SqlValue = SqlScalar | readonly SqlScalar[];

/** A single value. */
export type SqlScalar = string | bigint;

/**
 * What a session is for: `read` cannot write; `rollback` writes and cannot commit; `write` can.
 */
export type SqlMode = 'read' | 'rollback' | 'write';

/** What a statement gave; cells are text as the database writes it. */
export interface SqlRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** How many rows were written, or given. */
  readonly count: number;
}

/** How a session is opened. */
export interface SessionOptions {
  /** Path or URL. */
  readonly location: string;
  readonly lease: Lease | undefined;
  readonly mode: SqlMode;
  readonly timeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** An open connection. Every method throws {@link SqlFailure}. */
export interface SqlSession {
  /** Who the database itself says it is. */
  readonly identity: string;
  /** Recorded beside it. */
  readonly recorded: JsonObject;
  /** Begins the one transaction, read-only where the session is. */
  begin(): Promise<void>;
  run(statement: string, parameters: readonly SqlValue[]): Promise<SqlRows>;
  /** Throws an error that nobody catches where the session only rolls back. */
  commit(): Promise<void>;
  /** Undoes the transaction; only then are its locks surely gone. */
  rollback(): Promise<void>;
  /** Breaks the connection off; what waits for an answer fails with `failure`. */
  break(failure: SqlFailure): void;
  /** Lets go; what was not committed never takes hold. Safe to call twice. */
  close(): void;
}

/** How a statement did not succeed. */
export type SqlFailureKind =
  /** The database said no. */
  | 'refused'
  /** It waited too long for somebody else's lock. */
  | 'lock_timeout'
  | 'timeout'
  | 'cancelled'
  /** The connection ended before the answer came. */
  | 'connection_lost';

/** A failure of a session. */
export class SqlFailure extends Error {
  override readonly name = 'SqlFailure';
  readonly kind: SqlFailureKind;
  /** The engine's own code: five characters of SQLSTATE, or SQLite's number. */
  readonly detail: string | undefined;
  /** The engine says that the transaction is over without effect, also where it answers a commit. */
  readonly conclusive: boolean;

  constructor(
    kind: SqlFailureKind,
    message: string,
    {
      detail,
      conclusive = false,
    }: { readonly detail?: string; readonly conclusive?: boolean } = {},
  ) {
    super(message);
    this.kind = kind;
    this.detail = detail;
    this.conclusive = conclusive;
  }
}

/** A session in whose transaction nothing can be committed. */
export type SqlLooking = Omit<SqlSession, 'commit'>;

/** INVARIANT: a preview that writes never commits, whichever credential it was given. */
export function assertMayCommit(mode: SqlMode): void {
  if (mode === 'rollback') throw new Error('a session that rolls back was asked to commit');
}

/** What bounds a piece of work. */
export interface Bounds {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** Runs `work` on a session that is broken off when the time is over or the signal aborts. */
export async function within<Value>(
  session: Pick<SqlSession, 'break'>,
  { timeoutMs, signal, clock }: Bounds,
  work: () => Promise<Value>,
): Promise<Value> {
  const done = new AbortController();
  const onAbort = (): void => session.break(new SqlFailure('cancelled', 'cancelled'));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  void clock.sleep(timeoutMs, done.signal).then(() => {
    if (done.signal.aborted) return;
    session.break(new SqlFailure('timeout', `no answer within ${String(timeoutMs)} ms`));
  });
  try {
    return await work();
  } finally {
    done.abort();
    signal.removeEventListener('abort', onAbort);
  }
}
