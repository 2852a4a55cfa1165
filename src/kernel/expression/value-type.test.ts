import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ArgumentType } from '../inventory.ts';
import type { FactType } from '../policy.ts';
import { EXPRESSION_LIMITS, UNDECLARED_LIST_ITEMS_MAX } from './limits.ts';
import {
  BOOL,
  DECIMAL,
  DURATION,
  DYN,
  INT,
  INVALID,
  isNumeric,
  isOpen,
  NULL,
  objectOf,
  STRING,
  TIMESTAMP,
  typeName,
  typeOfArgument,
  typeOfArguments,
  typeOfFact,
  typeOfMeasure,
  unify,
  type ObjectType,
  type ValueType,
} from './value-type.ts';

const KINDS: readonly (readonly [ValueType, string])[] = [
  [BOOL, 'a boolean'],
  [INT, 'an integer'],
  [DECIMAL, 'a decimal'],
  [STRING, 'a text'],
  [TIMESTAMP, 'an instant'],
  [DURATION, 'a duration'],
  [NULL, 'null'],
  [{ kind: 'list', items: INT, itemsMax: 1 }, 'a list'],
  [objectOf('o', {}), 'an object'],
  [DYN, 'a value'],
  [INVALID, 'a value'],
];

/** Types without parts are the same object everywhere. */
function assertType(type: ValueType, expected: ValueType): void {
  if (Object.keys(expected).length === 1) assert.equal(type, expected);
  else assert.deepEqual(type, expected);
}

const text: ArgumentType = { kind: 'string', lengthMax: 5 };

describe('the type of an expression’s value', () => {
  const simple: readonly (readonly [ArgumentType, ValueType])[] = [
    [text, STRING],
    [{ kind: 'boolean' }, BOOL],
    [{ kind: 'integer' }, INT],
    [{ kind: 'decimal' }, DECIMAL],
    [{ kind: 'money', currency: 'EUR', minorDigits: 2 }, DECIMAL],
    [{ kind: 'date' }, TIMESTAMP],
    [{ kind: 'instant' }, TIMESTAMP],
    [{ kind: 'duration' }, DURATION],
    [{ kind: 'oci-digest' }, STRING],
    [{ kind: 'path', within: '/' }, STRING],
    [{ kind: 'url', hosts: [] }, STRING],
    [{ kind: 'blob' }, STRING],
    [
      { kind: 'enum', values: ['a', 'b'] },
      { kind: 'string', values: ['a', 'b'] },
    ],
    [
      { kind: 'secret', names: ['x'] },
      { kind: 'string', values: ['x'] },
    ],
    [
      { kind: 'array', items: { kind: 'integer' }, itemsMax: 7 },
      { kind: 'list', items: INT, itemsMax: 7 },
    ],
  ];
  for (const [argument, expected] of simple) {
    test(`an argument of kind ${argument.kind} is ${typeName(expected)}`, () => {
      assertType(typeOfArgument('args.x', argument), expected);
    });
  }

  test('arguments in arguments are named from the outside in', () => {
    const type = typeOfArguments('args', {
      lines: {
        optional: true,
        type: {
          kind: 'array',
          itemsMax: 3,
          items: { kind: 'object', fields: { sku: { type: text, optional: false } } },
        },
      },
    });
    const items: ObjectType = {
      kind: 'object',
      what: 'args.lines[]',
      fields: new Map([['sku', { type: STRING, optional: false }]]),
    };
    assert.deepEqual(type, {
      kind: 'object',
      what: 'args',
      fields: new Map([['lines', { type: { kind: 'list', items, itemsMax: 3 }, optional: true }]]),
    });
  });

  test('an object from its fields lacks none of them', () => {
    assert.deepEqual(objectOf('o', { a: INT }).fields.get('a'), { type: INT, optional: false });
  });

  test('a measure is a text, an integer or a decimal', () => {
    assert.deepEqual(
      (['string', 'integer', 'decimal'] as const).map((type) => typeOfMeasure(type)),
      [STRING, INT, DECIMAL],
    );
  });

  const facts: readonly (readonly [FactType, ValueType])[] = [
    [{ kind: 'string' }, STRING],
    [{ kind: 'boolean' }, BOOL],
    [{ kind: 'integer' }, INT],
    [{ kind: 'decimal' }, DECIMAL],
    [{ kind: 'instant' }, TIMESTAMP],
    [
      {
        kind: 'list',
        items: { kind: 'object', fields: { a: { kind: 'object', fields: {} } } },
      },
      {
        kind: 'list',
        items: objectOf('f[]', { a: objectOf('f[].a', {}) }),
        itemsMax: UNDECLARED_LIST_ITEMS_MAX,
      },
    ],
  ];
  for (const [fact, expected] of facts) {
    test(`a fact of kind ${fact.kind} is ${typeName(expected)}`, () => {
      assertType(typeOfFact('f', fact), expected);
    });
  }

  test('has a name in the user’s words', () => {
    assert.deepEqual(
      KINDS.map(([type]) => typeName(type)),
      KINDS.map(([, name]) => name),
    );
  });

  test('is open where only evaluation can tell it, and numeric where it is a number', () => {
    assert.deepEqual(
      KINDS.filter(([type]) => isOpen(type)).map(([type]) => type),
      [DYN, INVALID],
    );
    assert.deepEqual(
      KINDS.filter(([type]) => isNumeric(type)).map(([type]) => type),
      [INT, DECIMAL],
    );
  });
});

const list = (items: ValueType, itemsMax: number): ValueType => ({ kind: 'list', items, itemsMax });
const choice = (...values: readonly string[]): ValueType => ({ kind: 'string', values });

function object(what: string, fields: Readonly<Record<string, [ValueType, boolean]>>): ObjectType {
  return {
    kind: 'object',
    what,
    fields: new Map(
      Object.entries(fields).map(([name, [type, optional]]) => [name, { type, optional }]),
    ),
  };
}

describe('the one type that holds the values of two', () => {
  const cases: readonly (readonly [string, ValueType, ValueType, ValueType | undefined])[] = [
    ['equal kinds', BOOL, { kind: 'bool' }, BOOL],
    ['numbers', INT, DECIMAL, DECIMAL],
    ['integers', INT, { kind: 'int' }, INT],
    ['decimals', DECIMAL, { kind: 'decimal' }, DECIMAL],
    ['a number and a text', INT, STRING, undefined],
    ['moments and durations', TIMESTAMP, DURATION, undefined],
    ['something open', DYN, INT, DYN],
    ['something reported', INVALID, INT, INT],
    ['something reported beside something open', INVALID, DYN, DYN],
    ['choices', choice('a'), choice('b'), STRING],
    ['a choice and a text', choice('a'), STRING, STRING],
    ['lists', list(INT, 2), list(DECIMAL, 5), list(DECIMAL, 5)],
    ['lists of nothing in common', list(INT, 2), list(STRING, 5), undefined],
    ['a list and no list', list(INT, 2), INT, undefined],
    ['an object and a text', objectOf('o', {}), STRING, undefined],
    ['nulls', NULL, { kind: 'null' }, NULL],
  ];
  for (const [what, left, right, expected] of cases) {
    test(`of ${what}`, () => {
      assert.deepEqual(unify(left, right), expected);
      assert.deepEqual(unify(right, left), expected);
    });
  }

  test('of one choice and itself is the choice', () => {
    const type = choice('a');
    assert.equal(unify(type, type), type);
  });

  test('of objects has the members of both, optional where one may lack it', () => {
    const left = object('left', {
      a: [INT, false],
      b: [INT, true],
      c: [INT, false],
      d: [INT, false],
      l: [INT, false],
    });
    const right = object('right', {
      a: [DECIMAL, false],
      b: [INT, false],
      c: [INT, true],
      d: [INT, false],
      r: [INT, false],
    });
    assert.deepEqual(
      unify(left, right),
      object('left', { a: [DECIMAL, false], b: [INT, true], c: [INT, true], d: [INT, false] }),
    );
  });

  test('of objects whose members have nothing in common is none', () => {
    const left = object('left', { a: [INT, false] });
    assert.equal(unify(left, object('right', { a: [STRING, false] })), undefined);
  });
});

describe('the limits of expressions', () => {
  test('are these', () => {
    assert.deepEqual(
      { ...EXPRESSION_LIMITS, UNDECLARED_LIST_ITEMS_MAX },
      {
        sourceLengthMax: 4096,
        nodesMax: 400,
        depthMax: 32,
        listLiteralMax: 200,
        callArgumentsMax: 4,
        comprehensionsNestedMax: 2,
        costMax: 100_000,
        patternLengthMax: 500,
        patternStatesMax: 2000,
        UNDECLARED_LIST_ITEMS_MAX: 1000,
      },
    );
  });
});
