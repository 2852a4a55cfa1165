/**
 * What a crash or a lost engine left: executions without an outcome become unknown, honestly, and
 * unknown ones are looked for at the target until evidence is conclusive or a person speaks. Nothing
 * here sends an effect.
 */
import { readAction } from '../kernel/read-action.ts';
import { LIMITS_AFTER } from './advance.ts';
import { changedEntry } from './entries.ts';
import { redeemerOf } from './handed-over.ts';
import type { Configuration, Life } from './life.ts';
import type { ActionRecord, EffectRequest, Outcome } from './ports.ts';
import { transition } from './transition.ts';

/** The outcome of an execution whose engine is gone. */
const LOST: Outcome = {
  state: 'unknown',
  sent: true,
  code: 'engine_lost',
  message: 'the layer stopped between crossing and settlement; the effect may have happened',
  result: null,
};

/** The outcome of an execution that was handed over, and of which nobody said how it ended. */
const NOT_SETTLED: Outcome = {
  state: 'unknown',
  sent: true,
  code: 'not_settled',
  message: 'its executor redeemed the permit and did not say in time how it ended',
  result: null,
};

/** Calls every execution lost that has no engine any more. Answers the records, now unknown. */
export async function callLost(life: Life): Promise<readonly ActionRecord[]> {
  const lost = await life.store.lost(life.engine, life.clock.now());
  const records: ActionRecord[] = [];
  for (const record of lost) {
    // Not this engine's own work in progress: that has no outcome yet, and is not lost.
    if (record.execution === undefined || life.executing.has(record.execution.id)) continue;
    const result = await settleLost(life, record);
    if (result === undefined) continue;
    life.changed(result);
    records.push(result);
  }
  return records;
}

/** Looks at the target for evidence of an unknown execution. Answers the record if that settled it. */
export async function reconcile(
  life: Life,
  configuration: Configuration,
  record: ActionRecord,
): Promise<ActionRecord | undefined> {
  const request = requestOf(configuration, record);
  const execution = record.execution?.id;
  if (request === undefined || execution === undefined) return undefined;
  const executor = life.executors[request.operation.binding.kind];
  const signal = AbortSignal.any([AbortSignal.timeout(life.limits.gatherMsMax), life.stopping]);
  const evidence = await executor?.reconcile(request, execution, signal);
  if (evidence === undefined || !evidence.ok || evidence.value === undefined) return undefined;
  const outcome = evidence.value;
  if (outcome.state === 'unknown') return undefined;
  return resolveWith(life, record, outcome);
}

async function settleLost(life: Life, record: ActionRecord): Promise<ActionRecord | undefined> {
  const redeemer = record.execution && redeemerOf(record.execution);
  const outcome = redeemer === undefined ? LOST : NOT_SETTLED;
  const result = await life.store.change({
    tenant: record.tenant,
    action: record.id,
    ...(record.execution === undefined ? {} : { execution: record.execution.id }),
    judge: (at, current) => {
      const next = transition(current.state, { kind: 'lost' });
      if (!next.ok) return { kind: 'refuse', code: next.code, message: 'it is settled already' };
      return {
        kind: 'write',
        state: next.state,
        limits: 'unknown',
        restoreApprovals: false,
        outcome,
        entries: [
          changedEntry('settled', {
            record: current,
            at,
            body: {},
            outcome,
            salt: life.salt,
          }),
        ],
      };
    },
  });
  return result.kind === 'written' ? result.record : undefined;
}

async function resolveWith(
  life: Life,
  record: ActionRecord,
  outcome: Outcome,
): Promise<ActionRecord | undefined> {
  const { state } = outcome;
  if (state === 'unknown') return undefined;
  const result = await life.store.change({
    tenant: record.tenant,
    action: record.id,
    ...(record.execution === undefined ? {} : { execution: record.execution.id }),
    judge: (at, current) => {
      const next = transition(current.state, { kind: 'resolved', outcome: state });
      if (!next.ok) return { kind: 'refuse', code: next.code, message: 'it is resolved already' };
      return {
        kind: 'write',
        state: next.state,
        limits: LIMITS_AFTER[state],
        restoreApprovals: false,
        outcome,
        entries: [
          changedEntry('resolved', {
            record: current,
            at,
            body: { by: 'evidence' },
            outcome,
            salt: life.salt,
          }),
        ],
      };
    },
  });
  if (result.kind !== 'written') return undefined;
  life.changed(result.record);
  return result.record;
}

/** What the executor is asked about; `undefined` where the inventory or the bytes no longer say. */
function requestOf(configuration: Configuration, record: ActionRecord): EffectRequest | undefined {
  const target = configuration.policy.inventory.targets.get(record.target);
  const operation = target?.operations.get(record.operation);
  const action = readAction(record.bytes, record.digest);
  if (target === undefined || operation === undefined || action === undefined) return undefined;
  return { tenant: record.tenant, action: record.id, target, operation, args: action.args };
}
