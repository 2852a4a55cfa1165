/**
 * Why an action is as it is: the newest decision is made again from the inputs that were recorded with
 * it, by the policy it was made by, and explained. Nothing is asked of the world.
 */
import type { ConsentSubject } from '../kernel/action.ts';
import { decide, foreclose } from '../kernel/decide.ts';
import type { DecisionInput, LocalFacts } from '../kernel/decision.ts';
import { explainDecision, type Explanation } from '../kernel/explain.ts';
import { parseDigest } from '../kernel/digest.ts';
import type { ActionId, TenantName } from '../kernel/id.ts';
import { parseJson } from '../kernel/json/parse.ts';
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import { readAction } from '../kernel/read-action.ts';
import type { Engine } from './engine.ts';
import { peopleOf } from './people.ts';
import type { ActionRecord, LedgerRow } from './ports.ts';

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
  const input =
    inputs && inputOf(engine, record, inputs, await peopleOf(engine.store, record.tenant));
  if (input === undefined) return undefined;
  const foreclosed = input.resolution.kind === 'absent' ? foreclose(policy, input) : undefined;
  return explainDecision(policy, input, foreclosed ?? decide(policy, input));
}

/** The input as it was recorded; target and operation come from the inventory it was checked against. */
function inputOf(
  engine: Engine,
  record: ActionRecord,
  inputs: JsonObject,
  people: LocalFacts['people'],
): DecisionInput | undefined {
  const action = readAction(record.bytes, record.digest);
  const local = objectAt(inputs, 'local');
  if (action === undefined || local === undefined) return undefined;
  const { inventory } = engine.configuration(record.tenant).policy;
  const target = inventory.targets.get(action.target);
  // Written by `entries.ts` from a DecisionInput, and read back by nobody else.
  const recorded = inputs as unknown as Omit<
    DecisionInput,
    'id' | 'action' | 'target' | 'operation' | 'consent'
  >;
  return {
    ...recorded,
    id: record.id,
    action,
    target,
    operation: target?.operations.get(action.operation),
    consent: consentOf(record, recorded),
    local: {
      ...recorded.local,
      people: { ...people, ...recorded.local.people },
      agent: recorded.local.agent ?? undefined,
      effect: recorded.local.effect ?? undefined,
    },
  };
}

/** What people were asked to consent to then, from its parts; none while it was not known. */
function consentOf(
  { tenant, id, nonce, digest }: ActionRecord,
  { resolution, preview }: Pick<DecisionInput, 'resolution' | 'preview'>,
): ConsentSubject | undefined {
  if (resolution.kind !== 'known' || preview.kind !== 'known') return undefined;
  return {
    tenant,
    action: id,
    nonce,
    actionDigest: digest,
    resolution: resolution.value,
    preview: preview.value === 'none' ? null : preview.value,
  };
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
