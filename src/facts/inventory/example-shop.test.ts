import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compilePolicy } from '../../kernel/policy/compile.ts';
import { checkCalendar } from '../calendar/calendars.ts';
import { readDocument } from '../document/read-document.ts';
import { compileInventory } from './compile.ts';

test('the shop of the examples compiles without a problem, inventory, policy and calendars', async () => {
  const folder = fileURLToPath(new URL('../../../examples/shop', import.meta.url));
  const inventoryRead = await readDocument(path.join(folder, 'inventory.yaml'));
  const policyRead = await readDocument(path.join(folder, 'policy.yaml'));
  assert.deepEqual([...inventoryRead.problems, ...policyRead.problems], []);
  assert.ok(inventoryRead.document !== undefined && policyRead.document !== undefined);
  const { inventory, problems } = compileInventory({
    document: inventoryRead.document,
    baseDirectory: folder,
  });
  assert.deepEqual(problems, []);
  assert.ok(inventory !== undefined);
  const compiled = compilePolicy({ documents: [policyRead.document], inventory });
  assert.deepEqual(compiled.problems, []);
  assert.ok(compiled.policy !== undefined);
  assert.equal(compiled.policy.rules.length, 7);
  const calendars = [...compiled.policy.calendars.values()];
  assert.equal(calendars.length, 1);
  assert.deepEqual(calendars.flatMap(checkCalendar), []);
});
