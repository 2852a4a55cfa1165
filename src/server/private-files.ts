/** Files that only their owner may read: keys, and what a running daemon says of itself. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { OPERATOR_KEY_FILE } from '../cli/find-daemon.ts';
import { keySortOf } from '../protocol/keys.ts';

/** Makes a directory that nobody else may look into. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Writes a file whole or not at all, mode 0600. */
export function writePrivately(path: string, text: string): void {
  makePrivateDirectory(dirname(path));
  const temporary = `${path}.${randomBytes(4).toString('hex')}.new`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** A text file, or `undefined` where it cannot be read. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Whoever asks makes it anew, or goes on without it.
    return undefined;
  }
}

/** Why an operator key is not used. */
export interface KeyRefusal {
  readonly kind: 'refused';
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** The operator's key of a data directory, made at the first start. Others must not be able to read it. */
export function operatorKeyOf(
  data: string,
): { readonly kind: 'key'; readonly key: string } | KeyRefusal {
  const path = join(data, OPERATOR_KEY_FILE);
  const there = readIfThere(path)?.trim();
  if (there === undefined) {
    const key = `exq_operator_${randomBytes(32).toString('base64url')}`;
    writePrivately(path, `${key}\n`);
    return { kind: 'key', key };
  }
  if (keySortOf(there) !== 'operator') {
    return {
      kind: 'refused',
      code: 'operator_key_malformed',
      message: `\`${path}\` holds no operator key`,
      hint: 'move it away; a start makes a new one',
    };
  }
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
    return {
      kind: 'refused',
      code: 'operator_key_exposed',
      message: `others may read \`${path}\``,
      hint: `remove it, and a start makes a new key; or run \`chmod 600\` if nobody has read it`,
    };
  }
  return { kind: 'key', key: there };
}
