/** The effect of a process operation: which words, where, with which environment and which files. */
import type { EffectRequest } from '../../engine/ports.ts';
import { digestOf, type Digest } from '../../kernel/digest.ts';
import type {
  Operation,
  ProcessOperation,
  ProcessTarget,
  Target,
  Template,
} from '../../kernel/inventory.ts';
import { refuse } from '../refusal.ts';
import { secretPlaceholders } from '../secrets.ts';
import {
  blobPlaceholder,
  EXECUTION_PLACEHOLDER,
  renderVariable,
  renderWord,
  type SecretTexts,
} from '../template.ts';

/** The version of what a compiled effect means; part of every resolution. */
export const PROCESS_CONTRACT = 'process/1';

/** The parts of target and operation that this executor performs. */
export interface ProcessBinding {
  readonly target: ProcessTarget;
  readonly operation: ProcessOperation;
}

/** Target and operation as this executor's, or a refusal. */
export function processBinding(target: Target, operation: Operation): ProcessBinding {
  if (target.executor.kind !== 'process' || operation.binding.kind !== 'process') {
    return refuse('binding_unsupported', `\`${operation.name}\` does not run a program`);
  }
  return { target: target.executor, operation: operation.binding };
}

/** The words of a program, with `execution` in the place of the execution's id, and `blob` in that of a path. */
export function renderArgv(
  run: readonly Template[],
  request: EffectRequest,
  execution: string,
  blob: (name: string) => string = blobPlaceholder,
): readonly string[] {
  const { args, operation } = request;
  const values = { args, fields: operation.arguments, execution, blob };
  const words = run.slice(1).flatMap((template) => renderWord(template, values) ?? []);
  return [executableOf(run), ...words];
}

/** Everything that arguments stand in when the operation acts: its words and its variables. */
export function actTemplates({ run, environment = {} }: ProcessOperation): readonly Template[] {
  return [...run, ...Object.values(environment)];
}

/** What stands in the variables of an operation. */
export interface VariableTexts {
  readonly execution: string;
  readonly secrets: SecretTexts;
  readonly blob: (name: string) => string;
}

/** The variables that the operation gives to its program. */
export function renderVariables(
  { environment = {} }: ProcessOperation,
  { args, operation }: EffectRequest,
  texts: VariableTexts,
): Readonly<Record<string, string>> {
  const values = { args, fields: operation.arguments, ...texts };
  const variables = Object.entries(environment).flatMap(([name, template]) => {
    const value = renderVariable(template, values);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(variables);
}

/** The first word: an absolute path that no argument has a part in. */
function executableOf(run: readonly Template[]): string {
  const parts = run[0] ?? [];
  const path = parts.map((part) => (part.kind === 'literal' ? part.text : '')).join('');
  const literal = parts.every((part) => part.kind === 'literal');
  if (!literal || !path.startsWith('/') || path.includes('\0')) {
    refuse('executable_not_absolute', 'the first word of a program is an absolute path');
  }
  return path;
}

/** The files whose content the effect stands on: the executable, and what the operation declares. */
export function effectFiles(operation: ProcessOperation): readonly string[] {
  return [...new Set([executableOf(operation.run), ...operation.files])];
}

/** The programs that are started for the operation: to act, to preview, to look for evidence. */
export function executables(operation: ProcessOperation): readonly string[] {
  const runs = [operation.run, operation.preview?.run, operation.reconcile?.run];
  return [...new Set(runs.flatMap((run) => (run === undefined ? [] : [executableOf(run)])))];
}

/** What the names in a binding lead to now. */
export interface ResolvedPlaces {
  /** The directory that the target's one leads to: a link that leads elsewhere is another effect. */
  readonly directory: string;
  /** The digests of everything that is pinned. */
  readonly files: Readonly<Record<string, Digest>>;
}

/** Digest of the compiled effect. */
export function processEffect(
  request: EffectRequest,
  { target, operation }: ProcessBinding,
  { directory, files }: ResolvedPlaces,
): Digest {
  return digestOf('exequatur/effect/v1', {
    contract: PROCESS_CONTRACT,
    argv: renderArgv(operation.run, request, EXECUTION_PLACEHOLDER),
    directory,
    environment: {
      names: target.environmentNames.toSorted(),
      values: target.environmentValues,
      credential: target.credentialVariable ?? null,
    },
    // Absent where there is none, so that effects of before keep their digest.
    ...(operation.environment === undefined
      ? {}
      : {
          variables: renderVariables(operation, request, {
            execution: EXECUTION_PLACEHOLDER,
            secrets: secretPlaceholders(request),
            blob: blobPlaceholder,
          }),
        }),
    ...(target.isolation === undefined ? {} : { isolation: target.isolation }),
    files: digestsOf(effectFiles(operation), files),
  });
}

/** The digests of these paths alone. */
export function digestsOf(
  paths: readonly string[],
  files: Readonly<Record<string, Digest>>,
): Readonly<Record<string, Digest>> {
  const named = paths.flatMap((path) => {
    const digest = files[path];
    return digest === undefined ? [] : [[path, digest] as const];
  });
  return Object.fromEntries(named);
}
