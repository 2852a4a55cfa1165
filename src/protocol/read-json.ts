/**
 * A daemon's answer on its way into a client: by the strict parser, like everything else that people
 * decide on. JSON.parse can give a key with an escape another key's name (nodejs/node#63785).
 */
import { parseJson } from '../kernel/json/parse.ts';
import type { JsonValue } from '../kernel/json/value.ts';

/** The value of an answer of at most `bytesMax` bytes, or `undefined` where it is not exactly one JSON value. */
export function readJson(bytes: Uint8Array, bytesMax: number): JsonValue | undefined {
  // An answer holds many actions with their results, each already bounded: only its bytes are limited.
  const parsed = parseJson(bytes, {
    bytesMax,
    depthMax: DEPTH_MAX,
    keysMax: bytesMax,
    itemsMax: bytesMax,
    stringLengthMax: bytesMax,
  });
  return parsed.ok ? parsed.value : undefined;
}

/** Twice what one document of a target may have, since answers wrap them. */
const DEPTH_MAX = 128;
