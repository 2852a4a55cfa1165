/**
 * SHA-256, on which every digest of an action's life stands. This is the one file of the kernel
 * that imports from Node: the build for browsers swaps this file and nothing else.
 */

import { createHash, hash } from 'node:crypto';

/** The SHA-256 of the parts joined, as 32 bytes; a string counts as its UTF-8 bytes. */
export function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const state = createHash('sha256');
  for (const part of parts) state.update(part);
  return state.digest();
}

/** The SHA-256 of the parts joined, as 64 lower-case hex digits; a string counts as its UTF-8 bytes. */
export function sha256Hex(...parts: readonly (Uint8Array | string)[]): string {
  const [first] = parts;
  // The one-shot form takes half the time of a hash object, and most digests have one part.
  if (first !== undefined && parts.length === 1) return hash('sha256', first, 'hex');
  const state = createHash('sha256');
  for (const part of parts) state.update(part);
  return state.digest('hex');
}
