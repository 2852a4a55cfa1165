import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { must, REFUND } from '../../test/laws/world.ts';
import type { Ask, Finding } from './decision.ts';
import { digestOf } from './digest.ts';
import { forAgent } from './for-agent.ts';
import { instantOf } from './instant.ts';

const LEAD = digestOf('exequatur/requirement/v1', 'lead');
const OTHER = digestOf('exequatur/requirement/v1', 'other');

function finding(changes: Partial<Finding>): Finding {
  return {
    code: 'over_limit',
    status: 'unmet',
    message: 'a secret of the policy',
    actual: 7,
    needed: 5,
    waitsFor: 'limit:x',
    ...changes,
  };
}

function ask(from: Ask['from'], requirement = LEAD): Ask {
  return {
    kind: 'approval',
    requirement,
    from,
    have: 1,
    need: 2,
    validForMs: 1,
    until: instantOf(1),
  };
}

test('an agent is told codes, and neither values nor the words of the policy', () => {
  assert.deepEqual(forAgent([finding({})], REFUND), [{ code: 'over_limit' }]);
});

test('an agent is not told what is met', () => {
  const met = finding({ code: 'requirement_met', status: 'met' });
  const undetermined = finding({ code: 'fact_unavailable', status: 'undetermined' });
  assert.deepEqual(forAgent([met, undetermined], REFUND), [{ code: 'fact_unavailable' }]);
});

for (const code of [
  'denied_by_rule',
  'target_unknown',
  'operation_unknown',
  'arguments_invalid',
] as const) {
  test(`an agent is told in words of \`${code}\``, () => {
    assert.deepEqual(forAgent([finding({ code, message: 'so' })], undefined), [
      { code, message: 'so' },
    ]);
  });
}

const MISSING = finding({ code: 'approval_missing', requirement: LEAD });

function fromTold(from: Ask['from']): unknown {
  return forAgent([MISSING], REFUND, [ask(from)])[0]?.from;
}

function toldWithAsk(code: Finding['code']): unknown {
  return forAgent([finding({ code, requirement: LEAD })], REFUND, [ask({ role: 'lead' })])[0];
}

describe('an agent is told who is to be asked', () => {
  const asks = [ask({ role: 'finance' }, OTHER), ask({ role: 'lead' })];

  test('and how many said yes', () => {
    assert.deepEqual(forAgent([MISSING], REFUND, asks), [
      { code: 'approval_missing', have: 1, need: 2, from: 'role:lead' },
    ]);
  });

  test('by role, person or as the delegator', () => {
    assert.equal(fromTold({ person: 'mei' }), 'person:mei');
    assert.equal(fromTold('delegator'), 'delegator');
  });

  test('of a confirmation too, and of nothing else', () => {
    assert.deepEqual(toldWithAsk('confirmation_missing'), {
      code: 'confirmation_missing',
      have: 1,
      need: 2,
      from: 'role:lead',
    });
    assert.deepEqual(toldWithAsk('approval_expired'), { code: 'approval_expired' });
  });

  test('only while they can be asked', () => {
    assert.deepEqual(forAgent([MISSING], REFUND), [{ code: 'approval_missing' }]);
    assert.deepEqual(forAgent([MISSING], REFUND, [ask({ role: 'lead' }, OTHER)]), [
      { code: 'approval_missing' },
    ]);
  });
});

describe('an agent is told a change', () => {
  const OPERATION = {
    ...REFUND,
    measures: { amount: 'args.amount', payee: 'preview.customer', fee: 'args.amount * 2' },
    visibleToAgents: ['amount'],
  };
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['of an argument that is visible', 'amount <= 20.00', true],
    ['of no argument that is not', 'charge == "x"', false],
    ['of no measure that is not an argument as it is', 'fee <= 3', false],
    ['of no measure that the preview brings', 'payee == "x"', false],
    ['of nothing that is not an argument', 'constructor == "x"', false],
    ['of nothing that is no name', '!amount', false],
  ];
  for (const [title, change, isTold] of cases) {
    test(title, () =>
      assert.deepEqual(forAgent([finding({ change })], OPERATION), [
        { code: 'over_limit', ...(isTold ? { change } : {}) },
      ]),
    );
  }

  test('of a visible argument that is no measure, whatever it is called', () => {
    const visible = { ...OPERATION, visibleToAgents: ['charge'] };
    const change = 'charge == "x"';
    assert.equal(forAgent([finding({ change })], visible)[0]?.change, change);
    const charge = must(REFUND.arguments['charge']);
    const odd = {
      ...OPERATION,
      arguments: { constructor: charge },
      visibleToAgents: ['constructor'],
    };
    const other = 'constructor == "x"';
    assert.equal(forAgent([finding({ change: other })], odd)[0]?.change, other);
  });

  test('of a measure that is a visible argument under another name', () => {
    const operation = { ...OPERATION, measures: { total: 'args.amount' } };
    const change = 'total <= 20.00';
    assert.equal(forAgent([finding({ change })], operation)[0]?.change, change);
    const hidden = { ...operation, visibleToAgents: [] };
    assert.equal(forAgent([finding({ change })], hidden)[0]?.change, undefined);
  });

  test('of a name only where the measure and the argument of that name are both visible', () => {
    const operation = { ...OPERATION, measures: { amount: 'args.charge' } };
    const change = 'amount <= 20.00';
    assert.equal(forAgent([finding({ change })], operation)[0]?.change, undefined);
    const other = { ...OPERATION, measures: { charge: 'args.amount' } };
    assert.equal(forAgent([finding({ change: 'charge == "x"' })], other)[0]?.change, undefined);
  });

  test('of nothing where the operation is not known', () => {
    assert.deepEqual(forAgent([finding({ change: 'amount <= 20.00' })], undefined), [
      { code: 'over_limit' },
    ]);
  });
});
