import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { CALM, inputOf, type SampleInput } from '../../test/laws/circumstances.ts';
import { ALLOW, exampleOf, local, operation, plain } from '../../test/laws/examples.ts';
import { policyOf } from '../../test/laws/policies.ts';
import { AGENT, HALT_ID, hours, NOW, person } from '../../test/laws/world.ts';
import type { Action } from './action.ts';
import { fatalDrafts, haltedDrafts, standingDrafts } from './always.ts';
import type { DecisionInput, HaltScope } from './decision.ts';
import { instantOf } from './instant.ts';

type Change = (input: DecisionInput) => DecisionInput;

const impossible = (code: string): unknown => ({ code, status: 'impossible' });

function action(changes: Partial<Action>): Change {
  return (input) => ({ ...input, action: { ...input.action, ...changes } });
}

function together(...changes: readonly Change[]): Change {
  return (input) => changes.reduce((so, change) => change(so), input);
}

// ---------------------------------------------------------------- what can never run

function fatal(change: Change): readonly unknown[] {
  return plain(fatalDrafts(change(inputOf(CALM, policyOf([ALLOW])))));
}

const FATAL: readonly (readonly [string, Change, readonly unknown[]])[] = [
  ['a known agent with a known operation in time is fine', (input) => input, []],
  [
    'of an unknown target nothing else is said',
    (input) => ({ ...input, target: undefined, operation: undefined }),
    [impossible('target_unknown')],
  ],
  [
    'of an unknown operation the arguments are not judged',
    together(action({ args: {} }), (input) => ({ ...input, operation: undefined })),
    [impossible('operation_unknown')],
  ],
  [
    'every wrong argument is said',
    action({ args: { amount: 10, charge: 3 } }),
    [impossible('arguments_invalid'), impossible('arguments_invalid')],
  ],
  ['a millisecond before the deadline is in time', action({ deadline: instantOf(NOW + 1) }), []],
  ['the deadline itself is too late', action({ deadline: NOW }), [impossible('deadline_passed')]],
  [
    'of an unknown agent nothing else is said',
    local({ agent: undefined, people: {} }),
    [impossible('principal_unknown')],
  ],
  ['a delegator must be known', local({ people: {} }), [impossible('principal_unknown')]],
  [
    'a delegator must not be revoked',
    local({ people: { dana: { live: false, roles: [], aliases: [] } } }),
    [impossible('principal_revoked')],
  ],
  [
    'without a delegator nobody else must be known',
    together(action({ principal: { agent: AGENT } }), local({ people: {} })),
    [],
  ],
];

function revoked(agentLive: boolean, delegationLive: boolean): readonly unknown[] {
  return plain(fatalDrafts(exampleOf({ sample: { agentLive, delegationLive } }).input));
}

describe('an action can never run', () => {
  for (const [title, change, expected] of FATAL) {
    test(title, () => assert.deepEqual(fatal(change), expected));
  }

  test('for an agent whose account and whose delegation are revoked, each by itself', () => {
    assert.deepEqual(revoked(false, true), [impossible('principal_revoked')]);
    assert.deepEqual(revoked(true, false), [impossible('delegation_revoked')]);
    assert.deepEqual(revoked(false, false), [
      impossible('principal_revoked'),
      impossible('delegation_revoked'),
    ]);
  });

  test('when the same arguments are wrong for another operation', () => {
    const args = Object.freeze({ amount: '10.00', charge: 'ch' });
    assert.deepEqual(fatal(action({ args })), []);
    const other = together(action({ args }), operation({ arguments: {} }));
    assert.equal(fatal(other).length, 2);
    assert.deepEqual(fatal(action({ args })), []);
  });

  test('when arguments that were right are not any more', () => {
    const args = { amount: '10.00', charge: 'ch' };
    assert.deepEqual(fatal(action({ args })), []);
    args.charge = 'x'.repeat(51);
    assert.deepEqual(fatal(action({ args })), [impossible('arguments_invalid')]);
  });

  test('and says where an argument is wrong', () => {
    const input = action({ args: { amount: 10, charge: 'ch' } })(exampleOf({}).input);
    assert.match(fatalDrafts(input)[0]?.message ?? '', /`\/amount`/u);
  });
});

// ---------------------------------------------------------------- halts

function halted(scope: HaltScope): Partial<SampleInput> {
  return { halts: [{ id: HALT_ID, scope, reason: 'drill', by: 'mei', at: hours(-1) }] };
}

const HALTED = { code: 'halted', status: 'unmet', actual: HALT_ID, waitsFor: 'halt' };

const SCOPES: readonly (readonly [HaltScope, boolean])[] = [
  [{}, true],
  [{ target: 'pay' }, true],
  [{ target: 'db' }, false],
  [{ operation: 'refund' }, true],
  [{ operation: 'purge' }, false],
  [{ kind: 'money.transfer' }, true],
  [{ kind: 'data.delete' }, false],
  [{ agent: 'bot' }, true],
  [{ agent: 'other' }, false],
  [{ environment: 'production' }, true],
  [{ environment: 'elsewhere' }, false],
  [{ target: 'pay', agent: 'other' }, false],
];

/** Halted by environment, at a system that says it is staging and that the inventory calls production. */
function inStaging(environment: string): readonly unknown[] {
  return plain(
    haltedDrafts(
      exampleOf({ sample: { ...halted({ environment }), resolution: 'staging' } }).input,
    ),
  );
}

describe('a halt', () => {
  for (const [scope, covers] of SCOPES) {
    test(`of ${JSON.stringify(scope)} ${covers ? 'covers' : 'does not cover'} a refund by bot`, () => {
      const { input } = exampleOf({ sample: halted(scope) });
      assert.deepEqual(plain(standingDrafts(input)), covers ? [HALTED] : []);
      assert.deepEqual(plain(haltedDrafts(input)), covers ? [HALTED] : []);
    });
  }

  test('of an environment covers what the inventory and what the system calls so', () => {
    assert.deepEqual(inStaging('production'), [HALTED]);
    assert.deepEqual(inStaging('staging'), [HALTED]);
    assert.deepEqual(inStaging('test'), []);
  });

  test('of another environment does not cover what was not asked yet', () => {
    const sample = { ...halted({ environment: 'staging' }), resolution: 'absent' } as const;
    assert.deepEqual(haltedDrafts(exampleOf({ sample }).input), []);
  });

  test('does not stop a safing operation', () => {
    const { input } = exampleOf({ sample: { ...halted({}), operation: 'stop' } });
    assert.deepEqual(standingDrafts(input), []);
  });

  test('is said with who halted and why', () => {
    const [draft] = haltedDrafts(exampleOf({ sample: halted({}) }).input);
    assert.equal(draft?.message, 'halted by mei: drill');
  });
});

test('a person is known by their own name only', () => {
  const change = action({ principal: { agent: AGENT, delegator: person('constructor') } });
  assert.deepEqual(fatal(change), [impossible('principal_unknown')]);
});
