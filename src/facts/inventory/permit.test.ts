import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { readYaml } from '../document/yaml.ts';
import { compileInventory, type InventoryCompiled } from './compile.ts';

function compiled(target: string, operation = 'kind: device.control'): InventoryCompiled {
  const text = `version: 1\ntargets:\n  cell:\n    ${target}\n    operations:\n      move: { ${operation} }\n`;
  const { document } = readYaml(text, 'inventory.yaml');
  assert.ok(document);
  return compileInventory({ document, baseDirectory: '/srv' });
}

function codesOf({ problems }: InventoryCompiled): readonly string[] {
  return problems.map(({ code, position }) => `${String(position.line)} ${code}`);
}

describe('a target whose executor lies elsewhere', () => {
  test('has its times, or those that are usual', () => {
    const usual = compiled('permit: { audience: robot }');
    assert.deepEqual(codesOf(usual), []);
    const target = usual.inventory?.targets.get('cell');
    assert.deepEqual(target?.executor, {
      kind: 'permit',
      audience: 'robot',
      validForMs: 60_000,
      settleWithinMs: 300_000,
    });
    const operation = target.operations.get('move');
    assert.deepEqual(operation?.binding, { kind: 'permit' });
    assert.equal(operation.precondition, 'unconditioned');
    // A window leaves as much time before its end.
    assert.equal(operation.timeoutMs, 300_000);
    const own = compiled('permit: { audience: robot, validFor: 15m, settleWithin: 24h }');
    assert.deepEqual(codesOf(own), []);
  });

  test('has another definition with another audience or time', () => {
    const digests = [
      'permit: { audience: robot }',
      'permit: { audience: press }',
      'permit: { audience: robot, validFor: 61s }',
      'permit: { audience: robot, settleWithin: 6m }',
    ].map(
      (target) => compiled(target).inventory?.targets.get('cell')?.operations.get('move')?.digest,
    );
    assert.equal(new Set(digests).size, digests.length);
  });

  const REFUSED: Readonly<
    Record<string, readonly [target: string, code: string, operation?: string]>
  > = {
    'no audience': ['permit: { validFor: 60s }', 'missing_key'],
    'an audience that is no name': ['permit: { audience: Robot One }', 'bad_name'],
    'a time that is too short': ['permit: { audience: a, validFor: 999ms }', 'out_of_range'],
    'a claim that is good for too long': [
      'permit: { audience: a, validFor: 901s }',
      'out_of_range',
    ],
    'a day and more to settle': ['permit: { audience: a, settleWithin: 86401s }', 'out_of_range'],
    'a credential': [
      'permit: { audience: a }\n    credentials: { act: env:ACT }',
      'bad_credential',
    ],
    'a probe': ['permit: { audience: a }\n    probe: { GET: /me, field: /id }', 'bad_probe'],
    'a way to perform it here': [
      'permit: { audience: a }',
      'unknown_key',
      'kind: device.control, run: [/bin/true]',
    ],
    'a time of its own': [
      'permit: { audience: a }',
      'unknown_key',
      'kind: device.control, timeout: 1s',
    ],
    'a secret': [
      'permit: { audience: a }\n    credentials: { secrets: { pin: env:PIN } }',
      'misplaced_secret',
      'kind: device.control, args: { pin: secret(pin) }',
    ],
  };
  for (const [what, [target, code, operation]] of Object.entries(REFUSED)) {
    test(`is refused with ${what}`, () => {
      const codes = compiled(target, operation).problems.map((problem) => problem.code);
      assert.deepEqual(codes, [code]);
    });
  }
});
