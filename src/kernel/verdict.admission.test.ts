import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { SampleAnswer, SampleInput } from '../../test/laws/circumstances.ts';
import { ALLOW, decided, local, plain, requiring, type Example } from '../../test/laws/examples.ts';
import { policyOf } from '../../test/laws/policies.ts';
import { approvalId, hours, must, NOW } from '../../test/laws/world.ts';
import type { Decision, Fact, Gathered } from './decision.ts';

const LEAD = { approval: { from: 'role:lead', validFor: '1h' } };
const FINANCE = { approval: { from: 'role:finance', askFor: '2h', validFor: '1h' } };
const NIGHT = { window: 'night' };
const WEEK = { window: 'week' };
const READY = { fact: { name: 'ready', maxAge: '5m' } };
const USES = { limit: { name: 'uses', count: 5, per: '1h' } };
const MONEY = { limit: { name: 'money', count: 5, per: '1h' } };

const OPEN = { night: { open: true, closesAt: hours(3) }, week: { open: true } };
const SHUT = { night: { open: false } };

const REFUND = { operation: 'refund' };

function known(value: Fact['value']): Gathered<Fact> {
  return { kind: 'known', value: { value, source: 'test', observedAt: NOW, tookMs: 1 } };
}

function yes(approver: string, changes: Partial<SampleAnswer> = {}): SampleAnswer {
  return {
    question: 0,
    approver,
    moved: false,
    consumed: false,
    atHours: -0.1,
    expiresHours: 1,
    ...changes,
  };
}

function by(rules: readonly unknown[], sample: Partial<SampleInput> = {}): Decision {
  return decided({ rules, sample });
}

/** The digest of the first requirement of a rule. */
function digestIn(rules: readonly unknown[], id: string): string {
  const rule = must(policyOf(rules).rules.find((each) => each.id === id));
  return must(rule.requires[0]).digest;
}

function codes(decision: Decision): readonly string[] {
  return decision.findings.map(({ code, rule }) => `${code} ${rule?.id ?? '-'}`);
}

// ---------------------------------------------------------------- admission

function met(rule: string, requirement: string): object {
  return { code: 'requirement_met', status: 'met', rule, requirement };
}

/** Until when an admission by a permit that ends in so many hours holds. */
function validUntil(expires: number): number {
  return decided({
    change: (input) => ({
      ...input,
      redemption: {
        by: 'cell',
        effect: input.actionDigest,
        expiresAt: hours(expires),
      },
    }),
  }).validUntil;
}

describe('an admission', () => {
  test('says what let it through, what it consumes and reserves, and until when it holds', () => {
    const rules = [
      { id: 'allow', match: {}, allow: [MONEY] },
      { id: 'require', match: {}, require: [LEAD, USES] },
    ];
    const decision = by(rules, { answers: [yes('mei')] });
    const [money, lead] = [digestIn(rules, 'allow'), digestIn(rules, 'require')];
    const uses = must(must(policyOf(rules).rules.find(({ id }) => id === 'require')).requires[1]);
    assert.deepEqual(
      { ...decision, findings: plain(decision.findings) },
      {
        verdict: 'admit',
        findings: [
          { code: 'allowed', status: 'met', rule: 'allow' },
          met('allow', money),
          ...[lead, uses.digest].sort().map((digest) => met('require', digest)),
        ],
        matched: ['allow', 'require'],
        shadow: [],
        consumes: [approvalId(0)],
        reserves: [
          { key: 'limit:["money",3600000,null,null]:', perMs: 3_600_000, amount: '1' },
          { key: 'limit:["uses",3600000,null,null]:', perMs: 3_600_000, amount: '1' },
        ],
        waitsFor: [],
        asks: [],
        validUntil: hours(0.9),
      },
    );
  });

  test('says each requirement in the words of the policy', () => {
    const messages = by(
      [
        ALLOW,
        {
          id: 'all',
          match: REFUND,
          require: [
            LEAD,
            { approval: { from: 'role:lead', count: 2, validFor: '1h' } },
            { confirmation: { validFor: '1h' } },
            WEEK,
            READY,
            { fact: { name: 'level', is: 'fact >= 3', maxAge: '5m' } },
            USES,
            { limit: { name: 'sums', sum: 'measures.amount', max: '50.00', per: '1d' } },
            { after: { operation: 'backup', target: 'db' } },
          ],
        },
      ],
      {
        windows: OPEN,
        facts: { ready: known(true), level: known(5) },
        afterHours: -1,
        answers: [
          yes('mei'),
          yes('mei', { question: 1 }),
          yes('tomas', { question: 1 }),
          yes('dana', { question: 2 }),
        ],
      },
    ).findings.map(({ message }) => message);
    assert.deepEqual([...messages].sort(), [
      '1 approval from role:lead',
      '2 approvals from role:lead',
      '`allow` allows it',
      'after `backup`',
      'confirmation by the delegator',
      'fact `level` is fact >= 3',
      'fact `ready` is true',
      'limit `sums` of 50.00 per 1d',
      'limit `uses` of 5 per 1h',
      'window `week`',
    ]);
  });

  test('says a requirement of two rules once, and consumes and reserves for it once', () => {
    const rules = [
      { id: 'allow', match: {}, allow: [LEAD, USES] },
      { id: 'require', match: {}, require: [LEAD, USES] },
    ];
    const decision = by(rules, { answers: [yes('mei')] });
    assert.deepEqual(codes(decision), [
      'allowed allow',
      'requirement_met require',
      'requirement_met require',
    ]);
    assert.equal(decision.consumes.length, 1);
    assert.equal(decision.reserves.length, 1);
  });

  test('reserves once for two limits on one counter', () => {
    const tighter = { limit: { name: 'uses', count: 4, per: '1h' } };
    assert.equal(by(requiring(USES, tighter)).reserves.length, 1);
  });

  test('consumes in order of id', () => {
    const rules = [
      { id: 'allow', match: {}, allow: [LEAD] },
      { id: 'require', match: {}, require: [FINANCE] },
    ];
    const decision = by(rules, {
      people: {
        mei: { live: true, roles: ['lead', 'finance'], aliases: [] },
        dana: { live: true, roles: [], aliases: [] },
      },
      answers: [yes('mei'), yes('mei', { question: 1 })],
    });
    assert.deepEqual(decision.consumes, [approvalId(0), approvalId(1)]);
  });

  test('holds until the deadline at most', () => {
    assert.equal(by([ALLOW]).validUntil, hours(4));
    assert.equal(by([ALLOW], { deadlineHours: 1 }).validUntil, hours(1));
  });

  test('holds until the first requirement may no longer be met', () => {
    assert.equal(by(requiring(NIGHT), { windows: OPEN }).validUntil, hours(3) - 60_000);
    const allow = { id: 'allow', match: {}, allow: [NIGHT] };
    assert.equal(by([allow], { windows: OPEN }).validUntil, hours(3) - 60_000);
  });

  test('by a rule that reads the clock holds for this millisecond alone', () => {
    const when = 'now > timestamp("2020-01-01T00:00:00Z")';
    assert.equal(by([{ id: 'allow', match: {}, when, allow: [] }]).validUntil, NOW + 1);
  });

  test('by a permit holds until the permit ends', () => {
    assert.equal(validUntil(2), hours(2));
    assert.equal(validUntil(5), hours(4));
  });
});

// ---------------------------------------------------------------- shadow

describe('a shadow rule', () => {
  const SHADOWS = [
    { id: 'a', match: {}, deny: 'no', shadow: true },
    { id: 'b', match: {}, require: [NIGHT], shadow: true },
    { id: 'c', match: {}, require: [LEAD], shadow: true },
    { id: 'd', match: {}, require: [WEEK], shadow: true },
    { id: 'e', match: {}, when: 'facts.ready', require: [WEEK], shadow: true },
    { id: 'f', match: {}, when: 'facts.ready', allow: [], shadow: true },
    { id: 'g', match: {}, allow: [LEAD], shadow: true },
    { id: 'h', match: { operation: 'purge' }, deny: 'no', shadow: true },
    { id: 'i', match: {}, require: [LEAD, WEEK], shadow: true },
  ];

  test('only says what it would have done', () => {
    const decision = by([ALLOW, ...SHADOWS], { windows: { ...SHUT, week: { open: true } } });
    assert.equal(decision.verdict, 'admit');
    assert.deepEqual(decision.matched, ['allow']);
    assert.deepEqual(decision.shadow, [
      { rule: 'a', would: 'deny' },
      { rule: 'b', would: 'deny' },
      { rule: 'c', would: 'hold' },
      { rule: 'd', would: 'admit' },
      { rule: 'e', would: 'hold' },
      { rule: 'g', would: 'hold' },
      { rule: 'i', would: 'hold' },
    ]);
  });

  test('is said with a hold and with a denial too', () => {
    const [shadow] = SHADOWS;
    for (const rules of [requiring(LEAD), [{ id: 'no', match: {}, deny: 'no' }]]) {
      assert.deepEqual(by([...rules, shadow]).shadow, [{ rule: 'a', would: 'deny' }]);
    }
  });
});

// ---------------------------------------------------------------- every decision

describe('every decision', () => {
  const examples: Readonly<Record<string, Example>> = {
    deny: { rules: [ALLOW, { id: 'no', match: {}, deny: 'no' }] },
    hold: {
      rules: [...requiring(LEAD), { id: 'shadow', match: {}, deny: 'no', shadow: true }],
      change: local({}),
    },
    admit: {
      rules: requiring(LEAD, USES),
      sample: { answers: [yes('mei')] },
    },
  };
  for (const [verdict, example] of Object.entries(examples)) {
    test(`that is to ${verdict} is frozen with all its lists and what is in them`, () => {
      const decision = decided(example);
      assert.equal(decision.verdict, verdict);
      assert.ok(Object.isFrozen(decision));
      for (const list of Object.values(decision)) {
        if (!Array.isArray(list)) continue;
        assert.ok(Object.isFrozen(list));
        assert.ok(list.every((item) => Object.isFrozen(item)));
      }
    });
  }

  test('names the rules that match in order, whatever they say', () => {
    const decision = by([
      { id: 'a', match: {}, allow: [] },
      { id: 'b', match: {}, require: [LEAD] },
      { id: 'c', match: {}, when: 'facts.ready', deny: 'no' },
      { id: 'd', match: {}, require: [NIGHT] },
    ]);
    assert.deepEqual(decision.matched, ['a', 'b', 'c', 'd']);
  });
});
