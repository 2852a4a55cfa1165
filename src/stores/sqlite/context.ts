/** What every command of the store works with. */
import type { ActionId, TenantName } from '../../kernel/id.ts';
import type { Instant } from '../../kernel/instant.ts';
import { findAction, type StoredAction } from './actions.ts';
import type { Connection } from './connection.ts';
import type { RecentActions } from './recent-actions.ts';
import type { LedgerRows } from './ledger-rows.ts';
import type { Latest } from './latest.ts';
import type { LimitCounters } from './limits.ts';
import type { StandingState } from './standing.ts';
import type { Waits } from './waits.ts';

/** Bounds that an operator may set. */
export interface SqliteLimits {
  /** Actions of one agent that may be held or unknown at once. */
  readonly openPerAgentMax: number;
}

/** The bounds unless set otherwise. */
export const SQLITE_LIMITS: SqliteLimits = { openPerAgentMax: 1000 };

/** The connection with what is kept in memory beside it. */
export interface Context {
  readonly db: Connection;
  readonly standing: StandingState;
  readonly ledger: LedgerRows;
  readonly recent: RecentActions;
  readonly counters: LimitCounters;
  readonly latest: Latest;
  readonly waits: Waits;
  readonly limits: SqliteLimits;
}

/** An action of this tenant; another tenant's is not there. */
export function find(
  { db, standing, recent }: Context,
  tenant: TenantName,
  action: ActionId,
): StoredAction | undefined {
  const id = standing.find(tenant);
  if (id === undefined) return undefined;
  return recent.get(id, action) ?? findAction(db, { id, name: tenant }, action);
}

/** Marks as due now the holds that wait for one of these keys; answers how many. */
export function wakeWaiting(
  { db, waits }: Context,
  tenant: number,
  keys: Iterable<string>,
  now: Instant,
): number {
  let woken = 0;
  for (const key of keys) {
    for (const action of waits.of(tenant, key)) {
      woken += db.run(
        "UPDATE action SET due_at = ?1 WHERE state = 'held' AND due_at > ?1 AND id = ?2",
        now,
        action,
      );
    }
  }
  return woken;
}

/** Marks all holds of a tenant as due now; answers how many. */
export function wakeAll(db: Connection, tenant: number, now: Instant): number {
  return db.run(
    "UPDATE action SET due_at = ?1 WHERE state = 'held' AND due_at > ?1 AND tenant = ?2",
    now,
    tenant,
  );
}

/** What a hold may wait for that is free once this action is out of the way. */
export function occupiedKeys(stored: StoredAction): readonly string[] {
  const { effectKey, conflictKey } = stored.record;
  const keys = [`conflict:${conflictKey}`];
  if (effectKey !== undefined) keys.push(`effect:${effectKey}`);
  return keys;
}
