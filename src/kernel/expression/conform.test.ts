import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDecimal } from '../decimal.ts';
import { conform } from './conform.ts';
import { Duration, Failure, jsonOfValue, Timestamp } from './value.ts';
import {
  BOOL,
  DECIMAL,
  DURATION,
  DYN,
  INT,
  INVALID,
  NULL,
  objectOf,
  STRING,
  TIMESTAMP,
  type ValueType,
} from './value-type.ts';

const LIST: ValueType = { kind: 'list', items: INT, itemsMax: 2 };
const OBJECT = objectOf('o', { a: INT, b: STRING });

/** The failure's message, or the value. */
function conformed(value: unknown, type: ValueType): unknown {
  const result = conform(value, type);
  return result instanceof Failure ? `${result.kind}: ${result.message}` : result;
}

const REFUSED: readonly (readonly [ValueType, string, readonly unknown[]])[] = [
  [BOOL, 'a boolean', ['true', 1, null]],
  [STRING, 'a text', [1, null, ['a']]],
  [INT, 'an integer', ['1', 1.5, 2 ** 53, null, true]],
  [DECIMAL, 'a decimal', [[5], '1e5', 'x', null, true, []]],
  [TIMESTAMP, 'an instant', [['1970-01-01T00:00:01Z'], 'tomorrow', 0, null]],
  [DURATION, 'a duration', [['1m'], '1 hour', 0, null]],
  [LIST, 'a list', [1, 'a', { length: 0 }, null]],
  [OBJECT, 'an object', [1, [], null, new Timestamp(0)]],
];

describe('JSON held against its declared type', () => {
  for (const [type, what, values] of REFUSED) {
    test(`that is not ${what} fails`, () => {
      for (const value of values) {
        assert.equal(conformed(value, type), `error: the value is not ${what}`);
      }
    });
  }

  const taken: readonly (readonly [ValueType, unknown, unknown])[] = [
    [BOOL, false, false],
    [STRING, '', ''],
    [INT, 5, 5n],
    [INT, 5n, 5n],
    [INT, -Number.MAX_SAFE_INTEGER, BigInt(-Number.MAX_SAFE_INTEGER)],
    [DECIMAL, '1.50', parseDecimal('1.50')],
    [DECIMAL, 1.5, parseDecimal('1.5')],
    [DECIMAL, 2n, parseDecimal('2')],
    [DECIMAL, parseDecimal('2.0'), parseDecimal('2.0')],
    [TIMESTAMP, '1970-01-01T00:00:01Z', new Timestamp(1000)],
    [DURATION, '1m', new Duration(60_000)],
    [LIST, [], []],
    [LIST, [1, 2], [1n, 2n]],
    [NULL, null, null],
    [DYN, { a: 1 }, { a: 1 }],
    [INVALID, 7, 7],
  ];
  for (const [type, value, expected] of taken) {
    test(`${JSON.stringify(jsonOfValue(value))} (${typeof value}) as ${type.kind}`, () => {
      assert.deepEqual(conformed(value, type), expected);
    });
  }

  test('a list has at most as many items as its type, each of its type', () => {
    assert.equal(conformed([1, 2, 3], LIST), 'error: the list has more than 2 items');
    assert.equal(conformed([1, 'x'], LIST), 'error: the value is not an integer');
  });

  test('an object has only the members of its type that are there, each of its type', () => {
    const value = conform({ a: 1, other: 2 }, OBJECT);
    assert.deepEqual(Object.entries(Object(value)), [['a', 1n]]);
    assert.equal(Object.getPrototypeOf(value), null);
    assert.equal(conformed({ a: 1, b: 2 }, OBJECT), 'error: the value is not a text');
  });
});
