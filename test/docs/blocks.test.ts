/** Every YAML block of the documents is what the layer takes: inventories compile, and policies with them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readCases } from '../../src/facts/cases/read-cases.ts';
import { runCase } from '../../src/facts/cases/run-case.ts';
import { readYaml } from '../../src/facts/document/yaml.ts';
import { compileInventory } from '../../src/facts/inventory/compile.ts';
import type { Problem } from '../../src/kernel/document.ts';
import type { Inventory } from '../../src/kernel/inventory.ts';
import { compilePolicy } from '../../src/kernel/policy/compile.ts';
import { ROOT } from '../architecture/source.ts';

const PAGES = ['README.md', 'docs/inventory.md', 'docs/permits.md', 'docs/policy.md'];

function blocksOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gmu)].map((match) => match[1] ?? '');
}

function errors(problems: readonly Problem[]): string[] {
  return problems
    .filter(({ severity }) => severity === 'error')
    .map(({ position, message }) => `${String(position.line)}: ${message}`);
}

function inventoryOf(text: string): Inventory {
  const { document, problems } = readYaml(text, 'inventory.yaml');
  assert.ok(document, errors(problems).join('\n'));
  const compiled = compileInventory({ document, baseDirectory: ROOT });
  assert.ok(compiled.inventory, errors(compiled.problems).join('\n'));
  return compiled.inventory;
}

describe('YAML in the documents', () => {
  const blocks = PAGES.flatMap((page) => blocksOf(page).map((text) => ({ page, text })));
  const inventories = blocks.filter(({ text }) => text.includes('targets:'));
  const policies = blocks.filter(({ text }) => text.includes('rules:'));
  const cases = blocks.filter(({ text }) => /^cases:/mu.test(text));

  test('there is some on each page', () => {
    assert.deepEqual([...new Set(blocks.map(({ page }) => page))], PAGES);
    assert.equal(inventories.length + policies.length + cases.length, blocks.length);
  });

  for (const { page, text } of inventories) {
    test(`the inventory of ${page} compiles`, () => {
      assert.ok(inventoryOf(text).targets.size > 0);
    });
  }

  for (const { page, text } of cases) {
    test(`the cases of ${page} are as the policy of the shop says`, () => {
      const [inventory, rules] = ['inventory.yaml', 'policy.yaml'].map((name) =>
        readFileSync(join(ROOT, 'examples/shop', name), 'utf8'),
      );
      const policyRead = readYaml(rules ?? '', 'policy.yaml');
      const casesRead = readYaml(text, 'policy.test.yaml');
      assert.ok(policyRead.document && casesRead.document);
      const { policy } = compilePolicy({
        documents: [policyRead.document],
        inventory: inventoryOf(inventory ?? ''),
      });
      assert.ok(policy);
      const read = readCases(casesRead.document, policy);
      assert.deepEqual(errors(read.problems), []);
      const results = read.cases.map((each) => runCase(policy, each));
      assert.ok(results.length > 0 && results.every(({ ok }) => ok));
    });
  }

  for (const { page, text } of policies) {
    test(`the policy of ${page} compiles`, () => {
      const inventory = inventoryOf(
        readFileSync(join(ROOT, 'examples/shop/inventory.yaml'), 'utf8'),
      );
      const { document } = readYaml(text, 'policy.yaml');
      assert.ok(document);
      const { policy, problems } = compilePolicy({ documents: [document], inventory });
      assert.ok(policy, errors(problems).join('\n'));
    });
  }
});
