/** People's answers: challenges that work once, approvals that are consumed once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addMs } from '../../src/kernel/instant.ts';
import { personName, writtenRecord } from './boundary.ts';
import type { WithStore } from './store.ts';

const MEI = personName('mei');
const TOMAS = personName('tomas');

export function answerContract(withStore: WithStore): void {
  describe('answers', () => {
    test(
      'an approval lets the hold cross, is consumed by it, and is there after a restart',
      withStore(async ({ boundary, reopen }) => {
        const held = await boundary.proposed({ operation: 'sign' });
        const answered = writtenRecord(await boundary.approve(held, MEI));
        assert.equal(answered.state, 'held');
        assert.deepEqual(await boundary.due(), [held.id]);
        const again = await reopen();
        const crossed = writtenRecord(await again.boundary.advance(answered));
        assert.equal(crossed.state, 'executing');
        const [approval] = await again.store.approvals(boundary.tenant, held.id);
        assert.equal(approval?.approver, MEI);
        assert.equal(approval.consumed, true);
        assert.equal(approval.subject.nonce, held.nonce);
      }),
    );

    test(
      'a barred execution gives its approvals back, and they are consumed by the next crossing',
      withStore(async ({ boundary, store }) => {
        const held = await boundary.proposed({ operation: 'sign' });
        const answered = writtenRecord(await boundary.approve(held, MEI));
        const crossed = writtenRecord(await boundary.advance(answered));
        const barred = writtenRecord(await boundary.bar(crossed));
        assert.equal(barred.state, 'held');
        assert.equal(barred.execution, undefined);
        assert.deepEqual(await boundary.due(), [held.id]);
        assert.equal((await store.approvals(boundary.tenant, held.id))[0]?.consumed, false);
        const again = await boundary.advance(barred);
        assert.ok(again.kind === 'written' && again.execution !== undefined);
        assert.notEqual(again.execution.id, crossed.execution?.id);
        assert.equal((await store.approvals(boundary.tenant, held.id))[0]?.consumed, true);
      }),
    );

    test(
      'a crossing that would consume an approval twice, or an expired one, is undone',
      withStore(async ({ boundary, store, clock }) => {
        const held = await boundary.proposed({ operation: 'sign' });
        const answered = writtenRecord(await boundary.approve(held, MEI));
        const command = boundary.advancement(answered);
        const { now, local } = await store.look(command.query);
        const admitted = command.judge(now, local);
        assert.equal(admitted.decision.verdict, 'admit');
        clock.pass(3_600_000);
        await assert.rejects(store.advance({ ...command, judge: () => admitted }));
        const unmoved = await boundary.stored(held);
        assert.equal(unmoved.state, 'held');
        assert.equal(unmoved.revision, answered.revision);
      }),
    );

    test(
      'a challenge works once',
      withStore(async ({ boundary }) => {
        const held = await boundary.proposed({ operation: 'sign' });
        await boundary.challenge(held, MEI, 'Schlüssel 🔑');
        const options = { challenge: 'Schlüssel 🔑' };
        const answers = await Promise.all([
          boundary.approve(held, MEI, options),
          boundary.approve(held, MEI, options),
        ]);
        assert.deepEqual(answers.map(({ kind }) => kind).sort(), ['refused', 'written']);
      }),
    );

    test(
      'a challenge is for one person and one action, in its one spelling',
      withStore(async ({ boundary, other }) => {
        const held = await boundary.proposed({ operation: 'sign' });
        const another = await boundary.proposed({ operation: 'sign' });
        const foreign = await other.proposed({ operation: 'sign' });
        await boundary.challenge(held, MEI, 'é');
        const refusals = [
          await boundary.approve(held, TOMAS, { challenge: 'é' }),
          await boundary.approve(another, MEI, { challenge: 'é' }),
          await other.approve(foreign, MEI, { challenge: 'é' }),
          await boundary.approve(held, MEI, { challenge: 'É' }),
          await boundary.approve(held, MEI, { challenge: 'e\u0301' }),
        ];
        for (const refusal of refusals) {
          assert.ok(refusal.kind === 'refused');
          assert.equal(refusal.code, 'challenge_invalid');
        }
        assert.equal((await boundary.approve(held, MEI, { challenge: 'é' })).kind, 'written');
      }),
    );

    test(
      'a challenge is good before its end and not at it',
      withStore(async ({ boundary, clock }) => {
        const first = await boundary.proposed({ operation: 'sign' });
        const second = await boundary.proposed({ operation: 'sign' });
        await boundary.challenge(first, MEI, 'c', 1000);
        await boundary.challenge(second, MEI, 'c', 1000);
        clock.pass(999);
        assert.equal((await boundary.approve(first, MEI, { challenge: 'c' })).kind, 'written');
        clock.pass(1);
        assert.equal((await boundary.approve(second, MEI, { challenge: 'c' })).kind, 'refused');
      }),
    );

    test(
      'an answer that the judge refuses writes nothing and spends nothing',
      withStore(async ({ boundary, store }) => {
        const held = await boundary.proposed({ operation: 'sign' });
        await boundary.challenge(held, MEI, 'c');
        const { tenant } = boundary;
        const refused = await store.answer({
          tenant,
          action: held.id,
          challenge: 'c',
          person: MEI,
          judge: () => ({ kind: 'refuse', code: 'not_now', message: 'later' }),
        });
        assert.deepEqual(refused, { kind: 'refused', code: 'not_now', message: 'later' });
        assert.deepEqual(await store.approvals(tenant, held.id), []);
        assert.equal((await boundary.approve(held, MEI, { challenge: 'c' })).kind, 'written');
      }),
    );

    test(
      'a no ends the hold with who said it and why, frees its effect, and is there after a restart',
      withStore(async ({ boundary, store, reopen }) => {
        const args = { name: 'refused' };
        const held = await boundary.proposed({ operation: 'sign', args });
        const next = await boundary.proposed({ operation: 'sign', args });
        await boundary.challenge(held, MEI, 'c');
        const ended = { by: MEI, reason: 'nicht heute – zu groß' };
        const answered = await store.answer({
          tenant: boundary.tenant,
          action: held.id,
          challenge: 'c',
          person: MEI,
          judge: (now) => ({
            kind: 'write',
            state: 'rejected',
            approvals: [],
            ended,
            entries: [boundary.entry('rejected', held.id)(now)],
          }),
        });
        assert.deepEqual(writtenRecord(answered).ended, ended);
        const again = (await reopen()).boundary;
        const stored = await again.stored(held);
        assert.equal(stored.state, 'rejected');
        assert.deepEqual(stored.ended, ended);
        assert.deepEqual(await again.due(), [next.id]);
      }),
    );

    test(
      'an answer is judged on the record and the people as they are under lock',
      withStore(async ({ boundary, store, clock }) => {
        const held = await boundary.proposed({ operation: 'sign' });
        await boundary.challenge(held, TOMAS, 'c');
        const { tenant } = boundary;
        await store.answer({
          tenant,
          action: held.id,
          challenge: 'c',
          person: TOMAS,
          judge: (now, record, local) => {
            assert.equal(now, clock.now());
            assert.equal(record.revision, held.revision);
            assert.deepEqual(local.people['tomas']?.roles, ['lead']);
            assert.equal(local.people['olga']?.live, true);
            return boundary.approval(record, TOMAS, addMs(now, 1000));
          },
        });
        const [approval] = await store.approvals(tenant, held.id);
        assert.equal(approval?.approver, TOMAS);
      }),
    );

    test(
      'an action that is not there is refused by name',
      withStore(async ({ boundary, other, store }) => {
        const foreign = await other.proposed({ operation: 'sign' });
        const refused = await store.answer({
          tenant: boundary.tenant,
          action: foreign.id,
          challenge: 'c',
          person: MEI,
          judge: () => assert.fail('nothing to judge'),
        });
        assert.ok(refused.kind === 'refused');
        assert.equal(refused.code, 'action_unknown');
      }),
    );
  });
}
