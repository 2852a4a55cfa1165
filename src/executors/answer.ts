/**
 * What a program or a system gave back, made fit to keep: parsed strictly or shortened to text, always
 * masked, always bounded.
 */
import { parseJson } from '../kernel/json/parse.ts';
import { sha256Hex } from '../kernel/sha256.ts';
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import type { Masker } from './mask.ts';

/** How much text of one output is kept in a result, in bytes. */
const RESULT_TEXT_BYTES_MAX = 16_384;
/** The largest JSON answer that is kept as JSON, in bytes. */
export const RESULT_JSON_BYTES_MAX = 65_536;
/** How deep an answer may be nested: less than the parser allows, for a result lies within other values. */
const ANSWER_DEPTH_MAX = 48;

/** The answer as a masked JSON value, or `undefined` where it is not strict JSON. */
export function parseAnswer(bytes: Uint8Array, masker: Masker): JsonValue | undefined {
  const parsed = parseJson(bytes, {
    bytesMax: Math.max(bytes.length, 1),
    depthMax: ANSWER_DEPTH_MAX,
  });
  return parsed.ok ? masker.json(parsed.value) : undefined;
}

/**
 * The end of a masked output: its text, its length in bytes, its SHA-256 and whether the text is all
 * of it. Length and digest are of the masked bytes: those of the raw bytes would help to guess a secret.
 */
export function outputResult(masked: Uint8Array): JsonObject {
  const tail = masked.subarray(Math.max(0, masked.length - RESULT_TEXT_BYTES_MAX));
  return {
    text: plainText(tail),
    bytes: masked.length,
    sha256: sha256Hex(masked),
    complete: tail.length === masked.length,
  };
}

/** UTF-8 as text that the strict parser takes back: what is no character becomes U+FFFD. */
function plainText(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return text.replaceAll(/\p{Noncharacter_Code_Point}/gu, '\uFFFD');
}

/** Masks a byte sequence. Of one that was cut off the end is dropped: it may be half a secret. */
export function maskBytes(bytes: Uint8Array, masker: Masker, complete: boolean): Buffer {
  const stream = masker.stream();
  const masked = stream.push(bytes);
  return complete ? Buffer.concat([masked, stream.end()]) : masked;
}
