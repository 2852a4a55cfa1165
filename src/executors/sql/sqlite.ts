/**
 * A session with a SQLite file, in a process of its own. Breaking off kills that process: before a
 * commit was asked for, nothing of its transaction can take hold.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { writeCanonical } from '../../kernel/json/write.ts';
import { refuse } from '../refusal.ts';
import {
  assertMayCommit,
  type SessionOptions,
  SqlFailure,
  type SqlRows,
  type SqlScalar,
  type SqlSession,
  type SqlValue,
  within,
} from './session.ts';
import type { SqliteAnswer, SqliteRequest } from './sqlite-program.ts';

/** The program as it stands beside this file, as source or compiled. */
export const SQLITE_PROGRAM: string = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? './sqlite-program.ts' : './sqlite-program.js',
    import.meta.url,
  ),
);

/** A process stands and has the file open within this. */
const OPEN_MS_MAX = 10_000;

/** Opens the file. Refuses with `connection_failed`, `timeout`, `cancelled`. */
export async function openSqlite(options: SessionOptions, program: string): Promise<SqlSession> {
  const child = fork(program, [], {
    env: {},
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const session = new SqliteSession(child, options);
  try {
    await within(session, { ...options, timeoutMs: OPEN_MS_MAX }, () => session.open());
    return session;
  } catch (error) {
    session.close();
    if (!(error instanceof SqlFailure)) throw error;
    if (error.kind === 'cancelled' || error.kind === 'timeout') {
      return refuse(error.kind, 'the database did not open in time');
    }
    return refuse('connection_failed', `the database cannot be opened: ${error.message}`);
  }
}

class SqliteSession implements SqlSession {
  identity = '';
  recorded = {};
  readonly #child: ChildProcess;
  readonly #options: SessionOptions;
  #failure: SqlFailure | undefined;
  #waiting: { resolve(answer: SqliteAnswer): void; reject(failure: SqlFailure): void } | undefined;

  constructor(child: ChildProcess, options: SessionOptions) {
    this.#child = child;
    this.#options = options;
    child.on('message', (answer: SqliteAnswer) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve(answer);
    });
    // Only while an answer is awaited does the child keep this process alive.
    child.unref();
    child.channel?.unref();
    const lost = (): void => {
      this.#fail(new SqlFailure('connection_lost', 'the process of the database ended'));
    };
    child.on('exit', lost);
    child.on('error', lost);
  }

  async open(): Promise<void> {
    const { location: path, mode, lockTimeoutMs } = this.#options;
    const { rows } = await this.#ask({ kind: 'open', path, mode, lockTimeoutMs });
    const [real, inode, application, version] = rows[0] ?? [];
    this.identity = `sqlite:${String(real)} ${String(inode)} ${String(application)}.${String(version)}`;
  }

  async begin(): Promise<void> {
    await this.run(this.#options.mode === 'read' ? 'BEGIN' : 'BEGIN IMMEDIATE', []);
  }

  async run(statement: string, parameters: readonly SqlValue[]): Promise<SqlRows> {
    return await this.#ask({ kind: 'run', statement, parameters: parameters.map(boundOf) });
  }

  async rollback(): Promise<void> {
    await this.run('ROLLBACK', []);
  }

  async commit(): Promise<void> {
    assertMayCommit(this.#options.mode);
    await this.#ask({ kind: 'commit' });
  }

  break(failure: SqlFailure): void {
    this.#fail(failure);
    this.close();
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  #fail(failure: SqlFailure): void {
    this.#failure ??= failure;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(this.#failure);
  }

  async #ask(request: SqliteRequest): Promise<SqlRows> {
    this.#child.channel?.ref();
    const answer = await new Promise<SqliteAnswer>((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#waiting = { resolve, reject };
      // A channel that is closed already is told by `exit`.
      this.#child.send(request, () => undefined);
    }).finally(() => this.#child.channel?.unref());
    if (answer.kind === 'rows') return answer;
    const { message, errcode, rolledBack } = answer;
    const kind = ((errcode ?? 0) & 0xff) === BUSY ? 'lock_timeout' : 'refused';
    const detail = errcode === undefined ? {} : { detail: String(errcode) };
    throw new SqlFailure(kind, message, { ...detail, conclusive: rolledBack });
  }
}

/** A list as a JSON text, which `json_each` reads; integers beyond 2^53 are digits there as well. */
function boundOf(value: SqlValue): SqlScalar {
  if (typeof value !== 'object') return value;
  const items = value.map((item) =>
    typeof item === 'bigint' ? String(item) : writeCanonical(item),
  );
  return `[${items.join(',')}]`;
}

const BUSY = 5;
