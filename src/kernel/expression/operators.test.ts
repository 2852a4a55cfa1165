import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Decimal, parseDecimal } from '../decimal.ts';
import { operatorFor } from './operators.ts';
import type { BinaryOperator } from './term.ts';
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
  typeName,
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
  DYN,
];
const ALL = ['==', '!=', '<', '<=', '>', '>=', 'in', '+', '-', '*', '/', '%'] as const;

/** Every pair of types that the operator takes, with what it gives. */
function taken(operator: BinaryOperator): readonly string[] {
  return TYPES.flatMap((left) =>
    TYPES.flatMap((right) => {
      const found = operatorFor(operator, left, right);
      return 'run' in found ? [`${left.kind} ${right.kind}: ${found.type.kind}`] : [];
    }),
  ).sort();
}

/** Pairs of kinds, each with the result. */
function pairs(result: string, texts: string): readonly string[] {
  return texts
    .trim()
    .split(/\s*,\s*/u)
    .map((text) => `${text}: ${result}`);
}

const WITH_DYN = TYPES.flatMap(({ kind }) =>
  kind === 'dyn' ? [] : [`${kind} dyn`, `dyn ${kind}`],
);
const SAME = TYPES.map(({ kind }) => `${kind} ${kind}`);
const EQUAL = pairs('bool', [...SAME, ...WITH_DYN, 'int decimal', 'decimal int'].join(','));
const ORDERED = pairs(
  'bool',
  `int int, decimal decimal, int decimal, decimal int, string string, timestamp timestamp,
  duration duration, dyn dyn, dyn int, int dyn, dyn decimal, decimal dyn, dyn string, string dyn,
  dyn timestamp, timestamp dyn, dyn duration, duration dyn`,
);
const OPEN = pairs(
  'dyn',
  `dyn dyn, dyn int, int dyn, dyn decimal, decimal dyn, dyn string, string dyn, dyn timestamp,
  timestamp dyn, dyn duration, duration dyn`,
);
const WHOLE = [...OPEN, ...pairs('int', 'int int')];
const NUMBERS = [...WHOLE, ...pairs('decimal', 'decimal decimal, int decimal, decimal int')];

const SIGNATURES: Readonly<Record<(typeof ALL)[number], readonly string[]>> = {
  '==': EQUAL,
  '!=': EQUAL,
  '<': ORDERED,
  '<=': ORDERED,
  '>': ORDERED,
  '>=': ORDERED,
  in: pairs(
    'bool',
    `int list, decimal list, dyn list, bool dyn, int dyn, decimal dyn, string dyn,
    timestamp dyn, duration dyn, null dyn, list dyn, object dyn, dyn dyn`,
  ),
  '+': [
    ...NUMBERS,
    ...pairs('string', 'string string'),
    ...pairs('duration', 'duration duration'),
    ...pairs('timestamp', 'timestamp duration, duration timestamp'),
  ],
  '-': [
    ...NUMBERS,
    ...pairs('duration', 'duration duration, timestamp timestamp'),
    ...pairs('timestamp', 'timestamp duration'),
  ],
  '*': NUMBERS,
  '/': WHOLE,
  '%': WHOLE,
};

function d(text: string): Decimal {
  const value = parseDecimal(text);
  assert.ok(value !== undefined);
  return value;
}

/** The result as JSON with the operands' types open, a failure as its message. */
function resultOf(left: unknown, operator: BinaryOperator, right: unknown): unknown {
  const found = operatorFor(operator, DYN, DYN);
  assert.ok('run' in found);
  const value = found.run(left, right);
  return value instanceof Failure ? `${value.kind}: ${value.message}` : jsonOfValue(value);
}

const INT_MAX = 2n ** 63n - 1n;
const INT_MIN = -(2n ** 63n);
const DIGITS_38 = '9'.repeat(38);
const TOO_LARGE = 'error: the integer is too large';
const TOO_LONG = 'error: the decimal has too many digits';
/** The first half of a character beyond the first plane, on its own. */
const HALF = String.fromCharCode(0xd8_3d);
const t = (ms: number): Timestamp => new Timestamp(ms);
const s = (seconds: number): Duration => new Duration(seconds * 1000);
const none = (operator: string): string => `error: \`${operator}\` does not take these values`;

const RESULTS: readonly (readonly [unknown, BinaryOperator, unknown, unknown])[] = [
  [2n, '+', 3n, 5],
  [2n, '-', 3n, -1],
  [2n, '*', 3n, 6],
  [7n, '/', 2n, 3],
  [-7n, '/', 2n, -3],
  [7n, '%', 2n, 1],
  [-7n, '%', 2n, -1],
  [0n, '/', 5n, 0],
  [1n, '/', 0n, 'error: division by zero'],
  [1n, '%', 0n, 'error: division by zero'],
  [5n, '+', 0n, 5],
  [5n, '*', 0n, 0],
  [INT_MAX - 1n, '+', 1n, String(INT_MAX)],
  [INT_MAX, '+', 1n, TOO_LARGE],
  [INT_MIN + 1n, '-', 1n, String(INT_MIN)],
  [INT_MIN, '-', 1n, TOO_LARGE],
  [INT_MIN, '/', -1n, TOO_LARGE],
  [1n, '+', d('0.50'), '1.50'],
  [d('0.1'), '+', d('0.2'), '0.3'],
  [d('0.1'), '-', 1n, '-0.9'],
  [d('0.1'), '*', d('0.2'), '0.02'],
  [d('1.0'), '/', 2n, 'error: `/` does not take decimals'],
  [1n, '%', d('2.0'), 'error: `%` does not take decimals'],
  [new Decimal(10n ** 76n - 2n, 0), '+', 1n, '9'.repeat(76)],
  [new Decimal(10n ** 76n - 1n, 0), '+', 1n, TOO_LONG],
  [new Decimal(2n - 10n ** 76n, 0), '-', 1n, `-${'9'.repeat(76)}`],
  [new Decimal(1n - 10n ** 76n, 0), '-', 1n, TOO_LONG],
  [new Decimal(1n, 38), '*', new Decimal(1n, 38), `0.${'0'.repeat(75)}1`],
  [new Decimal(1n, 39), '*', new Decimal(1n, 38), TOO_LONG],
  [d(DIGITS_38), '*', d('10'), `${DIGITS_38}0`],
  ['a', '+', 'b', 'ab'],
  ['a', '-', 'b', none('-')],
  ['a', '+', 1n, none('+')],
  [1n, '+', 'a', none('+')],
  [1n, '+', true, none('+')],
  [s(1), '+', s(2), '3s'],
  [s(3), '-', s(1), '2s'],
  [t(5000), '+', s(1), '1970-01-01T00:00:06.000Z'],
  [t(5000), '-', s(1), '1970-01-01T00:00:04.000Z'],
  [s(1), '+', t(5000), '1970-01-01T00:00:06.000Z'],
  [s(1), '-', t(5000), none('-')],
  [t(5000), '-', t(2000), '3s'],
  [t(5000), '+', t(2000), none('+')],
  [s(1), '*', s(2), none('*')],
  [t(1), '/', s(2), none('/')],
  [s(1), '+', 1n, none('+')],
  [1n, '+', s(1), none('+')],
  [t(1), '+', 1n, none('+')],
  [t(1), '-', 1n, none('-')],
  [1n, '-', t(1), none('-')],
  [s(1), '-', 1n, none('-')],
  [1n, '-', s(1), none('-')],
  [1n, '+', t(1), none('+')],
  [1n, '==', d('1.0'), true],
  [1n, '!=', d('1.0'), false],
  ['a', '==', 'b', false],
  ['a', '!=', 'b', true],
  [1n, '<', 2n, true],
  [2n, '<', 2n, false],
  [2n, '<=', 2n, true],
  [3n, '<=', 2n, false],
  [2n, '>', 2n, false],
  [3n, '>', d('2.99'), true],
  [2n, '>=', 2n, true],
  [1n, '>=', 2n, false],
  ['a', '<', 'b', true],
  ['b', '<', 'a', false],
  ['a', '<', 'ab', true],
  ['ab', '<', 'a', false],
  ['ab', '<=', 'ab', true],
  ['ab', '<', 'ab', false],
  ['', '<', 'a', true],
  ['a', '<', 'a\u0000', true],
  ['\u{103ff}', '>', '\u{103fe}', true],
  ['\u{10000}', '>', '\u{e000}', true],
  ['\u{ffff}', '<', '\u{10000}', true],
  ['\u{1f600}', '<', '\u{1f601}', true],
  ['\u{d7ff}', '<', '\u{e000}', true],
  ['\u{10ffff}', '>', '\u{ffff}', true],
  ['\u{10000}', '>', '\u{ffff}', true],
  ['\u{103ff}', '>', '\u{ffff}', true],
  ['\u{1f601}', '<', '\u{1f600}', false],
  // Both begin with the same half; the whole characters differ the other way round than their rests.
  ['x\u{1f600}', '>', 'x\u{1f3ff}', true],
  ['\u{1f600}', '<', `${HALF}\u{ffff}`, false],
  ['\u{1f600}', '>', `${HALF}\u{e000}`, true],
  [`${HALF}\u{e000}`, '<', '\u{1f600}', true],
  [t(1), '<', t(2), true],
  [t(2), '<', t(1), false],
  [s(2), '>', s(1), true],
  [s(1), '>', s(2), false],
  [t(1), '<', s(2), none('<')],
  [s(1), '<', t(2), none('<')],
  [1n, '<', 'a', none('<')],
  ['a', '<', 1n, none('<')],
  [true, '<', false, none('<')],
  [1n, 'in', [2, 1], true],
  [1n, 'in', [2], false],
  [1n, 'in', [], false],
  ['a', 'in', { a: 1 }, true],
  ['b', 'in', { a: 1 }, false],
  ['toString', 'in', { a: 1 }, false],
  [1n, 'in', { a: 1 }, 'error: `in` needs a list on its right'],
  ['a', 'in', 'abc', 'error: `in` needs a list on its right'],
];

function shown(value: unknown): string {
  const text = JSON.stringify(jsonOfValue(value));
  return text.length > 24 ? `${text.slice(0, 12)}… (${String(text.length)})` : text;
}

describe('an operator', () => {
  for (const operator of ALL) {
    test(`\`${operator}\` takes exactly the types it has a meaning for`, () => {
      assert.deepEqual(taken(operator), [...SIGNATURES[operator]].sort());
    });
  }

  for (const [left, operator, right, expected] of RESULTS) {
    test(`${shown(left)} ${operator} ${shown(right)} gives ${shown(expected)}`, () => {
      assert.deepEqual(resultOf(left, operator, right), expected);
    });
  }

  test('beside what was reported already says nothing more, and has no value', () => {
    for (const operator of ALL) {
      for (const [left, right] of [
        [INVALID, INT],
        [INT, INVALID],
      ] as const) {
        const found = operatorFor(operator, left, right);
        assert.ok('run' in found);
        const isArithmetic = ['+', '-', '*', '/', '%'].includes(operator);
        assert.equal(found.type, isArithmetic ? INVALID : BOOL);
        assert.ok(found.run(1n, 1n) instanceof Failure);
      }
    }
  });

  test('that does not take its types names both', () => {
    for (const [operator, left, right] of [
      ['==', BOOL, INT],
      ['<', BOOL, BOOL],
      ['+', LIST, LIST],
      ['in', STRING, LIST],
      ['%', DECIMAL, INT],
    ] as const) {
      assert.deepEqual(operatorFor(operator, left, right), {
        message: `\`${operator}\` does not take ${typeName(left)} and ${typeName(right)}`,
      });
    }
  });

  test('between a number and a text says how numbers are written', () => {
    const hint = 'write the number without quotes: 500.00';
    for (const number of [INT, DECIMAL]) {
      for (const [left, right] of [
        [number, STRING],
        [STRING, number],
      ] as const) {
        const found = operatorFor('<', left, right);
        assert.deepEqual('hint' in found ? found.hint : undefined, hint);
      }
    }
    for (const [left, right] of [
      [INT, BOOL],
      [BOOL, INT],
      [STRING, BOOL],
      [BOOL, STRING],
    ] as const) {
      assert.ok(!('hint' in operatorFor('<', left, right)));
    }
  });

  test('that compares with null says who can be null', () => {
    for (const [left, right] of [
      [INT, NULL],
      [NULL, INT],
    ] as const) {
      assert.deepEqual(operatorFor('==', left, right), {
        message: 'only previews and facts can be null',
        hint: 'ask with has(...) whether it is given',
      });
    }
  });

  test('that divides decimals says what to write instead', () => {
    for (const [left, right] of [
      [DECIMAL, INT],
      [INT, DECIMAL],
      [DECIMAL, DECIMAL],
    ] as const) {
      assert.deepEqual(operatorFor('/', left, right), {
        message: 'a decimal cannot be divided exactly',
        hint: 'compare with a product instead: a <= 3 * b',
      });
    }
    const found = operatorFor('/', DECIMAL, STRING);
    assert.ok('message' in found && found.message.startsWith('`/` does not take'));
    const other = operatorFor('/', STRING, DECIMAL);
    assert.ok('message' in other && other.message.startsWith('`/` does not take'));
  });

  test('`in` needs a list or labels on its right', () => {
    assert.deepEqual(operatorFor('in', INT, STRING), {
      message: '`in` needs a list on its right, not a text',
    });
  });
});
