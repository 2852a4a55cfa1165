/**
 * What a target still says of an execution that has no outcome.
 *
 * A file that holds what was to be written, or is gone where it was to be deleted, is as consented to,
 * whoever made it so. The other way round little is proven: only a temporary file that is still there
 * and can be taken away shows that its rename never happened, and makes sure that it never will.
 */
import type { EffectRequest, Outcome } from '../../engine/ports.ts';
import type { ExecutionId } from '../../kernel/id.ts';
import { sha256Hex } from '../../kernel/sha256.ts';
import { ExecutorRefusal } from '../refusal.ts';
import type { FileCalls } from './calls.ts';
import { nameOf } from './change.ts';
import { compileAction, fileBinding, temporaryName, type CompiledAction } from './compile.ts';
import { descend, type HeldDirectory } from './descend.ts';
import { findFile, statusOf } from './found.ts';

/** Looks for evidence; `undefined` where there is none either way. */
export async function reconcileFile(
  request: EffectRequest,
  execution: ExecutionId,
  calls: FileCalls,
): Promise<Outcome | undefined> {
  const { bytesMax } = fileBinding(request.target, request.operation).operation;
  const action = compileAction(request, execution);
  const directory = await descend(action.path, calls);
  try {
    if (action.kind === 'delete') return await deleted(action, directory, calls);
    if (action.kind !== 'write') return undefined;
    return await written(action, { directory, execution, bytesMax }, calls);
  } finally {
    await directory.close();
  }
}

async function deleted(
  action: CompiledAction,
  directory: HeldDirectory,
  calls: FileCalls,
): Promise<Outcome | undefined> {
  const status = await statusOf(directory.at(nameOf(action.path)), calls);
  if (status !== undefined) return undefined;
  return evidence('succeeded', 'evidence_absent', 'the file is gone');
}

async function written(
  action: Extract<CompiledAction, { readonly kind: 'write' }>,
  place: {
    readonly directory: HeldDirectory;
    readonly execution: string;
    readonly bytesMax: number;
  },
  calls: FileCalls,
): Promise<Outcome | undefined> {
  const { directory, execution, bytesMax } = place;
  // A crash between linking a new file and clearing its temporary name leaves both. The late link of
  // an engine that is only slow fails once the name is gone.
  await clear(directory.at(temporaryName(execution, 'new')), calls);
  const digest = await digestAt(directory, { name: nameOf(action.path), bytesMax }, calls);
  if (digest === sha256Hex(action.content)) {
    return evidence('succeeded', 'evidence_content', 'the file holds what was to be written');
  }
  // Only a rename takes this name away. Whoever takes it first decides: it is made once an execution.
  const cleared = await clear(directory.at(temporaryName(execution, 'replacement')), calls);
  if (!cleared) return undefined;
  const message = 'the new content was never put in its place, and is cleared away';
  return evidence('not_executed', 'evidence_unpublished', message);
}

async function clear(path: string, calls: FileCalls): Promise<boolean> {
  try {
    await calls.unlink(path);
    return true;
  } catch {
    // There is no such file, or it cannot be cleared; either way it proves nothing.
    return false;
  }
}

async function digestAt(
  directory: HeldDirectory,
  { name, bytesMax }: { readonly name: string; readonly bytesMax: number },
  calls: FileCalls,
): Promise<string | undefined> {
  try {
    return (await findFile({ directory, name, bytesMax }, calls))?.digest;
  } catch (error) {
    // A link, a directory or a larger file there is not what was to be written.
    if (error instanceof ExecutorRefusal) return undefined;
    throw error;
  }
}

function evidence(state: 'succeeded' | 'not_executed', code: string, message: string): Outcome {
  return { state, sent: true, code, message, result: null };
}
