/**
 * What the engine writes into the ledger, one function an entry. Names, ids, digests and codes stand in
 * the entry; everything an action carries or touched lies beside it as an erasable payload.
 */
import { actionJson, consentDigests } from '../kernel/action.ts';
import type { Approval, Decision, DecisionInput, Gathered } from '../kernel/decision.ts';
import type { Digest } from '../kernel/digest.ts';
import type { ExecutionId, PersonName } from '../kernel/id.ts';
import type { Instant } from '../kernel/instant.ts';
import type { JsonObject } from '../kernel/json/value.ts';
import { draftEntry, type LedgerDraft, type LedgerKind } from '../ledger/entry.ts';
import type { ActionRecord, NewAction, Outcome } from './ports.ts';

/** Thirty-two fresh random bytes at each call. */
export type Salt = () => Uint8Array;

/** The proposal, with the action whole beside it. */
export function proposedEntry(proposed: NewAction, at: Instant, salt: Salt): LedgerDraft {
  const { action } = proposed;
  return draftEntry({
    kind: 'proposed',
    tenant: action.tenant,
    at,
    action: proposed.id,
    body: {
      agent: action.principal.agent,
      delegator: action.principal.delegator ?? null,
      digest: proposed.digest,
      effectKey: proposed.effectKey ?? null,
      operation: action.operation,
      request: proposed.requestDigest,
      target: action.target,
    },
    payloads: {
      action: actionJson(action),
      ...(proposed.note === undefined ? {} : { note: proposed.note }),
    },
    salt,
  });
}

/** What a decision was made from, and what it said; `epoch` names the policy and inventory. */
export interface DecidedParts {
  readonly input: DecisionInput;
  readonly decision: Decision;
  readonly policy: Digest;
  readonly salt: Salt;
}

/** A hold or a denial. */
export function decidedEntry(parts: DecidedParts): LedgerDraft {
  return draftEntry({
    kind: 'decided',
    tenant: parts.input.action.tenant,
    at: parts.input.now,
    action: parts.input.id,
    body: decisionBody(parts),
    payloads: { decision: parts.decision, inputs: inputsJson(parts.input) },
    salt: parts.salt,
  });
}

/** A crossing: the decision that admitted, and exactly what it allows to be sent. */
export function crossedEntry(parts: DecidedParts, execution: ExecutionId): LedgerDraft {
  const { input, decision } = parts;
  const resolution = known(input.resolution);
  const digests = input.consent && consentDigests(input.consent);
  return draftEntry({
    kind: 'crossed',
    tenant: input.action.tenant,
    at: input.now,
    action: input.id,
    body: {
      ...decisionBody(parts),
      consent: digests?.consent ?? null,
      consumes: [...decision.consumes],
      effect: resolution?.effect ?? null,
      execution,
      preview: digests?.preview ?? null,
      reserves: decision.reserves.map(({ key, perMs, amount }) => ({ key, perMs, amount })),
      resolution: digests?.resolution ?? null,
    },
    // What it said follows from these by deciding again.
    payloads: { inputs: inputsJson(input) },
    salt: parts.salt,
  });
}

/** A change of an action that a decision does not make. */
export function changedEntry(
  kind: Extract<LedgerKind, 'barred' | 'withdrawn' | 'rejected' | 'settled' | 'resolved'>,
  parts: {
    readonly record: ActionRecord;
    readonly at: Instant;
    readonly body: JsonObject;
    readonly outcome?: Outcome;
    readonly salt: Salt;
  },
): LedgerDraft {
  const { record, outcome } = parts;
  return draftEntry({
    kind,
    tenant: record.tenant,
    at: parts.at,
    action: record.id,
    body: {
      ...parts.body,
      ...(record.execution === undefined ? {} : { execution: record.execution.id }),
      ...(outcome === undefined
        ? {}
        : { code: outcome.code, outcome: outcome.state, sent: outcome.sent }),
    },
    ...(outcome === undefined
      ? {}
      : { payloads: { outcome: { message: outcome.message, result: outcome.result } } }),
    salt: parts.salt,
  });
}

/** A person's yes, with everything it was a yes to beside it. */
export function answeredEntry(parts: {
  readonly record: ActionRecord;
  readonly approval: Approval;
  readonly salt: Salt;
}): LedgerDraft {
  const { approval, record } = parts;
  return draftEntry({
    kind: approval.kind === 'confirmation' ? 'confirmed' : 'approved',
    tenant: record.tenant,
    at: approval.at,
    action: record.id,
    body: {
      approval: approval.id,
      approver: approval.approver,
      consent: approval.consent,
      expiresAt: approval.expiresAt,
      requirement: approval.requirement,
    },
    payloads: { subject: approval.subject },
    salt: parts.salt,
  });
}

/** Something about the layer itself: a halt, a resumption, the directory, an epoch. */
export function controlEntry(
  kind: Extract<LedgerKind, 'halted' | 'resumed' | 'directory' | 'epoch' | 'purged'>,
  parts: {
    readonly tenant: string;
    readonly at: Instant;
    readonly by: PersonName | 'operator';
    readonly body: JsonObject;
    readonly payloads?: Readonly<Record<string, unknown>>;
    readonly salt: Salt;
  },
): LedgerDraft {
  return draftEntry({
    kind,
    tenant: parts.tenant,
    at: parts.at,
    body: { ...parts.body, by: parts.by },
    ...(parts.payloads === undefined ? {} : { payloads: parts.payloads }),
    salt: parts.salt,
  });
}

function decisionBody({ input, decision, policy }: DecidedParts): JsonObject {
  return {
    codes: decision.findings.filter((each) => each.status !== 'met').map((each) => each.code),
    epoch: input.local.epoch,
    matched: [...decision.matched],
    policy,
    verdict: decision.verdict,
  };
}

/** Everything `decide` saw but target and operation, which the epoch's inventory holds. */
function inputsJson(input: DecisionInput): unknown {
  const { local } = input;
  return {
    actionDigest: input.actionDigest,
    askedSince: input.askedSince,
    // With resolution and preview this is what people were asked to consent to.
    nonce: input.consent?.nonce ?? null,
    ...(input.effectKey === undefined ? {} : { effectKey: input.effectKey }),
    facts: input.facts,
    local: { ...local, agent: local.agent ?? null, effect: local.effect ?? null },
    now: input.now,
    preview: input.preview,
    proposedAt: input.proposedAt,
    resolution: input.resolution,
    windows: input.windows,
  };
}

function known<Value>(gathered: Gathered<Value>): Value | undefined {
  return gathered.kind === 'known' ? gathered.value : undefined;
}
