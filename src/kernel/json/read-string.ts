/** Strings and keys of the strict parser: every code point a character, every escape known. */

import { type Cursor, refuse } from './cursor.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;

/** Reads the string whose opening quote is next. */
export function readString(cursor: Cursor): string {
  const { text } = cursor;
  const start = cursor.at + 1;
  for (let at = start; ; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      cursor.at = at + 1;
      // Most strings end here, with nothing to unescape: one slice and no copy.
      return text.slice(start, at);
    }
    if (unit === BACKSLASH) return readEscaped(cursor, start, at);
    // mutant: an ordinary unit passes as a rare one too; this only saves time.
    if (!(unit >= 0x20 && unit < 0xd800)) at = skipRareUnit(cursor, at);
  }
}

/** Goes on from the first backslash, joining the runs between the escapes. */
function readEscaped(cursor: Cursor, start: number, firstEscape: number): string {
  const { text } = cursor;
  cursor.at = firstEscape;
  let value = text.slice(start, firstEscape) + readEscape(cursor);
  let runStart = cursor.at;
  for (let at = runStart; ; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      cursor.at = at + 1;
      return value + text.slice(runStart, at);
    }
    if (unit === BACKSLASH) {
      cursor.at = at;
      value += text.slice(runStart, at) + readEscape(cursor);
      runStart = cursor.at;
      at = runStart - 1;
      // mutant: an ordinary unit passes as a rare one too; this only saves time.
    } else if (!(unit >= 0x20 && unit < 0xd800)) {
      at = skipRareUnit(cursor, at);
    }
  }
}

/** Judges a unit that is a control, past the end, or at or past the surrogates; gives its last index. */
function skipRareUnit(cursor: Cursor, at: number): number {
  const point = cursor.text.codePointAt(at);
  if (point === undefined) refuse('json_unexpected_end', at);
  // mutant: a space is no rare unit.
  if (point < 0x20) refuse('json_control_character', at);
  if (isNoncharacter(point)) refuse('json_noncharacter', at);
  // mutant: the second half of a pair passes by itself as well.
  return point > 0xffff ? at + 1 : at;
}

/** Reads the escape whose backslash is next; a surrogate pair is one escape. */
function readEscape(cursor: Cursor): string {
  const start = cursor.at;
  const unit = cursor.text.charCodeAt(start + 1);
  if (unit === LOWER_U) return readUnicodeEscape(cursor);
  const character = SHORT_ESCAPES.get(unit);
  if (character === undefined) refuseEscape(cursor, start + 1);
  cursor.at = start + 2;
  return character;
}

const SHORT_ESCAPES: ReadonlyMap<number, string> = new Map(
  Object.entries({
    '"': '"',
    '\\': '\\',
    '/': '/',
    b: '\b',
    f: '\f',
    n: '\n',
    r: '\r',
    t: '\t',
  }).map(([letter, character]) => [letter.charCodeAt(0), character]),
);

function readUnicodeEscape(cursor: Cursor): string {
  const start = cursor.at;
  const first = readHexUnit(cursor, start);
  let point = first;
  let end = start + 6;
  if (first >= 0xd800 && first <= 0xdfff) {
    // The text itself has no lone surrogates, so only an escape can complete an escaped half.
    if (first >= 0xdc00 || !cursor.text.startsWith('\\u', end)) {
      refuse('json_lone_surrogate', start);
    }
    const second = readHexUnit(cursor, end);
    if (second < 0xdc00 || second > 0xdfff) refuse('json_lone_surrogate', start);
    point = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    end += 6;
  }
  if (isNoncharacter(point)) refuse('json_noncharacter', start);
  cursor.at = end;
  return String.fromCodePoint(point);
}

/** The value of the four hex digits of the `\u` escape at an index. */
function readHexUnit(cursor: Cursor, start: number): number {
  let value = 0;
  for (let at = start + 2; at < start + 6; at += 1) {
    const digit = hexDigit(cursor.text.charCodeAt(at));
    if (digit < 0) refuseEscape(cursor, at);
    value = value * 16 + digit;
  }
  return value;
}

function hexDigit(unit: number): number {
  // mutant: what is below the digits becomes negative, which is no digit.
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const lower = unit | 0x20;
  // mutant (constant): every negative number is no digit.
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function refuseEscape(cursor: Cursor, at: number): never {
  refuse(at >= cursor.text.length ? 'json_unexpected_end' : 'json_bad_escape', at);
}

/** Whether Unicode reserves a code point for no character at all (Unicode 23.7, RFC 7493 section 2.1). */
export function isNoncharacter(point: number): boolean {
  return (point & 0xfffe) === 0xfffe || (point >= 0xfdd0 && point <= 0xfdef);
}
