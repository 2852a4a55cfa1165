import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { admittingDecision } from '../../../test/fixtures/admit.ts';
import { systemClock } from '../../../test/fixtures/clock.ts';
import { mintExecution, type Execution } from '../../engine/execution.ts';
import type { EffectRequest, Prepared } from '../../engine/ports.ts';
import { digestOf, type Digest } from '../../kernel/digest.ts';
import { parseActionId, parseExecutionId, parseTenantName } from '../../kernel/id.ts';
import type { Operation, Target } from '../../kernel/inventory.ts';
import { createPermitExecutor } from './executor.ts';

const OPERATION: Operation = {
  name: 'move',
  target: 'cell-7',
  kind: 'device.control',
  arguments: {},
  measures: {},
  conflictKey: 'cell-7',
  precondition: 'unconditioned',
  safing: false,
  timeoutMs: 1000,
  visibleToAgents: [],
  binding: { kind: 'permit' },
  digest: digestOf('exequatur/operation/v1', 'move'),
};
const TARGET: Target = {
  name: 'cell-7',
  environment: 'staging',
  labels: {},
  executor: { kind: 'permit', audience: 'cell', validForMs: 60_000, settleWithinMs: 60_000 },
  credentials: {},
  operations: new Map([[OPERATION.name, OPERATION]]),
};
const SIGNAL = new AbortController().signal;
const executor = createPermitExecutor({ clock: systemClock });

function request(changes: Partial<EffectRequest> = {}): EffectRequest {
  const [tenant, action] = [
    parseTenantName('test'),
    parseActionId('0193b2a0-0000-7000-8000-000000000001'),
  ];
  assert.ok(tenant && action);
  return { tenant, action, target: TARGET, operation: OPERATION, args: { to: 'a' }, ...changes };
}

async function effectOf(changes: Partial<EffectRequest> = {}): Promise<Digest> {
  const resolved = await executor.resolve(request(changes), SIGNAL);
  assert.ok(resolved.ok, JSON.stringify(resolved));
  return resolved.value.effect;
}

async function prepared(): Promise<Prepared> {
  const resolved = await executor.resolve(request(), SIGNAL);
  assert.ok(resolved.ok);
  const ready = await executor.prepare(request(), resolved.value, 'none', SIGNAL);
  assert.ok(ready.ok);
  return ready.value;
}

function execution(effect: Digest): Execution {
  const id = parseExecutionId('0193b2a0-0000-7000-8000-000000000002');
  const { tenant, action } = request();
  assert.ok(id);
  return mintExecution(admittingDecision(), {
    tenant,
    action,
    id,
    crossedAt: systemClock.now(),
    effect,
  });
}

describe('the executor of permits', () => {
  test('law 2: names by the effect who does what, where, by which definition', async () => {
    const action = parseActionId('0193b2a0-0000-7000-8000-000000000003');
    assert.ok(action && TARGET.executor.kind === 'permit');
    const others = [
      await effectOf(),
      await effectOf({ args: { to: 'b' } }),
      await effectOf({ action }),
      await effectOf({ target: { ...TARGET, name: 'cell-8' } }),
      await effectOf({
        operation: { ...OPERATION, digest: digestOf('exequatur/operation/v1', 'other') },
      }),
      await effectOf({
        target: { ...TARGET, executor: { ...TARGET.executor, audience: 'press' } },
      }),
    ];
    assert.equal(new Set(others).size, others.length);
    assert.equal(await effectOf(), others[0]);
  });

  test('hands over what crossed, and nothing else', async () => {
    const ready = await prepared();
    const outcome = await ready.send(execution(await effectOf()), {
      signal: SIGNAL,
      sending: () => true,
    });
    assert.deepEqual([outcome.state, outcome.sent, outcome.code], ['unknown', true, 'handed_over']);
    const other = await (
      await prepared()
    ).send(execution(digestOf('exequatur/effect/v1', 'other')), {
      signal: SIGNAL,
      sending: () => true,
    });
    assert.deepEqual([other.state, other.code], ['not_executed', 'effect_mismatch']);
  });

  test('law 7: hands nothing over once the last question is answered no', async () => {
    const ready = await prepared();
    const outcome = await ready.send(execution(await effectOf()), {
      signal: SIGNAL,
      sending: () => false,
    });
    assert.deepEqual(
      [outcome.state, outcome.sent, outcome.code],
      ['not_executed', false, 'not_handed_over'],
    );
  });

  test('refuses a resolution of another effect, and a target that has no executor elsewhere', async () => {
    const resolved = await executor.resolve(request({ args: { to: 'b' } }), SIGNAL);
    assert.ok(resolved.ok);
    const moved = await executor.prepare(request(), resolved.value, 'none', SIGNAL);
    assert.equal(!moved.ok && moved.code, 'effect_changed');
    const target: Target = { ...TARGET, executor: { kind: 'file', roots: ['/srv'] } };
    const wrong = await executor.resolve(request({ target }), SIGNAL);
    assert.equal(!wrong.ok && wrong.code, 'binding_unsupported');
  });

  test('law 5: knows nothing of an outcome by itself', async () => {
    const { id } = execution(await effectOf());
    assert.deepEqual(await executor.reconcile(request(), id, SIGNAL), {
      ok: true,
      value: undefined,
    });
  });
});
