/** The tests of the toy, with holes in them. They run only while the toy is mutated. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isKnown, plain, sumTo } from './toy.ts';

describe('the toy', () => {
  test('sums', () => {
    assert.equal(sumTo(3), 6);
    assert.equal(sumTo(50), 100);
  });

  test('knows a word', () => {
    assert.ok(isKnown('one'));
    assert.ok(!isKnown('three'));
  });

  test('is plain', () => {
    assert.equal(plain('text'), 'text');
    assert.equal(plain(undefined), 'none');
  });
});
