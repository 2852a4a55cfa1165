/** What an open store does besides its commands: writing its log back, counting, and ending when it must. */
import { writeSync } from 'node:fs';
import type { StoreMeasures } from '../../engine/ports.ts';
import { integer, type Connection } from './connection.ts';
import { LedgerRows } from './ledger-rows.ts';

/** Rows of a list at most, whatever was asked for. */
const LIST_COUNT_MAX = 10_000;

/** Pages in the log at which it is written back into the file: 16 MiB. */
const CHECKPOINT_PAGES = 4096;
const EXIT_CODE = 70;

/** Entries that an earlier version stored get their place in a tree: only inside a transaction. */
export function completeTrees(db: Connection): void {
  const { trees } = new LedgerRows(db);
  for (const row of db.all('SELECT id FROM tenant')) trees.complete(integer(row, 'id'));
}

/** Writes the log back into the file once it is long. Errors are the caller's to sort. */
export function checkpoint(db: Connection): void {
  const row = db.get('PRAGMA wal_checkpoint(NOOP)');
  if (row === undefined || integer(row, 'log') < CHECKPOINT_PAGES) return;
  db.get('PRAGMA wal_checkpoint(PASSIVE)');
}

/** Each condition repeats that of a partial index: open actions are few, and only they are counted. */
export function openCounts(db: Connection, tenant: number | undefined): StoreMeasures['open'] {
  const countOf = (state: string): number => {
    if (tenant === undefined) return 0;
    const row = db.get(
      `SELECT count(*) AS count FROM action WHERE tenant = ? AND state = '${state}'`,
      tenant,
    );
    return row === undefined ? 0 : integer(row, 'count');
  };
  return { held: countOf('held'), executing: countOf('executing'), unknown: countOf('unknown') };
}

/** How many rows of a list are given: never more than {@link LIST_COUNT_MAX}. */
export function bounded(count: number): number {
  return Math.max(0, Math.min(Math.trunc(count), LIST_COUNT_MAX));
}

/** Says why, and ends the process: what the disk holds is in doubt. */
export function endProcess(error: unknown): void {
  const what = error instanceof Error ? error.message : 'unknown error';
  writeSync(2, `the store failed and the process ends: ${what.replaceAll('\n', ' ')}\n`);
  process.exit(EXIT_CODE);
}
