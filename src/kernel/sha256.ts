/**
 * SHA-256, on which every digest of an action's life stands. This is the one file of the kernel
 * that imports from Node: the build for browsers swaps this file and nothing else.
 */

import { hash } from 'node:crypto';

/** The SHA-256 of the parts joined, as 32 bytes; a string counts as its UTF-8 bytes. */
export function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return hash('sha256', joined(parts), 'buffer');
}

/** The SHA-256 of the parts joined, as 64 lower-case hex digits; a string counts as its UTF-8 bytes. */
export function sha256Hex(...parts: readonly (Uint8Array | string)[]): string {
  return hash('sha256', joined(parts), 'hex');
}

/** Joining and hashing at once takes half the time of a hash object that is fed part by part. */
function joined(parts: readonly (Uint8Array | string)[]): Uint8Array | string {
  const [first] = parts;
  // mutant (condition): what joins one part gives that part; this only saves time.
  if (first !== undefined && parts.length === 1) return first;
  // mutant: a copy of bytes is as good as they are.
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}
