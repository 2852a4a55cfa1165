/**
 * Numbers of the strict parser. A number is accepted only if its double stands for it without a
 * surprise: money and large integers travel as strings.
 */

import { type Cursor, refuse } from './cursor.ts';

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** From here on the canonical form of a number has an exponent (ECMAScript Number::toString). */
// mutant: the double after 1e21 is further away than 1.
const EXPONENT_FORM_FROM = 1e21;

/** Digits that always tell one double from every other. */
const SIGNIFICANT_DIGITS_MAX = 17;

/** Digits of which every integer is safe, so that nothing else needs a check. */
const SAFE_DIGITS = 15;

/** Reads the number whose sign or first digit is next. */
export function readNumber(cursor: Cursor): number {
  const { text } = cursor;
  const start = cursor.at;
  const negative = text.charCodeAt(start) === MINUS;
  const integerStart = negative ? start + 1 : start;
  const integerEnd = digitsEnd(cursor, start, integerStart);
  if (text.charCodeAt(integerStart) === ZERO && integerEnd > integerStart + 1) {
    refuse('json_bad_number', start);
  }
  const next = text.charCodeAt(integerEnd);
  const plain = next !== POINT && !isExponentMark(next);
  // mutant: the long way gives the same; this only saves time.
  if (plain && integerEnd - integerStart <= SAFE_DIGITS) {
    cursor.at = integerEnd;
    const value = Number(text.slice(start, integerEnd));
    if (negative && value === 0) refuse('json_negative_zero', start);
    // mutant: the long way gives the same.
    return value;
  }
  let end = integerEnd;
  if (next === POINT) end = digitsEnd(cursor, start, integerEnd + 1);
  const mantissaEnd = end;
  if (isExponentMark(text.charCodeAt(end))) end = exponentEnd(cursor, start, end);
  cursor.at = end;
  return judged({
    start,
    plain,
    source: text.slice(start, end),
    mantissaLength: mantissaEnd - start,
  });
}

type NumberSource = {
  readonly start: number;
  /** Without fraction and exponent. */
  readonly plain: boolean;
  readonly source: string;
  readonly mantissaLength: number;
};

/** The double of a number, unless the double would say something else than the digits do. */
function judged({ start, plain, source, mantissaLength }: NumberSource): number {
  const value = Number(source);
  const size = Math.abs(value);
  if (isUnsafeInteger(value) || (plain && size > Number.MAX_SAFE_INTEGER)) {
    refuse('json_integer_too_large', start);
  }
  const digits = significantDigits(source, mantissaLength);
  if (digits > SIGNIFICANT_DIGITS_MAX) refuse('json_too_many_digits', start);
  if (size === Infinity) refuse('json_number_overflow', start);
  if (size === 0 && digits > 0) refuse('json_number_underflow', start);
  if (size === 0 && source.charCodeAt(0) === MINUS) refuse('json_negative_zero', start);
  return value;
}

/** How many digits stand from the first that is not zero to the last; 0 for any spelling of zero. */
function significantDigits(source: string, mantissaLength: number): number {
  let count = 0;
  // mutant: what follows the mantissa is no digit.
  for (let at = 0; at < mantissaLength; at += 1) {
    const unit = source.charCodeAt(at);
    if (isDigit(unit) && (count > 0 || unit !== ZERO)) count += 1;
  }
  return count;
}

/** Where the digits from an index end; there must be one. */
function digitsEnd(cursor: Cursor, numberStart: number, from: number): number {
  let at = from;
  while (isDigit(cursor.text.charCodeAt(at))) at += 1;
  if (at === from) refuse('json_bad_number', numberStart);
  return at;
}

function exponentEnd(cursor: Cursor, numberStart: number, mark: number): number {
  const sign = cursor.text.charCodeAt(mark + 1);
  const signed = sign === MINUS || sign === 0x2b;
  return digitsEnd(cursor, numberStart, signed ? mark + 2 : mark + 1);
}

/**
 * Whether a number's canonical form is a plain integer beyond ±(2^53 − 1).
 * INVARIANT: what the writer makes of an accepted number is accepted again. Therefore `1e20` and
 * `9007199254740993.0` are refused like the integers they would be written as.
 */
export function isUnsafeInteger(value: number): boolean {
  const size = Math.abs(value);
  return size > Number.MAX_SAFE_INTEGER && size < EXPONENT_FORM_FROM;
}

function isExponentMark(unit: number): boolean {
  return (unit | 0x20) === 0x65;
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= NINE;
}
