/**
 * The strict I-JSON parser (RFC 8259, RFC 7493): the one door through which bytes become values.
 * An action's life begins here, so whatever two readers could read in two ways is refused, and what
 * is accepted is frozen: nobody judges one thing and executes another.
 *
 * JSON.parse has no part in it. It keeps the last of two equal keys and rounds large integers in
 * silence, and in V8 up to at least 14.6 it can give a key with an escape the name of a key of an
 * earlier document (nodejs/node#63785), so that one sender could bend what another one asked for.
 */

import {
  type Cursor,
  JSON_DEPTH_CEILING,
  JSON_LIMITS,
  type JsonLimits,
  refuse,
  refuseToken,
} from './cursor.ts';
import { readNumber } from './read-number.ts';
import { readString } from './read-string.ts';
import { type JsonFault, JsonRefusal, type JsonSyntaxError, syntaxErrorAt } from './refusal.ts';
import { decodeUtf8 } from './utf8.ts';
import type { JsonArray, JsonObject, JsonValue } from './value.ts';

export { JSON_LIMITS, type JsonLimits } from './cursor.ts';
export { JSON_ERROR_CODES, type JsonErrorCode, type JsonSyntaxError } from './refusal.ts';

/** A deeply frozen value, or why and where the document was refused. */
export type JsonParsed =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly error: JsonSyntaxError };

/**
 * Parses one JSON document strictly; `limits` replaces single limits of `JSON_LIMITS`. The codes of
 * a refusal are `JSON_ERROR_CODES`. Strings of the value may keep the document's text in memory.
 */
export function parseJson(bytes: Uint8Array, limits?: Partial<JsonLimits>): JsonParsed {
  // mutant: spreading nothing gives the same limits.
  const inForce = limits === undefined ? JSON_LIMITS : { ...JSON_LIMITS, ...limits };
  if (inForce.depthMax > JSON_DEPTH_CEILING) {
    throw new RangeError(`depthMax \`${inForce.depthMax}\` is beyond ${JSON_DEPTH_CEILING}`);
  }
  // UNTRUSTED: until the end of this function nothing about the bytes is known.
  if (bytes.length > inForce.bytesMax) return refused(bytes, { code: 'json_too_large', offset: 0 });
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return refused(bytes, { code: 'json_byte_order_mark', offset: 0 });
  }
  const decoded = decodeUtf8(bytes);
  if (!decoded.ok) return refused(bytes, { code: 'json_invalid_utf8', offset: decoded.offset });
  const cursor: Cursor = { text: decoded.text, limits: inForce, at: 0, keyCount: 0, itemCount: 0 };
  try {
    return { ok: true, value: readDocument(cursor) };
  } catch (error) {
    // mutant: nothing else is thrown, but for a defect of ours.
    if (!(error instanceof JsonRefusal)) throw error;
    const offset = utf8Length(decoded.text.slice(0, error.index));
    return refused(bytes, { code: error.code, offset });
  }
}

function refused(bytes: Uint8Array, fault: JsonFault): JsonParsed {
  return { ok: false, error: syntaxErrorAt(bytes, fault) };
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

function readDocument(cursor: Cursor): JsonValue {
  const value = readValue(cursor, skipBlank(cursor), 0);
  skipBlank(cursor);
  if (cursor.at < cursor.text.length) refuse('json_trailing_content', cursor.at);
  return value;
}

/** Reads the value that starts with `first`; `depth` counts the containers around it. */
function readValue(cursor: Cursor, first: number, depth: number): JsonValue {
  if (first === QUOTE) return readStringValue(cursor);
  if ((first >= ZERO && first <= NINE) || first === MINUS) return readNumber(cursor);
  switch (first) {
    case OPEN_BRACE:
      return readObject(cursor, depth + 1);
    case OPEN_BRACKET:
      return readArray(cursor, depth + 1);
    case 0x74:
      return readLiteral(cursor, 'true', true);
    case 0x66:
      return readLiteral(cursor, 'false', false);
    case 0x6e:
      return readLiteral(cursor, 'null', null);
    default:
      return refuseToken(cursor, cursor.at);
  }
}

function readStringValue(cursor: Cursor): string {
  const start = cursor.at;
  const value = readString(cursor);
  if (value.length > cursor.limits.stringLengthMax) refuse('json_string_too_long', start);
  return value;
}

function readLiteral<Value extends boolean | null>(
  cursor: Cursor,
  word: string,
  value: Value,
): Value {
  if (!cursor.text.startsWith(word, cursor.at)) {
    let same = 1;
    while (cursor.text.charCodeAt(cursor.at + same) === word.charCodeAt(same)) same += 1;
    refuseToken(cursor, cursor.at + same);
  }
  cursor.at += word.length;
  return value;
}

function readArray(cursor: Cursor, depth: number): JsonArray {
  if (depth > cursor.limits.depthMax) refuse('json_too_deep', cursor.at);
  const items: JsonValue[] = [];
  cursor.at += 1;
  let next = skipBlank(cursor);
  if (next === CLOSE_BRACKET) {
    cursor.at += 1;
    return Object.freeze(items);
  }
  for (;;) {
    cursor.itemCount += 1;
    if (cursor.itemCount > cursor.limits.itemsMax) refuse('json_too_many_items', cursor.at);
    items.push(readValue(cursor, next, depth));
    next = skipBlank(cursor);
    if (next !== COMMA) break;
    cursor.at += 1;
    next = skipBlank(cursor);
  }
  if (next !== CLOSE_BRACKET) refuseToken(cursor, cursor.at);
  cursor.at += 1;
  return Object.freeze(items);
}

function readObject(cursor: Cursor, depth: number): JsonObject {
  if (depth > cursor.limits.depthMax) refuse('json_too_deep', cursor.at);
  // `Object.create(null)` would make a hash table, several times slower to freeze, list and read.
  const members: Record<string, JsonValue> = Object.setPrototypeOf({}, null);
  cursor.at += 1;
  let next = skipBlank(cursor);
  if (next === CLOSE_BRACE) {
    cursor.at += 1;
    return Object.freeze(members);
  }
  for (;;) {
    const key = readKey(cursor, next, members);
    if (skipBlank(cursor) !== COLON) refuseToken(cursor, cursor.at);
    cursor.at += 1;
    members[key] = readValue(cursor, skipBlank(cursor), depth);
    next = skipBlank(cursor);
    if (next !== COMMA) break;
    cursor.at += 1;
    next = skipBlank(cursor);
  }
  if (next !== CLOSE_BRACE) refuseToken(cursor, cursor.at);
  cursor.at += 1;
  return Object.freeze(members);
}

function readKey(cursor: Cursor, first: number, members: JsonObject): string {
  const start = cursor.at;
  cursor.keyCount += 1;
  if (cursor.keyCount > cursor.limits.keysMax) refuse('json_too_many_keys', start);
  if (first !== QUOTE) refuseToken(cursor, start);
  const key = readString(cursor);
  if (key.length > cursor.limits.keyLengthMax) refuse('json_key_too_long', start);
  // `__proto__` would become a prototype as soon as anyone spreads or assigns the object into a
  // plain one. `constructor` and `prototype` are ordinary members there, and our objects inherit
  // nothing that they could shadow, so they stay allowed: targets have fields of these names.
  if (key === '__proto__') refuse('json_forbidden_key', start);
  if (key in members) refuse('json_duplicate_key', start);
  return key;
}

/** Skips blanks and gives the code unit that is next, NaN at the end. */
function skipBlank(cursor: Cursor): number {
  for (;;) {
    const unit = cursor.text.charCodeAt(cursor.at);
    // mutant: what is past the space is none of the four either; this only saves time.
    if (unit > 0x20 || !(unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09)) {
      return unit;
    }
    cursor.at += 1;
  }
}
