/**
 * A session with PostgreSQL, through the optional package `pg`: extended protocol only, every value
 * bound, timeouts at both ends. Breaking off destroys the socket, so that nothing can follow.
 */
import { isIP, Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Client, ClientConfig, QueryArrayConfig } from 'pg';
import type { Masker } from '../mask.ts';
import { refuse } from '../refusal.ts';
import {
  assertMayCommit,
  type SessionOptions,
  SqlFailure,
  type SqlRows,
  type SqlSession,
  type SqlValue,
  within,
} from './session.ts';

/** A connection stands within this. */
const CONNECT_MS_MAX = 10_000;
/** A farewell takes no longer than this. */
const END_MS_MAX = 1000;

const IDENTITY = `SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::text,
  pg_catalog.current_database()::text, pg_catalog.current_setting('server_version'), current_user::text`;

/** How often a server looks whether the layer still waits for a statement that will be rolled back. */
const ALIVE_MS = 500;

/** Connects. Refuses with `driver_missing`, `url_refused`, `connection_failed`, `probe_failed`. */
export async function openPostgres(options: SessionOptions, masker: Masker): Promise<SqlSession> {
  const { Client: ClientOf } = await loadDriver();
  const socket = new Socket();
  const client = new ClientOf({
    ...configOf(options, masker),
    stream: () => socket,
    application_name: 'exequatur',
    // Texts as the server writes them: what was compared must be what was shown.
    types: { getTypeParser: () => (text: unknown) => text },
  });
  const session = new PostgresSession(client, socket, options);
  try {
    const bounds = { ...options, timeoutMs: CONNECT_MS_MAX };
    await within(session, bounds, () => session.connect());
    return session;
  } catch (error) {
    session.close();
    if (!(error instanceof SqlFailure)) throw error;
    if (error.kind === 'cancelled' || error.kind === 'timeout') {
      return refuse(error.kind, 'the database did not answer in time');
    }
    return refuse(
      'connection_failed',
      `the database cannot be reached: ${masker.text(error.message)}`,
    );
  }
}

async function loadDriver(): Promise<{ readonly Client: typeof Client }> {
  try {
    const driver = await import('pg');
    return driver.default;
  } catch (error) {
    const isMissing =
      error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (!isMissing) throw error;
    return refuse('driver_missing', 'package `pg` is not installed; run `npm install pg`');
  }
}

/**
 * The credential is a password, or a whole URL of the same database with another user. INVARIANT: a
 * credential never leads to another database than the inventory says.
 */
function configOf({ location, lease }: SessionOptions, masker: Masker): ClientConfig {
  const url = parseUrl(location);
  const secret = lease?.value ?? '';
  const own = /^postgres(?:ql)?:\/\//u.test(secret) ? parseUrl(secret) : undefined;
  if (own !== undefined && placeOf(own) !== placeOf(url)) {
    refuse('url_refused', 'the credential is for another database than the target');
  }
  const user = decode(own?.username ?? '') || decode(url.username);
  if (user === '') refuse('url_refused', 'neither target nor credential names a user');
  const password = own === undefined ? secret : decode(own.password);
  if (password.length >= 4) masker.register(password);
  const host = url.hostname.replace(/^\[(.*)\]$/u, '$1');
  return {
    host,
    port: url.port === '' ? 5432 : Number(url.port),
    database: decode(url.pathname.slice(1)),
    user,
    password,
    ssl: isPlain(url) ? false : tlsFor(host),
  };
}

/** The certificate must be for this host. An address is never sent as a name (RFC 6066 section 3). */
function tlsFor(host: string): ConnectionOptions {
  return { rejectUnauthorized: true, host, ...(isIP(host) === 0 ? { servername: host } : {}) };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  return url ?? refuse('url_refused', 'the url of the database is not one');
}

function placeOf({ hostname, port, pathname }: URL): string {
  return [hostname, port === '' ? '5432' : port, pathname].join(' ');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse('url_refused', 'the url of the database is not encoded as a url');
  }
}

/** Off this machine only TLS, unless the inventory says otherwise. */
function isPlain({ hostname, searchParams }: URL): boolean {
  const mode = searchParams.get('sslmode');
  const isLocal = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u.test(hostname);
  return mode === 'disable' || (mode === null && isLocal);
}

class PostgresSession implements SqlSession {
  identity = '';
  recorded = {};
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  #failure: SqlFailure | undefined;
  #closed = false;

  constructor(client: Client, socket: Socket, options: SessionOptions) {
    this.#client = client;
    this.#socket = socket;
    this.#options = options;
    // Without a listener a connection that breaks between two statements would end the process.
    client.on('error', () => undefined);
  }

  async connect(): Promise<void> {
    await this.#guard(() => this.#client.connect());
    const { rows } = await this.run(IDENTITY, []);
    const [system, database, version, user] = rows[0] ?? [];
    this.identity = `postgres:${String(system)}/${String(database)}`;
    this.recorded = { server: String(version), user: String(user) };
  }

  async begin(): Promise<void> {
    const { mode, timeoutMs, lockTimeoutMs } = this.#options;
    if (mode === 'rollback') await this.#keepNoLocks();
    await this.run(mode === 'read' ? 'BEGIN READ ONLY' : 'BEGIN', []);
    await this.run(
      "SELECT pg_catalog.set_config('statement_timeout', $1, true), pg_catalog.set_config('lock_timeout', $2, true)",
      [String(timeoutMs), String(lockTimeoutMs)],
    );
  }

  /** Where the layer stands still or is gone, the server itself ends the transaction, and frees its rows. */
  async #keepNoLocks(): Promise<void> {
    const set = 'SELECT pg_catalog.set_config($1, $2, false)';
    const { timeoutMs } = this.#options;
    await this.run(set, ['idle_in_transaction_session_timeout', String(timeoutMs)]);
    try {
      await this.run(set, ['client_connection_check_interval', String(ALIVE_MS)]);
    } catch (error) {
      // Not every server can; there the timeout of the statement ends it, a little later.
      if (!(error instanceof SqlFailure && error.kind === 'refused')) throw error;
    }
  }

  async run(statement: string, parameters: readonly SqlValue[]): Promise<SqlRows> {
    // The simple protocol would take two statements; the extended one cannot.
    const query: QueryArrayConfig & { readonly queryMode: 'extended' } = {
      text: statement,
      values: parameters.map(textOf),
      rowMode: 'array',
      queryMode: 'extended',
    };
    const result = await this.#guard(() => this.#client.query<(string | null)[]>(query));
    const { rows, fields, rowCount } = result;
    return { columns: fields.map(({ name }) => name), rows, count: rowCount ?? rows.length };
  }

  async commit(): Promise<void> {
    assertMayCommit(this.#options.mode);
    const { command } = await this.#guard(() => this.#client.query('COMMIT'));
    // A transaction that failed before answers a commit with this word and no error.
    if (command === 'COMMIT') return;
    throw new SqlFailure('refused', 'the database rolled back', { conclusive: true });
  }

  async rollback(): Promise<void> {
    await this.run('ROLLBACK', []);
  }

  break(failure: SqlFailure): void {
    this.#failure ??= failure;
    this.#socket.destroy(failure);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const end = Promise.race([this.#client.end(), this.#options.clock.sleep(END_MS_MAX)]);
    // The connection is given up either way.
    void end.catch(() => undefined).finally(() => this.#socket.destroy());
  }

  async #guard<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#failure !== undefined) throw this.#failure;
    // Only while an answer is awaited does the connection keep this process alive.
    this.#socket.ref();
    try {
      return await work();
    } catch (error) {
      throw this.#failure ?? failureOf(error);
    } finally {
      this.#socket.unref();
    }
  }
}

/** A list as the text of an array (PostgreSQL 18, section 8.15.6); the server knows of what type. */
function textOf(value: SqlValue): string {
  if (typeof value !== 'object') return String(value);
  const items = value.map((item) => `"${String(item).replaceAll(/["\\]/gu, String.raw`\$&`)}"`);
  return `{${items.join(',')}}`;
}

function failureOf(error: unknown): SqlFailure {
  const message = error instanceof Error ? error.message : 'the database failed';
  const { code, severity } = membersOf(error);
  if (severity === undefined || severity !== 'ERROR' || code === undefined) {
    return new SqlFailure('connection_lost', message, code === undefined ? {} : { detail: code });
  }
  if (code === '57014') return new SqlFailure('timeout', message, { detail: code });
  if (code === '55P03') return new SqlFailure('lock_timeout', message, { detail: code });
  // Integrity and serialization: the two ways in which a commit itself is refused.
  return new SqlFailure('refused', message, { detail: code, conclusive: /^(?:23|40)/u.test(code) });
}

function membersOf(error: unknown): { readonly code?: string; readonly severity?: string } {
  if (!(error instanceof Error)) return {};
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const severity =
    'severity' in error && typeof error.severity === 'string' ? { severity: error.severity } : {};
  return { ...code, ...severity };
}
