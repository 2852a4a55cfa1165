/**
 * The schema's numbered migrations, each in a transaction of its own with the number it brings the file
 * to. A file of a later version is refused before anything in it is touched.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { StoreError } from '../../engine/ports.ts';
import { integer, type Connection } from './connection.ts';

/** Marks a file as a store of ours: "Exqr" in ASCII, in SQLite's header. */
export const APPLICATION_ID = 0x45787172;

interface Migration {
  readonly number: number;
  readonly sql: string;
}

const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/u;

/** The migrations that came with this version, in order and without gaps. */
export function migrations(): readonly Migration[] {
  const folder = new URL('./migrations/', import.meta.url);
  const found = readdirSync(folder)
    .filter((name) => FILE_NAME.test(name))
    .sort()
    .map((name) => ({
      number: Number(name.slice(0, 4)),
      sql: readFileSync(new URL(name, folder), 'utf8'),
    }));
  const gapless = found.every(({ number }, index) => number === index + 1);
  if (found.length === 0 || !gapless) {
    throw new Error('the numbered migrations of the store are not all there');
  }
  return found;
}

/** What SQLite's header says a file is. */
export interface FileMarks {
  readonly application: number;
  readonly version: number;
}

/** Refuses a file that is not ours, or of a later version than this one understands. */
export function refuseUnsuitable({ application, version }: FileMarks, path: string): void {
  if (application !== APPLICATION_ID) {
    throw new StoreError('store_foreign', `\`${path}\` is not a store of this layer`);
  }
  const newest = migrations().length;
  if (version > newest) {
    throw new StoreError(
      'store_newer',
      `\`${path}\` has schema ${String(version)} and this version understands up to ` +
        `${String(newest)}: start the version that wrote it`,
    );
  }
}

/** Brings an opened file to the newest schema. */
export function migrate(db: Connection): void {
  const row = db.get('PRAGMA user_version');
  const version = row === undefined ? 0 : integer(row, 'user_version');
  for (const { number, sql } of migrations().slice(version)) {
    // A crash before the COMMIT returns leaves the schema before this migration, or after it, whole.
    db.execute(
      `BEGIN IMMEDIATE;\n${sql}\nPRAGMA application_id = ${String(APPLICATION_ID)};\n` +
        `PRAGMA user_version = ${String(number)};\nCOMMIT;`,
    );
  }
}
