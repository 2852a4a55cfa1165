/** Attacks at a real PostgreSQL: rows, locks and races under an approved statement. */
import assert from 'node:assert/strict';
import { after as afterAll, before as beforeAll, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { hasPostgres, startPostgres, type PostgresServer } from '../fixtures/postgres-server.ts';
import {
  against,
  held,
  heldBy,
  onStage,
  startBank,
  stateAfter,
  type Bank,
  type Stage,
} from './stage.ts';

const POLICY = `version: 1
roles: [lead]
rules:
  - id: anything
    match: {}
    allow: true
  - id: few-rows
    match: { kind: data.delete }
    when: measures.rows > 2
    deny: too many rows
  - id: deletions-need-a-lead
    match: { kind: data.delete }
    require: [{ approval: { from: role:lead, count: 1, validFor: 3s } }]
`;

function inventoryOf(port: number): string {
  return `version: 1
targets:
  shop:
    environment: staging
    postgres: postgres://admin@127.0.0.1:${String(port)}/shop
    credentials: { act: env:PASSWORD, look: env:PASSWORD }
    operations:
      delete-closed:
        kind: data.delete
        args: { before: date }
        sql: DELETE FROM accounts WHERE closed_at < :before
        key: id
        max: { rows: 100 }
        lockTimeout: 8s
        timeout: 20s
      take:
        kind: data.write
        args: { id: integer, amount: integer }
        sql: UPDATE accounts SET balance = balance - :amount WHERE id = :id AND balance >= :amount
        key: id
`;
}

const DELETION = { target: 'shop', operation: 'delete-closed', args: { before: '2025-01-01' } };

describe('attacks at a database', { skip: !hasPostgres && 'test/real is not installed' }, () => {
  let server: PostgresServer;
  let admin: Client;
  let bank: Bank;
  beforeAll(async () => {
    server = await startPostgres();
    const { port, user, password } = server;
    admin = new Client({ host: '127.0.0.1', port, user, password, database: 'shop' });
    await admin.connect();
    bank = await startBank();
  });
  afterAll(async () => {
    await bank.close();
    await admin.end();
    await server.stop();
  });

  async function atShop(attack: (stage: Stage) => Promise<void>): Promise<void> {
    await admin.query(`DROP TABLE IF EXISTS accounts;
      CREATE TABLE accounts (id integer PRIMARY KEY, balance integer NOT NULL, closed_at date);
      INSERT INTO accounts VALUES (1, 100, '2024-01-01'), (2, 100, '2024-06-01'), (3, 100, NULL)`);
    const parts = {
      policy: POLICY,
      inventory: inventoryOf(server.port),
      environment: { PASSWORD: server.password },
      engineLimits: { retryMs: 100 },
    };
    await onStage(bank, parts, attack);
  }

  async function ids(): Promise<readonly number[]> {
    const { rows } = await admin.query('SELECT id FROM accounts ORDER BY id');
    return rows.map(({ id }) => Number(id));
  }

  // Atlantis#1122: a plan was applied that no longer was what it had been. A number of rows is no plan either.
  test('law 2: two rows were approved, and two other ones are not deleted', async () => {
    await atShop(async (stage) => {
      const notBefore = new Date(Date.now() + 1000).toISOString();
      const id = await held(stage, { ...DELETION, notBefore });
      assert.equal((await stage.approve(id)).status, 200);
      await admin.query(
        "UPDATE accounts SET closed_at = NULL WHERE id = 1; UPDATE accounts SET closed_at = '2024-02-01' WHERE id = 3",
      );
      await heldBy(stage, id, 'consent_moved');
      assert.deepEqual(await ids(), [1, 2, 3]);
    });
  });

  test('law 2: rows that are exchanged between the look and the statement are not deleted', async () => {
    await atShop(async (stage) => {
      // A row lock keeps the statement waiting after its preview; the exchange commits under it.
      const rival = new Client({
        host: '127.0.0.1',
        port: server.port,
        user: server.user,
        password: server.password,
        database: 'shop',
      });
      await rival.connect();
      try {
        const id = await held(stage, DELETION);
        await rival.query('BEGIN');
        await rival.query('UPDATE accounts SET closed_at = NULL WHERE id = 1');
        const yes = stage.approve(id);
        await wait(700);
        await rival.query("UPDATE accounts SET closed_at = '2024-02-01' WHERE id = 3");
        await rival.query('COMMIT');
        await yes;
        const state = await stateAfter(stage, id, ['executing']);
        assert.notEqual(state, 'succeeded');
        assert.deepEqual(await ids(), [1, 2, 3]);
      } finally {
        await rival.end();
      }
    });
  });

  // PostgreSQL’s one-statement consumption of a permit waited for a row lock and used its permit seconds after the
  // permit’s end, for the time was read before the lock.
  test('law 8: a lock that is waited for past the end of an approval does not lengthen it', async () => {
    await atShop(async (stage) => {
      const id = await held(stage, DELETION);
      const rival = new Client({
        host: '127.0.0.1',
        port: server.port,
        user: server.user,
        password: server.password,
        database: 'shop',
      });
      await rival.connect();
      try {
        // The look itself has to wait: nobody may read the table.
        await rival.query('BEGIN');
        const opened = await stage.call(`GET /v1/actions/${id}/consent`, stage.mei);
        const { consent, challenge } = opened.body;
        await rival.query('LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE');
        const body = { consent, challenge, decision: 'approve' };
        const yes = stage.call(`POST /v1/actions/${id}/approvals`, stage.mei, { body });
        await wait(4000);
        await rival.query('COMMIT');
        await yes;
        await heldBy(stage, id, 'approval_expired');
        assert.deepEqual(await ids(), [1, 2, 3]);
      } finally {
        await rival.end();
      }
    });
  });

  // Gitea CVE-2026-20779 and every read-then-write: what is checked and what is written are two statements.
  test('twelve takers at once take no more than there is', async () => {
    await atShop(async (stage) => {
      const proposals = Array.from({ length: 12 }, (_, index) =>
        stage.propose(
          { target: 'shop', operation: 'take', args: { id: 3, amount: 15 + (index % 2) } },
          { prefer: 'wait=15' },
        ),
      );
      const states = (await Promise.all(proposals)).map(({ body }) => String(body['state']));
      const { rows } = await admin.query('SELECT balance FROM accounts WHERE id = 3');
      assert.ok(Number(rows[0]?.balance) >= 0);
      assert.ok(states.includes('succeeded'), states.join());
      assert.ok(!states.includes('unknown'), states.join());
    });
  });

  test('an argument that would be another statement is a value', async () => {
    await atShop(async (stage) => {
      for (const before of [
        "2025-01-01'; DROP TABLE accounts; --",
        '2025-01-01) OR (1=1',
        'infinity',
      ]) {
        const { body } = await stage.propose({ ...DELETION, args: { before } });
        assert.equal(body['executed'], 'no');
        assert.notEqual(body['state'], 'succeeded');
      }
      assert.deepEqual(await ids(), [1, 2, 3]);
      assert.ok((await against(stage, await held(stage, DELETION))).includes('approval_missing'));
    });
  });
});
