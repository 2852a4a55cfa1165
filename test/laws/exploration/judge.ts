/**
 * The production `decide` as the search's judge: one policy with one approval, asked for each
 * combination of local facts that the search can meet, once.
 */
import { actionDigest, type Action, type ConsentSubject } from '../../../src/kernel/action.ts';
import { consentDigest } from '../../../src/kernel/action.ts';
import { decide } from '../../../src/kernel/decide.ts';
import type { Approval, DecisionInput, LocalFacts } from '../../../src/kernel/decision.ts';
import { digestOf } from '../../../src/kernel/digest.ts';
import { documentOf } from '../../../src/kernel/document-reader.ts';
import {
  parseActionId,
  parseAgentName,
  parseApprovalId,
  parseHaltId,
  parsePersonName,
  parseTenantName,
} from '../../../src/kernel/id.ts';
import { addMs, instantOf } from '../../../src/kernel/instant.ts';
import type { Inventory, Operation, Target } from '../../../src/kernel/inventory.ts';
import { compilePolicy } from '../../../src/kernel/policy/compile.ts';
import type { CompiledPolicy } from '../../../src/kernel/policy/compiled.ts';
import type { Judge } from './world.ts';

const NOW = instantOf(1_800_000_000_000);
const DIGEST = digestOf('exequatur/effect/v1', 'any');
const ID = the(parseActionId('01a0f3a0-0000-7000-8000-000000000001'));
const OTHER = the(parseActionId('01a0f3a0-0000-7000-8000-000000000002'));
const MEI = the(parsePersonName('mei'));

/** Answers from `decide`, remembered by what it was asked. */
export function productionJudge(): Judge {
  const policy = compile();
  const known = new Map<string, ReturnType<Judge>>();
  return (question) => {
    const key = JSON.stringify(question);
    const verdict = known.get(key) ?? decide(policy, inputOf(policy, question)).verdict;
    known.set(key, verdict);
    return verdict;
  };
}

function inputOf(policy: CompiledPolicy, question: Parameters<Judge>[0]): DecisionInput {
  const target = the(policy.inventory.targets.get('bank'));
  const operation = the(target.operations.get('pay'));
  const action: Action = {
    tenant: the(parseTenantName('default')),
    principal: { agent: the(parseAgentName('bot')) },
    target: 'bank',
    operation: 'pay',
    args: {},
    deadline: question.local.expired ? NOW : addMs(NOW, 60_000),
  };
  const subject: ConsentSubject = {
    tenant: action.tenant,
    action: ID,
    nonce: '00'.repeat(32),
    actionDigest: actionDigest(action),
    resolution: {
      identity: null,
      environment: 'production',
      operation: operation.digest,
      effect: DIGEST,
      credential: null,
      executor: 'http/1',
      files: {},
      recorded: {},
      observedAt: NOW,
    },
    preview: null,
  };
  return {
    now: NOW,
    id: ID,
    action,
    actionDigest: subject.actionDigest,
    proposedAt: NOW,
    askedSince: NOW,
    target,
    operation,
    resolution: { kind: 'known', value: subject.resolution },
    preview: { kind: 'known', value: 'none' },
    consent: subject,
    facts: {},
    windows: {},
    local: localOf(policy, subject, question),
  };
}

function localOf(
  policy: CompiledPolicy,
  subject: ConsentSubject,
  { local, approved, occupied }: Parameters<Judge>[0],
): LocalFacts {
  const requirement = the(policy.rules.find(({ id }) => id === 'consent')?.requires[0]).digest;
  const approval: Approval = {
    id: the(parseApprovalId('01a0f3a0-0000-7000-8000-000000000003')),
    kind: 'approval',
    requirement,
    consent: consentDigest(subject),
    subject,
    approver: MEI,
    at: NOW,
    expiresAt: addMs(NOW, 60_000),
    consumed: false,
  };
  return {
    epoch: 0,
    halts: local.halted
      ? [
          {
            id: the(parseHaltId('01a0f3a0-0000-7000-8000-000000000004')),
            scope: {},
            reason: 'stop',
            by: 'mei',
            at: NOW,
          },
        ]
      : [],
    agent: {
      name: the(parseAgentName('bot')),
      live: !local.revoked,
      roles: [],
      owners: [],
      delegationLive: true,
    },
    people: { mei: { live: true, roles: ['lead'], aliases: [] } },
    approvals: approved ? [approval] : [],
    effect: occupied ? { action: OTHER, state: 'executing' } : undefined,
    conflict: {},
    limits: {},
    after: {},
  };
}

function compile(): CompiledPolicy {
  const operation: Operation = {
    name: 'pay',
    target: 'bank',
    kind: 'money.transfer',
    arguments: {},
    measures: {},
    conflictKey: 'bank',
    precondition: 'unconditioned',
    safing: false,
    timeoutMs: 1000,
    visibleToAgents: [],
    binding: {
      kind: 'http',
      method: 'POST',
      path: [{ kind: 'literal', text: '/pay' }],
      query: {},
      headers: {},
      body: { kind: 'none' },
      statuses: {},
      responseBytesMax: 1000,
    },
    digest: DIGEST,
  };
  const target: Target = {
    name: 'bank',
    environment: 'production',
    labels: {},
    executor: { kind: 'http', url: 'http://localhost', auth: 'none', addressesAllowed: [] },
    credentials: {},
    operations: new Map([['pay', operation]]),
  };
  const inventory: Inventory = { targets: new Map([['bank', target]]), digest: DIGEST };
  const document = documentOf(
    {
      version: 1,
      roles: ['lead'],
      rules: [
        { id: 'anyone', match: {}, allow: true },
        {
          id: 'consent',
          match: { kind: 'money.transfer' },
          require: [{ approval: { from: 'role:lead', count: 1, validFor: '1h' } }],
        },
      ],
    },
    'policy.yaml',
  );
  const { policy, problems } = compilePolicy({ documents: [document], inventory });
  return the(policy, JSON.stringify(problems));
}

function the<Value>(value: Value | undefined, otherwise = 'is there'): Value {
  if (value === undefined) throw new Error(otherwise);
  return value;
}
