/**
 * Puts a backup in the place of a store. The store knows nothing of what happened since the backup, so
 * it comes back stopped: a halt stands over each tenant, and no approval from before counts. Its ledger
 * goes on as another log, so that no checkpoint of the one before is contradicted.
 */
import {
  closeSync,
  copyFileSync,
  chmodSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../engine/ports.ts';
import { parseTenantName, type HaltId, type TenantName } from '../../kernel/id.ts';
import { instantOf, type Instant } from '../../kernel/instant.ts';
import type { LedgerDraft } from '../../ledger/entry.ts';
import { jsonText, readName, uuidBytes } from './columns.ts';
import { integer, resultCode, text, type Connection } from './connection.ts';
import { DATABASE_FILE, prepareDirectory, readMarks, syncDirectory } from './files.ts';
import { LedgerRows } from './ledger-rows.ts';
import { logOf, nextGeneration } from './logs.ts';
import { refuseUnsuitable } from './migrate.ts';
import { openDatabase } from './open-database.ts';
import { peekStore } from './peek.ts';

/** What a restore is given. */
export interface RestoreParts {
  readonly file: string;
  readonly directory: string;
  /** Puts the backup in the place of a store that is there; that one is moved aside. */
  readonly replace: boolean;
  readonly now: Instant;
  readonly reason: string;
  /** A fresh id, and the ledger's entry for a halt over a whole tenant. */
  readonly halt: (
    tenant: TenantName,
    at: Instant,
  ) => { readonly id: HaltId; readonly entry: LedgerDraft };
  /** The newest generation of a tenant's log that is known elsewhere; 0 where none is. */
  readonly generation: (tenant: TenantName) => number;
  /** The ledger's entry with which another log begins, after the checkpoint that the backup has. */
  readonly restored: (
    tenant: TenantName,
    at: Instant,
    log: { readonly generation: number; readonly checkpoint: string | undefined },
  ) => LedgerDraft;
}

/** What a restore did. */
export interface Restored {
  /** The latest instant that the backup knows: nothing after it is known. */
  readonly knownUntil: Instant;
  /** Where the store that was there lies now. */
  readonly replaced: string | undefined;
  readonly haltedCount: number;
  readonly approvalsDropped: number;
}

/**
 * Restores. Errors, with nothing changed: `store_foreign`, `store_newer`, `store_corrupt` of the
 * backup; `store_locked` where a process owns the directory; `store_exists` without `replace`.
 */
export function restore(parts: RestoreParts): Restored | 'store_exists' {
  const directory = resolve(parts.directory);
  const path = join(directory, DATABASE_FILE);
  checkBackup(parts.file);
  prepareDirectory(directory);
  const there = existsSync(path);
  if (there) refuseOwned(directory);
  if (there && !parts.replace) return 'store_exists';
  const draft = mkdtempSync(join(directory, '.restoring-'));
  try {
    const copy = join(draft, DATABASE_FILE);
    copyFileSync(parts.file, copy);
    chmodSync(copy, 0o600);
    const done = stop(draft, parts);
    flush(copy);
    // A crash in here leaves the old store, or none and the old one beside it; the backup is untouched.
    const replaced = there ? moveAside(path, parts.now) : undefined;
    renameSync(copy, path);
    syncDirectory(directory);
    return { ...done, replaced };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED: ReadonlySet<number> = new Set([11, 26]);

function checkBackup(file: string): void {
  const path = resolve(file);
  refuseUnsuitable(readMarks(path), path);
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const [first] = database.prepare('PRAGMA integrity_check(1)').all();
    const said = first === undefined ? 'nothing' : text(first, 'integrity_check');
    if (said !== 'ok') throw new StoreError('store_corrupt', `\`${path}\` is damaged: ${said}`);
    if (database.prepare('PRAGMA foreign_key_check').all().length > 0) {
      throw new StoreError('store_corrupt', `\`${path}\` is damaged: rows without their owners`);
    }
  } catch (error) {
    if (!DAMAGED.has(resultCode(error) ?? 0)) throw error;
    throw new StoreError('store_corrupt', `\`${path}\` is damaged`, { cause: error });
  } finally {
    database.close();
  }
}

/** A store that is damaged may be replaced; one that is in use never. */
function refuseOwned(directory: string): void {
  try {
    peekStore(directory);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'store_locked') throw error;
  }
}

function moveAside(path: string, now: Instant): string {
  const aside = `${path}.replaced-${String(now)}`;
  for (const ending of ['', '-wal', '-shm']) {
    if (existsSync(path + ending)) renameSync(path + ending, aside + ending);
  }
  return aside;
}

function flush(path: string): void {
  const handle = openSync(path, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Everything that must hold before a layer may start on it, in one transaction. */
function stop(directory: string, parts: RestoreParts): Omit<Restored, 'replaced'> {
  const database = openDatabase(directory);
  const { db } = database;
  try {
    const clock = db.get('SELECT mark FROM clock WHERE id = 1');
    const knownUntil = instantOf(clock === undefined ? 0 : integer(clock, 'mark'));
    const now = instantOf(Math.max(parts.now, knownUntil));
    db.execute('BEGIN IMMEDIATE');
    const approvalsDropped = db.run(
      "DELETE FROM approval WHERE action IN (SELECT id FROM action WHERE state = 'held')",
    );
    db.run('DELETE FROM challenge');
    const tenants = db.all('SELECT id, name FROM tenant');
    for (const row of tenants) {
      haltAll(
        db,
        { id: integer(row, 'id'), name: readName(row, 'name', parseTenantName) },
        now,
        parts,
      );
    }
    db.one('UPDATE clock SET mark = ? WHERE id = 1', now);
    db.execute('COMMIT');
    return { knownUntil, haltedCount: tenants.length, approvalsDropped };
  } finally {
    database.close();
  }
}

function haltAll(
  db: Connection,
  tenant: { readonly id: number; readonly name: TenantName },
  now: Instant,
  parts: RestoreParts,
): void {
  const { id, entry } = parts.halt(tenant.name, now);
  db.insert(
    'INSERT INTO halt (tenant, uuid, scope, reason, by, at) VALUES (?, ?, ?, ?, ?, ?)',
    tenant.id,
    uuidBytes(id),
    jsonText({}),
    parts.reason,
    'operator',
    now,
  );
  const { checkpoint } = logOf(db, tenant.id);
  const generation = nextGeneration(db, tenant.id, parts.generation(tenant.name));
  const restored = parts.restored(tenant.name, now, { generation, checkpoint });
  new LedgerRows(db).append(tenant.id, [restored, entry]);
}
