/**
 * The writer of RFC 8785 (JSON Canonicalization Scheme). Its bytes are what digests are taken of,
 * what is stored, and what is executed. It never asks a value how it wants to be written: `toJSON`,
 * getters on prototypes and the like are not consulted, and what is no JSON value is a defect of
 * ours that stops here.
 */

import { JSON_DEPTH_CEILING } from './cursor.ts';

/** A value reached the writer that has no JSON form: a broken invariant, never an input error. */
export class JsonWriteError extends TypeError {
  readonly code = 'json_not_writable';

  constructor(what: string) {
    super(`\`${what}\` has no canonical json form`);
    this.name = 'JsonWriteError';
  }
}

/**
 * The canonical text of a value; throws `JsonWriteError` for anything outside `JsonValue`. Takes plain
 * structures of ours as they are: every part is checked while it is written.
 */
export function writeCanonical(value: unknown): string {
  return write(value, 0);
}

/** The canonical text of a value as UTF-8; throws `JsonWriteError` for anything outside `JsonValue`. */
export function canonicalBytes(value: unknown): Uint8Array {
  return encoder.encode(write(value, 0));
}

const encoder = new TextEncoder();

function write(value: unknown, depth: number): string {
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'number') return writeNumber(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value !== 'object') throw new JsonWriteError(typeof value);
  if (depth >= JSON_DEPTH_CEILING) throw new JsonWriteError('nesting without end');
  return Array.isArray(value) ? writeArray(value, depth + 1) : writeObject(value, depth + 1);
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new JsonWriteError(String(value));
  // RFC 8785 section 3.2.2.3: the form of ECMAScript, in which −0 is "0".
  return String(value);
}

function writeArray(items: readonly unknown[], depth: number): string {
  if (Object.getPrototypeOf(items) !== Array.prototype) throw new JsonWriteError('exotic array');
  let text = '[';
  for (let index = 0; index < items.length; index += 1) {
    if (index > 0) text += ',';
    // A hole reads as undefined and is refused as such.
    text += write(items[index], depth);
  }
  return `${text}]`;
}

function writeObject(members: object, depth: number): string {
  if (!isPlain(members)) throw new JsonWriteError('object with a prototype');
  // RFC 8785 section 3.2.3: by UTF-16 code units, which is how sort compares strings by default.
  const keys = sorted(Object.keys(members));
  let text = '{';
  for (const key of keys) {
    // mutant (constant): one member is longer than that.
    if (text.length > 1) text += ',';
    text += `${writeString(key)}:${write(members[key], depth)}`;
  }
  return `${text}}`;
}

/** Most structures of ours are written down in order already, which is cheaper to see than to sort. */
function sorted(keys: string[]): readonly string[] {
  // mutant: what is sorted without need is the same.
  let before = '';
  for (const key of keys) {
    // mutant: what is sorted without need is the same; no key comes twice.
    if (key < before) return keys.sort();
    before = key;
  }
  return keys;
}

function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Nothing in it needs an escape, and nothing can be half a surrogate pair. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;

function writeString(value: string): string {
  // mutant: the long way gives the same.
  if (PLAIN_TEXT.test(value)) return `"${value}"`;
  if (!value.isWellFormed()) throw new JsonWriteError('lone surrogate');
  // For a well-formed string ECMAScript's escapes are those of RFC 8785 section 3.2.2.2.
  return JSON.stringify(value);
}
