import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { SampleInput } from '../../test/laws/circumstances.ts';
import { ALLOW, decided, plain, requiring } from '../../test/laws/examples.ts';
import { policyOf } from '../../test/laws/policies.ts';
import { EARLIER_ID, hours, must, NOW } from '../../test/laws/world.ts';
import type { Decision, Fact, Gathered } from './decision.ts';
import { instantOf } from './instant.ts';

const LEAD = { approval: { from: 'role:lead', validFor: '1h' } };
const MEI = { approval: { from: 'person:mei', validFor: '1h' } };
const FINANCE = { approval: { from: 'role:finance', askFor: '2h', validFor: '1h' } };
const NIGHT = { window: 'night' };
const WEEK = { window: 'week' };
const READY = { fact: { name: 'ready', maxAge: '5m' } };
const USES = { limit: { name: 'uses', count: 5, per: '1h' } };
const MONEY = { limit: { name: 'money', count: 5, per: '1h' } };

const OPEN = { night: { open: true, closesAt: hours(3) }, week: { open: true } };
const SHUT = { night: { open: false } };
const LATER = { night: { open: false, opensAt: hours(1) } };

const REFUND = { operation: 'refund' };

function known(value: Fact['value']): Gathered<Fact> {
  return { kind: 'known', value: { value, source: 'test', observedAt: NOW, tookMs: 1 } };
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

// ---------------------------------------------------------------- denial

describe('a denial', () => {
  test('by a rule says its sentence, its place, and what would escape it', () => {
    const rules = [
      ALLOW,
      { id: 'no', match: REFUND, when: 'measures.amount > 5.00', deny: 'never on fridays' },
    ];
    const decision = by(rules);
    assert.deepEqual(decision.findings, [
      {
        code: 'denied_by_rule',
        status: 'impossible',
        message: 'never on fridays',
        rule: {
          id: 'no',
          effect: 'deny',
          position: { file: 'policy.yaml', line: 1, column: 1 },
        },
        change: 'amount <= 5.00',
      },
    ]);
    assert.ok(Object.isFrozen(decision.findings[0]?.rule));
  });

  test('of which no change is known proposes none', () => {
    const [finding] = by([ALLOW, { id: 'no', match: {}, deny: 'no' }]).findings;
    assert.ok(finding !== undefined && !('change' in finding));
  });

  test('says only what alone is enough, and waits for nothing', () => {
    const decision = decided({
      rules: [
        ...requiring(LEAD),
        { id: 'no', match: {}, deny: 'no' },
        { id: 'ask', match: {}, when: 'facts.ready', deny: 'no' },
      ],
      sample: { windows: SHUT },
    });
    assert.deepEqual(
      { ...decision, findings: plain(decision.findings) },
      {
        verdict: 'deny',
        findings: [{ code: 'denied_by_rule', status: 'impossible', rule: 'no' }],
        matched: ['allow', 'ask', 'no', 'require'],
        shadow: [],
        consumes: [],
        reserves: [],
        waitsFor: [],
        asks: [],
        validUntil: NOW,
      },
    );
  });

  test('says all that alone is enough, what comes first in the list of codes first', () => {
    const decision = by(
      [
        ALLOW,
        { id: 'closed', match: {}, require: [NIGHT] },
        { id: 'b', match: {}, deny: 'b' },
        { id: 'a', match: {}, deny: 'a' },
      ],
      { windows: SHUT, effect: { action: EARLIER_ID, state: 'succeeded' } },
    );
    assert.deepEqual(codes(decision), [
      'denied_by_rule a',
      'denied_by_rule b',
      'already_done -',
      'window_closed closed',
    ]);
  });

  test('before any rule was heard names none', () => {
    const decision = by([ALLOW, { ...ALLOW, id: 'other', shadow: true }], { agentLive: false });
    assert.deepEqual([decision.matched, decision.shadow], [[], []]);
  });

  test('because no rule allows it says what would make the first one apply', () => {
    const decision = by([
      { id: 'c', match: REFUND, when: 'measures.amount <= 7.00', allow: [] },
      { id: 'b', match: REFUND, when: 'measures.amount <= 5.00', allow: [] },
      { id: 'a', match: REFUND, when: 'principal.agent == "other"', allow: [] },
      { id: 'a-require', match: REFUND, when: 'measures.amount <= 3.00', require: [LEAD] },
      { id: 'a-shadow', match: REFUND, when: 'measures.amount <= 4.00', allow: [], shadow: true },
    ]);
    assert.deepEqual(plain(decision.findings), [
      { code: 'no_rule_allows', status: 'impossible', change: 'amount <= 5.00' },
    ]);
    assert.equal(decision.findings[0]?.message, 'no rule allows `refund` at `pay` for `bot`');
  });

  test('because no rule is about it proposes nothing', () => {
    const decision = by([{ id: 'other', match: { operation: 'purge' }, allow: [] }]);
    assert.deepEqual(plain(decision.findings), [{ code: 'no_rule_allows', status: 'impossible' }]);
  });
});

// ---------------------------------------------------------------- which allow

function allow(id: string, ...requirements: readonly unknown[]): unknown {
  return { id, match: {}, allow: requirements };
}

describe('of several allow rules', () => {
  test('the one with the fewest requirements left is told', () => {
    assert.deepEqual(codes(by([allow('a', LEAD, FINANCE), allow('b', LEAD)])), [
      'approval_missing b',
    ]);
  });

  test('of equals the one with the smallest id is told', () => {
    assert.deepEqual(codes(by([allow('b', LEAD), allow('a', FINANCE)])), ['approval_missing a']);
  });

  test('one that is met lets it through, though another is not', () => {
    assert.deepEqual(codes(by([allow('a', LEAD), allow('b')])), ['allowed b']);
  });

  test('one that is met lets it through, though another has fewer requirements', () => {
    const decision = by([allow('a', WEEK, USES), allow('b', LEAD)], { windows: OPEN });
    assert.equal(decision.findings[0]?.rule?.id, 'a');
    assert.equal(decision.verdict, 'admit');
  });

  test('one that can still be met is told, though another is nearer', () => {
    const decision = by([allow('a', NIGHT), allow('b', LEAD, FINANCE)], { windows: SHUT });
    assert.equal(decision.verdict, 'hold');
    assert.deepEqual(codes(decision), ['approval_missing b', 'approval_missing b']);
  });

  test('the nearest is told where none can be met', () => {
    const decision = by([allow('a', NIGHT, LEAD), allow('b', NIGHT)], { windows: SHUT });
    assert.equal(decision.verdict, 'deny');
    assert.deepEqual(codes(decision), ['window_closed b']);
  });

  test('one that applies is told, though another that may apply asks for less', () => {
    const decision = by([
      { id: 'a', match: {}, when: 'facts.ready', allow: [] },
      allow('b', LEAD, FINANCE),
    ]);
    assert.deepEqual(codes(decision), ['approval_missing b', 'approval_missing b']);
    assert.deepEqual(decision.matched, ['b']);
  });

  test('one that may apply holds where nothing else can be met', () => {
    const decision = by(
      [{ id: 'a', match: {}, when: 'facts.ready', allow: [] }, allow('b', NIGHT)],
      { windows: SHUT },
    );
    assert.deepEqual(plain(decision.findings), [
      { code: 'rule_undetermined', status: 'undetermined', rule: 'a', waitsFor: 'fact' },
    ]);
    assert.deepEqual(decision.matched, ['b']);
  });
});

// ---------------------------------------------------------------- hold

/** When a hold that waits for a fact, and may not begin for so long, is looked at again. */
function wakesAt(notBefore: number): number | undefined {
  return decided({
    rules: requiring(READY),
    change: (input) => ({
      ...input,
      action: { ...input.action, notBefore: instantOf(NOW + notBefore) },
    }),
  }).wakeAt;
}

describe('a hold', () => {
  test('says everything that is not met, who can be asked, and when to look again', () => {
    const rules = [
      ...requiring(LEAD, NIGHT),
      { id: 'no', match: {}, when: 'facts.ready', deny: 'no' },
    ];
    const decision = by(rules, { windows: LATER });
    assert.deepEqual(
      { ...decision, findings: plain(decision.findings) },
      {
        verdict: 'hold',
        findings: [
          { code: 'rule_undetermined', status: 'undetermined', rule: 'no', waitsFor: 'fact' },
          {
            code: 'approval_missing',
            status: 'unmet',
            actual: 0,
            needed: 1,
            waitsFor: 'approval',
            rule: 'require',
            requirement: digestIn(rules, 'require'),
          },
          {
            code: 'window_closed',
            status: 'unmet',
            at: hours(1),
            waitsFor: 'time',
            rule: 'require',
            requirement: must(must(policyOf(rules).rules[2]).requires[1]).digest,
          },
        ],
        matched: ['allow', 'no', 'require'],
        shadow: [],
        consumes: [],
        reserves: [],
        waitsFor: ['approval', 'fact', 'time'],
        asks: [
          {
            kind: 'approval',
            requirement: digestIn(rules, 'require'),
            from: { role: 'lead' },
            have: 0,
            need: 1,
            validForMs: 3_600_000,
            until: hours(4),
          },
        ],
        wakeAt: NOW + 60_000,
        validUntil: NOW,
      },
    );
  });

  test('says a requirement once, with the rule that comes first', () => {
    const decision = by([
      ALLOW,
      { id: 'b', match: {}, require: [LEAD] },
      { id: 'a', match: {}, require: [LEAD, NIGHT] },
    ]);
    assert.deepEqual(codes(decision), ['approval_missing a', 'window_closed a']);
    assert.equal(decision.asks.length, 1);
  });

  test('of a rule that may apply says that, and none of its requirements', () => {
    const decision = by([ALLOW, { id: 'maybe', match: {}, when: 'facts.ready', require: [LEAD] }]);
    assert.deepEqual(codes(decision), ['rule_undetermined maybe']);
    assert.match(must(decision.findings[0]).message, /^whether `maybe` applies .*`ready`/u);
    assert.deepEqual(decision.asks, []);
  });

  test('asks for what rules require and for what the nearest allow does, in order, and for nothing else', () => {
    const rules = [
      { id: 'a', match: {}, allow: [LEAD] },
      { id: 'b', match: {}, allow: [MEI, WEEK] },
      { id: 'r', match: {}, require: [FINANCE] },
    ];
    const asked = by(rules).asks.map(({ requirement }) => requirement);
    assert.deepEqual(asked, [digestIn(rules, 'a'), digestIn(rules, 'r')].sort());
  });

  test('asks nobody before it is known what they would say yes to', () => {
    assert.deepEqual(by(requiring(LEAD), { resolution: 'failed' }).asks, []);
  });

  test('waits for what another allow could be met by, but for no allow that cannot', () => {
    const rules = [
      { id: 'a', match: {}, allow: [LEAD] },
      { id: 'b', match: {}, allow: [USES, FINANCE] },
      { id: 'c', match: {}, allow: [MONEY, NIGHT] },
    ];
    const decision = by(rules, { used: [5], windows: SHUT });
    assert.deepEqual(decision.waitsFor, ['approval', 'limit:["uses",3600000,null,null]:']);
    assert.equal(decision.wakeAt, hours(0.5));
  });

  test('of another allow is looked at when that could be met', () => {
    const rules = [
      { id: 'a', match: {}, allow: [LEAD] },
      { id: 'b', match: {}, allow: [LEAD, NIGHT] },
    ];
    assert.equal(by(rules, { windows: LATER }).wakeAt, hours(1));
  });

  test('is looked at no later than at the deadline', () => {
    assert.equal(by(requiring(LEAD)).wakeAt, hours(4));
  });

  test('that nothing can end waits for nothing, until the deadline', () => {
    const decision = by(requiring({ evidence: { type: 'x' } }));
    assert.deepEqual(codes(decision), ['requirement_unsupported require']);
    assert.deepEqual(decision.waitsFor, []);
    assert.equal(decision.wakeAt, hours(4));
  });

  test('is looked at when it may begin', () => {
    assert.equal(by([ALLOW], { notBeforeHours: 0.5 }).wakeAt, hours(0.5));
  });

  test('that waits for what a system answers is looked at every minute, and sooner where that helps', () => {
    assert.equal(wakesAt(60_001), NOW + 60_000);
    assert.equal(wakesAt(59_999), NOW + 59_999);
  });

  for (const [what, rule] of Object.entries({
    condition: {
      id: 'clock',
      match: {},
      when: 'now > timestamp("2020-01-01T00:00:00Z")',
      require: [LEAD],
    },
    'requirement of a fact': {
      id: 'clock',
      match: {},
      require: [
        LEAD,
        {
          fact: {
            name: 'level',
            is: 'fact > 1 && now > timestamp("2020-01-01T00:00:00Z")',
            maxAge: '5m',
          },
        },
      ],
    },
  })) {
    test(`that a ${what} with the clock in it holds up is looked at every minute`, () => {
      const decision = by([ALLOW, rule], { facts: { level: known(5) } });
      assert.deepEqual(codes(decision), ['approval_missing clock']);
      assert.equal(decision.wakeAt, NOW + 60_000);
    });
  }

  test('is not looked at every minute for a value that is only called like the clock', () => {
    const decision = decided({
      rules: [
        ...requiring(LEAD),
        { id: 'no', match: REFUND, when: 'preview.now == "x"', deny: 'no' },
      ],
      change: (input) => {
        if (input.preview.kind !== 'known' || input.preview.value === 'none') return input;
        const value = { ...input.preview.value, material: { now: 'y' } };
        return { ...input, preview: { kind: 'known', value } };
      },
    });
    assert.deepEqual(codes(decision), ['approval_missing require']);
    assert.equal(decision.wakeAt, hours(4));
  });

  test('is looked at every minute where a rule that does not apply reads the clock', () => {
    const rule = {
      id: 'clock',
      match: {},
      when: 'now > timestamp("2090-01-01T00:00:00Z")',
      deny: 'no',
    };
    assert.equal(by([...requiring(LEAD), rule]).wakeAt, NOW + 60_000);
  });
});
