/** Reads entries back from the log, with the payloads beside them. UNTRUSTED: both are whatever a file holds. */
import { saltedDigest, PAYLOAD_SALT_BYTES } from '../kernel/digest.ts';
import { parseJson, type JsonLimits } from '../kernel/json/parse.ts';
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import { writeCanonical } from '../kernel/json/write.ts';
import { Doubt } from './doubt.ts';
import { ENTRY_BYTES_MAX } from './entry.ts';
import { countOf, malformed, objectOf, onlyMembers, textOf } from './fields.ts';

/** An entry as read, with what is still there of its payloads. */
export interface ReadEntry {
  /** From 1, as the ledger counts. */
  readonly sequence: number;
  readonly tenant: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: string;
  readonly action: string | undefined;
  /** Whole: also where it was so long that it went beside the log. */
  readonly body: JsonObject;
  /** By name, those that are there. */
  readonly payloads: Readonly<Record<string, JsonValue>>;
  /** Names of those that are not. */
  readonly erased: readonly string[];
}

/** A payload with the salt of its digest. */
export interface SaltedBytes {
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Reads an entry and checks that the payloads are the ones it names. Throws `Doubt`. */
export function readEntry(
  sequence: number,
  bytes: Uint8Array,
  payloads: ReadonlyMap<string, SaltedBytes>,
): ReadEntry {
  const where = `entry ${String(sequence)}`;
  if (bytes.length > ENTRY_BYTES_MAX) throw malformed(where);
  const entry = objectOf(canonicalValue(bytes, where), where);
  if (entry['v'] !== 1) throw new Doubt('unknown_version', `${where} is of an unknown version`);
  onlyMembers(entry, MEMBERS, where);
  const named = objectOf(entry['payloads'], where);
  const values = payloadValues(named, payloads, where);
  const { body: longBody, ...others } = values;
  const { action } = entry;
  if (Object.hasOwn(named, 'body') && longBody === undefined) {
    throw new Doubt('erased', `what ${where} says in full was erased`);
  }
  return {
    sequence,
    tenant: textOf(entry['tenant'], where),
    at: countOf(entry['at'], where),
    kind: textOf(entry['kind'], where),
    action: action === undefined ? undefined : textOf(action, where),
    body: objectOf(longBody ?? entry['body'], where),
    payloads: others,
    erased: Object.keys(named).filter((name) => !payloads.has(name)),
  };
}

const MEMBERS = ['action', 'at', 'body', 'kind', 'payloads', 'tenant', 'v'];

/** An answer of a target may be longer than what an agent may send. */
const LIMITS: Partial<JsonLimits> = {
  bytesMax: 16_777_216,
  stringLengthMax: 16_777_216,
  keysMax: 1_000_000,
  itemsMax: 1_000_000,
};

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The value of bytes that are exactly its canonical form. Throws `Doubt`. */
export function canonicalValue(bytes: Uint8Array, what: string): JsonValue {
  const parsed = parseJson(bytes, LIMITS);
  if (!parsed.ok) {
    throw new Doubt('malformed', `${what} is no json that can be read: ${parsed.error.message}`);
  }
  // What was parsed is utf-8, so that its text says all about its bytes.
  if (writeCanonical(parsed.value) !== decoder.decode(bytes)) {
    throw new Doubt('malformed', `${what} is not in its one canonical form`);
  }
  return parsed.value;
}

/** Whether two runs of bytes are the same. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}

function payloadValues(
  named: JsonObject,
  payloads: ReadonlyMap<string, SaltedBytes>,
  where: string,
): Readonly<Record<string, JsonValue>> {
  const values: [string, JsonValue][] = [];
  for (const [name, salted] of payloads) {
    const digest = Object.hasOwn(named, name) ? named[name] : undefined;
    if (salted.salt.length !== PAYLOAD_SALT_BYTES || saltedDigest(salted) !== digest) {
      throw new Doubt('payload_mismatch', `\`${name}\` is not the payload that ${where} names`);
    }
    values.push([name, canonicalValue(salted.bytes, `payload \`${name}\` of ${where}`)]);
  }
  return Object.fromEntries(values);
}
