import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDecimal } from '../decimal.ts';
import { functionFor, functionNames, literalCall } from './functions.ts';
import type { Term } from './term.ts';
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

const LIST: ValueType = { kind: 'list', items: INT, itemsMax: 3 };
const OBJECT = objectOf('o', { a: INT });
const TYPES: readonly ValueType[] = [
  BOOL,
  INT,
  DECIMAL,
  STRING,
  TIMESTAMP,
  DURATION,
  NULL,
  LIST,
  OBJECT,
];

/** The result as JSON, a failure as its message. */
function resultOf(name: string, ...values: readonly unknown[]): unknown {
  const types = values.map(() => DYN);
  const method = functionFor(name, { types, asMethod: true });
  const match =
    method === undefined || 'message' in method
      ? functionFor(name, { types, asMethod: false })
      : method;
  assert.ok(match !== undefined && 'run' in match, JSON.stringify(match));
  const value = match.run(values);
  return value instanceof Failure ? `${value.kind}: ${value.message}` : jsonOfValue(value);
}

const NOT_TEXT = 'error: the value is not a text';
const NOT_DECIMAL = 'error: the value is not a decimal in plain notation';
const NOT_INTEGER = 'error: the value is not an integer';

const RESULTS: readonly (readonly [string, readonly unknown[], unknown])[] = [
  ['size', [''], 0],
  ['size', ['a😀é'], 3],
  ['size', [[1, 2]], 2],
  ['size', [{ a: 1 }], 1],
  ['size', [5n], 'error: the value has no size'],
  ['size', [null], 'error: the value has no size'],
  ['contains', ['abc', 'b'], true],
  ['contains', ['abc', 'd'], false],
  ['contains', ['abc', 1n], NOT_TEXT],
  ['contains', [1n, 'abc'], NOT_TEXT],
  ['startsWith', ['abc', 'ab'], true],
  ['startsWith', ['abc', 'bc'], false],
  ['startsWith', [[], 'a'], NOT_TEXT],
  ['endsWith', ['abc', 'bc'], true],
  ['endsWith', ['abc', 'ab'], false],
  ['lowerAscii', ['AZaz09İÄ'], 'azaz09İÄ'],
  ['lowerAscii', [5n], NOT_TEXT],
  ['upperAscii', ['AZaz09ß'], 'AZAZ09ß'],
  ['decimal', ['12.50'], '12.50'],
  ['decimal', [7n], '7'],
  ['decimal', [parseDecimal('1.0')], '1.0'],
  ['decimal', ['1e5'], NOT_DECIMAL],
  ['decimal', [true], NOT_DECIMAL],
  ['decimal', [null], NOT_DECIMAL],
  ['int', ['-12'], -12],
  ['int', ['999999999999999999'], '999999999999999999'],
  ['int', ['1000000000000000000'], NOT_INTEGER],
  ['int', ['-999999999999999999'], '-999999999999999999'],
  ['int', ['x1'], NOT_INTEGER],
  ['int', ['1x'], NOT_INTEGER],
  ['int', [''], NOT_INTEGER],
  ['int', ['+1'], NOT_INTEGER],
  ['int', [3n], 3],
  ['int', [true], NOT_INTEGER],
  ['int', [[5n]], NOT_INTEGER],
  ['string', ['a'], 'a'],
  ['string', [5n], '5'],
  ['string', [true], 'true'],
  ['string', [parseDecimal('5.10')], '5.10'],
  ['string', [null], 'error: the value cannot be written as a text'],
  ['timestamp', ['1970-01-01T00:00:01Z'], '1970-01-01T00:00:01.000Z'],
  ['timestamp', [new Timestamp(5)], '1970-01-01T00:00:00.005Z'],
  ['timestamp', ['tomorrow'], 'error: the value is not an instant'],
  ['timestamp', [1n], 'error: the value is not an instant'],
  ['duration', ['90m'], '1h30m'],
  ['duration', [new Duration(1000)], '1s'],
  ['duration', ['1 hour'], 'error: the value is not a duration'],
  ['timestamp', [['1970-01-01T00:00:01Z']], 'error: the value is not an instant'],
  ['timestamp', [null], 'error: the value is not an instant'],
  ['duration', [['90m']], 'error: the value is not a duration'],
  ['duration', [null], 'error: the value is not a duration'],
  ['duration', [false], 'error: the value is not a duration'],
];

describe('a function of an expression', () => {
  for (const [name, values, expected] of RESULTS) {
    const shown = values.map((value) => JSON.stringify(jsonOfValue(value))).join(', ');
    test(`${name} of ${shown} gives ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(resultOf(name, ...values), expected);
    });
  }

  const signatures: readonly (readonly [string, readonly string[], string])[] = [
    ['size', ['string', 'list'], 'int'],
    ['lowerAscii', ['string'], 'string'],
    ['upperAscii', ['string'], 'string'],
    ['decimal', ['int', 'decimal', 'string'], 'decimal'],
    ['int', ['int', 'string'], 'int'],
    ['string', ['bool', 'int', 'decimal', 'string'], 'string'],
    ['timestamp', ['string', 'timestamp'], 'timestamp'],
    ['duration', ['string', 'duration'], 'duration'],
  ];
  for (const [name, kinds, gives] of signatures) {
    test(`${name} takes ${kinds.join(', ')} and what is not known yet, and gives ${gives}`, () => {
      const asMethod = name.endsWith('Ascii');
      const taken = TYPES.filter((type) => {
        const match = functionFor(name, { types: [type], asMethod });
        return match !== undefined && 'run' in match && match.type.kind === gives;
      });
      assert.deepEqual(taken.map(({ kind }) => kind).sort(), [...kinds].sort());
      for (const open of [DYN, INVALID]) {
        const match = functionFor(name, { types: [open], asMethod });
        assert.ok(match !== undefined && 'run' in match);
      }
    });
  }

  for (const name of ['contains', 'startsWith', 'endsWith']) {
    test(`${name} takes two texts and says whether`, () => {
      const match = functionFor(name, { types: [STRING, STRING], asMethod: true });
      assert.ok(match !== undefined && 'run' in match);
      assert.deepEqual(match.type, BOOL);
      for (const types of [
        [STRING, INT],
        [INT, STRING],
      ]) {
        assert.deepEqual(functionFor(name, { types, asMethod: true }), {
          message: `\`${name}\` does not take an integer`,
        });
      }
    });
  }

  test('that is called the other way says how to call it', () => {
    assert.deepEqual(functionFor('contains', { types: [STRING, STRING], asMethod: false }), {
      message: '`contains` is not called like this',
      hint: 'write x.contains(...)',
    });
    assert.deepEqual(functionFor('lowerAscii', { types: [STRING], asMethod: false }), {
      message: '`lowerAscii` is not called like this',
      hint: 'write x.lowerAscii(...)',
    });
    for (const name of ['decimal', 'int', 'string', 'timestamp', 'duration']) {
      assert.deepEqual(functionFor(name, { types: [STRING], asMethod: true }), {
        message: `\`${name}\` is not called like this`,
        hint: `write ${name}(x)`,
      });
    }
  });

  test('size is called either way', () => {
    for (const asMethod of [true, false]) {
      const match = functionFor('size', { types: [STRING], asMethod });
      assert.ok(match !== undefined && 'run' in match);
    }
  });

  test('takes as many values as it takes', () => {
    assert.deepEqual(functionFor('size', { types: [STRING, STRING], asMethod: false }), {
      message: '`size` takes 1 values, not 2',
    });
    assert.deepEqual(functionFor('contains', { types: [STRING], asMethod: true }), {
      message: '`contains` takes 2 values, not 1',
    });
  });

  test('that nobody knows is none', () => {
    assert.equal(functionFor('double', { types: [INT], asMethod: false }), undefined);
  });

  test('has one of the names that are offered', () => {
    assert.deepEqual([...functionNames()].sort(), [
      'all',
      'contains',
      'decimal',
      'duration',
      'endsWith',
      'exists',
      'exists_one',
      'filter',
      'has',
      'int',
      'lowerAscii',
      'map',
      'matches',
      'size',
      'startsWith',
      'string',
      'timestamp',
      'upperAscii',
    ]);
  });
});

const at = { start: 0, end: 1 };

function literal(value: string | bigint): Term {
  return { kind: 'literal', value, ...at };
}

function call(name: string, args: readonly Term[], receiver?: Term): Term {
  return { kind: 'call', name, args, receiver, ...at };
}

describe('a call with a text written in place', () => {
  const read: readonly (readonly [string, string, string, unknown])[] = [
    ['decimal', '1.50', 'decimal', '1.50'],
    ['timestamp', '1970-01-01T00:00:00Z', 'timestamp', '1970-01-01T00:00:00.000Z'],
    ['duration', '1h', 'duration', '1h'],
  ];
  for (const [name, text, kind, value] of read) {
    test(`${name} is read when it is loaded`, () => {
      const given = literalCall(call(name, [literal(text)]));
      assert.equal(given?.type.kind, kind);
      assert.deepEqual(jsonOfValue(given?.value), value);
      assert.equal(literalCall(call(name, [literal('?')])), null);
    });
  }

  const others: readonly (readonly [string, Term])[] = [
    ['a name', { kind: 'name', name: 'decimal', ...at }],
    ['a method', call('decimal', [literal('1')], literal('1'))],
    ['two values', call('decimal', [literal('1'), literal('1')])],
    ['no value', call('decimal', [])],
    ['a function that reads no text', call('size', [literal('1')])],
    ['no function', call('nope', [literal('1')])],
    ['a number', call('decimal', [literal(1n)])],
    ['something computed', call('decimal', [call('string', [literal('1')])])],
  ];
  for (const [what, term] of others) {
    test(`is not ${what}`, () => {
      assert.equal(literalCall(term), undefined);
    });
  }
});
