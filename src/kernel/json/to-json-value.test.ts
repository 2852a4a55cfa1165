import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { randomValue } from '../../../test/fuzz/json-documents.ts';
import { seededRandom } from '../../../test/fuzz/random.ts';
import { JSON_LIMITS } from './cursor.ts';
import { parseJson } from './parse.ts';
import { JsonCopyError, toJsonValue } from './to-json-value.ts';
import { canonicalBytes, writeCanonical } from './write.ts';

describe('structures made JSON values', () => {
  it('are frozen copies that later changes do not reach', () => {
    const list = [{ rows: 12 }];
    const source = { list };
    const value = toJsonValue(source);
    list.push({ rows: 13 });
    assert.equal(writeCanonical(value), '{"list":[{"rows":12}]}');
    assert.ok(typeof value === 'object' && value !== null && Object.isFrozen(value));
    assert.equal(Object.getPrototypeOf(value), null);
  });

  it('read a getter once, so that what was judged is what is kept', () => {
    let reads = 0;
    const source = Object.defineProperty({}, 'a', { enumerable: true, get: () => (reads += 1) });
    assert.equal(writeCanonical(toJsonValue(source)), '{"a":1}');
  });

  it('are equal to what they were copied from', () => {
    const random = seededRandom(3);
    for (let run = 0; run < 2_000; run += 1) {
      // With one level of containers at most one tower stands on it, and the depth stays in its limit.
      const value = randomValue(random, 1);
      assert.equal(writeCanonical(toJsonValue(value)), writeCanonical(value));
    }
  });

  it('law: whatever is copied is accepted by the parser once written', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withSparseArray: true }), (anything) => {
        let value;
        try {
          value = toJsonValue(anything);
        } catch (error) {
          assert.ok(error instanceof JsonCopyError);
          return;
        }
        const parsed = parseJson(canonicalBytes(value));
        assert.ok(parsed.ok);
        assert.equal(writeCanonical(parsed.value), writeCanonical(value));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('structures that are no JSON values', () => {
  const holes: unknown[] = [1];
  holes[2] = 3;
  const cases: readonly (readonly [name: string, value: unknown, code: string])[] = [
    ['undefined', undefined, 'json_not_a_value'],
    ['a bigint', 1n, 'json_not_a_value'],
    ['NaN', Number.NaN, 'json_not_a_value'],
    ['a hole', holes, 'json_not_a_value'],
    ['an array with a named member', Object.assign([1], { name: 'a' }), 'json_not_a_value'],
    ['a Date', new Date(0), 'json_not_a_value'],
    ['a Map', new Map(), 'json_not_a_value'],
    ['a symbol member', { [Symbol('a')]: 1 }, 'json_not_a_value'],
    ['a hidden member', Object.defineProperty({}, 'a', { value: 1 }), 'json_not_a_value'],
    ['negative zero', -0, 'json_negative_zero'],
    ['an unsafe integer', 2 ** 53, 'json_integer_too_large'],
    ['a lone surrogate', '\udc00', 'json_lone_surrogate'],
    ['a noncharacter', '\u{1ffff}', 'json_noncharacter'],
    ['a noncharacter in a key', { '\ufdd0': 1 }, 'json_noncharacter'],
    ['the key __proto__', JSON.parse('{"__proto__":1}'), 'json_forbidden_key'],
  ];
  for (const [name, value, code] of cases) {
    it(`${name} is ${code}`, () => {
      assert.throws(() => toJsonValue(value), { name: 'JsonCopyError', code });
    });
  }

  it('are told with a pointer to the part', () => {
    assert.throws(() => toJsonValue({ 'a/b': [1, { '~': undefined }] }), { pointer: '/a~1b/1/~0' });
  });

  it('depth is accepted at its limit and refused one past it', () => {
    const { depthMax } = JSON_LIMITS;
    assert.ok(parseJson(canonicalBytes(toJsonValue(nested(depthMax)))).ok);
    assert.throws(() => toJsonValue(nested(depthMax + 1)), { code: 'json_too_deep' });
  });
});

function nested(depth: number): unknown {
  return JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
}
