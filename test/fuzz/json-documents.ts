/**
 * Compares the strict parser and the canonical writer with `canonicalize`, an implementation that is
 * not ours, and with the platform's own parser, on random documents.
 */
import canonicalize from 'canonicalize';

import { parseJson } from '../../src/kernel/json/parse.ts';
import { isUnsafeInteger } from '../../src/kernel/json/read-number.ts';
import { isNoncharacter } from '../../src/kernel/json/read-string.ts';
import type { JsonValue } from '../../src/kernel/json/value.ts';
import { canonicalBytes, writeCanonical } from '../../src/kernel/json/write.ts';
import { pick, type Random } from './random.ts';

/** What was found: the difference, or whether the changed document was accepted. */
export type JsonCompared =
  | { readonly ok: true; readonly mutantAccepted: boolean }
  | { readonly ok: false; readonly difference: string };

/** Compares one random document, and a mutant of it. */
export function compareJson(random: Random): JsonCompared {
  const value = randomValue(random, 4);
  const source = encoder.encode(randomSpelling(random, value));
  const difference = compareDocument(value, source);
  if (difference !== undefined) return { ok: false, difference };
  const mutant = compareMutant(mutate(random, source));
  return mutant.difference === undefined
    ? { ok: true, mutantAccepted: mutant.accepted }
    : { ok: false, difference: mutant.difference };
}

const encoder = new TextEncoder();
/** Towers may stand on towers, once for each level of a random value. */
const LIMITS = { depthMax: 300 };
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What is wrong with a value whose spelling is given, if anything is. */
function compareDocument(value: JsonValue, source: Uint8Array): string | undefined {
  const oracle = canonicalize(value);
  const own = writeCanonical(value);
  if (own !== oracle) return `writer: ${own} instead of ${oracle}`;
  const parsed = parseJson(source, LIMITS);
  if (!parsed.ok) return `parser: ${parsed.error.code} for ${Buffer.from(source).toString()}`;
  const written = canonicalBytes(parsed.value);
  if (Buffer.from(written).toString() !== oracle) {
    return `parser: ${Buffer.from(written).toString()} instead of ${oracle}`;
  }
  const again = parseJson(written, LIMITS);
  if (!again.ok) return `fixed point: ${again.error.code} for ${oracle}`;
  return writeCanonical(again.value) === oracle ? undefined : `fixed point: moved from ${oracle}`;
}

type MutantResult = { readonly accepted: boolean; readonly difference?: string };

/**
 * Whatever we accept, the platform must accept and read in the same way; the reverse need not hold.
 * Where a key has an escape only acceptance is compared: after some documents V8 gives such a key
 * the name of another one (nodejs/node#63785), which this comparison found.
 */
function compareMutant(source: Uint8Array): MutantResult {
  const parsed = parseJson(source, LIMITS);
  if (!parsed.ok) return { accepted: false };
  const own = writeCanonical(parsed.value);
  try {
    const text = decoder.decode(source);
    const oracle = canonicalize(JSON.parse(text));
    if (own === oracle || ESCAPED_KEY.test(text)) return { accepted: true };
    return { accepted: true, difference: `mutant: ${own} instead of ${oracle}` };
  } catch (error) {
    return { accepted: true, difference: `mutant: ${own} accepted, but ${String(error)}` };
  }
}

/** A string with an escape, and a colon behind it. */
const ESCAPED_KEY = /"[^"\\]*\\.(?:[^"\\]|\\.)*"[ \t\r\n]*:/;

/** A random value with containers up to `depth` deep, and now and then a tower of 50 more. */
export function randomValue(random: Random, depth: number): JsonValue {
  const choice = random.below(depth > 0 ? 12 : 7);
  if (choice < 3) return randomText(random, 12);
  if (choice < 5) return randomNumber(random);
  if (choice < 7) return pick(random, [true, false, null], null);
  if (choice < 11) return randomObject(random, depth);
  const items = Array.from({ length: random.below(5) }, () => randomValue(random, depth - 1));
  return random.below(50) === 0 ? tower(items, 50) : items;
}

function tower(value: JsonValue, height: number): JsonValue {
  let wrapped = value;
  for (let level = 0; level < height; level += 1) {
    wrapped = level % 2 === 0 ? [wrapped] : { k: wrapped };
  }
  return wrapped;
}

const KEYS = ['', 'a', 'A', 'aa', '10', '9', '1e3', 'constructor', 'prototype', 'length', '\u20ac'];

function randomObject(random: Random, depth: number): JsonValue {
  const members: Record<string, JsonValue> = {};
  for (let count = random.below(6); count > 0; count -= 1) {
    const key = random.below(3) === 0 ? pick(random, KEYS, 'k') : randomText(random, 6);
    if (key !== '__proto__') members[key] = randomValue(random, depth - 1);
  }
  return members;
}

const NUMBERS = [
  0,
  1,
  -1,
  2 ** 53 - 1,
  1 - 2 ** 53,
  1e21,
  1e-6,
  1e-7,
  5e-324,
  1.7976931348623157e308,
];
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

function randomNumber(random: Random): number {
  const choice = random.below(4);
  if (choice === 0) return pick(random, NUMBERS, 0);
  if (choice === 1) return random.below(2_000) - 1_000;
  if (choice === 2) return (random.below(2_000_001) - 1_000_000) / 100 || 0;
  words[0] = random.below(2 ** 32);
  words[1] = random.below(2 ** 32);
  const [any = 0] = float;
  return Number.isFinite(any) && !isUnsafeInteger(any) && !Object.is(any, -0) ? any : 0.5;
}

/** Highest code point, exclusive, of each range from which characters are taken. */
const RANGES = [0x80, 0x80, 0x80, 0x20, 0x800, 0x10000, 0x110000];

function randomText(random: Random, lengthMax: number): string {
  let text = '';
  for (let count = random.below(lengthMax + 1); count > 0; count -= 1) {
    const point = random.below(pick(random, RANGES, 0x80));
    const allowed = (point < 0xd800 || point > 0xdfff) && !isNoncharacter(point);
    text += allowed ? String.fromCodePoint(point) : '"\\';
  }
  return text;
}

const BLANKS = ['', '', '', '', ' ', '\n', '\t\r\n  '];

/** One of the many spellings of a value: blanks, order of keys, escapes, forms of numbers. */
function randomSpelling(random: Random, value: JsonValue): string {
  const blank = pick(random, BLANKS, '');
  return `${blank}${spell(random, value)}${pick(random, BLANKS, '')}`;
}

function spell(random: Random, value: JsonValue): string {
  if (typeof value === 'string') return spellText(random, value);
  if (typeof value === 'number') return spellNumber(random, value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (isArray(value)) return `[${value.map((item) => randomSpelling(random, item)).join(',')}]`;
  const members = Object.entries(value).map(([key, member]) => {
    const name = `${pick(random, BLANKS, '')}${spellText(random, key)}`;
    return `${name}${pick(random, BLANKS, '')}:${randomSpelling(random, member)}`;
  });
  if (random.below(2) === 0) members.reverse();
  return `{${pick(random, BLANKS, '')}${members.join(',')}}`;
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function spellNumber(random: Random, value: number): string {
  const choice = random.below(4);
  if (choice === 0) return value.toExponential();
  // 17 digits always give the same double again.
  if (choice === 1) return value.toPrecision(17).replace('e', 'E');
  return String(value);
}

function spellText(random: Random, text: string): string {
  if (random.below(2) === 0) return JSON.stringify(text);
  let spelled = '"';
  for (const character of text) {
    if (random.below(3) === 0) spelled += unicodeEscapes(random, character);
    else if (character === '/') spelled += '\\/';
    else spelled += JSON.stringify(character).slice(1, -1);
  }
  return `${spelled}"`;
}

function unicodeEscapes(random: Random, character: string): string {
  let escapes = '';
  for (let index = 0; index < character.length; index += 1) {
    const hex = character.charCodeAt(index).toString(16).padStart(4, '0');
    escapes += `\\u${random.below(2) === 0 ? hex : hex.toUpperCase()}`;
  }
  return escapes;
}

const TOKENS = Array.from(encoder.encode('{}[],:"\\0123456789.eE+- tfnu/\u00ff'));

/** The document with one byte replaced, removed or put in. */
function mutate(random: Random, source: Uint8Array): Uint8Array {
  const at = random.below(source.length);
  const byte = random.below(4) === 0 ? random.below(256) : pick(random, TOKENS, 0x20);
  const kind = random.below(3);
  const put = kind === 0 ? [] : [byte];
  return Uint8Array.from([
    ...source.subarray(0, at),
    ...put,
    ...source.subarray(kind === 2 ? at : at + 1),
  ]);
}
