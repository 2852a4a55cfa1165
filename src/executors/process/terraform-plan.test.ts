import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { JsonObject, JsonValue } from '../../kernel/json/value.ts';
import { planMaterial } from './terraform-plan.ts';

function plan(changes: JsonValue, more: JsonObject = {}): JsonObject {
  return { format_version: '1.2', resource_changes: changes, ...more };
}

function change(address: string, ...actions: readonly JsonValue[]): JsonObject {
  return { address, change: { actions, before: { password: 'hidden' }, after: null } };
}

describe('a plan of Terraform', () => {
  test('is its changes by address, without values, reads and what stays', () => {
    const listed = [
      change('b.new', 'create'),
      change('a.replaced', 'delete', 'create'),
      change('c.changed', 'update'),
      change('d.gone', 'delete'),
      { ...change('d.gone', 'delete'), deposed: '1a2b' },
      change('e.same', 'no-op'),
      change('data.f', 'read'),
      change('g.forgotten', 'forget'),
    ];
    assert.deepEqual(planMaterial(plan(listed)), {
      adds: 2,
      changes: 1,
      destroys: 3,
      resources: [
        { address: 'a.replaced', actions: ['delete', 'create'] },
        { address: 'b.new', actions: ['create'] },
        { address: 'c.changed', actions: ['update'] },
        { address: 'd.gone', actions: ['delete'] },
        { address: 'd.gone (deposed 1a2b)', actions: ['delete'] },
        { address: 'g.forgotten', actions: ['forget'] },
      ],
    });
  });

  test('is the same in whatever order it lists them', () => {
    const listed = [change('a', 'create'), change('b', 'delete')];
    assert.deepEqual(planMaterial(plan(listed)), planMaterial(plan(listed.toReversed())));
  });

  test('without changes is one', () => {
    const none = { adds: 0, changes: 0, destroys: 0, resources: [] };
    assert.deepEqual(planMaterial({ format_version: '1.2' }), none);
    assert.deepEqual(planMaterial(plan([change('a', 'no-op')])), none);
  });

  test('is none where it failed, is something else, or holds what is not known', () => {
    const table: readonly JsonValue[] = [
      null,
      [],
      { resource_changes: [] },
      plan([], { errored: true }),
      plan({}),
      plan([null]),
      plan([{ address: 'a' }]),
      plan([{ change: { actions: ['create'] } }]),
      plan([change('a', 'explode')]),
      plan([change('a', 1)]),
    ];
    for (const each of table) assert.equal(planMaterial(each), undefined, JSON.stringify(each));
  });
});
