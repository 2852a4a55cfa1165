/** What the executor for databases must do beside the contract of all executors, on each engine. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import type { EffectRequest } from '../../src/engine/ports.ts';
import type { ProbingExecutor } from '../../src/executors/probing-executor.ts';
import type { JsonObject } from '../../src/kernel/json/value.ts';
import { writeCanonical } from '../../src/kernel/json/write.ts';
import {
  codeOf,
  type ExecutorHarness,
  freely,
  freshExecution,
  makeReady,
  mint,
  perform,
  valueOf,
} from './executor.ts';
import { rollbackContract } from './sql-rollback.ts';

/** A database with the customers 1, 2 and 3, of which 2 and 3 are closed. */
export interface SqlHarness extends ExecutorHarness {
  readonly executor: ProbingExecutor;
  readonly of: (operation: string, args: JsonObject) => EffectRequest;
  /** Runs statements on the test's own connection. */
  readonly exec: (statement: string) => Promise<void>;
  /** Ids of the customers that are left. */
  readonly ids: () => Promise<readonly number[]>;
  /** What a SELECT gives, one text a row. */
  readonly rows: (statement: string) => Promise<readonly string[]>;
  /** The target's lines in the inventory, and where its credentials are. */
  readonly place: string;
  readonly environment: Readonly<Record<string, string>>;
}

const NEVER = new AbortController().signal;
const CLOSED = { closedBefore: '2026-01-01' };

/** The suite. `start` is called for each test. */
export function sqlContract(name: string, start: () => Promise<SqlHarness>): void {
  describe(`${name}: rows`, () => {
    let harness: SqlHarness;
    beforeEach(async () => {
      harness = await start();
    });
    afterEach(async () => {
      await harness.stop();
    });
    deletions(() => harness);
    others(() => harness);
    markers(() => harness);
    keysOfColumns(() => harness);
    lists(() => harness);
  });
  rollbackContract(name, start);
}

type Current = () => SqlHarness;

function deletions(current: Current): void {
  test('a deletion touches exactly the keys of its preview', async () => {
    const { executor, of, ids } = current();
    const request = of('delete-customers', CLOSED);
    const preview = valueOf(await executor.preview(request, NEVER));
    assert.ok(preview !== 'none');
    assert.deepEqual(preview.material, { table: '"customers"', rows: 2, keys: ['2', '3'] });
    assert.equal(request.operation.precondition, 'conditional');
    assert.equal(request.operation.measures['rows'], 'preview.rows');
    const { outcome } = await perform(executor, request);
    assert.deepEqual([outcome.state, outcome.result], ['succeeded', { rows: 2 }]);
    assert.deepEqual(await ids(), [1]);
  });

  for (const [what, statement] of [
    ['a row that left them', 'UPDATE customers SET closed_at = NULL WHERE id = 2'],
    ['a row that came to them', "UPDATE customers SET closed_at = '2020-01-01' WHERE id = 1"],
    ['another row in the place of one', 'UPDATE customers SET id = 9 WHERE id = 3'],
  ] as const) {
    test(`${what} between preview and send leaves everything as it was`, async () => {
      const { executor, of, ids, exec, effects } = current();
      const { prepared, ...ready } = await makeReady(executor, of('delete-customers', CLOSED));
      await exec(statement);
      const before = await ids();
      const outcome = await prepared.send(mint(ready.request, ready.resolution.effect), freely());
      assert.deepEqual([outcome.state, outcome.code], ['not_executed', 'keys_moved']);
      assert.deepEqual(await ids(), before);
      assert.deepEqual(await effects(), []);
    });
  }

  test('more rows than `max` are not previewed', async () => {
    const { executor, of, exec } = current();
    await exec("UPDATE customers SET closed_at = '2020-01-01'");
    const attempt = await executor.preview(of('delete-customers', CLOSED), NEVER);
    assert.equal(codeOf(attempt), 'preview_too_many_rows');
  });

  test('a key that does not name each row is refused', async () => {
    const { executor, of } = current();
    const attempt = await executor.preview(of('delete-named', { id: 2 }), NEVER);
    assert.equal(codeOf(attempt), 'preview_key_not_unique');
  });

  test("somebody else's lock ends the effect without a trace", async () => {
    const { executor, of, ids, exec } = current();
    const { prepared, ...ready } = await makeReady(executor, of('delete-customers', CLOSED));
    await exec(LOCK);
    const outcome = await prepared.send(mint(ready.request, ready.resolution.effect), freely());
    assert.deepEqual(
      [outcome.state, outcome.sent, outcome.code],
      ['not_executed', false, 'lock_timeout'],
    );
    await exec('ROLLBACK');
    assert.deepEqual(await ids(), [1, 2, 3]);
  });
}

/** Takes the rows in PostgreSQL, and the only writer's place in SQLite. */
const LOCK = "BEGIN; UPDATE customers SET note = 'mine'";

function others(current: Current): void {
  test('an insert writes its row once; a second one is refused by the database', async () => {
    const { executor, of, ids } = current();
    const request = of('add', { id: 7, name: "x'); DROP TABLE customers; --" });
    assert.equal(request.operation.measures['rows'], '1');
    assert.equal((await perform(executor, request)).outcome.state, 'succeeded');
    const { outcome } = await perform(executor, request);
    assert.deepEqual([outcome.state, outcome.code], ['not_executed', 'database_refused']);
    assert.deepEqual(await ids(), [1, 2, 3, 7]);
  });

  test('a read gives rows, and none where there are more than `max`', async () => {
    const { executor, of } = current();
    const { outcome } = await perform(executor, of('read', { from: 2 }));
    const rows = [
      { id: '2', name: 'Bob' },
      { id: '3', name: 'Cid' },
    ];
    assert.equal(writeCanonical(outcome.result), writeCanonical({ rows }));
    const { outcome: more } = await perform(executor, of('read', { from: 1 }));
    assert.deepEqual([more.state, more.code, more.result], ['not_executed', 'too_many_rows', null]);
  });

  test('a declared SELECT says who the database is and what it is for', async () => {
    const { executor, of } = current();
    const request = of('read', { from: 1 });
    const statement = 'SELECT "name", "stage" FROM "place" LIMIT 2';
    const environment = { pointer: '/stage', values: { live: 'production' } };
    const probe = { kind: 'sql', statement, identity: '/name', environment } as const;
    const target = { ...request.target, environment: 'staging', probe };
    const found = valueOf(await executor.resolve({ ...request, target }, NEVER));
    assert.match(found.identity ?? '', / shop$/u);
    assert.equal(found.environment, 'production');
  });
}

function markers(current: Current): void {
  test('an execution that was found absent cannot take hold any more', async () => {
    const { executor, of, ids, effects } = current();
    const { prepared, ...ready } = await makeReady(executor, of('delete-customers', CLOSED));
    const execution = mint(ready.request, ready.resolution.effect);
    const absent = valueOf(await executor.reconcile(ready.request, execution.id, NEVER));
    assert.deepEqual([absent?.state, absent?.code], ['not_executed', 'evidence_absent']);
    const late = await prepared.send(execution, freely());
    assert.deepEqual([late.state, late.code], ['not_executed', 'database_refused']);
    assert.deepEqual(await ids(), [1, 2, 3]);
    assert.deepEqual(await effects(), []);
    const again = valueOf(await executor.reconcile(ready.request, execution.id, NEVER));
    assert.equal(again?.code, 'evidence_absent');
  });

  test('an execution that may still commit stays unknown', async () => {
    const { executor, of, exec } = current();
    const execution = freshExecution();
    await exec(`BEGIN; INSERT INTO exequatur_executions VALUES ('${execution}', 'done')`);
    const request = of('delete-customers', CLOSED);
    assert.equal(valueOf(await executor.reconcile(request, execution, NEVER)), undefined);
    await exec('COMMIT');
    assert.equal(valueOf(await executor.reconcile(request, execution, NEVER))?.state, 'succeeded');
  });

  test('without a marker table nothing is evidence', async () => {
    const { executor, of } = current();
    const request = of('add', { id: 9, name: 'x' });
    assert.equal(valueOf(await executor.reconcile(request, freshExecution(), NEVER)), undefined);
  });
}

function keysOfColumns(current: Current): void {
  test('a key of two columns names rows that neither column names alone', async () => {
    const { executor, of, rows } = current();
    const request = of('free', { ids: [1, 7] });
    const preview = valueOf(await executor.preview(request, NEVER));
    assert.ok(preview !== 'none');
    const keys = [
      ['a', '1'],
      ['b', '1'],
    ];
    assert.deepEqual(preview.material, { table: '"seats"', rows: 2, keys });
    assert.equal(request.operation.precondition, 'conditional');
    const { outcome } = await perform(executor, request);
    assert.deepEqual([outcome.state, outcome.result], ['succeeded', { rows: 2 }]);
    assert.deepEqual(await rows('SELECT name FROM seats ORDER BY name'), ['Bob', 'Dot']);
  });

  test('a row that changes one column of its key between preview and send is another row', async () => {
    const { executor, of, rows, exec } = current();
    const { prepared, ...ready } = await makeReady(executor, of('free', { ids: [1] }));
    await exec("UPDATE seats SET tenant = 'c' WHERE tenant = 'b' AND id = 1");
    const outcome = await prepared.send(mint(ready.request, ready.resolution.effect), freely());
    assert.deepEqual([outcome.state, outcome.code], ['not_executed', 'keys_moved']);
    assert.equal((await rows('SELECT name FROM seats')).length, 4);
  });
}

/** Texts that end a list, an item or a statement where somebody pastes them. */
const HOSTILE = [
  "'",
  '"',
  '\\',
  '\\"',
  '{',
  '}',
  '[]',
  ',',
  'NULL',
  'null',
  '',
  ' ',
  '1',
  "x'); DROP TABLE seats; --",
  'a,b',
  '{a,b}',
  'é…😀',
  '\n',
];

function lists(current: Current): void {
  test('a list is bound as one value: each item is a text and nothing else', async () => {
    const { executor, of, rows, exec } = current();
    for (const [index, text] of HOSTILE.entries()) {
      await exec(
        `INSERT INTO seats VALUES ('h', ${String(index)}, '${text.replaceAll("'", "''")}')`,
      );
    }
    const request = of('free-named', { names: HOSTILE });
    const preview = valueOf(await executor.preview(request, NEVER));
    assert.ok(preview !== 'none');
    assert.equal(preview.material['rows'], HOSTILE.length);
    const { outcome } = await perform(executor, request);
    assert.deepEqual([outcome.state, outcome.result], ['succeeded', { rows: HOSTILE.length }]);
    const left = await rows('SELECT name FROM seats ORDER BY name');
    assert.deepEqual(left, ['Ann', 'Bob', 'Cid', 'Dot']);
  });

  test('integers of a list are exact beyond 2^53', async () => {
    const { executor, of, rows } = current();
    await perform(executor, of('free', { ids: ['9007199254740993', 2] }));
    assert.deepEqual(await rows('SELECT name FROM seats ORDER BY name'), ['Ann', 'Cid']);
  });

  test('an empty list names nothing, and all but nothing is everything', async () => {
    const { executor, of } = current();
    const counts = [of('free', { ids: [] }), of('keep-named', { names: [] })].map(
      async (request) => {
        const preview = valueOf(await executor.preview(request, NEVER));
        return preview === 'none' ? preview : preview.material['rows'];
      },
    );
    assert.deepEqual(await Promise.all(counts), [0, 4]);
  });

  test('two lists are two effects, also where their items read alike', async () => {
    const { executor, of } = current();
    const [one, two] = await Promise.all(
      [['a,b'], ['a', 'b']].map(async (names) =>
        valueOf(await executor.resolve(of('free-named', { names }), NEVER)),
      ),
    );
    assert.notEqual(one?.effect, two?.effect);
  });

  test('a list with something else than its items is refused', async () => {
    const { executor, of } = current();
    for (const names of [[['a']], 'a', [1], ['a\0b']]) {
      const attempt = await executor.resolve(of('free-named', { names }), NEVER);
      assert.equal(codeOf(attempt), 'argument_not_text');
    }
  });
}
