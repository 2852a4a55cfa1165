/**
 * Why the strict parser refuses a document: the codes in order of precedence, and the position as
 * people and programs want it. A refused document becomes no action; nothing of it is stored.
 */

/**
 * The codes in order of precedence. The first three concern the whole document and come before
 * anything else. Then the document's first offending place is told: a character, or a string, key
 * or number as a whole once its characters are in order. Where several codes apply at one place,
 * the first of this list is given.
 */
export const JSON_ERROR_CODES = [
  /** The document has more bytes than `bytesMax`. */
  'json_too_large',
  /** The document starts with the UTF-8 byte-order mark. */
  'json_byte_order_mark',
  /** Overlong forms, encoded surrogates, values past U+10FFFF, truncated or stray bytes. */
  'json_invalid_utf8',
  /** Arrays and objects lie within each other deeper than `depthMax`. */
  'json_too_deep',
  /** The document has more members, over all objects, than `keysMax`. */
  'json_too_many_keys',
  /** The document has more elements, over all arrays, than `itemsMax`. */
  'json_too_many_items',
  /** The document ends inside a value, or holds none. */
  'json_unexpected_end',
  /** Something follows the value. */
  'json_trailing_content',
  /** A character that cannot stand here. */
  'json_unexpected_token',
  /** A string holds U+0000 to U+001F unescaped. */
  'json_control_character',
  /** An escape that JSON does not know, or `\u` without four hex digits. */
  'json_bad_escape',
  /** Half a surrogate pair, escaped, in a key or a value. */
  'json_lone_surrogate',
  /** U+FDD0 to U+FDEF, or a code point that ends in FFFE or FFFF, raw or escaped. */
  'json_noncharacter',
  /** A string value has more UTF-16 code units than `stringLengthMax`. */
  'json_string_too_long',
  /** A key has more UTF-16 code units than `keyLengthMax`. */
  'json_key_too_long',
  /** The key `__proto__`. */
  'json_forbidden_key',
  /** A key that its object has already, compared after unescaping. */
  'json_duplicate_key',
  /** Not a number by JSON's grammar: `01`, `1.`, `-`, `1e`. */
  'json_bad_number',
  /** An integer beyond ±(2^53 − 1), or a number whose canonical form would be one. */
  'json_integer_too_large',
  /** More than 17 digits from the first that is not zero. */
  'json_too_many_digits',
  /** A number that is infinite as a double. */
  'json_number_overflow',
  /** A number that is not zero and becomes zero as a double. */
  'json_number_underflow',
  /** Zero with a sign, in any spelling. */
  'json_negative_zero',
] as const;

/** A stable code of `JSON_ERROR_CODES`. */
export type JsonErrorCode = (typeof JSON_ERROR_CODES)[number];

/** Why and where a document was refused. */
export type JsonSyntaxError = {
  readonly code: JsonErrorCode;
  /** One line that never quotes the document's content, which may be secret. */
  readonly message: string;
  /** In bytes from the start, 0 for the first. */
  readonly offset: number;
  /** From 1; lines end with LF. */
  readonly line: number;
  /** From 1, in Unicode code points. */
  readonly column: number;
};

const MESSAGES: Readonly<Record<JsonErrorCode, string>> = {
  json_too_large: 'the document has too many bytes',
  json_byte_order_mark: 'a byte-order mark stands before the document',
  json_invalid_utf8: 'the document is not valid utf-8',
  json_unexpected_end: 'the document ends too early',
  json_trailing_content: 'something follows the value',
  json_unexpected_token: 'this character cannot stand here',
  json_too_deep: 'arrays and objects are nested too deeply',
  json_too_many_keys: 'the document has too many keys',
  json_too_many_items: 'the document has too many array elements',
  json_control_character: 'a control character stands unescaped in a string',
  json_bad_escape: 'this escape is not known to json',
  json_lone_surrogate: 'half a surrogate pair is not a character',
  json_noncharacter: 'this code point is not a character',
  json_string_too_long: 'the string is too long',
  json_key_too_long: 'the key is too long',
  json_forbidden_key: 'the key `__proto__` is not allowed',
  json_duplicate_key: 'the object has this key already',
  json_bad_number: 'this is not a number in json',
  json_integer_too_large: 'integers beyond 9007199254740991 travel as strings',
  json_too_many_digits: 'numbers with more than 17 digits travel as strings',
  json_number_overflow: 'the number is too large for a double',
  json_number_underflow: 'the number is too small for a double and would become zero',
  json_negative_zero: 'zero has no sign',
};

/** Thrown inside the parser and caught by it; never leaves this folder. */
export class JsonRefusal extends Error {
  readonly code: JsonErrorCode;
  /** Index into the document's text, in UTF-16 code units. */
  readonly index: number;

  constructor(code: JsonErrorCode, index: number) {
    super(MESSAGES[code]);
    this.code = code;
    this.index = index;
  }
}

/** Which code, and at which byte of the document. */
export type JsonFault = { readonly code: JsonErrorCode; readonly offset: number };

/** The error for a fault, with line and column. The bytes before it must be valid UTF-8. */
export function syntaxErrorAt(bytes: Uint8Array, fault: JsonFault): JsonSyntaxError {
  let line = 1;
  let column = 1;
  for (const byte of bytes.subarray(0, fault.offset)) {
    if (byte === 0x0a) {
      line += 1;
      column = 1;
    } else if ((byte & 0xc0) !== 0x80) {
      // Continuation bytes belong to the code point that was counted at its first byte.
      column += 1;
    }
  }
  return { code: fault.code, message: MESSAGES[fault.code], offset: fault.offset, line, column };
}
