/**
 * The executor for files on this machine (`file/1`): writes, moves, deletes and reads regular files
 * below declared roots. It takes no credential; what it may touch is what its own user may touch.
 *
 * Precondition class: read-then-act. Inode and digest of the file are compared right before the effect,
 * but no call of the operating system compares and changes at once: between the two lies an instant in
 * which somebody who may write to the directory can put another file in its place. A new file and a
 * new name are the exception: taking a name that is taken fails.
 */
import type { Clock, EffectRequest, Prepared } from '../../engine/ports.ts';
import type { Preview, Resolution } from '../../kernel/action.ts';
import type { LockedTarget, Target } from '../../kernel/inventory.ts';
import type { JsonObject } from '../../kernel/json/value.ts';
import { sha256Hex } from '../../kernel/sha256.ts';
import { writeCanonical } from '../../kernel/json/write.ts';
import type { Masker } from '../mask.ts';
import type { ProbingExecutor } from '../probing-executor.ts';
import { prepareOnce } from '../prepared.ts';
import { probeFile } from '../process/probe.ts';
import { attempt, refuse } from '../refusal.ts';
import { EXECUTION_PLACEHOLDER } from '../template.ts';
import { SYSTEM_CALLS, type FileCalls } from './calls.ts';
import { nameOf, performChange } from './change.ts';
import {
  compileAction,
  FILE_CONTRACT,
  fileBinding,
  fileEffect,
  holdsExecution,
  type CompiledAction,
} from './compile.ts';
import { descend, identifyRoots } from './descend.ts';
import { reconcileFile } from './evidence.ts';
import { describeFile, findFile, statusOf, type FoundFile } from './found.ts';
import { withinBounds } from './progress.ts';

/** What the executor needs. `calls` are those of this machine unless a test fails some of them. */
export interface FileExecutorOptions {
  readonly masker: Masker;
  readonly clock: Clock;
  readonly calls?: FileCalls;
}

interface FileTools {
  readonly masker: Masker;
  readonly clock: Clock;
  readonly calls: FileCalls;
}

/** Makes the executor of contract `file/1`. */
export function createFileExecutor(options: FileExecutorOptions): ProbingExecutor {
  const { masker, clock, calls = SYSTEM_CALLS } = options;
  const tools: FileTools = { masker, clock, calls };
  return {
    contract: FILE_CONTRACT,
    resolve: (request, signal) =>
      attempt(() => unlessAborted(resolve(request, tools, signal), signal)),
    preview: (request, signal) => attempt(() => unlessAborted(preview(request, tools), signal)),
    prepare: (request, resolution, shown, signal) =>
      attempt(() => unlessAborted(prepare({ request, resolution, shown }, tools), signal)),
    reconcile: (request, execution, signal) =>
      attempt(() => unlessAborted(reconcileFile(request, execution, calls), signal)),
    probe: (target, signal) => attempt(() => unlessAborted(probe(target, tools, signal), signal)),
  };
}

/** A call that hangs, as on a lost network file system, is left behind: nothing here has an effect. */
async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<'aborted'>((settle) => {
    stop = () => settle('aborted');
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    const first = await Promise.race([work.then((value) => ({ value })), aborted]);
    return first === 'aborted'
      ? refuse('cancelled', 'cancelled while the file was looked at')
      : first.value;
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}

async function resolve(
  request: EffectRequest,
  { masker, clock, calls }: FileTools,
  signal: AbortSignal,
): Promise<Resolution> {
  const observedAt = clock.now();
  const { target, operation } = request;
  const binding = fileBinding(target, operation);
  // Arguments that make no path are refused before anything is opened.
  compileAction(request, EXECUTION_PLACEHOLDER);
  const roots = await identifyRoots(binding.target.roots, calls);
  const { identity, environment, recorded } = await probeFile(target, masker, signal);
  return {
    identity: identity ?? identityOfRoots(roots),
    environment,
    operation: operation.digest,
    effect: fileEffect(request, roots),
    credential: null,
    executor: FILE_CONTRACT,
    files: {},
    recorded: { roots, ...recorded },
    observedAt,
  };
}

/** Without a probe the target is the directories themselves. */
function identityOfRoots(roots: Readonly<Record<string, string>>): string {
  return Object.values(roots).join(', ');
}

/** The file as it is now and as it would be; both are consented to. */
async function preview(request: EffectRequest, { clock, calls }: FileTools): Promise<Preview> {
  const observedAt = clock.now();
  const binding = fileBinding(request.target, request.operation);
  const action = compileAction(request, EXECUTION_PLACEHOLDER);
  const found = await look(action, binding.operation.bytesMax, calls);
  if (action.kind === 'move') await checkFree(action, calls);
  if (found === undefined && action.kind !== 'write') {
    return refuse('file_missing', `there is no file \`${action.path.path}\``);
  }
  const material = {
    action: action.kind,
    path: action.path.path,
    ...(action.kind === 'move' ? { to: action.to.path } : {}),
    before: describeFile(found),
    ...(action.kind === 'write' ? { after: afterOf(action, holdsExecution(binding)) } : {}),
  };
  return { material, context: contextOf(found), observedAt };
}

function afterOf(
  { content }: Extract<CompiledAction, { readonly kind: 'write' }>,
  hasExecution: boolean,
): JsonObject {
  // With the execution's id in it the content is known to the byte only when it is written.
  return hasExecution
    ? { type: 'file', holdsExecutionId: true }
    : { type: 'file', size: content.length, sha256: sha256Hex(content) };
}

function contextOf(found: FoundFile | undefined): JsonObject {
  if (found === undefined) return {};
  const { mtimeMs, mode, uid, gid } = found.status;
  return {
    modifiedAt: new Date(Number(mtimeMs)).toISOString(),
    mode: (mode & 0o7777n).toString(8).padStart(4, '0'),
    owner: `${String(uid)}:${String(gid)}`,
  };
}

async function look(
  action: CompiledAction,
  bytesMax: number,
  calls: FileCalls,
): Promise<FoundFile | undefined> {
  const directory = await descend(action.path, calls);
  try {
    return await findFile({ directory, name: nameOf(action.path), bytesMax }, calls);
  } finally {
    await directory.close();
  }
}

async function checkFree(
  { to }: Extract<CompiledAction, { readonly kind: 'move' }>,
  calls: FileCalls,
): Promise<void> {
  const directory = await descend(to, calls);
  try {
    if ((await statusOf(directory.at(nameOf(to)), calls)) === undefined) return;
    refuse('file_exists', `something has the name \`${to.path}\` already`);
  } finally {
    await directory.close();
  }
}

/** Nothing is held from here to the send: the way is walked and the file read again there. */
async function prepare(
  given: {
    readonly request: EffectRequest;
    readonly resolution: Resolution;
    readonly shown: Preview | 'none';
  },
  tools: FileTools,
): Promise<Prepared> {
  const { request, resolution, shown } = given;
  const { operation, target } = fileBinding(request.target, request.operation);
  const roots = await identifyRoots(target.roots, tools.calls);
  if (fileEffect(request, roots) !== resolution.effect) {
    refuse('effect_changed', 'the effect is not the one that was resolved');
  }
  if (shown === 'none')
    return refuse('preview_failed', 'files are acted on as they were previewed');
  const { before = null } = shown.material;
  const action = compileAction(request, EXECUTION_PLACEHOLDER);
  const found = await look(action, operation.bytesMax, tools.calls);
  if (writeCanonical(describeFile(found)) !== writeCanonical(before)) {
    refuse('file_changed', `file \`${action.path.path}\` is not as it was previewed`);
  }
  return prepareOnce({
    request,
    effect: () => fileEffect(request, roots),
    release: () => undefined,
    perform: (execution, { signal, sending }) =>
      withinBounds(
        (progress) =>
          performChange(
            {
              action: compileAction(request, execution.id),
              execution: execution.id,
              consented: before,
              bytesMax: operation.bytesMax,
              calls: tools.calls,
              masker: tools.masker,
              sending,
            },
            progress,
          ),
        { signal, timeoutMs: request.operation.timeoutMs, clock: tools.clock },
      ),
  });
}

async function probe(
  target: Target,
  { masker, calls }: FileTools,
  signal: AbortSignal,
): Promise<LockedTarget> {
  if (target.executor.kind !== 'file') {
    return refuse('binding_unsupported', `target \`${target.name}\` holds no files`);
  }
  const roots = await identifyRoots(target.executor.roots, calls);
  const { identity, environment } = await probeFile(target, masker, signal);
  return { identity: identity ?? identityOfRoots(roots), environment, files: {} };
}
