/** The parser against test suites that are not ours, with every deliberate deviation written down. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { digestOf } from '../digest.ts';
import { parseJson, type JsonErrorCode } from './parse.ts';
import { writeCanonical } from './write.ts';

const VECTORS = new URL('../../../test/vectors/', import.meta.url);

type SuiteCase = { readonly name: string; readonly expect: string; readonly b64: string };
type TransformCase = { readonly name: string; readonly b64: string };
type TrapCase = { readonly id: string; readonly text: string | readonly string[] };

const suite: { readonly cases: readonly SuiteCase[] } = JSON.parse(
  vectorText('jsontestsuite/test_parsing.json'),
);
const transform: { readonly cases: readonly TransformCase[] } = JSON.parse(
  vectorText('jsontestsuite/test_transform.json'),
);
const traps: { readonly cases: readonly TrapCase[] } = JSON.parse(
  vectorText('traps/json-payload-mismatch.json'),
);

/** Documents that JSON allows and I-JSON, or our profile of it, does not. */
const REFUSED_ON_PURPOSE: Readonly<Record<string, JsonErrorCode>> = {
  'y_number_minus_zero.json': 'json_negative_zero',
  'y_number_negative_zero.json': 'json_negative_zero',
  'y_object_duplicated_key.json': 'json_duplicate_key',
  'y_object_duplicated_key_and_value.json': 'json_duplicate_key',
  'y_string_escaped_noncharacter.json': 'json_noncharacter',
  'y_string_last_surrogates_1_and_2.json': 'json_noncharacter',
  'y_string_nonCharacterInUTF-8_U+10FFFF.json': 'json_noncharacter',
  'y_string_nonCharacterInUTF-8_U+FFFF.json': 'json_noncharacter',
  'y_string_unicode_U+10FFFE_nonchar.json': 'json_noncharacter',
  'y_string_unicode_U+1FFFE_nonchar.json': 'json_noncharacter',
  'y_string_unicode_U+FDD0_nonchar.json': 'json_noncharacter',
  'y_string_unicode_U+FFFE_nonchar.json': 'json_noncharacter',
};

/** What the suite leaves to the implementation; we refuse all of it. */
const IMPLEMENTATION_DEFINED: Readonly<Record<string, JsonErrorCode>> = {
  'i_number_double_huge_neg_exp.json': 'json_number_underflow',
  'i_number_huge_exp.json': 'json_number_overflow',
  'i_number_neg_int_huge_exp.json': 'json_number_overflow',
  'i_number_pos_double_huge_exp.json': 'json_number_overflow',
  'i_number_real_neg_overflow.json': 'json_number_overflow',
  'i_number_real_pos_overflow.json': 'json_number_overflow',
  'i_number_real_underflow.json': 'json_number_underflow',
  'i_number_too_big_neg_int.json': 'json_integer_too_large',
  'i_number_too_big_pos_int.json': 'json_integer_too_large',
  'i_number_very_big_negative_int.json': 'json_integer_too_large',
  'i_object_key_lone_2nd_surrogate.json': 'json_lone_surrogate',
  'i_string_1st_surrogate_but_2nd_missing.json': 'json_lone_surrogate',
  'i_string_1st_valid_surrogate_2nd_invalid.json': 'json_lone_surrogate',
  'i_string_UTF-16LE_with_BOM.json': 'json_invalid_utf8',
  'i_string_UTF-8_invalid_sequence.json': 'json_invalid_utf8',
  'i_string_UTF8_surrogate_U+D800.json': 'json_invalid_utf8',
  'i_string_incomplete_surrogate_and_escape_valid.json': 'json_lone_surrogate',
  'i_string_incomplete_surrogate_pair.json': 'json_lone_surrogate',
  'i_string_incomplete_surrogates_escape_valid.json': 'json_lone_surrogate',
  'i_string_invalid_lonely_surrogate.json': 'json_lone_surrogate',
  'i_string_invalid_surrogate.json': 'json_lone_surrogate',
  'i_string_invalid_utf-8.json': 'json_invalid_utf8',
  'i_string_inverted_surrogates_U+1D11E.json': 'json_lone_surrogate',
  'i_string_iso_latin_1.json': 'json_invalid_utf8',
  'i_string_lone_second_surrogate.json': 'json_lone_surrogate',
  'i_string_lone_utf8_continuation_byte.json': 'json_invalid_utf8',
  'i_string_not_in_unicode_range.json': 'json_invalid_utf8',
  'i_string_overlong_sequence_2_bytes.json': 'json_invalid_utf8',
  'i_string_overlong_sequence_6_bytes.json': 'json_invalid_utf8',
  'i_string_overlong_sequence_6_bytes_null.json': 'json_invalid_utf8',
  'i_string_truncated-utf-8.json': 'json_invalid_utf8',
  'i_string_utf16BE_no_BOM.json': 'json_invalid_utf8',
  'i_string_utf16LE_no_BOM.json': 'json_invalid_utf8',
  'i_structure_500_nested_arrays.json': 'json_too_deep',
  'i_structure_UTF-8_BOM_empty_object.json': 'json_byte_order_mark',
};

/** Canonical text, or the code of the refusal. */
const TRANSFORMED: Readonly<Record<string, string>> = {
  'number_-9223372036854775808.json': 'json_integer_too_large',
  'number_-9223372036854775809.json': 'json_integer_too_large',
  'number_1.0.json': '[1]',
  'number_1.000000000000000005.json': 'json_too_many_digits',
  'number_1000000000000000.json': '[1000000000000000]',
  'number_10000000000000000999.json': 'json_integer_too_large',
  'number_1e-999.json': 'json_number_underflow',
  'number_1e6.json': '[1000000]',
  'number_9223372036854775807.json': 'json_integer_too_large',
  'number_9223372036854775808.json': 'json_integer_too_large',
  'object_key_nfc_nfd.json': '{"e\u0301":"NFD","\u00e9":"NFC"}',
  'object_key_nfd_nfc.json': '{"e\u0301":"NFD","\u00e9":"NFC"}',
  'object_same_key_different_values.json': 'json_duplicate_key',
  'object_same_key_same_value.json': 'json_duplicate_key',
  'object_same_key_unclear_values.json': 'json_duplicate_key',
  'string_1_escaped_invalid_codepoint.json': 'json_lone_surrogate',
  'string_1_invalid_codepoint.json': 'json_invalid_utf8',
  'string_2_escaped_invalid_codepoints.json': 'json_lone_surrogate',
  'string_2_invalid_codepoints.json': 'json_invalid_utf8',
  'string_3_escaped_invalid_codepoints.json': 'json_lone_surrogate',
  'string_3_invalid_codepoints.json': 'json_invalid_utf8',
  'string_with_escaped_NULL.json': '["A\\u0000B"]',
};

/** One cause, one code: the three spellings of a repeated key share theirs, as do lone surrogates. */
const TRAPPED: Readonly<Record<string, JsonErrorCode>> = {
  'dup-key': 'json_duplicate_key',
  'dup-key-escaped': 'json_duplicate_key',
  'dup-key-nested': 'json_duplicate_key',
  'big-int': 'json_integer_too_large',
  overflow: 'json_number_overflow',
  'long-fraction': 'json_too_many_digits',
  'lone-surrogate': 'json_lone_surrogate',
  'lone-surrogate-key': 'json_lone_surrogate',
  proto: 'json_forbidden_key',
  'negative-zero': 'json_negative_zero',
  bom: 'json_byte_order_mark',
};

describe('JSONTestSuite, test_parsing', () => {
  it('holds the 316 cases that the lists below were made for', () => {
    assert.equal(suite.cases.length, 316);
  });

  it('refuses every document that must be refused', () => {
    const accepted = casesExpecting('reject').filter(([, code]) => code === 'accepted');
    assert.deepEqual(accepted, []);
    assert.equal(casesExpecting('reject').length, 186);
  });

  it('accepts every document that must be accepted, but for exactly those refused on purpose', () => {
    const refused = casesExpecting('accept').filter(([, code]) => code !== 'accepted');
    assert.deepEqual(Object.fromEntries(refused), REFUSED_ON_PURPOSE);
  });

  it('gives every implementation-defined document the code that is written down for it', () => {
    const given = casesExpecting('implementation-defined');
    assert.deepEqual(Object.fromEntries(given), IMPLEMENTATION_DEFINED);
  });

  it('refuses 100,000 opening brackets at the first bracket that is too deep', () => {
    const parsed = parseJson(new TextEncoder().encode('['.repeat(100_000)));
    assert.ok(!parsed.ok);
    assert.deepEqual([parsed.error.code, parsed.error.offset], ['json_too_deep', 64]);
  });

  it('refuses 50,000 opened arrays and objects at the first container that is too deep', () => {
    const parsed = parseJson(new TextEncoder().encode(`${'[{"":'.repeat(50_000)}\n`));
    assert.ok(!parsed.ok);
    assert.deepEqual([parsed.error.code, parsed.error.offset], ['json_too_deep', 32 * 5]);
  });
});

describe('JSONTestSuite, test_transform', () => {
  it('gives every document the canonical text or the code that is written down for it', () => {
    const given = transform.cases.map(({ name, b64 }) => [name, outcome(bytesOf(b64))]);
    assert.deepEqual(Object.fromEntries(given), TRANSFORMED);
  });
});

describe('payload mismatch traps', () => {
  it('are each refused with the code of their cause', () => {
    const given = traps.cases.flatMap(({ id, text }) =>
      typeof text === 'string' ? [[id, outcome(new TextEncoder().encode(text))]] : [],
    );
    assert.deepEqual(Object.fromEntries(given), TRAPPED);
  });

  it('two texts that look the same and are composed differently have two digests', () => {
    const trap = traps.cases.find(({ id }) => id === 'nfc-vs-nfd');
    assert.ok(trap !== undefined && typeof trap.text !== 'string');
    const digests = trap.text.map((text) => {
      const parsed = parseJson(new TextEncoder().encode(text));
      assert.ok(parsed.ok);
      return digestOf('exequatur/action/v1', parsed.value);
    });
    assert.equal(digests.length, 2);
    assert.equal(new Set(digests).size, 2);
  });
});

function casesExpecting(expect: string): readonly (readonly [string, string])[] {
  return suite.cases
    .filter((one) => one.expect === expect)
    .map(({ name, b64 }) => {
      const parsed = parseJson(bytesOf(b64));
      return [name, parsed.ok ? 'accepted' : parsed.error.code];
    });
}

function outcome(bytes: Uint8Array): string {
  const parsed = parseJson(bytes);
  return parsed.ok ? writeCanonical(parsed.value) : parsed.error.code;
}

function bytesOf(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64');
}

function vectorText(path: string): string {
  return readFileSync(new URL(path, VECTORS), 'utf8');
}
