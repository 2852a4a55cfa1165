import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { hasPostgres, type PostgresServer, startPostgres } from '../fixtures/postgres-server.ts';
import { type PostgresFixture, startPostgresTarget } from '../fixtures/postgres-target.ts';
import { codeOf, executorContract, valueOf } from './executor.ts';
import { sqlContract } from './sql-executor.ts';

const NEVER = new AbortController().signal;
/** How many tests are left out where there is no PostgreSQL. */
const TESTS_COUNT = 37;

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
