/** Every action's row tells the same story as its entries in the ledger, and nothing is left open. */
import type { ActionRecord } from '../../src/engine/ports.ts';
import type { Entry, Evidence } from './inspect.ts';
import { textOf } from './stored-json.ts';

/** What the newest entry about an action in a state must be. */
const ENDS: Readonly<Record<ActionRecord['state'], readonly string[]>> = {
  held: ['decided', 'barred', 'approved', 'confirmed'],
  executing: ['crossed'],
  succeeded: ['settled', 'resolved'],
  failed: ['settled', 'resolved'],
  not_executed: ['settled', 'resolved'],
  unknown: ['settled'],
  denied: ['decided'],
  rejected: ['rejected'],
  withdrawn: ['withdrawn'],
  expired: ['decided'],
};

/** Says what does not agree. */
export function inspectActions({ records, histories }: Evidence): readonly string[] {
  const found: string[] = [];
  for (const record of records.values()) {
    const objection = objectionTo(record, histories.get(record.id) ?? []);
    if (objection !== undefined) found.push(`\`${record.id}\` is ${record.state}: ${objection}`);
  }
  for (const id of histories.keys()) {
    if (!records.has(id)) found.push(`the ledger speaks of \`${id}\`, and there is no such action`);
  }
  return found;
}

function objectionTo(record: ActionRecord, history: readonly Entry[]): string | undefined {
  const { state, execution } = record;
  if (state === 'executing') return 'recovery left it so';
  const kinds = history.map(({ kind }) => kind);
  if (kinds[0] !== 'proposed') return `its entries begin with ${kinds[0] ?? 'nothing'}`;
  const last = history.at(-1);
  if (last === undefined || !ENDS[state].includes(last.kind)) {
    return `its entries are ${kinds.join(', ')}`;
  }
  const crossing = liveCrossing(history);
  if (crossing === 'twice') return 'it crossed while an earlier crossing stood';
  const executed = crossing === undefined ? undefined : textOf(crossing.body['execution']);
  if (executed !== execution?.id) return 'its execution is not the one that the ledger names';
  if (execution === undefined) return undefined;
  if (execution.outcome === undefined || execution.settledAt === undefined) {
    return 'its execution has no outcome';
  }
  if (execution.outcome.state !== state) return `its outcome is ${execution.outcome.state}`;
  return textOf(last.body['outcome']) === state ? undefined : 'the ledger names another outcome';
}

/** The crossing that no bar took back, if any. */
export function liveCrossing(history: readonly Entry[]): Entry | 'twice' | undefined {
  let live: Entry | undefined;
  for (const entry of history) {
    if (entry.kind === 'crossed' && live !== undefined) return 'twice';
    if (entry.kind === 'crossed') live = entry;
    if (entry.kind === 'barred') live = undefined;
  }
  return live;
}
