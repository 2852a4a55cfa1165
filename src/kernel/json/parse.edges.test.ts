/** What the parser says at the very edges: the exact place of a fault, and the exact limit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { JSON_ERROR_CODES, parseJson, type JsonLimits } from './parse.ts';

function said(source: string | readonly number[], limits?: Partial<JsonLimits>): string {
  const bytes =
    typeof source === 'string' ? new TextEncoder().encode(source) : Uint8Array.from(source);
  const parsed = parseJson(bytes, limits);
  if (parsed.ok) return 'accepted';
  const { code, offset, line, column } = parsed.error;
  return `${code} at ${String(offset)}, ${String(line)}:${String(column)}`;
}

describe('a fault is told where it is', () => {
  const faults: readonly (readonly [string | readonly number[], string])[] = [
    ['tXue', 'json_unexpected_token at 1, 1:2'],
    ['trXe', 'json_unexpected_token at 2, 1:3'],
    ['truX', 'json_unexpected_token at 3, 1:4'],
    ['tr', 'json_unexpected_end at 2, 1:3'],
    ['fals3', 'json_unexpected_token at 4, 1:5'],
    [':', 'json_unexpected_token at 0, 1:1'],
    ['+1', 'json_unexpected_token at 0, 1:1'],
    ['.5', 'json_unexpected_token at 0, 1:1'],
    ['[1,\n  x]', 'json_unexpected_token at 6, 2:3'],
    ['\n\n"é" x', 'json_trailing_content at 7, 3:5'],
    [[0xef, 0xbb, 0xbf, 0x31], 'json_byte_order_mark at 0, 1:1'],
    [[0xef, 0xbb, 0x31], 'json_invalid_utf8 at 0, 1:1'],
    [[0xef, 0x31], 'json_invalid_utf8 at 0, 1:1'],
    // Another character that begins or ends like the mark.
    [[0xef, 0xbb, 0xbe], 'json_unexpected_token at 0, 1:1'],
    [[0xef, 0xbc, 0xbf], 'json_unexpected_token at 0, 1:1'],
    [[0xee, 0xbb, 0xbf], 'json_unexpected_token at 0, 1:1'],
  ];
  for (const [source, place] of faults) {
    it(`${JSON.stringify(source)}: ${place}`, () => {
      assert.equal(said(source), place);
    });
  }
});

function towers(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

describe('a limit', () => {
  const limits: readonly (readonly [keyof JsonLimits, number, string, string, string])[] = [
    ['bytesMax', 3, '[1]', '[12]', 'json_too_large at 0, 1:1'],
    ['depthMax', 2, '[[1]]', '[[[1]]]', 'json_too_deep at 2, 1:3'],
    ['depthMax', 2, towers(2), towers(3), 'json_too_deep at 10, 1:11'],
    ['keysMax', 2, '{"a":1,"b":2}', '{"a":1,"b":2,"c":3}', 'json_too_many_keys at 13, 1:14'],
    ['itemsMax', 2, '[1,2]', '[1,2,3]', 'json_too_many_items at 5, 1:6'],
    ['itemsMax', 2, '[[1]]', '[[1],2]', 'json_too_many_items at 5, 1:6'],
    ['stringLengthMax', 2, '"ab"', '"abc"', 'json_string_too_long at 0, 1:1'],
    ['keyLengthMax', 2, '{"ab":1}', '{"abc":1}', 'json_key_too_long at 1, 1:2'],
  ];
  for (const [limit, most, fits, past, place] of limits) {
    it(`${limit} of ${String(most)} lets ${fits} pass and stops ${past}`, () => {
      assert.equal(said(fits, { [limit]: most }), 'accepted');
      assert.equal(said(past, { [limit]: most }), place);
    });
  }
});

it('blanks are space, line feed, carriage return and tab, and nothing else', () => {
  assert.equal(said(' \n\r\t[ \n\r\t1 \n\r\t] \n\r\t'), 'accepted');
  for (const other of ['\f', '\v', '\u00a0', '\u0008', '!']) {
    assert.match(said(`${other}1`), /^json_unexpected_token at 0/u);
  }
});

it('the codes of a refusal are listed once each, in their order', () => {
  assert.equal(JSON_ERROR_CODES[0], 'json_too_large');
  assert.equal(JSON_ERROR_CODES.at(-1), 'json_negative_zero');
  assert.equal(new Set(JSON_ERROR_CODES).size, 23);
});
