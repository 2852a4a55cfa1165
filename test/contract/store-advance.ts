/** The crossing: once, whole, in order, and only by a decision. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isExecution } from '../../src/engine/execution.ts';
import type { AdvanceResult } from '../../src/engine/ports.ts';
import type { LedgerDraft } from '../../src/ledger/entry.ts';
import { addMs } from '../../src/kernel/instant.ts';
import {
  Boundary,
  ENGINE,
  agentName,
  digestOfText,
  newHaltId,
  tenantName,
  writtenRecord,
} from './boundary.ts';
import { assertSame } from './same.ts';
import type { WithStore } from './store.ts';

const RACERS = 64;

export function advanceContract(withStore: WithStore): void {
  describe('advance', () => {
    test(
      'what is admitted crosses in the transaction that stores it, and is there after a restart',
      withStore(async ({ boundary, reopen }) => {
        const result = await boundary.propose({ note: 'for Zoë' });
        const record = writtenRecord(result);
        assert.equal(record.state, 'executing');
        assert.ok(result.kind === 'written' && result.execution !== undefined);
        assert.ok(isExecution(result.execution));
        assert.equal(result.execution.id, record.execution?.id);
        assert.equal(record.execution?.engine, ENGINE);
        assertSame(await boundary.stored(record), record);
        const again = await reopen();
        assertSame(await again.boundary.stored(record), record);
      }),
    );

    test(
      'holds and denials are stored with their reasons, and have no execution',
      withStore(async ({ boundary, reopen }) => {
        const held = await boundary.propose({ operation: 'sign' });
        const denied = await boundary.propose({ operation: 'never' });
        assert.ok(held.kind === 'written' && held.execution === undefined);
        assert.equal(held.record.state, 'held');
        assert.equal(held.record.decision?.findings[0]?.code, 'approval_missing');
        assert.equal(writtenRecord(denied).state, 'denied');
        const again = await reopen();
        assertSame(await again.boundary.stored(held.record), held.record);
        assertSame(await again.boundary.stored(writtenRecord(denied)), writtenRecord(denied));
      }),
    );

    test(
      'an idempotency key answers the first action to the same body, and refuses another body',
      withStore(async ({ boundary, reopen }) => {
        const args = { name: 'one' };
        const first = await boundary.proposed({ key: 'key', args });
        const same = await boundary.propose({ key: 'key', args });
        assert.ok(same.kind === 'existing');
        assertSame(same.record, first);
        assert.equal(
          (await boundary.propose({ key: 'key', args: { name: 'two' } })).kind,
          'key_reused',
        );
        const again = await reopen();
        const later = await again.boundary.propose({ key: 'key', args });
        assert.ok(later.kind === 'existing');
        assert.equal(later.record.id, first.id);
        const found = await again.store.proposed(boundary.tenant, agentName('bot'), 'key');
        assert.equal(found?.id, first.id);
      }),
    );

    test(
      'idempotency keys differ by case, by every code point and by agent',
      withStore(async ({ boundary, other, store }) => {
        await boundary.enrol('agent', 'bot-two');
        const keys = ['k', 'K', 'k ', 'é', 'e\u0301', '\u{1f511}', '', 'k\0'];
        const ids = new Set<string>();
        for (const key of keys) ids.add((await boundary.proposed({ key })).id);
        ids.add((await boundary.proposed({ key: 'k', agent: agentName('bot-two') })).id);
        ids.add((await other.proposed({ key: 'k' })).id);
        assert.equal(ids.size, keys.length + 2);
        assert.equal(await store.proposed(boundary.tenant, agentName('bot'), 'unused'), undefined);
      }),
    );

    test(
      'of many proposals with one key that race, one is stored and the others are answered with it',
      withStore(async ({ boundary, store }) => {
        const command = { key: 'raced', args: { name: 'raced' } };
        const results = await Promise.all(
          Array.from({ length: RACERS }, () => boundary.propose(command)),
        );
        assert.equal(results.filter((result) => result.kind === 'written').length, 1);
        assert.equal(results.filter((result) => result.kind === 'existing').length, RACERS - 1);
        assert.equal((await store.executing(boundary.tenant)).length, 1);
      }),
    );

    test(
      'of many advances that race for one hold, exactly one crosses (law 3)',
      withStore(async ({ boundary, store }) => {
        const held = await boundary.proposed({ operation: 'later' });
        await boundary.settle(await boundary.proposed(), 'succeeded');
        const results = await Promise.all(
          Array.from({ length: RACERS }, () => boundary.advance(held)),
        );
        assert.deepEqual(countKinds(results), { written: 1, stale: RACERS - 1 });
        const executions = results.flatMap((each) =>
          each.kind === 'written' && each.execution !== undefined ? [each.execution.id] : [],
        );
        assert.equal(executions.length, 1);
        assert.deepEqual(
          (await store.executing(boundary.tenant)).map(({ id }) => id),
          [held.id],
        );
      }),
    );

    test(
      'an advance of a revision that is gone writes nothing and answers the one there is',
      withStore(async ({ boundary, store }) => {
        const first = await boundary.proposed({ operation: 'later' });
        const second = writtenRecord(await boundary.advance(first));
        assert.equal(second.revision, first.revision + 1);
        const entries = await store.ledger(boundary.tenant, 0, 100);
        const late = await boundary.advance(first);
        assert.ok(late.kind === 'stale');
        assertSame(late.record, second);
        assert.equal((await store.ledger(boundary.tenant, 0, 100)).length, entries.length);
      }),
    );

    test(
      'an action that is not held is never advanced, whatever revision is named',
      withStore(async ({ boundary }) => {
        const executing = await boundary.proposed();
        assert.equal((await boundary.advance(executing)).kind, 'stale');
        const settled = writtenRecord(await boundary.settle(executing, 'succeeded'));
        assert.equal((await boundary.advance(settled)).kind, 'stale');
      }),
    );

    test(
      'a judge that throws leaves no trace, and harms no other command of its transaction',
      withStore(async ({ boundary, store }) => {
        const before = (await store.ledger(boundary.tenant, 0, 1000)).length;
        const failing = boundary.proposal({
          judge: () => {
            throw new RangeError('the judge fell ill');
          },
        });
        const [first, failed, second] = await Promise.allSettled([
          boundary.propose(),
          store.advance(failing),
          boundary.propose(),
        ]);
        assert.ok(failed.status === 'rejected' && failed.reason instanceof RangeError);
        assert.ok(first.status === 'fulfilled' && second.status === 'fulfilled');
        assert.equal(await store.action(boundary.tenant, failing.propose.id), undefined);
        const key = failing.propose.idempotencyKey;
        assert.equal(await store.proposed(boundary.tenant, agentName('bot'), key), undefined);
        const rows = await store.ledger(boundary.tenant, before, 1000);
        assert.deepEqual(
          rows.map(({ sequence }) => sequence - before),
          [1, 2, 3, 4],
        );
      }),
    );

    test(
      'what fails while it is written is undone whole',
      withStore(async ({ boundary, store }) => {
        const counter = { name: 'undone', amount: '10' };
        const failing = boundary.proposal({
          operation: 'pay',
          args: counter,
          judge: (judgement) => ({
            ...judgement,
            // The same entry twice has the same payload, of which the second has no bytes to store.
            entries: [...judgement.entries, ...judgement.entries.map(unwritable)],
          }),
        });
        await assert.rejects(store.advance(failing));
        assert.equal(await store.action(boundary.tenant, failing.propose.id), undefined);
        const { limits } = (await store.look(failing.query)).local;
        assert.deepEqual(
          Object.values(limits).map(({ used }) => used),
          ['0'],
        );
      }),
    );

    test(
      'a tenant whose first command fails is as if it had never been named',
      withStore(async ({ store, clock, boundary }) => {
        const fresh = new Boundary(store, clock, tenantName('initech'));
        const failing = store.activate(fresh.tenant, digestOfText('one'), () => {
          throw new RangeError('no entry');
        });
        await assert.rejects(failing, RangeError);
        await boundary.proposed();
        await fresh.enrolAll();
        assert.equal((await fresh.proposed()).state, 'executing');
        assert.equal((await fresh.look(await fresh.proposed())).epoch, 0);
        assert.equal((await store.ledger(fresh.tenant, 0, 1))[0]?.sequence, 1);
      }),
    );

    test(
      'a decision that decide did not make is refused, and so is a crossing without an admission',
      withStore(async ({ boundary, store }) => {
        const forged = boundary.proposal({
          judge: (judgement) => ({ ...judgement, decision: { ...judgement.decision } }),
        });
        await assert.rejects(store.advance(forged), /only a decision is written/u);
        const smuggled = boundary.proposal({
          operation: 'never',
          judge: (judgement) => ({ ...judgement, state: 'executing' }),
        });
        await assert.rejects(store.advance(smuggled), /exactly when its decision admits/u);
        assert.equal((await store.executing(boundary.tenant)).length, 0);
      }),
    );

    test(
      'nothing crosses at or after the deadline, even if the judge says so (law 8)',
      withStore(async ({ boundary, clock, store }) => {
        const inTime = boundary.proposal({ deadlineMs: 1000 });
        const late = boundary.proposal({ deadlineMs: 1000 });
        clock.pass(999);
        assert.equal(writtenRecord(await store.advance(inTime)).state, 'executing');
        const { now, local } = await store.look(late.query);
        const admitted = late.judge(now, local);
        assert.equal(admitted.decision.verdict, 'admit');
        clock.pass(1);
        await assert.rejects(store.advance({ ...late, judge: () => admitted }), /expiry/u);
        assert.equal(await store.action(boundary.tenant, late.propose.id), undefined);
      }),
    );

    test(
      'a halt goes before every crossing that waits, and stays after a restart (law 7)',
      withStore(async ({ boundary, clock, reopen }) => {
        const { store, tenant } = boundary;
        const id = newHaltId(clock);
        assert.equal((await boundary.proposed()).state, 'executing');
        const waiting = Array.from({ length: RACERS }, () => boundary.propose());
        const halted = store.halt(
          { id, tenant, scope: {}, reason: 'smoke', by: 'mei' },
          boundary.entry('halted'),
        );
        const results = await Promise.all(waiting);
        await halted;
        for (const result of results) assert.equal(writtenRecord(result).state, 'held');
        const again = await reopen();
        assert.deepEqual(
          (await again.store.halts(tenant)).map(({ id: each, reason }) => ({ each, reason })),
          [{ each: id, reason: 'smoke' }],
        );
        assert.equal(writtenRecord(await again.boundary.propose()).state, 'held');
        assert.equal(writtenRecord(await again.other.propose()).state, 'executing');
        const [held] = results;
        assert.ok(held !== undefined);
        assert.deepEqual(await again.boundary.due(), []);
        await again.store.resume(tenant, id, again.boundary.entry('resumed'));
        assert.ok((await again.boundary.due()).includes(writtenRecord(held).id));
        assert.equal(await again.store.resume(tenant, id, boundary.entry('resumed')), undefined);
        assert.deepEqual(await again.store.halts(tenant), []);
        assert.equal(writtenRecord(await again.boundary.propose()).state, 'executing');
      }),
    );

    test(
      'a revocation goes before every crossing that waits (law 7)',
      withStore(async ({ boundary }) => {
        const waiting = Array.from({ length: RACERS }, () => boundary.propose());
        const revoked = boundary.store.direct(
          boundary.tenant,
          { kind: 'revoke', account: 'agent', name: 'bot' },
          boundary.entry('directory'),
        );
        for (const result of await Promise.all(waiting)) {
          assert.equal(writtenRecord(result).state, 'denied');
        }
        assert.equal((await revoked).kind, 'written');
      }),
    );

    test(
      'open holds of one agent are bounded: the last one fits, one past it is refused (law 15)',
      withStore(
        async ({ boundary, store }) => {
          await boundary.enrol('agent', 'bot-two');
          const held = await boundary.proposed({ operation: 'sign' });
          await boundary.settle(await boundary.proposed(), 'unknown');
          await boundary.proposed({ operation: 'sign' });
          const past = boundary.proposal({ operation: 'sign' });
          assert.deepEqual(await store.advance(past), { kind: 'too_many_open', limit: 3 });
          assert.equal(await store.action(boundary.tenant, past.propose.id), undefined);
          assert.equal((await boundary.proposed({ operation: 'never' })).state, 'denied');
          assert.equal((await boundary.proposed()).state, 'executing');
          const agent = agentName('bot-two');
          assert.equal((await boundary.proposed({ operation: 'sign', agent })).state, 'held');
          await boundary.withdraw(held);
          assert.equal(writtenRecord(await store.advance(past)).state, 'held');
        },
        { openPerAgentMax: 3 },
      ),
    );

    test(
      'leases: an engine finds its own lost executions at once, others only when the lease is over',
      withStore(async ({ boundary, store, clock, reopen }) => {
        const record = await boundary.proposed();
        const settled = await boundary.proposed();
        await boundary.settle(settled, 'succeeded');
        const { execution } = record;
        assert.ok(execution !== undefined && settled.execution !== undefined);
        const lost = async (engine: string): Promise<readonly string[]> =>
          (await store.lost(engine, clock.now())).map(({ id }) => id);
        assert.deepEqual(await lost(ENGINE), [record.id]);
        assert.deepEqual(await lost('engine-b'), []);
        const until = addMs(execution.leaseUntil, 5000);
        const gone = await store.renew(ENGINE, [execution.id, settled.execution.id], until);
        assert.deepEqual(gone, [settled.execution.id]);
        assert.equal((await boundary.stored(record)).execution?.leaseUntil, until);
        assert.deepEqual(await store.renew('engine-b', [execution.id], until), [execution.id]);
        clock.pass(until - clock.now() - 1);
        assert.deepEqual(await lost('engine-b'), []);
        clock.pass(1);
        assert.deepEqual(await lost('engine-b'), [record.id]);
        const again = await reopen();
        const found = await again.store.lost('engine-b', clock.now());
        assert.deepEqual(
          found.map(({ id, execution: one }) => [id, one?.id]),
          [[record.id, execution.id]],
        );
      }),
    );

    test(
      'a closed store commits what waited and refuses the rest',
      withStore(async ({ boundary, store, reopen }) => {
        const waiting = boundary.proposal();
        const written = store.advance(waiting);
        const closed = store.close();
        await assert.rejects(boundary.propose(), { code: 'store_closed' });
        const record = writtenRecord(await written);
        await closed;
        await assert.rejects(store.action(boundary.tenant, record.id), { code: 'store_closed' });
        assertSame(await (await reopen()).boundary.stored(record), record);
      }),
    );
  });
}

/** An entry that fails while it is written, after everything before it was. */
function unwritable(entry: LedgerDraft): LedgerDraft {
  return {
    ...entry,
    get bytes(): Uint8Array {
      throw new TypeError('no bytes');
    },
  };
}

function countKinds(results: readonly AdvanceResult[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of results) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
