/**
 * The calls to the operating system that the file executor makes, as an argument: so that each of them
 * can be tried failing before and failing after it took hold.
 */
import type { BigIntStats } from 'node:fs';
import { link, lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises';

/** What an operating system does with names and open files. Errors are those of `node:fs`. */
export interface FileCalls {
  open(path: string, flags: number, mode?: number): Promise<FileHandle>;
  lstat(path: string): Promise<BigIntStats>;
  /** Makes what is written to an open file or directory last. */
  sync(file: FileHandle): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A second name; fails where the name is taken. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

/** The calls as this machine makes them. */
export const SYSTEM_CALLS: FileCalls = {
  open,
  lstat: (path) => lstat(path, { bigint: true }),
  sync: (file) => file.sync(),
  rename,
  link,
  unlink,
};

/** The name of a failed call's error such as `ENOENT`. */
export function errorName(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
