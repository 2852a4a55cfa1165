import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  inventoryOf,
  operationOf,
  shopInput,
  targetOf,
  type ShopInput,
} from '../../../test/fixtures/shop-inventory.ts';
import type { PreconditionClass, Inventory } from '../inventory.ts';
import type { Match, RuleEffect } from '../policy.ts';
import type { CompiledRule } from './compiled.ts';
import { indexedMatching, linearMatching } from './matching.ts';

const CLASSES: readonly PreconditionClass[] = ['conditional', 'read-then-act', 'unconditioned'];
const PROBE = {
  kind: 'file',
  path: '/p',
  identity: '/id',
  environment: { pointer: '/e', values: { a: 'e0', b: 'e1' } },
} as const;

/** Targets t0 to t3 with operations o0 to o2; odd targets say their environment themselves. */
const INVENTORY: Inventory = inventoryOf(
  ['t0', 't1', 't2', 't3'].map((target, index) =>
    targetOf(
      target,
      ['o0', 'o1', 'o2'].map((name, at) =>
        operationOf({
          name,
          target,
          kind: at === 0 ? 'api.call' : 'data.read',
          precondition: CLASSES[(index + at) % 3] ?? 'conditional',
        }),
      ),
      {
        environment: `e${String(index % 2)}`,
        labels: index === 0 ? {} : { l: `v${String(index % 2)}`, m: 'x' },
        ...(index === 1 ? {} : { owner: `w${String(index % 2)}` }),
        ...(index % 2 === 1 ? { probe: PROBE } : {}),
      },
    ),
  ),
);

function setOf<Name extends string>(
  ...names: readonly Name[]
): fc.Arbitrary<{ names: Name[]; negated: boolean }> {
  return fc.record({
    names: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: names.length }),
    negated: fc.boolean(),
  });
}

const whole: fc.Arbitrary<Required<Match>> = fc.record({
  kinds: setOf('api.call', 'data.read'),
  targets: setOf('t0', 't1', 't2', 't3'),
  environments: setOf('e0', 'e1'),
  owners: setOf('w0', 'w1'),
  labels: fc.dictionary(fc.constantFrom('l', 'm'), fc.constantFrom('v0', 'v1', 'x'), {
    minKeys: 1,
  }),
  operations: setOf('o0', 'o1', 'o2'),
  classes: setOf(...CLASSES),
  agents: setOf('a0', 'a1'),
  roles: setOf('r0', 'r1', 'r2'),
  delegators: setOf('d0', 'd1'),
});

/** At most three members: a match of all ten would hold for nothing. */
const match: fc.Arbitrary<Match> = fc
  .tuple(whole, fc.array(fc.nat({ max: 9 }), { maxLength: 3 }))
  .map(([members, kept]) =>
    Object.fromEntries(Object.entries(members).filter((_, index) => kept.includes(index))),
  );

const position = { file: 'p', line: 1, column: 1 };

function rulesOf(parts: readonly (readonly [Match, RuleEffect])[]): readonly CompiledRule[] {
  return parts.map(([each, effect], index) => ({
    rule: {
      id: `r${String(index).padStart(3, '0')}`,
      effect,
      match: each,
      requires: [],
      shadow: false,
      position,
    },
    when: undefined,
    requires: [],
  }));
}

const input: fc.Arbitrary<ShopInput> = fc.record(
  {
    inventory: fc.constant(INVENTORY),
    target: fc.constantFrom('t0', 't1', 't2', 't3', 'unknown'),
    operation: fc.constantFrom('o0', 'o1', 'o2', 'unknown'),
    agent: fc.constantFrom('a0', 'a1'),
    delegator: fc.constantFrom('d0', 'd1'),
    roles: fc.uniqueArray(fc.constantFrom('r0', 'r1', 'r2')),
    environment: fc.constantFrom('e0', 'e1'),
  },
  { requiredKeys: ['inventory', 'target', 'operation'] },
);

const EFFECTS = ['deny', 'require', 'allow'] as const;

function idsOf(rules: readonly CompiledRule[]): readonly string[] {
  return rules.map(({ rule }) => rule.id);
}

describe('the rules that match an action', () => {
  test('are the same, in the same order, whether all rules are looked at or only the index', () => {
    let matched = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(match, fc.constantFrom(...EFFECTS)), { maxLength: 60 }),
        fc.array(input, { minLength: 1, maxLength: 10 }),
        (parts, inputs) => {
          const rules = rulesOf(parts);
          const [linear, indexed] = [linearMatching(rules), indexedMatching(rules)];
          for (const each of inputs) {
            const ids = idsOf(linear(shopInput(each)));
            matched += ids.length;
            assert.deepEqual(idsOf(indexed(shopInput(each))), ids);
          }
        },
      ),
      { numRuns: 500 },
    );
    assert.ok(matched > 1000, `only ${String(matched)} rules matched: the test looked at nothing`);
  });

  const cases: readonly (readonly [
    string,
    Match,
    Omit<ShopInput, 'inventory'>,
    readonly string[],
  ])[] = [
    [
      'an unknown environment',
      { environments: { names: ['e1'], negated: false } },
      { target: 't1', operation: 'o0' },
      ['deny', 'require'],
    ],
    [
      'an environment the inventory alone decides',
      { environments: { names: ['e1'], negated: false } },
      { target: 't0', operation: 'o0' },
      [],
    ],
    [
      'an environment the system told',
      { environments: { names: ['e1'], negated: false } },
      { target: 't1', operation: 'o0', environment: 'e1' },
      ['deny', 'require', 'allow'],
    ],
    [
      'an owner of the set',
      { owners: { names: ['w0'], negated: false } },
      { target: 't0', operation: 'o0' },
      ['deny', 'require', 'allow'],
    ],
    [
      'no owner, and a set of owners',
      { owners: { names: ['w0'], negated: false } },
      { target: 't1', operation: 'o0' },
      [],
    ],
    [
      'no owner, and everybody but one',
      { owners: { names: ['w0'], negated: true } },
      { target: 't1', operation: 'o0' },
      ['deny', 'require', 'allow'],
    ],
    [
      'the owner of an unknown target',
      { owners: { names: ['w0'], negated: false } },
      { target: 'unknown', operation: 'o0' },
      ['deny', 'require'],
    ],
    [
      'all labels of the target',
      { labels: { l: 'v1', m: 'x' } },
      { target: 't1', operation: 'o0' },
      ['deny', 'require', 'allow'],
    ],
    ['one label of two', { labels: { l: 'v1', m: 'y' } }, { target: 't1', operation: 'o0' }, []],
    [
      'a label that the target does not have',
      { labels: { l: 'v0' } },
      { target: 't0', operation: 'o0' },
      [],
    ],
    [
      'unknown roles',
      { roles: { names: ['r0'], negated: false } },
      { target: 't0', operation: 'o0' },
      ['deny', 'require'],
    ],
    [
      'an unknown operation',
      { kinds: { names: ['api.call'], negated: false } },
      { target: 't0', operation: 'unknown' },
      ['deny', 'require'],
    ],
    [
      'an unknown target',
      { labels: { l: 'v0' } },
      { target: 'unknown', operation: 'o0' },
      ['deny', 'require'],
    ],
    [
      'something unknown beside something that does not hold',
      { roles: { names: ['r0'], negated: false }, agents: { names: ['a1'], negated: false } },
      { target: 't0', operation: 'o0', agent: 'a0' },
      [],
    ],
    [
      'no delegator, and a set of them',
      { delegators: { names: ['d0'], negated: false } },
      { target: 't0', operation: 'o0' },
      [],
    ],
    [
      'no delegator, and everybody but one',
      { delegators: { names: ['d0'], negated: true } },
      { target: 't0', operation: 'o0' },
      ['deny', 'require', 'allow'],
    ],
    [
      'one role of several that a negated set names',
      { roles: { names: ['r0'], negated: true } },
      { target: 't0', operation: 'o0', roles: ['r0', 'r1'] },
      [],
    ],
  ];
  for (const [title, each, parts, expected] of cases) {
    test(`${title}: ${expected.length === 0 ? 'nothing matches' : `${expected.join(', ')} match`}`, () => {
      const rules = rulesOf(EFFECTS.map((effect) => [each, effect]));
      const found = indexedMatching(rules)(shopInput({ inventory: INVENTORY, ...parts }));
      assert.deepEqual(
        found.map(({ rule }) => rule.effect),
        expected,
      );
    });
  }

  test('are found without looking at the rules that cannot match', () => {
    let looked = 0;
    const rules = rulesOf(
      Array.from({ length: 10_000 }, (_, index): [Match, RuleEffect] => [
        {
          targets: { names: [`x${String(index % 100)}`], negated: false },
          agents: { names: [`y${String(Math.floor(index / 100))}`], negated: false },
          // Read only where the rule is looked at.
          get roles() {
            looked += 1;
            return { names: ['r0'], negated: true };
          },
        },
        'deny',
      ]),
    );
    const matching = indexedMatching(rules);
    looked = 0;
    assert.deepEqual(
      matching(shopInput({ inventory: INVENTORY, target: 't0', operation: 'o0' })),
      [],
    );
    assert.ok(looked < 10, `looked at ${String(looked)} rules`);
  });
});
