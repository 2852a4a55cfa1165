/**
 * The effect itself. In this order: the way is walked again, the file is read again and compared with
 * what was consented to, the last question is asked, and one call makes the effect visible.
 *
 * | action         | the call that takes hold                   | a crash before / after it leaves               |
 * |----------------|--------------------------------------------|------------------------------------------------|
 * | write, new     | `link` of a temporary file; fails if taken | the temporary file / both names of one file    |
 * | write, replace | `rename` of a temporary file               | the temporary file / nothing                   |
 * | delete         | `unlink`                                   | nothing / nothing                              |
 * | move           | `link`, then `unlink` of the old name      | nothing / both names of one file               |
 *
 * What a crash leaves is found by the name of the execution, and `evidence.ts` clears it away.
 */
import { constants } from 'node:fs';

import type { Outcome, SendOptions } from '../../engine/ports.ts';
import type { JsonObject, JsonValue } from '../../kernel/json/value.ts';
import { writeCanonical } from '../../kernel/json/write.ts';
import { sha256Hex } from '../../kernel/sha256.ts';
import { maskBytes, outputResult } from '../answer.ts';
import type { Masker } from '../mask.ts';
import { notSent } from '../prepared.ts';
import { ExecutorRefusal, refuse } from '../refusal.ts';
import { errorName, type FileCalls } from './calls.ts';
import { temporaryName, type CompiledAction, type FilePath } from './compile.ts';
import { descend, identityOf, type HeldDirectory } from './descend.ts';
import { describeFile, findFile, statusOf, type FoundFile } from './found.ts';
import { NotDone, type Progress } from './progress.ts';

/** One effect that crossed. */
export interface Change {
  readonly action: CompiledAction;
  readonly execution: string;
  /** The file as it was previewed, in the preview's words; `null` where there was none. */
  readonly consented: JsonValue;
  readonly bytesMax: number;
  readonly calls: FileCalls;
  readonly masker: Masker;
  readonly sending: SendOptions['sending'];
}

/** Performs the effect once; `progress` says how far it came. */
export async function performChange(change: Change, progress: Progress): Promise<Outcome> {
  const { action, calls } = change;
  const directory = await descend(action.path, calls);
  try {
    if (action.kind === 'read') return await read(change, directory, progress);
    const found = await asConsented(change, directory);
    if (action.kind === 'write') {
      return await write({ ...change, action }, { directory, replaced: found }, progress);
    }
    if (found === undefined) return refuse('file_missing', 'there is no such file');
    if (action.kind === 'delete') return await remove(change, { directory, found }, progress);
    return await move({ ...change, action }, { directory, found }, progress);
  } finally {
    await directory.close();
  }
}

/** The file, unless it or the directory it lies in is another one than was consented to. */
async function asConsented(
  { action, consented, bytesMax, calls }: Change,
  directory: HeldDirectory,
  take?: (bytes: Buffer) => void,
): Promise<FoundFile | undefined> {
  const again = await descend(action.path, calls);
  await again.close();
  if (again.identity !== directory.identity) {
    refuse('directory_changed', 'the path leads to another directory now');
  }
  const name = nameOf(action.path);
  const looking = { directory, name, bytesMax, ...(take === undefined ? {} : { take }) };
  const found = await findFile(looking, calls);
  if (writeCanonical(describeFile(found)) !== writeCanonical(consented)) {
    refuse('file_changed', `file \`${name}\` is not as it was previewed`);
  }
  return found;
}

/** The file's own name. */
export function nameOf({ names }: FilePath): string {
  return names.at(-1) ?? '';
}

// ---------------------------------------------------------------- read

async function read(
  change: Change,
  directory: HeldDirectory,
  progress: Progress,
): Promise<Outcome> {
  if (!change.sending()) return stopped();
  progress.enter('preparing');
  const chunks: Buffer[] = [];
  const found = await asConsented(change, directory, (bytes) => chunks.push(bytes));
  if (found === undefined) return refuse('file_missing', 'there is no such file');
  const result = outputResult(maskBytes(Buffer.concat(chunks), change.masker, true));
  return done('read', 'the file was read', result);
}

function stopped(): Outcome {
  return notSent('not_sent', 'stopped before anything was written');
}

function done(code: string, message: string, result: JsonObject): Outcome {
  return { state: 'succeeded', sent: true, code, message, result };
}

// ---------------------------------------------------------------- write

type Of<Kind extends CompiledAction['kind']> = Change & {
  readonly action: Extract<CompiledAction, { readonly kind: Kind }>;
};

async function write(
  change: Of<'write'>,
  place: { readonly directory: HeldDirectory; readonly replaced: FoundFile | undefined },
  progress: Progress,
): Promise<Outcome> {
  const { action, calls } = change;
  const { directory, replaced } = place;
  if (!change.sending()) return stopped();
  progress.enter('preparing');
  const use = replaced === undefined ? 'new' : 'replacement';
  const temporary = directory.at(temporaryName(change.execution, use));
  const path = directory.at(nameOf(action.path));
  try {
    const inode = await prepareFile(temporary, change, replaced);
    await asConsented(change, directory);
    progress.enter('effect');
    const took = await tried(
      () => (replaced === undefined ? calls.link(temporary, path) : calls.rename(temporary, path)),
      async () => {
        if ((await inodeAt(path, calls)) === inode) return true;
        return (await inodeAt(temporary, calls)) === inode ? false : undefined;
      },
    );
    const ending = await lasting(took, [directory], calls);
    if (ending !== undefined) return ending;
  } finally {
    // Where it was renamed there is nothing left to clear; else only the layer knows this name.
    await calls.unlink(temporary).catch(() => undefined);
  }
  const result = { size: action.content.length, sha256: sha256Hex(action.content) };
  return replaced === undefined
    ? done('created', 'the file was made', result)
    : done('written', 'the file was replaced', result);
}

/** A whole file under a name of its own, on the disk before anything points to it; gives its inode. */
async function prepareFile(
  temporary: string,
  { action, calls }: Of<'write'>,
  replaced: FoundFile | undefined,
): Promise<string> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    const file = await calls.open(temporary, flags, 0o600);
    try {
      await file.writeFile(action.content);
      const made = await file.stat({ bigint: true });
      const { uid, gid } = replaced?.status ?? made;
      if (uid !== made.uid || gid !== made.gid) await file.chown(Number(uid), Number(gid));
      await file.chmod(replaced === undefined ? 0o644 : Number(replaced.status.mode & 0o777n));
      await calls.sync(file);
      return identityOf(made);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof ExecutorRefusal) throw error;
    throw new NotDone('write_failed', `the new content could not be written (${errorName(error)})`);
  }
}

// ---------------------------------------------------------------- delete

async function remove(
  { action, calls, sending }: Change,
  { directory, found }: { readonly directory: HeldDirectory; readonly found: FoundFile },
  progress: Progress,
): Promise<Outcome> {
  if (!sending()) return stopped();
  const path = directory.at(nameOf(action.path));
  progress.enter('effect');
  const took = await tried(
    () => calls.unlink(path),
    async () => (await inodeAt(path, calls)) !== found.inode,
  );
  const ending = await lasting(took, [directory], calls);
  return ending ?? done('deleted', 'the file was deleted', { size: found.size });
}

// ---------------------------------------------------------------- move

async function move(
  change: Of<'move'>,
  place: { readonly directory: HeldDirectory; readonly found: FoundFile },
  progress: Progress,
): Promise<Outcome> {
  const { action, calls } = change;
  const target = await descend(action.to, calls);
  try {
    const to = target.at(nameOf(action.to));
    if ((await statusOf(to, calls)) !== undefined) {
      refuse('file_exists', `something has the name \`${action.to.path}\``);
    }
    if (!change.sending()) return stopped();
    progress.enter('effect');
    const from = place.directory.at(nameOf(action.path));
    const directories = [target, place.directory];
    return await giveOtherName({ from, to, inode: place.found.inode, directories }, calls);
  } finally {
    await target.close();
  }
}

async function giveOtherName(
  names: {
    readonly from: string;
    readonly to: string;
    readonly inode: string;
    readonly directories: readonly HeldDirectory[];
  },
  calls: FileCalls,
): Promise<Outcome> {
  const { from, to, inode, directories } = names;
  // `link` and not `rename`, which would silently replace what came to have the name.
  const linked = await tried(
    () => calls.link(from, to),
    async () => (await inodeAt(to, calls)) === inode,
  );
  if (!linked.took) return ended(linked);
  if ((await inodeAt(to, calls)) !== inode) {
    // What was linked is not what was looked at an instant before: its second name goes again.
    const undone = await tried(
      () => calls.unlink(to),
      () => Promise.resolve(false),
    );
    return undone.took
      ? { ...notSent('file_changed', 'the file was another one in the last instant'), sent: true }
      : partly();
  }
  const unlinked = await tried(
    () => calls.unlink(from),
    async () => (await inodeAt(from, calls)) !== inode,
  );
  if (unlinked.took === false) return partly();
  const ending = await lasting(unlinked, directories, calls);
  return ending ?? done('moved', 'the file was moved', {});
}

function partly(): Outcome {
  const message = 'the file has its new name, and its old one could not be taken away';
  return { state: 'failed', sent: true, code: 'moved_partly', message, result: null };
}

// ---------------------------------------------------------------- what a call did

/** Whether a call took hold; `undefined` where not even a look can tell. */
interface Tried {
  readonly took: boolean | undefined;
  /** The error's name where the call said no. */
  readonly error?: string;
}

/** Makes the call. An error is no answer yet: the names themselves say what happened. */
async function tried(
  call: () => Promise<void>,
  look: () => Promise<boolean | undefined>,
): Promise<Tried> {
  try {
    await call();
    return { took: true };
  } catch (error) {
    return { took: await look().catch(() => undefined), error: errorName(error) };
  }
}

async function inodeAt(path: string, calls: FileCalls): Promise<string | undefined> {
  try {
    return identityOf(await calls.lstat(path));
  } catch (error) {
    if (errorName(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The outcome of a call that did not take hold, or that may have. */
function ended({ took, error = 'unknown' }: Tried): Outcome {
  if (took === false) {
    const code = error === 'EEXIST' ? 'file_exists' : 'call_refused';
    return { ...notSent(code, `the system refused (${error}) and nothing changed`), sent: true };
  }
  const message = `the system failed (${error}); whether it took hold is not known`;
  return { state: 'unknown', sent: true, code: 'call_failed', message, result: null };
}

/** `undefined` once the effect is on the disk; else how it ended. */
async function lasting(
  call: Tried,
  directories: readonly HeldDirectory[],
  calls: FileCalls,
): Promise<Outcome | undefined> {
  if (call.took !== true) return ended(call);
  try {
    for (const { handle } of directories) await calls.sync(handle);
    return undefined;
  } catch (error) {
    // It is visible now and may not be after a loss of power: neither word would be true.
    const message = `the change may not outlast a loss of power (${errorName(error)})`;
    return { state: 'unknown', sent: true, code: 'not_durable', message, result: null };
  }
}
