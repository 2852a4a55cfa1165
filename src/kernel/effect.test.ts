import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIST, operationOf, PURGE, REFUND } from '../../test/fixtures/shop-inventory.ts';
import { checkOperation, effectKeyOf } from './effect.ts';
import type { Operation } from './inventory.ts';

describe('the effect key', () => {
  test('of a read is none', () => assert.equal(effectKeyOf(LIST, {}), undefined));

  test('is what `once` names, whatever the other arguments are', () => {
    const one = effectKeyOf(REFUND, { charge: 'c1', amount: '1.00' });
    assert.equal(effectKeyOf(REFUND, { charge: 'c1', amount: '2.00' }), one);
    assert.notEqual(effectKeyOf(REFUND, { charge: 'c2', amount: '1.00' }), one);
  });

  test('is of all arguments where nothing is named, in any order', () => {
    const one = effectKeyOf(PURGE, { before: '2026-01-01', charge: 1 });
    assert.equal(effectKeyOf(PURGE, { charge: 1, before: '2026-01-01' }), one);
    assert.notEqual(effectKeyOf(PURGE, { before: '2026-01-01' }), one);
  });

  test('is of one operation at one target', () => {
    const args = { before: '2026-01-01' };
    const keys = [PURGE, { ...PURGE, name: 'purge-2' }, { ...PURGE, target: 'db-2' }].map(
      (operation) => effectKeyOf(operation, args),
    );
    assert.equal(new Set(keys).size, 3);
  });

  test('never lets a list of arguments pass for what `once` names', () => {
    const named = operationOf({ ...PURGE, once: '"x"' });
    const args = operationOf({
      ...PURGE,
      arguments: { once: { type: { kind: 'string', lengthMax: 9 }, optional: false } },
    });
    assert.notEqual(effectKeyOf(named, {}), effectKeyOf(args, { once: 'x' }));
  });

  test('falls back to the arguments where `once` gives no value', () => {
    const operation = operationOf({
      name: 'o',
      target: 't',
      kind: 'api.call',
      arguments: {
        xs: { type: { kind: 'array', items: { kind: 'integer' }, itemsMax: 3 }, optional: false },
      },
      once: 'args.xs[1]',
    });
    assert.equal(effectKeyOf(operation, { xs: [1, 2] }), effectKeyOf(operation, { xs: [3, 2] }));
    assert.notEqual(effectKeyOf(operation, { xs: [1] }), effectKeyOf(operation, { xs: [3] }));
  });
});

const PROBLEMS: readonly (readonly [string, Partial<Operation>, readonly string[]])[] = [
  ['nothing wrong', {}, []],
  [
    'a measure that the kind has not',
    { measures: { amuont: 'args.amount' } },
    [
      'measures.amuont@0 measure_unknown: `money.transfer` has no measure `amuont` (did you mean `amount`?)',
    ],
  ],
  [
    'a measure of another type',
    { measures: { amount: 'args.charge' } },
    ['measures.amount@0 expression_type: the measure `amount` is of type decimal'],
  ],
  ['an integer for a decimal measure', { measures: { amount: '5' } }, []],
  [
    'a decimal for a text measure',
    { measures: { payee: 'args.amount' } },
    ['measures.payee@0 expression_type: the measure `payee` is of type string'],
  ],
  [
    'an argument that is not there',
    { measures: { amount: 'args.sum' } },
    ['measures.amount@5 expression_unknown: `args` has no `sum`'],
  ],
  [
    'a measure that reads a measure',
    { measures: { amount: 'measures.amount' } },
    ['measures.amount@0 expression_unknown: `measures` is not known here'],
  ],
  [
    '`once` that reads a preview',
    { once: 'preview.x' },
    ['once@0 expression_unknown: `preview` is not known here'],
  ],
  [
    '`once` that reads an optional argument',
    { once: 'args.reason' },
    [
      'once@0 once_optional: `once` reads `args.reason`, which may be left out: then nothing would name the effect (make the argument required)',
    ],
  ],
];

describe('the expressions of an operation', () => {
  for (const [title, parts, expected] of PROBLEMS) {
    test(`with ${title}`, () => {
      const problems = checkOperation(operationOf({ ...REFUND, ...parts }));
      assert.deepEqual(
        problems.map(
          ({ where, start, code, message, hint }) =>
            `${where}@${String(start)} ${code}: ${message}${code === 'expression_unknown' || hint === undefined ? '' : ` (${hint})`}`,
        ),
        expected,
      );
    });
  }
});
