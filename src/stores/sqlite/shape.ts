/**
 * Shapes: small readers that turn a parsed JSON value into a domain type, or refuse it. Rows are read
 * back with them, because what lies on a disk may have been changed behind the layer's back.
 */
import type { JsonObject, JsonValue } from '../../kernel/json/value.ts';

/** Reads a value as `Type`; throws {@link Misshapen}. */
export type Shape<Type> = (value: JsonValue) => Type;

/** A value is not of the shape that was written. */
export class Misshapen extends Error {
  override readonly name = 'Misshapen';
}

/** Refuses a value. */
export function misshapen(): never {
  throw new Misshapen('a stored value is not of the shape that was written');
}

export const anyJson: Shape<JsonValue> = (value) => value;

export const string: Shape<string> = (value) => (typeof value === 'string' ? value : misshapen());

export const number: Shape<number> = (value) => (typeof value === 'number' ? value : misshapen());

export const boolean: Shape<boolean> = (value) =>
  typeof value === 'boolean' ? value : misshapen();

export const object: Shape<JsonObject> = (value) => (isObject(value) ? value : misshapen());

/** A string that a parser accepts. */
export function parsed<Type>(parse: (text: string) => Type | undefined): Shape<Type> {
  return (value) => parse(string(value)) ?? misshapen();
}

/** One of these strings. */
export function oneOf<Text extends string>(...texts: readonly Text[]): Shape<Text> {
  return (value) => texts.find((text) => text === value) ?? misshapen();
}

/** A list of one shape. */
export function listOf<Type>(item: Shape<Type>): Shape<readonly Type[]> {
  return (value) => (isArray(value) ? value.map(item) : misshapen());
}

/** An object whose members all have one shape. */
export function recordOf<Type>(shape: Shape<Type>): Shape<Readonly<Record<string, Type>>> {
  return (value) => {
    const record: Record<string, Type> = Object.setPrototypeOf({}, null);
    for (const [name, each] of Object.entries(object(value))) record[name] = shape(each);
    return record;
  };
}

/** A shape, or `null`. */
export function nullable<Type>(shape: Shape<Type>): Shape<Type | null> {
  return (value) => (value === null ? null : shape(value));
}

/** A member that has to be there. */
export function member<Type>(from: JsonObject, name: string, shape: Shape<Type>): Type {
  const value = Object.hasOwn(from, name) ? from[name] : undefined;
  return value === undefined ? misshapen() : shape(value);
}

/** A member that may be absent, as an object to spread: absent stays absent. */
export function optional<Name extends string, Type>(
  from: JsonObject,
  name: Name,
  shape: Shape<Type>,
): { readonly [Key in Name]?: Type } {
  const value = Object.hasOwn(from, name) ? from[name] : undefined;
  if (value === undefined) return {};
  const present: { [Key in Name]?: Type } = {};
  present[name] = shape(value);
  return present;
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
