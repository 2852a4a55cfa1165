/**
 * What holds wait for. Most keys nobody waits for, and that is known without asking the file: a key that
 * was ever waited for is kept in memory, which may be one too many and is never one too few.
 */
import { integer, text, type Connection } from './connection.ts';

/** Keys kept in memory; with more, they are read anew. */
const KEYS_KEPT_MAX = 100_000;

/** The waits of all tenants. */
export class Waits {
  readonly #db: Connection;
  #keys: Set<string> | undefined;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** The rows of the actions that wait for a key. */
  of(tenant: number, key: string): readonly number[] {
    if (!this.#known().has(name(tenant, key))) return [];
    return this.#db
      .all('SELECT action FROM wait WHERE tenant = ? AND key = ?', tenant, key)
      .map((row) => integer(row, 'action'));
  }

  add(tenant: number, key: string, action: number): void {
    this.#known().add(name(tenant, key));
    this.#db.run('INSERT INTO wait (tenant, key, action) VALUES (?, ?, ?)', tenant, key, action);
  }

  /** The action waits no more. */
  end(action: number): void {
    this.#db.run('DELETE FROM wait WHERE action = ?', action);
    if (this.#known().size > KEYS_KEPT_MAX) this.#keys = undefined;
  }

  /** After a rollback. */
  forget(): void {
    this.#keys = undefined;
  }

  #known(): Set<string> {
    this.#keys ??= new Set(
      this.#db
        .all('SELECT DISTINCT tenant, key FROM wait')
        .map((row) => name(integer(row, 'tenant'), text(row, 'key'))),
    );
    return this.#keys;
  }
}

function name(tenant: number, key: string): string {
  return `${String(tenant)} ${key}`;
}
