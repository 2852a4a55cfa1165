import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  isFinal,
  sendTransition,
  transition,
  type ActionEvent,
  type ActionState,
} from './transition.ts';

/** What stands for a refusal in the table below. */
const REFUSED = {
  F: 'already_final',
  E: 'already_executing',
  X: 'not_executing',
  U: 'not_unknown',
};

const STATES = ['new', 'held', 'executing', 'unknown'] as const;
const FINAL: readonly ActionState[] = [
  'succeeded',
  'failed',
  'not_executed',
  'denied',
  'rejected',
  'withdrawn',
  'expired',
];

/** Each event, and the state after it from each of {@link STATES}. A final state is as `unknown` is told here. */
const TABLE: readonly (readonly [string, ActionEvent, readonly string[]])[] = [
  ['admitted', decided('admit'), ['executing', 'executing', 'E', 'F']],
  ['held', decided('hold'), ['held', 'held', 'E', 'F']],
  ['denied', decided('deny'), ['denied', 'denied', 'E', 'F']],
  ['admitted, too late', decided('admit', true), ['executing', 'expired', 'E', 'F']],
  ['held, too late', decided('hold', true), ['held', 'expired', 'E', 'F']],
  ['denied, too late', decided('deny', true), ['denied', 'expired', 'E', 'F']],
  ['rejected', { kind: 'rejected' }, ['F', 'rejected', 'E', 'F']],
  ['withdrawn', { kind: 'withdrawn' }, ['F', 'withdrawn', 'E', 'F']],
  ['barred', { kind: 'barred' }, ['X', 'X', 'held', 'X']],
  ['settled', { kind: 'settled', outcome: 'failed' }, ['X', 'X', 'failed', 'X']],
  ['settled unknown', { kind: 'settled', outcome: 'unknown' }, ['X', 'X', 'unknown', 'X']],
  ['lost', { kind: 'lost' }, ['X', 'X', 'unknown', 'X']],
  ['resolved', { kind: 'resolved', outcome: 'succeeded' }, ['U', 'U', 'U', 'succeeded']],
];

function decided(verdict: 'admit' | 'hold' | 'deny', deadlinePassed = false): ActionEvent {
  return { kind: 'decided', verdict, deadlinePassed };
}

function said(state: ActionState | 'new', event: ActionEvent): string {
  const next = transition(state, event);
  return next.ok ? next.state : next.code;
}

describe('an action', () => {
  for (const [name, event, after] of TABLE) {
    test(`that is ${name} goes where the table says`, () => {
      assert.deepEqual(
        STATES.map((state) => said(state, event)),
        after.map((word) => (word in REFUSED ? REFUSED[word as keyof typeof REFUSED] : word)),
      );
    });

    test(`that is over is not ${name} any more`, () => {
      const refusal = { barred: 'X', settled: 'X', lost: 'X', resolved: 'U' }[
        event.kind as 'barred' | 'settled' | 'lost' | 'resolved'
      ] as keyof typeof REFUSED | undefined;
      for (const state of FINAL) assert.equal(said(state, event), REFUSED[refusal ?? 'F'], state);
    });
  }

  test('is over in the states that nothing leaves, and in no other', () => {
    for (const state of FINAL) assert.ok(isFinal(state), state);
    for (const state of ['held', 'executing', 'unknown'] as const) {
      assert.ok(!isFinal(state), state);
    }
  });

  test('tells each outcome from each other', () => {
    for (const outcome of ['succeeded', 'failed', 'not_executed'] as const) {
      assert.equal(said('executing', { kind: 'settled', outcome }), outcome);
      assert.equal(said('unknown', { kind: 'resolved', outcome }), outcome);
    }
  });
});

describe('a crossing on its way', () => {
  test('begins, is barred or ends while it waits', () => {
    assert.equal(sendTransition('waiting', 'begin'), 'sending');
    assert.equal(sendTransition('waiting', 'bar'), 'barred');
    assert.equal(sendTransition('waiting', 'end'), 'over');
  });

  test('stays what it became: what has begun cannot be barred, what is barred never begins', () => {
    for (const state of ['sending', 'barred', 'over'] as const) {
      for (const event of ['begin', 'bar', 'end'] as const) {
        assert.equal(sendTransition(state, event), state);
      }
    }
  });
});
