import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { inputOf, SAMPLE_INPUT, type SampleInput } from '../../test/laws/circumstances.ts';
import {
  ALLOW,
  decided,
  exampleOf,
  local,
  plain,
  requiring,
  type Example,
} from '../../test/laws/examples.ts';
import { gistOf } from '../../test/laws/gist.ts';
import { digestsIn, samplePolicy } from '../../test/laws/policies.ts';
import { referenceDecide } from '../../test/laws/reference.ts';
import { rulesArbitrary } from '../../test/laws/sample.ts';
import { HALT_ID, hours, NOW } from '../../test/laws/world.ts';
import { decide, foreclose, isDecision, payloadMismatch } from './decide.ts';
import type { Decision, Fact, Gathered } from './decision.ts';

const LEAD = { approval: { from: 'role:lead', validFor: '1h' } };
const DENY = { id: 'no', match: {}, deny: 'no' };
const OTHER = { id: 'other', match: { operation: 'purge' }, allow: [] };

function known(value: Fact['value']): Gathered<Fact> {
  return { kind: 'known', value: { value, source: 'test', observedAt: NOW, tookMs: 1 } };
}

function foreclosed(example: Example): Decision | undefined {
  const { policy, input } = exampleOf(example);
  return foreclose(policy, input);
}

function early(rules: readonly unknown[], sample: Partial<SampleInput> = {}): unknown {
  const decision = foreclosed({ rules, sample });
  return decision && [decision.verdict, ...decision.findings.map(({ code }) => code)];
}

// ---------------------------------------------------------------- what is certain early

describe('before any system is touched', () => {
  const open: Partial<SampleInput> = { resolution: 'absent' };
  const cases: readonly (readonly [
    string,
    readonly unknown[],
    Partial<SampleInput>,
    readonly string[] | undefined,
  ])[] = [
    ['nothing is certain where a rule allows', [ALLOW], {}, undefined],
    ['what can never run is denied', [ALLOW], { agentLive: false }, ['deny', 'principal_revoked']],
    ['a deny rule that applies denies', [ALLOW, DENY], {}, ['deny', 'denied_by_rule']],
    [
      'every deny rule that applies is said',
      [ALLOW, DENY, { ...DENY, id: 'neither' }],
      {},
      ['deny', 'denied_by_rule', 'denied_by_rule'],
    ],
    [
      'a deny rule that does not apply denies nothing',
      [ALLOW, { ...DENY, when: 'principal.agent == "other"' }],
      {},
      undefined,
    ],
    ['a shadow denies nothing', [ALLOW, { ...DENY, shadow: true }], {}, undefined],
    [
      'a deny rule that reads a fact is not certain, though the fact was read before',
      [ALLOW, { ...DENY, when: 'facts.ready' }],
      { facts: { ready: known(true) } },
      undefined,
    ],
    [
      'a deny rule that reads the preview is not certain, though there is one',
      [ALLOW, { ...DENY, match: { operation: 'refund' }, when: 'measures.payee == "cus_9"' }],
      {},
      undefined,
    ],
    [
      'a deny rule about the environment is not certain, though the system said it',
      [ALLOW, { ...DENY, match: { target: { environment: 'production' } } }],
      {},
      undefined,
    ],
    ['that no rule allows is certain', [OTHER], {}, ['deny', 'no_rule_allows']],
    [
      'that no rule allows is certain, whatever is required',
      [OTHER, { id: 'require', match: {}, require: [LEAD] }],
      {},
      ['deny', 'no_rule_allows'],
    ],
    [
      'an allow rule that does not apply allows nothing',
      [{ ...ALLOW, when: 'principal.agent == "other"' }],
      {},
      ['deny', 'no_rule_allows'],
    ],
    [
      'an allow rule that reads a fact may yet apply',
      [{ ...ALLOW, when: 'facts.ready' }],
      {},
      undefined,
    ],
    [
      'one allow rule that may apply is enough, before and after one that does not',
      [
        { ...ALLOW, id: 'a', when: 'principal.agent == "other"' },
        ALLOW,
        { ...ALLOW, id: 'z', when: 'principal.agent == "other"' },
      ],
      {},
      undefined,
    ],
    ['a shadow allows nothing', [{ ...ALLOW, shadow: true }], {}, ['deny', 'no_rule_allows']],
    [
      'an allow rule for another environment may yet apply',
      [{ ...ALLOW, match: { target: { environment: 'staging' } } }],
      open,
      undefined,
    ],
    [
      'a requirement is never certain not to be met',
      requiring({ window: 'night' }),
      { windows: { night: { open: false } } },
      undefined,
    ],
    ['a halt holds', requiring(LEAD), { halts: halts() }, ['hold', 'halted']],
    [
      'a deny rule is said rather than a halt',
      [DENY],
      { halts: halts() },
      ['deny', 'denied_by_rule', 'no_rule_allows'],
    ],
  ];
  for (const [title, rules, sample, expected] of cases) {
    test(title, () => assert.deepEqual(early(rules, sample), expected));
  }

  test('a halt asks nobody, names no rule, and is waited for until the deadline', () => {
    const decision = foreclosed({ rules: requiring(LEAD), sample: { halts: halts() } });
    assert.ok(decision !== undefined && isDecision(decision));
    assert.deepEqual(
      { ...decision, findings: plain(decision.findings) },
      {
        verdict: 'hold',
        findings: [{ code: 'halted', status: 'unmet', actual: HALT_ID, waitsFor: 'halt' }],
        matched: [],
        shadow: [],
        consumes: [],
        reserves: [],
        asks: [],
        waitsFor: ['halt'],
        wakeAt: hours(4),
        validUntil: NOW,
      },
    );
  });

  test('what only the system can call so is not halted yet', () => {
    const sample = { resolution: 'staging', halts: halts({ environment: 'staging' }) } as const;
    assert.equal(early([ALLOW], sample), undefined);
  });

  test('an allow rule for an environment that is surely another one allows nothing', () => {
    const rules = [{ ...ALLOW, match: { target: { environment: 'staging' } } }];
    const decision = foreclosed({
      rules,
      change: (input) => {
        if (input.target === undefined) return input;
        const { probe: _probe, ...target } = input.target;
        return { ...input, target };
      },
    });
    assert.deepEqual(plain(decision?.findings ?? []), [
      { code: 'no_rule_allows', status: 'impossible' },
    ]);
  });

  test('an action that names nothing known is denied', () => {
    const { policy, input } = exampleOf({});
    const decision = foreclose(policy, { ...input, operation: undefined });
    assert.ok(decision !== undefined && isDecision(decision));
    assert.deepEqual(plain(decision.findings), [
      { code: 'operation_unknown', status: 'impossible' },
    ]);
  });

  test('a certain denial is a decision', () => {
    const decision = foreclosed({ rules: [ALLOW, DENY] });
    assert.ok(decision !== undefined && isDecision(decision));
  });
});

function halts(scope: SampleInput['halts'][number]['scope'] = {}): SampleInput['halts'] {
  return [{ id: HALT_ID, scope, reason: 'drill', by: 'mei', at: hours(-1) }];
}

// ---------------------------------------------------------------- who decides

describe('a decision', () => {
  test('is made of a compiled policy only', () => {
    const { policy, input } = exampleOf({});
    const copy = { ...policy };
    assert.throws(() => decide(copy, input), /compilePolicy/u);
    assert.throws(() => foreclose(copy, input), /compilePolicy/u);
  });

  test('is one only if the kernel made it', () => {
    const decision = decided({});
    assert.ok(isDecision(decision));
    assert.equal(isDecision({ ...decision }), false);
    assert.ok(isDecision(decided({ rules: [DENY] })));
    assert.ok(isDecision(decided({ rules: requiring(LEAD) })));
    assert.ok(isDecision(decided({ sample: { agentLive: false } })));
  });

  test('about what can never run looks at no rule', () => {
    const decision = decided({ rules: [DENY], change: local({ agent: undefined }) });
    assert.deepEqual(plain(decision.findings), [
      { code: 'principal_unknown', status: 'impossible' },
    ]);
  });

  test('about bytes that are not the proposed ones denies', () => {
    const decision = payloadMismatch(exampleOf({}).input);
    assert.ok(isDecision(decision));
    assert.equal(decision.verdict, 'deny');
    assert.deepEqual(plain(decision.findings), [
      { code: 'payload_mismatch', status: 'impossible' },
    ]);
  });
});

// ---------------------------------------------------------------- an environment that is not known

describe('while only the system can say which environment it is', () => {
  const production = { target: { environment: 'production' } };
  const staging = { target: { environment: 'staging' } };

  const cases: readonly (readonly [string, readonly unknown[], readonly string[]])[] = [
    [
      'an allow rule for one may apply',
      [{ ...ALLOW, match: staging }],
      ['hold', 'rule_undetermined allow'],
    ],
    [
      'a deny rule for one may apply',
      [ALLOW, { ...DENY, match: staging }],
      ['hold', 'rule_undetermined no', 'allow', 'no'],
    ],
    ['a rule for none in particular applies', [ALLOW], ['hold', 'allow']],
    [
      'an allow rule that applies is told rather than one that may',
      [
        { id: 'a', match: staging, allow: [] },
        { ...ALLOW, allow: [LEAD] },
      ],
      ['hold', 'approval_missing allow', 'allow'],
    ],
    [
      'of allow rules that may apply the one with the smallest id is told',
      [
        { id: 'z', match: {}, when: 'facts.ready', allow: [] },
        { id: 'a', match: production, allow: [] },
      ],
      ['hold', 'rule_undetermined a'],
    ],
    [
      'an allow rule that may apply holds what another one can no longer allow',
      [
        { id: 'a', match: {}, allow: [{ window: 'night' }] },
        { id: 'z', match: production, allow: [] },
      ],
      ['hold', 'rule_undetermined z', 'a'],
    ],
    [
      'an allow rule about another operation cannot apply',
      [{ ...OTHER, match: { operation: 'purge', ...staging } }],
      ['deny'],
    ],
    [
      'an allow rule that does not apply there either cannot',
      [{ ...ALLOW, match: staging, when: 'principal.agent == "other"' }],
      ['deny'],
    ],
    ['a shadow cannot', [{ ...ALLOW, match: staging, shadow: true }], ['deny']],
    ['a requirement cannot', [{ id: 'r', match: staging, require: [LEAD] }], ['deny', 'r']],
  ];
  for (const [title, rules, expected] of cases) {
    test(title, () => {
      const shut = { windows: { night: { open: false } } };
      const decision = decided({ rules, sample: { resolution: 'absent', ...shut } });
      const findings = decision.findings.map(({ code, rule }) => `${code} ${rule?.id ?? '-'}`);
      assert.deepEqual(
        [
          decision.verdict,
          ...findings.filter((text) => !/^(?:resolution_failed|no_rule_allows)/u.test(text)),
          ...decision.matched,
        ],
        expected,
      );
    });
  }
});

test('an allow rule for another environment allows nothing, whatever else is not known', () => {
  const staging = { target: { environment: 'staging' } };
  const decision = decided({ rules: [{ ...ALLOW, match: staging, when: 'facts.ready' }] });
  assert.deepEqual(plain(decision.findings), [{ code: 'no_rule_allows', status: 'impossible' }]);
});

// ---------------------------------------------------------------- the reference

/** Worlds that are the same in every run; the laws draw others. */
const CASES = 320;
const CASES_AT_ONCE = 20;
let drawn: ReturnType<typeof drawAll> | undefined;

function drawAll(): readonly (readonly [Parameters<typeof referenceDecide>[0], SampleInput])[] {
  const worlds = fc.tuple(rulesArbitrary(6), SAMPLE_INPUT);
  return fc
    .sample(worlds, { seed: 20_261_122, numRuns: CASES * 2 })
    .filter(([rules]) => samplePolicy(rules) !== undefined)
    .slice(0, CASES);
}

describe('decide says what a naive reference says', () => {
  for (let from = 0; from < CASES; from += CASES_AT_ONCE) {
    test(`in the fixed cases from ${String(from)} on`, () => {
      drawn ??= drawAll();
      assert.equal(drawn.length, CASES);
      for (const [rules, sample] of drawn.slice(from, from + CASES_AT_ONCE)) {
        const policy = samplePolicy(rules);
        assert.ok(policy !== undefined);
        const input = inputOf(sample, policy);
        assert.deepEqual(
          gistOf(decide(policy, input)),
          referenceDecide(rules, input, digestsIn(policy)),
        );
      }
    });
  }
});
