/** Explanations as people read them, and what agents are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decide, payloadMismatch } from '../../src/kernel/decide.ts';
import type { DecisionInput } from '../../src/kernel/decision.ts';
import { explainDecision, renderExplanation } from '../../src/kernel/explain.ts';
import { forAgent } from '../../src/kernel/for-agent.ts';
import type { CompiledPolicy } from '../../src/kernel/policy/compiled.ts';
import { policyOf } from './policies.ts';
import { CALM, inputOf, type SampleInput } from './circumstances.ts';
import { hours } from './world.ts';

const REFUNDS = [
  {
    id: 'support-refunds',
    match: { operation: 'refund' },
    when: 'measures.amount <= 500.00',
    allow: [],
  },
  {
    id: 'refunds-over-20',
    match: { operation: 'refund' },
    when: 'measures.amount > 20.00',
    require: [{ approval: { from: 'role:lead' } }],
  },
];

function rendered(policy: CompiledPolicy, input: DecisionInput): string {
  return renderExplanation(explainDecision(policy, input, decide(policy, input)));
}

function explained(rules: readonly unknown[], sample: Partial<SampleInput>): string {
  const policy = policyOf(rules);
  return rendered(policy, inputOf({ ...CALM, ...sample }, policy));
}

test('a hold says who can end it, until when, and which amount needs nobody', () => {
  assert.equal(
    explained(REFUNDS, { cents: 4990 }),
    [
      'HELD, not executed · refund 49.90 EUR to cus_9 · pay (production)',
      'agent bot for dana · proposed 08:00 · expires 12:00 UTC',
      ' ✓ allow    support-refunds  policy.yaml:1  amount 49.90 <= 500.00',
      ' ✗ require  refunds-over-20  policy.yaml:1  0 of 1 from role:lead',
      ' ✓ system is acct_1, probed 4 s ago',
      'runs when: mei or tomas approves by 12:00 (runs at once)',
      'or: amount <= 20.00 needs nobody',
    ].join('\n'),
  );
});

test('a denial names the smallest change that would be admitted, and what others would need', () => {
  assert.equal(
    explained(REFUNDS, { cents: 60_000 }),
    [
      'DENIED, not executed · refund 600.00 EUR to cus_9 · pay (production)',
      'agent bot for dana · proposed 08:00 · expires 12:00 UTC',
      ' ✗ allow    support-refunds  policy.yaml:1  applies only if amount 600.00 <= 500.00',
      ' ✗ require  refunds-over-20  policy.yaml:1  0 of 1 from role:lead',
      ' ✗ no rule allows `refund` at `pay` for `bot`',
      ' ✓ system is acct_1, probed 4 s ago',
      'or: amount <= 20.00 needs nobody',
      'or: amount <= 500.00 still waits for approval_missing',
    ].join('\n'),
  );
});

test('a change that would be denied all the same is not named', () => {
  const never = { id: 'never', match: {}, deny: 'not on fridays' };
  assert.doesNotMatch(explained([...REFUNDS, never], { cents: 4990 }), /^or:/mu);
});

test('a change that depends on what was not read says so', () => {
  const limited = {
    id: 'support-refunds',
    match: { operation: 'refund' },
    when: 'args.amount <= 500.00',
    allow: [{ limit: { name: 'refunds', count: 5, per: '1h' } }],
  };
  const text = explained([limited], { cents: 60_000 });
  assert.match(text, /^or: amount <= 500\.00 needs nobody \(not read yet: over_limit\)$/mu);
});

test('where only time is missing, the explanation says the time', () => {
  const rules = [{ id: 'at-night', match: {}, allow: [{ window: 'night' }] }];
  const closed = { windows: { night: { open: false, opensAt: hours(2) } } };
  assert.match(
    explained(rules, closed),
    /^runs when: the window opens, at 10:00 \(runs at once\)$/mu,
  );
});

test('several conditions are listed, and what is met is not among them', () => {
  const rules = [
    ...REFUNDS,
    { id: 'night', match: {}, require: [{ window: 'night' }, { window: 'week' }] },
  ];
  const windows = { night: { open: false, opensAt: hours(2) }, week: { open: true } };
  const text = explained(rules, { cents: 4990, windows });
  assert.match(text, /✓ require {2}night {12}policy\.yaml:1 {2}window `week`/u);
  assert.match(
    text,
    /runs when all of this is so:\n - mei or tomas approves by 12:00\n - the window opens, at 10:00\n/u,
  );
});

test('names that are not entitled are not suggested', () => {
  const people = { ...CALM.people, dana: { live: true, roles: ['lead'], aliases: [] } };
  const text = explained(REFUNDS, { cents: 4990, people });
  assert.match(text, /mei or tomas approves/u);
});

test('a decision that no rule made is explained by its findings', () => {
  const policy = policyOf(REFUNDS);
  const input = inputOf(CALM, policy);
  const text = renderExplanation(explainDecision(policy, input, payloadMismatch(input)));
  assert.match(text, /^DENIED[^]*✗ the stored bytes are not the action/u);
});

test('an agent is told codes, and a change only over values it may see', () => {
  const policy = policyOf(REFUNDS);
  const input = inputOf({ ...CALM, cents: 60_000 }, policy);
  const { findings, asks } = decide(policy, input);
  const { operation } = input;
  assert.ok(operation);
  assert.deepEqual(forAgent(findings, operation, asks), [
    { code: 'no_rule_allows', change: 'amount <= 500.00' },
  ]);
  const hidden = { ...operation, visibleToAgents: [] };
  assert.deepEqual(forAgent(findings, hidden, asks), [{ code: 'no_rule_allows' }]);
});

test('an agent is told how many answers are missing and from whom, by role', () => {
  const policy = policyOf(REFUNDS);
  const input = inputOf({ ...CALM, cents: 4990 }, policy);
  const { findings, asks } = decide(policy, input);
  assert.deepEqual(forAgent(findings, input.operation, asks), [
    { code: 'approval_missing', have: 0, need: 1, from: 'role:lead' },
  ]);
});

test('an agent is told nothing about what moved, and all about its own arguments', () => {
  const policy = policyOf(REFUNDS);
  const input = inputOf(CALM, policy);
  const wrong = { ...input, action: { ...input.action, args: { amount: 10, charge: 'ch' } } };
  const [finding] = forAgent(decide(policy, wrong).findings, input.operation);
  assert.match(finding?.message ?? '', /amount/u);
  const moved = { code: 'consent_moved', status: 'unmet', message: 'rows: 1 → 2' } as const;
  assert.deepEqual(forAgent([moved], input.operation), [{ code: 'consent_moved' }]);
});
