/** Changes that are not advances: a person's answer, and everything that ends or loses an execution. */
import type { Approval } from '../../kernel/decision.ts';
import { sha256 } from '../../kernel/sha256.ts';
import type { ActionId, ExecutionId, PersonName, TenantName } from '../../kernel/id.ts';
import { addMs, type Instant } from '../../kernel/instant.ts';
import type {
  ActionRecord,
  AnswerCommand,
  ChangeCommand,
  ChangeJudgement,
  ChangeResult,
  ExecutionRecord,
} from '../../engine/ports.ts';
import type { ActionState } from '../../engine/transition.ts';
import type { StoredAction } from './actions.ts';
import { digestBytesOf, jsonText, uuidBytes } from './columns.ts';
import { find, occupiedKeys, wakeWaiting, type Context } from './context.ts';
import { readLocalFacts } from './local-facts.ts';
import type { Reading } from './store-clock.ts';

/** Challenges that one person may have open for one action; the oldest give way. */
export const CHALLENGES_PER_PERSON_MAX = 8;

/** Stores a challenge: its hash, for one person and one action, until it expires. */
export function writeChallenge(
  context: Context,
  command: {
    readonly tenant: TenantName;
    readonly action: ActionId;
    readonly person: PersonName;
    readonly challenge: string;
    readonly validMs: number;
  },
  time: Reading,
): void {
  if (time.jumped !== undefined) throw time.jumped;
  const stored = find(context, command.tenant, command.action);
  if (stored === undefined) throw new Error(`no action \`${command.action}\``);
  const { db } = context;
  db.insert(
    'INSERT INTO challenge (action, person, hash, expires_at) VALUES (?, ?, ?, ?)',
    stored.row,
    command.person,
    sha256(command.challenge),
    addMs(time.now, command.validMs),
  );
  db.run(
    `DELETE FROM challenge WHERE action = ?1 AND person = ?2 AND (expires_at <= ?3 OR id NOT IN (
       SELECT id FROM challenge WHERE action = ?1 AND person = ?2 ORDER BY id DESC LIMIT ?4))`,
    stored.row,
    command.person,
    time.now,
    CHALLENGES_PER_PERSON_MAX,
  );
}

/** Writes a person's answer, and spends the challenge with it. */
export function answer(context: Context, command: AnswerCommand, time: Reading): ChangeResult {
  if (time.jumped !== undefined) throw time.jumped;
  const stored = find(context, command.tenant, command.action);
  if (stored === undefined) return unknownAction(command.action);
  const { db, standing } = context;
  const challenge = [stored.row, command.person, sha256(command.challenge), time.now] as const;
  const known = db.get(
    'SELECT id FROM challenge WHERE action = ? AND person = ? AND hash = ? AND expires_at > ?',
    ...challenge,
  );
  if (known === undefined) {
    return refused('challenge_invalid', 'the challenge is unknown, used or expired');
  }
  const { record } = stored;
  const query = {
    action: record.id,
    stored: true,
    agent: record.agent,
    delegator: record.delegator,
    effectKey: record.effectKey,
    once: stored.once,
    conflictKey: record.conflictKey,
    // Whether something else is under way is no matter of an answer.
    serialised: false,
    limits: [],
    after: [],
  };
  const subject = {
    standing: standing.of(stored.tenant),
    row: stored.row,
    alsoPerson: command.person,
  };
  const local = readLocalFacts(context, query, subject, time.now);
  const judgement = command.judge(time.now, record, local);
  if (judgement.kind === 'refuse') return refused(judgement.code, judgement.message);
  // INVARIANT: a challenge is spent with the answer that it was for, and only one answer spends it.
  db.one(
    'DELETE FROM challenge WHERE action = ? AND person = ? AND hash = ? AND expires_at > ?',
    ...challenge,
  );
  for (const approval of judgement.approvals) insertApproval(context, stored.row, approval);
  const { ended } = judgement;
  if (ended !== undefined) {
    db.one(
      'UPDATE action SET ended_by = ?, ended_reason = ? WHERE id = ?',
      ended.by,
      ended.reason,
      stored.row,
    );
  }
  writeState(context, stored, judgement, { now: time.now, execution: record.execution });
  context.ledger.append(stored.tenant, judgement.entries);
  const state = { state: judgement.state, updatedAt: time.now };
  return written(context, stored, ended === undefined ? state : { ...state, ended });
}

/** Writes a change of one action. */
export function change(context: Context, command: ChangeCommand, time: Reading): ChangeResult {
  const stored = find(context, command.tenant, command.action);
  if (stored === undefined) return unknownAction(command.action);
  const { record } = stored;
  if (command.execution !== undefined && record.execution?.id !== command.execution) {
    return refused('execution_unknown', `\`${record.id}\` has no such execution`);
  }
  const judgement = command.judge(time.now, record);
  if (judgement.kind === 'refuse') return refused(judgement.code, judgement.message);
  // INVARIANT: only a crossing makes an action execute.
  if (judgement.state === 'executing' && record.state !== 'executing') {
    throw new Error('only a crossing makes an action execute');
  }
  const changed: ActionRecord = {
    ...record,
    state: judgement.state,
    execution: record.execution && changedExecution(record.execution, judgement, time.now),
    updatedAt: time.now,
  };
  writeState(context, stored, judgement, { now: time.now, execution: changed.execution });
  if (record.execution !== undefined) {
    settle(context, { stored, execution: record.execution, judgement, now: time.now });
  }
  context.ledger.append(stored.tenant, judgement.entries);
  return written(context, stored, changed);
}

/** Extends leases; answers the executions that are no longer this engine's to renew. */
export function renewLeases(
  { db, recent }: Context,
  engine: string,
  executions: readonly ExecutionId[],
  until: Instant,
): readonly ExecutionId[] {
  recent.forget();
  return executions.filter((execution) => {
    const changed = db.run(
      `UPDATE action SET lease_until = max(lease_until, ?)
       WHERE state = 'executing' AND engine = ? AND execution = ?`,
      until,
      engine,
      uuidBytes(execution),
    );
    return changed === 0;
  });
}

type Write = Extract<ChangeJudgement, { readonly kind: 'write' }>;

/** Moves the action, with what became of its execution, and wakes who waits for what it occupied. */
function writeState(
  context: Context,
  stored: StoredAction,
  { state, wakeAt }: { readonly state: ActionState; readonly wakeAt?: Instant },
  { now, execution }: { readonly now: Instant; readonly execution: ExecutionRecord | undefined },
): void {
  context.db.one(
    // A hold that was answered is looked at again at once, and one that was barred soon, also after a crash.
    `UPDATE action SET state = ?1, revision = revision + 1, updated_at = ?2, due_at = min(due_at, ?3),
       settled_at = ?4, outcome = ?5, resolved_by = ?6, resolved_reason = ?7
     WHERE id = ?8 AND revision = ?9`,
    state,
    now,
    wakeAt ?? now,
    execution?.settledAt ?? null,
    execution?.outcome === undefined ? null : jsonText(execution.outcome),
    execution?.resolvedBy?.person ?? null,
    execution?.resolvedBy?.reason ?? null,
    stored.row,
    stored.record.revision,
  );
  if (state === stored.record.state) return;
  if (stored.record.state === 'held') context.waits.end(stored.row);
  wakeWaiting(context, stored.tenant, occupiedKeys(stored), now);
}

/** The execution after a change; none where it was barred. */
function changedExecution(
  execution: ExecutionRecord,
  { outcome, resolvedBy }: Write,
  now: Instant,
): ExecutionRecord | undefined {
  if (outcome === 'barred') return undefined;
  return {
    ...execution,
    ...(outcome === undefined ? {} : { outcome, settledAt: now }),
    ...(resolvedBy === undefined ? {} : { resolvedBy }),
  };
}

interface Settlement {
  readonly stored: StoredAction;
  readonly execution: ExecutionRecord;
  readonly judgement: Write;
  readonly now: Instant;
}

/** What a change of an execution does to limits, approvals and whoever waits for its end. */
function settle(context: Context, { stored, execution, judgement, now }: Settlement): void {
  const { tenant, reserves, record } = stored;
  const { limits, outcome } = judgement;
  if (outcome === 'barred') forgetExecution(context, stored.row);
  if (limits === 'post' || limits === 'void') {
    const { crossedAt } = execution;
    context.counters.settle({ tenant, reserves, crossedAt, change: limits, now });
    wakeWaiting(context, tenant, new Set(reserves.map(({ key }) => key)), now);
  }
  if (judgement.restoreApprovals) {
    context.db.run(
      'UPDATE approval SET consumed = 0 WHERE action = ? AND consumed = 1',
      stored.row,
    );
  }
  if (outcome === undefined || outcome === 'barred') return;
  context.latest.settled(tenant, record.conflictKey, now);
  if (outcome.state !== 'succeeded') return;
  context.latest.succeeded(tenant, record, now);
  wakeWaiting(context, tenant, [`after:${record.target}/${record.operation}`], now);
}

/** A barred crossing leaves no execution behind: the next one is the action's only one. */
function forgetExecution({ db }: Context, row: number): void {
  db.one(
    `UPDATE action SET execution = NULL, crossed_at = NULL, engine = NULL, lease_until = NULL,
       effect = NULL, reserves = NULL WHERE id = ?`,
    row,
  );
}

function insertApproval({ db }: Context, row: number, approval: Approval): void {
  db.insert(
    `INSERT INTO approval (action, uuid, kind, requirement, consent, subject, approver, at, expires_at, consumed)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
    row,
    uuidBytes(approval.id),
    approval.kind,
    digestBytesOf(approval.requirement),
    digestBytesOf(approval.consent),
    jsonText(approval.subject),
    approval.approver,
    approval.at,
    approval.expiresAt,
  );
}

function written(
  context: Context,
  stored: StoredAction,
  changed: Partial<ActionRecord> & Pick<ActionRecord, 'state' | 'updatedAt'>,
): ChangeResult {
  const record = { ...stored.record, ...changed, revision: stored.record.revision + 1 };
  const reserves = record.execution === undefined ? [] : stored.reserves;
  context.recent.put({ ...stored, reserves, record });
  return { kind: 'written', record };
}

function refused(code: string, message: string): ChangeResult {
  return { kind: 'refused', code, message };
}

function unknownAction(action: ActionId): ChangeResult {
  return refused('action_unknown', `no action \`${action}\``);
}
