/**
 * The one transaction of an effect on a database. Until a commit is asked for, nothing can take hold,
 * whatever becomes of the connection; from then on only its answer, or the marker row, tells.
 */
import type { EffectRequest, Outcome, SendOptions } from '../../engine/ports.ts';
import type { Execution } from '../../engine/execution.ts';
import { notSent } from '../prepared.ts';
import type { SqlBinding } from './compile.ts';
import {
  keysOf,
  keyText,
  lookValues,
  markerStatement,
  type MarkerState,
  type RowKey,
} from './look.ts';
import { SqlFailure, type SqlRows, type SqlSession, type SqlValue, within } from './session.ts';
import { oneLine, type SqlTools } from './tools.ts';

/** A prepared statement with everything it is judged by. */
export interface Performing extends SendOptions {
  readonly session: SqlSession;
  readonly binding: SqlBinding;
  readonly values: readonly SqlValue[];
  /** What was consented to; `undefined` where the statement has no preview. */
  readonly consented: ConsentedRows | undefined;
  readonly execution: Execution;
  readonly request: EffectRequest;
  readonly tools: SqlTools;
}

/** The rows of a preview. */
export interface ConsentedRows {
  readonly count: number;
  /** By the text of their keys; `undefined` where they were only counted. */
  readonly keys: readonly string[] | undefined;
}

/** How far a transaction came: `locking` sends no byte of the effect. */
type Stage = 'locking' | 'writing' | 'committing';

/** Performs the statement; gives an outcome whatever happens. */
export async function performStatement(performing: Performing): Promise<Outcome> {
  const { session, request, tools, signal } = performing;
  const { timeoutMs } = request.operation;
  let stage: Stage = 'locking';
  const enter = (next: Stage): void => {
    stage = next;
  };
  try {
    return await within(session, { timeoutMs, signal, clock: tools.clock }, () =>
      transact(performing, enter),
    );
  } catch (error) {
    if (!(error instanceof SqlFailure)) throw error;
    return failedOutcome(error, stage, tools);
  }
}

async function transact(performing: Performing, enter: (stage: Stage) => void): Promise<Outcome> {
  const { session, binding, values, execution, sending } = performing;
  const { operation, target } = binding;
  await session.begin();
  const moved = await keysMoved(performing);
  if (moved !== undefined) return notSent('keys_moved', moved);
  if (!sending()) return notSent('not_sent', 'the last question was answered no');
  enter('writing');
  if (operation.marker !== undefined) {
    const done: MarkerState = 'done';
    await session.run(markerStatement(operation.marker, target), [execution.id, done]);
  }
  const ran = await session.run(operation.statement, values);
  const objection = objectionTo(performing, ran);
  if (objection !== undefined) return objection;
  enter('committing');
  // A crash from here on leaves an outcome that only the answer or the marker row tells.
  await session.commit();
  return succeeded(performing, ran);
}

/** Locks the rows and says what is not as it was consented to; what only the statement shows, it shows later. */
async function keysMoved(performing: Performing): Promise<string | undefined> {
  const { session, binding, consented, request, tools } = performing;
  const { preview } = binding.operation;
  if (preview?.kind !== 'select' || consented?.keys === undefined) return undefined;
  const { keys } = consented;
  const locked = await session.run(preview.lock, lookValues(request, binding.operation, preview));
  const found = keysOf(locked.rows, tools.masker);
  return isSame(found, keys) ? undefined : movedMessage(keys, (found ?? []).map(keyText));
}

function isSame(found: readonly RowKey[] | undefined, keys: readonly string[]): boolean {
  if (found?.length !== keys.length) return false;
  return found.every((key, index) => keyText(key) === keys[index]);
}

function movedMessage(consented: readonly string[], found: readonly string[]): string {
  const [before, now] = [new Set(consented), new Set(found)];
  const gone = consented.filter((key) => !now.has(key)).length;
  const added = found.filter((key) => !before.has(key)).length;
  return `the rows are not those of the preview: ${String(gone)} gone, ${String(added)} new`;
}

/** Why a statement that ran is not committed: it touched other rows than were consented to. */
function objectionTo(performing: Performing, ran: SqlRows): Outcome | undefined {
  const { binding, consented, tools } = performing;
  const { rowsMax, rowsInserted, sort } = binding.operation;
  const keys = consented?.keys;
  if (keys !== undefined && !isSame(keysOf(ran.rows, tools.masker), keys)) {
    return rolledBack('keys_moved', 'the statement touched other rows than those of the preview');
  }
  const count = consented?.count ?? rowsInserted;
  if (count !== undefined && ran.count !== count) {
    return rolledBack('rows_differ', `${String(ran.count)} rows instead of ${String(count)}`);
  }
  if (sort === 'select' && ran.rows.length > rowsMax) {
    return rolledBack('too_many_rows', `more than ${String(rowsMax)} rows`);
  }
  return undefined;
}

function rolledBack(code: string, message: string): Outcome {
  return { state: 'not_executed', sent: true, code, message, result: null };
}

function succeeded({ binding, tools }: Performing, { columns, rows, count }: SqlRows): Outcome {
  const { sort } = binding.operation;
  const read = rows.map((row) => columns.map((name, index) => [name, row[index] ?? null] as const));
  const result =
    sort === 'select'
      ? tools.masker.json({ rows: read.map((row) => Object.fromEntries(row)) })
      : { rows: count };
  const message = sort === 'select' ? `${String(count)} rows` : `committed, ${String(count)} rows`;
  return { state: 'succeeded', sent: true, code: 'committed', message, result };
}

function failedOutcome(failure: SqlFailure, stage: Stage, { masker }: SqlTools): Outcome {
  const { kind, detail, conclusive } = failure;
  const message = oneLine(masker.text(failure.message));
  const result = detail === undefined ? null : { code: detail };
  // Before a commit is asked for, the transaction ends with its connection and without effect.
  if (stage !== 'committing') {
    const code = kind === 'refused' ? 'database_refused' : kind;
    return { state: 'not_executed', sent: stage === 'writing', code, message, result };
  }
  if (kind !== 'refused' && kind !== 'lock_timeout') {
    return { state: 'unknown', sent: true, code: kind, message, result };
  }
  const state = conclusive ? 'not_executed' : 'unknown';
  return {
    state,
    sent: true,
    code: conclusive ? 'commit_refused' : 'commit_unclear',
    message,
    result,
  };
}
