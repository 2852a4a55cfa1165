import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Probe } from '../kernel/inventory.ts';
import { parseJson } from '../kernel/json/parse.ts';
import type { JsonValue } from '../kernel/json/value.ts';
import { readProbe, select, valueAt } from './pointer.ts';
import { ExecutorRefusal } from './refusal.ts';

function json(text: string): JsonValue {
  const parsed = parseJson(Buffer.from(text));
  assert.ok(parsed.ok);
  return parsed.value;
}

const DOCUMENT = json('{"a":{"b":[10,{"c":"x"}],"~/":1},"":2,"n":null,"list":[{"id":1}]}');

describe('JSON pointers', () => {
  test('they lead where RFC 6901 says', () => {
    const table: readonly (readonly [string, unknown])[] = [
      ['/a/b/0', 10],
      ['/a/b/1/c', 'x'],
      ['/a/~0~1', 1],
      ['/', 2],
      ['/n', null],
      ['/a/b/01', undefined],
      ['/a/b/-', undefined],
      ['/a/b/2', undefined],
      ['/toString', undefined],
      ['a', undefined],
      ['/n/x', undefined],
    ];
    for (const [pointer, value] of table) assert.equal(valueAt(DOCUMENT, pointer), value, pointer);
    assert.equal(valueAt(DOCUMENT, ''), DOCUMENT);
  });

  test('a selection keeps the nesting, and what lies within a selected value comes with it', () => {
    const plain = (pointers: readonly string[]): unknown =>
      JSON.parse(JSON.stringify(select(DOCUMENT, pointers, true)));
    assert.deepEqual(plain(['/a/b/1/c', '/n']), { a: { b: { 1: { c: 'x' } } }, n: null });
    assert.deepEqual(plain(['/a/b/0', '/a/b']), { a: { b: [10, { c: 'x' }] } });
    assert.deepEqual(plain(['/list', '/list/0/id']), { list: [{ id: 1 }] });
    assert.deepEqual(plain(['']), JSON.parse(JSON.stringify(DOCUMENT)));
    assert.deepEqual(plain([]), {});
  });

  test('a selection is frozen at every depth', () => {
    const selected = select(DOCUMENT, ['/a/b/1/c'], true);
    assert.ok(Object.isFrozen(selected) && Object.isFrozen(selected['a']));
  });

  test('material that is missing is refused, context that is missing is left out', () => {
    assert.throws(() => select(DOCUMENT, ['/zzz'], true), { code: 'preview_incomplete' });
    assert.deepEqual(Object.keys(select(DOCUMENT, ['/zzz', '/n'], false)), ['n']);
    assert.throws(() => select(json('[1]'), [''], true), { code: 'preview_incomplete' });
  });
});

describe('probes', () => {
  const probe: Probe = {
    kind: 'file',
    path: '/x',
    identity: '/id',
    environment: { pointer: '/mode', values: { live: 'production', true: 'staging' } },
  };
  const codeOf = (text: string): string => {
    try {
      const { identity, environment } = readProbe(probe, json(text), 'inventoried');
      return `${identity} ${environment}`;
    } catch (error) {
      if (error instanceof ExecutorRefusal) return error.code;
      throw error;
    }
  };

  test('a system that cannot say who or where it is, is refused', () => {
    const table: readonly (readonly [string, string])[] = [
      ['{"id":"acct_1","mode":"live"}', 'acct_1 production'],
      ['{"id":17,"mode":true}', '17 staging'],
      ['{"id":"","mode":"live"}', 'probe_identity_missing'],
      ['{"id":null,"mode":"live"}', 'probe_identity_missing'],
      ['{"id":{},"mode":"live"}', 'probe_identity_missing'],
      ['{"mode":"live"}', 'probe_identity_missing'],
      ['{"id":"a"}', 'probe_environment_unknown'],
      ['{"id":"a","mode":"test"}', 'probe_environment_unknown'],
      ['{"id":"a","mode":"toString"}', 'probe_environment_unknown'],
      ['{"id":"a","mode":["live"]}', 'probe_environment_unknown'],
    ];
    for (const [text, expected] of table) assert.equal(codeOf(text), expected, text);
  });

  test('without a declared environment the inventory is believed', () => {
    const { environment: _, ...plain } = probe;
    assert.equal(readProbe(plain, json('{"id":"a"}'), 'inventoried').environment, 'inventoried');
  });
});
