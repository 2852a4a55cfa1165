/**
 * Copies of blobs for one program: made right before it is needed, hashed again on the way, readable by
 * the program and writable by nobody, and removed afterwards. The stored file itself is never shown.
 *
 *     DIRECTORY/             0711, the layer's own: others may pass through and see nothing
 *     DIRECTORY/copy-…/      0700; for another user 0710 with that user's group
 *     DIRECTORY/copy-…/HEX   0400; for another user 0440 with that user's group
 *
 * The copy stays the layer's own, so that no other program of that user can change it.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, rmSync, type Stats } from 'node:fs';
import { chmod, chown, mkdtemp, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore, EffectRequest, OpenBlob } from '../../engine/ports.ts';
import { parseBlobName } from '../../kernel/blob.ts';
import type { Template } from '../../kernel/inventory.ts';
import { ExecutorRefusal, refuse } from '../refusal.ts';
import type { UserIds } from './confinement.ts';
import { pinnedAs, type PinnedFile } from './pin.ts';

/** Where blobs come from, and where copies of them are made. */
export interface BlobPlace {
  readonly store: Pick<BlobStore, 'open'>;
  /** Absolute; on a file system with room for what runs at once. One process uses it at a time. */
  readonly directory: string;
}

/** The copies of one program. */
export interface BlobCopies {
  readonly files: readonly PinnedFile[];
  /** The path of the copy of this blob. */
  readonly pathOf: (name: string) => string;
  /** Removes them. Safe to call twice. */
  readonly release: () => void;
}

/** What copies are made for. */
export interface CopyFor {
  readonly request: EffectRequest;
  /** The program's words: only what they name is copied. */
  readonly run: readonly Template[];
  /** Whom the program runs as; the layer itself if absent. */
  readonly user: UserIds | undefined;
  readonly signal: AbortSignal;
}

/** No copies: for programs that take no blob. */
const NONE: BlobCopies = {
  files: [],
  pathOf: (name) => refuse('blob_missing', `blob \`${name}\` is not there`),
  release: () => undefined,
};

/** Refuses with `blob_missing` where a blob that the words name is not there. */
export async function requireBlobs(
  place: BlobPlace | undefined,
  { request, run }: Pick<CopyFor, 'request' | 'run'>,
): Promise<void> {
  for (const name of namedBy(run, request)) {
    const blob = await openBlob(place, request, name);
    await blob.close();
  }
}

/** Refuses with `blob_missing`, `blob_changed`, `blob_copy_failed` or `cancelled`, and then leaves nothing. */
export async function copyBlobs(
  place: BlobPlace | undefined,
  { request, run, user, signal }: CopyFor,
): Promise<BlobCopies> {
  const names = namedBy(run, request);
  if (names.length === 0) return NONE;
  if (place === undefined) return refuse('blob_missing', 'this layer keeps no blobs');
  const folder = await makeFolder(place.directory, user);
  const release = (): void => removeIfPossible(folder);
  try {
    const paths = new Map<string, PinnedFile>();
    for (const name of names) {
      const blob = await openBlob(place, request, name);
      try {
        paths.set(name, await copyBlob(blob, { name, folder, user, signal }));
      } finally {
        await blob.close();
      }
    }
    return {
      files: [...paths.values()],
      pathOf: (name) => paths.get(name)?.path ?? NONE.pathOf(name),
      release,
    };
  } catch (error) {
    release();
    if (error instanceof ExecutorRefusal) throw error;
    return refuse('blob_copy_failed', `a blob cannot be copied (${codeOf(error)})`);
  }
}

/** Removes what a crash left. Nothing is made, and nothing is touched in a directory of somebody else. */
export function sweepCopies(directory: string): void {
  const status = lstatSync(directory, { throwIfNoEntry: false });
  if (status === undefined || !isOurs(status)) return;
  for (const name of readdirSync(directory)) {
    if (name.startsWith(PREFIX)) removeIfPossible(join(directory, name));
  }
}

// ---------------------------------------------------------------- which

function namedBy(run: readonly Template[], request: EffectRequest): readonly string[] {
  const { args, operation } = request;
  const names = run.flat().flatMap((part) => {
    const [name = ''] = part.kind === 'argument' ? part.path : [];
    const field = Object.hasOwn(operation.arguments, name) ? operation.arguments[name] : undefined;
    const value = field?.type.kind === 'blob' && Object.hasOwn(args, name) ? args[name] : undefined;
    return typeof value === 'string' ? value : [];
  });
  return [...new Set(names)];
}

async function openBlob(
  place: BlobPlace | undefined,
  { tenant }: EffectRequest,
  name: string,
): Promise<OpenBlob> {
  const digest = parseBlobName(name);
  const blob = digest === undefined ? undefined : await place?.store.open(tenant, digest);
  return blob ?? refuse('blob_missing', `blob \`${name}\` is not there`);
}

// ---------------------------------------------------------------- where

const PREFIX = 'copy-';
const OTHERS_MAY_WRITE = 0o022;

/** INVARIANT: nobody else can put something in the place of a copy, in whatever directory this one lies. */
async function makeFolder(directory: string, user: UserIds | undefined): Promise<string> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o711 });
    if (!isOurs(lstatSync(directory))) {
      refuse(
        'blob_copy_failed',
        `\`${directory}\` is not a directory that only the layer may write to`,
      );
    }
    await chmod(directory, 0o711);
    const folder = await mkdtemp(join(directory, PREFIX));
    if (user === undefined) return folder;
    await chown(folder, process.getuid?.() ?? 0, user.gid);
    await chmod(folder, 0o710);
    return folder;
  } catch (error) {
    if (error instanceof ExecutorRefusal) throw error;
    return refuse('blob_copy_failed', `no copy can be made in \`${directory}\` (${codeOf(error)})`);
  }
}

function isOurs(status: Stats): boolean {
  const isOwn = process.getuid === undefined || status.uid === process.getuid();
  return status.isDirectory() && isOwn && (status.mode & OTHERS_MAY_WRITE) === 0;
}

function removeIfPossible(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // A copy that stays is readable by whom it was made for, and is swept at the next start.
  }
}

// ---------------------------------------------------------------- the copy

interface Copying {
  readonly name: string;
  readonly folder: string;
  readonly user: UserIds | undefined;
  readonly signal: AbortSignal;
}

async function copyBlob(
  blob: OpenBlob,
  { name, folder, user, signal }: Copying,
): Promise<PinnedFile> {
  const digest = parseBlobName(name);
  if (digest === undefined) return refuse('blob_missing', `\`${name}\` names no blob`);
  const path = join(folder, digest);
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o400);
  try {
    for await (const chunk of blob.chunks()) {
      if (signal.aborted) refuse('cancelled', 'cancelled while a blob was copied');
      hash.update(chunk);
      await file.appendFile(chunk);
    }
    if (hash.digest('hex') !== digest) {
      refuse('blob_changed', `the stored bytes of blob \`${name}\` are no longer those`);
    }
    if (user !== undefined) {
      await file.chown(process.getuid?.() ?? 0, user.gid);
      await file.chmod(0o440);
    }
  } finally {
    await file.close();
  }
  return pinnedAs(path, digest);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
