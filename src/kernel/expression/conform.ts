/** Holds JSON from elsewhere, such as a fact, against its declared type when it is read. */
import { decimalOf, decimalOfNumber, isDecimal, parseDecimal } from '../decimal.ts';
import { parseDurationMs, parseInstant } from '../instant.ts';
import { Duration, Failure, failed, isObject, Timestamp } from './value.ts';
import { typeName, type ObjectType, type ValueType } from './value-type.ts';

/** The value as its type has it, or a failure: `integer` takes no fraction, `decimal` takes a number or a text. */
export function conform(value: unknown, type: ValueType): unknown {
  const result = conformed(value, type);
  return result === undefined ? failed(`the value is not ${typeName(type)}`) : result;
}

function conformed(value: unknown, type: ValueType): unknown {
  switch (type.kind) {
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'int':
      return integer(value);
    case 'decimal':
      return decimal(value);
    case 'timestamp':
      return typeof value === 'string' ? timestamp(value) : undefined;
    case 'duration':
      return typeof value === 'string' ? duration(value) : undefined;
    case 'list':
      return Array.isArray(value) ? conformedItems(value, type.items, type.itemsMax) : undefined;
    case 'object':
      return isObject(value) ? conformedMembers(value, type) : undefined;
    case 'null':
    case 'dyn':
    case 'invalid':
      return value;
    default:
      return type satisfies never;
  }
}

function integer(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  // mutant: nothing but a number is a safe integer.
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

function decimal(value: unknown): unknown {
  if (isDecimal(value)) return value;
  if (typeof value === 'string') return parseDecimal(value);
  if (typeof value === 'bigint') return decimalOf(value);
  return typeof value === 'number' ? decimalOfNumber(value) : undefined;
}

function timestamp(text: string): Timestamp | undefined {
  const instant = parseInstant(text);
  return instant === undefined ? undefined : new Timestamp(instant);
}

function duration(text: string): Duration | undefined {
  const ms = parseDurationMs(text);
  return ms === undefined ? undefined : new Duration(ms);
}

function conformedItems(values: readonly unknown[], type: ValueType, itemsMax: number): unknown {
  if (values.length > itemsMax) return failed(`the list has more than ${String(itemsMax)} items`);
  const items = values.map((value) => conform(value, type));
  return items.find((item) => item instanceof Failure) ?? items;
}

/** Only declared members count; one that is not there fails when it is read. */
function conformedMembers(value: Readonly<Record<string, unknown>>, type: ObjectType): unknown {
  const members: Record<string, unknown> = Object.create(null);
  for (const [name, field] of type.fields) {
    if (!Object.hasOwn(value, name)) continue;
    const member = conform(value[name], field.type);
    if (member instanceof Failure) return member;
    members[name] = member;
  }
  return members;
}
