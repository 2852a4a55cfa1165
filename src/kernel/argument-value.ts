/** Turns an action's arguments into the values that expressions see. */
import { parseDecimal } from './decimal.ts';
import { Duration, Timestamp } from './expression/value.ts';
import { parseDurationMs, parseInstant } from './instant.ts';
import type { ArgumentFields, ArgumentType } from './inventory.ts';
import type { JsonObject, JsonValue } from './json/value.ts';

/** Digits of an integer; all of them fit into 64 bits. */
export const INTEGER_DIGITS_MAX = 18;

/** The types whose values travel as texts. */
export type TextType = Exclude<
  ArgumentType,
  { readonly kind: 'boolean' | 'integer' | 'array' | 'object' }
>;

/** The values that expressions see, by name; without those that are not what their type says. */
export function argumentValues(
  fields: ArgumentFields,
  args: JsonObject,
): Readonly<Record<string, unknown>> {
  // `Object.create(null)` would make a hash table, which is several times slower to fill.
  const values: Record<string, unknown> = Object.setPrototypeOf({}, null);
  for (const name of Object.keys(fields)) {
    const field = fields[name];
    const value = Object.hasOwn(args, name) ? args[name] : undefined;
    // mutant: every name has a field, and no type makes anything of what is not given.
    if (field === undefined || value === undefined) continue;
    const seen = argumentValue(field.type, value);
    if (seen !== undefined) values[name] = seen;
  }
  return values;
}

/**
 * The value that expressions see of one argument: bigint, decimal, instant, duration, text, list.
 * `undefined` where the argument is not what its type says; `checkArguments` says why.
 */
export function argumentValue(type: ArgumentType, value: JsonValue): unknown {
  switch (type.kind) {
    case 'integer':
      return integerValue(value);
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'array':
      return isList(value) ? value.map((item) => argumentValue(type.items, item)) : undefined;
    case 'object':
      return isMembers(value) ? argumentValues(type.fields, value) : undefined;
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
    case 'blob':
    case 'secret':
      return typeof value === 'string' ? textValue(type, value) : undefined;
    default:
      return type satisfies never;
  }
}

function integerValue(value: JsonValue): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'string' || value.length > INTEGER_DIGITS_MAX + 1) return undefined;
  return /^-?\d+$/u.test(value) ? BigInt(value) : undefined;
}

function textValue(type: TextType, text: string): unknown {
  switch (type.kind) {
    case 'decimal':
    case 'money':
      return parseDecimal(text);
    case 'date':
      return isDate(text) ? new Timestamp(Date.parse(`${text}T00:00:00Z`)) : undefined;
    case 'instant': {
      const instant = parseInstant(text);
      return instant === undefined ? undefined : new Timestamp(instant);
    }
    case 'duration': {
      const ms = parseDurationMs(text);
      return ms === undefined ? undefined : new Duration(ms);
    }
    case 'string':
    case 'enum':
    case 'path':
    case 'url':
    case 'oci-digest':
    case 'blob':
    case 'secret':
      return text;
    default:
      return type satisfies never;
  }
}

/** Whether the text is a day that exists, as `2026-11-22`. */
export function isDate(text: string): boolean {
  // mutant (pattern): with more behind it, no time can be added to it, so that it is no date below.
  if (!/^\d{4}-\d{2}-\d{2}$/u.test(text) || text.startsWith('0000')) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** Whether the value is a list. */
export function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Whether the value is an object. */
export function isMembers(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}
