/**
 * The masker: every secret that was ever leased, in the spellings it is likely to come back in, and
 * the one way to take it out of text, JSON and byte streams (law 14). One instance serves the whole
 * process: executors register values, and everything that leaves the process passes through it.
 *
 * It knows values, not meanings. A secret that a target splits, encrypts, compresses, reverses or
 * spells in a way not listed at `spellingsOf` is not recognised.
 */
import { createHmac, randomBytes } from 'node:crypto';

import type { JsonValue } from '../kernel/json/value.ts';

/** Fewer characters cannot be masked without tearing up ordinary text; such a value is never leased. */
export const SECRET_LENGTH_MIN = 4;
/** How many values are remembered; beyond it the one that was leased longest ago is forgotten. */
export const SECRETS_MAX = 1024;
/** Lines of a secret that are masked on their own: keys come back line by line. */
const LINE_LENGTH_MIN = 16;

/** Takes registered secrets out of what leaves the process. */
export interface Masker {
  /** Remembers a value of at least {@link SECRET_LENGTH_MIN} characters; throws `RangeError` for a shorter one. */
  register(secret: string): void;
  /** The text with every spelling of every secret replaced by `‹secret:` and eight hex digits. */
  text(text: string): string;
  /** The value with keys and strings masked at every depth; the same value where nothing was found. */
  json(value: JsonValue): JsonValue;
  /** Masks bytes as they come, also across the borders of chunks. */
  stream(): MaskingStream;
}

/**
 * A masked byte stream: `push` gives what is safe to give so far, `end` the rest. Where the bytes were
 * cut off, the rest is left unasked for: it may be the first half of a secret.
 */
interface MaskingStream {
  push(chunk: Uint8Array): Buffer;
  end(): Buffer;
}

/** One spelling of a secret, as bytes. */
interface Spelling {
  readonly bytes: Buffer;
  readonly replacement: Buffer;
  /** One more base64 character at that side carries bits of the secret. */
  readonly before: boolean;
  readonly after: boolean;
}

/**
 * Makes a masker. `fingerprintKey` keys the eight hex digits, so that they tell two secrets apart and
 * say nothing else; give the same key at each start where masked values must compare across starts.
 */
export function createMasker(options: { readonly fingerprintKey?: Uint8Array } = {}): Masker {
  const key = options.fingerprintKey ?? randomBytes(32);
  const secrets = new Map<string, readonly Spelling[]>();
  let built: SpellingIndex | undefined;
  const index = (): SpellingIndex => (built ??= indexOf([...secrets.values()].flat()));

  function register(secret: string): void {
    if (secret.length < SECRET_LENGTH_MIN) throw new RangeError('the secret is too short to mask');
    const known = secrets.get(secret);
    secrets.delete(secret);
    secrets.set(secret, known ?? spellingsOf(secret, fingerprint(key, secret)));
    if (known !== undefined) return;
    const [oldest] = secrets.keys();
    if (secrets.size > SECRETS_MAX && oldest !== undefined) secrets.delete(oldest);
    built = undefined;
  }

  function text(input: string): string {
    if (secrets.size === 0) return input;
    const bytes = Buffer.from(input, 'utf8');
    const masked = scan(index(), bytes, bytes.length).output;
    return masked === undefined ? input : masked.toString('utf8');
  }

  return {
    register,
    text,
    json: (value) => (secrets.size === 0 ? value : maskJson(value, text)),
    stream: () => maskingStream(index),
  };
}

function fingerprint(key: Uint8Array, secret: string): Buffer {
  const digits = createHmac('sha256', key).update(secret).digest('hex').slice(0, 8);
  return Buffer.from(`‹secret:${digits}›`, 'utf8');
}

function maskJson(value: JsonValue, text: (input: string) => string): JsonValue {
  if (typeof value === 'string') return text(value);
  // A secret of digits can come back as a number.
  if (typeof value === 'number') {
    const spelled = String(value);
    const masked = text(spelled);
    return masked === spelled ? value : masked;
  }
  if (value === null || typeof value === 'boolean') return value;
  if (Array.isArray(value))
    return Object.freeze(value.map((item: JsonValue) => maskJson(item, text)));
  const members: Record<string, JsonValue> = Object.setPrototypeOf({}, null);
  for (const [name, member] of Object.entries(value)) {
    let masked = text(name);
    // Two names may become one; neither member may hide the other.
    while (masked in members) masked += '+';
    members[masked] = maskJson(member, text);
  }
  return Object.freeze(members);
}

// ---------------------------------------------------------------- spellings

/** Every byte sequence under which `secret` is recognised. */
function spellingsOf(secret: string, replacement: Buffer): readonly Spelling[] {
  const found = new Map<string, Spelling>();
  const add = (bytes: Buffer, before = false, after = false): void => {
    if (bytes.length < SECRET_LENGTH_MIN) return;
    const key = bytes.toString('latin1');
    if (!found.has(key)) found.set(key, { bytes, replacement, before, after });
  };
  for (const value of [secret, ...longLines(secret)]) {
    for (const text of textSpellings(value)) add(Buffer.from(text, 'utf8'));
    const wide = Buffer.from(value, 'utf16le');
    add(wide);
    add(Buffer.from(wide).swap16());
    for (const core of [...base64Cores(Buffer.from(value, 'utf8')), ...base64Cores(wide)]) {
      for (const text of [core.text, core.text.replaceAll('+', '-').replaceAll('/', '_')]) {
        add(Buffer.from(text, 'latin1'), core.before, core.after);
        add(Buffer.from(encodeURIComponent(text), 'latin1'), core.before, core.after);
      }
    }
  }
  return [...found.values()];
}

function longLines(secret: string): readonly string[] {
  const lines = secret.split(/\r?\n/u);
  if (lines.length === 1) return [];
  // The frame of a PEM block is in every key and secret in none.
  return lines.filter((line) => line.length >= LINE_LENGTH_MIN && !line.startsWith('-----'));
}

function textSpellings(value: string): readonly string[] {
  const wellFormed = value.toWellFormed();
  const uri = encodeURIComponent(wellFormed);
  const form = new URLSearchParams([['', wellFormed]]).toString().slice(1);
  const url = encodeURI(wellFormed);
  // As a URL parser leaves it in a query.
  const query = uri.replaceAll("'", '%27');
  const strict = uri.replaceAll(/[!'()*]/gu, (mark) => percent(mark));
  const json = JSON.stringify(value).slice(1, -1);
  const jsonAscii = json.replaceAll(/[^\0-\x7f]/g, (unit) => unicodeEscape(unit));
  const hex = Buffer.from(value, 'utf8').toString('hex');
  const escaped = [json, json.replaceAll('/', String.raw`\/`), jsonAscii, jsonAscii.toUpperCase()];
  return [
    value,
    ...[uri, url, form, query, strict].flatMap((text) => [text, lowerEscapes(text)]),
    ...escaped.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]),
    ...HTML_ESCAPERS.map((escape) => escape(value)),
    hex,
    hex.toUpperCase(),
  ];
}

const HTML_NAMES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** In text, in attributes, everywhere; with names, with numbers, with the numbers that some prefer. */
const HTML_ESCAPERS: readonly ((value: string) => string)[] = [
  (value) => value.replaceAll(/[&<>]/gu, (mark) => HTML_NAMES[mark] ?? mark),
  (value) => value.replaceAll(/[&<>"]/gu, (mark) => HTML_NAMES[mark] ?? mark),
  (value) => value.replaceAll(/[&<>"']/gu, (mark) => HTML_NAMES[mark] ?? mark),
  (value) => value.replaceAll(/[&<>"']/gu, (mark) => `&#${String(mark.charCodeAt(0))};`),
  (value) => value.replaceAll(/[&<>"']/gu, (mark) => `&#x${mark.charCodeAt(0).toString(16)};`),
];

function percent(mark: string): string {
  return `%${mark.charCodeAt(0).toString(16).toUpperCase()}`;
}

function lowerEscapes(text: string): string {
  return text.replaceAll(/%[0-9A-F]{2}/gu, (escape) => escape.toLowerCase());
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * The base64 characters that depend on nothing but `bytes`, for each of the three places that they can
 * have in a longer input such as `user:secret`. The characters at the borders carry bits of both
 * sides: `before` and `after` say that there is one.
 */
function base64Cores(
  bytes: Buffer,
): readonly { readonly text: string; readonly before: boolean; readonly after: boolean }[] {
  return [0, 1, 2].map((lead) => {
    const encoded = Buffer.concat([Buffer.alloc(lead), bytes]).toString('base64');
    const bits = (lead + bytes.length) * 8;
    const text = encoded.slice(lead === 0 ? 0 : lead + 1, Math.floor(bits / 6));
    return { text, before: lead > 0, after: bits % 6 !== 0 };
  });
}

// ---------------------------------------------------------------- search

/**
 * The spellings by their first four bytes, and in order under each: one look a byte tells where there
 * is nothing, and where there may be something a search by halves finds it, however alike the secrets
 * are.
 */
interface SpellingIndex {
  readonly byStart: ReadonlyMap<number, readonly Entry[]>;
  readonly lengthMax: number;
}

/** A spelling with the longest other one that it begins with. */
interface Entry extends Spelling {
  readonly shorter: Entry | undefined;
}

function indexOf(spellings: readonly Spelling[]): SpellingIndex {
  const byStart = new Map<number, Entry[]>();
  let lengthMax = 0;
  for (const spelling of spellings.toSorted((a, b) => a.bytes.compare(b.bytes))) {
    const start = spelling.bytes.readUInt32BE(0);
    const bucket = byStart.get(start) ?? [];
    let shorter = bucket.at(-1);
    while (shorter !== undefined && !startsAt(shorter.bytes, spelling.bytes, 0)) {
      shorter = shorter.shorter;
    }
    bucket.push({ ...spelling, shorter });
    byStart.set(start, bucket);
    lengthMax = Math.max(lengthMax, spelling.bytes.length);
  }
  return { byStart, lengthMax };
}

/**
 * The longest spelling that stands at `at`. The last one that is not greater than what stands there
 * begins with it, if it is not the one itself: whatever lies between the two in order does.
 */
function longestAt(bucket: readonly Entry[], input: Buffer, at: number): Entry | undefined {
  let low = 0;
  let high = bucket.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const bytes = bucket[middle]?.bytes ?? input;
    const end = Math.min(at + bytes.length, input.length);
    if (bytes.compare(input, at, end) <= 0) low = middle + 1;
    else high = middle;
  }
  let entry = bucket[low - 1];
  while (entry !== undefined && !startsAt(entry.bytes, input, at)) entry = entry.shorter;
  return entry;
}

/**
 * Masks every spelling that starts before `until`. `output` is `undefined` where there is none;
 * `consumed` is how many bytes of the input it stands for.
 */
function scan(
  index: SpellingIndex,
  input: Buffer,
  until: number,
): { readonly output: Buffer | undefined; readonly consumed: number } {
  const parts: Buffer[] = [];
  let copied = 0;
  let at = 0;
  while (at < until) {
    const bucket = at + 4 > input.length ? undefined : index.byStart.get(input.readUInt32BE(at));
    const spelling = bucket === undefined ? undefined : longestAt(bucket, input, at);
    if (spelling === undefined) {
      at += 1;
      continue;
    }
    const from = spelling.before && at > copied && isBase64(input[at - 1]) ? at - 1 : at;
    at += spelling.bytes.length;
    if (spelling.after && isBase64(input[at])) at += 1;
    parts.push(input.subarray(copied, from), spelling.replacement);
    copied = at;
  }
  // Short of the end the last byte stays behind: it may be the character before a base64 spelling.
  const consumed = Math.max(copied, until === input.length ? until : until - 1, 0);
  if (parts.length === 0) return { output: undefined, consumed };
  parts.push(input.subarray(copied, consumed));
  return { output: Buffer.concat(parts), consumed };
}

function startsAt(bytes: Buffer, input: Buffer, at: number): boolean {
  return at + bytes.length <= input.length && bytes.compare(input, at, at + bytes.length) === 0;
}

function isBase64(byte: number | undefined): boolean {
  return byte !== undefined && /[A-Za-z0-9+/_-]/u.test(String.fromCharCode(byte));
}

function maskingStream(index: () => SpellingIndex): MaskingStream {
  let kept = Buffer.alloc(0);
  const take = (until: number): Buffer => {
    const { output, consumed } = scan(index(), kept, until);
    const safe = output ?? Buffer.from(kept.subarray(0, consumed));
    kept = kept.subarray(consumed);
    return safe;
  };
  return {
    push(chunk) {
      kept = Buffer.concat([kept, chunk]);
      // A spelling that starts in the last bytes may go on in the next chunk, and so may the base64
      // character before or after it.
      return take(Math.max(0, kept.length - index().lengthMax - 2));
    },
    end: () => take(kept.length),
  };
}
