import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { createMasker } from '../../src/executors/mask.ts';
import { SqlFailure, type SqlSession } from '../../src/executors/sql/session.ts';
import { openSession } from '../../src/executors/sql/tools.ts';
import { systemClock } from '../fixtures/clock.ts';
import { hasPostgres, type PostgresServer, startPostgres } from '../fixtures/postgres-server.ts';
import { type PostgresFixture, startPostgresTarget } from '../fixtures/postgres-target.ts';
import { codeOf, executorContract, valueOf } from './executor.ts';
import { sqlContract } from './sql-executor.ts';
import { soon } from './sql-rollback.ts';

const NEVER = new AbortController().signal;
/** How many tests are left out where there is no PostgreSQL. */
const TESTS_COUNT = 59;

/** A session as a preview that is rolled back has it, in its transaction. */
async function openTrial(
  { environment, of }: PostgresFixture,
  timeoutMs: number,
): Promise<SqlSession> {
  const { target } = of('try-touch', { note: 'x' });
  assert.ok(target.executor.kind === 'sql');
  const session = await openSession(
    { target: target.executor },
    target.credentials.rollback,
    { mode: 'rollback', timeoutMs, lockTimeoutMs: 200, signal: NEVER },
    { masker: createMasker(), environment, clock: systemClock, sqliteProgram: '' },
  );
  await session.begin();
  return session;
}

if (hasPostgres) {
  let server: PostgresServer | undefined;
  before(async () => {
    server = await startPostgres();
  });
  after(async () => {
    await server?.stop();
  });
  const start = async (): Promise<PostgresFixture> => {
    assert.ok(server !== undefined);
    return await startPostgresTarget(server);
  };
  sqlContract('sql/1 on PostgreSQL', start);
  describe('sql/1 on PostgreSQL: credentials', () => {
    test('one that leads to another database prepares nothing', async () => {
      const fixture = await start();
      const request = fixture.of('delete-customers', { closedBefore: '2026-01-01' });
      const resolution = valueOf(await fixture.executor.resolve(request, NEVER));
      const preview = valueOf(await fixture.executor.preview(request, NEVER));
      fixture.environment['ACT'] = 'postgres://actor:secret@127.0.0.1:1/other';
      const attempt = await fixture.executor.prepare(request, resolution, preview, NEVER);
      assert.equal(codeOf(attempt), 'url_refused');
      await fixture.stop();
    });

    test('the one that looks cannot write, and is asked to look only', async () => {
      const fixture = await start();
      const request = fixture.of('delete-customers', { closedBefore: '2026-01-01' });
      const looked = valueOf(await fixture.executor.resolve(request, NEVER));
      assert.equal(looked.recorded['user'], 'looker');
      await fixture.exec('REVOKE SELECT ON customers FROM looker');
      assert.equal(codeOf(await fixture.executor.preview(request, NEVER)), 'preview_failed');
      await fixture.stop();
    });
  });
  describe('sql/1 on PostgreSQL: previews that are rolled back, and who makes them', () => {
    let fixture: PostgresFixture;
    beforeEach(async () => {
      fixture = await start();
    });
    afterEach(async () => {
      await fixture.stop();
    });

    test('their own credential where one is declared, else the one that acts', async () => {
      const { executor, of, exec } = fixture;
      const request = of('try-touch', { note: 'x' });
      await exec('REVOKE UPDATE ON customers FROM actor');
      assert.ok((await executor.preview(request, NEVER)).ok);
      const { act, look } = request.target.credentials;
      assert.ok(act !== undefined && look !== undefined);
      const target = { ...request.target, credentials: { act, look } };
      assert.equal(codeOf(await executor.preview({ ...request, target }, NEVER)), 'preview_failed');
      await exec('GRANT UPDATE ON customers TO actor');
      assert.ok((await executor.preview({ ...request, target }, NEVER)).ok);
    });

    test('a statement that nobody waits for any more is ended long before its time', async () => {
      const { exec } = fixture;
      const session = await openTrial(fixture, 60_000);
      const update = `UPDATE "customers" SET "note" = 'hang_before' WHERE "id" = 1`;
      const ran = session.run(update, []);
      const lock = 'BEGIN; SELECT FROM customers FOR UPDATE NOWAIT; ROLLBACK';
      await soon(() => assert.rejects(exec(lock)));
      session.break(new SqlFailure('connection_lost', 'as a kill does'));
      await assert.rejects(ran);
      // The trigger sleeps for thirty seconds.
      await soon(() => exec(lock));
      session.close();
    });

    test('a layer that stands still in the middle of one keeps no rows', async () => {
      const { exec } = fixture;
      const session = await openTrial(fixture, 300);
      await session.run(`UPDATE "customers" SET "note" = 'x'`, []);
      const lock = 'BEGIN; SELECT FROM customers FOR UPDATE NOWAIT; ROLLBACK';
      await assert.rejects(exec(lock));
      await soon(() => exec(lock));
      session.close();
    });
  });
  executorContract('sql/1 on PostgreSQL', {
    start,
    expected: {
      succeed: ['succeeded', 'committed'],
      // Until a commit is asked for, nothing can take hold.
      fail_before: ['not_executed', 'database_refused'],
      hang_before: ['not_executed', 'timeout'],
      fail_after: ['unknown', 'connection_lost'],
      hang_after: ['unknown', 'timeout'],
      lose_answer: ['unknown', 'connection_lost'],
      echo: ['succeeded', 'committed'],
      flood: ['unknown', 'timeout'],
    },
  });
} else {
  describe('sql/1 on PostgreSQL', () => {
    const skip = `${TESTS_COUNT} tests left out: run \`npm ci\` in test/real`;
    test('the contract of executors', { skip });
  });
}
