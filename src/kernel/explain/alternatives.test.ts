import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  inventoryOf,
  operationOf,
  shopInput,
  targetOf,
} from '../../../test/fixtures/shop-inventory.ts';
import { CALM, inputOf, type SampleInput } from '../../../test/laws/circumstances.ts';
import { policyOf } from '../../../test/laws/policies.ts';
import { hours } from '../../../test/laws/world.ts';
import { decide } from '../decide.ts';
import { documentOf } from '../document-reader.ts';
import { explainDecision } from '../explain.ts';
import type { JsonObject } from '../json/value.ts';
import { compilePolicy } from '../policy/compile.ts';
import type { Alternative } from './alternatives.ts';

const required = { optional: false } as const;

const INVENTORY = inventoryOf([
  targetOf('t', [
    operationOf({
      name: 'act',
      target: 't',
      kind: 'data.write',
      arguments: {
        i: { type: { kind: 'integer' }, ...required },
        d: { type: { kind: 'decimal' }, ...required },
        m: { type: { kind: 'money', currency: 'EUR', minorDigits: 2 }, ...required },
        s: { type: { kind: 'string', lengthMax: 40 }, ...required },
        e: { type: { kind: 'enum', values: ['red', 'blue'] }, ...required },
        b: { type: { kind: 'boolean' }, ...required },
        t: { type: { kind: 'instant' }, ...required },
        u: { type: { kind: 'duration' }, ...required },
        o: {
          type: { kind: 'object', fields: { i: { type: { kind: 'integer' }, ...required } } },
          ...required,
        },
      },
      measures: { rows: 'args.i' },
    }),
    operationOf({
      name: 'computed',
      target: 't',
      kind: 'data.write',
      arguments: { i: { type: { kind: 'integer' }, ...required } },
      measures: { rows: 'args.i * 2' },
    }),
  ]),
]);

const ARGS: JsonObject = {
  i: 9,
  d: '9.5',
  m: '9.00',
  s: 'abc',
  e: 'red',
  b: false,
  t: '2026-01-01T00:00:00Z',
  u: '1h',
  o: { i: 9 },
};

/** The alternatives to an action that one rule would allow on a condition. */
function toReach(when: string, operation: 'act' | 'computed' = 'act'): readonly string[] {
  const rules = [{ id: 'a', match: { operation }, allow: true, when }];
  const documents = [documentOf({ version: 1, rules }, 'p.yaml')];
  const { policy, problems } = compilePolicy({ documents, inventory: INVENTORY });
  assert.ok(policy !== undefined, JSON.stringify(problems));
  const input = shopInput({
    target: 't',
    operation,
    inventory: INVENTORY,
    args: operation === 'act' ? ARGS : { i: 9 },
    roles: [],
    environment: 'production',
    preview: { kind: 'known', value: 'none' },
  });
  const decision = decide(policy, input);
  assert.equal(decision.verdict, 'deny');
  return explainDecision(policy, input, decision).or.map(textOf);
}

function textOf({ change, stillNeeds, unread, needsPeople }: Alternative): string {
  const needs = stillNeeds.length === 0 ? '' : ` needs ${stillNeeds.join('+')}`;
  const open = unread.length === 0 ? '' : ` unread ${unread.join('+')}`;
  return `${change}${needs}${open}${needsPeople ? ' people' : ''}`;
}

describe('the nearest value that a condition takes', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['args.i <= 5', ['i <= 5']],
    ['args.i < 5', ['i < 5']],
    ['args.i >= 15', ['i >= 15']],
    ['args.i > 15', ['i > 15']],
    ['args.i == 5', ['i == 5']],
    ['args.i != 9', []],
    ['args.i < 5 && args.i > 3', ['i < 5']],
    ['args.i > 15 && args.i < 17', ['i > 15']],
    ['args.i <= 5.5', []],
    ['args.i <= 999999999999999999 && args.i >= 99999999999999999', []],
    ['args.m <= 5', ['m <= 5']],
    ['args.m < 5.00', ['m < 5.00']],
    ['args.m > 15.5', ['m > 15.5']],
    ['args.m == 5.00', ['m == 5.00']],
    ['args.m <= 5.005', []],
    ['args.m != 9.00', []],
    ['args.d <= 5.50', ['d <= 5.50']],
    ['args.d >= 15', ['d >= 15']],
    ['args.d == 5.123', ['d == 5.123']],
    ['args.d < 5', []],
    ['args.d > 15', []],
    ['args.s == "x"', ['s == "x"']],
    ["args.s == 'x'", ["s == 'x'"]],
    ['args.s == "a\\"b"', []],
    ['args.s != "abc"', []],
    ['args.e == "blue"', ['e == "blue"']],
    ['args.b == true', []],
    ['args.t > timestamp("2027-01-01T00:00:00Z")', []],
    ['args.u < duration("5m")', []],
    ['args.o.i <= 5', []],
    ['measures.rows <= 5', ['rows <= 5']],
    ['target.name == "x"', []],
  ];
  for (const [when, expected] of cases) {
    test(`${when}: ${expected.length === 0 ? 'is not claimed' : expected.join(', ')}`, () => {
      assert.deepEqual(toReach(when), expected);
    });
  }

  test('of a measure that is computed is not claimed', () => {
    assert.deepEqual(toReach('measures.rows <= 5', 'computed'), []);
  });
});

const REFUND = { operation: 'refund' };
const NIGHT = { window: 'night' };
const CLOSED = { night: { open: false } };
const approval = { approval: { from: 'role:lead' } };

/** The alternatives to a refund of 10.00 under these rules. */
function alternatives(
  rules: readonly unknown[],
  sample: Partial<SampleInput> = {},
): readonly string[] {
  const policy = policyOf(rules);
  const input = inputOf({ ...CALM, ...sample }, policy);
  return explainDecision(policy, input, decide(policy, input)).or.map(textOf);
}

function over(amount: string, requires: readonly unknown[], id = `r${amount}`): unknown {
  return { id, match: REFUND, when: `measures.amount > ${amount}`, require: requires };
}

describe('what else could be asked for', () => {
  const allow = { id: 'a', allow: true };
  const limit = { limit: { name: 'l', sum: 'measures.amount', max: '15.00', per: '2h' } };
  const cases: readonly (readonly [
    string,
    readonly unknown[],
    Partial<SampleInput>,
    readonly string[],
  ])[] = [
    ['nothing, where it is admitted', [allow], {}, []],
    [
      'what no rule denies',
      [allow, { id: 'd', match: REFUND, when: 'measures.amount > 5.00', deny: 'no' }],
      {},
      ['amount <= 5.00'],
    ],
    ['what no rule asks anything of', [allow, over('5.00', [approval])], {}, ['amount <= 5.00']],
    [
      'nothing that escapes a rule whose requirements are met',
      [allow, over('5.00', [{ window: 'week' }]), over('6.00', [approval])],
      { windows: { week: { open: true } } },
      ['amount <= 6.00'],
    ],
    [
      'what escapes a rule of whose requirements one is met',
      [allow, over('5.00', [{ window: 'week' }, approval])],
      { windows: { week: { open: true } } },
      ['amount <= 5.00'],
    ],
    [
      'what fits the limit',
      [{ id: 'a', match: REFUND, allow: [limit] }],
      { used: [8, 0, 0, 0] },
      ['amount <= 7.00'],
    ],
    [
      'what a rule in shadow would allow is not',
      [{ id: 'a', match: REFUND, when: 'measures.amount < 5.00', allow: true, shadow: true }],
      {},
      [],
    ],
    [
      'each change once, the one that needs least first',
      [
        { id: 'a', match: REFUND, when: 'measures.amount < 8.00', allow: [approval] },
        { id: 'b', match: REFUND, when: 'measures.amount < 8.00', allow: [approval, NIGHT] },
        { id: 'c', match: REFUND, when: 'measures.amount < 4.00', allow: true },
      ],
      { windows: CLOSED },
      ['amount < 4.00', 'amount < 8.00 needs approval_missing people'],
    ],
    [
      'at most three',
      ['9.00', '8.00', '7.00', '6.00'].map((amount, index) => ({
        id: `a${String(index)}`,
        match: REFUND,
        when: `measures.amount == ${amount}`,
        allow: true,
      })),
      {},
      ['amount == 9.00', 'amount == 8.00', 'amount == 7.00'],
    ],
    [
      'of the first eight that can be tried',
      [
        ...Array.from({ length: 7 }, (_, index) => ({
          id: `a${String(index)}`,
          match: REFUND,
          when: `measures.amount == ${String(index + 1)}.005`,
          allow: true,
        })),
        { id: 'b', match: REFUND, when: 'measures.amount == 8.00', allow: true },
        { id: 'c', match: REFUND, when: 'measures.amount == 9.00', allow: true },
      ],
      {},
      ['amount == 8.00'],
    ],
    [
      'what would not need less is not',
      [{ id: 'a', match: REFUND, allow: [approval] }, over('5.00', [approval])],
      {},
      [],
    ],
    [
      'what would need less, though still something',
      [{ id: 'a', match: REFUND, allow: [approval] }, over('5.00', [NIGHT])],
      { windows: { night: { open: false, opensAt: hours(1) } } },
      ['amount <= 5.00 needs approval_missing people'],
    ],
  ];
  for (const [what, rules, sample, expected] of cases) {
    test(`is ${what}`, () => {
      assert.deepEqual(alternatives(rules, sample), expected);
    });
  }

  test('forgets the answers that were given, since nobody gave them to that', () => {
    const rules = [
      { id: 'a', match: REFUND, allow: [approval] },
      over('5.00', [{ approval: { from: 'role:finance' } }]),
    ];
    const yes = {
      question: 0,
      approver: 'mei',
      moved: false,
      consumed: false,
      atHours: -0.1,
      expiresHours: 1,
    };
    assert.deepEqual(alternatives(rules, { answers: [yes] }), []);
  });
});
