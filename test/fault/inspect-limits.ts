/** Law 11 after a fault: what a limit says is used is exactly what crossed and may have happened. */
import type { ActionRecord } from '../../src/engine/ports.ts';
import { liveCrossing } from './inspect-actions.ts';
import type { Evidence } from './inspect.ts';
import { argumentsOf, listOf, objectOf, textOf } from './stored-json.ts';

/** States that use up a limit. */
const USING: ReadonlySet<ActionRecord['state']> = new Set([
  'executing',
  'succeeded',
  'failed',
  'unknown',
]);

/** Says what does not add up. */
export async function inspectLimits(evidence: Evidence): Promise<readonly string[]> {
  const { shop, records, histories, arrivals, limitMax } = evidence;
  const demand = demandOf(evidence);
  if (demand === undefined || limitMax === undefined) return [];
  let usedByActions = 0n;
  for (const record of records.values()) {
    const crossing = liveCrossing(histories.get(record.id) ?? []);
    if (crossing === undefined || !USING.has(record.state)) continue;
    usedByActions += cents(argumentsOf(record.bytes).amount);
  }
  const first = records.values().next().value;
  if (first === undefined) return [];
  const { local } = await shop.store.look({
    tenant: shop.caller.tenant,
    action: first.id,
    agent: shop.caller.agent,
    delegator: undefined,
    effectKey: undefined,
    stored: true,
    once: false,
    conflictKey: '',
    serialised: false,
    limits: [demand],
    after: [],
  });
  const used = cents(local.limits[demand.key]?.used ?? '0');
  const arrived = arrivals.reduce((sum, { amount }) => sum + cents(amount), 0n);
  const found: string[] = [];
  if (used !== usedByActions) {
    found.push(`the limit says ${euros(used)} used, and its actions used ${euros(usedByActions)}`);
  }
  if (arrived > used) found.push(`${euros(arrived)} arrived, and ${euros(used)} counts as used`);
  if (used > cents(limitMax)) found.push(`${euros(used)} is used of ${limitMax}`);
  return found;
}

/** The one counter of the shop, as a crossing named it. */
function demandOf({
  entries,
}: Evidence): { readonly key: string; readonly perMs: number } | undefined {
  for (const { kind, body } of entries) {
    if (kind !== 'crossed') continue;
    const [first] = listOf(body['reserves']);
    if (first === undefined) continue;
    const { key, perMs } = objectOf(first);
    return { key: textOf(key), perMs: Number(perMs) };
  }
  return undefined;
}

/** Euros with up to two decimals, as cents. */
function cents(amount: string): bigint {
  const [whole = '0', part = ''] = amount.split('.');
  return BigInt(whole) * 100n + BigInt(part.padEnd(2, '0').slice(0, 2));
}

function euros(amount: bigint): string {
  return `${String(amount / 100n)}.${String(amount % 100n).padStart(2, '0')}`;
}
