/**
 * The key files that sign checkpoints, receipts and permits, and beside them the newest checkpoint of
 * each log: what a restored or changed store is compared with.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
} from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CheckpointMarks } from '../engine/checkpoints.ts';
import type { Signer } from '../engine/ports.ts';
import type { Refused } from '../cli/server-door.ts';
import { makePrivateDirectory, readIfThere, writePrivately } from './private-files.ts';

/** Key files, the newest last: `signing-<number>.pem`. */
const KEY_FILE = /^signing-(\d{4})\.pem$/u;
const RETIRED = '.retired';
/** What the file of a tenant's newest checkpoint ends with. */
export const CHECKPOINT_ENDING = '.checkpoint';
/** While keys rotate both sign; more than two at once are a mistake. */
const KEYS_MAX = 2;

/** The signing keys of a directory, made there where there are none. */
export function openSigner(
  directory: string,
): { readonly kind: 'signer'; readonly signer: Signer; readonly made: boolean } | Refused {
  const made = keyFilesIn(directory).length === 0;
  try {
    makePrivateDirectory(directory);
    if (made) makeKey(directory, 1);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return refused('signing_key_missing', `no key can be made in \`${directory}\` (${code})`, {
      hint: 'put `signing-0001.pem` there, an ed25519 private key in PEM, or let the layer write there',
    });
  }
  const keys: KeyObject[] = [];
  for (const file of keyFiles(directory).toReversed()) {
    const path = join(directory, file);
    const key = readKey(path);
    if (!('export' in key)) return key;
    keys.push(key);
  }
  if (keys.length > KEYS_MAX) {
    return refused('signing_keys_many', `\`${directory}\` holds more than two signing keys`, {
      hint: 'retire the old ones with `exequatur signing retire`',
    });
  }
  return { kind: 'signer', signer: signerOf(keys), made };
}

/** Makes the next key; from the next start on it signs beside the one before. */
export function rotateKey(directory: string): { readonly file: string } | Refused {
  const files = keyFiles(directory);
  if (files.length >= KEYS_MAX) {
    return refused('rotation_under_way', 'two keys sign already', {
      hint: 'retire the older one first: `exequatur signing retire`',
    });
  }
  return { file: makeKey(directory, numberOf(files.at(-1)) + 1) };
}

/** Puts the older of two keys aside: it signs no more from the next start on. */
export function retireKey(directory: string): { readonly file: string } | Refused {
  const files = keyFiles(directory);
  const [oldest] = files;
  if (oldest === undefined || files.length < KEYS_MAX) {
    return refused('nothing_to_retire', 'only one key signs', {
      hint: 'make another with `exequatur signing rotate` first',
    });
  }
  const path = join(directory, oldest);
  renameSync(path, path + RETIRED);
  syncDirectory(directory);
  return { file: path + RETIRED };
}

/** The public keys of those that were put aside, the newest first; what is no key any more is left out. */
export function retiredKeys(directory: string): readonly Uint8Array[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(RETIRED) && KEY_FILE.test(name.slice(0, -RETIRED.length)))
    .sort()
    .toReversed()
    .flatMap((name) => {
      const key = readKey(join(directory, name));
      return 'export' in key ? [publicBytes(key)] : [];
    });
}

/** A signer of these private keys, the newest first. */
function signerOf(keys: readonly KeyObject[]): Signer {
  return {
    publicKeys: keys.map(publicBytes),
    sign: (bytes) => keys.map((key) => new Uint8Array(sign(null, bytes, key))),
  };
}

/**
 * Where the newest checkpoints lie: beside the keys, or in the data directory where the keys are a mounted
 * secret that nobody can write to.
 */
export function marksDirectory({
  keys,
  data,
}: {
  readonly keys: string;
  readonly data: string;
}): string {
  try {
    if (existsSync(keys)) accessSync(keys, constants.W_OK);
    return keys;
  } catch {
    return join(data, 'checkpoints');
  }
}

/** Newest checkpoints as files in a directory. */
export function checkpointFiles(directory: string): CheckpointMarks {
  const pathOf = (tenant: string): string => join(directory, tenant + CHECKPOINT_ENDING);
  return {
    read: (tenant) => readIfThere(pathOf(tenant)),
    write: (tenant, note) => writeDurably(pathOf(tenant), note),
  };
}

/** Whole or not at all, and without holding up what else this process does. */
async function writeDurably(path: string, text: string): Promise<void> {
  const directory = dirname(path);
  makePrivateDirectory(directory);
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const entry = await open(directory, 'r');
  try {
    await entry.sync();
  } finally {
    await entry.close();
  }
}

function keyFilesIn(directory: string): string[] {
  return existsSync(directory) ? keyFiles(directory) : [];
}

function keyFiles(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => KEY_FILE.test(name))
    .sort();
}

function numberOf(file: string | undefined): number {
  return Number(KEY_FILE.exec(file ?? '')?.[1] ?? 0);
}

function makeKey(directory: string, number: number): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  const path = join(directory, `signing-${String(number).padStart(4, '0')}.pem`);
  writePrivately(path, String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  syncDirectory(directory);
  return path;
}

function readKey(path: string): KeyObject | Refused {
  const { mode } = statSync(path);
  // A mounted secret is often readable by its group; by everybody it never should be.
  if (process.platform !== 'win32' && (mode & 0o037) !== 0) {
    return refused('signing_key_exposed', `others may read or change \`${path}\``, {
      hint: 'run `chmod 600` if nobody has read it; else rotate it',
    });
  }
  try {
    const key = createPrivateKey(readIfThere(path) ?? '');
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Whatever it holds is not quoted.
  }
  return refused('signing_key_malformed', `\`${path}\` holds no ed25519 private key in PEM`, {
    hint: 'put the right file back; receipts signed by a lost key stay verifiable',
  });
}

/** The last 32 bytes of the SubjectPublicKeyInfo are the key. */
function publicBytes(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-32));
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function refused(code: string, message: string, { hint }: { readonly hint: string }): Refused {
  return { kind: 'refused', code, message, hint };
}
