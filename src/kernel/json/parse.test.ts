import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { JSON_DEPTH_CEILING } from './cursor.ts';
import { JSON_ERROR_CODES, JSON_LIMITS, parseJson, type JsonLimits } from './parse.ts';
import type { JsonValue } from './value.ts';

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function accepted(text: string, limits?: Partial<JsonLimits>): JsonValue {
  const parsed = parseJson(bytes(text), limits);
  assert.ok(parsed.ok, `refused: ${JSON.stringify(parsed)}`);
  return parsed.value;
}

function codeOf(source: string | Uint8Array, limits?: Partial<JsonLimits>): string {
  const parsed = parseJson(typeof source === 'string' ? bytes(source) : source, limits);
  return parsed.ok ? 'accepted' : parsed.error.code;
}

describe('parsed values', () => {
  it('are frozen at every depth, and their objects have no prototype', () => {
    const value = accepted('{"a":[{"b":{}},[]],"c":"d"}');
    const seen: unknown[] = [value];
    for (const part of seen) {
      if (typeof part !== 'object' || part === null) continue;
      assert.ok(Object.isFrozen(part));
      assert.equal(Object.getPrototypeOf(part), Array.isArray(part) ? Array.prototype : null);
      seen.push(...Object.values(part));
    }
    assert.equal(seen.length, 6);
  });

  it('have the members `constructor`, `prototype` and `toString` only if the document does', () => {
    const value = accepted('{"constructor":1,"prototype":2}');
    assert.ok(typeof value === 'object' && value !== null);
    assert.deepEqual(Object.entries(value), [
      ['constructor', 1],
      ['prototype', 2],
    ]);
    assert.equal('toString' in value, false);
  });

  it('do not change when the bytes they came from are overwritten', () => {
    const source = bytes('{"payee":"a long enough name of a payee"}');
    const parsed = parseJson(source);
    source.fill(0x20);
    assert.ok(parsed.ok);
    assert.equal(JSON.stringify(parsed.value), '{"payee":"a long enough name of a payee"}');
  });

  it('have the keys of their own document, whatever documents were read before', () => {
    // JSON.parse of Node 24 names the second key `\\` here (nodejs/node#63785).
    for (const first of ['"\\\\"', '"\\u0041"', '"a"']) {
      for (let run = 0; run < 100; run += 1) accepted(`[{"h":[],${first}:1}]`);
      for (const [spelled, key] of [
        ['\\u001f', '\u001f'],
        ['\\n', '\n'],
        ['\\"', '"'],
        ['\\u0042', 'B'],
      ]) {
        const [value] = Object.values(accepted(`[{"h":1,"${spelled}":2}]`) ?? []);
        assert.deepEqual(Object.keys(value), ['h', key]);
      }
    }
  });

  it('hold what every escape stands for', () => {
    assert.equal(
      accepted('"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\uD83d\\uDe00x\\u2028"'),
      '"\\/\b\f\n\r\t\0\u00e9\u{1f600}x\u2028',
    );
  });

  it('hold raw text of every length in UTF-8, and U+FEFF where it is not a byte-order mark', () => {
    assert.equal(
      accepted('"a\u00e9\u20ac\u{1f600}\ufeff\u007f"'),
      'a\u00e9\u20ac\u{1f600}\ufeff\u007f',
    );
  });
});

describe('refusals', () => {
  const cases: readonly (readonly [document: string, code: string])[] = [
    ['', 'json_unexpected_end'],
    [' \n', 'json_unexpected_end'],
    ['nul', 'json_unexpected_end'],
    ['[1', 'json_unexpected_end'],
    ['"a', 'json_unexpected_end'],
    ['"\\u12', 'json_unexpected_end'],
    ['nulL', 'json_unexpected_token'],
    ['[1,]', 'json_unexpected_token'],
    ['{"a":1,}', 'json_unexpected_token'],
    ['{a:1}', 'json_unexpected_token'],
    ['\u00a01', 'json_unexpected_token'],
    ['\ufffe', 'json_unexpected_token'],
    ['1 1', 'json_trailing_content'],
    ['{}]', 'json_trailing_content'],
    ['"\u0000"', 'json_control_character'],
    ['"\u001f"', 'json_control_character'],
    ['"\\a"', 'json_bad_escape'],
    ['"\\U0041"', 'json_bad_escape'],
    ['"\\u00g0"', 'json_bad_escape'],
    ['"\\u00 0"', 'json_bad_escape'],
    ['"\\ud800"', 'json_lone_surrogate'],
    ['"\\udc00\\ud800"', 'json_lone_surrogate'],
    ['"\\ud800\\u0041"', 'json_lone_surrogate'],
    ['{"\\udfff":1}', 'json_lone_surrogate'],
    ['"\\ufdd0"', 'json_noncharacter'],
    ['"\ufdef"', 'json_noncharacter'],
    ['{"\\ufffe":1}', 'json_noncharacter'],
    ['"\u{1fffe}"', 'json_noncharacter'],
    ['"\\udbff\\udfff"', 'json_noncharacter'],
    ['{"__proto__":1}', 'json_forbidden_key'],
    ['{"\\u005f_proto__":1}', 'json_forbidden_key'],
    ['{"a":1,"\\u0061":1}', 'json_duplicate_key'],
    ['[{"a":{"":1,"":2}}]', 'json_duplicate_key'],
    ['{"constructor":1,"constructor":1}', 'json_duplicate_key'],
    ['{"1":1,"1":1}', 'json_duplicate_key'],
    ['01', 'json_bad_number'],
    ['-', 'json_bad_number'],
    ['1.', 'json_bad_number'],
    ['1e', 'json_bad_number'],
    ['1e+', 'json_bad_number'],
    ['-a', 'json_bad_number'],
    ['9007199254740992', 'json_integer_too_large'],
    ['-9007199254740992', 'json_integer_too_large'],
    ['9007199254740993.0', 'json_integer_too_large'],
    ['1e20', 'json_integer_too_large'],
    [`1${'0'.repeat(400)}`, 'json_integer_too_large'],
    ['1.23456789012345678', 'json_too_many_digits'],
    ['0.100000000000000000', 'json_too_many_digits'],
    ['1e309', 'json_number_overflow'],
    ['-1e309', 'json_number_overflow'],
    ['1e-400', 'json_number_underflow'],
    ['-1e-400', 'json_number_underflow'],
    ['-0', 'json_negative_zero'],
    ['-0.0', 'json_negative_zero'],
    ['-0e5', 'json_negative_zero'],
  ];
  for (const [document, code] of cases) {
    it(`${JSON.stringify(document.slice(0, 40))} is ${code}`, () => {
      assert.equal(codeOf(document), code);
    });
  }

  it('every code is given by some document', () => {
    const given = new Set([
      ...cases.map(([document]) => codeOf(document)),
      codeOf('\ufeff1'),
      codeOf(Uint8Array.of(0xff)),
      codeOf('[[1]]', { depthMax: 1 }),
      codeOf('[1]', { bytesMax: 2 }),
      codeOf('{"a":1}', { keysMax: 0 }),
      codeOf('[1]', { itemsMax: 0 }),
      codeOf('"ab"', { stringLengthMax: 1 }),
      codeOf('{"ab":1}', { keyLengthMax: 1 }),
    ]);
    assert.deepEqual(
      JSON_ERROR_CODES.filter((code) => !given.has(code)),
      [],
    );
  });

  it('every code is given by the parser once, so that none is only declared', () => {
    const sources = readdirSync(import.meta.dirname)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'refusal.ts')
      .map((name) => readFileSync(`${import.meta.dirname}/${name}`, 'utf8'))
      .join('');
    assert.deepEqual(
      JSON_ERROR_CODES.filter((code) => !sources.includes(`'${code}'`)),
      [],
    );
  });
});

describe('numbers that are accepted', () => {
  const cases: readonly (readonly [document: string, value: number])[] = [
    ['0', 0],
    ['0.0', 0],
    ['0e5', 0],
    ['0.00000000000000000000', 0],
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
    ['0.00000000000000000012345678901234567', Number('1.2345678901234567e-19')],
    ['1.2345678901234567', 1.2345678901234567],
    ['1E+21', 1e21],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['5e-324', 5e-324],
    ['-1.5E-3', -0.0015],
  ];
  for (const [document, value] of cases) {
    it(`${document} is ${value}`, () => {
      assert.equal(accepted(document), value);
    });
  }

  it('are the doubles that the platform reads', () => {
    fc.assert(
      fc.property(
        fc.tuple(
          fc.maxSafeInteger(),
          fc.integer({ min: 0, max: 99 }),
          fc.integer({ min: -340, max: 290 }),
        ),
        ([whole, fraction, exponent]) => {
          const text = `${Math.trunc(whole / 100)}.${fraction}e${exponent}`;
          const parsed = parseJson(bytes(text));
          if (parsed.ok) assert.equal(parsed.value, Number(text));
        },
      ),
    );
  });
});

describe('positions', () => {
  it('are bytes from 0, lines from 1, and code points from 1 in the line', () => {
    const parsed = parseJson(bytes('{\n "\u00e9\u{1f600}": 1,\r\n "\u20ac\u{1f600}": 01}'));
    assert.ok(!parsed.ok);
    assert.deepEqual(parsed.error, {
      code: 'json_bad_number',
      message: 'this is not a number in json',
      offset: 29,
      line: 3,
      column: 8,
    });
  });

  it('point at the first byte of what is not UTF-8', () => {
    const parsed = parseJson(Uint8Array.of(0x22, 0xc3, 0xa9, 0x0a, 0x61, 0xed, 0xa0, 0x80, 0x22));
    assert.ok(!parsed.ok);
    const { code, offset, line, column } = parsed.error;
    assert.deepEqual([code, offset, line, column], ['json_invalid_utf8', 5, 2, 2]);
  });

  it('point at the second of two equal keys, and at the end if something is missing', () => {
    const duplicate = parseJson(bytes('{"a":1, "a":2}'));
    const missing = parseJson(bytes('{"a":1'));
    assert.ok(!duplicate.ok && !missing.ok);
    assert.deepEqual([duplicate.error.offset, missing.error.offset], [8, 6]);
  });
});

describe('precedence', () => {
  const cases: readonly (readonly [why: string, source: Uint8Array, code: string])[] = [
    ['size before a byte-order mark', bytes('\ufeff"abcdefghi"'), 'json_too_large'],
    [
      'a byte-order mark before UTF-8',
      Uint8Array.of(0xef, 0xbb, 0xbf, 0xff),
      'json_byte_order_mark',
    ],
    ['UTF-8 before an earlier syntax error', Uint8Array.of(0x5d, 0xff), 'json_invalid_utf8'],
    ['the first place before the second', bytes('[01,-0]'), 'json_bad_number'],
    [
      'a repeated key before what is wrong with its value',
      bytes('{"a":1,"a":-'),
      'json_duplicate_key',
    ],
    ['a character before its whole key', bytes('{"":{"\\x'), 'json_bad_escape'],
  ];
  for (const [why, source, code] of cases) {
    it(`${why}: ${code}`, () => {
      assert.equal(codeOf(source, { bytesMax: 12 }), code);
    });
  }

  it('of numbers: unsafe integers, digits, overflow, underflow, the sign of zero', () => {
    assert.equal(codeOf('123456789012345678'), 'json_integer_too_large');
    assert.equal(codeOf('1.234567890123456789e400'), 'json_too_many_digits');
    assert.equal(codeOf('-1.234567890123456789e-400'), 'json_too_many_digits');
    assert.equal(codeOf('-1e-400'), 'json_number_underflow');
  });

  it('of keys: too many, too long, forbidden', () => {
    assert.equal(codeOf('{"__proto__":1}', { keysMax: 0, keyLengthMax: 1 }), 'json_too_many_keys');
    assert.equal(codeOf('{"__proto__":1}', { keyLengthMax: 1 }), 'json_key_too_long');
  });
});

describe('limits', () => {
  type LimitCase = {
    readonly limit: keyof JsonLimits;
    readonly code: string;
    /** A document that has exactly `size` of what is limited. */
    readonly document: (size: number) => string;
  };
  const cases: readonly LimitCase[] = [
    {
      limit: 'bytesMax',
      code: 'json_too_large',
      document: (size) => `[]${' '.repeat(size - 2)}`,
    },
    {
      limit: 'depthMax',
      code: 'json_too_deep',
      document: (size) => `${'['.repeat(size)}${']'.repeat(size)}`,
    },
    {
      limit: 'depthMax',
      code: 'json_too_deep',
      document: (size) => `${'{"a":'.repeat(size)}1${'}'.repeat(size)}`,
    },
    {
      limit: 'keysMax',
      code: 'json_too_many_keys',
      // Counted over all objects: half of them lie in one object, half in another.
      document: (size) => `[${objectOf(Math.floor(size / 2))},${objectOf(Math.ceil(size / 2))}]`,
    },
    {
      limit: 'itemsMax',
      code: 'json_too_many_items',
      document: (size) =>
        `[[${'1,'.repeat(Math.floor(size / 2) - 1)}1],${'1,'.repeat(Math.ceil(size / 2) - 2)}1]`,
    },
    {
      limit: 'stringLengthMax',
      code: 'json_string_too_long',
      document: (size) => `"${'a'.repeat(size - 3)}\u20ac\\ud83d\\ude00"`,
    },
    {
      limit: 'keyLengthMax',
      code: 'json_key_too_long',
      document: (size) => `{"${'a'.repeat(size - 1)}\\n":1}`,
    },
  ];

  for (const { limit, code, document } of cases) {
    it(`a document at ${limit} is accepted, and one past it is ${code}`, () => {
      assert.equal(codeOf(document(JSON_LIMITS[limit])), 'accepted');
      assert.equal(codeOf(document(JSON_LIMITS[limit] + 1)), code);
    });
  }

  it('every limit has a case', () => {
    const covered = new Set<string>(cases.map(({ limit }) => limit));
    assert.deepEqual(
      Object.keys(JSON_LIMITS).filter((limit) => !covered.has(limit)),
      [],
    );
  });

  it('a depth limit works up to the ceiling, and one past it is a defect of the caller', () => {
    const deep = '['.repeat(JSON_DEPTH_CEILING) + ']'.repeat(JSON_DEPTH_CEILING);
    assert.equal(codeOf(deep, { depthMax: JSON_DEPTH_CEILING }), 'accepted');
    assert.throws(() => parseJson(bytes('1'), { depthMax: JSON_DEPTH_CEILING + 1 }), RangeError);
  });
});

/** An object with `count` members. */
function objectOf(count: number): string {
  return `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`;
}
