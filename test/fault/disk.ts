/**
 * A disk whose power can be cut. Where this machine lets us, it is a file system of its own in a file:
 * what was not flushed is not in that file, and a copy of it is what a power cut leaves. Elsewhere the
 * files themselves are copied, which shows everything but a missing flush.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const IMAGE_BYTES = 48 * 1024 * 1024;

/** A disk, with what a power cut left of it once there was one. */
export interface Disk {
  /** Where a store may lie. */
  readonly directory: string;
  /** Keeps what would be left now. The process that writes must stand still. */
  cut(): void;
  /** Goes on with what the cut left; nothing may use the disk. */
  restart(): void;
  /** Lets go of everything. */
  remove(): void;
}

/** A disk in a folder: `image` where that is possible here, else `files`. */
export function diskIn(folder: string, kind: 'image' | 'files'): Disk {
  return kind === 'image' ? imageDisk(folder) : filesDisk(folder);
}

function filesDisk(folder: string): Disk {
  const directory = join(folder, 'disk');
  const left = join(folder, 'left');
  return {
    directory,
    cut: () => cpSync(directory, left, { recursive: true }),
    restart: () => {
      rmSync(directory, { recursive: true });
      cpSync(left, directory, { recursive: true });
      rmSync(left, { recursive: true });
    },
    remove: () => undefined,
  };
}

function imageDisk(folder: string): Disk {
  const [image, left, mount] = ['image', 'left', 'mount'].map((name) => join(folder, name));
  if (image === undefined || left === undefined || mount === undefined) throw new Error('no names');
  mkdirSync(mount);
  writeFileSync(image, '');
  truncateSync(image, IMAGE_BYTES);
  must('mkfs.ext4', '-q', '-F', image);
  must('mount', '-o', 'loop', image, mount);
  return {
    directory: join(mount, 'data'),
    cut: () => copyFileSync(image, left),
    restart: () => {
      must('umount', mount);
      copyFileSync(left, image);
      must('mount', '-o', 'loop', image, mount);
    },
    remove: () => must('umount', mount),
  };
}

function must(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

/** Whether a file system of our own can be made and mounted here. */
export function canCutImage(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-fault-disk-'));
  try {
    imageDisk(folder).remove();
    return true;
  } catch {
    // Without mkfs, loop devices or the right to mount there are still copies of the files.
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
