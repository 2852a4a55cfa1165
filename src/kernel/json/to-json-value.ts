/**
 * Internal structures become JSON values: copied, judged by the parser's rules and frozen, so that
 * what the layer composes itself (a resolution, a preview, an entry) is as exact as what it is given.
 */

import { JSON_LIMITS } from './cursor.ts';
import { isUnsafeInteger } from './read-number.ts';
import { isNoncharacter } from './read-string.ts';
import type { JsonErrorCode } from './refusal.ts';
import type { JsonValue } from './value.ts';

/** A structure is no JSON value, or one that the strict parser would refuse once written. */
export class JsonCopyError extends TypeError {
  readonly code: JsonErrorCode | 'json_not_a_value';
  /** JSON pointer (RFC 6901) to the offending part. */
  readonly pointer: string;

  constructor(code: JsonErrorCode | 'json_not_a_value', pointer: string) {
    super(`\`${pointer}\` is no json value here: ${code}`);
    this.name = 'JsonCopyError';
    this.code = code;
    this.pointer = pointer;
  }
}

/**
 * A deeply frozen copy of a plain structure. Throws `JsonCopyError` for what is no JSON value
 * (undefined, functions, holes, exotic objects) and for what the parser would refuse; only the
 * limits of size are not applied. What it returns is accepted by the parser once written.
 */
export function toJsonValue(value: unknown): JsonValue {
  return copy(value, '', 0);
}

function copy(value: unknown, pointer: string, depth: number): JsonValue {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return checkText(value, pointer);
  if (typeof value === 'number') return checkNumber(value, pointer);
  if (typeof value !== 'object') throw new JsonCopyError('json_not_a_value', pointer);
  if (depth >= JSON_LIMITS.depthMax) throw new JsonCopyError('json_too_deep', pointer);
  return Array.isArray(value)
    ? copyArray(value, pointer, depth + 1)
    : copyObject(value, pointer, depth + 1);
}

function copyArray(items: readonly unknown[], pointer: string, depth: number): JsonValue {
  // An array with holes has fewer keys than its length, one with named members has more.
  const exact = Reflect.ownKeys(items).length === items.length + 1;
  if (!exact || Object.getPrototypeOf(items) !== Array.prototype) {
    throw new JsonCopyError('json_not_a_value', pointer);
  }
  return Object.freeze(items.map((item, index) => copy(item, `${pointer}/${index}`, depth)));
}

function copyObject(members: object, pointer: string, depth: number): JsonValue {
  const prototype: unknown = Object.getPrototypeOf(members);
  if (prototype !== null && prototype !== Object.prototype) {
    throw new JsonCopyError('json_not_a_value', pointer);
  }
  const entries = Object.entries(members);
  // A member that listing skips (a symbol, a hidden one) would silently be left out of the digest.
  if (Reflect.ownKeys(members).length !== entries.length) {
    throw new JsonCopyError('json_not_a_value', pointer);
  }
  const result: Record<string, JsonValue> = Object.setPrototypeOf({}, null);
  for (const [key, member] of entries) {
    const place = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (key === '__proto__') throw new JsonCopyError('json_forbidden_key', place);
    result[checkText(key, place)] = copy(member, place, depth);
  }
  return Object.freeze(result);
}

function checkText(text: string, pointer: string): string {
  if (!text.isWellFormed()) throw new JsonCopyError('json_lone_surrogate', pointer);
  for (const character of text) {
    // mutant: a character has a code point.
    if (isNoncharacter(character.codePointAt(0) ?? 0)) {
      throw new JsonCopyError('json_noncharacter', pointer);
    }
  }
  return text;
}

/** Refuses what JSON cannot say, and what the parser would refuse in its canonical form. */
function checkNumber(value: number, pointer: string): number {
  if (!Number.isFinite(value)) throw new JsonCopyError('json_not_a_value', pointer);
  if (Object.is(value, -0)) throw new JsonCopyError('json_negative_zero', pointer);
  if (isUnsafeInteger(value)) throw new JsonCopyError('json_integer_too_large', pointer);
  return value;
}
