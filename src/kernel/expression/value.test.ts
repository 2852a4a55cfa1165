import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDecimal, parseDecimal } from '../decimal.ts';
import {
  asDecimal,
  codePointCount,
  compareNumbers,
  Duration,
  equal,
  failed,
  Failure,
  isNumber,
  isObject,
  jsonOfValue,
  Timestamp,
  valueOfJson,
} from './value.ts';

const d = (text: string): ReturnType<typeof asDecimal> => {
  const value = parseDecimal(text);
  assert.ok(value !== undefined);
  return value;
};

describe('equality of values', () => {
  const cases: readonly (readonly [string, unknown, unknown, boolean])[] = [
    ['an integer and itself', 1n, 1n, true],
    ['two integers', 1n, 2n, false],
    ['an integer and a decimal of its value', 1n, d('1.00'), true],
    ['decimals of one value', d('0.5'), d('0.50'), true],
    ['decimals of two values', d('0.5'), d('0.51'), false],
    ['a JSON number and an integer', 1, 1n, true],
    ['a JSON number and another integer', 1, 2n, false],
    ['a JSON number and a decimal', 2.5, d('2.50'), true],
    ['two JSON numbers', 2.5, 2.6, false],
    ['a JSON number and a text', 1, '1', false],
    ['an integer and a text', 1n, '1', false],
    ['texts', 'a', 'a', true],
    ['other texts', 'a', 'b', false],
    ['null and null', null, null, true],
    ['null and false', null, false, false],
    ['null and an object', null, {}, false],
    ['moments', new Timestamp(1), new Timestamp(1), true],
    ['other moments', new Timestamp(1), new Timestamp(2), false],
    ['durations', new Duration(1), new Duration(1), true],
    ['other durations', new Duration(1), new Duration(2), false],
    ['a moment and a duration', new Timestamp(1), new Duration(1), false],
    ['a duration and a moment', new Duration(1), new Timestamp(1), false],
    ['a moment and an object like it', new Timestamp(1), { ms: 1 }, false],
    ['an object and a moment like it', { ms: 1 }, new Timestamp(1), false],
    ['lists', [1n, 2.5], [1, d('2.5')], true],
    ['a list and its beginning', [1n, 2n], [1n], false],
    ['the beginning of a list and the list', [1n], [1n, 2n], false],
    ['lists in another order', [1n, 2n], [2n, 1n], false],
    ['lists that share an item', [1n, 2n], [1n, 3n], false],
    ['a list and an object like it', ['a'], { 0: 'a', length: 1 }, false],
    ['an empty list and an empty object', [], {}, false],
    ['an empty object and an empty list', {}, [], false],
    ['objects whatever the order of their members', { a: 1, b: 2 }, { b: 2n, a: 1n }, true],
    ['objects of which one has more', { a: 1 }, { a: 1, b: 2 }, false],
    ['objects of which the other has more', { a: 1, b: 2 }, { a: 1 }, false],
    ['objects with other members', { a: undefined }, { b: undefined }, false],
    ['objects that share a member', { a: 1, b: 2 }, { a: 1, b: 3 }, false],
    ['an object and one that inherits', { constructor: Object }, { a: 1 }, false],
    ['an object and a text', {}, 'a', false],
  ];
  for (const [what, left, right, expected] of cases) {
    test(`${what}: ${expected ? 'equal' : 'not equal'}`, () => {
      assert.equal(equal(left, right), expected);
      assert.equal(equal(right, left), expected);
    });
  }
});

describe('values', () => {
  test('have members where they are JSON objects, and nothing else has', () => {
    assert.ok(isObject({}));
    assert.ok(isObject(Object.create(null)));
    for (const value of [
      null,
      undefined,
      [],
      'a',
      1n,
      d('1.0'),
      new Timestamp(0),
      new Duration(0),
      failed('x'),
    ]) {
      assert.ok(!isObject(value));
    }
  });

  test('are numbers where they are exact', () => {
    assert.ok(isNumber(1n) && isNumber(d('1.0')));
    assert.ok(!isNumber(1) && !isNumber('1') && !isNumber(new Timestamp(1)));
  });

  test('are compared exactly, integers with decimals too', () => {
    assert.equal(compareNumbers(1n, 1n), 0);
    assert.equal(compareNumbers(1n, 2n), -1);
    assert.equal(compareNumbers(2n, 1n), 1);
    assert.equal(compareNumbers(1n, d('1.0')), 0);
    assert.ok(compareNumbers(d('0.99'), 1n) < 0);
    assert.ok(compareNumbers(2n ** 60n, d('1152921504606846975.9')) > 0);
  });

  test('as a decimal keep their value', () => {
    assert.equal(jsonOfValue(asDecimal(5n)), '5');
    assert.equal(jsonOfValue(asDecimal(d('5.0'))), '5.0');
  });

  test('of JSON are integers where they are safe ones, else exact decimals, else themselves', () => {
    assert.equal(valueOfJson(5), 5n);
    assert.equal(valueOfJson(Number.MAX_SAFE_INTEGER), BigInt(Number.MAX_SAFE_INTEGER));
    const fraction = valueOfJson(0.1);
    assert.ok(isDecimal(fraction));
    assert.equal(jsonOfValue(fraction), '0.1');
    assert.ok(isDecimal(valueOfJson(2 ** 53)));
    for (const value of ['a', true, null, [1], { a: 1 }]) assert.equal(valueOfJson(value), value);
  });

  test('of text are as long as they have characters', () => {
    const lengths: readonly (readonly [string, number])[] = [
      ['', 0],
      ['abc', 3],
      ['\u{ffff}', 1],
      ['\u{ffff}a', 2],
      ['\u{10000}', 1],
      ['a\u{1f600}b\u{1f601}', 4],
      ['e\u{301}', 2],
    ];
    for (const [text, count] of lengths) assert.equal(codePointCount(text), count);
  });

  const json: readonly (readonly [string, unknown, unknown])[] = [
    ['a text', 'a', 'a'],
    ['a boolean', false, false],
    ['a JSON number', 1.5, 1.5],
    ['an integer', 5n, 5],
    ['the largest integer that JSON has', 9_007_199_254_740_991n, 9_007_199_254_740_991],
    ['a larger integer', 9_007_199_254_740_992n, '9007199254740992'],
    ['a decimal', d('1.50'), '1.50'],
    ['a moment', new Timestamp(1), '1970-01-01T00:00:00.001Z'],
    ['the first moment', new Timestamp(0), '1970-01-01T00:00:00.000Z'],
    ['a moment before the first', new Timestamp(-1), '1970-01-01T00:00:00.000Z'],
    ['a duration', new Duration(60_000), '1m'],
    ['a list', [1n, [d('1.0')]], [1, ['1.0']]],
    ['an object', { a: { b: 2n } }, { a: { b: 2 } }],
    ['null', null, null],
    ['nothing', undefined, null],
    ['a failure', failed('x'), null],
  ];
  for (const [what, value, expected] of json) {
    test(`written as JSON: ${what}`, () => {
      assert.deepEqual(jsonOfValue(value), expected);
    });
  }
});

function membersOf(failure: Failure): unknown {
  return Object.fromEntries(Object.entries(failure));
}

describe('a failure', () => {
  test('says what was read, and whether it is known not to be there', () => {
    const missing = new Failure({ kind: 'missing', message: 'm', reference: 'a.b', absent: true });
    assert.deepEqual(membersOf(missing), {
      kind: 'missing',
      message: 'm',
      reference: 'a.b',
      absent: true,
    });
    assert.deepEqual(membersOf(new Failure({ kind: 'missing', message: 'm' })), {
      kind: 'missing',
      message: 'm',
      reference: '',
      absent: false,
    });
    assert.deepEqual(membersOf(failed('m')), {
      kind: 'error',
      message: 'm',
      reference: '',
      absent: false,
    });
  });
});
