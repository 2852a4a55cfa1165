/** Every finding code has a case that gives it, with its verdict. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decide, isDecision, payloadMismatch } from '../../src/kernel/decide.ts';
import {
  FINDING_CODES,
  type Decision,
  type DecisionInput,
  type FindingCode,
  type LocalFacts,
} from '../../src/kernel/decision.ts';
import { digestOf } from '../../src/kernel/digest.ts';
import type { CompiledPolicy } from '../../src/kernel/policy/compiled.ts';
import { policyOf } from './policies.ts';
import { CALM, inputOf, type SampleAnswer, type SampleInput } from './circumstances.ts';
import { AGENT, EARLIER_ID, HALT_ID, hours } from './world.ts';

interface Case {
  readonly rules?: readonly unknown[];
  readonly sample?: Partial<SampleInput>;
  readonly change?: (input: DecisionInput) => DecisionInput;
  readonly decide?: (policy: CompiledPolicy, input: DecisionInput) => Decision;
  readonly verdict: Decision['verdict'];
  readonly status: 'met' | 'unmet' | 'undetermined' | 'impossible';
  readonly message?: RegExp;
}

const ALLOW = { id: 'allow', match: {}, allow: [] };

function requires(requirement: unknown): readonly unknown[] {
  return [ALLOW, { id: 'require', match: {}, require: [requirement] }];
}

const LEAD = { approval: { from: 'role:lead', askFor: '30m', validFor: '1h' } };
const YES: SampleAnswer = {
  question: 0,
  approver: 'mei',
  moved: false,
  consumed: false,
  atHours: -0.1,
  expiresHours: 1,
};

function local(changes: Partial<LocalFacts>): (input: DecisionInput) => DecisionInput {
  return (input) => ({ ...input, local: { ...input.local, ...changes } });
}

function fact(value: boolean, observedHours: number): Partial<SampleInput> {
  const known = { value, source: 'test', observedAt: hours(observedHours), tookMs: 1 };
  return { facts: { ready: { kind: 'known', value: known } } };
}

const READY = requires({ fact: { name: 'ready', maxAge: '1m' } });
const BACKUP = requires({
  after: { operation: 'backup', target: 'db', atLeast: '30m', within: '2h' },
});
const NIGHT = requires({ window: 'night' });

const CASES: Readonly<Record<FindingCode, Case>> = {
  payload_mismatch: {
    decide: (_policy, input) => payloadMismatch(input),
    verdict: 'deny',
    status: 'impossible',
  },
  target_unknown: {
    change: ({ target: _target, operation: _operation, ...input }) => ({
      ...input,
      target: undefined,
      operation: undefined,
    }),
    verdict: 'deny',
    status: 'impossible',
    message: /`pay`/u,
  },
  operation_unknown: {
    change: (input) => ({ ...input, operation: undefined }),
    verdict: 'deny',
    status: 'impossible',
    message: /`refund` at `pay`/u,
  },
  arguments_invalid: {
    change: (input) => ({
      ...input,
      action: { ...input.action, args: { amount: 10, charge: 'ch' } },
    }),
    verdict: 'deny',
    status: 'impossible',
    message: /`\/amount`/u,
  },
  deadline_passed: { sample: { deadlineHours: 0 }, verdict: 'deny', status: 'impossible' },
  principal_unknown: {
    change: local({ agent: undefined }),
    verdict: 'deny',
    status: 'impossible',
    message: /`bot`/u,
  },
  principal_revoked: { sample: { agentLive: false }, verdict: 'deny', status: 'impossible' },
  delegation_revoked: { sample: { delegationLive: false }, verdict: 'deny', status: 'impossible' },
  halted: {
    sample: {
      halts: [{ id: HALT_ID, scope: { agent: AGENT }, reason: 'drill', by: 'mei', at: hours(-1) }],
    },
    verdict: 'hold',
    status: 'unmet',
    message: /halted by mei: drill/u,
  },
  denied_by_rule: {
    rules: [ALLOW, { id: 'no', match: {}, deny: 'never on fridays' }],
    verdict: 'deny',
    status: 'impossible',
    message: /^never on fridays$/u,
  },
  no_rule_allows: { rules: NIGHT.slice(1), verdict: 'deny', status: 'impossible' },
  already_done: {
    sample: { effect: { action: EARLIER_ID, state: 'succeeded' } },
    verdict: 'deny',
    status: 'impossible',
  },
  identity_mismatch: {
    sample: { identity: 'acct_2' },
    verdict: 'hold',
    status: 'unmet',
    message: /`acct_2`.*`acct_1`/u,
  },
  pinned_file_changed: {
    change: (input) => {
      if (input.resolution.kind !== 'known') return input;
      const files = { '/srv/tool': digestOf('exequatur/effect/v1', 'another tool') };
      return {
        ...input,
        resolution: { kind: 'known', value: { ...input.resolution.value, files } },
      };
    },
    verdict: 'hold',
    status: 'unmet',
    message: /\/srv\/tool/u,
  },
  resolution_failed: {
    sample: { resolution: 'failed' },
    verdict: 'hold',
    status: 'undetermined',
    message: /no route/u,
  },
  preview_failed: {
    sample: { preview: 'failed' },
    verdict: 'hold',
    status: 'undetermined',
    message: /it broke/u,
  },
  rule_undetermined: {
    rules: [ALLOW, { id: 'no', match: {}, when: 'facts.ready', deny: 'not now' }],
    verdict: 'hold',
    status: 'undetermined',
  },
  consent_moved: {
    rules: requires(LEAD),
    sample: { answers: [{ ...YES, moved: true }] },
    verdict: 'hold',
    status: 'unmet',
    message: /environment: elsewhere → production/u,
  },
  approval_expired: {
    rules: requires(LEAD),
    sample: { answers: [{ ...YES, expiresHours: -0.05 }] },
    verdict: 'hold',
    status: 'unmet',
    message: /mei expired at 2027-01-15T07:57/u,
  },
  approver_not_entitled: {
    rules: requires(LEAD),
    sample: { answers: [{ ...YES, approver: 'dana' }] },
    verdict: 'hold',
    status: 'unmet',
    message: /dana/u,
  },
  approval_ask_over: {
    rules: requires(LEAD),
    sample: { askedHours: -1 },
    verdict: 'deny',
    status: 'impossible',
  },
  approval_missing: {
    rules: requires(LEAD),
    verdict: 'hold',
    status: 'unmet',
    message: /^0 of 1 from role:lead$/u,
  },
  confirmation_missing: {
    rules: requires({ confirmation: { validFor: '1h' } }),
    verdict: 'hold',
    status: 'unmet',
  },
  not_before: { sample: { notBeforeHours: 1 }, verdict: 'hold', status: 'unmet' },
  window_closed: {
    rules: NIGHT,
    sample: { windows: { night: { open: false, opensAt: hours(1) } } },
    verdict: 'hold',
    status: 'unmet',
  },
  window_too_short: {
    rules: NIGHT,
    sample: { windows: { night: { open: true, closesAt: hours(0.001), opensAt: hours(2) } } },
    verdict: 'hold',
    status: 'unmet',
  },
  over_limit: {
    rules: requires({ limit: { name: 'uses', count: 5, per: '1h' } }),
    sample: { used: [5] },
    verdict: 'hold',
    status: 'unmet',
  },
  fact_unavailable: { rules: READY, verdict: 'hold', status: 'undetermined' },
  fact_stale: { rules: READY, sample: fact(true, -1), verdict: 'hold', status: 'unmet' },
  fact_unmet: { rules: READY, sample: fact(false, 0), verdict: 'hold', status: 'unmet' },
  after_missing: { rules: BACKUP, verdict: 'hold', status: 'unmet' },
  after_too_soon: { rules: BACKUP, sample: { afterHours: -0.1 }, verdict: 'hold', status: 'unmet' },
  after_too_late: { rules: BACKUP, sample: { afterHours: -3 }, verdict: 'hold', status: 'unmet' },
  requirement_unsupported: {
    rules: requires({ evidence: { type: 'test-result' } }),
    verdict: 'hold',
    status: 'undetermined',
  },
  effect_busy: {
    sample: { effect: { action: EARLIER_ID, state: 'unknown' } },
    verdict: 'hold',
    status: 'unmet',
  },
  target_busy: { sample: { executing: true }, verdict: 'hold', status: 'unmet' },
  permit_not_redeemed: {
    change: ({ target, ...input }) => ({
      ...input,
      target: target && {
        ...target,
        executor: { kind: 'permit', audience: 'cell', validForMs: 60_000, settleWithinMs: 60_000 },
      },
    }),
    verdict: 'hold',
    status: 'unmet',
    message: /`cell`/u,
  },
  allowed: { verdict: 'admit', status: 'met' },
  requirement_met: {
    rules: requires(LEAD),
    sample: { answers: [YES] },
    verdict: 'admit',
    status: 'met',
  },
};

function decided({ rules, sample, change, decide: by }: Case): Decision {
  const policy = policyOf(rules ?? [ALLOW]);
  const input = inputOf({ ...CALM, ...sample }, policy);
  return (by ?? decide)(policy, change === undefined ? input : change(input));
}

test('every code of the list has a case, in the order of the list', () => {
  assert.deepEqual(Object.keys(CASES), [...FINDING_CODES]);
});

for (const code of FINDING_CODES) {
  const example = CASES[code];
  test(`\`${code}\` is given as ${example.status}, and the verdict is ${example.verdict}`, () => {
    const decision = decided(example);
    const finding = decision.findings.find((each) => each.code === code);
    assert.ok(finding, JSON.stringify(decision));
    assert.equal(finding.status, example.status);
    assert.equal(decision.verdict, example.verdict);
    assert.match(finding.message, example.message ?? /^[^A-Z\n]+/u);
    assert.ok(isDecision(decision));
    assert.ok(Object.isFrozen(decision) && Object.isFrozen(finding));
  });
}

test('a decision that decide did not make is not a decision', () => {
  assert.equal(isDecision({ ...decided(CASES.allowed) }), false);
});

test('a policy that the compiler did not make is refused', () => {
  const policy = policyOf([ALLOW]);
  const input = inputOf(CALM, policy);
  assert.throws(() => decide({ ...policy }, input), TypeError);
});
