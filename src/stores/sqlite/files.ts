/**
 * The store's directory and file before SQLite opens them: who may read them, whether the file is ours,
 * and that their names are durable. SQLite swallows an error of the directory's fsync, so we do it.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../engine/ports.ts';
import { integer } from './connection.ts';
import { APPLICATION_ID, refuseUnsuitable, type FileMarks } from './migrate.ts';

/** The database's file in the store's directory; SQLite puts its log beside it. */
export const DATABASE_FILE = 'exequatur.db';
/** Names the process that owns the database. The lock itself is SQLite's: it ends with the process. */
export const OWNER_FILE = 'exequatur.owner';

const GROUP_OR_OTHERS_WRITE = 0o022;
const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';

/** Makes the directory, mode 0700, where there is none; refuses one that others may write to. */
export function prepareDirectory(directory: string): void {
  const path = resolve(directory);
  const made = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (made !== undefined) {
    // Every directory made just now has its name in the one above it.
    for (let at = path; at !== dirname(made); at = dirname(at)) syncDirectory(dirname(at));
    return;
  }
  if ((statSync(path).mode & GROUP_OR_OTHERS_WRITE) !== 0) {
    throw new StoreError('store_unsafe', `others may write to \`${path}\`: make its mode 700`);
  }
}

/** Flushes a directory, so that the names in it survive a power cut; throws where that fails. */
export function syncDirectory(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Makes an empty database that is marked as ours, or checks that the one there is. A crash leaves
 * either no database or a marked one: it is made under another name and moved.
 */
export function prepareFile(directory: string): string {
  const path = join(resolve(directory), DATABASE_FILE);
  if (existsSync(path)) {
    refuseUnsuitable(readMarks(path), path);
    chmodSync(path, 0o600);
    return path;
  }
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  closeSync(openSync(draft, 'wx', 0o600));
  const database = new DatabaseSync(draft);
  try {
    database.exec(`PRAGMA synchronous = FULL; PRAGMA application_id = ${String(APPLICATION_ID)};`);
  } finally {
    database.close();
  }
  renameSync(draft, path);
  syncDirectory(dirname(path));
  return path;
}

/** What the file says it is, without changing a byte of it. */
export function readMarks(path: string): FileMarks {
  const header = readHeader(path);
  const marks = { version: header.readInt32BE(60), application: header.readInt32BE(68) };
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (marks.application !== APPLICATION_ID || log === undefined || log.size === 0) return marks;
  // A newer version may stand in the log alone. A connection that only reads leaves both as they are.
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const row = database.prepare('PRAGMA user_version').get();
    return row === undefined ? marks : { ...marks, version: integer(row, 'user_version') };
  } finally {
    database.close();
  }
}

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const handle = openSync(path, 'r');
  try {
    const length = readSync(handle, header, 0, HEADER_BYTES, 0);
    if (length < HEADER_BYTES || header.toString('latin1', 0, MAGIC.length) !== MAGIC) {
      throw new StoreError('store_foreign', `\`${path}\` is not a database`);
    }
  } finally {
    closeSync(handle);
  }
  return header;
}

/** Writes down who owns the store, for whoever finds it locked. */
export function writeOwner(directory: string): void {
  writeFileSync(join(directory, OWNER_FILE), `${String(process.pid)}\n`, { mode: 0o600 });
}

/** The owner's process id as last written down; it may be gone. */
export function readOwner(directory: string): string {
  try {
    const text = readFileSync(join(directory, OWNER_FILE), 'utf8').trim();
    return /^\d{1,10}$/u.test(text) ? text : 'unknown';
  } catch {
    // The name is a courtesy: the refusal stands without it.
    return 'unknown';
  }
}

/** Forgets the owner, while the lock is still held. */
export function removeOwner(directory: string): void {
  try {
    unlinkSync(join(directory, OWNER_FILE));
  } catch {
    // A name that stays behind is harmless: the lock is SQLite's.
  }
}
