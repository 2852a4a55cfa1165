import assert from 'node:assert/strict';
import { test } from 'node:test';

import { policyOf } from '../../test/laws/policies.ts';
import { must } from '../../test/laws/world.ts';
import { factsOf } from './rule-facts.ts';

function texts(requirement: unknown): readonly string[] {
  const { compiled } = policyOf([
    { id: 'allow', match: { operation: 'refund' }, allow: [requirement] },
  ]);
  return factsOf(must(compiled[0])).met.map(({ message }) => message);
}

test('a requirement that this version cannot check is called by its kind', () => {
  assert.deepEqual(texts({ evidence: { type: 'x' } }), ['`allow` allows it', '`evidence`']);
  assert.deepEqual(texts({ authorized: { by: 'x' } }), ['`allow` allows it', '`authorized`']);
});

test('a limit by count and one by sum say how much of what', () => {
  assert.deepEqual(texts({ limit: { name: 'uses', count: 5, per: '1h' } }).slice(1), [
    'limit `uses` of 5 per 1h',
  ]);
  assert.deepEqual(
    texts({ limit: { name: 'money', sum: 'measures.amount', max: '9.50', per: '1d' } }).slice(1),
    ['limit `money` of 9.50 per 1d'],
  );
});
