import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inventoryOf, targetOf } from '../../test/fixtures/shop-inventory.ts';
import { sameUserTargets, type Target } from './inventory.ts';

const PROCESS = {
  kind: 'process',
  directory: '/',
  environmentNames: [],
  environmentValues: {},
} as const;

function named(name: string, executor: Target['executor']): Target {
  return targetOf(name, [], { executor });
}

test('programs run as the layer where the operator says so, or says nothing', () => {
  const inventory = inventoryOf([
    named('silent', PROCESS),
    named('same', { ...PROCESS, isolation: { kind: 'same-as-layer' } }),
    named('other', { ...PROCESS, isolation: { kind: 'user', name: 'runner' } }),
    named('elsewhere', {
      kind: 'permit',
      audience: 'cell',
      validForMs: 60_000,
      settleWithinMs: 60_000,
    }),
  ]);
  assert.deepEqual(sameUserTargets(inventory), ['silent', 'same']);
});
