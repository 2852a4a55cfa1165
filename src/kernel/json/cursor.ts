/** The limits of a document, and the reading position that the parser's parts share. */

import { JsonRefusal, type JsonErrorCode } from './refusal.ts';

/** What a document may have at most. */
export type JsonLimits = {
  readonly bytesMax: number;
  /** Arrays and objects within each other: `[]` has depth 1, `1` has depth 0. */
  readonly depthMax: number;
  /** Members over all objects of the document. */
  readonly keysMax: number;
  /** Elements over all arrays of the document. */
  readonly itemsMax: number;
  /** UTF-16 code units of a string value, after unescaping. */
  readonly stringLengthMax: number;
  /** UTF-16 code units of a key, after unescaping. */
  readonly keyLengthMax: number;
};

/** The limits where the caller names none. */
export const JSON_LIMITS: JsonLimits = Object.freeze({
  bytesMax: 1_048_576,
  depthMax: 64,
  keysMax: 10_000,
  itemsMax: 100_000,
  stringLengthMax: 262_144,
  keyLengthMax: 1_024,
});

/** No limit allows a depth beyond this: parser and writer recurse, and the stack must hold. */
export const JSON_DEPTH_CEILING = 1_000;

/** The state of one parse. Only the parser's functions of this folder advance it. */
export type Cursor = {
  /** The whole document. Well-formed UTF-16, because it was decoded from valid UTF-8. */
  readonly text: string;
  readonly limits: JsonLimits;
  /** Index of the next code unit. */
  at: number;
  keyCount: number;
  itemCount: number;
};

/** Ends the parse; `index` is a code unit of the cursor's text. */
export function refuse(code: JsonErrorCode, index: number): never {
  throw new JsonRefusal(code, index);
}

/** Ends the parse at a place where the grammar wants something else. */
export function refuseToken(cursor: Cursor, index: number): never {
  refuse(index >= cursor.text.length ? 'json_unexpected_end' : 'json_unexpected_token', index);
}
