/**
 * What the steps of the process executor share: the files as they are now, the variables a program
 * gets, and the credential among them.
 */
import type { Clock, EffectRequest } from '../../engine/ports.ts';
import type { Resolution } from '../../kernel/action.ts';
import type { ExecutionId } from '../../kernel/id.ts';
import type { Target } from '../../kernel/inventory.ts';
import { leaseCredential, type Environment, type Lease } from '../credentials.ts';
import type { Masker } from '../mask.ts';
import { refuse } from '../refusal.ts';
import { executables, type ProcessBinding } from './compile.ts';
import type { BlobPlace } from './blob-copies.ts';
import type { FilePins, PinnedFile } from './pin.ts';
import type { Program } from './program.ts';

/** The variable that carries the execution's id into a program. */
const EXECUTION_VARIABLE = 'EXEQUATUR_EXECUTION_ID';

/** What the executor was made with. */
export interface ProcessTools {
  readonly masker: Masker;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly pins: FilePins;
  /** Without it, programs take no blobs. */
  readonly blobs?: BlobPlace;
}

/** Hashes every file of an operation: the programs that it starts, and what it declares. */
export async function pinAll(
  { operation }: ProcessBinding,
  { pins }: ProcessTools,
): Promise<readonly PinnedFile[]> {
  const programs = executables(operation);
  const others = operation.files.filter((path) => !programs.includes(path));
  return await Promise.all([
    ...programs.map((path) => pins.pin(path, 'executable')),
    ...others.map((path) => pins.pin(path, 'file')),
  ]);
}

/** Digests by path. */
export function filesOf(pinned: readonly PinnedFile[]): Resolution['files'] {
  return Object.fromEntries(pinned.map(({ path, digest }) => [path, digest]));
}

/** The credential that acts, where the target has a variable to carry it. */
export function actReference(target: Target, binding: ProcessBinding): string | undefined {
  return binding.target.credentialVariable === undefined ? undefined : target.credentials.act;
}

/** Leases what the target's variable is to carry; nothing where there is no reference or no variable. */
export async function leaseVariable(
  reference: string | undefined,
  binding: ProcessBinding,
  tools: ProcessTools,
): Promise<Lease | undefined> {
  if (reference === undefined || binding.target.credentialVariable === undefined) return undefined;
  const leased = await leaseCredential(reference, tools);
  if (leased.value.includes('\0')) {
    leased.release();
    refuse('credential_not_sendable', `credential \`${reference}\` holds a zero character`);
  }
  return leased;
}

/** What a program is run with beside its words. */
export interface ProgramOwner {
  readonly leased: Lease | undefined;
  /** `undefined` for a preview, which belongs to no execution. */
  readonly execution: ExecutionId | undefined;
  /** The operation's own; a look has none. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A program of the operation, within the operation's limits. */
export function programOf(
  request: EffectRequest,
  binding: ProcessBinding,
  argv: readonly string[],
  {
    environment,
    confinement,
  }: Pick<Program, 'environment'> & Required<Pick<Program, 'confinement'>>,
): Program {
  const { operation } = binding;
  return {
    argv,
    directory: binding.target.directory,
    environment,
    confinement,
    timeoutMs: request.operation.timeoutMs,
    outputBytesMax: operation.outputBytesMax,
    ...(operation.memoryBytesMax === undefined ? {} : { memoryBytesMax: operation.memoryBytesMax }),
  };
}

/** The variables of a program: those that are named, the credential, and whose execution it is. */
export function variablesOf(
  { target }: ProcessBinding,
  { leased, execution, variables }: ProgramOwner,
  { environment }: ProcessTools,
): Readonly<Record<string, string>> {
  const passed = target.environmentNames.flatMap((name) => {
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(passed),
    ...target.environmentValues,
    ...variables,
    ...(execution === undefined ? {} : { [EXECUTION_VARIABLE]: execution }),
    ...(leased === undefined || target.credentialVariable === undefined
      ? {}
      : { [target.credentialVariable]: leased.value }),
  };
}
