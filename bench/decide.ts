/** How long one decision takes, with a hundred rules and with ten thousand. */
import { actionDigest, type Action } from '../src/kernel/action.ts';
import { decide, demandOf } from '../src/kernel/decide.ts';
import type { DecisionInput } from '../src/kernel/decision.ts';
import { digestOf } from '../src/kernel/digest.ts';
import { parseActionId, parseAgentName, parseTenantName } from '../src/kernel/id.ts';
import { addMs, instantOf } from '../src/kernel/instant.ts';
import type { CompiledPolicy } from '../src/kernel/policy/compiled.ts';
import { microseconds } from './measure.ts';

const DECISIONS = 20_000;

/** Microseconds a decision, the median of several rounds after warming up. */
export function decideMicroseconds(policy: CompiledPolicy): number {
  const input = inputOf(policy);
  const { verdict } = decide(policy, input);
  if (verdict !== 'admit') throw new Error(`the benchmark's action is not admitted: ${verdict}`);
  return microseconds(DECISIONS, () => void decide(policy, { ...input }));
}

/** The action of the benchmarks, gathered for and ready to be decided. */
export function inputOf(policy: CompiledPolicy): DecisionInput {
  const now = instantOf(1_800_000_000_000);
  const tenant = parseTenantName('default');
  const agent = parseAgentName('bench-agent');
  const id = parseActionId('01a0f3a0-0000-7000-8000-000000000001');
  const target = policy.inventory.targets.get('shop-0');
  const operation = target?.operations.get('refund');
  if (!tenant || !agent || !id || !target || !operation) throw new Error('the inventory has it');
  const action: Action = {
    tenant,
    principal: { agent },
    target: 'shop-0',
    operation: 'refund',
    args: { charge: 'ch_3P', amount: '49.90', reason: 'x'.repeat(300) },
    deadline: addMs(now, 3_600_000),
  };
  const input: DecisionInput = {
    now,
    id,
    action,
    actionDigest: actionDigest(action),
    proposedAt: now,
    askedSince: now,
    target,
    operation,
    resolution: {
      kind: 'known',
      value: {
        identity: null,
        environment: 'staging',
        operation: operation.digest,
        effect: digestOf('exequatur/effect/v1', 'any'),
        credential: null,
        executor: 'http/1',
        files: {},
        recorded: {},
        observedAt: now,
      },
    },
    preview: { kind: 'known', value: 'none' },
    consent: undefined,
    facts: {},
    windows: {},
    local: {
      epoch: 1,
      halts: [],
      agent: { name: agent, live: true, roles: [], owners: [], delegationLive: true },
      people: {},
      approvals: [],
      effect: undefined,
      conflict: {},
      limits: {},
      after: {},
    },
  };
  const limits = Object.fromEntries(
    demandOf(policy, input).limits.map(({ key }) => [key, { used: '0', frees: [] }]),
  );
  return { ...input, local: { ...input.local, limits } };
}
