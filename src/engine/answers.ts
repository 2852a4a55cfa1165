/**
 * What people and agents say about a stored action: a yes or a no to a hold, its withdrawal, and a
 * named person's word on an unknown outcome. Each is one transaction, judged under lock; a yes is
 * followed by an advance.
 */
import { asksFor, judgeAnswer, judgeRejection } from '../approval/answer.ts';
import { consentDigest } from '../kernel/action.ts';
import type { Ask, LocalFacts } from '../kernel/decision.ts';
import type { Digest } from '../kernel/digest.ts';
import {
  parseApprovalId,
  uuidV7,
  type ActionId,
  type AgentName,
  type ApprovalId,
  type PersonName,
  type TenantName,
} from '../kernel/id.ts';
import { addMs, type Instant } from '../kernel/instant.ts';
import { readAction } from '../kernel/read-action.ts';
import { LIMITS_AFTER } from './advance.ts';
import type { Engine } from './engine.ts';
import { answeredEntry, changedEntry } from './entries.ts';
import type {
  ActionRecord,
  AnswerCommand,
  AnswerJudgement,
  ChangeResult,
  Outcome,
} from './ports.ts';
import { peopleOf } from './people.ts';
import { transition, type OutcomeState } from './transition.ts';

/** A refusal with a stable code; nothing was written. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: string;
  readonly message: string;
}

/** What a person is asked: the occasion's digest, and a challenge that one answer spends. */
export interface Asked {
  readonly kind: 'asked';
  readonly record: ActionRecord;
  readonly consent: Digest;
  readonly challenge: string;
  readonly expiresAt: Instant;
  readonly asks: readonly Ask[];
}

/** Which action of which tenant, and which person. */
export interface PersonAtAction {
  readonly tenant: TenantName;
  readonly person: PersonName;
  readonly action: ActionId;
}

/** A person's answer. `consent` and `challenge` are the ones of {@link ask}. */
export interface Answer extends PersonAtAction {
  readonly consent: Digest;
  readonly challenge: string;
  readonly decision: 'approve' | 'reject';
  readonly reason?: string;
}

/** Opens a hold for a person to answer. Codes: `action_unknown`, `not_held`, `not_asked`, `not_entitled`. */
export async function ask(engine: Engine, at: PersonAtAction): Promise<Asked | Refused> {
  const { life } = engine;
  const record = await engine.store.action(at.tenant, at.action);
  if (record === undefined) return UNKNOWN_ACTION;
  if (record.state !== 'held') return refused('not_held', `the action is ${record.state}`);
  const action = readAction(record.bytes, record.digest);
  if (action === undefined) return TAMPERED;
  const asks = record.decision?.asks ?? [];
  if (record.subject === undefined || asks.length === 0) {
    return refused('not_asked', 'nobody is asked about this action now');
  }
  const question = {
    ...at,
    action,
    asks,
    now: life.clock.now(),
    local: await localOf(engine, record),
  };
  const own = asksFor(question);
  if (own.length === 0 && judgeRejection(question).kind === 'refuse') {
    return refused('not_entitled', `\`${at.person}\` is not asked about this action`);
  }
  const challenge = Buffer.from(life.randomness.bytes(16)).toString('base64url');
  const validMs = life.limits.challengeMs;
  await engine.store.challenge({ ...at, challenge, validMs });
  return {
    kind: 'asked',
    record,
    consent: consentDigest(record.subject),
    challenge,
    expiresAt: addMs(life.clock.now(), validMs),
    asks: own,
  };
}

/** Agent and people as they are now. Whether a yes counts is judged again under lock. */
async function localOf(
  engine: Engine,
  record: ActionRecord,
): Promise<Pick<LocalFacts, 'agent' | 'people'>> {
  const { local } = await engine.store.look({
    ...record,
    action: record.id,
    stored: true,
    once: false,
    serialised: false,
    limits: [],
    after: [],
  });
  return { agent: local.agent, people: await peopleOf(engine.store, record.tenant) };
}

/**
 * Stores a person's yes or no. After a yes the action is advanced, and the record is as it is then.
 * Codes: `action_unknown`, `not_held`, `challenge_invalid`, `payload_mismatch`, `reason_missing` and
 * those of `approval/answer.ts`.
 */
export async function answer(engine: Engine, given: Answer): Promise<ChangeResult> {
  const { life } = engine;
  if (given.decision === 'reject' && (given.reason ?? '').trim() === '') {
    return refused('reason_missing', 'a rejection needs a reason: it reaches the agent');
  }
  const result = await engine.store.answer({
    tenant: given.tenant,
    action: given.action,
    challenge: given.challenge,
    person: given.person,
    judge: (now, record, local) => judge(engine, given, { now, record, local }),
  });
  if (result.kind !== 'written') return result;
  life.changed(result.record);
  if (given.decision === 'reject') {
    engine.poke();
    return result;
  }
  const record = await engine.advance(given.tenant, given.action);
  return { kind: 'written', record: record ?? result.record };
}

/** Takes back a hold, by the agent that proposed it. Codes: `action_unknown`, `already_final`, `already_executing`. */
export async function withdraw(
  engine: Engine,
  given: { readonly tenant: TenantName; readonly agent: AgentName; readonly action: ActionId },
): Promise<ChangeResult> {
  return change(engine, given, (at, record) => {
    const next = transition(record.state, { kind: 'withdrawn' });
    if (record.agent !== given.agent) return REFUSE_UNKNOWN;
    if (!next.ok) return refuse(next.code, `the action is ${record.state}`);
    return {
      kind: 'write',
      state: next.state,
      limits: 'keep',
      restoreApprovals: false,
      entries: [
        changedEntry('withdrawn', {
          record,
          at,
          body: { by: given.agent },
          salt: engine.life.salt,
        }),
      ],
    };
  });
}

/** A named person's word on what became of an unknown execution. Codes: `action_unknown`, `not_unknown`, `reason_missing`. */
export async function resolve(
  engine: Engine,
  given: PersonAtAction & {
    readonly outcome: Exclude<OutcomeState, 'unknown'>;
    readonly reason: string;
  },
): Promise<ChangeResult> {
  if (given.reason.trim() === '')
    return refused('reason_missing', 'say what you saw at the target');
  const outcome: Outcome = {
    state: given.outcome,
    sent: given.outcome !== 'not_executed',
    code: 'resolved_by_person',
    message: `${given.person}: ${given.reason}`,
    result: null,
  };
  return change(engine, given, (at, record) => {
    const next = transition(record.state, { kind: 'resolved', outcome: given.outcome });
    if (!next.ok) return refuse(next.code, `the action is ${record.state}, not unknown`);
    return {
      kind: 'write',
      state: next.state,
      limits: LIMITS_AFTER[given.outcome],
      restoreApprovals: false,
      outcome,
      resolvedBy: { person: given.person, reason: given.reason },
      entries: [
        changedEntry('resolved', {
          record,
          at,
          body: { by: given.person },
          outcome,
          salt: engine.life.salt,
        }),
      ],
    };
  });
}

type ChangeJudge = Parameters<Engine['store']['change']>[0]['judge'];

async function change(
  engine: Engine,
  given: { readonly tenant: TenantName; readonly action: ActionId },
  judgeChange: ChangeJudge,
): Promise<ChangeResult> {
  const result = await engine.store.change({
    tenant: given.tenant,
    action: given.action,
    judge: judgeChange,
  });
  if (result.kind === 'written') {
    engine.life.changed(result.record);
    engine.poke();
  }
  return result;
}

interface Locked {
  readonly now: Instant;
  readonly record: ActionRecord;
  readonly local: Parameters<AnswerCommand['judge']>[2];
}

function judge(engine: Engine, given: Answer, { now, record, local }: Locked): AnswerJudgement {
  if (record.state !== 'held') return refuse('not_held', `the action is ${record.state}`);
  const action = readAction(record.bytes, record.digest);
  if (action === undefined) {
    return refuse('payload_mismatch', 'the stored bytes are not the action that was proposed');
  }
  const { person } = given;
  const asks = record.decision?.asks ?? [];
  if (given.decision === 'reject') {
    const rejection = judgeRejection({ person, asks, action, local });
    if (rejection.kind === 'refuse') return rejection;
    return {
      kind: 'write',
      state: 'rejected',
      approvals: [],
      ended: { by: person, reason: given.reason ?? '' },
      entries: [
        changedEntry('rejected', {
          record,
          at: now,
          body: { by: person, reason: given.reason ?? '' },
          salt: engine.life.salt,
        }),
      ],
    };
  }
  const judged = judgeAnswer({
    now,
    person,
    consent: given.consent,
    subject: record.subject,
    asks,
    action,
    local,
    nextId: () => newApprovalId(engine, now),
  });
  if (judged.kind === 'refuse') return judged;
  return {
    kind: 'write',
    state: 'held',
    approvals: judged.approvals,
    entries: judged.approvals.map((approval) =>
      answeredEntry({ record, approval, salt: engine.life.salt }),
    ),
  };
}

function newApprovalId(engine: Engine, now: Instant): ApprovalId {
  const id = parseApprovalId(uuidV7(now, engine.life.randomness.bytes(10)));
  if (id === undefined) throw new Error('a fresh UUIDv7 has its form');
  return id;
}

const TAMPERED: Refused = refused(
  'payload_mismatch',
  'the stored bytes are not the action that was proposed',
);
const UNKNOWN_ACTION: Refused = refused('action_unknown', 'there is no such action');
const REFUSE_UNKNOWN = refuse('action_unknown', 'there is no such action');

function refused(code: string, message: string): Refused {
  return { kind: 'refused', code, message };
}

function refuse(
  code: string,
  message: string,
): { readonly kind: 'refuse'; readonly code: string; readonly message: string } {
  return { kind: 'refuse', code, message };
}
