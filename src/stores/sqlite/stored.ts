/** The shapes of the structures that lie in JSON columns. */
import type { ConsentSubject, Preview, Resolution } from '../../kernel/action.ts';
import {
  FINDING_CODES,
  type Ask,
  type Finding,
  type HaltScope,
  type Reservation,
} from '../../kernel/decision.ts';
import { parseDigest, type Digest } from '../../kernel/digest.ts';
import type { Position } from '../../kernel/document.ts';
import {
  parseActionId,
  parsePersonName,
  parseTenantName,
  type PersonName,
} from '../../kernel/id.ts';
import { instantOf, type Instant } from '../../kernel/instant.ts';
import type { Outcome, StoredDecision } from '../../engine/ports.ts';
import {
  anyJson,
  boolean,
  listOf,
  member,
  misshapen,
  nullable,
  number,
  object,
  oneOf,
  optional,
  parsed,
  recordOf,
  string,
  type Shape,
} from './shape.ts';

const instant: Shape<Instant> = (value) => {
  try {
    return instantOf(number(value));
  } catch {
    return misshapen();
  }
};

const digest: Shape<Digest> = parsed(parseDigest);

const verdict = oneOf('admit', 'hold', 'deny');

const position: Shape<Position> = (value) => {
  const from = object(value);
  return {
    file: member(from, 'file', string),
    line: member(from, 'line', number),
    column: member(from, 'column', number),
  };
};

const findingRule: Shape<NonNullable<Finding['rule']>> = (value) => {
  const from = object(value);
  return {
    id: member(from, 'id', string),
    effect: member(from, 'effect', string),
    position: member(from, 'position', position),
  };
};

const finding: Shape<Finding> = (value) => {
  const from = object(value);
  return {
    code: member(from, 'code', oneOf(...FINDING_CODES)),
    status: member(from, 'status', oneOf('met', 'unmet', 'undetermined', 'impossible')),
    message: member(from, 'message', string),
    ...optional(from, 'rule', findingRule),
    ...optional(from, 'requirement', digest),
    ...optional(from, 'actual', anyJson),
    ...optional(from, 'needed', anyJson),
    ...optional(from, 'change', string),
    ...optional(from, 'at', instant),
    ...optional(from, 'waitsFor', string),
  };
};

const askedFrom: Shape<Ask['from']> = (value) => {
  if (value === 'delegator') return 'delegator';
  const from = object(value);
  return Object.hasOwn(from, 'role')
    ? { role: member(from, 'role', string) }
    : { person: member(from, 'person', string) };
};

const ask: Shape<Ask> = (value) => {
  const from = object(value);
  return {
    kind: member(from, 'kind', oneOf('approval', 'confirmation')),
    requirement: member(from, 'requirement', digest),
    from: member(from, 'from', askedFrom),
    have: member(from, 'have', number),
    need: member(from, 'need', number),
    validForMs: member(from, 'validForMs', number),
    until: member(from, 'until', instant),
  };
};

const shadow: Shape<StoredDecision['shadow'][number]> = (value) => {
  const from = object(value);
  return { rule: member(from, 'rule', string), would: member(from, 'would', verdict) };
};

/** A decision beside its action. */
export const storedDecision: Shape<StoredDecision> = (value) => {
  const from = object(value);
  return {
    verdict: member(from, 'verdict', verdict),
    findings: member(from, 'findings', listOf(finding)),
    matched: member(from, 'matched', listOf(string)),
    shadow: member(from, 'shadow', listOf(shadow)),
    asks: member(from, 'asks', listOf(ask)),
    ...optional(from, 'wakeAt', instant),
    at: member(from, 'at', instant),
    epoch: member(from, 'epoch', number),
  };
};

const resolution: Shape<Resolution> = (value) => {
  const from = object(value);
  return {
    identity: member(from, 'identity', nullable(string)),
    environment: member(from, 'environment', string),
    operation: member(from, 'operation', digest),
    effect: member(from, 'effect', digest),
    credential: member(from, 'credential', nullable(string)),
    executor: member(from, 'executor', string),
    files: member(from, 'files', recordOf(digest)),
    recorded: member(from, 'recorded', object),
    observedAt: member(from, 'observedAt', instant),
  };
};

const preview: Shape<Preview> = (value) => {
  const from = object(value);
  return {
    material: member(from, 'material', object),
    context: member(from, 'context', object),
    observedAt: member(from, 'observedAt', instant),
  };
};

/** What an execution reserved. */
export const reservations: Shape<readonly Reservation[]> = listOf((value) => {
  const from = object(value);
  return {
    key: member(from, 'key', string),
    perMs: member(from, 'perMs', number),
    amount: member(from, 'amount', string),
  };
});

/** What people consent to. */
export const consentSubject: Shape<ConsentSubject> = (value) => {
  const from = object(value);
  return {
    tenant: member(from, 'tenant', parsed(parseTenantName)),
    action: member(from, 'action', parsed(parseActionId)),
    nonce: member(from, 'nonce', string),
    actionDigest: member(from, 'actionDigest', digest),
    resolution: member(from, 'resolution', resolution),
    preview: member(from, 'preview', nullable(preview)),
  };
};

/** How an execution ended. */
export const storedOutcome: Shape<Outcome> = (value) => {
  const from = object(value);
  return {
    state: member(from, 'state', oneOf('succeeded', 'failed', 'not_executed', 'unknown')),
    sent: member(from, 'sent', boolean),
    code: member(from, 'code', string),
    message: member(from, 'message', string),
    result: member(from, 'result', anyJson),
  };
};

/** What a halt covers. */
export const haltScope: Shape<HaltScope> = (value) => {
  const from = object(value);
  return {
    ...optional(from, 'target', string),
    ...optional(from, 'operation', string),
    ...optional(from, 'kind', string),
    ...optional(from, 'agent', string),
    ...optional(from, 'environment', string),
  };
};

/** Role names. */
export const texts: Shape<readonly string[]> = listOf(string);

/** Names of people. */
export const people: Shape<readonly PersonName[]> = listOf(parsed(parsePersonName));
