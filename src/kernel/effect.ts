/** What makes two actions the same effect, and whether an operation can say so. */
import { digestOf, DIGEST_TAGS, type Digest } from './digest.ts';
import { jsonOfValue } from './expression/value.ts';
import type { Operation } from './inventory.ts';
import type { JsonObject } from './json/value.ts';
import { isRead } from './kind.ts';
import { compiledOperation, type OperationProblem } from './operation-expressions.ts';
import { scopeOfArguments } from './scope.ts';

/**
 * The effect key: target and operation with what `once` names, else with the arguments; `undefined`
 * for reads. Where `once` gives no value the arguments name the effect: equal ones are surely the same.
 */
export function effectKeyOf(operation: Operation, args: JsonObject): Digest | undefined {
  if (isRead(operation.kind)) return undefined;
  const base = { operation: operation.name, target: operation.target };
  const named = compiledOperation(operation).once?.evaluate(scopeOfArguments(operation, args));
  if (named?.kind !== 'value') return digestOf(DIGEST_TAGS.effectKey, { ...base, args });
  return digestOf(DIGEST_TAGS.effectKey, { ...base, once: jsonOfValue(named.value) });
}

/** Every problem of the operation's measures and `once`. */
export function checkOperation(operation: Operation): readonly OperationProblem[] {
  return compiledOperation(operation).problems;
}
