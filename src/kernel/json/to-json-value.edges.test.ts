/** What is copied at the very edges, and that nobody can change a copy. */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { toJsonValue } from './to-json-value.ts';
import { canonicalBytes, JsonWriteError, writeCanonical } from './write.ts';

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

function members(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = { a: value };
  return value;
}

const refused = (value: unknown, code: string, pointer?: string): void => {
  assert.throws(() => toJsonValue(value), pointer === undefined ? { code } : { code, pointer });
};

it('copies sixty-four levels of lists or objects, and not one more', () => {
  for (const make of [nested, members]) {
    assert.deepEqual(writeCanonical(toJsonValue(make(64))), writeCanonical(make(64)));
    refused(make(65), 'json_too_deep');
  }
});

it('copies objects without a prototype, and freezes lists and objects', () => {
  const copy = toJsonValue({ list: [[1]], none: Object.assign(Object.create(null), { a: 1 }) });
  assert.equal(writeCanonical(copy), '{"list":[[1]],"none":{"a":1}}');
  const seen: unknown[] = [copy];
  for (const part of seen) {
    if (typeof part !== 'object' || part === null) continue;
    assert.ok(Object.isFrozen(part));
    seen.push(...Object.values(part));
  }
  assert.equal(seen.length, 6);
});

it('refuses lists with holes, with named members, or of another class', () => {
  refused({ list: Object.assign([], { length: 2 }) }, 'json_not_a_value', '/list');
  refused(Object.assign([1], { a: 1 }), 'json_not_a_value', '');
  refused(new (class Other extends Array {})(), 'json_not_a_value', '');
});

it('writes a thousand levels of lists or objects, and not one more', () => {
  for (const make of [nested, members]) {
    assert.ok(canonicalBytes(make(1000)).length === writeCanonical(make(1000)).length);
    assert.throws(() => writeCanonical(make(1001)), {
      name: 'JsonWriteError',
      code: 'json_not_writable',
    });
  }
  assert.ok(new JsonWriteError('x') instanceof TypeError);
});
