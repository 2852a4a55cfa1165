import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { argumentValue, argumentValues } from './argument-value.ts';
import { ARGUMENT_ERROR_CODES, checkArguments } from './arguments.ts';
import { equal } from './expression/value.ts';
import type { ArgumentFields, ArgumentType } from './inventory.ts';
import type { JsonObject, JsonValue } from './json/value.ts';

const STRING: ArgumentType = { kind: 'string', lengthMax: 3 };
const MONEY: ArgumentType = { kind: 'money', currency: 'EUR', minorDigits: 2 };
const YEN: ArgumentType = { kind: 'money', currency: 'JPY', minorDigits: 0 };
const ENUM: ArgumentType = { kind: 'enum', values: ['a', 'b'] };
const PATH: ArgumentType = { kind: 'path', within: '/srv/shop' };
const URL_TYPE: ArgumentType = { kind: 'url', hosts: ['x.example', 'y.example:8443'] };
const ARRAY: ArgumentType = { kind: 'array', items: { kind: 'integer' }, itemsMax: 2 };
const OBJECT: ArgumentType = { kind: 'object', fields: { a: { type: STRING, optional: false } } };

function codesOf(type: ArgumentType, value: JsonValue): readonly string[] {
  return checkArguments({ x: { type, optional: false } }, { x: value }).map(({ code }) => code);
}

const SECRET: ArgumentType = { kind: 'secret', names: ['deploy-key'] };

const ACCEPTED: readonly (readonly [ArgumentType, JsonValue])[] = [
  [STRING, ''],
  [STRING, '😀😀😀'],
  [STRING, 'abc'],
  [{ kind: 'boolean' }, false],
  [{ kind: 'oci-digest' }, `sha256:${'0a'.repeat(32)}`],
  [SECRET, 'deploy-key'],
  [{ kind: 'integer' }, 0],
  [{ kind: 'integer' }, -9_007_199_254_740_991],
  [{ kind: 'integer' }, '9007199254740992'],
  [{ kind: 'integer' }, '999999999999999999'],
  [{ kind: 'integer' }, '-999999999999999999'],
  [{ kind: 'decimal' }, '-12.5'],
  [MONEY, '49.90'],
  [MONEY, '0.00'],
  [YEN, '49'],
  [{ kind: 'date' }, '2028-02-29'],
  [{ kind: 'instant' }, '2026-11-22T04:12:00Z'],
  [{ kind: 'instant' }, '2026-11-22T04:12:00.250Z'],
  [{ kind: 'duration' }, '1h30m'],
  [ENUM, 'b'],
  [PATH, '/srv/shop'],
  [PATH, '/srv/shop/a b/.hidden'],
  [{ kind: 'path', within: '/' }, '/etc'],
  [{ kind: 'path', within: '/' }, '/'],
  [{ kind: 'path', within: '/srv//' }, '/srv/a'],
  [{ kind: 'path', within: '/' }, `/${'x'.repeat(4095)}`],
  [URL_TYPE, `https://x.example/${'x'.repeat(4078)}`],
  [{ kind: 'blob' }, `sha256:${'0a'.repeat(32)}`],
  [URL_TYPE, 'https://x.example/a?b=1#c'],
  [URL_TYPE, 'http://y.example:8443/'],
  [ARRAY, [1, 2]],
  [OBJECT, { a: 'x' }],
];

const REFUSED: readonly (readonly [ArgumentType, JsonValue, string])[] = [
  [STRING, 'abcd', 'argument_too_long'],
  [STRING, 1, 'argument_type'],
  [STRING, null, 'argument_type'],
  [{ kind: 'boolean' }, 'true', 'argument_type'],
  [{ kind: 'integer' }, 1.5, 'argument_malformed'],
  [{ kind: 'blob' }, 1, 'argument_type'],
  [{ kind: 'blob' }, '0a'.repeat(32), 'argument_malformed'],
  [{ kind: 'blob' }, `sha256:${'0A'.repeat(32)}`, 'argument_malformed'],
  [{ kind: 'oci-digest' }, 1, 'argument_type'],
  [{ kind: 'oci-digest' }, 'latest', 'argument_malformed'],
  [{ kind: 'oci-digest' }, '0a'.repeat(32), 'argument_malformed'],
  [{ kind: 'oci-digest' }, `sha256:${'0A'.repeat(32)}`, 'argument_malformed'],
  [{ kind: 'oci-digest' }, `sha256:${'0a'.repeat(32)}0`, 'argument_malformed'],
  [{ kind: 'oci-digest' }, `sha256:${'0a'.repeat(32)}\n`, 'argument_malformed'],
  [{ kind: 'oci-digest' }, `md5:${'0a'.repeat(16)}`, 'argument_malformed'],
  [SECRET, 1, 'argument_type'],
  [SECRET, 'root-key', 'argument_not_allowed'],
  [{ kind: 'integer' }, 9_007_199_254_740_992, 'argument_malformed'],
  [{ kind: 'integer' }, -0, 'argument_malformed'],
  [{ kind: 'integer' }, '12', 'argument_not_canonical'],
  [{ kind: 'integer' }, '9007199254740993x', 'argument_malformed'],
  [{ kind: 'integer' }, '-9999999999999999999', 'argument_malformed'],
  [{ kind: 'integer' }, '09007199254740993', 'argument_malformed'],
  [{ kind: 'integer' }, '9999999999999999999', 'argument_malformed'],
  [{ kind: 'integer' }, true, 'argument_type'],
  [{ kind: 'decimal' }, '12.50', 'argument_not_canonical'],
  [{ kind: 'decimal' }, '1e3', 'argument_malformed'],
  [{ kind: 'decimal' }, 1.5, 'argument_type'],
  [MONEY, '49.9', 'argument_not_canonical'],
  [MONEY, '49.900', 'argument_not_canonical'],
  [MONEY, '-1.00', 'argument_not_allowed'],
  [MONEY, '1,00', 'argument_malformed'],
  [MONEY, 49.9, 'argument_type'],
  [YEN, '49.0', 'argument_not_canonical'],
  [{ kind: 'date' }, '2026-02-29', 'argument_malformed'],
  [{ kind: 'date' }, '2026-2-1', 'argument_malformed'],
  [{ kind: 'instant' }, '2026-11-22T05:12:00+01:00', 'argument_not_canonical'],
  [{ kind: 'instant' }, '2026-11-22T04:12:00.000Z', 'argument_not_canonical'],
  [{ kind: 'instant' }, '2026-11-22', 'argument_malformed'],
  [{ kind: 'duration' }, '90m', 'argument_not_canonical'],
  [{ kind: 'duration' }, 'soon', 'argument_malformed'],
  [ENUM, 'c', 'argument_not_allowed'],
  [PATH, 'srv/shop/x', 'argument_malformed'],
  [PATH, '/srv/shop/./x', 'argument_not_canonical'],
  [PATH, '/etc/../x', 'argument_not_canonical'],
  [{ kind: 'path', within: '/' }, '//x', 'argument_not_canonical'],
  [{ kind: 'path', within: '/' }, 'x/', 'argument_malformed'],
  [{ kind: 'path', within: '/' }, `/${'x'.repeat(4096)}`, 'argument_malformed'],
  [{ kind: 'blob' }, 1, 'argument_type'],
  [{ kind: 'blob' }, `x sha256:${'0a'.repeat(32)}`, 'argument_malformed'],
  [PATH, '/srv/shop/\u0000x', 'argument_malformed'],
  [PATH, '/srv/shop/../other', 'argument_not_canonical'],
  [PATH, '/srv/shop//x', 'argument_not_canonical'],
  [PATH, '/srv/shop/', 'argument_not_canonical'],
  [PATH, '/srv/shopping', 'argument_not_allowed'],
  [URL_TYPE, 'https://X.example/', 'argument_not_canonical'],
  [URL_TYPE, 'https://x.example:443/', 'argument_not_canonical'],
  [URL_TYPE, 'https://x.example/a/../b', 'argument_not_canonical'],
  [URL_TYPE, 'https://x.example', 'argument_not_canonical'],
  [URL_TYPE, 'https://me@x.example/', 'argument_not_allowed'],
  [URL_TYPE, 'https://x.example.evil.example/', 'argument_not_allowed'],
  [URL_TYPE, 'https://y.example/', 'argument_not_allowed'],
  [URL_TYPE, 'file:///etc/passwd', 'argument_malformed'],
  [URL_TYPE, 'x.example', 'argument_malformed'],
  [URL_TYPE, `https://x.example/${'x'.repeat(4079)}`, 'argument_malformed'],
  [URL_TYPE, 'https://:secret@x.example/', 'argument_not_allowed'],
  [ARRAY, [1, 2, 3], 'argument_too_long'],
  [ARRAY, [1, 'x'], 'argument_malformed'],
  [ARRAY, ['x', 'y', 'z'], 'argument_too_long'],
  [ARRAY, {}, 'argument_type'],
  [OBJECT, [], 'argument_type'],
  [OBJECT, {}, 'argument_missing'],
  [OBJECT, { a: 'x', b: 1 }, 'argument_unknown'],
];

describe('the arguments of an action', () => {
  for (const [type, value] of ACCEPTED) {
    test(`take ${JSON.stringify(value)} as ${type.kind}`, () =>
      assert.deepEqual(codesOf(type, value), []));
  }
  for (const [type, value, code] of REFUSED) {
    test(`refuse ${Object.is(value, -0) ? '-0' : JSON.stringify(value)} as ${type.kind}: ${code}`, () =>
      assert.deepEqual(codesOf(type, value), [code]));
  }

  test('that are refused give expressions no value of their type, and never throw', () => {
    const fields: ArgumentFields = Object.fromEntries(
      ACCEPTED.map(([type], index) => [`x${String(index)}`, { type, optional: false }]),
    );
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: ACCEPTED.length }), (values) => {
        const args: JsonObject = JSON.parse(
          JSON.stringify(
            Object.fromEntries(values.map((value, index) => [`x${String(index)}`, value])),
          ),
        );
        checkArguments(fields, args);
        for (const seen of Object.values(argumentValues(fields, args)))
          assert.notEqual(seen, undefined);
      }),
    );
    assert.equal(argumentValue({ kind: 'integer' }, '12x'), undefined);
    assert.equal(argumentValue({ kind: 'date' }, '2026-02-30'), undefined);
  });

  test('give every code of the list', () => {
    const given = new Set(REFUSED.map(([, , code]) => code));
    assert.deepEqual([...given].sort(), [...ARGUMENT_ERROR_CODES].sort());
  });

  test('point at what is wrong, escaped, with all errors at once and never with the value', () => {
    const fields: ArgumentFields = {
      items: { type: { kind: 'array', items: OBJECT, itemsMax: 9 }, optional: false },
      amount: { type: MONEY, optional: true },
    };
    const args: JsonObject = { items: [{ a: 'ok' }, { a: 'secret!' }], 'amo/unt': 'secret!' };
    assert.deepEqual(checkArguments(fields, args), [
      {
        pointer: '/amo~1unt',
        code: 'argument_unknown',
        message: 'not an argument: did you mean `amount`?',
      },
      { pointer: '/items/1/a', code: 'argument_too_long', message: 'has more than 3 characters' },
    ]);
  });

  const MESSAGES: readonly (readonly [ArgumentType, JsonValue, string])[] = [
    [STRING, 1, 'must be a text'],
    [{ kind: 'decimal' }, 1.5, 'must be a text, such as "12.5"'],
    [MONEY, 49.9, 'must be a text, such as "49.90"'],
    [{ kind: 'date' }, 1, 'must be a text, such as "2026-11-22"'],
    [{ kind: 'instant' }, 1, 'must be a text, such as "2026-11-22T04:12:00Z"'],
    [{ kind: 'duration' }, 1, 'must be a text, such as "1h30m"'],
    [{ kind: 'decimal' }, 'x', 'must be a decimal such as "12.5"'],
    [{ kind: 'instant' }, 'x', 'must be an instant such as "2026-11-22T04:12:00Z"'],
    [{ kind: 'duration' }, 'x', 'must be a duration such as "1h30m"'],
    [{ kind: 'duration' }, '90m', 'must be written "1h30m"'],
    [ENUM, 'c', 'must be one of `a`, `b`'],
    [MONEY, 'x', 'must be an amount of EUR such as "49.90"'],
    [YEN, 'x', 'must be an amount of JPY such as "49"'],
    [{ ...MONEY, minorDigits: 1 }, 'x', 'must be an amount of EUR such as "49.9"'],
    [{ ...MONEY, minorDigits: 3 }, 'x', 'must be an amount of EUR such as "49.900"'],
    [YEN, '49.0', 'must have exactly 0 decimals, as "49" JPY'],
    [PATH, '/srv/shopping', 'must be inside `/srv/shop`'],
    [URL_TYPE, 'https://y.example/', 'must be at `x.example` or `y.example:8443`'],
    [ARRAY, [1, 2, 3], 'has 3 items, at most 2 are allowed'],
    [{ kind: 'integer' }, 'x', 'must be a whole number of at most 18 digits'],
  ];
  for (const [type, value, message] of MESSAGES) {
    test(`say ${message}`, () => {
      assert.deepEqual(
        checkArguments({ x: { type, optional: false } }, { x: value }).map(
          (error) => error.message,
        ),
        [message],
      );
    });
  }

  test('without a name like it get no suggestion', () => {
    assert.deepEqual(checkArguments({}, { 'a~b/c~d': 1 }), [
      { pointer: '/a~0b~1c~0d', code: 'argument_unknown', message: 'not an argument' },
    ]);
  });

  test('may lack what is optional, and nothing else', () => {
    const fields: ArgumentFields = {
      a: { type: STRING, optional: true },
      b: { type: STRING, optional: false },
    };
    for (const none of [{}, Object.create({ a: 1, b: 'x' })]) {
      assert.deepEqual(checkArguments(fields, none), [
        { pointer: '/b', code: 'argument_missing', message: 'is required' },
      ]);
    }
  });

  test('named as members of every object are unknown like any other', () => {
    assert.deepEqual(
      checkArguments({}, JSON.parse('{"__proto__":1,"constructor":2}')).map(({ code }) => code),
      ['argument_unknown', 'argument_unknown'],
    );
  });

  const types: readonly (readonly [ArgumentType, fc.Arbitrary<string | number>])[] = [
    [{ kind: 'integer' }, fc.oneof(fc.maxSafeInteger(), fc.stringMatching(/^-?\d{1,18}$/u))],
    [{ kind: 'decimal' }, fc.stringMatching(/^-?\d{1,3}(\.\d{1,3})?$/u)],
    [MONEY, fc.stringMatching(/^\d{1,3}(\.\d{1,3})?$/u)],
    [
      { kind: 'instant' },
      fc.stringMatching(/^2026-0[1-3]-0[1-9]T0[1-3]:00:0[0-2](\.[05]{1,3})?(Z|[+-]0[0-2]:00)$/u),
    ],
    [{ kind: 'duration' }, fc.stringMatching(/^([1-3]h)?([1-9]0m)?([1-9]0s)?$/u)],
    [{ kind: 'date' }, fc.stringMatching(/^20[0-3]\d-0[1-3]-[0-3]\d$/u)],
  ];
  for (const [type, values] of types) {
    test(`have one accepted spelling for each ${type.kind}`, () => {
      let accepted = 0;
      fc.assert(
        fc.property(fc.array(values, { maxLength: 40 }), (spellings) => {
          const kept = [...new Set(spellings)].filter((value) => codesOf(type, value).length === 0);
          accepted += kept.length;
          for (const [index, one] of kept.entries()) {
            for (const other of kept.slice(index + 1)) {
              assert.ok(
                !equal(argumentValue(type, one), argumentValue(type, other)),
                `${String(one)} and ${String(other)}`,
              );
            }
          }
        }),
      );
      assert.ok(accepted > 50, `only ${String(accepted)} values were accepted`);
    });
  }
});
