/** A look into a stopped store that changes nothing in it. */
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../engine/ports.ts';
import { integer, resultCode } from './connection.ts';
import { DATABASE_FILE, readOwner } from './files.ts';
import { refuseUnsuitable } from './migrate.ts';

const SQLITE_BUSY = 5;

/** What a stopped store says of itself. */
export interface Peeked {
  /** The latest instant that it has given out. */
  readonly mark: number;
}

/** Looks. Errors: `store_locked` where a process owns it, `store_foreign`, `store_newer`. */
export function peekStore(directory: string): Peeked {
  const path = join(resolve(directory), DATABASE_FILE);
  const database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    const pragma = (name: string): number => {
      const row = database.prepare(`PRAGMA ${name}`).get();
      return row === undefined ? 0 : integer(row, name);
    };
    refuseUnsuitable(
      { application: pragma('application_id'), version: pragma('user_version') },
      path,
    );
    const row = database.prepare('SELECT mark FROM clock WHERE id = 1').get();
    return { mark: row === undefined ? 0 : integer(row, 'mark') };
  } catch (error) {
    if (resultCode(error) !== SQLITE_BUSY) throw error;
    throw new StoreError(
      'store_locked',
      `the store in \`${directory}\` is owned by process \`${readOwner(directory)}\``,
    );
  } finally {
    database.close();
  }
}
