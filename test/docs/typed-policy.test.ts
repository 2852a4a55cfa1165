/** A policy in TypeScript is the same policy as in YAML, and its types are those of the inventory. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Inventory as ShopInventory } from '../../examples/shop/inventory.types.ts';
import { policy as typed } from '../../examples/shop/policy.ts';
import { readYaml } from '../../src/facts/document/yaml.ts';
import { compileInventory } from '../../src/facts/inventory/compile.ts';
import { inventoryTypes } from '../../src/facts/inventory/types-text.ts';
import type { DocumentNode } from '../../src/kernel/document.ts';
import { documentOf } from '../../src/kernel/document-reader.ts';
import type { Digest } from '../../src/kernel/digest.ts';
import type { Inventory } from '../../src/kernel/inventory.ts';
import { KINDS } from '../../src/kernel/kind.ts';
import { compilePolicy } from '../../src/kernel/policy/compile.ts';
import {
  definePolicy,
  toYaml,
  type ArgumentsOf,
  type OperationName,
  type PolicyKind,
} from '../../src/sdk/policy.ts';
import { ROOT } from '../architecture/source.ts';

const SHOP = join(ROOT, 'examples/shop');

function documentIn(text: string): DocumentNode {
  const { document, problems } = readYaml(text, 'file.yaml');
  assert.ok(document, JSON.stringify(problems));
  return document;
}

function inventoryOf(text: string): Inventory {
  const { inventory, problems } = compileInventory({
    document: documentIn(text),
    baseDirectory: SHOP,
  });
  assert.ok(inventory, JSON.stringify(problems));
  return inventory;
}

const inventory = inventoryOf(readFileSync(join(SHOP, 'inventory.yaml'), 'utf8'));

function digestOf(document: DocumentNode): Digest {
  const { policy, problems } = compilePolicy({ documents: [document], inventory });
  assert.ok(policy, JSON.stringify(problems));
  return policy.digest;
}

describe('a policy in TypeScript', () => {
  const written = digestOf(documentIn(readFileSync(join(SHOP, 'policy.yaml'), 'utf8')));

  test('has the digest of the same policy in YAML, as a value and printed', () => {
    assert.equal(digestOf(documentOf(typed, 'policy.ts')), written);
    assert.equal(digestOf(documentIn(toYaml(typed))), written);
  });

  test('has another digest where it says something else', () => {
    const other = { ...typed, rules: typed.rules.slice(1) };
    assert.notEqual(digestOf(documentIn(toYaml(other))), written);
  });
});

describe('types from the inventory', () => {
  test('are those that the example holds', () => {
    const text = readFileSync(join(SHOP, 'inventory.types.ts'), 'utf8');
    assert.equal(text, inventoryTypes(inventory), 'run `exequatur inventory types` again');
  });

  test('name every kind of consequence', () => {
    const kinds: Readonly<Record<PolicyKind, true>> = {
      'code.execute': true,
      'api.call': true,
      'infra.create': true,
      'infra.change': true,
      'data.delete': true,
      'data.write': true,
      'data.read': true,
      'money.transfer': true,
      'access.grant': true,
      'device.control': true,
      'contract.commit': true,
      'message.send': true,
      'control.change': true,
    };
    assert.deepEqual(Object.keys(kinds).toSorted(), Object.keys(KINDS).toSorted());
  });

  test('refuse what the inventory does not have', () => {
    const operation: OperationName<ShopInventory, 'shop-payments'> = 'refund';
    const args: ArgumentsOf<ShopInventory, 'shop-payments', 'refund'> = {
      charge: 'ch_1',
      amount: '1.00',
    };
    // @ts-expect-error an argument is missing
    const missing: ArgumentsOf<ShopInventory, 'shop-payments', 'refund'> = { charge: 'ch_1' };
    const { rules } = definePolicy<ShopInventory>({
      version: 1,
      rules: [
        // @ts-expect-error there is no such target
        { id: 'a', match: { target: 'shop-payment' }, allow: true },
        // @ts-expect-error there is no such operation
        { id: 'b', match: { operation: 'refunds' }, allow: true },
        // @ts-expect-error there is no such environment
        { id: 'c', match: { target: { environment: 'prod' } }, allow: true },
        // @ts-expect-error there is no such kind
        { id: 'd', match: { kind: { not: ['data.red'] } }, allow: true },
        // @ts-expect-error a rule does something
        { id: 'e' },
        // @ts-expect-error a duration has a unit
        { id: 'f', require: [{ approval: { from: 'role:lead', askFor: '8' } }] },
      ],
    });
    assert.deepEqual(
      [operation, args.amount, missing.charge, rules.length],
      ['refund', '1.00', 'ch_1', 6],
    );
  });

  test('hold names that are no identifiers, and texts that could end a line', () => {
    const text = inventoryTypes(
      inventoryOf(`version: 1
targets:
  a.b:
    labels: { team: "it's \\u2028 \\"here\\" \\\\" }
    process: /srv
    operations:
      run-it:
        kind: code.execute
        args:
          many: list(integer)
          one: enum(a'b,c)?
          deep: { object: { at: instant } }
        run: [/bin/true]
`),
    );
    assert.match(text, /readonly 'a\.b': \{/u);
    assert.match(text, /readonly owner: never;/u);
    assert.ok(text.includes(`readonly team: 'it\\'s \\u2028 "here" \\\\';`), text);
    assert.ok(text.includes('readonly many: readonly (number | string)[];'), text);
    assert.ok(text.includes(`readonly one?: 'a\\'b' | 'c';`), text);
    assert.ok(text.includes('readonly measures: never;'), text);
    assert.doesNotMatch(text, /[\u2028\u2029]/u);
  });
});
