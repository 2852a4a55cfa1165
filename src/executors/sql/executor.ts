/**
 * The executor for databases (`sql/1`): one proved statement with bound values, in one transaction
 * that first locks the rows of the preview, compares their keys, and compares again what the statement
 * itself touched before it commits.
 *
 * Precondition class: conditional where rows have keys, read-then-act where they are only counted,
 * unconditioned for reads, and for inserts without a preview. What triggers and cascades of the
 * database do beside the statement is not in the preview.
 */
import type { Clock, EffectRequest, Prepared } from '../../engine/ports.ts';
import type { Preview, Resolution } from '../../kernel/action.ts';
import type { LockedTarget, Target } from '../../kernel/inventory.ts';
import type { Environment } from '../credentials.ts';
import type { Masker } from '../mask.ts';
import { isJsonArray } from '../pointer.ts';
import { prepareOnce } from '../prepared.ts';
import type { ProbingExecutor } from '../probing-executor.ts';
import { attempt, refuse } from '../refusal.ts';
import { boundValues, SQL_CONTRACT, type SqlBinding, sqlBinding, sqlEffect } from './compile.ts';
import { isRowKey, keyText, previewRows, probeDatabase, reconcileRows } from './look.ts';
import { type ConsentedRows, performStatement } from './perform.ts';
import { SQLITE_PROGRAM } from './sqlite.ts';
import { actReference, openSession, type SqlTools } from './tools.ts';

/** What the executor needs: who masks, where credentials are, and time. */
export interface SqlExecutorOptions {
  readonly masker: Masker;
  readonly environment: Environment;
  readonly clock: Clock;
  /** Path of the program that holds a SQLite database; the executor's own if absent. */
  readonly sqliteProgram?: string;
}

/** Makes the executor of contract `sql/1`. */
export function createSqlExecutor(options: SqlExecutorOptions): ProbingExecutor {
  const tools: SqlTools = { sqliteProgram: SQLITE_PROGRAM, ...options };
  return {
    contract: SQL_CONTRACT,
    resolve: (request, signal) => attempt(() => resolve(request, tools, signal)),
    preview: (request, signal) => attempt(() => previewRows(request, tools, signal)),
    prepare: (request, resolution, preview, signal) =>
      attempt(() => prepare({ request, resolution, preview, signal }, tools)),
    reconcile: (request, execution, signal) =>
      attempt(() => reconcileRows(request, execution, tools, signal)),
    probe: (target, signal) => attempt(() => probe(target, tools, signal)),
  };
}

async function resolve(
  request: EffectRequest,
  tools: SqlTools,
  signal: AbortSignal,
): Promise<Resolution> {
  const observedAt = tools.clock.now();
  const { target, operation } = request;
  const binding = sqlBinding(target, operation);
  const effect = sqlEffect(request);
  const credential = actReference(target);
  const probed = await probeDatabase(target, binding.target, tools, signal);
  return {
    identity: probed.identity,
    environment: probed.environment,
    operation: operation.digest,
    effect,
    credential: credential ?? null,
    executor: SQL_CONTRACT,
    files: {},
    recorded: probed.recorded,
    observedAt,
  };
}

interface Preparing {
  readonly request: EffectRequest;
  readonly resolution: Resolution;
  readonly preview: Preview | 'none';
  readonly signal: AbortSignal;
}

/** Connects with the credential that acts; no transaction begins here. */
async function prepare(preparing: Preparing, tools: SqlTools): Promise<Prepared> {
  const { request, resolution, signal } = preparing;
  const binding = sqlBinding(request.target, request.operation);
  if (sqlEffect(request) !== resolution.effect) {
    refuse('effect_changed', 'the effect is not the one that was resolved');
  }
  const consented = consentedRows(binding, preparing.preview);
  const session = await openSession(
    binding,
    actReference(request.target),
    {
      mode: binding.operation.sort === 'select' ? 'read' : 'write',
      timeoutMs: request.operation.timeoutMs,
      lockTimeoutMs: binding.operation.lockTimeoutMs,
      signal,
    },
    tools,
  );
  // INVARIANT: whoever looked and whoever acts speak with one database.
  if (session.identity !== resolution.recorded['database']) {
    session.close();
    refuse('database_changed', 'the credential that acts leads to another database');
  }
  const values = boundValues(request, binding.operation);
  return prepareOnce({
    request,
    effect: () => sqlEffect(request),
    release: () => session.close(),
    perform: (execution, options) =>
      performStatement({
        session,
        binding,
        values,
        consented,
        execution,
        request,
        tools,
        ...options,
      }),
  });
}

/** The rows that were consented to; none where the statement has no preview. */
function consentedRows(
  { operation }: SqlBinding,
  preview: Preview | 'none',
): ConsentedRows | undefined {
  if (operation.preview === undefined) return undefined;
  const { rows, keys } = preview === 'none' ? {} : preview.material;
  if (typeof rows !== 'number') return refuse('preview_incomplete', 'the preview has no rows');
  if (operation.preview.key.length === 0) return { count: rows, keys: undefined };
  if (!isJsonArray(keys) || !keys.every(isRowKey)) {
    return refuse('preview_incomplete', 'the preview has no keys');
  }
  return { count: rows, keys: keys.map(keyText) };
}

async function probe(target: Target, tools: SqlTools, signal: AbortSignal): Promise<LockedTarget> {
  if (target.executor.kind !== 'sql') {
    return refuse('binding_unsupported', `target \`${target.name}\` is no database`);
  }
  const { identity, environment } = await probeDatabase(target, target.executor, tools, signal);
  return { identity, environment, files: {} };
}
