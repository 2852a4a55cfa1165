/** What a crossing reads under its lock: the local facts of one action, as they are at this instant. */
import type {
  AgentState,
  Approval,
  EffectOccupant,
  LimitState,
  LocalFacts,
  PersonState,
} from '../../kernel/decision.ts';
import { parseActionId, parseApprovalId, parsePersonName } from '../../kernel/id.ts';
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
import type { Context } from './context.ts';
import { closure, delegationKey, type Standing } from './standing.ts';
import { consentSubject } from './stored.ts';

/** Where they are read from. */
export type Remembered = Pick<Context, 'db' | 'counters' | 'latest'>;

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
  remembered: Remembered,
  query: Omit<LocalQuery, 'tenant'>,
  subject: Subject,
  now: Instant,
): LocalFacts {
  const { standing, row } = subject;
  const approvals = row === undefined ? [] : readApprovals(remembered.db, row);
  return {
    epoch: standing.epoch?.number ?? 0,
    halts: standing.halts,
    agent: agentState(standing, query),
    people: peopleOf(query, subject, approvals),
    approvals,
    effect: occupant(remembered, standing.tenant, query),
    conflict: conflict(remembered, standing.tenant, query),
    limits: limits(remembered, standing.tenant, query, now),
    after: lastSuccesses(remembered, standing.tenant, query),
    ...executorOf(query, standing),
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
    ...executorOf(query, undefined),
  };
}

function executorOf(
  { executor: name }: Pick<LocalQuery, 'executor'>,
  standing: Standing | undefined,
): Pick<LocalFacts, 'executor'> {
  if (name === undefined) return {};
  return { executor: { name, live: standing?.executors.get(name) === true } };
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
  { db }: Remembered,
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
  const row = db.get(LIVE, tenant, key, uuidBytes(action));
  const state = OCCUPYING.find((each) => row?.['state'] === each);
  return row && state && occupantOf(row, state);
}

const OCCUPYING = ['executing', 'unknown', 'held'] as const;

/**
 * One look at the index a state, so that it costs the same however many wait. Of held actions only those
 * that came before are in the way, or two would wait for each other.
 */
const LIVE = `SELECT * FROM (SELECT uuid, state FROM action
    WHERE tenant = ?1 AND effect_key = ?2 AND state = 'executing' AND uuid <> ?3 LIMIT 1)
  UNION ALL SELECT * FROM (SELECT uuid, state FROM action
    WHERE tenant = ?1 AND effect_key = ?2 AND state = 'unknown' AND uuid <> ?3 LIMIT 1)
  UNION ALL SELECT * FROM (SELECT uuid, state FROM action
    WHERE tenant = ?1 AND effect_key = ?2 AND state = 'held' AND uuid < ?3 ORDER BY uuid LIMIT 1)
  LIMIT 1`;

function occupantOf(row: Row, state: EffectOccupant['state']): EffectOccupant {
  return { action: readUuid(row, 'uuid', parseActionId), state };
}

function conflict(
  { db, latest }: Remembered,
  tenant: number,
  { action, conflictKey, serialised }: Query,
): LocalFacts['conflict'] {
  if (!serialised) return {};
  const executing = db.get(
    `SELECT uuid FROM action
     WHERE state = 'executing' AND tenant = ? AND conflict_key = ? AND uuid <> ? LIMIT 1`,
    tenant,
    conflictKey,
    uuidBytes(action),
  );
  const settledAt = latest.settledAt(tenant, conflictKey);
  return {
    ...(executing === undefined ? {} : { executing: readUuid(executing, 'uuid', parseActionId) }),
    ...(settledAt === undefined ? {} : { settledAt }),
  };
}

function limits(
  { counters }: Remembered,
  tenant: number,
  query: Query,
  now: Instant,
): Readonly<Record<string, LimitState>> {
  if (query.limits.length === 0) return {};
  const states: Record<string, LimitState> = Object.create(null);
  for (const demand of query.limits) states[demand.key] = counters.read(tenant, demand, now);
  return states;
}

function lastSuccesses(
  { latest }: Remembered,
  tenant: number,
  query: Query,
): Readonly<Record<string, Instant>> {
  if (query.after.length === 0) return {};
  const instants: Record<string, Instant> = Object.create(null);
  for (const { key, target, operation } of query.after) {
    const at = latest.succeededAt(tenant, { target, operation });
    if (at !== undefined) instants[key] = at;
  }
  return instants;
}
