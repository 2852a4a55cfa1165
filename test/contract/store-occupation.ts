/** Who is in whose way: effect keys, conflict keys, and the holds that wake when the way is free. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ActionRecord } from '../../src/engine/ports.ts';
import { addMs } from '../../src/kernel/instant.ts';
import { personName, writtenRecord } from './boundary.ts';
import type { WithStore } from './store.ts';

export function occupationContract(withStore: WithStore): void {
  describe('occupation', () => {
    test(
      'of live actions with one effect key one crosses; the others wait and are woken when it settles',
      withStore(async ({ boundary, reopen }) => {
        const args = { name: 'Ünïque' };
        const first = await boundary.proposed({ args });
        const second = await boundary.proposed({ args });
        assert.equal(first.state, 'executing');
        assert.equal(second.state, 'held');
        assert.deepEqual((await boundary.look(second)).effect, {
          action: first.id,
          state: 'executing',
        });
        assert.deepEqual(await boundary.due(), []);
        const again = await reopen();
        await again.boundary.settle(first, 'succeeded');
        assert.deepEqual(await again.boundary.due(), [second.id]);
        assert.equal(writtenRecord(await again.boundary.advance(second)).state, 'executing');
      }),
    );

    test(
      'an unknown outcome keeps the effect key, until it is resolved',
      withStore(async ({ boundary }) => {
        const args = { name: 'unsure' };
        const first = await boundary.proposed({ args });
        const second = await boundary.proposed({ args });
        const unknown = writtenRecord(await boundary.settle(first, 'unknown'));
        assert.deepEqual((await boundary.look(second)).effect, {
          action: first.id,
          state: 'unknown',
        });
        const waiting = writtenRecord(await boundary.advance(second));
        assert.equal(waiting.state, 'held');
        const resolved = await boundary.change(unknown, (now) => ({
          kind: 'write',
          state: 'not_executed',
          limits: 'void',
          restoreApprovals: false,
          outcome: {
            state: 'not_executed',
            sent: false,
            code: 'seen',
            message: 'absent',
            result: null,
          },
          resolvedBy: { person: personName('mei'), reason: 'looked at the till' },
          entries: [boundary.entry('resolved', first.id)(now)],
        }));
        const record = writtenRecord(resolved);
        assert.equal(record.execution?.resolvedBy?.reason, 'looked at the till');
        assert.equal((await boundary.stored(record)).execution?.resolvedBy?.person, 'mei');
        assert.deepEqual(await boundary.due(), [second.id]);
        assert.equal((await boundary.look(waiting)).effect, undefined);
      }),
    );

    test(
      'of held actions with one effect key the earlier goes first, and withdrawing it frees the later',
      withStore(async ({ boundary }) => {
        const args = { name: 'queue' };
        const first = await boundary.proposed({ operation: 'later', args });
        const second = await boundary.proposed({ operation: 'later', args });
        assert.equal((await boundary.look(first)).effect, undefined);
        assert.deepEqual((await boundary.look(second)).effect, { action: first.id, state: 'held' });
        await boundary.withdraw(first);
        assert.equal((await boundary.look(second)).effect, undefined);
        assert.ok((await boundary.due()).includes(second.id));
      }),
    );

    test(
      'a success stays in the way of a repetition only where the operation declares once',
      withStore(async ({ boundary, reopen }) => {
        const args = { name: 'a' };
        const once = await boundary.proposed({ operation: 'once', args });
        await boundary.settle(once, 'succeeded');
        await boundary.settle(await boundary.proposed({ operation: 'ping', args }), 'succeeded');
        const again = (await reopen()).boundary;
        const repeated = await again.proposed({ operation: 'once', args });
        assert.equal(repeated.state, 'denied');
        assert.equal(repeated.decision?.findings[0]?.code, 'already_done');
        assert.equal(
          (await again.proposed({ operation: 'once', args: { name: 'A' } })).state,
          'executing',
        );
        assert.equal((await again.proposed({ operation: 'ping', args })).state, 'executing');
        const failed = await again.proposed({ operation: 'once', args: { name: 'b' } });
        await again.settle(failed, 'failed');
        assert.equal(
          (await again.proposed({ operation: 'once', args: { name: 'b' } })).state,
          'executing',
        );
      }),
    );

    test(
      'a read has no effect key and is in nobody’s way',
      withStore(async ({ boundary }) => {
        const args = { name: 'same' };
        assert.equal((await boundary.proposed({ operation: 'look', args })).state, 'executing');
        const second = await boundary.proposed({ operation: 'look', args });
        assert.equal(second.state, 'executing');
        assert.equal(second.effectKey, undefined);
      }),
    );

    test(
      'a conflict key names another that is executing, and when the last one settled',
      withStore(async ({ boundary, clock, reopen }) => {
        const conflictKey = 'Kasse/№ 1';
        const first = await boundary.proposed({ conflictKey });
        assert.deepEqual((await boundary.look(first)).conflict, {});
        const second = await boundary.proposed({ conflictKey });
        assert.deepEqual((await boundary.look(second)).conflict, { executing: first.id });
        clock.pass(10);
        await boundary.settle(first, 'failed');
        const settledAt = clock.now();
        const again = (await reopen()).boundary;
        assert.deepEqual((await again.look(second)).conflict, { settledAt });
        assert.deepEqual((await again.look(first)).conflict, { executing: second.id, settledAt });
        const elsewhere = await again.proposed({ conflictKey: 'kasse/№ 1' });
        assert.deepEqual((await again.look(elsewhere)).conflict, {});
        await again.bar(second);
        assert.deepEqual((await again.look(first)).conflict, { settledAt });
      }),
    );

    test(
      'what an operation waits to come after is known once it succeeded, and wakes who waits',
      withStore(async ({ boundary, other, clock, reopen }) => {
        const waiting = await boundary.proposed({ operation: 'later' });
        assert.equal(waiting.state, 'held');
        await other.settle(await other.proposed(), 'succeeded');
        await boundary.settle(await boundary.proposed(), 'failed');
        assert.deepEqual((await boundary.look(waiting)).after, Object.create(null));
        assert.deepEqual(await boundary.due(), []);
        clock.pass(5);
        await boundary.settle(await boundary.proposed(), 'succeeded');
        const at = clock.now();
        assert.deepEqual(await boundary.due(), [waiting.id]);
        clock.pass(5);
        const again = (await reopen()).boundary;
        assert.deepEqual(Object.values((await again.look(waiting)).after), [at]);
        assert.equal(writtenRecord(await again.advance(waiting)).state, 'executing');
      }),
    );

    test(
      'a hold is due at its wake-up time or its deadline, whichever is first, oldest first',
      withStore(async ({ boundary, clock, store, reopen }) => {
        const wakeIn = (ms: number): Promise<ActionRecord> =>
          boundary.proposed({
            operation: 'later',
            deadlineMs: 1000,
            judge: (judgement, now) => ({ ...judgement, wakeAt: addMs(now, ms) }),
          });
        const second = await wakeIn(200);
        const first = await wakeIn(100);
        const last = await wakeIn(5000);
        assert.deepEqual(await boundary.due(), []);
        clock.pass(99);
        assert.deepEqual(await boundary.due(), []);
        clock.pass(1);
        assert.deepEqual(await boundary.due(), [first.id]);
        clock.pass(899);
        assert.deepEqual(await boundary.due(), [first.id, second.id]);
        const again = await reopen();
        clock.pass(1);
        assert.deepEqual(await again.boundary.due(), [first.id, second.id, last.id]);
        assert.deepEqual(
          (await again.store.due(clock.now(), 1)).map(({ id }) => id),
          [first.id],
        );
        const expired = writtenRecord(await again.boundary.advance(first));
        assert.equal(expired.state, 'expired');
        assert.equal((await again.boundary.due()).includes(first.id), false);
        await assert.rejects(store.due(clock.now(), 1), { code: 'store_closed' });
      }),
    );

    test(
      'waking reaches the holds that wait for a key, or all of one tenant',
      withStore(async ({ boundary, other, store }) => {
        const signs = await boundary.proposed({ operation: 'sign' });
        const later = await boundary.proposed({ operation: 'later' });
        const foreign = await other.proposed({ operation: 'sign' });
        assert.equal(await store.wake(boundary.tenant, ['nothing', 'Approval']), 0);
        assert.equal(await store.wake(boundary.tenant, ['approval', 'approval']), 1);
        assert.deepEqual(await boundary.due(), [signs.id]);
        assert.equal(await store.wake(boundary.tenant, 'all'), 1);
        assert.deepEqual([...(await boundary.due())].sort(), [signs.id, later.id].sort());
        assert.equal((await boundary.due()).includes(foreign.id), false);
      }),
    );
  });
}
