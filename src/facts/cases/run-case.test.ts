import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CompiledPolicy } from '../../kernel/policy/compiled.ts';
import { compilePolicy } from '../../kernel/policy/compile.ts';
import { readYaml } from '../document/yaml.ts';
import { compileInventory } from '../inventory/compile.ts';
import { readCases } from './read-cases.ts';
import { runCase, type CaseResult } from './run-case.ts';

const SHOP = fileURLToPath(new URL('../../../examples/shop', import.meta.url));

function shopFile(name: string): string {
  return readFileSync(join(SHOP, name), 'utf8');
}

function policyOf(text: string): CompiledPolicy {
  const inventoryRead = readYaml(shopFile('inventory.yaml'), 'inventory.yaml');
  const policyRead = readYaml(text, 'policy.yaml');
  assert.ok(inventoryRead.document && policyRead.document, JSON.stringify(policyRead.problems));
  const { inventory } = compileInventory({ document: inventoryRead.document, baseDirectory: SHOP });
  assert.ok(inventory);
  const { policy, problems } = compilePolicy({ documents: [policyRead.document], inventory });
  assert.ok(policy, JSON.stringify(problems));
  return policy;
}

function resultsOf(policy: CompiledPolicy, text: string): readonly CaseResult[] {
  const { document, problems } = readYaml(text, 'cases.yaml');
  assert.ok(document, JSON.stringify(problems));
  const read = readCases(document, policy);
  assert.deepEqual(read.problems, []);
  return read.cases.map((each) => runCase(policy, each));
}

describe('the cases of the shop', () => {
  const policy = policyOf(shopFile('policy.yaml'));
  const text = shopFile('policy.test.yaml');

  test('are all as expected, and reach every rule', () => {
    const results = resultsOf(policy, text);
    assert.ok(results.length >= 16);
    assert.deepEqual(
      results.filter(({ ok }) => !ok).map((result) => result.case.name),
      [],
    );
    const matched = new Set(results.flatMap((result) => result.matched));
    assert.deepEqual([...matched].toSorted(), policy.rules.map(({ id }) => id).toSorted());
  });

  test('fail where any of its rules is in shadow', () => {
    const [head, ...rules] = shopFile('policy.yaml').split(/\n(?= {2}- id: )/u);
    assert.equal(rules.length, 7);
    for (const [place, rule] of rules.entries()) {
      const shadowed = rules.toSpliced(place, 1, `${rule.trimEnd()}\n    shadow: true\n`);
      const results = resultsOf(policyOf([head, ...shadowed].join('\n')), text);
      assert.ok(
        results.some(({ ok }) => !ok),
        rule,
      );
    }
  });
});

describe('a case', () => {
  const policy = policyOf(`version: 1
roles: [release]
facts:
  incident: { type: { object: { open: boolean } }, source: { file: ./status.json } }
rules:
  - id: release
    match: { operation: deploy }
    allow:
      - confirmation: { validFor: 1h }
      - after: { operation: deploy, atLeast: 10m, within: 1h }
      - fact: { name: incident, is: '!fact.open', maxAge: 1m }
  - id: watch
    match: { operation: deploy }
    deny: Not yet.
    shadow: true
`);
  const head = `version: 1
now: 2026-11-24T12:00:00Z
people: { dana: [], kai: { roles: [], aliases: dana } }
cases:
`;
  const base = {
    name: 'case',
    action: {
      agent: 'bot',
      owners: ['dana'],
      target: 'shop-web',
      operation: 'deploy',
      args: { artifact: './v2' },
    },
    preview: { digest: 'd' },
    approvals: [{ by: 'dana', from: 'delegator', ago: '1m' }],
    succeeded: [{ operation: 'deploy', ago: '30m' }],
    facts: { incident: { open: false } } as unknown,
    expect: 'admit' as unknown,
  };

  function verdictOf(changes: Partial<Record<keyof typeof base | 'held', unknown>>): string {
    // JSON is YAML, except that it must not be indented by tabs.
    const [result] = resultsOf(policy, `${head}  - ${JSON.stringify({ ...base, ...changes })}\n`);
    assert.ok(result);
    const { verdict, findings } = result.decision;
    return verdict === 'admit' ? verdict : [verdict, ...findings.map(({ code }) => code)].join(' ');
  }

  const cases: readonly (readonly [string, Parameters<typeof verdictOf>[0], string])[] = [
    ['with everything met admits', {}, 'admit'],
    ['without a yes holds', { approvals: [] }, 'hold confirmation_missing'],
    [
      'with an old yes holds',
      { approvals: [{ by: 'dana', from: 'delegator', ago: '1h' }] },
      'hold approval_expired confirmation_missing',
    ],
    ['without what must come before holds', { succeeded: [] }, 'hold after_missing'],
    [
      'with what must come before elsewhere holds',
      { succeeded: [{ operation: 'deploy', target: 'shop-payments', ago: '30m' }] },
      'hold after_missing',
    ],
    [
      'too soon after it holds',
      { succeeded: [{ operation: 'deploy', ago: '9m' }] },
      'hold after_too_soon',
    ],
    [
      'too late after it holds',
      { succeeded: [{ operation: 'deploy', ago: '2h' }] },
      'hold after_too_late',
    ],
    ['without a fact holds', { facts: {} }, 'hold fact_unavailable'],
    [
      'with an old fact holds',
      { facts: { incident: { value: { open: false }, ago: '61s' } } },
      'hold fact_stale',
    ],
    [
      'with a fact that is as old as it may be admits',
      { facts: { incident: { value: { open: false }, ago: '60s' } } },
      'admit',
    ],
    [
      'without a preview holds',
      { preview: undefined, approvals: [] },
      'hold preview_failed confirmation_missing',
    ],
    ['past its deadline is denied', { held: '1h' }, 'deny deadline_passed'],
  ];
  for (const [title, changes, expected] of cases) {
    test(title, () => {
      assert.equal(verdictOf(changes), expected);
    });
  }

  test('tells what rules in shadow would have done, and counts them as reached', () => {
    const [result] = resultsOf(policy, `${head}  - ${JSON.stringify(base)}\n`);
    assert.deepEqual(result?.decision.shadow, [{ rule: 'watch', would: 'deny' }]);
    assert.deepEqual(result.matched, ['release', 'watch']);
    assert.equal(result.decision.verdict, 'admit');
  });

  const expectations: readonly (readonly [unknown, boolean])[] = [
    ['hold', true],
    ['deny', false],
    [{ verdict: 'hold' }, true],
    [{ verdict: 'hold', findings: ['fact_unavailable', 'after_missing'] }, true],
    [{ verdict: 'hold', findings: ['after_missing', 'fact_unavailable'] }, true],
    [{ verdict: 'hold', findings: ['after_missing'] }, false],
    [{ verdict: 'hold', findings: [] }, false],
    [{ verdict: 'hold', findings: ['after_missing', 'fact_unavailable', 'halted'] }, false],
    [
      {
        verdict: 'hold',
        findings: ['after_missing', { code: 'fact_unavailable', rule: 'release' }],
      },
      true,
    ],
    [
      { verdict: 'hold', findings: ['after_missing', { code: 'fact_unavailable', rule: 'watch' }] },
      false,
    ],
  ];
  for (const [expect, ok] of expectations) {
    test(`${ok ? 'is' : 'is not'} as expected by ${JSON.stringify(expect)}`, () => {
      const changed = { ...base, succeeded: [], facts: {}, expect };
      const [result] = resultsOf(policy, `${head}  - ${JSON.stringify(changed)}\n`);
      assert.equal(result?.ok, ok);
    });
  }
});
