/** Everybody who could be asked: for pictures and explanations, never for a decision. */
import type { LocalFacts } from '../kernel/decision.ts';
import type { TenantName } from '../kernel/id.ts';
import type { Store } from './ports.ts';

/** All people of a tenant as they are now. */
export async function peopleOf(store: Store, tenant: TenantName): Promise<LocalFacts['people']> {
  const accounts = await store.accounts(tenant);
  return Object.fromEntries(
    accounts
      .filter(({ kind }) => kind === 'person')
      .map(({ name, live, roles, aliases }) => [name, { live, roles, aliases }]),
  );
}
