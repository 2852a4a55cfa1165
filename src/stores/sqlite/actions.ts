/** Rows of actions and their executions, read back as records. */
import {
  parseActionId,
  parseAgentName,
  parseExecutionId,
  parsePersonName,
  type ActionId,
  type TenantName,
} from '../../kernel/id.ts';
import type { Reservation } from '../../kernel/decision.ts';
import type { ActionRecord, ExecutionRecord } from '../../engine/ports.ts';
import type { ActionState } from '../../engine/transition.ts';
import {
  readDigest,
  readDigestOrNone,
  readInstant,
  readInstantOrNone,
  readJsonOrNone,
  readName,
  readUuid,
  uuidBytes,
} from './columns.ts';
import {
  blob,
  integer,
  malformed,
  text,
  textOrNone,
  type Connection,
  type Row,
  type Value,
} from './connection.ts';
import { consentSubject, reservations, storedDecision, storedOutcome } from './stored.ts';

/** An action with its row's own key, and what the store alone knows of it. */
export interface StoredAction {
  readonly row: number;
  readonly tenant: number;
  readonly once: boolean;
  /** What its execution reserved under limits, and holds until the outcome is known. */
  readonly reserves: readonly Reservation[];
  readonly record: ActionRecord;
}

const STATES: readonly ActionState[] = [
  'held',
  'executing',
  'succeeded',
  'failed',
  'not_executed',
  'unknown',
  'denied',
  'rejected',
  'withdrawn',
  'expired',
];

const SELECT = `SELECT action.*, request_digest, digest, nonce, note, bytes, decision, subject
  FROM action JOIN content ON content.action = action.id`;

/** One action by its id; throws `store_corrupt` for one that is not as it was written. */
export function findAction(
  db: Connection,
  tenant: { readonly id: number; readonly name: TenantName },
  id: ActionId,
): StoredAction | undefined {
  const row = db.get(
    `${SELECT} WHERE action.tenant = ? AND action.uuid = ?`,
    tenant.id,
    uuidBytes(id),
  );
  return row === undefined ? undefined : readAction(row, tenant.name);
}

/** The actions of a query, which is what follows `SELECT … FROM action …`. */
export function selectActions(
  db: Connection,
  clause: string,
  ...values: readonly Value[]
): readonly Row[] {
  return db.all(`${SELECT} ${clause}`, ...values);
}

/** A row as an action. */
export function readAction(row: Row, tenant: TenantName): StoredAction {
  return {
    row: integer(row, 'id'),
    tenant: integer(row, 'tenant'),
    once: integer(row, 'once') === 1,
    reserves: readJsonOrNone(row, 'reserves', reservations) ?? [],
    record: {
      tenant,
      id: readUuid(row, 'uuid', parseActionId),
      bytes: blob(row, 'bytes'),
      digest: readDigest(row, 'digest'),
      nonce: text(row, 'nonce'),
      requestDigest: readDigest(row, 'request_digest'),
      agent: readName(row, 'agent', parseAgentName),
      delegator:
        textOrNone(row, 'delegator') === undefined
          ? undefined
          : readName(row, 'delegator', parsePersonName),
      target: text(row, 'target'),
      operation: text(row, 'operation'),
      effectKey: readDigestOrNone(row, 'effect_key'),
      conflictKey: text(row, 'conflict_key'),
      deadline: readInstant(row, 'deadline'),
      proposedAt: readInstant(row, 'proposed_at'),
      askedSince: readInstant(row, 'asked_since'),
      state: readState(row),
      revision: integer(row, 'revision'),
      note: textOrNone(row, 'note'),
      decision: readJsonOrNone(row, 'decision', storedDecision),
      subject: readJsonOrNone(row, 'subject', consentSubject),
      execution: row['execution'] === null ? undefined : readExecution(row),
      ended: readEnded(row),
      updatedAt: readInstant(row, 'updated_at'),
    },
  };
}

function readState(row: Row): ActionState {
  const state = text(row, 'state');
  return STATES.find((each) => each === state) ?? malformed('state');
}

function readEnded(row: Row): ActionRecord['ended'] {
  if (textOrNone(row, 'ended_by') === undefined) return undefined;
  return { by: readName(row, 'ended_by', parsePersonName), reason: text(row, 'ended_reason') };
}

function readExecution(row: Row): ExecutionRecord {
  const person = textOrNone(row, 'resolved_by');
  return {
    id: readUuid(row, 'execution', parseExecutionId),
    crossedAt: readInstant(row, 'crossed_at'),
    engine: text(row, 'engine'),
    leaseUntil: readInstant(row, 'lease_until'),
    effect: readDigest(row, 'effect'),
    outcome: readJsonOrNone(row, 'outcome', storedOutcome),
    settledAt: readInstantOrNone(row, 'settled_at'),
    resolvedBy:
      person === undefined
        ? undefined
        : {
            person: readName(row, 'resolved_by', parsePersonName),
            reason: text(row, 'resolved_reason'),
          },
  };
}

/** What {@link listActions} goes by. */
export interface ActionFilter {
  readonly tenant: number;
  readonly agent?: string;
  readonly states?: readonly ActionState[];
  readonly before?: ActionId;
  readonly count: number;
}

/** The states in which an action still occupies something, with the index each is found by. */
const OPEN: Readonly<Partial<Record<ActionState, string>>> = {
  held: 'action_open',
  unknown: 'action_open',
  executing: 'action_executing',
};

/** Rows newest first. Open states are found by their partial indexes, others by going back in time. */
export function listActions(db: Connection, filter: ActionFilter): readonly Row[] {
  const { states, count } = filter;
  if (states === undefined) return listWhere(db, filter, {});
  const open = states.every((state) => OPEN[state] !== undefined);
  if (!open) return listWhere(db, filter, { states });
  const rows = [...new Set(states)].flatMap((state) => {
    const index = OPEN[state];
    return listWhere(db, filter, { states: [state], ...(index === undefined ? {} : { index }) });
  });
  return rows
    .sort((left, right) => Buffer.compare(blob(right, 'uuid'), blob(left, 'uuid')))
    .slice(0, count);
}

function listWhere(
  db: Connection,
  { tenant, agent, before, count }: ActionFilter,
  by: { readonly states?: readonly ActionState[]; readonly index?: string },
): readonly Row[] {
  const values: Value[] = [tenant];
  let where = 'tenant = ?';
  if (by.states !== undefined) where += ` AND ${stateIs(by.states)}`;
  if (agent !== undefined) {
    where += ' AND agent = ?';
    values.push(agent);
  }
  if (before !== undefined) {
    where += ' AND uuid < ?';
    values.push(uuidBytes(before));
  }
  const hint = by.index === undefined ? '' : `INDEXED BY ${by.index}`;
  // The ids first: sorting whole rows would carry every action's bytes along.
  const ids = `SELECT id FROM action ${hint} WHERE ${where} ORDER BY uuid DESC LIMIT ?`;
  values.push(count);
  return selectActions(db, `WHERE action.id IN (${ids}) ORDER BY action.uuid DESC`, ...values);
}

/** States come from a closed list, so that they may stand in the text of a statement. */
function stateIs(states: readonly ActionState[]): string {
  const known = STATES.filter((state) => states.includes(state)).map((state) => `'${state}'`);
  return known.length === 1 ? `state = ${known.join('')}` : `state IN (${known.join(', ')})`;
}
