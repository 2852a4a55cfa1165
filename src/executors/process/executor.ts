/**
 * The executor for programs on this machine (`process/1`): an argv, never a shell; executable and
 * declared files pinned by digest; an environment of named variables only; time, output and memory
 * bounded; the whole process group gone before an outcome is given.
 *
 * Precondition class: read-then-act. Between the last look at the pinned files and the kernel's own
 * reading of them lies an instant in which somebody who may write to them can still change them.
 */
import type { Clock, EffectRequest, Outcome, Prepared } from '../../engine/ports.ts';
import type { Resolution } from '../../kernel/action.ts';
import type { LockedTarget, Target } from '../../kernel/inventory.ts';
import type { Environment, Lease } from '../credentials.ts';
import type { Masker } from '../mask.ts';
import type { ProbingExecutor } from '../probing-executor.ts';
import { prepareOnce } from '../prepared.ts';
import { attempt, refuse } from '../refusal.ts';
import { leaseSecrets, type LeasedSecrets } from '../secrets.ts';
import { EXECUTION_PLACEHOLDER } from '../template.ts';
import {
  actTemplates,
  processBinding,
  processEffect,
  PROCESS_CONTRACT,
  renderArgv,
  renderVariables,
  type ProcessBinding,
} from './compile.ts';
import {
  copyBlobs,
  requireBlobs,
  sweepCopies,
  type BlobCopies,
  type BlobPlace,
} from './blob-copies.ts';
import { confine, showing } from './confinement.ts';
import { canMeasureMemory } from './group.ts';
import { previewProgram, reconcileProgram } from './look.ts';
import { programOutcome } from './outcome.ts';
import { createFilePins, isUnchanged, leadsTo, realDirectory } from './pin.ts';
import { probeFile } from './probe.ts';
import { runProgram, type Program, type ProgramContext } from './program.ts';
import {
  actReference,
  filesOf,
  leaseVariable,
  pinAll,
  programOf,
  variablesOf,
  type ProcessTools,
} from './tools.ts';

/** What the executor needs: who masks, which environment variables there are, and time. */
export interface ProcessExecutorOptions {
  readonly masker: Masker;
  readonly environment: Environment;
  readonly clock: Clock;
  /** Without it, programs take no blobs. What a crash left in its directory is removed. */
  readonly blobs?: BlobPlace;
}

/** Makes the executor of contract `process/1`. */
export function createProcessExecutor(options: ProcessExecutorOptions): ProbingExecutor {
  if (options.blobs !== undefined) sweepCopies(options.blobs.directory);
  const tools = { ...options, pins: createFilePins(options.clock) };
  return {
    contract: PROCESS_CONTRACT,
    resolve: (request, signal) => attempt(() => resolve(request, tools, signal)),
    preview: (request, signal) => attempt(() => previewProgram(request, tools, signal)),
    prepare: (request, resolution, _preview, signal) =>
      attempt(() => prepare(request, resolution, tools, signal)),
    reconcile: (request, execution, signal) =>
      attempt(() => reconcileProgram(request, execution, tools, signal)),
    probe: (target, signal) => attempt(() => probe(target, tools, signal)),
  };
}

async function resolve(
  request: EffectRequest,
  tools: ProcessTools,
  signal: AbortSignal,
): Promise<Resolution> {
  const observedAt = tools.clock.now();
  const { target, operation } = request;
  const binding = processBinding(target, operation);
  if (binding.operation.memoryBytesMax !== undefined && !canMeasureMemory()) {
    refuse('memory_limit_unsupported', 'this system does not show the memory of processes');
  }
  // Arguments that fit no word are refused before any file is read.
  renderArgv(binding.operation.run, request, EXECUTION_PLACEHOLDER);
  await requireBlobs(tools.blobs, { request, run: actTemplates(binding.operation) });
  const files = filesOf(await pinAll(binding, tools));
  const directory = await realDirectory(binding.target.directory);
  const { identity, environment, recorded } = await probeFile(target, tools.masker, signal);
  return {
    identity,
    environment,
    operation: operation.digest,
    effect: processEffect(request, binding, { directory, files }),
    credential: actReference(target, binding) ?? null,
    executor: PROCESS_CONTRACT,
    files,
    recorded: { directory, ...recorded },
    observedAt,
  };
}

/** Nothing is started here: files are hashed again, the directory followed again, the credential leased. */
async function prepare(
  request: EffectRequest,
  resolution: Resolution,
  tools: ProcessTools,
  signal: AbortSignal,
): Promise<Prepared> {
  const binding = processBinding(request.target, request.operation);
  const pinned = await pinAll(binding, tools);
  const files = filesOf(pinned);
  for (const [path, digest] of Object.entries(files)) {
    if (resolution.files[path] !== digest) {
      refuse('pinned_file_changed', `file \`${path}\` changed since it was resolved`);
    }
  }
  const directory = await realDirectory(binding.target.directory);
  if (directory !== resolution.recorded['directory']) {
    refuse('directory_changed', `\`${binding.target.directory}\` leads somewhere else now`);
  }
  if (processEffect(request, binding, { directory, files }) !== resolution.effect) {
    refuse('effect_changed', 'the effect is not the one that was resolved');
  }
  const confinement = await confine(binding);
  if (signal.aborted) refuse('cancelled', 'cancelled while the effect was prepared');
  const { user } = confinement;
  const run = actTemplates(binding.operation);
  const copies = await copyBlobs(tools.blobs, { request, run, user, signal });
  const { leased, secrets, release } = await leaseOrRelease(request, { binding, copies }, tools);
  const still = (): boolean =>
    [...pinned, ...copies.files].every(isUnchanged) && leadsTo(binding.target.directory, directory);
  return prepareOnce({
    request,
    effect: () => processEffect(request, binding, { directory, files }),
    release,
    async perform(execution, options) {
      const { id } = execution;
      const argv = renderArgv(binding.operation.run, request, id, copies.pathOf);
      const texts = { execution: id, secrets: secrets.texts, blob: copies.pathOf };
      const variables = renderVariables(binding.operation, request, texts);
      const environment = variablesOf(binding, { leased, execution: id, variables }, tools);
      const confined = showing(
        confinement,
        copies.files.map(({ path }) => path),
      );
      const limits = programOf(request, binding, argv, { environment, confinement: confined });
      const program = { ...limits, directory };
      return await send(program, binding, { ...tools, ...options, still });
    },
  });
}

/** What a program is given while it runs, until it is let go. */
interface Held {
  readonly leased: Lease | undefined;
  readonly secrets: LeasedSecrets;
  readonly release: () => void;
}

/** The credential that acts and the secrets, leased; where one cannot be had or sent, all are let go. */
async function leaseOrRelease(
  request: EffectRequest,
  { binding, copies }: { readonly binding: ProcessBinding; readonly copies: BlobCopies },
  tools: ProcessTools,
): Promise<Held> {
  let leased: Lease | undefined;
  let secrets: LeasedSecrets | undefined;
  const release = (): void => {
    copies.release();
    leased?.release();
    secrets?.release();
  };
  try {
    leased = await leaseVariable(actReference(request.target, binding), binding, tools);
    secrets = await leaseSecrets(request, tools);
    // What no variable can hold is refused here, and not after the crossing.
    renderVariables(binding.operation, request, {
      execution: EXECUTION_PLACEHOLDER,
      secrets: secrets.texts,
      blob: copies.pathOf,
    });
    return { leased, secrets, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Starts the program unless something moved; `sending` is asked last, right before the start. */
async function send(
  program: Program,
  { operation }: ProcessBinding,
  context: Omit<ProgramContext, 'starting'> & {
    readonly sending: () => boolean;
    readonly still: () => boolean;
  },
): Promise<Outcome> {
  let moved = false;
  const starting = (): boolean => {
    moved = !context.still();
    return !moved && context.sending();
  };
  const end = await runProgram(program, { ...context, starting });
  const outcome = programOutcome(end, operation.exits);
  if (!moved) return outcome;
  return {
    ...outcome,
    code: 'pinned_file_changed',
    message: 'a pinned file, a copy of a blob or the directory changed before the start',
  };
}

async function probe(
  target: Target,
  tools: ProcessTools,
  signal: AbortSignal,
): Promise<LockedTarget> {
  const { identity, environment } = await probeFile(target, tools.masker, signal);
  const bindings = [...target.operations.values()].map((each) => processBinding(target, each));
  const pinned = await Promise.all(bindings.map((binding) => pinAll(binding, tools)));
  return {
    ...(identity === null ? {} : { identity, environment }),
    files: filesOf(pinned.flat()),
  };
}
