import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { inputOf, SAMPLE_INPUT } from '../../../test/laws/circumstances.ts';
import { policyOf, samplePolicy } from '../../../test/laws/policies.ts';
import { rulesArbitrary } from '../../../test/laws/sample.ts';
import { decide } from '../decide.ts';
import { unreachedRules } from './reach.ts';

function toldOf(problems: ReturnType<typeof unreachedRules>): readonly string[] {
  return problems.map(({ code, message }) => `${code} ${/`([^`]*)`/u.exec(message)?.[1] ?? ''}`);
}

function codesOf(rules: readonly unknown[]): readonly string[] {
  return toldOf(unreachedRules(policyOf(rules).rules));
}

const allow = { allow: true };
const approval = (from: string): unknown => ({ approval: { from } });

describe('rules that never decide', () => {
  const cases: readonly (readonly [string, readonly unknown[], readonly string[]])[] = [
    [
      'an allow under a deny of everything',
      [
        { id: 'a', match: { target: 'pay' }, ...allow },
        { id: 'd', deny: 'no' },
      ],
      ['rule_unreachable a'],
    ],
    [
      'an allow under a deny of one of its names is reached by the others',
      [
        { id: 'a', match: { target: ['pay', 'db'] }, ...allow },
        { id: 'd', match: { target: 'pay' }, deny: 'no' },
      ],
      [],
    ],
    [
      'a deny with a condition covers nothing',
      [
        { id: 'a', ...allow },
        { id: 'd', when: 'target.name == "pay"', deny: 'no' },
      ],
      [],
    ],
    [
      'a deny in shadow covers nothing, and is told',
      [
        { id: 'a', ...allow },
        { id: 'd', deny: 'no', shadow: true },
      ],
      ['rule_in_shadow d'],
    ],
    [
      'everything but a name covers other names',
      [
        { id: 'a', match: { target: 'db' }, ...allow },
        { id: 'd', match: { target: { not: 'pay' } }, deny: 'no' },
      ],
      ['rule_unreachable a'],
    ],
    [
      'a role does not exclude another role',
      [
        { id: 'a', match: { principal: { role: 'release' } }, ...allow },
        { id: 'd', match: { principal: { role: { not: 'support' } } }, deny: 'no' },
      ],
      [],
    ],
    [
      'the later of two that do the same',
      [
        { id: 'b', match: { target: 'pay' }, when: 'target.name == "pay"', ...allow },
        { id: 'c', match: { target: ['pay'] }, when: 'target.name == "pay"', ...allow },
      ],
      ['rule_duplicate c'],
    ],
    [
      'a limit that a wider allow without one makes void',
      [
        {
          id: 'a',
          match: { target: 'pay' },
          allow: [{ limit: { name: 'n', count: 1, per: '1h' } }],
        },
        { id: 'b', ...allow },
      ],
      ['rule_redundant a'],
    ],
    [
      'a requirement that a wider rule asks already, and one that asks more',
      [
        { id: 'a', match: { target: 'pay' }, require: [approval('role:lead')] },
        { id: 'b', require: [approval('role:lead')] },
        { id: 'c', match: { target: 'pay' }, require: [approval('role:finance')] },
      ],
      ['rule_redundant a'],
    ],
  ];
  for (const [title, rules, expected] of cases) {
    test(title, () => {
      assert.deepEqual(codesOf(rules), expected);
    });
  }

  test('an action is admitted with a rule that is told exactly where it is without it', () => {
    let told = 0;
    fc.assert(
      fc.property(rulesArbitrary(6), SAMPLE_INPUT, (rules, sample) => {
        const policy = samplePolicy(rules);
        fc.pre(policy !== undefined);
        const input = inputOf(sample, policy);
        const admits = decide(policy, input).verdict === 'admit';
        for (const line of toldOf(unreachedRules(policy.rules))) {
          const id = line.split(' ')[1];
          const without = samplePolicy(rules.filter((rule) => rule.id !== id));
          if (without === undefined) continue;
          told += 1;
          const { verdict } = decide(without, input);
          assert.equal(verdict === 'admit', admits, line);
        }
      }),
      { numRuns: 1000 },
    );
    assert.ok(told > 100, `only ${String(told)} rules were told`);
  });

  test('ten thousand rules about their own operations are compared in a second', () => {
    const rules = Array.from({ length: 10_000 }, (_, index) => ({
      id: `rule-${String(index)}`,
      match: { principal: { agent: `agent-${String(index)}` } },
      ...allow,
    }));
    const { rules: compiled } = policyOf(rules);
    const started = performance.now();
    assert.deepEqual(unreachedRules(compiled), []);
    assert.ok(performance.now() - started < 1000);
  });
});
