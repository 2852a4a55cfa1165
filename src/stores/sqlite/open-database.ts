/**
 * Opens the one connection: locked to this process, every pragma that durability and safety rest on set
 * and read back, the schema brought up to date.
 */
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../engine/ports.ts';
import { Connection, resultCode, severityOf, type Value } from './connection.ts';
import { prepareDirectory, prepareFile, readOwner, removeOwner, writeOwner } from './files.ts';
import { migrate } from './migrate.ts';

/** The first SQLite without the bug that could corrupt a log which two connections reset. */
export const SQLITE_VERSION_MIN = '3.51.3';

/** How long an opener waits for the lock before it says who holds it. */
const LOCK_WAIT_MS = 250;
const CACHE_KIB = 65_536;
const SQLITE_BUSY = 5;

/** Directories opened by this process: SQLite's lock is per process, and must not be taken twice. */
const opened = new Set<string>();

/** A database that this process owns until it is closed. */
export interface OwnedDatabase {
  readonly db: Connection;
  readonly path: string;
  close(): void;
}

/** Opens the database of a directory, made where there is none. Errors: the `StoreErrorCode`s of opening. */
export function openDatabase(directory: string): OwnedDatabase {
  requireVersion(process.versions['sqlite'] ?? '0');
  const place = resolve(directory);
  if (opened.has(place)) throw locked(place, String(process.pid));
  opened.add(place);
  let db: Connection | undefined;
  try {
    prepareDirectory(place);
    const path = prepareFile(place);
    db = new Connection(new DatabaseSync(path, { timeout: LOCK_WAIT_MS, defensive: true }));
    configure(db);
    writeOwner(place);
    migrate(db);
    return owned(db, path);
  } catch (error) {
    db?.close();
    opened.delete(place);
    throw asRefusal(error, place);
  }
}

function owned(db: Connection, path: string): OwnedDatabase {
  const place = dirname(path);
  return {
    db,
    path,
    close: () => {
      removeOwner(place);
      db.close();
      opened.delete(place);
    },
  };
}

/** Refuses a SQLite older than {@link SQLITE_VERSION_MIN}. */
export function requireVersion(version: string): void {
  const parts = version.split('.').map(Number);
  for (const [index, least] of SQLITE_VERSION_MIN.split('.').map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part > least) return;
    if (part < least) {
      throw new StoreError(
        'store_unsafe',
        `sqlite \`${version}\` is too old: ${SQLITE_VERSION_MIN} or later is needed`,
      );
    }
  }
}

function configure(db: Connection): void {
  // The lock comes first: it makes this process the only one, and the kernel ends it with the process.
  set(db, 'locking_mode', 'EXCLUSIVE', 'exclusive');
  set(db, 'journal_mode', 'WAL', 'wal');
  // Without FULL a power cut loses commits that were answered, and with them consumed approvals.
  set(db, 'synchronous', 'FULL', 2);
  set(db, 'fullfsync', 'ON', 1);
  set(db, 'checkpoint_fullfsync', 'ON', 1);
  set(db, 'foreign_keys', 'ON', 1);
  set(db, 'trusted_schema', 'OFF', 0);
  set(db, 'cell_size_check', 'ON', 1);
  set(db, 'busy_timeout', String(LOCK_WAIT_MS), LOCK_WAIT_MS);
  set(db, 'cache_size', String(-CACHE_KIB), -CACHE_KIB);
  set(db, 'temp_store', 'MEMORY', 2);
  // What is deleted or replaced is overwritten with zeros, or erasing would erase nothing.
  set(db, 'secure_delete', 'ON', 1);
  // Checkpoints are ours: SQLite's own ones swallow their errors.
  set(db, 'wal_autocheckpoint', '0', 0);
  db.execute('BEGIN IMMEDIATE; COMMIT;');
}

/** Sets a pragma and reads it back: one that does not hold refuses the start. */
function set(db: Connection, name: string, value: string, expected: Value): void {
  db.all(`PRAGMA ${name} = ${value}`);
  const row = db.get(`PRAGMA ${name}`);
  const actual = row === undefined ? undefined : Object.values(row)[0];
  if (actual !== expected) {
    throw new StoreError('store_unsafe', `\`${name}\` is \`${String(actual)}\`, not \`${value}\``);
  }
}

function asRefusal(error: unknown, place: string): unknown {
  if (resultCode(error) === SQLITE_BUSY) return locked(place, readOwner(place));
  if (severityOf(error) === 'full') {
    return new StoreError('store_full', `no room to open the store in \`${place}\``, {
      cause: error,
    });
  }
  return error;
}

function locked(place: string, pid: string): StoreError {
  return new StoreError('store_locked', `the store in \`${place}\` is owned by process \`${pid}\``);
}
