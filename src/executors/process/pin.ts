/**
 * Files pinned by digest. What was hashed when the effect was resolved is hashed again before it is
 * sent, and compared once more by inode and times in the instant before the program starts.
 */
import { createHash } from 'node:crypto';
import { constants, realpathSync, statSync, type BigIntStats } from 'node:fs';
import { open, realpath, stat, type FileHandle } from 'node:fs/promises';

import type { Clock } from '../../engine/ports.ts';
import { parseDigest, type Digest } from '../../kernel/digest.ts';
import { ExecutorRefusal, refuse } from '../refusal.ts';

/** The largest file that is pinned, in bytes. */
const PINNED_BYTES_MAX = 1_073_741_824;
const CHUNK_BYTES = 1_048_576;
const CACHE_SIZE_MAX = 256;
/**
 * A file whose status changed this recently is hashed again: a second change within the resolution of
 * the file system's clock would leave the same times.
 */
const SETTLED_AFTER_MS = 2000;

/** A file as it was when it was hashed. */
export interface PinnedFile {
  /** As declared; links are followed at each use. */
  readonly path: string;
  readonly digest: Digest;
  /** Device, inode, size and times: equal as long as nobody wrote to it or put another in its place. */
  readonly identity: string;
}

/** Hashes files. An unchanged file is hashed once: executables are large, and every action pins one. */
export interface FilePins {
  pin(path: string, role: 'executable' | 'file'): Promise<PinnedFile>;
}

/** Makes the pins of one executor. */
export function createFilePins(clock: Clock): FilePins {
  const digests = new Map<string, Digest>();

  async function digestOfFile(
    file: FileHandle,
    path: string,
    status: BigIntStats,
  ): Promise<Digest> {
    const identity = identityOf(status);
    const settled = BigInt(clock.now()) - status.ctimeMs > BigInt(SETTLED_AFTER_MS);
    const known = settled ? digests.get(identity) : undefined;
    if (known !== undefined) return known;
    const digest = await hashFile(file, path);
    if (identityOf(await file.stat({ bigint: true })) !== identity) {
      refuse('pinned_file_changed', `file \`${path}\` changed while it was read`);
    }
    if (settled) digests.set(identity, digest);
    const [oldest] = digests.keys();
    if (digests.size > CACHE_SIZE_MAX && oldest !== undefined) digests.delete(oldest);
    return digest;
  }

  return {
    async pin(path, role) {
      let file: FileHandle | undefined;
      try {
        file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
        const status = await file.stat({ bigint: true });
        checkStatus(path, role, status);
        const digest = await digestOfFile(file, path, status);
        return { path, digest, identity: identityOf(status) };
      } catch (error) {
        if (error instanceof ExecutorRefusal) throw error;
        return refuse('file_missing', `file \`${path}\` cannot be read`);
      } finally {
        await file?.close();
      }
    },
  };
}

function checkStatus(path: string, role: 'executable' | 'file', status: BigIntStats): void {
  if (!status.isFile()) refuse('file_not_regular', `\`${path}\` is not a regular file`);
  if (status.size > BigInt(PINNED_BYTES_MAX)) {
    refuse('file_too_large', `file \`${path}\` has over ${String(PINNED_BYTES_MAX)} bytes`);
  }
  if (role === 'executable' && (status.mode & 0o111n) === 0n) {
    refuse('file_not_executable', `file \`${path}\` is not executable`);
  }
}

async function hashFile(file: FileHandle, path: string): Promise<Digest> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let at = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
    if (at > PINNED_BYTES_MAX) refuse('file_too_large', `file \`${path}\` grows while it is read`);
  }
  const digest = parseDigest(hash.digest('hex'));
  if (digest === undefined) throw new Error('a sha-256 is 64 hex digits');
  return digest;
}

/** A file that was hashed while it was written, as it is now. Throws where it is gone. */
export function pinnedAs(path: string, digest: Digest): PinnedFile {
  return { path, digest, identity: identityOf(statSync(path, { bigint: true })) };
}

/** Whether the file is still the very one that was hashed. Synchronous, for the instant before a start. */
export function isUnchanged(pinned: PinnedFile): boolean {
  const status = statSync(pinned.path, { bigint: true, throwIfNoEntry: false });
  return status !== undefined && identityOf(status) === pinned.identity;
}

function identityOf(status: BigIntStats): string {
  const { dev, ino, size, mode, mtimeNs, ctimeNs } = status;
  return [dev, ino, size, mode, mtimeNs, ctimeNs].join(':');
}

/** Where a working directory really is; refuses what is none. */
export async function realDirectory(path: string): Promise<string> {
  try {
    const real = await realpath(path);
    if ((await stat(real)).isDirectory()) return real;
  } catch {
    // Whatever the reason, there is no directory to work in.
  }
  return refuse('directory_missing', `\`${path}\` is not a directory`);
}

/** Whether the path still leads to `real`. Synchronous, for the instant before a start. */
export function leadsTo(path: string, real: string): boolean {
  try {
    return realpathSync(path) === real;
  } catch {
    // A directory that cannot be found any more does not lead there.
    return false;
  }
}
