/**
 * What holds the one exception to "previews cannot write": a preview that runs the statement itself
 * takes everything back, however it ends, and keeps nobody waiting for longer than was declared.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { createMasker } from '../../src/executors/mask.ts';
import type { EffectRequest } from '../../src/engine/ports.ts';
import type { SqlSession } from '../../src/executors/sql/session.ts';
import { openSession } from '../../src/executors/sql/tools.ts';
import { SQLITE_PROGRAM } from '../../src/executors/sql/sqlite.ts';
import { systemClock } from '../fixtures/clock.ts';
import { codeOf, freely, makeReady, mint, perform, valueOf } from './executor.ts';
import type { SqlHarness } from './sql-executor.ts';

const NEVER = new AbortController().signal;
const LAYER = fileURLToPath(new URL('../fixtures/sql-layer.ts', import.meta.url));
/** Everything that a preview could leave. */
const EVERYTHING = [
  'SELECT id, name, note, closed_at FROM customers ORDER BY id',
  'SELECT tenant, id, name FROM seats ORDER BY tenant, id',
  'SELECT execution, state FROM exequatur_executions ORDER BY execution',
];

/** The suite. `start` is called for each test. */
export function rollbackContract(name: string, start: () => Promise<SqlHarness>): void {
  describe(`${name}: previews that are rolled back`, () => {
    let harness: SqlHarness;
    let before: readonly string[];
    beforeEach(async () => {
      harness = await start();
      before = await everything(harness);
    });
    afterEach(async () => {
      await harness.stop();
    });
    const current = (): Trial => ({ ...harness, unchanged: () => unchanged(harness, before) });
    previews(current);
    bounds(current);
    ends(current);
  });
}

interface Trial extends SqlHarness {
  /** Fails where a table is not as it was, or a row is still held. */
  readonly unchanged: () => Promise<void>;
}

type Current = () => Trial;

async function everything({ rows }: SqlHarness): Promise<readonly string[]> {
  const tables: (readonly string[])[] = [];
  for (const statement of EVERYTHING) tables.push(await rows(statement));
  return tables.flat();
}

async function unchanged(harness: SqlHarness, before: readonly string[]): Promise<void> {
  assert.deepEqual(await everything(harness), before);
  await harness.exec(`${LOCK}; ROLLBACK`);
}

/** Takes the rows in PostgreSQL, and the only writer's place in SQLite. */
const LOCK = "BEGIN; UPDATE customers SET note = 'mine'";

function previews(current: Current): void {
  test('tell the keys of rows that are not there yet, and leave none', async () => {
    const { executor, of, unchanged: same, ids } = current();
    const request = of('try-add', { id: 7, name: 'Eve' });
    assert.equal(request.operation.measures['rows'], 'preview.rows');
    assert.equal(request.operation.precondition, 'conditional');
    const preview = valueOf(await executor.preview(request, NEVER));
    assert.ok(preview !== 'none');
    assert.deepEqual(preview.material, { table: '"customers"', rows: 1, keys: ['7'] });
    await same();
    const { outcome } = await perform(executor, request);
    assert.deepEqual([outcome.state, outcome.result], ['succeeded', { rows: 1 }]);
    assert.deepEqual(await ids(), [1, 2, 3, 7]);
  });

  test('tell what the database would refuse, before anybody is asked', async () => {
    const { executor, of, unchanged: same } = current();
    const attempt = await executor.preview(of('try-add', { id: 1, name: 'Eve' }), NEVER);
    assert.equal(codeOf(attempt), 'preview_failed');
    await same();
  });

  test('tell the keys that an update of the key itself would give', async () => {
    const { executor, of, unchanged: same, rows } = current();
    const request = of('try-move', { by: 10 });
    const preview = valueOf(await executor.preview(request, NEVER));
    assert.ok(preview !== 'none');
    const keys = [
      ['a', '11'],
      ['a', '12'],
    ];
    assert.deepEqual(preview.material['keys'], keys);
    await same();
    assert.equal((await perform(executor, request)).outcome.state, 'succeeded');
    const moved = await rows("SELECT id FROM seats WHERE tenant = 'a' ORDER BY id");
    assert.deepEqual(moved, ['11', '12']);
  });

  test('count rows that have no key, and another count is not committed', async () => {
    const { executor, of, unchanged: same, exec, rows } = current();
    const request = of('try-close', { note: 'gone' });
    assert.equal(request.operation.precondition, 'read-then-act');
    const { prepared, preview, ...ready } = await makeReady(executor, request);
    assert.ok(preview !== 'none');
    assert.deepEqual(preview.material, { table: '"customers"', rows: 2 });
    await same();
    await exec('UPDATE customers SET closed_at = NULL WHERE id = 3');
    const outcome = await prepared.send(mint(ready.request, ready.resolution.effect), freely());
    assert.deepEqual([outcome.state, outcome.code], ['not_executed', 'rows_differ']);
    assert.deepEqual(await rows("SELECT id FROM customers WHERE note = 'gone'"), []);
    assert.equal((await perform(executor, request)).outcome.state, 'succeeded');
    assert.deepEqual(await rows("SELECT id FROM customers WHERE note = 'gone'"), ['2']);
  });

  test('other keys than those of the preview are not committed', async () => {
    const { executor, of, exec, rows } = current();
    const { prepared, ...ready } = await makeReady(executor, of('try-move', { by: 10 }));
    await exec("UPDATE seats SET id = 5 WHERE tenant = 'a' AND id = 2");
    const outcome = await prepared.send(mint(ready.request, ready.resolution.effect), freely());
    assert.deepEqual([outcome.state, outcome.code], ['not_executed', 'keys_moved']);
    const left = await rows("SELECT id FROM seats WHERE tenant = 'a' ORDER BY id");
    assert.deepEqual(left, ['1', '5']);
  });

  test('more rows than `max` are refused, and taken back', async () => {
    const { executor, of, exec, rows } = current();
    await exec("UPDATE customers SET closed_at = '2020-01-01'");
    const attempt = await executor.preview(of('try-close', { note: 'gone' }), NEVER);
    assert.equal(codeOf(attempt), 'preview_too_many_rows');
    assert.deepEqual(await rows("SELECT id FROM customers WHERE note = 'gone'"), []);
  });
}

function bounds(current: Current): void {
  test('no more rows are given than any operation may touch, however many there are', async () => {
    const { executor, of, exec, rows, environment } = current();
    const numbers = 'SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 10900';
    await exec(`INSERT INTO seats WITH RECURSIVE n(i) AS (${numbers}) SELECT 'a', i, 'x' FROM n`);
    const request = of('try-move', { by: 1_000_000 });
    assert.equal(codeOf(await executor.preview(request, NEVER)), 'preview_too_many_rows');
    const session = await open(request, environment);
    const ran = await session.run(statementOf(request), [1_000_000n]);
    session.close();
    assert.ok(ran.rows.length > 1000 && ran.rows.length <= 10_001, String(ran.rows.length));
    assert.deepEqual(await rows('SELECT count(*) FROM seats WHERE id > 1000000'), ['1']);
  });

  test("somebody else's lock is waited for no longer than `lockTimeout`", async () => {
    const { executor, of, unchanged: same, exec } = current();
    const request = of('try-touch', { note: 'x' });
    await exec(LOCK);
    const start = systemClock.monotonicMs();
    const attempt = await executor.preview(request, NEVER);
    const elapsedMs = systemClock.monotonicMs() - start;
    await exec('ROLLBACK');
    assert.equal(codeOf(attempt), 'preview_failed');
    // Without a limit of its own the statement would end with its time: `timeout`.
    assert.ok(elapsedMs >= 150, String(elapsedMs));
    await same();
  });

  test('a statement that does not end is ended after `timeout`, and its rows are free', async () => {
    const { executor, of, unchanged: same } = current();
    const start = systemClock.monotonicMs();
    const attempt = await executor.preview(of('try-touch', { note: 'hang_before' }), NEVER);
    assert.equal(codeOf(attempt), 'timeout');
    // A second is declared; by itself the statement would take thirty, or for ever.
    assert.ok(systemClock.monotonicMs() - start < 10_000);
    await soon(same);
  });

  test('law 1: a session that rolls back does not commit, also where it is asked to', async () => {
    const { of, environment, unchanged: same } = current();
    const request = of('try-add', { id: 7, name: 'Eve' });
    const session = await open(request, environment);
    await session.run(statementOf(request), [7n, 'Eve']);
    await assert.rejects(session.commit(), /that rolls back was asked to commit/u);
    session.close();
    await soon(same);
  });
}

/** A session as a preview has it, in its transaction. */
async function open(
  { target }: EffectRequest,
  environment: SqlHarness['environment'],
): Promise<SqlSession> {
  assert.ok(target.executor.kind === 'sql');
  const session = await openSession(
    { target: target.executor },
    target.executor.engine === 'postgres' ? target.credentials.act : undefined,
    { mode: 'rollback', timeoutMs: 5000, lockTimeoutMs: 200, signal: NEVER },
    { masker: createMasker(), environment, clock: systemClock, sqliteProgram: SQLITE_PROGRAM },
  );
  await session.begin();
  return session;
}

function statementOf({ operation: { binding } }: EffectRequest): string {
  assert.ok(binding.kind === 'sql');
  return binding.statement;
}

function ends(current: Current): void {
  test('what is cancelled while it runs is taken back', async () => {
    const { executor, of, unchanged: same } = current();
    const cancel = new AbortController();
    const previewed = executor.preview(of('try-touch', { note: 'hang_before' }), cancel.signal);
    await systemClock.sleep(300);
    cancel.abort();
    assert.equal(codeOf(await previewed), 'cancelled');
    await soon(same);
  });

  test('law 1: kill -9 of the layer during a preview leaves nothing, and no row held', async () => {
    const { place, environment, exec, unchanged: same } = current();
    const layer = spawn(process.execPath, [LAYER, place, 'try-hold', '{"note":"hang_before"}'], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = once(layer, 'close');
    // The statement runs once somebody else cannot have its row.
    await soon(() => assert.rejects(exec(`${LOCK_AT_ONCE}; ROLLBACK`)));
    layer.kill('SIGKILL');
    await ended;
    await soon(same);
  });
}

const LOCK_AT_ONCE = "BEGIN; UPDATE customers SET note = 'mine' WHERE id = 1";

/** Repeats a check until it holds: a server notices an ended connection a little later. */
export async function soon(check: () => Promise<void>, withinMs = 15_000): Promise<void> {
  const deadline = systemClock.monotonicMs() + withinMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (systemClock.monotonicMs() > deadline) throw error;
      await systemClock.sleep(50);
    }
  }
}
