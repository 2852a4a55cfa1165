/**
 * Digests with a domain each: what is approved, decided, executed and logged is named by them.
 * The same value under two tags has two digests, so that a digest made for one purpose can never
 * stand for another.
 */

import type { Branded } from './brand.ts';
import { writeCanonical } from './json/write.ts';
import type { JsonValue } from './json/value.ts';
import { sha256Hex } from './sha256.ts';

/** A SHA-256 as 64 lower-case hex digits. */
export type Digest = Branded<string, 'Digest'>;

/** The domains of digests. A change of what a domain covers takes a new version of its tag. */
export const DIGEST_TAGS = {
  action: 'exequatur/action/v1',
  resolution: 'exequatur/resolution/v1',
  preview: 'exequatur/preview/v1',
  consent: 'exequatur/consent/v1',
  operation: 'exequatur/operation/v1',
  effect: 'exequatur/effect/v1',
  policy: 'exequatur/policy/v1',
  inventory: 'exequatur/inventory/v1',
  epoch: 'exequatur/epoch/v1',
  decision: 'exequatur/decision/v1',
  effectKey: 'exequatur/effect-key/v1',
  ledgerEntry: 'exequatur/ledger-entry/v1',
  requirement: 'exequatur/requirement/v1',
  approval: 'exequatur/approval/v1',
  calendar: 'exequatur/calendar/v1',
  directory: 'exequatur/directory/v1',
} as const;

/** One of the domains of `DIGEST_TAGS`. */
export type DigestTag = (typeof DIGEST_TAGS)[keyof typeof DIGEST_TAGS];

/** Length in bytes of the salt of a payload's digest. */
export const PAYLOAD_SALT_BYTES = 32;

const PAYLOAD_TAG = 'exequatur/payload/v1';
const DIGEST_TEXT = /^[0-9a-f]{64}$/;

/** The digest that a text spells, or nothing if it is not 64 lower-case hex digits. */
export function parseDigest(text: string): Digest | undefined {
  return DIGEST_TEXT.test(text) ? branded(text) : undefined;
}

/** SHA-256(tag ‖ 0x00 ‖ JCS(value)); throws `JsonWriteError` for a value that has no JCS form. */
export function digestOf(tag: DigestTag, value: JsonValue): Digest {
  // No tag holds a zero byte, so the first one ends it and no two domains can meet.
  return branded(sha256Hex(`${tag}\0${writeCanonical(value)}`));
}

/** SHA-256(tag ‖ 0x00 ‖ bytes), for bytes that are canonical already or are no JSON. */
export function digestBytes(tag: DigestTag, bytes: Uint8Array): Digest {
  return branded(sha256Hex(`${tag}\0`, bytes));
}

/** What the ledger keeps of a payload: its bytes and a random salt of 32 bytes. */
export type SaltedPayload = { readonly salt: Uint8Array; readonly bytes: Uint8Array };

/**
 * SHA-256("exequatur/payload/v1" ‖ 0x00 ‖ salt ‖ bytes). Once payload and salt are erased, the digest
 * says nothing about the payload, not even to somebody who guesses it.
 */
export function saltedDigest({ salt, bytes }: SaltedPayload): Digest {
  if (salt.length !== PAYLOAD_SALT_BYTES) {
    throw new RangeError(`salt has \`${salt.length}\` bytes, not ${PAYLOAD_SALT_BYTES}`);
  }
  return branded(sha256Hex(`${PAYLOAD_TAG}\0`, salt, bytes));
}

function branded(text: string): Digest {
  return text as Digest;
}
