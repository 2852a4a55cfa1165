/**
 * The values an expression computes with: bigint, {@link Decimal}, text, boolean, null, instants and
 * durations, lists, and JSON objects whose members are converted when they are read. A failure is a
 * value too, so that evaluation never throws.
 */
import {
  compare,
  decimalOf,
  decimalOfNumber,
  formatDecimal,
  isDecimal,
  type Decimal,
} from '../decimal.ts';
import { formatDurationMs, formatInstant, instantOf } from '../instant.ts';
import type { JsonValue } from '../json/value.ts';

/** A moment; a class, so that no JSON object passes for one. */
export class Timestamp {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
}

/** A length of time; a class, so that no JSON object passes for one. */
export class Duration {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
}

/** Why an expression has no value. */
export class Failure {
  readonly kind: 'missing' | 'error';
  readonly message: string;
  /** What was read, for `missing`. */
  readonly reference: string;
  /** Known not to be there, rather than not known yet. */
  readonly absent: boolean;

  constructor(failure: {
    readonly kind: 'missing' | 'error';
    readonly message: string;
    readonly reference?: string;
    readonly absent?: boolean;
  }) {
    this.kind = failure.kind;
    this.message = failure.message;
    this.reference = failure.reference ?? '';
    this.absent = failure.absent ?? false;
  }
}

/** An evaluation error. */
export function failed(message: string): Failure {
  return new Failure({ kind: 'error', message });
}

/** A value of JSON as an expression sees it: numbers become integers or exact decimals, all others stay as they are. */
export function valueOfJson(value: unknown): unknown {
  if (typeof value !== 'number') return value;
  return Number.isSafeInteger(value) ? BigInt(value) : decimalOfNumber(value);
}

/** Whether two values are equal; integers and decimals by value, lists and objects member by member. */
export function equal(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right) === 0;
  if (typeof left === 'number' || typeof right === 'number') {
    return equal(valueOfJson(left), valueOfJson(right));
  }
  if (left instanceof Timestamp) return right instanceof Timestamp && left.ms === right.ms;
  if (left instanceof Duration) return right instanceof Duration && left.ms === right.ms;
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => equal(item, right[index]))
    );
  }
  return isObject(left) && isObject(right) && objectsEqual(left, right);
}

function objectsEqual(left: ObjectValue, right: ObjectValue): boolean {
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && equal(left[name], right[name]))
  );
}

/** The members of an object value. */
export type ObjectValue = Readonly<Record<string, unknown>>;

/** Whether the value has members: no list, no number, no moment. */
export function isObject(value: unknown): value is ObjectValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !(
    isDecimal(value) ||
    value instanceof Timestamp ||
    value instanceof Duration ||
    value instanceof Failure
  );
}

/** Whether the value is an integer or a decimal. */
export function isNumber(value: unknown): value is bigint | Decimal {
  return typeof value === 'bigint' || isDecimal(value);
}

/** Less than 0, 0 or more than 0, exactly. */
export function compareNumbers(left: bigint | Decimal, right: bigint | Decimal): number {
  // mutant: as decimals they compare the same; this only saves time.
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    if (left === right) return 0;
    // mutant: equal ones are out already, and as decimals they compare the same.
    return left < right ? -1 : 1;
  }
  return compare(asDecimal(left), asDecimal(right));
}

/** The characters of a text: code points, as CEL and argument schemas count them. */
export function codePointCount(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; count += 1) {
    // mutant (default): there is one at every index before the end.
    // mutant (constant): as above.
    index += (text.codePointAt(index) ?? 0) > 0xff_ff ? 2 : 1;
  }
  return count;
}

/** An integer or a decimal as a decimal. */
export function asDecimal(value: bigint | Decimal): Decimal {
  return typeof value === 'bigint' ? decimalOf(value) : value;
}

/** A value as JSON, for findings and digests: decimals and large integers as text, moments in RFC 3339. */
export function jsonOfValue(value: unknown): JsonValue {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value;
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  }
  if (isDecimal(value)) return formatDecimal(value);
  if (value instanceof Timestamp) return formatInstant(instantOf(Math.max(0, value.ms)));
  if (value instanceof Duration) return formatDurationMs(value.ms);
  if (Array.isArray(value)) return value.map((item: unknown) => jsonOfValue(item));
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, jsonOfValue(item)]),
    );
  }
  return null;
}
