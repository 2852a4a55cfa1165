/** Restoring: a backup takes the place of a stopped store, and the layer comes back halted. */
import { join, resolve } from 'node:path';
import type { Refused, RestoreDone, RestoreOptions } from '../cli/server-door.ts';
import { controlEntry } from '../engine/entries.ts';
import { StoreError } from '../engine/ports.ts';
import { parseHaltId, uuidV7, type TenantName } from '../kernel/id.ts';
import { formatInstant, type Instant } from '../kernel/instant.ts';
import type { JsonObject } from '../kernel/json/value.ts';
import { writeBase64 } from '../ledger/base64.ts';
import { readCheckpoint, type Checkpoint } from '../ledger/checkpoint.ts';
import type { LedgerDraft } from '../ledger/entry.ts';
import { NoteError, readNote } from '../ledger/note.ts';
import { restore, type RestoreParts } from '../stores/sqlite/restore.ts';
import { checkpointFiles, marksDirectory } from './signing-keys.ts';
import { SYSTEM_CLOCK, SYSTEM_RANDOMNESS } from './system.ts';

const REASON = 'restored from a backup: what happened since then is not known here';

/** Restores, or says why not; then nothing was changed. */
export function restoreStore(options: RestoreOptions): RestoreDone | Refused {
  const directory = resolve(options.from, options.data);
  const file = resolve(options.from, options.file);
  const keys =
    options.keys === undefined ? join(directory, 'keys') : resolve(options.from, options.keys);
  const marks = checkpointFiles(marksDirectory({ keys, data: directory }));
  try {
    const done = restore({
      file,
      directory,
      replace: options.force,
      now: SYSTEM_CLOCK.now(),
      reason: REASON,
      halt: haltOf,
      generation: (tenant) => generationOf(marks.read(tenant), tenant),
      restored: (tenant, at, { generation, checkpoint }) =>
        restoredEntry(tenant, at, { generation, checkpoint: marks.read(tenant) ?? checkpoint }),
    });
    if (done === 'store_exists') {
      return refused(
        'store_exists',
        `there is a store in \`${directory}\` already`,
        '`--force` puts the backup in its place, and moves it aside',
      );
    }
    const { knownUntil, replaced, approvalsDropped } = done;
    return {
      kind: 'restored',
      data: directory,
      knownUntil: formatInstant(knownUntil),
      ...(replaced === undefined ? {} : { replaced }),
      approvalsDropped,
    };
  } catch (error) {
    if (error instanceof StoreError) return refused(error.code, error.message, HINTS[error.code]);
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'EISDIR') throw error;
    return refused('file_unreadable', `\`${file}\` cannot be read (${code})`);
  }
}

const HINTS: Readonly<Partial<Record<StoreError['code'], string>>> = {
  store_locked: 'stop the layer that runs there first',
  store_newer: 'restore it with the version that wrote it, or a newer one',
  store_corrupt: 'take another backup',
};

function refused(code: string, message: string, hint?: string): Refused {
  return { kind: 'refused', code, message, ...(hint === undefined ? {} : { hint }) };
}

/** The generation that the origin of a checkpoint ends with; the first has none. */
function generationOf(mark: string | undefined, tenant: TenantName): number {
  const checkpoint = checkpointOf(mark);
  if (checkpoint === undefined) return 0;
  const [, before, number] = /^(.*)\/([1-9]\d*)$/u.exec(checkpoint.origin) ?? [];
  // One too many does no harm where a tenant is called by a number.
  return before?.endsWith(`/${tenant}`) === true ? Number(number) : 1;
}

/** A mark that cannot be read is no reason not to restore; nothing is known by it. */
function checkpointOf(mark: string | undefined): Checkpoint | undefined {
  if (mark === undefined) return undefined;
  try {
    return readCheckpoint(readNote(mark).text);
  } catch (error) {
    if (error instanceof NoteError) return undefined;
    throw error;
  }
}

/** Names the last checkpoint that is known of the log before. */
function restoredEntry(
  tenant: TenantName,
  at: Instant,
  {
    generation,
    checkpoint,
  }: { readonly generation: number; readonly checkpoint: string | undefined },
): LedgerDraft {
  const last = checkpointOf(checkpoint);
  const known: JsonObject | null =
    last === undefined
      ? null
      : { origin: last.origin, root: writeBase64(last.root), size: last.size };
  return controlEntry('restored', {
    tenant,
    at,
    by: 'operator',
    body: { checkpoint: known, generation },
    salt: () => SYSTEM_RANDOMNESS.bytes(32),
  });
}

function haltOf(tenant: TenantName, at: Instant): ReturnType<RestoreParts['halt']> {
  const id = parseHaltId(uuidV7(at, SYSTEM_RANDOMNESS.bytes(10)));
  if (id === undefined) throw new Error('a fresh UUIDv7 has its form');
  const entry = controlEntry('halted', {
    tenant,
    at,
    by: 'operator',
    body: { halt: id, reason: REASON, scope: {} },
    salt: () => SYSTEM_RANDOMNESS.bytes(32),
  });
  return { id, entry };
}
