/** Stored bytes read back as the layer itself reads them, for those who check what it stored. */
import { parseJson } from '../../src/kernel/json/parse.ts';
import type { JsonObject, JsonValue } from '../../src/kernel/json/value.ts';

/** Bytes of the layer as an object. Throws where they are none. */
export function objectFrom(bytes: Uint8Array): JsonObject {
  const parsed = parseJson(bytes);
  if (!parsed.ok) throw new Error(`stored bytes are no JSON: ${parsed.error.code}`);
  return objectOf(parsed.value);
}

/** A value that must be an object. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  if (isObject(value)) return value;
  throw new Error('a stored value is no object');
}

/** A value as text; what is none is empty. */
export function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** A list; what is none is empty. */
export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** Whom an action pays, and how much. */
export function argumentsOf(bytes: Uint8Array): { readonly to: string; readonly amount: string } {
  const args = objectOf(objectFrom(bytes)['args']);
  return { to: textOf(args['to']), amount: textOf(args['amount']) };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
