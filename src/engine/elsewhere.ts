/**
 * Crossings of other engines over the same store, which this one cannot bar: a halt waits here until
 * each is settled, or too late to begin. With one engine there are none.
 */
import type { HaltScope } from '../kernel/decision.ts';
import type { ActionId, TenantName } from '../kernel/id.ts';
import type { Configuration, Life } from './life.ts';
import { isHandedOverBy } from './handed-over.ts';
import { halts } from './live.ts';
import type { ActionRecord } from './ports.ts';

/** How often it is looked whether they are settled. */
const LOOKS = 10;

/**
 * Waits until nothing in scope that another engine crossed before now can begin any more, and answers
 * what may be on its way. Called after the halt is committed: whatever crosses later sees it. INVARIANT:
 * all engines over one store have the same `sendDelayMsMax`.
 */
export async function sentElsewhere(
  life: Life,
  { tenant, policy }: Configuration,
  scope: HaltScope,
): Promise<readonly ActionId[]> {
  const { clock, limits, stopping } = life;
  const untilMs = clock.monotonicMs() + limits.sendDelayMsMax;
  let executing = await crossedElsewhere(life, tenant, policy, scope);
  const before = new Set(executing.map(executionOf));
  for (;;) {
    const open = executing.filter((record) => before.has(executionOf(record)));
    const leftMs = untilMs - clock.monotonicMs();
    // What this engine handed over was asked here, and said to go, before.
    const isDecided = open.every(({ execution }) => isHandedOverBy(life.engine, execution));
    if (isDecided || leftMs < 0 || stopping.aborted) return open.map(({ id }) => id);
    await clock.sleep(Math.min(leftMs + 1, Math.ceil(limits.sendDelayMsMax / LOOKS)), stopping);
    executing = await crossedElsewhere(life, tenant, policy, scope);
  }
}

async function crossedElsewhere(
  life: Life,
  tenant: TenantName,
  policy: Configuration['policy'],
  scope: HaltScope,
): Promise<readonly ActionRecord[]> {
  const executing = await life.store.executing(tenant);
  return executing.filter((record) => {
    if (record.execution?.engine === life.engine) return false;
    const target = policy.inventory.targets.get(record.target);
    const operation = target?.operations.get(record.operation);
    // What the inventory no longer knows is in every scope: nobody can say that it is not.
    if (target === undefined || operation === undefined) return true;
    const environment = record.subject?.resolution.environment ?? target.environment;
    const { agent } = record;
    const environments = [target.environment, environment];
    const scoped = { target: target.name, operation: operation.name, kind: operation.kind };
    return !operation.safing && halts(scope, { ...scoped, agent, environments });
  });
}

function executionOf(record: ActionRecord): string {
  return record.execution?.id ?? '';
}
