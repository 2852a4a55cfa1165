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
  /** What made it, where that was not `decide`: a replay has to ask the same. */
  readonly maker?: DecisionMaker;
  /** What separates the layer from the agent, as its configuration says; only a crossing tells. */
  readonly isolation?: string;
  readonly salt: Salt;
}

/** What else than `decide` makes a decision: `foreclose`, or `payloadMismatch`. */
export type DecisionMaker = 'foreclosed' | 'mismatched';

/** A hold or a denial. */
export function decidedEntry(parts: DecidedParts): LedgerDraft {
  return draftEntry({
    kind: 'decided',
    tenant: parts.input.action.tenant,
    at: parts.input.now,
    action: parts.input.id,
    body: decidedBody(parts),
    payloads: { decision: parts.decision, inputs: inputsJson(parts) },
    salt: parts.salt,
  });
}

/** A crossing: the decision that admitted, and exactly what it allows to be sent. */
export function crossedEntry(parts: DecidedParts, execution: ExecutionId): LedgerDraft {
  const { input, isolation } = parts;
  const body = crossedBody(parts, execution);
  return draftEntry({
    kind: 'crossed',
    tenant: input.action.tenant,
    at: input.now,
    action: input.id,
    body: isolation === undefined ? body : { ...body, isolation },
    // What it said follows from these by deciding again, and stands in the body but for its sentences.
    payloads: { inputs: inputsJson(parts) },
    salt: parts.salt,
  });
}

/** What a crossing's entry says: everything of the decision that its policy does not say already. */
export function crossedBody(parts: Omit<DecidedParts, 'salt'>, execution: string): JsonObject {
  const { input, decision } = parts;
  const resolution = known(input.resolution);
  const digests = input.consent && consentDigests(input.consent);
  return {
    ...decidedBody(parts),
    consent: digests?.consent ?? null,
    consumes: [...decision.consumes],
    effect: resolution?.effect ?? null,
    execution,
    preview: digests?.preview ?? null,
    ...(input.redemption === undefined ? {} : { redeemedBy: input.redemption.by }),
    reserves: decision.reserves.map(({ key, perMs, amount }) => ({ key, perMs, amount })),
    resolution: digests?.resolution ?? null,
    // The rules that let it through, which are fewer than those that matched.
    rules: rulesOf(decision),
    ...(decision.shadow.length === 0
      ? {}
      : { shadow: decision.shadow.map((each) => ({ ...each })) }),
    validUntil: decision.validUntil,
  };
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

/** What an action carried was erased, by whom and why. */
export function erasedEntry(parts: {
  readonly record: ActionRecord;
  readonly at: Instant;
  readonly by: PersonName | 'operator';
  readonly reason: string;
  readonly salt: Salt;
}): LedgerDraft {
  const { record, at, by, reason, salt } = parts;
  return draftEntry({
    kind: 'erased',
    tenant: record.tenant,
    at,
    action: record.id,
    body: { by, reason },
    salt,
  });
}

/** Something about the layer itself: a halt, a resumption, the directory, an epoch. */
export function controlEntry(
  kind: Extract<LedgerKind, 'halted' | 'resumed' | 'directory' | 'epoch' | 'purged' | 'restored'>,
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

/** What every entry of a decision says. */
export function decidedBody({
  input,
  decision,
  policy,
}: Pick<DecidedParts, 'input' | 'decision' | 'policy'>): JsonObject {
  return {
    codes: decision.findings.filter((each) => each.status !== 'met').map((each) => each.code),
    epoch: input.local.epoch,
    matched: [...decision.matched],
    policy,
    verdict: decision.verdict,
  };
}

/** Everything `decide` saw but target and operation, which the epoch's inventory holds. */
function inputsJson({ input, maker }: Pick<DecidedParts, 'input' | 'maker'>): unknown {
  const { local } = input;
  return {
    actionDigest: input.actionDigest,
    askedSince: input.askedSince,
    // With resolution and preview this is what people were asked to consent to.
    nonce: input.consent?.nonce ?? null,
    ...(input.effectKey === undefined ? {} : { effectKey: input.effectKey }),
    facts: input.facts,
    local: { ...local, agent: local.agent ?? null, effect: local.effect ?? null },
    ...(maker === undefined ? {} : { maker }),
    now: input.now,
    preview: input.preview,
    proposedAt: input.proposedAt,
    resolution: input.resolution,
    windows: input.windows,
    ...(input.redemption === undefined ? {} : { redemption: input.redemption }),
  };
}

/** The ids of the rules that findings name, each once, in order. */
function rulesOf({ findings }: Decision): readonly string[] {
  const ids: string[] = [];
  for (const { rule } of findings) {
    if (rule !== undefined && !ids.includes(rule.id)) ids.push(rule.id);
  }
  return ids;
}

function known<Value>(gathered: Gathered<Value>): Value | undefined {
  return gathered.kind === 'known' ? gathered.value : undefined;
}
