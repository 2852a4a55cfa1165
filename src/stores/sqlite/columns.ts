/**
 * How the domain's values lie in columns: ids and digests as bytes, instants as integers, structures as
 * canonical JSON. What is read back is parsed like anything from outside.
 */
import { parseDigest, type Digest } from '../../kernel/digest.ts';
import { instantOf, type Instant } from '../../kernel/instant.ts';
import { parseJson } from '../../kernel/json/parse.ts';
import type { JsonObject } from '../../kernel/json/value.ts';
import { writeCanonical } from '../../kernel/json/write.ts';
import {
  blob,
  blobOrNone,
  integer,
  integerOrNone,
  malformed,
  text,
  textOrNone,
  type Row,
} from './connection.ts';
import { Misshapen, type Shape } from './shape.ts';

/** A column of JSON may be larger than a request: a decision quotes, and a result is bounded elsewhere. */
const JSON_COLUMN_LIMITS = {
  bytesMax: 64 * 1024 * 1024,
  keysMax: 1_000_000,
  itemsMax: 1_000_000,
  stringLengthMax: 16 * 1024 * 1024,
} as const;

/** A UUID as its sixteen bytes. */
export function uuidBytes(uuid: string): Uint8Array {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

/** A digest as its thirty-two bytes. */
export function digestBytesOf(digest: Digest): Uint8Array {
  return Buffer.from(digest, 'hex');
}

/**
 * A structure as canonical JSON. The writer itself refuses what is no JSON value, and copying first would
 * cost more than writing; only what the parser would not read back is looked for here.
 */
export function jsonText(value: object): string {
  const written = isWritable(value) ? writeCanonical(value) : '';
  if (NONCHARACTER.test(written)) throw new RangeError('a noncharacter cannot be stored');
  return written;
}

/** Whatever it is, the writer judges it member by member. */
function isWritable(value: object): value is JsonObject {
  return value instanceof Object || Object.getPrototypeOf(value) === null;
}

const NONCHARACTER = /\p{Noncharacter_Code_Point}/u;

/** Sixteen bytes as the id that they spell. */
export function readUuid<Id>(
  row: Row,
  column: string,
  parse: (text: string) => Id | undefined,
): Id {
  const bytes = blob(row, column);
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  const spelled = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return parse(spelled) ?? malformed(column);
}

/** Thirty-two bytes as a digest. */
export function readDigest(row: Row, column: string): Digest {
  const bytes = blob(row, column);
  return (
    parseDigest(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')) ??
    malformed(column)
  );
}

/** A digest, or nothing. */
export function readDigestOrNone(row: Row, column: string): Digest | undefined {
  return blobOrNone(row, column) === undefined ? undefined : readDigest(row, column);
}

/** An instant. */
export function readInstant(row: Row, column: string): Instant {
  try {
    return instantOf(integer(row, column));
  } catch {
    return malformed(column);
  }
}

/** An instant, or nothing. */
export function readInstantOrNone(row: Row, column: string): Instant | undefined {
  return integerOrNone(row, column) === undefined ? undefined : readInstant(row, column);
}

/** A name, by its parser. */
export function readName<Name>(
  row: Row,
  column: string,
  parse: (text: string) => Name | undefined,
): Name {
  return parse(text(row, column)) ?? malformed(column);
}

/** A structure of this shape. */
export function readJson<Type>(row: Row, column: string, shape: Shape<Type>): Type {
  const parsed = parseJson(encoder.encode(text(row, column)), JSON_COLUMN_LIMITS);
  if (!parsed.ok) return malformed(column);
  try {
    return shape(parsed.value);
  } catch (error) {
    if (error instanceof Misshapen) return malformed(column);
    throw error;
  }
}

/** A structure of this shape, or nothing. */
export function readJsonOrNone<Type>(
  row: Row,
  column: string,
  shape: Shape<Type>,
): Type | undefined {
  return textOrNone(row, column) === undefined ? undefined : readJson(row, column, shape);
}

const encoder = new TextEncoder();
