/** Holds a fact's value against its declared type, and keeps of it only what is declared. */
import { parseDecimal } from '../../kernel/decimal.ts';
import { parseInstant } from '../../kernel/instant.ts';
import type { JsonObject, JsonValue } from '../../kernel/json/value.ts';
import type { FactType } from '../../kernel/policy.ts';

/** The value at a JSON pointer (RFC 6901), or `undefined` where there is none. */
export function valueAt(document: JsonValue, pointer: string): JsonValue | undefined {
  if (pointer === '') return document;
  let value: JsonValue | undefined = document;
  for (const token of pointer.slice(1).split('/')) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (isObject(value)) value = Object.hasOwn(value, name) ? value[name] : undefined;
    else if (isArray(value) && /^(?:0|[1-9]\d*)$/u.test(name)) value = value[Number(name)];
    else return undefined;
  }
  return value;
}

/** A value with exactly the declared shape, or where it has another one, as a JSON pointer. */
export type Shaped =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly pointer: string; readonly wanted: string };

/** The value as declared: what an object has beside its declared members is left out, and so unrecorded. */
export function shape(value: JsonValue, type: FactType, pointer = ''): Shaped {
  const wrong: Shaped = { ok: false, pointer, wanted: type.kind };
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? { ok: true, value } : wrong;
    case 'string':
      return typeof value === 'string' ? { ok: true, value } : wrong;
    case 'integer':
      return Number.isSafeInteger(value) ? { ok: true, value } : wrong;
    case 'decimal':
      return isDecimalText(value) ? { ok: true, value } : wrong;
    case 'instant':
      return typeof value === 'string' && parseInstant(value) !== undefined
        ? { ok: true, value }
        : wrong;
    case 'list':
      return isArray(value) ? shapeItems(value, type.items, pointer) : wrong;
    case 'object':
      return isObject(value) ? shapeMembers(value, type.fields, pointer) : wrong;
    default:
      return type satisfies never;
  }
}

/** A number or a decimal text. What a number's spelling lost before it came here is lost. */
function isDecimalText(value: JsonValue): boolean {
  if (typeof value === 'number') return true;
  return typeof value === 'string' && parseDecimal(value) !== undefined;
}

function shapeItems(items: readonly JsonValue[], type: FactType, pointer: string): Shaped {
  const values: JsonValue[] = [];
  for (const [index, item] of items.entries()) {
    const shaped = shape(item, type, `${pointer}/${index}`);
    if (!shaped.ok) return shaped;
    values.push(shaped.value);
  }
  return { ok: true, value: Object.freeze(values) };
}

function shapeMembers(
  members: JsonObject,
  fields: Readonly<Record<string, FactType>>,
  pointer: string,
): Shaped {
  const values: Record<string, JsonValue> = Object.create(null);
  for (const [name, type] of Object.entries(fields)) {
    const member = Object.hasOwn(members, name) ? members[name] : undefined;
    if (member === undefined)
      return { ok: false, pointer: `${pointer}/${name}`, wanted: type.kind };
    const shaped = shape(member, type, `${pointer}/${name}`);
    if (!shaped.ok) return shaped;
    values[name] = shaped.value;
  }
  return { ok: true, value: Object.freeze(values) };
}

function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isArray(value);
}
