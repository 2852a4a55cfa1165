/** A test of the toy that fails as it is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sumTo } from './toy.ts';

test('sums wrongly', () => {
  assert.equal(sumTo(3), 7);
});
