/** Changes of executions by name, lists, and the ledger. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  agentName,
  digestFilled,
  newExecutionId,
  parsedDigest,
  writtenRecord,
} from './boundary.ts';
import { assertSame } from './same.ts';
import type { WithStore } from './store.ts';

export function readingContract(withStore: WithStore): void {
  describe('changes, lists and the ledger', () => {
    test(
      'an outcome is stored with its execution, and is there after a restart',
      withStore(async ({ boundary, clock, reopen }) => {
        const record = await boundary.proposed();
        clock.pass(7);
        const settled = writtenRecord(await boundary.settle(record, 'succeeded'));
        assert.equal(settled.state, 'succeeded');
        assert.equal(settled.execution?.settledAt, clock.now());
        assert.equal(settled.revision, record.revision + 1);
        const again = await (await reopen()).boundary.stored(record);
        assertSame(again, settled);
      }),
    );

    test(
      'a change of another execution, or of one that was barred, is refused and writes nothing',
      withStore(async ({ boundary, clock, store }) => {
        const record = await boundary.proposed();
        const { tenant, id: action } = record;
        const wrong = await store.change({
          tenant,
          action,
          execution: newExecutionId(clock),
          judge: () => assert.fail('nothing to judge'),
        });
        assert.ok(wrong.kind === 'refused');
        assert.equal(wrong.code, 'execution_unknown');
        await boundary.bar(record);
        const late = await boundary.settle(record, 'succeeded');
        assert.ok(late.kind === 'refused');
        assert.equal((await boundary.stored(record)).state, 'held');
      }),
    );

    test(
      'a change that the judge refuses writes nothing, and none makes an action execute',
      withStore(async ({ boundary, store }) => {
        const held = await boundary.proposed({ operation: 'sign' });
        const refused = await boundary.change(held, () => ({
          kind: 'refuse',
          code: 'already_final',
          message: 'no',
        }));
        assert.deepEqual(refused, { kind: 'refused', code: 'already_final', message: 'no' });
        await assert.rejects(
          boundary.change(held, () => ({
            kind: 'write',
            state: 'executing',
            limits: 'keep',
            restoreApprovals: false,
            entries: [],
          })),
          /only a crossing/u,
        );
        assert.equal((await boundary.stored(held)).revision, held.revision);
        assert.deepEqual(await store.executing(boundary.tenant), []);
      }),
    );

    test(
      'lists are newest first, page by id, and keep to agent and states',
      withStore(async ({ boundary, store, clock }) => {
        const { tenant } = boundary;
        const two = agentName('bot-two');
        await boundary.enrol('agent', two);
        const made = [];
        for (const operation of ['sign', 'ping', 'never', 'sign', 'ping']) {
          clock.pass(1);
          made.push(await boundary.proposed({ operation }));
        }
        clock.pass(1);
        made.push(await boundary.proposed({ operation: 'sign', agent: two }));
        const newest = made.map(({ id }) => id).toReversed();
        const list = async (
          filter: Omit<Parameters<typeof store.actions>[0], 'tenant'>,
        ): Promise<readonly string[]> =>
          (await store.actions({ tenant, ...filter })).map(({ id }) => id);
        assert.deepEqual(await list({ count: 100 }), newest);
        assert.deepEqual(await list({ count: 2 }), newest.slice(0, 2));
        const before = newest[1];
        assert.ok(before !== undefined);
        assert.deepEqual(await list({ count: 2, before }), newest.slice(2, 4));
        assert.deepEqual(await list({ count: 100, agent: two }), newest.slice(0, 1));
        assert.deepEqual(await list({ count: 100, agent: agentName('bot-three') }), []);
        assert.deepEqual(await list({ count: 100, states: [] }), []);
        assert.deepEqual(
          await list({ count: 2, states: ['executing', 'held'] }),
          newest.slice(0, 2),
        );
        assert.deepEqual(await list({ count: 100, states: ['held', 'unknown'] }), [
          newest[0],
          newest[2],
          newest[5],
        ]);
        assert.deepEqual(
          await list({ count: 100, states: ['denied', 'executing'], agent: agentName('bot') }),
          [newest[1], newest[3], newest[4]],
        );
        assert.deepEqual(
          new Set((await store.executing(tenant)).map(({ id }) => id)),
          new Set([newest[1], newest[4]]),
        );
      }),
    );

    test(
      'the history of an action is its own entries, oldest first',
      withStore(async ({ boundary, other, store }) => {
        const record = await boundary.proposed();
        await boundary.proposed();
        await boundary.settle(record, 'succeeded');
        const kinds = (await store.history(boundary.tenant, record.id)).map(
          ({ bytes }) => /"kind":"([a-z]+)"/u.exec(Buffer.from(bytes).toString('utf8'))?.[1],
        );
        assert.deepEqual(kinds, ['proposed', 'crossed', 'settled']);
        assert.deepEqual(await store.history(other.tenant, record.id), []);
      }),
    );

    test(
      'entries are numbered from one without gaps in each tenant, and their payloads lie beside them',
      withStore(async ({ boundary, other, reopen }) => {
        await Promise.all([
          boundary.propose(),
          other.propose(),
          boundary.propose(),
          other.propose(),
        ]);
        const { store } = await reopen();
        for (const tenant of [boundary.tenant, other.tenant]) {
          const rows = await store.ledger(tenant, 0, 1000);
          assert.deepEqual(
            rows.map(({ sequence }) => sequence),
            rows.map((_, index) => index + 1),
          );
          assert.deepEqual(await store.ledger(tenant, 2, 2), rows.slice(2, 4));
          assert.deepEqual(await store.ledger(tenant, rows.length, 10), []);
          const [first] = rows;
          assert.ok(first !== undefined);
          const entry = Buffer.from(first.bytes).toString('utf8');
          assert.ok(entry.includes(`"tenant":"${tenant}"`));
          const digest = /"payloads":\{"said":"([0-9a-f]{64})"\}/u.exec(entry)?.[1];
          assert.ok(digest !== undefined);
          const payload = await store.payload(tenant, 1, parsedDigest(digest));
          assert.ok(
            Buffer.from(payload ?? [])
              .toString('utf8')
              .includes('"kind":"directory"'),
          );
          assert.equal(await store.payload(tenant, 2, parsedDigest(digest)), undefined);
          assert.equal(await store.payload(tenant, 1, digestFilled('0')), undefined);
        }
      }),
    );
  });
}
