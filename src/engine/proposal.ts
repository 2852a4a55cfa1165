/**
 * Proposals on their way in: the frozen action, its canonical bytes and keys, and everything that is
 * refused before a row is written.
 */
import { actionJson, type Action } from '../kernel/action.ts';
import { DIGEST_TAGS, digestBytes, type Digest } from '../kernel/digest.ts';
import { effectKeyOf } from '../kernel/effect.ts';
import { parseActionId, uuidV7 } from '../kernel/id.ts';
import { addMs, type Instant } from '../kernel/instant.ts';
import { canonicalBytes } from '../kernel/json/write.ts';
import type { JsonObject } from '../kernel/json/value.ts';
import { readAction } from '../kernel/read-action.ts';
import type { Caller, Candidate, Configuration, Life } from './life.ts';
import { StoreError, type ActionRecord, type NewAction } from './ports.ts';

/** An action as a caller proposes it, parsed and frozen. */
export interface Proposal {
  readonly idempotencyKey: string;
  /** Over the whole request body. */
  readonly requestDigest: Digest;
  readonly target: string;
  readonly operation: string;
  readonly args: JsonObject;
  readonly deadline?: Instant;
  readonly notBefore?: Instant;
  readonly note?: string;
}

/** What a proposal came to. Where it was refused, nothing was stored and nothing was executed. */
export type Proposed =
  | { readonly kind: 'record'; readonly record: ActionRecord; readonly replayed: boolean }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string };

const REFUSALS = {
  overloaded: 'too much is under way; nothing was executed',
  draining: 'the layer is stopping; nothing was executed',
  store_full: 'the disk is full; nothing was executed',
  clock_jumped: 'the clock jumped, and nothing crosses until a person looks; nothing was executed',
  unsettled: 'policy or target kept changing; nothing was executed',
  too_many_open: 'too many of this agent’s actions are open; nothing was executed',
  too_many_denials: 'too many denied proposals of this agent in a minute; nothing was executed',
  blob_missing:
    'the agent has not put a blob that the action names, or it is gone; nothing was executed',
  idempotency_key_reused: 'this idempotency key belongs to another body; nothing was executed',
  deadline_too_far: 'the deadline is too far away; nothing was executed',
  not_before_after_deadline: 'not-before is not before the deadline; nothing was executed',
} as const;

/** Why nothing was stored. The first five mean: come back later. */
export type RefusalCode = keyof typeof REFUSALS;

/** A refusal with its sentence. */
export function refusal(code: RefusalCode): Proposed {
  return { kind: 'refused', code, message: REFUSALS[code] };
}

/** The refusal that a store's error means; anything else is thrown on. */
export function refusalOf(error: unknown): Proposed {
  if (!(error instanceof StoreError)) throw error;
  if (error.code === 'store_full' || error.code === 'clock_jumped') return refusal(error.code);
  return refusal(error.code === 'store_closed' ? 'draining' : 'overloaded');
}

/** What an earlier proposal with the same key means for this one. */
export function replayOf(earlier: Proposed, proposal: Proposal): Proposed {
  if (earlier.kind !== 'record') return earlier;
  return earlier.record.requestDigest === proposal.requestDigest
    ? { ...earlier, replayed: true }
    : refusal('idempotency_key_reused');
}

/** What is wrong with the times of a proposal, if anything. */
export function refuseTimes(life: Life, proposal: Proposal): Proposed | undefined {
  const now = life.clock.now();
  const { deadline, notBefore } = proposal;
  if (deadline !== undefined && deadline > addMs(now, life.limits.deadlineMsMax)) {
    return refusal('deadline_too_far');
  }
  return notBefore !== undefined && notBefore >= deadlineOf(life, proposal, now)
    ? refusal('not_before_after_deadline')
    : undefined;
}

/** The action that a caller proposes, with fresh id and nonce. */
export function candidateOf(
  life: Life,
  configuration: Configuration,
  { caller, proposal }: { readonly caller: Caller; readonly proposal: Proposal },
): Candidate {
  const now = life.clock.now();
  const action: Action = {
    tenant: caller.tenant,
    principal: {
      agent: caller.agent,
      ...(caller.delegator === undefined ? {} : { delegator: caller.delegator }),
    },
    target: proposal.target,
    operation: proposal.operation,
    args: proposal.args,
    deadline: deadlineOf(life, proposal, now),
    ...(proposal.notBefore === undefined ? {} : { notBefore: proposal.notBefore }),
  };
  const id = parseActionId(uuidV7(now, life.randomness.bytes(10)));
  if (id === undefined) throw new Error('a fresh UUIDv7 has its form');
  const keys = keysOf(configuration, action);
  const bytes = canonicalBytes(actionJson(action));
  const proposed: NewAction = {
    id,
    action,
    bytes,
    digest: digestBytes(DIGEST_TAGS.action, bytes),
    nonce: Buffer.from(life.randomness.bytes(32)).toString('hex'),
    idempotencyKey: proposal.idempotencyKey,
    requestDigest: proposal.requestDigest,
    ...keys,
    note: proposal.note,
  };
  const { digest, nonce } = proposed;
  return {
    id,
    action,
    digest,
    nonce,
    proposedAt: now,
    ...keys,
    proposal: proposed,
    record: undefined,
  };
}

/** A stored action as its bytes say; `undefined` where they no longer have their digest. */
export function rereadOf(record: ActionRecord): Candidate | undefined {
  const action = readAction(record.bytes, record.digest);
  if (action === undefined) return undefined;
  const { id, digest, nonce, proposedAt, effectKey, conflictKey } = record;
  return {
    id,
    action,
    digest,
    nonce,
    proposedAt,
    effectKey,
    conflictKey,
    proposal: undefined,
    record,
  };
}

function deadlineOf(life: Life, proposal: Proposal, now: Instant): Instant {
  return proposal.deadline ?? addMs(now, life.limits.deadlineMsDefault);
}

function keysOf(
  { policy }: Configuration,
  action: Action,
): Pick<NewAction, 'effectKey' | 'conflictKey'> {
  const operation = policy.inventory.targets.get(action.target)?.operations.get(action.operation);
  if (operation === undefined) return { effectKey: undefined, conflictKey: action.target };
  // Where `once` gives no value nobody knows which effect it is: the gathering refuses to go on.
  return {
    effectKey: effectKeyOf(operation, action.args),
    conflictKey: operation.conflictKey,
  };
}
