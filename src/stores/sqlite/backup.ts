/**
 * A copy of a running store, page by page beside its work: consistent, durable, readable by its owner
 * only. It appears under its name whole or not at all.
 */
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../../engine/ports.ts';
import { severityOf, type Connection } from './connection.ts';
import { prepareDirectory, syncDirectory } from './files.ts';

/** Where backups lie in the store's directory. */
export const BACKUP_DIRECTORY = 'backups';

/** A backup as it was made. */
export interface Backup {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Copies the database into `backups/<name>.db` beside it; `undefined` where that name is taken. Rejects
 * with `store_full`, and then leaves nothing.
 */
export async function backUp(
  db: Connection,
  { directory, name }: { readonly directory: string; readonly name: string },
): Promise<Backup | undefined> {
  const folder = join(directory, BACKUP_DIRECTORY);
  prepareDirectory(folder);
  const path = join(folder, `${name}.db`);
  if (existsSync(path)) return undefined;
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  closeSync(openSync(draft, 'wx', 0o600));
  try {
    await db.copyTo(draft);
    // A crash before this leaves a draft, which the next backup of this name removes.
    renameSync(draft, path);
    syncDirectory(folder);
  } catch (error) {
    rmSync(draft, { force: true });
    if (severityOf(error) !== 'full') throw error;
    throw new StoreError('store_full', 'no room for the backup', { cause: error });
  }
  return { path, bytes: statSync(path).size };
}
