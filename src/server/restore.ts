/** Restoring: a backup takes the place of a stopped store, and the layer comes back halted. */
import { resolve } from 'node:path';
import type { Refused, RestoreDone, RestoreOptions } from '../cli/server-door.ts';
import { controlEntry } from '../engine/entries.ts';
import { StoreError } from '../engine/ports.ts';
import { parseHaltId, uuidV7, type TenantName } from '../kernel/id.ts';
import { formatInstant, type Instant } from '../kernel/instant.ts';
import { restore, type RestoreParts } from '../stores/sqlite/restore.ts';
import { SYSTEM_CLOCK, SYSTEM_RANDOMNESS } from './system.ts';

const REASON = 'restored from a backup: what happened since then is not known here';

/** Restores, or says why not; then nothing was changed. */
export function restoreStore(options: RestoreOptions): RestoreDone | Refused {
  const directory = resolve(options.from, options.data);
  const file = resolve(options.from, options.file);
  try {
    const done = restore({
      file,
      directory,
      replace: options.force,
      now: SYSTEM_CLOCK.now(),
      reason: REASON,
      halt: haltOf,
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
