/**
 * The looks of the executor for databases: who the database is, which rows a statement would touch,
 * and whether an execution took hold. The last writes its own marker; `preview: rollback` writes and
 * takes it back; nothing else here writes.
 */
import type { EffectRequest, Outcome } from '../../engine/ports.ts';
import type { Preview } from '../../kernel/action.ts';
import type { ExecutionId } from '../../kernel/id.ts';
import type { SqlOperation, SqlPreview, SqlTarget, Target } from '../../kernel/inventory.ts';
import type { JsonObject, JsonValue } from '../../kernel/json/value.ts';
import { writeCanonical } from '../../kernel/json/write.ts';
import type { Masker } from '../mask.ts';
import { isJsonArray, readProbe } from '../pointer.ts';
import { refuse } from '../refusal.ts';
import { boundValues, type SqlBinding, sqlBinding } from './compile.ts';
import { SqlFailure, type SqlRows, type SqlSession, within } from './session.ts';
import {
  actReference,
  looking,
  openSession,
  refuseFailure,
  rollingBack,
  type SqlTools,
} from './tools.ts';

/** What a probe found. */
export interface SqlProbed {
  /** What the database itself says, with what the declared SELECT says. */
  readonly identity: string;
  readonly environment: string;
  readonly recorded: JsonObject;
}

/** Asks the database who it is. */
export async function probeDatabase(
  target: Target,
  executor: SqlTarget,
  tools: SqlTools,
  signal: AbortSignal,
): Promise<SqlProbed> {
  const { probe } = target;
  const look = { target, binding: { target: executor }, signal, failure: 'probe_failed' } as const;
  return await looking(look, tools, async (session) => {
    const recorded = { ...session.recorded, database: session.identity };
    if (probe === undefined) {
      return { identity: session.identity, environment: target.environment, recorded };
    }
    if (probe.kind !== 'sql') {
      return refuse('probe_unsupported', `target \`${target.name}\` is probed by a SELECT only`);
    }
    const { columns, rows } = await session.run(probe.statement, []);
    const [row, more] = rows;
    if (row === undefined || more !== undefined) {
      return refuse('probe_failed', 'the probe did not give exactly one row');
    }
    const members = columns.map((name, index) => [name, row[index] ?? null] as const);
    const found = readProbe(probe, Object.fromEntries(members), target.environment);
    const identity = tools.masker.text(`${session.identity} ${found.identity}`);
    return { identity, environment: found.environment, recorded };
  });
}

/** The rows that the statement would touch, by key where it has one. */
export async function previewRows(
  request: EffectRequest,
  tools: SqlTools,
  signal: AbortSignal,
): Promise<Preview | 'none'> {
  const observedAt = tools.clock.now();
  const binding = sqlBinding(request.target, request.operation);
  const { preview, rowsMax, table } = binding.operation;
  if (preview === undefined) return 'none';
  const { rows, count } = await touchedRows({ request, binding, preview, signal }, tools);
  if (count > rowsMax) {
    return refuse('preview_too_many_rows', `more than ${String(rowsMax)} rows would be touched`);
  }
  if (preview.key.length === 0)
    return { material: { table, rows: count }, context: {}, observedAt };
  const keys = keysOf(rows, tools.masker);
  if (keys === undefined) {
    const columns = preview.key.map((column) => `\`${column}\``).join(' with ');
    return refuse('preview_key_not_unique', `${columns} does not name each row`);
  }
  return { material: { table, rows: keys.length, keys }, context: {}, observedAt };
}

interface Touching {
  readonly request: EffectRequest;
  readonly binding: SqlBinding;
  readonly preview: SqlPreview;
  readonly signal: AbortSignal;
}

async function touchedRows(
  { request, binding, preview, signal }: Touching,
  tools: SqlTools,
): Promise<SqlRows> {
  const look = { target: request.target, binding, signal, failure: 'preview_failed' } as const;
  switch (preview.kind) {
    case 'select': {
      const values = lookValues(request, binding.operation, preview);
      return await looking(look, tools, (session) => session.run(preview.look, values));
    }
    case 'rollback': {
      const { statement, lockTimeoutMs } = binding.operation;
      const values = boundValues(request, binding.operation);
      const { timeoutMs } = request.operation;
      return await rollingBack({ ...look, timeoutMs, lockTimeoutMs }, tools, (session) =>
        session.run(statement, values),
      );
    }
    default:
      return preview satisfies never;
  }
}

/** The values of the parameters that say which rows. */
export function lookValues(
  request: EffectRequest,
  operation: SqlOperation,
  { parametersCount }: SqlPreview & { readonly kind: 'select' },
): ReturnType<typeof boundValues> {
  return boundValues(request, operation).slice(0, parametersCount);
}

/** What names a row: the text of its one key column, or those of all of them. */
export type RowKey = string | readonly string[];

/** Whether a preview's JSON is a key. */
export function isRowKey(value: JsonValue): value is RowKey {
  const parts = isJsonArray(value) ? value : [value];
  return parts.every((part) => typeof part === 'string');
}

/** Masked keys in one order; `undefined` where two rows have the same one or a row has none. */
export function keysOf(rows: SqlRows['rows'], masker: Masker): readonly RowKey[] | undefined {
  const keys = rows.flatMap((row) => {
    const parts = row.flatMap((part) => part ?? []);
    const [only] = parts;
    if (only === undefined || parts.length < row.length) return [];
    return [parts.length === 1 ? only : parts];
  });
  if (new Set(keys.map(keyText)).size < rows.length) return undefined;
  const masked = (text: string): string => masker.text(text).toWellFormed();
  return keys
    .map((key) => (typeof key === 'string' ? masked(key) : key.map(masked)))
    .toSorted((left, right) => (keyText(left) < keyText(right) ? -1 : 1));
}

/** A key as one text; no two keys of the same columns have the same. */
export function keyText(key: RowKey): string {
  return typeof key === 'string' ? key : writeCanonical(key);
}

// ---------------------------------------------------------------- evidence

/** A marker is looked for within this. */
const RECONCILE_MS_MAX = 15_000;

/** What stands in the marker row of an execution. */
export type MarkerState = 'done' | 'absent';

/** The statement that writes an execution's marker. */
export function markerStatement(marker: string, { engine }: SqlTarget): string {
  const [first, second] = engine === 'postgres' ? ['$1', '$2'] : ['?1', '?2'];
  return `INSERT INTO ${marker} ("execution", "state") VALUES (${first}, ${second})`;
}

/**
 * Evidence of an execution: its marker row. Where there is none, one is written in its place; from the
 * commit of that on, a late commit of the execution fails on its own marker, and absence is conclusive.
 */
export async function reconcileRows(
  request: EffectRequest,
  execution: ExecutionId,
  tools: SqlTools,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const binding = sqlBinding(request.target, request.operation);
  const { marker, lockTimeoutMs } = binding.operation;
  if (marker === undefined) return undefined;
  const timeoutMs = RECONCILE_MS_MAX;
  const options = { mode: 'write', timeoutMs, lockTimeoutMs, signal } as const;
  const session = await openSession(binding, actReference(request.target), options, tools);
  try {
    const bounds = { timeoutMs, signal, clock: tools.clock };
    const state = await within(session, bounds, () =>
      takeMarker(session, { marker, target: binding.target, execution }),
    );
    return markerOutcome(state);
  } catch (error) {
    // Whoever holds the marker may be the execution itself, on its way to commit.
    if (error instanceof SqlFailure && error.kind === 'lock_timeout') return undefined;
    return refuseFailure(error, 'reconcile_failed', tools.masker);
  } finally {
    session.close();
  }
}

interface Marker {
  readonly marker: string;
  readonly target: SqlTarget;
  readonly execution: ExecutionId;
}

async function takeMarker(
  session: SqlSession,
  { marker, target, execution }: Marker,
): Promise<string | null | undefined> {
  const absent: MarkerState = 'absent';
  await session.begin();
  const insert = `${markerStatement(marker, target)} ON CONFLICT ("execution") DO NOTHING`;
  await session.run(insert, [execution, absent]);
  const place = target.engine === 'postgres' ? '$1' : '?1';
  const { rows } = await session.run(`SELECT "state" FROM ${marker} WHERE "execution" = ${place}`, [
    execution,
  ]);
  // A crash before this leaves no marker, one after it a marker that says absent: both are true.
  await session.commit();
  return rows[0]?.[0];
}

function markerOutcome(state: string | null | undefined): Outcome | undefined {
  switch (state) {
    case 'done': {
      const message = 'the marker of the execution stands in the database';
      return { state: 'succeeded', sent: true, code: 'evidence_found', message, result: null };
    }
    case 'absent': {
      const message = 'the execution left no marker and can leave none from now on';
      // Nobody can say that no byte was sent, only that none took hold.
      return { state: 'not_executed', sent: true, code: 'evidence_absent', message, result: null };
    }
    case null:
    case undefined:
    default:
      return undefined;
  }
}
