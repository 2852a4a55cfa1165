/** The effect of a file operation: which file below which root, and what it is to hold. */
import type { EffectRequest } from '../../engine/ports.ts';
import { digestOf, type Digest } from '../../kernel/digest.ts';
import type {
  FileOperation,
  FileTarget,
  Operation,
  Target,
  Template,
} from '../../kernel/inventory.ts';
import { sha256Hex } from '../../kernel/sha256.ts';
import { refuse } from '../refusal.ts';
import { EXECUTION_PLACEHOLDER, renderText } from '../template.ts';

/** The version of what a compiled effect means; part of every resolution. */
export const FILE_CONTRACT = 'file/1';

/** The longest path in bytes, which is Linux's own limit. */
const PATH_BYTES_MAX = 4095;

/** The parts of target and operation that this executor performs. */
export interface FileBinding {
  readonly target: FileTarget;
  readonly operation: FileOperation;
}

/** Target and operation as this executor's, or a refusal. */
export function fileBinding(target: Target, operation: Operation): FileBinding {
  if (target.executor.kind !== 'file' || operation.binding.kind !== 'file') {
    return refuse('binding_unsupported', `\`${operation.name}\` does not act on a file`);
  }
  return { target: target.executor, operation: operation.binding };
}

/** A file by the declared root it lies in and the names that lead to it from there. */
export interface FilePath {
  readonly path: string;
  readonly root: string;
  /** At least one; the last is the file's own. */
  readonly names: readonly string[];
}

/** An action with everything filled in. */
export type CompiledAction =
  | { readonly kind: 'write'; readonly path: FilePath; readonly content: Buffer }
  | { readonly kind: 'move'; readonly path: FilePath; readonly to: FilePath }
  | { readonly kind: 'delete'; readonly path: FilePath }
  | { readonly kind: 'read'; readonly path: FilePath };

/** Fills in the arguments, with `execution` in the place of the execution's id. */
export function compileAction(request: EffectRequest, execution: string): CompiledAction {
  const binding = fileBinding(request.target, request.operation);
  const { action } = binding.operation;
  const filled = (template: Template): FilePath => renderFilePath(template, request, binding);
  switch (action.kind) {
    case 'write':
      return {
        kind: 'write',
        path: filled(action.path),
        content: renderContent(action.content, { request, binding, execution }),
      };
    case 'move':
      return { kind: 'move', path: filled(action.from), to: filled(action.to) };
    case 'delete':
    case 'read':
      return { kind: action.kind, path: filled(action.path) };
    default:
      return action satisfies never;
  }
}

/** Whether what is written holds the id of the execution, so that its digest is not known before. */
export function holdsExecution({ operation }: FileBinding): boolean {
  const { action } = operation;
  return action.kind === 'write' && action.content.some(({ kind }) => kind === 'execution');
}

function renderContent(
  content: Template,
  parts: {
    readonly request: EffectRequest;
    readonly binding: FileBinding;
    readonly execution: string;
  },
): Buffer {
  const { request, binding, execution } = parts;
  const values = { args: request.args, fields: request.operation.arguments, execution };
  const bytes = Buffer.from(renderText(content, values), 'utf8');
  const { bytesMax } = binding.operation;
  if (bytes.length > bytesMax) {
    refuse('argument_too_large', `the content has more than ${String(bytesMax)} bytes`);
  }
  return bytes;
}

function renderFilePath(
  template: Template,
  { args, operation }: EffectRequest,
  { target }: FileBinding,
): FilePath {
  const values = { args, fields: operation.arguments, execution: EXECUTION_PLACEHOLDER };
  const texts = template.map((part) => {
    const text = renderText([part], values);
    // INVARIANT: beside other text an argument is a part of one name, and cannot lead elsewhere.
    if (part.kind !== 'literal' && template.length > 1 && text.includes('/')) {
      refuse('path_refused', 'an argument within a path cannot hold a slash');
    }
    return text;
  });
  return locate(texts.join(''), target.roots);
}

/** The file that a path names; refuses whatever is not written in its one way, and what lies in no root. */
export function locate(path: string, roots: readonly string[]): FilePath {
  if (!path.startsWith('/') || /\p{Cc}/u.test(path) || Buffer.byteLength(path) > PATH_BYTES_MAX) {
    refuse('path_refused', 'the path is not absolute, too long or holds a control character');
  }
  const parts = path.slice(1).split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    refuse('path_refused', 'the path holds `.`, `..`, `//` or a slash at the end');
  }
  if (parts.some((part) => part.startsWith(TEMPORARY_PREFIX))) {
    refuse('path_refused', `names that begin with \`${TEMPORARY_PREFIX}\` belong to the layer`);
  }
  // The longest root: it says most about where the file is.
  const root = roots
    .filter((each) => path.startsWith(each === '/' ? '/' : `${each}/`))
    .toSorted((left, right) => right.length - left.length)[0];
  if (root === undefined) return refuse('path_outside_roots', 'the path lies in no declared root');
  const names = path.slice(root === '/' ? 1 : root.length + 1).split('/');
  return { path, root, names };
}

/** How the layer's own temporary files begin. */
const TEMPORARY_PREFIX = '.exequatur-';

/**
 * The name under which one execution prepares a file beside its place. What it is for is part of the
 * name: a crash leaves only the name to tell.
 */
export function temporaryName(execution: string, use: 'new' | 'replacement'): string {
  return `${TEMPORARY_PREFIX}${execution}.${use}`;
}

/** Digest of the compiled effect; `roots` says which directories the declared ones really are. */
export function fileEffect(
  request: EffectRequest,
  roots: Readonly<Record<string, string>>,
): Digest {
  const action = compileAction(request, EXECUTION_PLACEHOLDER);
  return digestOf('exequatur/effect/v1', {
    contract: FILE_CONTRACT,
    action: action.kind,
    path: action.path.path,
    ...(action.kind === 'move' ? { to: action.to.path } : {}),
    ...(action.kind === 'write' ? { content: sha256Hex(action.content) } : {}),
    bytesMax: fileBinding(request.target, request.operation).operation.bytesMax,
    roots,
  });
}
