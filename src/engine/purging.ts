/** Retention: the content of final actions is erased once it is old enough, a batch at a time. */
import type { TenantName } from '../kernel/id.ts';
import { addMs } from '../kernel/instant.ts';
import { controlEntry } from './entries.ts';
import type { Life } from './life.ts';
import type { ActionRecord } from './ports.ts';

/** The shortest time that content is kept: a proposal that is repeated within it is answered whole. */
export const KEPT_MS_MIN = 86_400_000;

/** How long one call works at most; what is left is for the next one. */
const PURGE_MS_MAX = 20_000;

/** How long content is kept, in milliseconds after the last change; for ever where it is absent. */
export interface Retention {
  readonly settledMs?: number;
  /** Of actions that never ran: denied, rejected, withdrawn, expired. */
  readonly deniedMs?: number;
}

/** What was erased. */
export interface PurgeDone {
  readonly actions: number;
  readonly payloads: number;
  /** Whether nothing that is old enough is left. */
  readonly complete: boolean;
}

/** Erases what is older than that. Times below {@link KEPT_MS_MIN} count as that. */
export async function purge(
  life: Life,
  tenant: TenantName,
  retention: Retention,
  dryRun: boolean,
): Promise<PurgeDone> {
  const startedMs = life.clock.monotonicMs();
  const now = life.clock.now();
  const before = (ms: number | undefined): ReturnType<typeof addMs> | undefined =>
    ms === undefined ? undefined : addMs(now, -Math.max(ms, KEPT_MS_MIN));
  const [settledBefore, deniedBefore] = [before(retention.settledMs), before(retention.deniedMs)];
  let [actions, payloads] = [0, 0];
  let after: number | undefined = 0;
  while (after !== undefined) {
    if (life.clock.monotonicMs() - startedMs > PURGE_MS_MAX || life.stopping.aborted) {
      return { actions, payloads, complete: false };
    }
    const purged: Awaited<ReturnType<typeof life.store.purge>> = await life.store.purge(
      { tenant, settledBefore, deniedBefore, after, dryRun },
      (at, count) =>
        controlEntry('purged', {
          tenant,
          at,
          by: 'operator',
          body: {
            actions: count,
            deniedBefore: deniedBefore ?? null,
            settledBefore: settledBefore ?? null,
          },
          salt: life.salt,
        }),
    );
    actions += purged.actions;
    payloads += purged.payloads;
    after = purged.next;
  }
  return { actions, payloads, complete: true };
}

/** Whether the content of an action was erased. */
export function isErased(record: Pick<ActionRecord, 'bytes'>): boolean {
  return record.bytes.length === 0;
}
