/**
 * The process that holds one SQLite database for one effect. SQLite works synchronously: in a process
 * of its own a slow statement stops nobody else, and can be stopped. It does what its parent says, one
 * message at a time, and ends without a commit when the parent is gone.
 */
import { realpathSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** What the parent asks. */
export type SqliteRequest =
  | {
      readonly kind: 'open';
      readonly path: string;
      readonly mode: 'read' | 'rollback' | 'write';
      readonly lockTimeoutMs: number;
    }
  | {
      readonly kind: 'run';
      readonly statement: string;
      readonly parameters: readonly (string | bigint)[];
    }
  | { readonly kind: 'commit' };

/** What it answers. */
export type SqliteAnswer =
  | {
      readonly kind: 'rows';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly (string | null)[])[];
      readonly count: number;
    }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly errcode: number | undefined;
      /** No transaction is open any more, and none was committed. */
      readonly rolledBack: boolean;
    };

let database: DatabaseSync | undefined;
let openedFor: (SqliteRequest & { kind: 'open' })['mode'] = 'read';

/** Answers one request. */
export function answerRequest(request: SqliteRequest): SqliteAnswer {
  try {
    return perform(request);
  } catch (error) {
    const errcode =
      error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
        ? error.errcode
        : undefined;
    const message = error instanceof Error ? error.message : 'the database failed';
    return { kind: 'failed', message, errcode, rolledBack: rollBack(request, errcode) };
  }
}

function perform(request: SqliteRequest): SqliteAnswer {
  switch (request.kind) {
    case 'open':
      openedFor = request.mode;
      if (openedFor !== 'read' && process.send !== undefined) endWithParent();
      database = openDatabase(request);
      return identityOf(database, request.path);
    case 'run':
      return run(opened(), request.statement, request.parameters);
    case 'commit':
      // INVARIANT: its parent does not ask, and here it would not be done either.
      if (openedFor === 'rollback') throw new Error('a preview was asked to commit');
      opened().exec('COMMIT');
      return { kind: 'rows', columns: [], rows: [], count: 0 };
    default:
      return request satisfies never;
  }
}

function opened(): DatabaseSync {
  if (database === undefined) throw new Error('the database is not open');
  return database;
}

function openDatabase({
  path,
  mode,
  lockTimeoutMs,
}: SqliteRequest & { kind: 'open' }): DatabaseSync {
  const url = pathToFileURL(path);
  // A file that is missing is not made.
  url.search = mode === 'read' ? '?mode=ro' : '?mode=rw';
  const opening = new DatabaseSync(url, { readOnly: mode === 'read', timeout: lockTimeoutMs });
  // Functions that a schema names run nothing beyond SQLite's own.
  opening.exec('PRAGMA trusted_schema = OFF');
  return opening;
}

/** One row: the file's real path, its inode, and the two numbers that its owner may have given it. */
function identityOf(from: DatabaseSync, path: string): SqliteAnswer {
  const real = realpathSync(path);
  const { ino, dev } = statSync(real, { bigint: true });
  const [application] = run(from, 'PRAGMA application_id', []).rows;
  const [version] = run(from, 'PRAGMA user_version', []).rows;
  const row = [real, `${dev}:${ino}`, application?.[0] ?? '0', version?.[0] ?? '0'];
  return { kind: 'rows', columns: [], rows: [row], count: 1 };
}

/** One more than any statement may touch: whoever counts them sees that there are too many. */
const ROWS_MAX = 10_001;

function run(
  from: DatabaseSync,
  statement: string,
  parameters: readonly (string | bigint)[],
): SqliteAnswer & { kind: 'rows' } {
  const prepared = from.prepare(statement);
  const columns = prepared.columns().map(({ name }) => name);
  if (columns.length === 0) {
    const { changes } = prepared.run(...parameters);
    return { kind: 'rows', columns, rows: [], count: Number(changes) };
  }
  prepared.setReadBigInts(true);
  prepared.setReturnArrays(true);
  const rows: (string | null)[][] = [];
  for (const row of prepared.iterate(...parameters)) {
    rows.push(Object.values(row).map(cellOf));
    if (rows.length === ROWS_MAX) break;
  }
  return { kind: 'rows', columns, rows, count: rows.length };
}

function cellOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return null;
}

/** SQLite's own codes for which a commit that failed left the transaction as it was. */
const BUSY = 5;
const FULL = 13;
const CONSTRAINT = 19;

function rollBack({ kind }: SqliteRequest, errcode: number | undefined): boolean {
  if (database === undefined) return true;
  const primary = (errcode ?? 0) & 0xff;
  if (kind === 'commit' && ![BUSY, FULL, CONSTRAINT].includes(primary)) return false;
  try {
    if (database.isTransaction) database.exec('ROLLBACK');
    return !database.isTransaction;
  } catch {
    // The process ends with its transaction open: nothing of it takes hold.
    return kind !== 'commit';
  }
}

/** Read before the parent's first message is answered: without an answer it asks for no transaction. */
const PARENT = process.ppid;
/** How often it is looked whether the parent is there, while a statement keeps this thread. */
const PARENT_MS = 500;

/**
 * While a statement runs, this thread hears of nothing; one that never ends would keep the database
 * locked after its layer is gone. Another thread sees that, and ends the process with the transaction.
 */
function endWithParent(): void {
  const watch = `setInterval(() => {
      if (process.ppid !== ${PARENT}) process.kill(process.pid, 'SIGKILL');
    }, ${PARENT_MS});`;
  new Worker(watch, { eval: true, stdout: true, stderr: true }).unref();
}

if (process.send !== undefined) {
  process.on('message', (request: SqliteRequest) => {
    process.send?.(answerRequest(request));
  });
  // The parent is gone: nobody would hear of a commit.
  process.on('disconnect', () => process.exit(0));
}
