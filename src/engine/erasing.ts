/** Erasing what one action carried, on an operator's word; what happened stays in the ledger. */
import type { ActionId, PersonName, TenantName } from '../kernel/id.ts';
import { erasedEntry } from './entries.ts';
import type { Life } from './life.ts';
import type { Erased } from './ports.ts';

/** Who erases what, and why. */
export interface Erasure {
  readonly tenant: TenantName;
  readonly action: ActionId;
  readonly by: PersonName | 'operator';
  /** Stays in the ledger for good. */
  readonly reason: string;
}

/** Erases arguments, note, result, approvals and what was decided from, of a final action. */
export async function erase(life: Life, { tenant, action, by, reason }: Erasure): Promise<Erased> {
  const erased = await life.store.erase(tenant, action, (at, record) =>
    erasedEntry({ record, at, by, reason, salt: life.salt }),
  );
  if (erased.kind === 'erased') life.changed(erased.record);
  return erased;
}
