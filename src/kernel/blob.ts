/**
 * Blobs in arguments: large inputs such as plans and scripts travel beside the action and stand in it
 * as the SHA-256 of their bytes, written `sha256:` and 64 hex digits in lower case.
 */
import { parseDigest, type Digest } from './digest.ts';
import type { ArgumentFields } from './inventory.ts';
import type { JsonObject } from './json/value.ts';

const PREFIX = 'sha256:';

/** The digest that a blob's name spells, or `undefined` where it is none. */
export function parseBlobName(text: string): Digest | undefined {
  return text.startsWith(PREFIX) ? parseDigest(text.slice(PREFIX.length)) : undefined;
}

/** The blobs that arguments of the type `blob` name, each once. */
export function blobsNamed(fields: ArgumentFields, args: JsonObject): readonly Digest[] {
  const named = Object.entries(fields).flatMap(([name, { type }]) => {
    const value = type.kind === 'blob' && Object.hasOwn(args, name) ? args[name] : undefined;
    return typeof value === 'string' ? (parseBlobName(value) ?? []) : [];
  });
  return [...new Set(named)];
}

/** Whatever the arguments hold that could be a blob's name, whatever its type is now. */
export function blobsPossible(args: JsonObject): readonly Digest[] {
  return Object.values(args).flatMap((value) =>
    typeof value === 'string' ? (parseBlobName(value) ?? []) : [],
  );
}
