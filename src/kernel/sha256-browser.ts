/**
 * SHA-256 for browsers, where it has to be synchronous and there is no `node:crypto`. The build puts this
 * file in the place of `sha256.ts` in what browsers load, and nothing else differs.
 */
import { sha256 as digest } from '@noble/hashes/sha2.js';

/** The SHA-256 of the parts joined, as 32 bytes; a string counts as its UTF-8 bytes. */
export function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const hash = digest.create();
  for (const part of parts) hash.update(typeof part === 'string' ? encoder.encode(part) : part);
  return hash.digest();
}

/** The SHA-256 of the parts joined, as 64 lower-case hex digits; a string counts as its UTF-8 bytes. */
export function sha256Hex(...parts: readonly (Uint8Array | string)[]): string {
  return Array.from(sha256(...parts), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const encoder = new TextEncoder();
