/** When something last happened: the last settlement under a conflict key, the last success of an operation. */
import type { Instant } from '../../kernel/instant.ts';
import { readInstant } from './columns.ts';
import type { Connection } from './connection.ts';
import { WriteBack } from './write-back.ts';

/** Instants of each sort kept in memory between batches. */
const KEPT_MAX = 4096;

/** An operation at a target, by their names. */
export interface Named {
  readonly target: string;
  readonly operation: string;
}

/** The latest instants of all tenants. */
export class Latest {
  readonly #settled: WriteBack<Instant>;
  readonly #succeeded: WriteBack<Instant>;

  constructor(db: Connection) {
    this.#settled = new WriteBack({
      db,
      read: (tenant, key) => {
        const row = db.get(
          'SELECT settled_at FROM conflict WHERE tenant = ? AND key = ?',
          tenant,
          key,
        );
        return row && readInstant(row, 'settled_at');
      },
      write: (tenant, key, at) =>
        db.one(
          `INSERT INTO conflict (tenant, key, settled_at) VALUES (?, ?, ?)
           ON CONFLICT DO UPDATE SET settled_at = excluded.settled_at`,
          tenant,
          key,
          at,
        ),
      keptMax: KEPT_MAX,
    });
    this.#succeeded = new WriteBack({
      db,
      read: (tenant, key) => {
        const { target, operation } = named(key);
        const row = db.get(
          'SELECT at FROM last_success WHERE tenant = ? AND target = ? AND operation = ?',
          tenant,
          target,
          operation,
        );
        return row && readInstant(row, 'at');
      },
      write: (tenant, key, at) => {
        const { target, operation } = named(key);
        db.one(
          `INSERT INTO last_success (tenant, target, operation, at) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET at = excluded.at`,
          tenant,
          target,
          operation,
          at,
        );
      },
      keptMax: KEPT_MAX,
    });
  }

  settledAt(tenant: number, conflictKey: string): Instant | undefined {
    return this.#settled.get(tenant, conflictKey);
  }

  succeededAt(tenant: number, operation: Named): Instant | undefined {
    return this.#succeeded.get(tenant, keyOf(operation));
  }

  settled(tenant: number, conflictKey: string, at: Instant): void {
    raise(this.#settled, tenant, conflictKey, at);
  }

  succeeded(tenant: number, operation: Named, at: Instant): void {
    raise(this.#succeeded, tenant, keyOf(operation), at);
  }

  /** Writes what changed, before the commit. */
  flush(): void {
    this.#settled.flush();
    this.#succeeded.flush();
  }

  /** After a rollback. */
  forget(): void {
    this.#settled.forget();
    this.#succeeded.forget();
  }
}

/** Never back: a late outcome may be stored after a newer one. */
function raise(latest: WriteBack<Instant>, tenant: number, key: string, at: Instant): void {
  const before = latest.get(tenant, key);
  if (before === undefined || before < at) latest.set(tenant, key, at);
}

/** Names of the inventory hold no line break. */
function keyOf({ target, operation }: Named): string {
  return `${target}\n${operation}`;
}

function named(key: string): Named {
  const [target = '', operation = ''] = key.split('\n');
  return { target, operation };
}
