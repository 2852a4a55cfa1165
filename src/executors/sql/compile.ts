/** The effect of an operation on a database: one statement, its bound values, and which rows it may touch. */
import type { EffectRequest } from '../../engine/ports.ts';
import { type Digest, digestOf } from '../../kernel/digest.ts';
import type {
  ArgumentType,
  Operation,
  SqlOperation,
  SqlTarget,
  Target,
} from '../../kernel/inventory.ts';
import type { JsonValue } from '../../kernel/json/value.ts';
import { refuse } from '../refusal.ts';
import { isJsonArray } from '../pointer.ts';
import type { SqlScalar, SqlValue } from './session.ts';

/** The version of what a compiled effect means; part of every resolution. */
export const SQL_CONTRACT = 'sql/1';

/** The parts of target and operation that this executor performs. */
export interface SqlBinding {
  readonly target: SqlTarget;
  readonly operation: SqlOperation;
}

/** Target and operation as this executor's, or a refusal. */
export function sqlBinding(target: Target, operation: Operation): SqlBinding {
  if (target.executor.kind !== 'sql' || operation.binding.kind !== 'sql') {
    return refuse('binding_unsupported', `\`${operation.name}\` is no statement`);
  }
  return { target: target.executor, operation: operation.binding };
}

/** The values of the statement's parameters, each of its declared type. */
export function boundValues(
  { args }: EffectRequest,
  { parameters }: SqlOperation,
): readonly SqlValue[] {
  return parameters.map(({ name, type }) => {
    const value = Object.hasOwn(args, name) ? args[name] : undefined;
    if (value === undefined || value === null) {
      return refuse('argument_missing', `argument \`${name}\` is missing`);
    }
    if (type.kind !== 'array') return boundValue(name, type, value);
    if (!isJsonArray(value)) {
      return refuse('argument_not_text', `argument \`${name}\` is no list`);
    }
    return value.map((item) => boundValue(name, type.items, item));
  });
}

function boundValue(name: string, type: ArgumentType, value: JsonValue): SqlScalar {
  switch (type.kind) {
    case 'integer':
      if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
      if (typeof value === 'string' && /^-?\d{1,18}$/u.test(value)) return BigInt(value);
      break;
    case 'boolean':
      if (typeof value === 'boolean') return value ? 1n : 0n;
      break;
    case 'array':
    case 'object':
    case 'secret':
    case 'blob':
      break;
    case 'string':
    case 'decimal':
    case 'money':
    case 'date':
    case 'instant':
    case 'duration':
    case 'enum':
    case 'path':
    case 'url':
    case 'oci-digest':
      // A text with NUL would end early in one engine and be refused by the other.
      if (typeof value === 'string' && !value.includes('\0')) return value;
      break;
    default:
      return type satisfies never;
  }
  return refuse('argument_not_text', `argument \`${name}\` cannot be bound as ${type.kind}`);
}

/** Digest of the compiled effect; the execution's id stands only in the marker row. */
export function sqlEffect(request: EffectRequest): Digest {
  const { target, operation } = sqlBinding(request.target, request.operation);
  const { statement, preview, marker, rowsMax } = operation;
  return digestOf('exequatur/effect/v1', {
    contract: SQL_CONTRACT,
    engine: target.engine,
    location: target.location,
    statement,
    values: boundValues(request, operation).map(valueText),
    look: preview?.kind === 'select' ? preview.look : null,
    marker: marker ?? null,
    rowsMax,
  });
}

/** A list stays one, so that `["a,b"]` and `["a", "b"]` are two effects. */
function valueText(value: SqlValue): string | readonly string[] {
  return typeof value === 'object' ? value.map(String) : String(value);
}
