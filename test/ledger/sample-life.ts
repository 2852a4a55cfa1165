/** One action's life as the engine writes it: proposed, held, approved, crossed, settled. */
import {
  answeredEntry,
  changedEntry,
  crossedEntry,
  decidedEntry,
  erasedEntry,
  proposedEntry,
} from '../../src/engine/entries.ts';
import type { ActionRecord } from '../../src/engine/ports.ts';
import {
  actionDigest,
  actionJson,
  consentDigest,
  type Action,
  type ConsentSubject,
} from '../../src/kernel/action.ts';
import type { Approval, Decision, DecisionInput } from '../../src/kernel/decision.ts';
import { digestOf } from '../../src/kernel/digest.ts';
import {
  parseActionId,
  parseAgentName,
  parseApprovalId,
  parseExecutionId,
  parsePersonName,
  parseTenantName,
  type ActionId,
  type ApprovalId,
  type ExecutionId,
} from '../../src/kernel/id.ts';
import { addMs, instantOf, type Instant } from '../../src/kernel/instant.ts';
import type { JsonValue } from '../../src/kernel/json/value.ts';
import { canonicalBytes } from '../../src/kernel/json/write.ts';
import type { LedgerDraft } from '../../src/ledger/entry.ts';

const NOW = instantOf(Date.UTC(2026, 10, 22, 3, 12));
const DIGEST = digestOf('exequatur/operation/v1', 'refund');
const POLICY = digestOf('exequatur/policy/v1', 'shop');

/** What differs between lives. */
export interface LifeOptions {
  /** Hex digits that tell ids apart. */
  readonly id?: string;
  readonly args?: Action['args'];
  /** Whom the preview names. */
  readonly customer?: string;
  /** What the target answered. */
  readonly result?: JsonValue;
  /** Leaves out what comes after this many entries. */
  readonly until?: number;
}

/** The entries of one life; salts are counted, so that every run makes the same bytes. */
export function sampleLife(options: LifeOptions = {}): readonly LedgerDraft[] {
  const life = new Life(options);
  const drafts = [life.proposed(), life.held(), life.approved(), life.crossed(), life.settled()];
  return drafts.slice(0, options.until);
}

/** One life, an entry at a time. */
export class Life {
  readonly #id: string;
  readonly #action: Action;
  readonly #customer: string;
  readonly #result: JsonValue;
  #salts = 0;

  constructor({
    id = '1',
    args = { amount: '49.90', charge: 'ch_3P' },
    result,
    customer = 'cus_9',
  }: LifeOptions = {}) {
    this.#id = id;
    this.#customer = customer;
    this.#result = result ?? { status: 201, body: { id: 're_1', ratio: 0.1, big: 1e21 } };
    this.#action = {
      tenant: given(parseTenantName('shop')),
      principal: {
        agent: given(parseAgentName('support-bot')),
        delegator: given(parsePersonName('dana')),
      },
      target: 'shop-payments',
      operation: 'refund',
      args,
      deadline: addMs(NOW, 3_600_000),
    };
  }

  proposed(): LedgerDraft {
    const digest = actionDigest(this.#action);
    return proposedEntry(
      {
        id: this.#actionId(),
        action: this.#action,
        bytes: canonicalBytes(actionJson(this.#action)),
        digest,
        nonce: '0'.repeat(64),
        idempotencyKey: 'k',
        requestDigest: digest,
        effectKey: DIGEST,
        conflictKey: 'shop-payments',
        note: 'customer was charged twice — «zweimal» 💶',
      },
      NOW,
      this.#salt,
    );
  }

  held(): LedgerDraft {
    return decidedEntry({ ...this.#decided('hold'), input: this.#input(addMs(NOW, 40)) });
  }

  denied(code = 'denied_by_rule'): LedgerDraft {
    const parts = this.#decided('deny');
    return decidedEntry({
      ...parts,
      decision: {
        ...parts.decision,
        findings: [
          {
            code: code === 'deadline_passed' ? code : 'denied_by_rule',
            status: 'impossible',
            message: 'no',
          },
        ],
      },
    });
  }

  approved(expiresMs = 3_600_000): LedgerDraft {
    const approval: Approval = {
      id: this.#approvalId(),
      kind: 'approval',
      requirement: digestOf('exequatur/requirement/v1', 'lead'),
      consent: consentDigest(this.#subject()),
      subject: this.#subject(),
      approver: given(parsePersonName('mei')),
      at: addMs(NOW, 60_000),
      expiresAt: addMs(NOW, expiresMs),
      consumed: false,
    };
    return answeredEntry({ record: this.#record(), approval, salt: this.#salt });
  }

  crossed(execution = '1'): LedgerDraft {
    const parts = this.#decided('admit');
    return crossedEntry(
      { ...parts, input: this.#input(addMs(NOW, 61_000)) },
      executionOf(execution),
    );
  }

  barred(execution = '1'): LedgerDraft {
    const record = this.#record(execution);
    const at = addMs(NOW, 61_500);
    return changedEntry('barred', { record, at, body: {}, salt: this.#salt });
  }

  settled(state: 'succeeded' | 'unknown' = 'succeeded', execution = '1'): LedgerDraft {
    return changedEntry('settled', {
      record: this.#record(execution),
      at: addMs(NOW, 62_000),
      body: {},
      outcome: {
        state,
        sent: true,
        code: state === 'succeeded' ? 'status_201' : 'connection_lost',
        message: 'created',
        result: this.#result,
      },
      salt: this.#salt,
    });
  }

  resolved(): LedgerDraft {
    return changedEntry('resolved', {
      record: this.#record('1'),
      at: addMs(NOW, 99_000),
      body: { by: 'mei' },
      outcome: {
        state: 'succeeded',
        sent: true,
        code: 'resolved_by_person',
        message: 'mei: it is there',
        result: null,
      },
      salt: this.#salt,
    });
  }

  erased(): LedgerDraft {
    return erasedEntry({
      record: this.#record('1'),
      at: addMs(NOW, 86_400_000),
      by: 'operator',
      reason: 'asked for',
      salt: this.#salt,
    });
  }

  readonly #salt = (): Uint8Array => {
    this.#salts += 1;
    return new Uint8Array(32).fill(this.#salts);
  };

  #actionId(): ActionId {
    return given(parseActionId(uuid('a', this.#id)));
  }

  #approvalId(): ApprovalId {
    return given(parseApprovalId(uuid('b', this.#id)));
  }

  #subject(): ConsentSubject {
    return {
      tenant: this.#action.tenant,
      action: this.#actionId(),
      nonce: '7'.repeat(64),
      actionDigest: actionDigest(this.#action),
      resolution: {
        identity: 'acct_1N',
        environment: 'production',
        operation: DIGEST,
        effect: DIGEST,
        credential: 'file:/run/secrets/pay',
        executor: 'http/1',
        files: {},
        recorded: { address: '127.0.0.1' },
        observedAt: NOW,
      },
      preview: { material: { customer: this.#customer }, context: { paid: 49.9 }, observedAt: NOW },
    };
  }

  #input(now: Instant): DecisionInput {
    const subject = this.#subject();
    return {
      now,
      id: this.#actionId(),
      action: this.#action,
      actionDigest: subject.actionDigest,
      proposedAt: NOW,
      askedSince: NOW,
      target: undefined,
      operation: undefined,
      resolution: { kind: 'known', value: subject.resolution },
      preview: { kind: 'known', value: subject.preview ?? 'none' },
      consent: subject,
      facts: {
        incident: {
          kind: 'known',
          value: { value: false, source: 'https://status.example', observedAt: NOW, tookMs: 12 },
        },
        weather: { kind: 'failed', code: 'timeout', message: 'no answer' },
      },
      windows: {},
      local: {
        epoch: 3,
        halts: [],
        agent: undefined,
        people: {},
        approvals: [],
        effect: undefined,
        conflict: {},
        limits: {},
        after: {},
      },
    };
  }

  #decided(verdict: Decision['verdict']): Parameters<typeof decidedEntry>[0] {
    const missing = {
      code: 'approval_missing',
      status: 'unmet',
      message: '0 of 1 from role:lead',
    } as const;
    const allowed = {
      code: 'allowed',
      status: 'met',
      message: '`support-refunds` allows it',
      rule: {
        id: 'support-refunds',
        effect: 'allow',
        position: { file: 'shop.yaml', line: 8, column: 5 },
      },
    } as const;
    const findings = { hold: [missing], deny: [], admit: [allowed] }[verdict];
    return {
      input: this.#input(NOW),
      decision: {
        verdict,
        findings,
        matched: ['refunds-over-20', 'support-refunds'],
        shadow: [],
        consumes: verdict === 'admit' ? [this.#approvalId()] : [],
        reserves: [{ key: 'refunds', perMs: 86_400_000, amount: '49.90' }],
        waitsFor: [],
        asks: [],
        validUntil: addMs(NOW, 120_000),
      },
      policy: POLICY,
      salt: this.#salt,
    };
  }

  #record(execution?: string): ActionRecord {
    const action = this.#action;
    const digest = actionDigest(action);
    return {
      tenant: action.tenant,
      id: this.#actionId(),
      bytes: canonicalBytes(actionJson(action)),
      digest,
      nonce: '7'.repeat(64),
      requestDigest: digest,
      agent: action.principal.agent,
      delegator: action.principal.delegator,
      target: action.target,
      operation: action.operation,
      effectKey: DIGEST,
      conflictKey: action.target,
      deadline: action.deadline,
      proposedAt: NOW,
      askedSince: NOW,
      state: 'held',
      revision: 1,
      note: undefined,
      decision: undefined,
      subject: undefined,
      execution:
        execution === undefined
          ? undefined
          : {
              id: executionOf(execution),
              crossedAt: NOW,
              engine: 'one',
              leaseUntil: NOW,
              effect: DIGEST,
              outcome: undefined,
              settledAt: undefined,
              resolvedBy: undefined,
            },
      ended: undefined,
      updatedAt: NOW,
    };
  }
}

function executionOf(id: string): ExecutionId {
  return given(parseExecutionId(uuid('e', id)));
}

function uuid(kind: string, id: string): string {
  return `0193b2a0-0000-7000-8${kind.repeat(3)}-${id.padStart(12, '0')}`;
}

function given<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('a sample is malformed');
  return value;
}
