/** The types that expressions are checked with when they are loaded. */
import type { ArgumentFields, ArgumentType } from '../inventory.ts';
import type { MeasureType } from '../kind.ts';
import type { FactType } from '../policy.ts';
import { UNDECLARED_LIST_ITEMS_MAX } from './limits.ts';

/** The type of a value. `dyn` is known only when it is evaluated; `invalid` was reported already. */
export type ValueType =
  | {
      readonly kind:
        'bool' | 'int' | 'decimal' | 'timestamp' | 'duration' | 'null' | 'dyn' | 'invalid';
    }
  /** `values`: the only texts it can be. */
  | { readonly kind: 'string'; readonly values?: readonly string[] }
  | { readonly kind: 'list'; readonly items: ValueType; readonly itemsMax: number }
  | ObjectType;

/** Members by known names. */
export interface ObjectType {
  readonly kind: 'object';
  /** How the user calls it, such as `args`. */
  readonly what: string;
  readonly fields: ReadonlyMap<string, ObjectField>;
  /** Why a name that is not a field is none, where that is more than a slip of the pen. */
  readonly explain?: (
    name: string,
  ) => { readonly message: string; readonly hint?: string } | undefined;
}

/** One member. */
export interface ObjectField {
  readonly type: ValueType;
  readonly optional: boolean;
}

/** Types without parts. */
export const BOOL: ValueType = { kind: 'bool' };
export const INT: ValueType = { kind: 'int' };
export const DECIMAL: ValueType = { kind: 'decimal' };
export const STRING: ValueType = { kind: 'string' };
export const TIMESTAMP: ValueType = { kind: 'timestamp' };
export const DURATION: ValueType = { kind: 'duration' };
export const NULL: ValueType = { kind: 'null' };
export const DYN: ValueType = { kind: 'dyn' };
export const INVALID: ValueType = { kind: 'invalid' };

/** An object type from its fields, none optional. */
export function objectOf(what: string, fields: Readonly<Record<string, ValueType>>): ObjectType {
  return {
    kind: 'object',
    what,
    fields: new Map(
      Object.entries(fields).map(([name, type]) => [name, { type, optional: false }]),
    ),
  };
}

/** The object type of an operation's arguments. */
export function typeOfArguments(what: string, fields: ArgumentFields): ObjectType {
  const entries = Object.entries(fields).map(
    ([name, { type, optional }]): [string, ObjectField] => [
      name,
      { type: typeOfArgument(`${what}.${name}`, type), optional },
    ],
  );
  return { kind: 'object', what, fields: new Map(entries) };
}

/** The type of one argument. Dates are the first moment of their day in UTC; money is a decimal. */
export function typeOfArgument(what: string, type: ArgumentType): ValueType {
  switch (type.kind) {
    case 'string':
    case 'path':
    case 'url':
    case 'oci-digest':
    case 'blob':
      return STRING;
    case 'enum':
      return { kind: 'string', values: type.values };
    case 'secret':
      return { kind: 'string', values: type.names };
    case 'boolean':
      return BOOL;
    case 'integer':
      return INT;
    case 'decimal':
    case 'money':
      return DECIMAL;
    case 'date':
    case 'instant':
      return TIMESTAMP;
    case 'duration':
      return DURATION;
    case 'array':
      return {
        kind: 'list',
        items: typeOfArgument(`${what}[]`, type.items),
        itemsMax: type.itemsMax,
      };
    case 'object':
      return typeOfArguments(what, type.fields);
    default:
      return type satisfies never;
  }
}

/** The type of a measure. */
export function typeOfMeasure(type: MeasureType): ValueType {
  switch (type) {
    case 'string':
      return STRING;
    case 'integer':
      return INT;
    case 'decimal':
      return DECIMAL;
    default:
      return type satisfies never;
  }
}

/** The type of a fact. Facts declare no lengths: lists have the bound of undeclared ones. */
export function typeOfFact(what: string, type: FactType): ValueType {
  switch (type.kind) {
    case 'string':
      return STRING;
    case 'boolean':
      return BOOL;
    case 'integer':
      return INT;
    case 'decimal':
      return DECIMAL;
    case 'instant':
      return TIMESTAMP;
    case 'list':
      return {
        kind: 'list',
        items: typeOfFact(`${what}[]`, type.items),
        itemsMax: UNDECLARED_LIST_ITEMS_MAX,
      };
    case 'object':
      return objectOf(
        what,
        Object.fromEntries(
          Object.entries(type.fields).map(([name, field]) => [
            name,
            typeOfFact(`${what}.${name}`, field),
          ]),
        ),
      );
    default:
      return type satisfies never;
  }
}

/** A type in the user's words. */
export function typeName(type: ValueType): string {
  switch (type.kind) {
    case 'bool':
      return 'a boolean';
    case 'int':
      return 'an integer';
    case 'decimal':
      return 'a decimal';
    case 'string':
      return 'a text';
    case 'timestamp':
      return 'an instant';
    case 'duration':
      return 'a duration';
    case 'null':
      return 'null';
    case 'list':
      return 'a list';
    case 'object':
      return 'an object';
    case 'dyn':
    case 'invalid':
      return 'a value';
    default:
      return type satisfies never;
  }
}

/** Whether nothing is known of the type, so that only evaluation can tell. */
export function isOpen(type: ValueType): boolean {
  return type.kind === 'dyn' || type.kind === 'invalid';
}

/** Whether the type is an integer or a decimal. */
export function isNumeric(type: ValueType): boolean {
  return type.kind === 'int' || type.kind === 'decimal';
}

/** The one type that holds the values of both, or `undefined` where there is none. */
export function unify(left: ValueType, right: ValueType): ValueType | undefined {
  if (left === right || left.kind === 'invalid') return right;
  if (right.kind === 'invalid') return left;
  if (left.kind === 'dyn' || right.kind === 'dyn') return DYN;
  if (isNumeric(left) && isNumeric(right)) return left.kind === right.kind ? left : DECIMAL;
  if (left.kind === 'list' && right.kind === 'list') {
    const items = unify(left.items, right.items);
    if (items === undefined) return undefined;
    return { kind: 'list', items, itemsMax: Math.max(left.itemsMax, right.itemsMax) };
  }
  if (left.kind === 'object' && right.kind === 'object') return unifyObjects(left, right);
  if (left.kind !== right.kind) return undefined;
  return left.kind === 'string' ? STRING : left;
}

/** Objects unify to the members both have, optional where one may lack it. */
function unifyObjects(left: ObjectType, right: ObjectType): ObjectType | undefined {
  const fields = new Map<string, ObjectField>();
  for (const [name, field] of left.fields) {
    const other = right.fields.get(name);
    if (other === undefined) continue;
    const type = unify(field.type, other.type);
    if (type === undefined) return undefined;
    fields.set(name, { type, optional: field.optional || other.optional });
  }
  return { kind: 'object', what: left.what, fields };
}
