/**
 * The crossing, and what else an advance can write: a hold or a denial. All of it happens after the
 * lock: read the local facts, judge, check what was said, write.
 */
import type { Decision, Reservation } from '../../kernel/decision.ts';
import { isDecision } from '../../kernel/decide.ts';
import { sha256 } from '../../kernel/sha256.ts';
import type { Instant } from '../../kernel/instant.ts';
import {
  StoreError,
  type ActionRecord,
  type AdvanceCommand,
  type AdvanceResult,
  type ExecutionRecord,
  type Judgement,
  type NewAction,
  type StoredDecision,
} from '../../engine/ports.ts';
import type { Execution } from '../../engine/execution.ts';
import { readAction, selectActions, type StoredAction } from './actions.ts';
import { digestBytesOf, jsonText, uuidBytes } from './columns.ts';
import { integer, type Value } from './connection.ts';
import { find, occupiedKeys, wakeWaiting, type Context } from './context.ts';
import { readLocalFacts } from './local-facts.ts';
import type { Reading } from './store-clock.ts';

/** What an advance wrote; a crossing is made into an execution only after the commit. */
export type Advanced =
  | Exclude<AdvanceResult, { readonly kind: 'written' }>
  | {
      readonly kind: 'written';
      readonly record: ActionRecord;
      readonly crossed: { readonly decision: Decision; readonly execution: Execution } | undefined;
    };

/** Runs an advance inside the transaction. */
export function advance(context: Context, command: AdvanceCommand, time: Reading): Advanced {
  if (time.jumped !== undefined) throw time.jumped;
  const { standing } = context;
  const { query, propose } = command;
  const tenant = { id: standing.ensure(query.tenant), name: query.tenant };
  if (propose !== undefined) {
    const earlier = findByKey(context, tenant, query.agent, propose.idempotencyKey);
    if (earlier !== undefined) return repetition(earlier.record, command, propose);
  }
  const stored = propose === undefined ? find(context, query.tenant, query.action) : undefined;
  const stale = requireCurrent(command, stored);
  if (stale !== undefined) return { kind: 'stale', record: stale };

  const subject = { standing: standing.of(tenant.id), row: stored?.row };
  const local = readLocalFacts(context, query, subject, time.now);
  const judgement = command.judge(time.now, local);
  requireSound(judgement, propose?.action.deadline ?? stored?.record.deadline, time.now);
  if (propose !== undefined && tooManyOpen(context, tenant.id, query.agent, judgement)) {
    return { kind: 'too_many_open', limit: context.limits.openPerAgentMax };
  }
  const written = { context, command, judgement, tenant: tenant.id, now: time.now };
  return stored === undefined ? insert(written, local.epoch) : update(written, stored, local.epoch);
}

/** The action that an agent proposed under a key. */
export function findByKey(
  { db }: Context,
  tenant: { readonly id: number; readonly name: ActionRecord['tenant'] },
  agent: string,
  idempotencyKey: string,
): StoredAction | undefined {
  const known = db.get(
    'SELECT action FROM idempotency WHERE tenant = ? AND key = ?',
    tenant.id,
    keyHash(agent, idempotencyKey),
  );
  if (known === undefined) return undefined;
  const [row] = selectActions(db, 'WHERE action.id = ?', integer(known, 'action'));
  return row === undefined ? undefined : readAction(row, tenant.name);
}

/** Sixteen bytes that name an agent's key. A name holds no zero byte, so no two pairs can meet. */
function keyHash(agent: string, idempotencyKey: string): Uint8Array {
  return sha256(`${agent}\0${idempotencyKey}`).subarray(0, 16);
}

/** A key answers its action only to the same body of the same principal. */
function repetition(record: ActionRecord, { query }: AdvanceCommand, propose: NewAction): Advanced {
  const same =
    record.requestDigest === propose.requestDigest &&
    record.agent === query.agent &&
    record.delegator === query.delegator;
  return same ? { kind: 'existing', record } : { kind: 'key_reused' };
}

/** The record as it is now, where the one that was gathered for is gone. */
function requireCurrent(
  command: AdvanceCommand,
  stored: StoredAction | undefined,
): ActionRecord | undefined {
  const { query, propose } = command;
  if (propose !== undefined) {
    if (propose.id !== query.action || propose.action.tenant !== query.tenant) {
      throw new Error('a proposal and its query speak of different actions');
    }
    return undefined;
  }
  if (stored === undefined) throw new Error(`no action \`${query.action}\``);
  const { record } = stored;
  if (record.revision !== command.revision || record.state !== 'held') return record;
  if (record.agent !== query.agent || record.delegator !== query.delegator) {
    throw new StoreError('store_corrupt', `the principal stored with \`${record.id}\` is another`);
  }
  return undefined;
}

/** INVARIANT: what crosses was admitted by a decision that `decide` made, and is not over yet. */
function requireSound(judgement: Judgement, deadline: Instant | undefined, now: Instant): void {
  const { decision, state, crossing } = judgement;
  if (!isDecision(decision)) throw new Error('only a decision is written');
  const crosses = crossing !== undefined;
  if (crosses !== (decision.verdict === 'admit') || crosses !== (state === 'executing')) {
    throw new Error('an action crosses exactly when its decision admits');
  }
  if (!crosses) return;
  if (deadline === undefined || now >= deadline || now >= decision.validUntil) {
    throw new Error('a crossing came at or after an expiry');
  }
}

/** Law 15. Denials are always recorded; what would wait or could become unknown is bounded. */
function tooManyOpen(
  { db, limits }: Context,
  tenant: number,
  agent: string,
  { state }: Judgement,
): boolean {
  const most = limits.openPerAgentMax;
  if (state === 'executing') return db.get(NTH_UNKNOWN, tenant, agent, most - 1) !== undefined;
  if (state !== 'held') return false;
  const row = db.get(COUNT_OPEN, tenant, agent, tenant, agent);
  return row === undefined || integer(row, 'open') >= most;
}

/** Costs nothing where there are few, which counting does not. */
const NTH_UNKNOWN =
  "SELECT 1 FROM action WHERE state = 'unknown' AND tenant = ? AND agent = ? LIMIT 1 OFFSET ?";
const COUNT_OPEN = `SELECT
  (SELECT count(*) FROM action WHERE state = 'held' AND tenant = ? AND agent = ?) +
  (SELECT count(*) FROM action WHERE state = 'unknown' AND tenant = ? AND agent = ?) AS open`;

interface Writing {
  readonly context: Context;
  readonly command: AdvanceCommand;
  readonly judgement: Judgement;
  readonly tenant: number;
  readonly now: Instant;
}

function insert(writing: Writing, epoch: number): Advanced {
  const { context, command, judgement, tenant, now } = writing;
  const { propose, query } = command;
  if (propose === undefined) throw new Error('only a proposal is inserted');
  const { action } = propose;
  const record: ActionRecord = {
    tenant: query.tenant,
    id: propose.id,
    bytes: propose.bytes,
    digest: propose.digest,
    nonce: propose.nonce,
    requestDigest: propose.requestDigest,
    agent: query.agent,
    delegator: query.delegator,
    target: action.target,
    operation: action.operation,
    effectKey: propose.effectKey,
    conflictKey: propose.conflictKey,
    deadline: action.deadline,
    proposedAt: now,
    askedSince: judgement.askedSince,
    state: judgement.state,
    revision: 1,
    note: propose.note,
    decision: storedDecision(judgement.decision, now, epoch),
    subject: judgement.subject,
    execution: executionOf(judgement, now),
    ended: undefined,
    updatedAt: now,
  };
  const written = { tenant, once: query.once, reserves: judgement.decision.reserves, record };
  const row = insertAction(context, written, dueAt(judgement, action.deadline));
  context.db.run(
    'INSERT INTO idempotency (tenant, key, action) VALUES (?, ?, ?)',
    tenant,
    keyHash(query.agent, propose.idempotencyKey),
    row,
  );
  return finish(writing, { row, ...written });
}

function insertAction(
  { db }: Context,
  { tenant, once, reserves, record }: Omit<StoredAction, 'row'>,
  due: Instant,
): number {
  const row = db.insert(
    `INSERT INTO action (tenant, uuid, state, revision, agent, delegator, target, operation, conflict_key,
       effect_key, once, deadline, due_at, proposed_at, asked_since, updated_at,
       execution, crossed_at, engine, lease_until, effect, reserves)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    tenant,
    uuidBytes(record.id),
    record.state,
    record.revision,
    record.agent,
    record.delegator ?? null,
    record.target,
    record.operation,
    record.conflictKey,
    record.effectKey === undefined ? null : digestBytesOf(record.effectKey),
    once ? 1 : 0,
    record.deadline,
    due,
    record.proposedAt,
    record.askedSince,
    record.updatedAt,
    ...executionValues(record.execution, reserves),
  );
  db.insert(
    `INSERT INTO content (action, request_digest, digest, nonce, note, bytes, decision, subject)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    row,
    digestBytesOf(record.requestDigest),
    digestBytesOf(record.digest),
    record.nonce,
    record.note ?? null,
    record.bytes,
    record.decision === undefined ? null : jsonText(record.decision),
    record.subject === undefined ? null : jsonText(record.subject),
  );
  return row;
}

function update(writing: Writing, stored: StoredAction, epoch: number): Advanced {
  const { context, command, judgement, now } = writing;
  const { query } = command;
  const decision = storedDecision(judgement.decision, now, epoch);
  const record: ActionRecord = {
    ...stored.record,
    // An inventory loaded since may key the same operation otherwise.
    effectKey: query.effectKey,
    conflictKey: query.conflictKey,
    askedSince: judgement.askedSince,
    state: judgement.state,
    revision: stored.record.revision + 1,
    decision,
    subject: judgement.subject,
    execution: executionOf(judgement, now),
    updatedAt: now,
  };
  const { reserves } = judgement.decision;
  context.db.one(
    `UPDATE action SET state = ?, revision = revision + 1, conflict_key = ?, effect_key = ?, once = ?,
       due_at = ?, asked_since = ?, updated_at = ?,
       execution = ?, crossed_at = ?, engine = ?, lease_until = ?, effect = ?, reserves = ?
     WHERE id = ? AND revision = ? AND state = 'held'`,
    record.state,
    record.conflictKey,
    record.effectKey === undefined ? null : digestBytesOf(record.effectKey),
    query.once ? 1 : 0,
    dueAt(judgement, record.deadline),
    record.askedSince,
    now,
    ...executionValues(record.execution, reserves),
    stored.row,
    stored.record.revision,
  );
  context.db.one(
    'UPDATE content SET decision = ?, subject = ? WHERE action = ?',
    jsonText(decision),
    record.subject === undefined ? null : jsonText(record.subject),
    stored.row,
  );
  context.waits.end(stored.row);
  if (record.state !== 'held' && record.state !== 'executing') {
    wakeWaiting(context, stored.tenant, occupiedKeys(stored), now);
  }
  return finish(writing, { ...stored, once: query.once, reserves, record });
}

/** What is the same for a new and a known action: waits, what the crossing takes, the ledger. */
function finish(writing: Writing, stored: StoredAction): Advanced {
  const { context, judgement } = writing;
  const { record } = stored;
  if (judgement.state === 'held') insertWaits(writing, stored.row);
  if (judgement.crossing !== undefined) take(writing, stored);
  context.ledger.append(stored.tenant, judgement.entries);
  context.recent.put(stored);
  if (record.execution === undefined) return { kind: 'written', record, crossed: undefined };
  const { id, crossedAt, effect } = record.execution;
  return {
    kind: 'written',
    record,
    crossed: {
      decision: judgement.decision,
      execution: { tenant: record.tenant, action: record.id, id, crossedAt, effect },
    },
  };
}

function insertWaits({ context, judgement, tenant }: Writing, row: number): void {
  for (const key of new Set(judgement.decision.waitsFor)) {
    // Time wakes by `due_at`.
    if (key !== 'time') context.waits.add(tenant, key, row);
  }
}

/** Consumes the approvals and reserves under the limits. */
function take({ context, judgement, now }: Writing, stored: StoredAction): void {
  const { decision } = judgement;
  for (const approval of decision.consumes) {
    // INVARIANT: an approval is used once, and never at or after its expiry.
    context.db.one(
      'UPDATE approval SET consumed = 1 WHERE action = ? AND uuid = ? AND consumed = 0 AND expires_at > ?',
      stored.row,
      uuidBytes(approval),
      now,
    );
  }
  context.counters.reserve(stored.tenant, decision.reserves);
}

/** The one execution that a crossing makes. */
function executionOf({ crossing }: Judgement, now: Instant): ExecutionRecord | undefined {
  if (crossing === undefined) return undefined;
  return {
    id: crossing.execution,
    crossedAt: now,
    engine: crossing.engine,
    leaseUntil: crossing.leaseUntil,
    effect: crossing.effect,
    outcome: undefined,
    settledAt: undefined,
    resolvedBy: undefined,
  };
}

/** The columns from `execution` to `reserves`. */
function executionValues(
  execution: ExecutionRecord | undefined,
  reserves: readonly Reservation[],
): readonly Value[] {
  if (execution === undefined) return [null, null, null, null, null, null];
  return [
    uuidBytes(execution.id),
    execution.crossedAt,
    execution.engine,
    execution.leaseUntil,
    digestBytesOf(execution.effect),
    reserves.length === 0 ? null : jsonText(reserves),
  ];
}

function storedDecision(decision: Decision, at: Instant, epoch: number): StoredDecision {
  const { verdict, findings, matched, shadow, asks, wakeAt } = decision;
  return {
    verdict,
    findings,
    matched,
    shadow,
    asks,
    ...(wakeAt === undefined ? {} : { wakeAt }),
    at,
    epoch,
  };
}

function dueAt({ decision, wakeAt }: Judgement, deadline: Instant): Instant {
  const wake = wakeAt ?? decision.wakeAt;
  return wake === undefined || wake > deadline ? deadline : wake;
}
