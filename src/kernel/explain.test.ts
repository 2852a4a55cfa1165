import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CALM, inputOf, type SampleInput } from '../../test/laws/circumstances.ts';
import { policyOf } from '../../test/laws/policies.ts';
import { HALT_ID, hours, NOW, person } from '../../test/laws/world.ts';
import { decide, payloadMismatch } from './decide.ts';
import type { DecisionInput, PersonState } from './decision.ts';
import { explainDecision, type Explanation } from './explain.ts';
import { addMs, instantOf } from './instant.ts';

const REFUND = { operation: 'refund' };
const ALLOW = { id: 'a', allow: true };
const PROBED = 'met -: system is acct_1, probed 4 s ago';

function asks(from: string, more: Readonly<Record<string, unknown>> = {}): readonly unknown[] {
  return [{ id: 'a', allow: [{ approval: { from, ...more } }] }];
}

function explained(
  rules: readonly unknown[],
  sample: Partial<SampleInput> = {},
  change: (input: DecisionInput) => DecisionInput = (input) => input,
): Explanation {
  const policy = policyOf(rules);
  const input = change(inputOf({ ...CALM, ...sample }, policy));
  return explainDecision(policy, input, decide(policy, input));
}

function linesOf({ lines }: Explanation): readonly string[] {
  return lines.map(({ mark, rule, text }) => `${mark} ${rule?.id ?? '-'}: ${text}`);
}

describe('an explanation', () => {
  test('says what, where, by whom and until when', () => {
    const { verdict, now, what, target, environment, agent, delegator, proposedAt, deadline } =
      explained([ALLOW], { askedHours: -0.5 });
    assert.deepEqual(
      { verdict, now, what, target, environment, agent, delegator, proposedAt, deadline },
      {
        verdict: 'admit',
        now: NOW,
        what: 'refund 10.00 EUR to cus_9',
        target: 'pay',
        environment: 'production',
        agent: 'bot',
        delegator: 'dana',
        proposedAt: hours(-0.5),
        deadline: hours(4),
      },
    );
  });

  test('says the environment that the system told, else that of the inventory, else none', () => {
    assert.equal(explained([ALLOW], { resolution: 'staging' }).environment, 'staging');
    assert.equal(explained([ALLOW], { resolution: 'absent' }).environment, 'production');
    const unknown = explained([ALLOW], { resolution: 'absent' }, (input) => ({
      ...input,
      target: undefined,
    }));
    assert.ok(!('environment' in unknown));
    assert.ok(!('delegator' in explained([ALLOW], { delegator: undefined })));
  });

  test('hears no rule for an action that nobody could judge', () => {
    const unknown = explained([ALLOW], {}, (input) => ({ ...input, operation: undefined }));
    assert.deepEqual(linesOf(unknown), ['unmet -: no operation `refund` at `pay`', PROBED]);
    assert.deepEqual([unknown.runsWhen, unknown.or], [[], []]);
    const revoked = explained([ALLOW], { agentLive: false });
    assert.deepEqual(linesOf(revoked), ['unmet -: agent `bot` is revoked', PROBED]);
  });
});

const LIMIT = { limit: { name: 'l', sum: 'measures.amount', max: '15.00', per: '2h' } };

describe('the lines of an explanation', () => {
  const cases: readonly (readonly [
    string,
    readonly unknown[],
    Partial<SampleInput>,
    readonly string[],
  ])[] = [
    ['a rule that applies always', [ALLOW], {}, ['met a: applies always', PROBED]],
    [
      'denials first, clear or not',
      [
        ALLOW,
        { id: 'd', deny: 'not today' },
        { id: 'f', match: REFUND, deny: 'maybe', when: 'preview.customer == "x"' },
      ],
      { preview: 'absent' },
      [
        'unmet d: not today',
        'undetermined f: the preview is not known yet',
        'met a: applies always',
        'undetermined -: no preview was read yet',
        PROBED,
      ],
    ],
    [
      'an allow that is out of reach, but none in shadow, of another operation, or of another effect',
      [
        { id: 'a', match: REFUND, allow: true, when: 'measures.amount > 50.00' },
        { id: 'b', match: REFUND, allow: true, shadow: true, when: 'measures.amount > 60.00' },
        { id: 'c', match: REFUND, require: [{ window: 'night' }], when: 'measures.amount > 60.00' },
        { id: 'e', match: { operation: 'purge' }, allow: true, when: 'measures.rows > 9' },
        { id: 'g', match: REFUND, allow: true, when: 'preview.customer == "cus_8"' },
      ],
      {},
      [
        'unmet a: applies only if amount 10.00 > 50.00',
        'unmet g: applies only if preview.customer cus_9 == "cus_8"',
        'unmet -: no rule allows `refund` at `pay` for `bot`',
        PROBED,
      ],
    ],
    [
      'an allow that is not known to apply once',
      [{ id: 'g', match: REFUND, allow: true, when: 'preview.customer == "x"' }],
      { preview: 'absent' },
      [
        'undetermined g: the preview is not known yet',
        'undetermined -: no preview was read yet',
        PROBED,
      ],
    ],
    [
      'no allow that is out of reach where another is clear',
      [ALLOW, { id: 'b', match: REFUND, allow: true, when: 'measures.amount > 50.00' }],
      {},
      ['met a: applies always', PROBED],
    ],
    [
      'what a rule asks, met or not',
      [
        {
          id: 'a',
          match: REFUND,
          allow: [{ window: 'night' }, LIMIT, { fact: { name: 'ready' } }],
        },
        { id: 'r', require: [{ window: 'week' }] },
      ],
      { windows: { night: { open: true }, week: { open: false } } },
      [
        'met a: applies always',
        'met a: window `night`',
        'met a: limit `l` of 15.00 per 2h',
        'undetermined a: fact `ready` is not known: not read yet',
        'unmet r: window `week` is closed and never opens again; the deadline is 2027-01-15T12:00:00.000Z',
        PROBED,
      ],
    ],
    [
      'a requirement that is not known to apply',
      [
        ALLOW,
        { id: 'r', match: REFUND, when: 'preview.customer == "x"', require: [{ window: 'night' }] },
      ],
      { preview: 'absent' },
      [
        'met a: applies always',
        'undetermined r: the preview is not known yet',
        'undetermined -: no preview was read yet',
        PROBED,
      ],
    ],
    [
      'what stands against it in the order of precedence, each once',
      [ALLOW],
      {
        halts: [{ id: HALT_ID, scope: {}, reason: 'drill', by: 'mei', at: hours(-1) }],
        notBeforeHours: 0.5,
        executing: true,
      },
      [
        'met a: applies always',
        'unmet -: halted by mei: drill',
        'unmet -: not before 2027-01-15T08:30:00.000Z',
        'unmet -: 01930000-0000-7000-8000-000000000004 is executing at `pay`',
        PROBED,
      ],
    ],
    [
      'another system, and not that it was probed',
      [ALLOW],
      { identity: 'acct_2' },
      ['met a: applies always', 'unmet -: system is `acct_2`, the lock file says `acct_1`'],
    ],
    [
      'a system that was not asked',
      [ALLOW],
      { resolution: 'absent' },
      ['met a: applies always', 'undetermined -: `pay` is not resolved: was not asked yet'],
    ],
    [
      'a system that says nothing of itself',
      [ALLOW],
      { operation: 'stop' },
      ['met a: applies always'],
    ],
  ];
  for (const [what, rules, sample, expected] of cases) {
    test(`say ${what}`, () => {
      assert.deepEqual(linesOf(explained(rules, sample)), expected);
    });
  }

  test('name the rule with its effect and its place', () => {
    const [line] = explained([ALLOW]).lines;
    assert.equal(line?.rule?.effect, 'allow');
    assert.equal(line.rule.position.file, 'policy.yaml');
  });

  const ages: readonly (readonly [number, string])[] = [
    [-5000, '0 ms'],
    [999, '999 ms'],
    [1000, '1 s'],
    [1501, '2 s'],
    [119_499, '119 s'],
    [119_999, '120 s'],
    [120_000, '2 min'],
    [150_001, '3 min'],
  ];
  for (const [ageMs, text] of ages) {
    test(`say that a system was probed ${text} ago`, () => {
      const explanation = explained([ALLOW], {}, (input) => {
        const { resolution } = input;
        assert.ok(resolution.kind === 'known');
        const observedAt = instantOf(input.now - ageMs);
        return {
          ...input,
          resolution: { ...resolution, value: { ...resolution.value, observedAt } },
        };
      });
      assert.equal(linesOf(explanation).at(-1), `met -: system is acct_1, probed ${text} ago`);
    });
  }

  test('of a decision that no rule made are its findings', () => {
    const policy = policyOf([ALLOW]);
    const input = inputOf(CALM, policy);
    const lines = linesOf(explainDecision(policy, input, payloadMismatch(input)));
    assert.ok(
      lines.includes('unmet -: the stored bytes are not the action that was proposed'),
      lines.join(),
    );
  });

  test('leave out what rules in shadow say, which stands apart', () => {
    const { lines, shadow } = explained([
      ALLOW,
      { id: 's', deny: 'no', shadow: true },
      { id: 't', require: [{ window: 'night' }], shadow: true },
    ]);
    assert.equal(lines.length, 2);
    assert.deepEqual(
      shadow.map(({ rule, would }) => [rule.id, rule.effect, would]),
      [
        ['s', 'deny', 'deny'],
        ['t', 'require', 'hold'],
      ],
    );
  });
});

function leads(...names: readonly string[]): Readonly<Record<string, PersonState>> {
  return Object.fromEntries([
    ['dana', { live: true, roles: [], aliases: [] }],
    ...names.map((name): [string, PersonState] => [
      name,
      { live: true, roles: ['lead'], aliases: [] },
    ]),
  ]);
}

const YES = {
  question: 0,
  approver: 'mei',
  moved: false,
  consumed: false,
  atHours: -0.1,
  expiresHours: 1,
};
const TWO = asks('role:lead', { count: 2 });

describe('who is waited for', () => {
  const four = leads('n4', 'n2', 'n3', 'n1');
  const cases: readonly (readonly [string, readonly unknown[], Partial<SampleInput>, string])[] = [
    ['either of two', asks('role:lead'), {}, 'mei or tomas approves'],
    ['both of two', TWO, {}, 'mei and tomas approve'],
    [
      'the role, where too few are known',
      asks('role:lead', { count: 3 }),
      {},
      '3 of role:lead approve',
    ],
    ['the role, where nobody has it', asks('role:finance'), {}, 'role:finance approves'],
    ['one of four', asks('role:lead'), { people: four }, 'n1, n2, n3 or n4 approves'],
    ['two of four', TWO, { people: four }, '2 of n1, n2, n3 or n4 approve'],
    ['all of four', asks('role:lead', { count: 4 }), { people: four }, 'n1, n2, n3 and n4 approve'],
    [
      'the role of five',
      asks('role:lead'),
      { people: leads('n1', 'n2', 'n3', 'n4', 'n5') },
      'role:lead approves',
    ],
    ['a person', asks('person:mei'), {}, 'mei approves'],
    ['a person who has no account', asks('person:lea'), {}, 'lea approves'],
    ['the delegator by name', [{ id: 'a', allow: [{ confirmation: true }] }], {}, 'dana confirms'],
    [
      'either owner, where there is no delegator',
      [{ id: 'a', allow: [{ confirmation: true }] }],
      { delegator: undefined, owners: ['zed', 'olga'] },
      'olga or zed confirms',
    ],
    [
      'the delegator, where there is nobody',
      [{ id: 'a', allow: [{ confirmation: true }] }],
      { delegator: undefined, owners: [] },
      'the delegator confirms',
    ],
    [
      'nobody who requests',
      asks('role:lead'),
      { people: { ...leads('mei', 'tomas'), dana: { live: true, roles: ['lead'], aliases: [] } } },
      'mei or tomas approves',
    ],
    [
      'one name of a person with two',
      asks('role:lead'),
      { people: { ...four, n4: { live: true, roles: ['lead'], aliases: [person('n1')] } } },
      'n1, n2 or n3 approves',
    ],
    [
      'whoever is entitled, when another answered',
      asks('role:lead'),
      { answers: [{ ...YES, approver: 'zed' }] },
      'mei or tomas approves',
    ],
    ['whoever has not answered', TWO, { answers: [YES] }, 'tomas approves'],
    [
      'whoever consented before something moved',
      asks('role:lead'),
      { answers: [{ ...YES, moved: true }] },
      'mei or tomas approves',
    ],
    [
      'whoever’s answer was used up',
      TWO,
      { answers: [{ ...YES, consumed: true }] },
      'mei and tomas approve',
    ],
    [
      'whoever’s answer is past its end',
      asks('role:lead'),
      { answers: [{ ...YES, expiresHours: -0.1 }] },
      'mei or tomas approves',
    ],
    [
      'whoever’s answer is older than the policy takes',
      asks('role:lead', { validFor: '5m' }),
      { answers: [YES] },
      'mei or tomas approves',
    ],
  ];
  for (const [what, rules, sample, expected] of cases) {
    test(`is ${what}`, () => {
      const { runsWhen } = explained(rules, sample);
      assert.deepEqual(runsWhen, [{ text: expected, by: hours(4) }]);
    });
  }
});

describe('what is waited for', () => {
  const halts = [{ id: HALT_ID, scope: {}, reason: 'drill', by: 'mei', at: hours(-1) }];
  const cases: readonly (readonly [
    string,
    readonly unknown[],
    Partial<SampleInput>,
    Explanation['runsWhen'],
  ])[] = [
    ['a halt', [ALLOW], { halts }, [{ text: 'the halt is lifted (halted by mei: drill)' }]],
    [
      'its time',
      [ALLOW],
      { notBeforeHours: 0.5 },
      [{ text: 'its time has come', from: hours(0.5) }],
    ],
    [
      'a window',
      [{ id: 'a', allow: [{ window: 'night' }] }],
      { windows: { night: { open: false, opensAt: hours(2) } } },
      [{ text: 'the window opens', from: hours(2) }],
    ],
    [
      'a longer window',
      [{ id: 'a', allow: [{ window: { calendar: 'night', lastStart: '1h' } }] }],
      { windows: { night: { open: true, closesAt: hours(0.5), opensAt: hours(2) } } },
      [{ text: 'the window opens', from: hours(2) }],
    ],
    [
      'a limit',
      [{ id: 'a', match: REFUND, allow: [LIMIT] }],
      { used: [14, 0, 0, 0] },
      [{ text: 'the limit has room', from: hours(0.5) }],
    ],
    [
      'another action at the target',
      [ALLOW],
      { executing: true },
      [
        {
          text: 'the other action has ended (01930000-0000-7000-8000-000000000004 is executing at `pay`)',
        },
      ],
    ],
    [
      'what has no end of its own',
      [ALLOW],
      { resolution: 'absent' },
      [{ text: 'this is no longer so: `pay` is not resolved: was not asked yet' }],
    ],
    ['nothing, where it is denied', [{ id: 'd', deny: 'no' }], { halts }, []],
    ['nothing, where it is admitted', [ALLOW], {}, []],
  ];
  for (const [what, rules, sample, expected] of cases) {
    test(`is ${what}`, () => {
      assert.deepEqual(explained(rules, sample).runsWhen, expected);
    });
  }

  test('is asked of each by what it asks', () => {
    const rules = [
      {
        id: 'a',
        allow: [{ approval: { from: 'role:finance' } }, { approval: { from: 'role:lead' } }],
      },
    ];
    assert.deepEqual(
      explained(rules)
        .runsWhen.map(({ text }) => text)
        .sort(),
      ['mei or tomas approves', 'role:finance approves'],
    );
  });

  test('is everything that is open, and nothing that is met', () => {
    const { runsWhen } = explained(
      [...asks('role:lead'), { id: 'r', require: [{ window: 'night' }, { window: 'week' }] }],
      { windows: { night: { open: true }, week: { open: false, opensAt: hours(1) } } },
    );
    assert.deepEqual(runsWhen, [
      { text: 'mei or tomas approves', by: hours(4) },
      { text: 'the window opens', from: addMs(NOW, 3_600_000) },
    ]);
  });
});
