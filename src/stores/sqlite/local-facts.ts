/** What a crossing reads under its lock: the local facts of one action, as they are at this instant. */
import type {
  AgentState,
  Approval,
  EffectOccupant,
  LimitState,
  LocalFacts,
  PersonState,
} from '../../kernel/decision.ts';
import { parseActionId, parseApprovalId, parsePersonName, type ActionId } from '../../kernel/id.ts';
import type { Instant } from '../../kernel/instant.ts';
import type { LocalQuery } from '../../engine/ports.ts';
import {
  digestBytesOf,
  readDigest,
  readInstant,
  readJson,
  readName,
  readUuid,
  uuidBytes,
} from './columns.ts';
import { integer, text, type Connection, type Row } from './connection.ts';
import { readLimit } from './limits.ts';
import { closure, delegationKey, type Standing } from './standing.ts';
import { consentSubject } from './stored.ts';

/** Whose local facts are read. */
export interface Subject {
  readonly standing: Standing;
  /** The action's row, once it is stored. */
  readonly row: number | undefined;
  /** Somebody who matters beside those the action names: a person who is answering. */
  readonly alsoPerson?: string;
}

/** Reads them all. A tenant that nothing was written for has none. */
export function readLocalFacts(
  db: Connection,
  query: Omit<LocalQuery, 'tenant'>,
  subject: Subject,
  now: Instant,
): LocalFacts {
  const { standing, row } = subject;
  const approvals = row === undefined ? [] : readApprovals(db, row);
  return {
    epoch: standing.epoch?.number ?? 0,
    halts: standing.halts,
    agent: agentState(standing, query),
    people: peopleOf(query, subject, approvals),
    approvals,
    effect: occupant(db, standing.tenant, query),
    conflict: conflict(db, standing.tenant, query),
    limits: limits(db, standing.tenant, query, now),
    after: lastSuccesses(db, standing.tenant, query),
  };
}

/** The local facts of a tenant that was never written for. */
export function noLocalFacts(query: LocalQuery): LocalFacts {
  const limitStates: Record<string, LimitState> = Object.create(null);
  for (const { key } of query.limits) limitStates[key] = { used: '0', frees: [] };
  return {
    epoch: 0,
    halts: [],
    agent: undefined,
    people: {},
    approvals: [],
    effect: undefined,
    conflict: {},
    limits: limitStates,
    after: {},
  };
}

/** The approvals and confirmations of an action, oldest first. */
export function readApprovals(db: Connection, action: number): readonly Approval[] {
  return db.all('SELECT * FROM approval WHERE action = ? ORDER BY id', action).map(approval);
}

function approval(row: Row): Approval {
  return {
    id: readUuid(row, 'uuid', parseApprovalId),
    kind: text(row, 'kind') === 'confirmation' ? 'confirmation' : 'approval',
    requirement: readDigest(row, 'requirement'),
    consent: readDigest(row, 'consent'),
    subject: readJson(row, 'subject', consentSubject),
    approver: readName(row, 'approver', parsePersonName),
    at: readInstant(row, 'at'),
    expiresAt: readInstant(row, 'expires_at'),
    consumed: integer(row, 'consumed') === 1,
  };
}

type Query = Omit<LocalQuery, 'tenant'>;

function agentState(standing: Standing, { agent, delegator }: Query): AgentState | undefined {
  const state = standing.agents.get(agent);
  if (state === undefined || delegator === undefined) return state;
  const delegationLive =
    standing.people.get(delegator)?.live === true &&
    standing.delegations.has(delegationKey(agent, delegator));
  return { ...state, delegationLive };
}

function peopleOf(
  { agent, delegator }: Query,
  { standing, alsoPerson }: Subject,
  approvals: readonly Approval[],
): Readonly<Record<string, PersonState>> {
  const named: string[] = [...(standing.agents.get(agent)?.owners ?? [])];
  if (delegator !== undefined) named.push(delegator);
  if (alsoPerson !== undefined) named.push(alsoPerson);
  for (const { approver } of approvals) named.push(approver);
  const states: Record<string, PersonState> = {};
  for (const name of closure(standing, named)) {
    const state = standing.people.get(name);
    if (state !== undefined) states[name] = state;
  }
  return states;
}

/** Who is before this action at the same effect; a success counts where the operation declares `once`. */
function occupant(
  db: Connection,
  tenant: number,
  { action, effectKey, once }: Query,
): EffectOccupant | undefined {
  if (effectKey === undefined) return undefined;
  const key = digestBytesOf(effectKey);
  const done =
    once &&
    db.get(
      `SELECT uuid, state FROM action
       WHERE once = 1 AND state = 'succeeded' AND tenant = ? AND effect_key = ? LIMIT 1`,
      tenant,
      key,
    );
  if (done) return occupantOf(done, 'succeeded');
  const self = uuidBytes(action);
  // One look at the index a state, so that it costs the same however many wait.
  for (const state of ['executing', 'unknown'] as const) {
    const live = db.get(LIVE[state], tenant, key, self);
    if (live !== undefined) return occupantOf(live, state);
  }
  // Of held actions only those that came before are in the way, or two would wait for each other.
  const held = db.get(LIVE.held, tenant, key, self);
  return held && occupantOf(held, 'held');
}

const LIVE = {
  executing: `SELECT uuid FROM action
    WHERE tenant = ? AND effect_key = ? AND state = 'executing' AND uuid <> ? LIMIT 1`,
  unknown: `SELECT uuid FROM action
    WHERE tenant = ? AND effect_key = ? AND state = 'unknown' AND uuid <> ? LIMIT 1`,
  held: `SELECT uuid FROM action
    WHERE tenant = ? AND effect_key = ? AND state = 'held' AND uuid < ? ORDER BY uuid LIMIT 1`,
} as const;

function occupantOf(row: Row, state: EffectOccupant['state']): EffectOccupant {
  return { action: readUuid(row, 'uuid', parseActionId), state };
}

function conflict(
  db: Connection,
  tenant: number,
  { action, conflictKey }: Query,
): LocalFacts['conflict'] {
  const executing = db.get(
    `SELECT uuid FROM action
     WHERE state = 'executing' AND tenant = ? AND conflict_key = ? AND uuid <> ? LIMIT 1`,
    tenant,
    conflictKey,
    uuidBytes(action),
  );
  const settled = db.get(
    'SELECT settled_at FROM conflict WHERE tenant = ? AND key = ?',
    tenant,
    conflictKey,
  );
  const busy: { readonly executing?: ActionId } =
    executing === undefined ? {} : { executing: readUuid(executing, 'uuid', parseActionId) };
  return settled === undefined ? busy : { ...busy, settledAt: readInstant(settled, 'settled_at') };
}

function limits(
  db: Connection,
  tenant: number,
  query: Query,
  now: Instant,
): Readonly<Record<string, LimitState>> {
  if (query.limits.length === 0) return {};
  const states: Record<string, LimitState> = Object.create(null);
  for (const demand of query.limits) states[demand.key] = readLimit(db, tenant, demand, now);
  return states;
}

function lastSuccesses(
  db: Connection,
  tenant: number,
  query: Query,
): Readonly<Record<string, Instant>> {
  if (query.after.length === 0) return {};
  const instants: Record<string, Instant> = Object.create(null);
  for (const { key, target, operation } of query.after) {
    const row = db.get(
      'SELECT at FROM last_success WHERE tenant = ? AND target = ? AND operation = ?',
      tenant,
      target,
      operation,
    );
    if (row !== undefined) instants[key] = readInstant(row, 'at');
  }
  return instants;
}
