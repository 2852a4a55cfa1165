/**
 * What belongs to one way to reach a target is refused at another, by the loader and by the schema
 * alike: each pair of executor and key is put to both.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SCHEMAS } from '../../scripts/schemas.ts';
import { readYaml } from '../../src/facts/document/yaml.ts';
import { compileInventory } from '../../src/facts/inventory/compile.ts';
import { plainOf, schemaErrors } from './check-schema.ts';

/** A target of each sort with one operation, as little as there can be. */
const HOMES: Readonly<Record<string, { readonly target: string; readonly operation: string }>> = {
  http: { target: 'http: https://a.example', operation: 'request: { POST: /a }' },
  process: { target: 'process: /srv', operation: 'run: [/bin/true]' },
  postgres: {
    target:
      'postgres: postgres://a@db.example/a\n    credentials: { act: env:ACT, look: env:LOOK }',
    operation: "sql: 'DELETE FROM a WHERE id = 1', key: id",
  },
  sqlite: {
    target: 'sqlite: /srv/a.db',
    operation: "sql: 'DELETE FROM a WHERE id = 1', key: id",
  },
  file: { target: 'file: { roots: /srv }', operation: 'read: { path: /srv/a }' },
  permit: { target: 'permit: { audience: cell }', operation: 'safing: false' },
};

/** Every key that an operation of some target has, as it may stand there. */
const OPERATION_KEYS: readonly string[] = [
  'request: { POST: /a }',
  'run: [/bin/true]',
  "sql: 'DELETE FROM a WHERE id = 1'",
  'write: { path: /srv/a, content: b }',
  'move: { from: /srv/a, to: /srv/b }',
  'delete: { path: /srv/a }',
  'read: { path: /srv/a }',
  'statuses: { 409: failed }',
  'ifMatch: preview',
  'env: { A: b }',
  'files: [/srv/a]',
  'exits: { 1: failed }',
  'memory: 1MiB',
  'size: 1MiB',
  'output: 1MiB',
  'key: id',
  'max: { rows: 10 }',
  'lockTimeout: 1s',
  'preview: { GET: /a, material: /b }',
  'preview: { run: [/bin/true], material: /b }',
  'preview: { run: [/bin/true], as: terraform-plan }',
  'preview: rollback',
  'reconcile: { GET: /a, find: b }',
  'reconcile: { run: [/bin/true], exits: { 0: succeeded } }',
  'reconcile: { marker: executions }',
  'timeout: 1s',
  'safing: true',
  'conflict: a',
];

/** Keys of targets, likewise. */
const TARGET_KEYS: readonly string[] = [
  'probe: { GET: /a, field: /b }',
  'probe: { file: /srv/a, field: /b }',
  "probe: { sql: 'SELECT id FROM a', field: /id }",
  'credentials: { act: env:ACT, look: env:LOOK, rollback: env:ROLLBACK }',
  'owner: team-a',
  ...Object.values(HOMES).map(({ target }) => target),
];

/** What says that a key, or what is in it, is of another sort of target. */
const OF_ANOTHER = new Set([
  'unknown_key',
  'missing_key',
  'wrong_type',
  'bad_operation',
  'bad_executor',
  'bad_probe',
  'bad_credential',
  'bad_choice',
  'duplicate_key',
]);

interface Told {
  readonly byLoader: readonly string[];
  readonly bySchema: readonly string[];
}

function told(target: string, operation: string): Told {
  const text = `version: 1
targets:
  t:
    ${target}
    operations:
      o: { kind: data.delete, ${operation} }
`;
  const { document } = readYaml(text, 'inventory.yaml');
  const schema = SCHEMAS['inventory'];
  assert.ok(document !== undefined && schema !== undefined, text);
  const { problems } = compileInventory({ document, baseDirectory: '/etc/exequatur' });
  const errors = problems.filter(({ severity }) => severity === 'error');
  return {
    byLoader: errors.map(({ code }) => code).filter((code) => OF_ANOTHER.has(code)),
    bySchema: schemaErrors(schema, plainOf(document)),
  };
}

/** Operations with a key more, or with another value of one that they have. */
function withKey(operation: string, key: string): string {
  const [name = ''] = key.split(':');
  return new RegExp(`(?:^|, )${name}:`, 'u').test(operation) ? operation : `${operation}, ${key}`;
}

describe('the schema refuses what the loader refuses', () => {
  for (const [name, { target, operation }] of Object.entries(HOMES)) {
    test(`an operation of ${name} with each key that there is`, () => {
      assert.deepEqual(told(target, operation), { byLoader: [], bySchema: [] });
      let refused = 0;
      for (const key of OPERATION_KEYS) {
        const { byLoader, bySchema } = told(target, withKey(operation, key));
        assert.equal(bySchema.length > 0, byLoader.length > 0, `${key}: ${byLoader.join()}`);
        refused += byLoader.length > 0 ? 1 : 0;
      }
      assert.ok(refused > 10);
    });

    test(`a target of ${name} with each key that there is`, () => {
      let refused = 0;
      for (const key of TARGET_KEYS) {
        const [word = ''] = key.split(':');
        if (new RegExp(`(?:^|\\s)${word}:`, 'u').test(target)) continue;
        const { byLoader, bySchema } = told(`${target}\n    ${key}`, operation);
        const isRefused = byLoader.length > 0;
        assert.equal(bySchema.length > 0, isRefused, `${key}: ${byLoader.join()}`);
        refused += isRefused ? 1 : 0;
      }
      assert.ok(refused >= 5);
    });

    for (const [other, { operation: foreign }] of Object.entries(HOMES)) {
      if (foreign === operation) continue;
      test(`a target of ${name} with an operation of ${other}`, () => {
        const { byLoader, bySchema } = told(target, foreign);
        assert.ok(byLoader.length > 0);
        assert.notDeepEqual(bySchema, []);
      });
    }
  }
});
