/**
 * The way to a file: from the root directory down, one name at a time, each directory opened without
 * following links and held while the next is opened below it. A link swapped in on the way is refused,
 * wherever it leads.
 *
 * Node has no `openat`; on Linux `/proc/self/fd/N/name` is one, for `/proc/self/fd/N` leads to the
 * directory that is held, whatever its name means by now. Without that nothing is opened at all.
 */
import { constants, type BigIntStats } from 'node:fs';
import { realpath, type FileHandle } from 'node:fs/promises';

import { refuse } from '../refusal.ts';
import { errorName, type FileCalls } from './calls.ts';
import type { FilePath } from './compile.ts';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A directory that is held open. */
export class HeldDirectory {
  readonly handle: FileHandle;
  /** Device and inode: which directory this is, whatever it is called. */
  readonly identity: string;

  constructor(handle: FileHandle, identity: string) {
    this.handle = handle;
    this.identity = identity;
  }

  /** A path for one name in this very directory. */
  at(name: string): string {
    return `/proc/self/fd/${String(this.handle.fd)}/${name}`;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** Device and inode. */
export function identityOf({ dev, ino }: BigIntStats): string {
  return `${String(dev)}:${String(ino)}`;
}

/** Where each root really is, and which directory that is; the identity of a target without a probe. */
export async function identifyRoots(
  roots: readonly string[],
  calls: FileCalls,
): Promise<Readonly<Record<string, string>>> {
  const found = roots.map(async (root) => {
    const { directory, real } = await openRoot(root, calls);
    await directory.close();
    return [root, `${real} ${directory.identity}`] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

/** Opens the directory that a file lies in. The caller closes it. */
export async function descend(file: FilePath, calls: FileCalls): Promise<HeldDirectory> {
  let { directory } = await openRoot(file.root, calls);
  for (const name of file.names.slice(0, -1)) {
    const above = directory;
    try {
      directory = await openDirectory(above.at(name), name, calls);
    } finally {
      await above.close();
    }
  }
  return directory;
}

/** A root may be declared through links: where they lead is recorded, and opened without any. */
async function openRoot(
  root: string,
  calls: FileCalls,
): Promise<{ readonly directory: HeldDirectory; readonly real: string }> {
  if (process.platform !== 'linux') {
    refuse(
      'descriptors_unsupported',
      'files are only acted on where `/proc/self/fd` leads to them',
    );
  }
  let real: string;
  try {
    real = await realpath(root);
  } catch {
    // Whatever the reason, there is no directory to work in.
    return refuse('directory_missing', `\`${root}\` is not a directory`);
  }
  let directory = await openDirectory('/', '/', calls);
  for (const name of real.split('/').filter((part) => part !== '')) {
    const above = directory;
    try {
      directory = await openDirectory(above.at(name), name, calls);
    } finally {
      await above.close();
    }
  }
  return { directory, real };
}

async function openDirectory(path: string, name: string, calls: FileCalls): Promise<HeldDirectory> {
  let handle: FileHandle;
  try {
    handle = await calls.open(path, DIRECTORY);
  } catch (error) {
    const code = errorName(error);
    // Linux answers ENOTDIR for a link here, and ELOOP where only O_NOFOLLOW was asked.
    if (code === 'ELOOP' || (code === 'ENOTDIR' && (await isLink(path, calls)))) {
      refuse('link_refused', `\`${name}\` on the way is a symbolic link`);
    }
    return refuse('directory_missing', `\`${name}\` on the way is not a directory (${code})`);
  }
  const identity = identityOf(await handle.stat({ bigint: true }));
  const directory = new HeldDirectory(handle, identity);
  if ((await identityAt(directory.at('.'), calls)) !== identity) {
    await handle.close();
    refuse('descriptors_unsupported', '`/proc/self/fd` does not lead to what is held open');
  }
  return directory;
}

async function identityAt(path: string, calls: FileCalls): Promise<string | undefined> {
  try {
    return identityOf(await calls.lstat(path));
  } catch {
    // Without `/proc` there is nothing at such a path.
    return undefined;
  }
}

async function isLink(path: string, calls: FileCalls): Promise<boolean> {
  try {
    return (await calls.lstat(path)).isSymbolicLink();
  } catch {
    // It is gone: whatever it was, it is no link now.
    return false;
  }
}
