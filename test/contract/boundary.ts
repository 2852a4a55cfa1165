/**
 * A small boundary around a store under test: a real policy, real decisions and just enough of an
 * engine to propose, advance and settle. Everything it asks of the store is what the engine asks.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  actionDigest,
  actionJson,
  consentDigest,
  type Action,
  type ConsentSubject,
  type Resolution,
} from '../../src/kernel/action.ts';
import { decide, demandOf } from '../../src/kernel/decide.ts';
import type { Approval, Decision, DecisionInput, LocalFacts } from '../../src/kernel/decision.ts';
import { digestOf, parseDigest, type Digest } from '../../src/kernel/digest.ts';
import { documentOf } from '../../src/kernel/document-reader.ts';
import { effectKeyOf } from '../../src/kernel/effect.ts';
import {
  parseActionId,
  parseAgentName,
  parseApprovalId,
  parseExecutionId,
  parseHaltId,
  parsePersonName,
  parseTenantName,
  uuidV7,
  type ActionId,
  type AgentName,
  type ApprovalId,
  type ExecutionId,
  type HaltId,
  type PersonName,
  type TenantName,
} from '../../src/kernel/id.ts';
import { addMs, type Instant } from '../../src/kernel/instant.ts';
import type { ArgumentFields, Inventory, Operation, Target } from '../../src/kernel/inventory.ts';
import type { Kind } from '../../src/kernel/kind.ts';
import { canonicalBytes } from '../../src/kernel/json/write.ts';
import type { JsonObject } from '../../src/kernel/json/value.ts';
import { compilePolicy } from '../../src/kernel/policy/compile.ts';
import type { CompiledPolicy } from '../../src/kernel/policy/compiled.ts';
import { draftEntry, type LedgerDraft, type LedgerKind } from '../../src/ledger/entry.ts';
import type {
  ActionRecord,
  AdvanceCommand,
  AdvanceResult,
  AnswerJudgement,
  ChangeJudgement,
  ChangeResult,
  Clock,
  Judgement,
  LocalQuery,
  NewAction,
  Outcome,
  Store,
} from '../../src/engine/ports.ts';
import { transition, type OutcomeState } from '../../src/engine/transition.ts';

const HOUR_MS = 3_600_000;
/** The period of the limits `spend` and `ticks`. */
export const PERIOD_MS: number = HOUR_MS;
/** Their bounds. */
export const SPEND_MAX = 100;
export const TICKS_MAX = 3;
export const ENGINE = 'engine-a';

// ---------------------------------------------------------------- names

export function tenantName(text: string): TenantName {
  return made(parseTenantName(text));
}

export function agentName(text: string): AgentName {
  return made(parseAgentName(text));
}

export function personName(text: string): PersonName {
  return made(parsePersonName(text));
}

export function digestOfText(text: string): Digest {
  return digestOf('exequatur/epoch/v1', text);
}

let ticket = 0;

/** Ids in the order in which they are made, so that tests know who came first. */
function nextUuid(clock: Clock): string {
  ticket += 1;
  const random = randomBytes(10);
  random.writeUInt16BE(ticket & 0x0fff, 0);
  return uuidV7(clock.now(), random);
}

export function newActionId(clock: Clock): ActionId {
  return made(parseActionId(nextUuid(clock)));
}

export function newExecutionId(clock: Clock): ExecutionId {
  return made(parseExecutionId(nextUuid(clock)));
}

export function newApprovalId(clock: Clock): ApprovalId {
  return made(parseApprovalId(nextUuid(clock)));
}

export function newHaltId(clock: Clock): HaltId {
  return made(parseHaltId(nextUuid(clock)));
}

function made<Value>(value: Value | undefined): Value {
  assert.ok(value !== undefined);
  return value;
}

// ---------------------------------------------------------------- policy and inventory

const OPERATIONS: Readonly<Record<string, Partial<Operation> & { readonly kind: Kind }>> = {
  /** Admitted as it is. */
  ping: { kind: 'api.call' },
  /** A success answers a repetition. */
  once: { kind: 'api.call', once: 'args.name' },
  /** A read: no effect key. */
  look: { kind: 'data.read' },
  /** Under the limit `spend`, at most 100 an hour. */
  pay: { kind: 'api.call' },
  /** Under the limit `ticks`, at most three an hour. */
  tick: { kind: 'api.call' },
  /** Waits for one approval of a lead. */
  sign: { kind: 'api.call' },
  /** Waits for a `ping`. */
  later: { kind: 'api.call' },
  /** Denied. */
  never: { kind: 'api.call' },
};

const ARGUMENTS: ArgumentFields = {
  name: { type: { kind: 'string', lengthMax: 200 }, optional: false },
  amount: { type: { kind: 'decimal' }, optional: true },
  /** Keeps effects apart that are alike otherwise. */
  serial: { type: { kind: 'integer' }, optional: true },
};

const DEFINITION: Digest = digestOf('exequatur/operation/v1', 'definition');
export const EFFECT: Digest = digestOf('exequatur/effect/v1', 'effect');

function operationOf(name: string): Operation {
  return {
    name,
    target: 'shop',
    arguments: ARGUMENTS,
    measures: {},
    conflictKey: 'shop',
    precondition: 'conditional',
    safing: false,
    timeoutMs: 1000,
    visibleToAgents: [],
    binding: {
      kind: 'http',
      method: 'POST',
      path: [{ kind: 'literal', text: '/' }],
      query: {},
      headers: {},
      body: { kind: 'none' },
      statuses: {},
      responseBytesMax: 1000,
    },
    digest: DEFINITION,
    ...made(OPERATIONS[name]),
  };
}

const SHOP: Target = {
  name: 'shop',
  environment: 'production',
  labels: {},
  executor: { kind: 'http', url: 'http://127.0.0.1:1', auth: 'none', addressesAllowed: [] },
  credentials: {},
  operations: new Map(Object.keys(OPERATIONS).map((name) => [name, operationOf(name)])),
};

const INVENTORY: Inventory = {
  targets: new Map([[SHOP.name, SHOP]]),
  digest: digestOf('exequatur/inventory/v1', 'contract'),
};

const POLICY: CompiledPolicy = policyOf({
  version: 1,
  roles: ['lead'],
  rules: [
    { id: 'plain', match: { operation: ['ping', 'once', 'look'] }, allow: [] },
    {
      id: 'spend',
      match: { operation: 'pay' },
      allow: [
        { limit: { name: 'spend', by: 'args.name', sum: 'args.amount', max: '100', per: '1h' } },
      ],
    },
    {
      id: 'ticks',
      match: { operation: 'tick' },
      allow: [{ limit: { name: 'ticks', by: 'args.name', count: TICKS_MAX, per: '1h' } }],
    },
    {
      id: 'signed',
      match: { operation: 'sign' },
      allow: [{ approval: { from: 'role:lead', count: 1, askFor: '8h', validFor: '1h' } }],
    },
    {
      id: 'afterwards',
      match: { operation: 'later' },
      allow: [{ after: { operation: 'ping' } }],
    },
  ],
});

function policyOf(document: unknown): CompiledPolicy {
  const compiled = compilePolicy({
    documents: [documentOf(document, 'contract')],
    inventory: INVENTORY,
  });
  assert.ok(compiled.policy !== undefined, JSON.stringify(compiled.problems));
  return compiled.policy;
}

// ---------------------------------------------------------------- the boundary

/** What a proposal may say; everything has a default that is admitted. */
export interface Proposal {
  readonly tenant?: TenantName;
  readonly operation?: string;
  readonly args?: JsonObject;
  readonly agent?: AgentName;
  readonly delegator?: PersonName;
  readonly key?: string;
  readonly conflictKey?: string;
  readonly deadlineMs?: number;
  readonly note?: string;
  /** Replaces what the judge says. */
  readonly judge?: (judgement: Judgement, now: Instant, local: LocalFacts) => Judgement;
}

let names = 0;

/** A store with a tenant `acme`, an agent `bot` owned by `olga`, and the leads `mei` and `tomas`. */
export class Boundary {
  readonly store: Store;
  readonly clock: Clock;
  readonly tenant: TenantName;

  constructor(store: Store, clock: Clock, tenant: TenantName = tenantName('acme')) {
    this.store = store;
    this.clock = clock;
    this.tenant = tenant;
  }

  async enrolAll(): Promise<this> {
    await this.enrol('person', 'olga');
    await this.enrol('person', 'mei', { roles: ['lead'] });
    await this.enrol('person', 'tomas', { roles: ['lead'] });
    await this.enrol('agent', 'bot', { owners: [personName('olga')] });
    return this;
  }

  async enrol(
    kind: 'agent' | 'person' | 'executor',
    name: string,
    settings: {
      readonly roles?: readonly string[];
      readonly owners?: readonly PersonName[];
      readonly aliases?: readonly PersonName[];
      readonly delegator?: PersonName;
      readonly key?: string;
    } = {},
  ): Promise<{ readonly kind: string; readonly code?: string }> {
    const { roles = [], owners = [], aliases = [], delegator } = settings;
    return this.store.direct(
      this.tenant,
      {
        kind: 'enrol',
        account: { kind, name, roles, owners, aliases },
        keyId: digestOfText(settings.key ?? `${this.tenant} ${kind} ${name}`).slice(0, 8),
        keyHash: keyHash(settings.key ?? `${this.tenant} ${kind} ${name}`),
        delegator,
      },
      this.entry('directory'),
    );
  }

  /** An entry's maker, as the store's methods take them. */
  entry(kind: LedgerKind, action?: ActionId): (now: Instant) => LedgerDraft {
    return (now) =>
      draftEntry({
        kind,
        tenant: this.tenant,
        at: now,
        ...(action === undefined ? {} : { action }),
        body: {},
        payloads: { said: { kind, at: now } },
        salt: () => randomBytes(32),
      });
  }

  /** The command of a proposal, as the engine would make it. */
  proposal(asked: Proposal = {}): AdvanceCommand & { readonly propose: NewAction } {
    names += 1;
    const action: Action = {
      tenant: asked.tenant ?? this.tenant,
      principal: {
        agent: asked.agent ?? agentName('bot'),
        ...(asked.delegator === undefined ? {} : { delegator: asked.delegator }),
      },
      target: SHOP.name,
      operation: asked.operation ?? 'ping',
      args: asked.args ?? { name: `effect-${String(names)}` },
      deadline: addMs(this.clock.now(), asked.deadlineMs ?? 30 * 24 * HOUR_MS),
    };
    const operation = made(SHOP.operations.get(action.operation));
    const propose: NewAction = {
      id: newActionId(this.clock),
      action,
      bytes: canonicalBytes(actionJson(action)),
      digest: actionDigest(action),
      nonce: randomBytes(32).toString('hex'),
      idempotencyKey: asked.key ?? `key-${String(names)}`,
      requestDigest: digestOf('exequatur/effect/v1', [action.operation, action.args]),
      effectKey: effectKeyOf(operation, action.args),
      conflictKey: asked.conflictKey ?? operation.conflictKey,
      note: asked.note,
    };
    return {
      propose,
      revision: 0,
      ...this.#command({ ...propose, record: undefined }, asked.judge),
    };
  }

  propose(asked: Proposal = {}): Promise<AdvanceResult> {
    return this.store.advance(this.proposal(asked));
  }

  /** Proposes what is expected to be written. */
  async proposed(asked: Proposal = {}): Promise<ActionRecord> {
    return writtenRecord(await this.propose(asked));
  }

  /** The command that advances a stored action. */
  advancement(record: ActionRecord, judge?: Proposal['judge']): AdvanceCommand {
    const action = actionOf(record);
    const parts = { ...record, action, record };
    return { revision: record.revision, ...this.#command(parts, judge) };
  }

  advance(record: ActionRecord, judge?: Proposal['judge']): Promise<AdvanceResult> {
    return this.store.advance(this.advancement(record, judge));
  }

  #command(
    parts: Pick<NewAction, 'id' | 'action' | 'digest' | 'nonce' | 'effectKey' | 'conflictKey'> & {
      readonly record: ActionRecord | undefined;
    },
    change: Proposal['judge'] = (judgement) => judgement,
  ): Pick<AdvanceCommand, 'query' | 'judge'> {
    return {
      query: queryOf(parts),
      judge: (now, local) => {
        const input = inputOf(parts, now, local);
        return change(this.#judgement(parts, input, decide(POLICY, input)), now, local);
      },
    };
  }

  #judgement(
    { id, record }: { readonly id: ActionId; readonly record: ActionRecord | undefined },
    input: DecisionInput,
    decision: Decision,
  ): Judgement {
    const { now } = input;
    const next = transition(record?.state ?? 'new', {
      kind: 'decided',
      verdict: decision.verdict,
      deadlinePassed: now >= input.action.deadline,
    });
    assert.ok(next.ok);
    const entries = [this.entry(decision.verdict === 'admit' ? 'crossed' : 'decided', id)(now)];
    if (record === undefined) entries.unshift(this.entry('proposed', id)(now));
    const crossing = {
      execution: newExecutionId(this.clock),
      engine: ENGINE,
      leaseUntil: addMs(now, 30_000),
      effect: EFFECT,
    };
    return {
      decision,
      state: next.state,
      askedSince: input.askedSince,
      subject: input.consent,
      ...(decision.verdict === 'admit' ? { crossing } : {}),
      entries,
    };
  }

  /** Ends an execution, as the engine does. */
  settle(record: ActionRecord, state: OutcomeState): Promise<ChangeResult> {
    return this.change(record, () => ({
      kind: 'write',
      state,
      limits: state === 'unknown' ? 'unknown' : state === 'not_executed' ? 'void' : 'post',
      restoreApprovals: false,
      outcome: outcome(state),
      entries: [this.entry('settled', record.id)(this.clock.now())],
    }));
  }

  /** Stops an execution before anything was sent. */
  bar(record: ActionRecord): Promise<ChangeResult> {
    return this.change(record, () => ({
      kind: 'write',
      state: 'held',
      limits: 'void',
      restoreApprovals: true,
      outcome: 'barred',
      entries: [this.entry('barred', record.id)(this.clock.now())],
    }));
  }

  change(
    record: ActionRecord,
    judge: (now: Instant, record: ActionRecord) => ChangeJudgement,
  ): Promise<ChangeResult> {
    return this.store.change({
      tenant: record.tenant,
      action: record.id,
      ...(record.execution === undefined ? {} : { execution: record.execution.id }),
      judge,
    });
  }

  withdraw(record: ActionRecord): Promise<ChangeResult> {
    return this.change(record, (now) => ({
      kind: 'write',
      state: 'withdrawn',
      limits: 'keep',
      restoreApprovals: false,
      entries: [this.entry('withdrawn', record.id)(now)],
    }));
  }

  /** A person says yes to what is asked now. */
  async approve(
    record: ActionRecord,
    person: PersonName,
    options: { readonly validMs?: number; readonly challenge?: string } = {},
  ): Promise<ChangeResult> {
    const challenge = options.challenge ?? randomBytes(16).toString('hex');
    if (options.challenge === undefined) await this.challenge(record, person, challenge);
    const { tenant, id: action } = record;
    return this.store.answer({
      tenant,
      action,
      challenge,
      person,
      judge: (now, current) =>
        this.approval(current, person, addMs(now, options.validMs ?? HOUR_MS)),
    });
  }

  challenge(
    record: ActionRecord,
    person: PersonName,
    challenge: string,
    validMs: number = HOUR_MS,
  ): Promise<void> {
    const { tenant, id: action } = record;
    return this.store.challenge({ tenant, action, person, challenge, validMs });
  }

  /** The judgement that stores one approval. */
  approval(record: ActionRecord, approver: PersonName, expiresAt: Instant): AnswerJudgement {
    const subject = made(record.subject);
    const approval: Approval = {
      id: newApprovalId(this.clock),
      kind: 'approval',
      requirement: made(record.decision?.asks[0]?.requirement),
      consent: consentDigest(subject),
      subject,
      approver,
      at: this.clock.now(),
      expiresAt,
      consumed: false,
    };
    return {
      kind: 'write',
      state: record.state,
      approvals: [approval],
      entries: [this.entry('approved', record.id)(this.clock.now())],
    };
  }

  /** What the store says of a record's occasion now. */
  async look(record: ActionRecord): Promise<LocalFacts> {
    const { query } = this.advancement(record);
    return (await this.store.look(query)).local;
  }

  async stored(record: { readonly id: ActionId }): Promise<ActionRecord> {
    return made(await this.store.action(this.tenant, record.id));
  }

  /** The ids of the holds that are due now. */
  async due(): Promise<readonly ActionId[]> {
    return (await this.store.due(this.clock.now(), 1000)).map(({ id }) => id);
  }
}

/** The record of a result that is expected to be written. */
export function writtenRecord(result: AdvanceResult | ChangeResult): ActionRecord {
  assert.equal(result.kind, 'written');
  assert.ok('record' in result);
  return result.record;
}

export function outcome(state: OutcomeState): Outcome {
  return {
    state,
    sent: true,
    code: `is_${state}`,
    message: 'told by the test',
    result: { ok: true },
  };
}

export function keyHash(text: string): Digest {
  return digestOf('exequatur/directory/v1', text);
}

export function parsedDigest(text: string): Digest {
  return made(parseDigest(text));
}

/** A digest that no tag made, for what is only compared. */
export function digestFilled(hexDigit: string): Digest {
  return made(parseDigest(hexDigit.repeat(64)));
}

function actionOf(record: ActionRecord): Action {
  const { tenant, agent, delegator, target, operation, deadline } = record;
  const value: unknown = JSON.parse(Buffer.from(record.bytes).toString('utf8'));
  assert.ok(typeof value === 'object' && value !== null && 'args' in value);
  const principal = { agent, ...(delegator === undefined ? {} : { delegator }) };
  return { tenant, principal, target, operation, args: jsonObject(value.args), deadline };
}

function jsonObject(value: unknown): JsonObject {
  assert.ok(typeof value === 'object' && value !== null);
  return Object.fromEntries(Object.entries(value));
}

function queryOf(
  parts: Pick<NewAction, 'id' | 'action' | 'digest' | 'nonce' | 'effectKey' | 'conflictKey'>,
): LocalQuery {
  const { action, effectKey, conflictKey } = parts;
  const demand = demandOf(
    POLICY,
    inputOf({ ...parts, record: undefined }, addMs(action.deadline, -1), NOTHING),
  );
  return {
    tenant: action.tenant,
    action: parts.id,
    stored: true,
    agent: action.principal.agent,
    delegator: action.principal.delegator,
    effectKey,
    once: SHOP.operations.get(action.operation)?.once !== undefined,
    conflictKey,
    serialised: true,
    limits: demand.limits,
    after: demand.after,
  };
}

const NOTHING: LocalFacts = {
  epoch: 0,
  halts: [],
  agent: undefined,
  people: {},
  approvals: [],
  effect: undefined,
  conflict: {},
  limits: {},
  after: {},
};

function inputOf(
  parts: Pick<NewAction, 'id' | 'action' | 'digest' | 'nonce' | 'effectKey'> & {
    readonly record: ActionRecord | undefined;
  },
  now: Instant,
  local: LocalFacts,
): DecisionInput {
  const { id, action, digest, nonce, effectKey, record } = parts;
  const resolution: Resolution = {
    identity: null,
    environment: 'production',
    operation: DEFINITION,
    effect: EFFECT,
    credential: null,
    executor: 'http/1',
    files: {},
    recorded: {},
    observedAt: now,
  };
  const consent: ConsentSubject = {
    tenant: action.tenant,
    action: id,
    nonce,
    actionDigest: digest,
    resolution,
    preview: null,
  };
  return {
    now,
    id,
    action,
    actionDigest: digest,
    proposedAt: record?.proposedAt ?? now,
    askedSince: record?.askedSince ?? now,
    ...(effectKey === undefined ? {} : { effectKey }),
    target: SHOP,
    operation: SHOP.operations.get(action.operation),
    resolution: { kind: 'known', value: resolution },
    preview: { kind: 'known', value: 'none' },
    consent,
    facts: {},
    windows: {},
    local,
  };
}
