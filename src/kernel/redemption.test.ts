/** What executes elsewhere is admitted only while its own executor redeems it, and no longer than that may. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { CALM, inputOf } from '../../test/laws/circumstances.ts';
import { policyOf } from '../../test/laws/policies.ts';
import { decide } from './decide.ts';
import type { Decision, DecisionInput, Redemption } from './decision.ts';
import { digestOf } from './digest.ts';
import { addMs } from './instant.ts';

const POLICY = policyOf([{ id: 'allow', match: {}, allow: [] }]);
const EXECUTOR = {
  kind: 'permit',
  audience: 'cell',
  validForMs: 60_000,
  settleWithinMs: 60_000,
} as const;

function elsewhere(): DecisionInput {
  const input = inputOf(CALM, POLICY);
  assert.ok(input.target);
  return {
    ...input,
    target: { ...input.target, executor: EXECUTOR },
    local: { ...input.local, executor: { name: 'cell', live: true } },
  };
}

function redeemed(
  change: Partial<Redemption> = {},
  executor: DecisionInput['local']['executor'] | 'none' = { name: 'cell', live: true },
): Decision {
  const input = elsewhere();
  assert.ok(input.resolution.kind === 'known');
  const { effect } = input.resolution.value;
  const expiresAt = addMs(input.now, 1000);
  const { executor: _executor, ...local } = input.local;
  return decide(POLICY, {
    ...input,
    local: executor === 'none' ? local : { ...local, executor },
    redemption: { by: 'cell', effect, expiresAt, ...change },
  });
}

describe('a redemption', () => {
  test('admits, until its permit expires', () => {
    const decision = redeemed();
    assert.equal(decision.verdict, 'admit');
    assert.equal(decision.validUntil, addMs(elsewhere().now, 1000));
  });

  test('law 8: admits nothing at its expiry', () => {
    assert.equal(redeemed({ expiresAt: elsewhere().now }).verdict, 'hold');
    assert.equal(redeemed({ expiresAt: addMs(elsewhere().now, 1) }).verdict, 'admit');
  });

  test('does not make an action of another deadline last longer', () => {
    const { validUntil } = redeemed({ expiresAt: addMs(elsewhere().action.deadline, 1000) });
    assert.equal(validUntil, elsewhere().action.deadline);
  });

  const REFUSED: Readonly<Record<string, () => Decision>> = {
    'none at all': () => decide(POLICY, elsewhere()),
    'another executor’s': () => redeemed({ by: 'press' }),
    'of another effect': () => redeemed({ effect: digestOf('exequatur/effect/v1', 'other') }),
    'by an account that is revoked': () => redeemed({}, { name: 'cell', live: false }),
    'by an account that there is not': () => redeemed({}, 'none'),
    'where the account of another was read': () => redeemed({}, { name: 'press', live: true }),
  };
  for (const [what, decided] of Object.entries(REFUSED)) {
    test(`${what} holds, and waits for it`, () => {
      const decision = decided();
      assert.equal(decision.verdict, 'hold');
      assert.deepEqual(
        decision.findings.map(({ code }) => code),
        ['permit_not_redeemed'],
      );
      assert.deepEqual(decision.waitsFor, ['redemption']);
    });
  }

  test('is nothing to an action that the layer performs itself', () => {
    const input = inputOf(CALM, POLICY);
    const expiresAt = addMs(input.now, -1);
    const effect = digestOf('exequatur/effect/v1', 'other');
    const before = decide(POLICY, input);
    const { verdict } = decide(POLICY, {
      ...input,
      redemption: { by: 'press', effect, expiresAt },
    });
    assert.deepEqual([before.verdict, verdict], ['admit', 'admit']);
  });
});
