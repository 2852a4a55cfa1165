import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { argumentValue, argumentValues, isDate, isMembers } from './argument-value.ts';
import { parseDecimal } from './decimal.ts';
import { Duration, Timestamp } from './expression/value.ts';
import type { ArgumentFields, ArgumentType } from './inventory.ts';
import type { JsonValue } from './json/value.ts';

const MONEY: ArgumentType = { kind: 'money', currency: 'EUR', minorDigits: 2 };
const NUMBERS: ArgumentType = { kind: 'array', items: { kind: 'integer' }, itemsMax: 9 };
const NOON = Date.UTC(2026, 10, 22, 12);

const SEEN: readonly (readonly [ArgumentType, JsonValue, unknown])[] = [
  [{ kind: 'integer' }, 7, 7n],
  [{ kind: 'integer' }, '-7', -7n],
  [{ kind: 'integer' }, '-999999999999999999', -999_999_999_999_999_999n],
  [{ kind: 'integer' }, '1000000000000000000', 1_000_000_000_000_000_000n],
  [{ kind: 'integer' }, '10000000000000000000', undefined],
  [{ kind: 'integer' }, 1.5, undefined],
  [{ kind: 'integer' }, 'x1', undefined],
  [{ kind: 'integer' }, '1x', undefined],
  [{ kind: 'integer' }, true, undefined],
  [{ kind: 'integer' }, null, undefined],
  [{ kind: 'integer' }, ['5'], undefined],
  [{ kind: 'boolean' }, false, false],
  [{ kind: 'boolean' }, true, true],
  [{ kind: 'boolean' }, 'true', undefined],
  [NUMBERS, [1, '2'], [1n, 2n]],
  [NUMBERS, { length: 1 }, undefined],
  [NUMBERS, 'text', undefined],
  [{ kind: 'string', lengthMax: 9 }, 'text', 'text'],
  [{ kind: 'enum', values: ['a'] }, 'a', 'a'],
  [{ kind: 'path', within: '/' }, '/srv', '/srv'],
  [{ kind: 'url', hosts: [] }, 'https://x.example/', 'https://x.example/'],
  [{ kind: 'oci-digest' }, 'sha256:00', 'sha256:00'],
  [{ kind: 'blob' }, 'sha256:00', 'sha256:00'],
  [{ kind: 'secret', names: ['key'] }, 'key', 'key'],
  [{ kind: 'decimal' }, 'x', undefined],
  [{ kind: 'date' }, '2026-11-22', new Timestamp(Date.UTC(2026, 10, 22))],
  [{ kind: 'date' }, '2026-11-31', undefined],
  [{ kind: 'instant' }, '2026-11-22T12:00:00Z', new Timestamp(NOON)],
  [{ kind: 'instant' }, 'noon', undefined],
  [{ kind: 'duration' }, '1h', new Duration(3_600_000)],
  [{ kind: 'duration' }, 'long', undefined],
];

describe('an argument as expressions see it', () => {
  for (const [type, given, seen] of SEEN) {
    test(`is ${String(seen)} for ${JSON.stringify(given)} as ${type.kind}`, () => {
      assert.deepEqual(argumentValue(type, given), seen);
    });
  }

  test('is an exact decimal where it is a decimal or money', () => {
    const exact = parseDecimal('49.90');
    assert.ok(exact !== undefined);
    assert.deepEqual(argumentValue({ kind: 'decimal' }, '49.90'), exact);
    assert.deepEqual(argumentValue(MONEY, '49.90'), exact);
  });

  test('is nothing where a text is due and none is given', () => {
    for (const type of [...SEEN.map(([each]) => each), MONEY].filter(
      ({ kind }) => !['integer', 'boolean', 'array', 'object'].includes(kind),
    )) {
      for (const given of [1, true, null, [], {}]) {
        assert.equal(argumentValue(type, given), undefined);
      }
    }
  });

  test('is an object of its members, less those that are not what their type says', () => {
    const fields = {
      a: { type: { kind: 'boolean' }, optional: false },
      b: { type: { kind: 'boolean' }, optional: true },
      c: { type: { kind: 'boolean' }, optional: true },
      constructor: { type: { kind: 'boolean' }, optional: true },
    } as unknown as ArgumentFields;
    const object: ArgumentType = { kind: 'object', fields };
    const seen = argumentValue(object, { a: true, b: 'true' });
    assert.deepEqual(seen, argumentValues(fields, { a: true }));
    assert.deepEqual(Object.keys(Object(seen)), ['a']);
    for (const given of ['text', [], null, 1])
      assert.equal(argumentValue(object, given), undefined);
  });
});

test('what is in every object by nature is no argument', () => {
  const fields = {
    constructor: { type: { kind: 'string', lengthMax: 9 }, optional: true },
  } as unknown as ArgumentFields;
  assert.deepEqual(Object.keys(argumentValues(fields, {})), []);
  assert.deepEqual(Object.keys(argumentValues(fields, Object.create({ constructor: 'x' }))), []);
  assert.equal(Object.getPrototypeOf(argumentValues(fields, {})), null);
});

test('a day exists, is written whole, and is not before year 1', () => {
  for (const day of ['2026-11-22', '2028-02-29', '0001-01-01', '9999-12-31', '2026-10-20']) {
    assert.ok(isDate(day), day);
  }
  for (const day of [
    '2026-02-29',
    '2026-13-01',
    '0000-01-01',
    'x2026-11-22',
    '2026-11-22x',
    '+012026-11-22',
    '',
  ]) {
    assert.ok(!isDate(day), day);
  }
});

test('an object is told from a list, from nothing and from what is plain', () => {
  assert.ok(isMembers({}));
  for (const other of [[], null, 'text', 1, true]) assert.ok(!isMembers(other));
});
