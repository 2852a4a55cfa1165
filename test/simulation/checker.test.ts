/** The checker finds every law broken in histories that are wrong in one place, and none in a right one. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../src/kernel/json/value.ts';
import { BASE_MS, SEND_DELAY_MS_MAX, epochDigest } from './boundary.ts';
import { check } from './checker.ts';
import { Writer } from './history-writer.ts';

const A = 'action-a';
const B = 'action-b';

const write = (): Writer => new Writer();
const REFUND = { operation: 'refund', amount: 20 };
const HALT = { halt: 'halt', scope: { target: 'bank' } };
const refundCrossing = (consumes: string[]): JsonObject => ({ consumes, reserves: [] });

describe('a right history', () => {
  const right: Readonly<Record<string, Writer>> = {
    'a payment that succeeds': write().pay(A).end(A, 'succeeded', 'yes'),
    'two payments, one after the other': write()
      .pay(A, { effect: 'same' })
      .pay(B, { effect: 'same' }),
    'a refund that a lead approves': write()
      .propose(A, REFUND)
      .approve(A, 'mei')
      .cross(A, refundCrossing(['yes of mei'])),
    'an unknown outcome that the system tells': write()
      .propose(A)
      .cross(A)
      .begin(A)
      .arrive(A)
      .reply(A, 'unknown')
      .settle(A, 'unknown')
      .see({ kind: 'evidence', execution: `execution of ${A}`, outcome: 'succeeded', honest: true })
      .settle(A, 'succeeded', 'resolved', { by: 'evidence' }),
    'a barred execution, and another': write()
      .propose(A)
      .cross(A)
      .record('barred', A, { execution: `execution of ${A}` })
      .cross(A, { execution: 'another' }),
    'a send that began before a halt, and is told': write()
      .propose(A)
      .cross(A)
      .begin(A)
      .record('halted', '', HALT)
      .see({ kind: 'halted', halt: 'halt', engine: 'engine-a', sent: [A] })
      .arrive(A),
    'a crossing after a halt is over': write()
      .record('halted', '', HALT)
      .see({ kind: 'halted', halt: 'halt', engine: 'engine-a', sent: [] })
      .record('resumed', '', { halt: 'halt' })
      .pay(A),
  };
  for (const [what, writer] of Object.entries(right)) {
    test(`${what} breaks no law`, () => {
      assert.deepEqual(check(writer.history), []);
    });
  }
});

describe('a wrong history', () => {
  const wrong: Readonly<Record<string, readonly [law: string, message: RegExp, Writer]>> = {
    'an effect without a crossing': ['law 1', /no crossing allowed/u, write().propose(A).arrive(A)],
    'other bytes than were proposed': [
      'law 2',
      /not what was proposed/u,
      write().propose(A).cross(A).begin(A).arrive(A, { content: '{"to":"y"}' }),
    ],
    'an action that nobody proposed': [
      'law 2',
      /nobody proposed/u,
      write().record('proposed', A, {
        agent: 'bot-a',
        operation: 'pay',
        request: 'none',
        target: 'bank',
      }),
    ],
    'a second crossing': [
      'law 3',
      /a second time/u,
      write().propose(A).cross(A).cross(A, { execution: 'another' }),
    ],
    'a crossing of what was withdrawn': [
      'law 3',
      /that is withdrawn/u,
      write().propose(A).record('withdrawn', A).cross(A),
    ],
    'two crossings with one effect': [
      'law 3',
      /its effect is executing/u,
      write().propose(A, { effect: 'same' }).propose(B, { effect: 'same' }).cross(A).cross(B),
    ],
    'a crossing behind an unknown one with its effect': [
      'law 3',
      /its effect is unknown/u,
      write()
        .propose(A, { effect: 'same' })
        .propose(B, { effect: 'same' })
        .cross(A)
        .settle(A, 'unknown')
        .cross(B),
    ],
    'an effect that was to happen once, twice': [
      'law 3',
      /once crosses again/u,
      write()
        .pay(A, { ...REFUND, effect: 'same' })
        .propose(B, { ...REFUND, effect: 'same' })
        .cross(B, refundCrossing([])),
    ],
    'a second send': ['law 4', /sent twice/u, write().propose(A).cross(A).begin(A).begin(A)],
    'a second arrival that the network did not make': [
      'law 4',
      /arrives twice/u,
      write().propose(A).cross(A).begin(A).arrive(A).arrive(A, { tookHold: false }),
    ],
    'a send of what was barred': [
      'law 4',
      /that was barred/u,
      write().propose(A).cross(A).record('barred', A).begin(A),
    ],
    'a success that nobody told': [
      'law 5',
      /succeeded without evidence/u,
      write().propose(A).cross(A).begin(A).settle(A, 'succeeded'),
    ],
    'an unknown outcome that is resolved by nothing': [
      'law 5',
      /not_executed without evidence/u,
      write()
        .propose(A)
        .cross(A)
        .begin(A)
        .settle(A, 'unknown')
        .settle(A, 'not_executed', 'resolved', { by: 'evidence' }),
    ],
    'a word that nobody spoke': [
      'law 5',
      /failed without evidence/u,
      write()
        .propose(A)
        .cross(A)
        .settle(A, 'unknown')
        .settle(A, 'failed', 'resolved', { by: 'lea' }),
    ],
    'a send whose outcome was called already': [
      'law 5',
      /is called unknown already/u,
      write().propose(A).cross(A).settle(A, 'unknown').begin(A),
    ],
    'a success that never took hold': [
      'law 5',
      /never took hold/u,
      write().propose(A).cross(A).begin(A).reply(A, 'succeeded').settle(A, 'succeeded'),
    ],
    'a send that comes too late': [
      'law 6',
      /after its crossing/u,
      write()
        .propose(A)
        .cross(A)
        .begin(A, SEND_DELAY_MS_MAX + 1),
    ],
    'a fact that nobody read': [
      'law 6',
      /nobody read lately/u,
      write().propose(A, { operation: 'deploy' }).cross(A, { reserves: [] }),
    ],
    'a crossing under a halt': [
      'law 7',
      /under a halt/u,
      write().propose(A).record('halted', '', HALT).cross(A),
    ],
    'a send after a halt was acknowledged': [
      'law 7',
      /after a halt over it/u,
      write()
        .propose(A)
        .cross(A)
        .record('halted', '', HALT)
        .see({ kind: 'halted', halt: 'halt', engine: 'engine-a', sent: [] })
        .begin(A),
    ],
    'a halt that does not list what is being sent': [
      'law 7',
      /does not list/u,
      write()
        .propose(A)
        .cross(A)
        .begin(A)
        .record('halted', '', HALT)
        .see({ kind: 'halted', halt: 'halt', engine: 'engine-a', sent: [] }),
    ],
    'a crossing of an agent that is revoked': [
      'law 7',
      /who is revoked/u,
      write().propose(A).record('directory', '', { change: 'revoke', name: 'bot-a' }).cross(A),
    ],
    'a crossing on an old epoch': [
      'law 7',
      /on epoch 1 in 2/u,
      write()
        .propose(A)
        .record('epoch', '', { digest: epochDigest('strict'), epoch: 2 })
        .cross(A),
    ],
    'a crossing after the deadline': [
      'law 8',
      /its deadline/u,
      write().propose(A).cross(A, {}, 0, 61_000),
    ],
    'a crossing on a yes that expired': [
      'law 8',
      /had expired/u,
      write()
        .propose(A, REFUND)
        .approve(A, 'mei', { expiresAt: BASE_MS + 1000 })
        .cross(A, refundCrossing(['yes of mei'])),
    ],
    'a crossing outside its window': [
      'law 8',
      /outside its window/u,
      write()
        .propose(A, { operation: 'deploy' })
        .see({ kind: 'fact', askedMs: 3400, value: true })
        .cross(A, { reserves: [] }, 0, 2500),
    ],
    'a crossing instant in the past': [
      'law 8',
      /in the past/u,
      write().propose(A).cross(A, {}, -5),
    ],
    'a crossing on a clock that went back': [
      'law 8',
      /that went back/u,
      write().propose(A).see({ kind: 'clock', aheadMs: -5000 }).cross(A),
    ],
    'a crossing on a clock that jumped ahead': [
      'law 8',
      /jumped ahead/u,
      write()
        .propose(A, { operation: 'stop' })
        .see({ kind: 'clock', aheadMs: 90_000_000 })
        .cross(A, { reserves: [] }, 90_000_000),
    ],
    'an effect of what was called not executed': [
      'law 9',
      /called not_executed/u,
      write()
        .propose(A)
        .cross(A)
        .begin(A)
        .reply(A, 'not_executed')
        .settle(A, 'not_executed')
        .end(A, 'not_executed', 'no')
        .arrive(A),
    ],
    'an effect of what was refused every time': [
      'law 9',
      /refused every time/u,
      write()
        .pay(A)
        .see({ kind: 'refused', request: `request of ${A}`, code: 'overloaded' }),
    ],
    'a bar of what was sent': [
      'law 9',
      /called barred that was sent/u,
      write().propose(A).cross(A).begin(A).record('barred', A),
    ],
    'a crossing that the policy denies': [
      'law 9',
      /policy denies/u,
      write()
        .record('epoch', '', { digest: epochDigest('strict'), epoch: 2 })
        .propose(A, { amount: 40 })
        .cross(A, { epoch: 2, reserves: [{ key: 'spend', perMs: 60_000, amount: '40.00' }] }),
    ],
    'a crossing without consent': [
      'law 10',
      /0 of 1 people/u,
      write().propose(A, REFUND).cross(A, refundCrossing([])),
    ],
    'a yes that was never said': [
      'law 10',
      /never said/u,
      write().propose(A, REFUND).record('approved', A, { approval: 'x', approver: 'mei' }),
    ],
    'a yes of who requests it': [
      'law 10',
      /who requests it/u,
      write()
        .propose(A, REFUND)
        .approve(A, 'olga')
        .cross(A, refundCrossing(['yes of olga'])),
    ],
    'a yes to something else': [
      'law 10',
      /something else/u,
      write()
        .propose(A, REFUND)
        .approve(A, 'mei', { consent: 'another' })
        .cross(A, refundCrossing(['yes of mei'])),
    ],
    'a yes of who is no lead any more': [
      'law 10',
      /no lead any more/u,
      write()
        .propose(A, REFUND)
        .approve(A, 'mei')
        .record('directory', '', { change: 'roles', name: 'mei', roles: [] })
        .cross(A, refundCrossing(['yes of mei'])),
    ],
    'one person under two names': [
      'law 10',
      /1 of 2 people/u,
      write()
        .propose(A, { amount: 40 })
        .approve(A, 'tom')
        .approve(A, 'tomas')
        .cross(A, {
          consumes: ['yes of tom', 'yes of tomas'],
          reserves: [{ key: 'spend', perMs: 60_000, amount: '40.00' }],
        }),
    ],
    'a challenge that two answers spend': [
      'law 10',
      /one challenge/u,
      write()
        .see({ kind: 'accepted', person: 'mei', action: A, challenge: 'same' })
        .see({ kind: 'accepted', person: 'mei', action: A, challenge: 'same' }),
    ],
    'more than a limit allows': [
      'law 11',
      /80 are used under a limit of 70/u,
      write().pay(A).pay(B).pay('action-c').pay('action-d'),
    ],
    'a crossing that reserves too little': [
      'law 11',
      /instead of 20/u,
      write()
        .propose(A)
        .cross(A, { reserves: [{ key: 'spend', perMs: 60_000, amount: '2.00' }] }),
    ],
    'a send before its crossing is on record': [
      'law 12',
      /before its crossing/u,
      write().propose(A).begin(A),
    ],
    'somebody told of what is not on record': [
      'law 12',
      /not on record/u,
      write().see({ kind: 'told', action: A, state: 'held', executed: 'no' }),
    ],
    'a row that says otherwise than the record': [
      'law 12',
      /the row says/u,
      write().pay(A).end(A, 'failed', 'partly'),
    ],
    'a gap in the ledger': [
      'law 13',
      /gap/u,
      write()
        .propose(A)
        .see({
          kind: 'entry',
          entry: { sequence: 99, kind: 'withdrawn', at: BASE_MS + 9000, action: A, body: {} },
        }),
    ],
    'an action that is held for ever': [
      'progress',
      /held` for ever/u,
      write().propose(A).end(A, 'held', 'no'),
    ],
    'an engine that meets what cannot be': [
      'invariant',
      /advance_failed/u,
      write().see({ kind: 'trouble', engine: 'engine-a', code: 'advance_failed', broken: true }),
    ],
  };

  for (const [what, [law, message, writer]] of Object.entries(wrong)) {
    test(`${law}: ${what} is found`, () => {
      const found = check(writer.history).filter((violation) => violation.law === law);
      assert.ok(found.length > 0, `found: ${JSON.stringify(check(writer.history))}`);
      assert.ok(
        found.some((violation) => message.test(violation.message)),
        JSON.stringify(found),
      );
    });
  }

  test('every law that can be seen from outside has a wrong history', () => {
    const laws = new Set(Object.values(wrong).map(([law]) => law));
    for (let law = 1; law <= 13; law++)
      assert.ok(laws.has(`law ${String(law)}`), `law ${String(law)}`);
  });
});
