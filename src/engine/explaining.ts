/**
 * Why an action is as it is: the newest decision is made again from the inputs that were recorded with
 * it, by the policy it was made by, and explained. Nothing is asked of the world.
 */
import { explainDecision, type Explanation } from '../kernel/explain.ts';
import { parseDigest } from '../kernel/digest.ts';
import type { ActionId, TenantName } from '../kernel/id.ts';
import { parseJson } from '../kernel/json/parse.ts';
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import { readAction } from '../kernel/read-action.ts';
import type { Engine } from './engine.ts';
import { peopleOf } from './people.ts';
import type { ActionRecord, LedgerRow } from './ports.ts';
import { decideAgain, recordedInput } from './recorded.ts';

/** An action and why it is as it is. */
export interface Explained {
  readonly record: ActionRecord;
  /** `undefined` where another policy is active now, or the recorded inputs were erased. */
  readonly explanation: Explanation | undefined;
}

/** Explains an action; `undefined` where there is no such action. */
export async function explain(
  engine: Engine,
  tenant: TenantName,
  id: ActionId,
): Promise<Explained | undefined> {
  const record = await engine.store.action(tenant, id);
  if (record === undefined) return undefined;
  const rows = await engine.store.history(tenant, id);
  for (const row of rows.toReversed()) {
    const entry = parseObject(row.bytes);
    if (entry?.['kind'] !== 'decided' && entry?.['kind'] !== 'crossed') continue;
    return { record, explanation: await explanationOf(engine, record, { row, entry }) };
  }
  return { record, explanation: undefined };
}

async function explanationOf(
  engine: Engine,
  record: ActionRecord,
  { row, entry }: { readonly row: LedgerRow; readonly entry: JsonObject },
): Promise<Explanation | undefined> {
  const { policy } = engine.configuration(record.tenant);
  const body = objectAt(entry, 'body');
  const digest = objectAt(entry, 'payloads')?.['inputs'];
  if (body?.['policy'] !== policy.digest || typeof digest !== 'string') return undefined;
  const payload = parseDigest(digest);
  const bytes = payload && (await engine.store.payload(record.tenant, row.sequence, payload));
  const inputs = bytes && parseObject(bytes);
  const action = readAction(record.bytes, record.digest);
  if (inputs === undefined || action === undefined) return undefined;
  const recorded = recordedInput({ ...record, action }, inputs, policy.inventory);
  if (recorded === undefined) return undefined;
  const decision = decideAgain(policy, recorded);
  const { local } = recorded.input;
  // Whoever could be asked is pictured as they are now, who was asked as they were then.
  const people = { ...(await peopleOf(engine.store, record.tenant)), ...local.people };
  return explainDecision(policy, { ...recorded.input, local: { ...local, people } }, decision);
}

function objectAt(value: JsonObject, name: string): JsonObject | undefined {
  const member = value[name];
  return member === undefined ? undefined : asObject(member);
}

function parseObject(bytes: Uint8Array): JsonObject | undefined {
  const parsed = parseJson(bytes);
  return parsed.ok ? asObject(parsed.value) : undefined;
}

function asObject(value: JsonValue): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}
