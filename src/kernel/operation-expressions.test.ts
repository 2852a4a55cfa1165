import assert from 'node:assert/strict';
import { test } from 'node:test';

import { operationOf, REFUND } from '../../test/fixtures/shop-inventory.ts';
import type { Operation } from './inventory.ts';
import { compiledOperation } from './operation-expressions.ts';

const PURGE = { name: 'o', target: 't', kind: 'data.delete' } as const;

function codes(operation: Operation): readonly string[] {
  return compiledOperation(operation).problems.map(({ code }) => code);
}

test('an expression with a problem is left out, and the others are there', () => {
  const operation = operationOf({
    ...REFUND,
    measures: { amount: 'args.amount', payee: 'args.nothing' },
  });
  const { measures, problems } = compiledOperation(operation);
  assert.deepEqual([...measures.keys()], ['amount']);
  assert.equal(problems.length, 1);
});

test('a measure with the name of what every object has is not known', () => {
  const operation = operationOf({ ...PURGE, measures: { constructor: '5' } });
  assert.deepEqual(codes(operation), ['measure_unknown']);
});

test('a measure where the kind has none is not known, and no other is near', () => {
  const operation = operationOf({ ...PURGE, kind: 'api.call', measures: { rows: '5' } });
  const [problem] = compiledOperation(operation).problems;
  assert.ok(problem !== undefined && !('hint' in problem));
});

test('a fraction is no whole number, and a whole number is one', () => {
  assert.deepEqual(codes(operationOf({ ...PURGE, measures: { rows: '5.5' } })), [
    'expression_type',
  ]);
  assert.deepEqual(codes(operationOf({ ...PURGE, measures: { rows: '5' } })), []);
});

test('what is only known when it is previewed may be of any type', () => {
  assert.deepEqual(codes(operationOf({ ...PURGE, measures: { rows: 'preview.rows' } })), []);
});
