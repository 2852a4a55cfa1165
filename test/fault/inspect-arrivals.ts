/**
 * What arrived at the bank, held against the store: each arrival has its crossing, durable from before
 * it; no execution, action or effect arrived twice; nothing arrived that the store says did not happen;
 * nothing was sent under an acknowledged halt.
 */
import type { ActionRecord } from '../../src/engine/ports.ts';
import type { Arrival } from './bank.ts';
import type { Evidence } from './inspect.ts';
import { argumentsOf, textOf } from './stored-json.ts';

/** States in which nothing can have arrived. */
const NOTHING_SENT: ReadonlySet<ActionRecord['state']> = new Set([
  'held',
  'denied',
  'rejected',
  'withdrawn',
  'expired',
  'not_executed',
]);

interface Crossing {
  readonly action: string;
  readonly at: number;
}

/** Says what does not agree. */
export function inspectArrivals(evidence: Evidence): readonly string[] {
  const { arrivals, records, journal } = evidence;
  const crossings = crossingsOf(evidence);
  const found: string[] = [];
  const executions = new Set<string>();
  const actions = new Set<string>();
  const effects = new Set<string>();
  for (const arrival of arrivals) {
    const { execution } = arrival;
    if (executions.has(execution)) found.push(`execution \`${execution}\` arrived twice`);
    executions.add(execution);
    const crossing = crossings.get(execution);
    const record = crossing && records.get(crossing.action);
    if (crossing === undefined || record === undefined) {
      found.push(`execution \`${execution}\` arrived, and the store knows of no crossing`);
      continue;
    }
    const objection = objectionTo(arrival, crossing, record);
    if (objection !== undefined) found.push(`\`${record.id}\` ${objection}`);
    if (actions.has(record.id)) found.push(`action \`${record.id}\` arrived twice`);
    actions.add(record.id);
    const effect = arrival.operation === 'pay-once' ? arrival.to : arrival.execution;
    if (effects.has(effect)) found.push(`the effect of \`${record.id}\` arrived twice`);
    effects.add(effect);
    for (const halt of journal.halts) {
      if (breaks(halt, arrival, record.id)) {
        found.push(`\`${record.id}\` was sent under halt \`${halt.id}\``);
      }
    }
  }
  for (const { id, state } of records.values()) {
    if ((state === 'succeeded' || state === 'failed') && !actions.has(id)) {
      found.push(`\`${id}\` is ${state}, and nothing arrived`);
    }
  }
  return found;
}

function crossingsOf({ entries }: Evidence): ReadonlyMap<string, Crossing> {
  const crossings = new Map<string, Crossing>();
  for (const { kind, action, at, body } of entries) {
    if (kind !== 'crossed' || action === undefined) continue;
    crossings.set(textOf(body['execution']), { action, at });
  }
  return crossings;
}

function objectionTo(
  arrival: Arrival,
  crossing: Crossing,
  record: ActionRecord,
): string | undefined {
  if (crossing.at > arrival.wallMs) return 'arrived before it crossed';
  if (NOTHING_SENT.has(record.state)) return `arrived, and is ${record.state}`;
  if (record.execution?.id !== arrival.execution) return 'arrived by an execution that was barred';
  const args = argumentsOf(record.bytes);
  const same =
    args.to === arrival.to &&
    args.amount === arrival.amount &&
    record.operation === arrival.operation;
  return same ? undefined : 'arrived as something else than was stored';
}

function breaks(
  halt: Evidence['journal']['halts'][number],
  arrival: Arrival,
  action: string,
): boolean {
  if (halt.operation !== undefined && halt.operation !== arrival.operation) return false;
  if (halt.sent.has(action)) return false;
  const { acknowledgedAt, resumeAskedAt = Number.POSITIVE_INFINITY } = halt;
  return arrival.machineMs > acknowledgedAt && arrival.machineMs < resumeAskedAt;
}
