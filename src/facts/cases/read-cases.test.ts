import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DocumentNode } from '../../kernel/document.ts';
import { documentOf } from '../../kernel/document-reader.ts';
import { compilePolicy } from '../../kernel/policy/compile.ts';
import { readYaml } from '../document/yaml.ts';
import { compileInventory } from '../inventory/compile.ts';
import { CASE_LIMITS } from './policy-case.ts';
import { readCases } from './read-cases.ts';
import { CASE_CODES } from './read-circumstances.ts';

const SHOP = fileURLToPath(new URL('../../../examples/shop', import.meta.url));

function documentIn(file: string): DocumentNode {
  const { document } = readYaml(readFileSync(join(SHOP, file), 'utf8'), file);
  assert.ok(document);
  return document;
}

const { inventory } = compileInventory({
  document: documentIn('inventory.yaml'),
  baseDirectory: SHOP,
});
assert.ok(inventory);
const compiled = compilePolicy({ documents: [documentIn('policy.yaml')], inventory });
assert.ok(compiled.policy);
const { policy } = compiled;

const BASE = {
  name: 'case',
  now: '2026-11-24T12:00:00Z',
  action: { agent: 'bot', target: 'shop-web', operation: 'deploy' } as object,
  people: { mei: ['payments-lead'] },
  expect: 'admit' as unknown,
};

function read(cases: readonly unknown[]): ReturnType<typeof readCases> {
  return readCases(documentOf({ version: 1, cases }, 'cases.yaml'), policy);
}

function codesOf(changes: object): readonly string[] {
  return read([{ ...BASE, ...changes }]).problems.map(({ code }) => code);
}

describe('a file of cases', () => {
  const table: readonly (readonly [(typeof CASE_CODES)[number], object])[] = [
    ['bad_instant', { now: '2026-11-24' }],
    ['bad_value', { context: { a: 'x'.concat('\uFFFF') } }],
    ['bad_value', { facts: { incident: { open: 'no', severity: 1 } } }],
    ['bad_amount', { used: { refunds: '-1' } }],
    ['bad_amount', { used: { refunds: 'much' } }],
    ['unknown_person', { action: { ...BASE.action, delegator: 'dana' } }],
    ['unknown_person', { approvals: [{ by: 'dana', from: 'role:payments-lead' }] }],
    ['unknown_role', { people: { mei: ['payment-lead'] } }],
    ['unknown_fact', { facts: { incidents: true } }],
    ['unknown_limit', { used: { refund: '1' } }],
    [
      'unknown_rule',
      { expect: { verdict: 'hold', findings: [{ code: 'over_limit', rule: 'refunds' }] } },
    ],
    ['unknown_requirement', { approvals: [{ by: 'mei', from: 'role:support-bot' }] }],
  ];
  for (const [code, changes] of table) {
    test(`${code}: ${JSON.stringify(changes)}`, () => {
      assert.deepEqual(codesOf(changes), [code]);
    });
  }

  test('duplicate_name: two cases of one name', () => {
    assert.deepEqual(
      read([BASE, BASE]).problems.map(({ code }) => code),
      ['duplicate_name'],
    );
  });

  test('every code is given for something', () => {
    const given = new Set([...table.map(([code]) => code), 'duplicate_name']);
    assert.deepEqual(
      CASE_CODES.filter((code) => !given.has(code)),
      [],
    );
  });

  test('is read whole or not at all', () => {
    const { cases } = read([BASE, { ...BASE, name: 'other', now: 'never' }]);
    assert.deepEqual(cases, []);
  });

  test('has as many cases and members as its limits say, and not one more', () => {
    const many = Array.from({ length: CASE_LIMITS.casesMax + 1 }, (_, index) => ({
      ...BASE,
      name: `case ${String(index)}`,
    }));
    assert.deepEqual(read(many.slice(1)).problems, []);
    assert.deepEqual(
      read(many).problems.map(({ code }) => code),
      ['out_of_range'],
    );
    const answers = Array.from({ length: CASE_LIMITS.membersMax + 1 }, () => ({
      by: 'mei',
      from: 'role:payments-lead',
    }));
    assert.deepEqual(codesOf({ approvals: answers.slice(1) }), []);
    assert.deepEqual(codesOf({ approvals: answers }), ['out_of_range']);
  });

  test('a large integer is refused where it would be another one', () => {
    const { document } = readYaml(
      `version: 1
cases:
  - name: a
    now: 2026-11-24T12:00:00Z
    action: { agent: bot, target: shop-web, operation: deploy, args: { a: 9007199254740993 } }
    expect: deny
`,
      'cases.yaml',
    );
    assert.ok(document);
    assert.deepEqual(
      readCases(document, policy).problems.map(({ code }) => code),
      ['bad_value'],
    );
  });
});
