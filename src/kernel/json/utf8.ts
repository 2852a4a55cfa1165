/**
 * Bytes to text, strictly. The platform's decoder says whether the bytes are UTF-8 and is fast; our
 * own reading of the table only finds where they stop being so.
 */

// With `ignoreBOM` a U+FEFF inside a document stays what it is instead of vanishing.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text, or the offset of the first byte that is not part of a well-formed sequence. */
export type Decoded =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly offset: number };

/** Decodes bytes that must be UTF-8 by RFC 3629. */
export function decodeUtf8(bytes: Uint8Array): Decoded {
  try {
    return { ok: true, text: decoder.decode(bytes) };
  } catch (cause) {
    const offset = findInvalidUtf8(bytes);
    // mutant: platform and table agree, as the tests show.
    if (offset === undefined) {
      throw new Error('the platform refuses utf-8 that is well formed', { cause });
    }
    return { ok: false, offset };
  }
}

/** The offset of the first ill-formed sequence, by table 3-7 of the Unicode standard. */
export function findInvalidUtf8(bytes: Uint8Array): number | undefined {
  let at = 0;
  // mutant: past the end stands a 0, which is well formed.
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  // mutant: what gives nothing gives undefined.
  return undefined;
}

/** Length of the well-formed sequence at an offset, 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = byteAt(bytes, at);
  if (first < 0x80) return 1;
  // 0x80..0xc1 are continuations and overlong forms; past 0xf4 nothing is left of Unicode.
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const second = byteAt(bytes, at + 1);
  // The second byte excludes overlong forms, surrogates and values past U+10FFFF.
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let rest = 2; rest < length; rest += 1) {
    if ((byteAt(bytes, at + rest) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** A byte, or 0 past the end: 0 is no continuation, so truncated sequences are refused by it. */
function byteAt(bytes: Uint8Array, at: number): number {
  // mutant (constant): 1 is no continuation either.
  return bytes[at] ?? 0;
}
