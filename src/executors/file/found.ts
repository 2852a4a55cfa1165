/**
 * A file as it is now: which inode, how large, which bytes. Read through one descriptor, so that size
 * and digest are of the same file, whatever its name means in the next instant.
 */
import { createHash } from 'node:crypto';
import { constants, type BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

import type { JsonObject } from '../../kernel/json/value.ts';
import { refuse } from '../refusal.ts';
import { errorName, type FileCalls } from './calls.ts';
import { identityOf, type HeldDirectory } from './descend.ts';

const CHUNK_BYTES = 262_144;

/** A regular file. */
export interface FoundFile {
  readonly inode: string;
  readonly size: number;
  readonly digest: string;
  readonly status: BigIntStats;
}

/** What is looked at, and what is too much. */
export interface Looking {
  readonly directory: HeldDirectory;
  readonly name: string;
  readonly bytesMax: number;
  /** Gets the bytes on their way. */
  readonly take?: (bytes: Buffer) => void;
}

/**
 * The file of that name, or `undefined` where nothing has it. Refuses links, directories, devices,
 * pipes and sockets without opening them, files with other names, and files that are too large or
 * change while they are read.
 */
export async function findFile(looking: Looking, calls: FileCalls): Promise<FoundFile | undefined> {
  const path = looking.directory.at(looking.name);
  const named = await statusOf(path, calls);
  if (named === undefined) return undefined;
  checkStatus(named, looking);
  let file: FileHandle;
  try {
    // Swapped for a link or a pipe since the line above: neither is followed or waited for.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    file = await calls.open(path, flags);
  } catch (error) {
    const code = errorName(error);
    if (code === 'ELOOP') refuse('link_refused', `\`${looking.name}\` is a symbolic link`);
    return refuse('file_missing', `file \`${looking.name}\` cannot be read (${code})`);
  }
  try {
    const status = await file.stat({ bigint: true });
    checkStatus(status, looking);
    if (identityOf(status) !== identityOf(named)) changed(looking.name);
    const { digest, size } = await hash(file, looking);
    if (!isSameVersion(status, await file.stat({ bigint: true }))) changed(looking.name);
    return { inode: identityOf(status), size, digest, status };
  } finally {
    await file.close();
  }
}

/** The status of a name itself; `undefined` where nothing has it. */
export async function statusOf(path: string, calls: FileCalls): Promise<BigIntStats | undefined> {
  try {
    return await calls.lstat(path);
  } catch (error) {
    if (errorName(error) === 'ENOENT') return undefined;
    return refuse('file_missing', `the file cannot be looked at (${errorName(error)})`);
  }
}

/** Whether nobody wrote to it between two looks. */
export function isSameVersion(left: BigIntStats, right: BigIntStats): boolean {
  return (
    identityOf(left) === identityOf(right) &&
    left.size === right.size &&
    left.mode === right.mode &&
    left.nlink === right.nlink &&
    left.mtimeNs === right.mtimeNs &&
    left.ctimeNs === right.ctimeNs
  );
}

function changed(name: string): never {
  return refuse('file_changed', `file \`${name}\` changed while it was looked at`);
}

function checkStatus(status: BigIntStats, { name, bytesMax }: Looking): void {
  if (status.isSymbolicLink()) refuse('link_refused', `\`${name}\` is a symbolic link`);
  if (!status.isFile()) refuse('file_not_regular', `\`${name}\` is not a regular file`);
  if (status.nlink > 1n) refuse('file_has_links', `file \`${name}\` has other names`);
  if (status.size > BigInt(bytesMax)) tooLarge(name, bytesMax);
}

function tooLarge(name: string, bytesMax: number): never {
  return refuse('file_too_large', `file \`${name}\` has over ${String(bytesMax)} bytes`);
}

async function hash(
  file: FileHandle,
  { name, bytesMax, take }: Looking,
): Promise<{ readonly digest: string; readonly size: number }> {
  const digest = createHash('sha256');
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let size = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size);
    if (bytesRead === 0) return { digest: digest.digest('hex'), size };
    size += bytesRead;
    if (size > bytesMax) tooLarge(name, bytesMax);
    const bytes = buffer.subarray(0, bytesRead);
    digest.update(bytes);
    take?.(Buffer.from(bytes));
  }
}

/** The part of a preview that says how a file is; `null` where there is none. */
export function describeFile(file: FoundFile | undefined): JsonObject | null {
  if (file === undefined) return null;
  return { type: 'file', inode: file.inode, size: file.size, sha256: file.digest };
}
