/** Reading the ledger for people and agents: where it ends, and what an entry says. */
import type { LedgerRow, Store } from '../../engine/ports.ts';
import type { TenantName } from '../../kernel/id.ts';
import { formatInstant, instantOf } from '../../kernel/instant.ts';
import { parseJson } from '../../kernel/json/parse.ts';
import type { JsonObject, JsonValue } from '../../kernel/json/value.ts';
import type { EventView } from '../../protocol/events.ts';

/** An entry as read; bounded like a request, since an entry is made of bounded things. */
export interface ReadEntry {
  readonly sequence: number;
  readonly kind: string;
  readonly at: number;
  readonly action: string | undefined;
  readonly body: JsonObject;
}

/** The entry that a row holds, or `undefined` where its bytes are none: somebody changed them. */
export function readEntry({ sequence, bytes }: LedgerRow): ReadEntry | undefined {
  const parsed = parseJson(bytes, ENTRY_LIMITS);
  if (!parsed.ok || !isObject(parsed.value)) return undefined;
  const { kind, at, action, body } = parsed.value;
  if (typeof kind !== 'string' || typeof at !== 'number' || !isObject(body ?? null))
    return undefined;
  return {
    sequence,
    kind,
    at,
    action: typeof action === 'string' ? action : undefined,
    body: body !== undefined && isObject(body) ? body : {},
  };
}

const ENTRY_LIMITS = { bytesMax: 16_777_216 };

/** An entry as an event: whole, or only that it happened. */
export function viewEntry(entry: ReadEntry, whole: boolean): EventView {
  const { sequence, kind, at, action, body } = entry;
  return {
    sequence,
    kind,
    at: formatInstant(instantOf(at)),
    ...(action === undefined ? {} : { action }),
    ...(whole ? { body } : {}),
  };
}

/** The last sequence of a tenant's ledger, 0 where it is empty. Sequences have no gaps, so it is found by halving. */
export async function ledgerEnd(store: Store, tenant: TenantName): Promise<number> {
  return lastWhere(async (sequence) => (await store.ledger(tenant, sequence - 1, 1)).length > 0);
}

/** The largest number from 1 for which `holds`, 0 if none; it must hold for all smaller ones. */
async function lastWhere(holds: (sequence: number) => Promise<boolean>): Promise<number> {
  let low = 0;
  let high = 1;
  while (await holds(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (await holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
