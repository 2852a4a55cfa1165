/**
 * What the search is about: one agent, one bank, one payment that two leads must approve under a limit,
 * and the local facts that a decision reads of it. All of it is production data, compiled and parsed by
 * production code.
 */
import type { Approval, LocalFacts, PersonState } from '../../../src/kernel/decision.ts';
import type { Digest } from '../../../src/kernel/digest.ts';
import { digestOf } from '../../../src/kernel/digest.ts';
import { documentOf } from '../../../src/kernel/document-reader.ts';
import {
  parseActionId,
  parseAgentName,
  parseHaltId,
  parsePersonName,
  parseTenantName,
} from '../../../src/kernel/id.ts';
import type { Inventory, Operation, Target } from '../../../src/kernel/inventory.ts';
import { compilePolicy } from '../../../src/kernel/policy/compile.ts';
import type { CompiledPolicy } from '../../../src/kernel/policy/compiled.ts';
import { PHASES, type Phase } from './clock.ts';

/** Who can be asked. Mia is another account of Mei; the agent is Dana's. */
export const PEOPLE = ['mei', 'mia', 'tom', 'dana'] as const;

/** One of {@link PEOPLE}, by place. */
export type Person = (typeof PEOPLE)[number];

/** Which human being stands behind each account, for the laws alone: Dana requests. */
export const HUMANS: Readonly<Record<Person, 'mei' | 'tom' | 'requester'>> = {
  mei: 'mei',
  mia: 'mei',
  tom: 'tom',
  dana: 'requester',
};

/** What the layer fails to know, where a flaw says so. */
export type Ignorance = 'none' | 'aliases' | 'owners';

/** What holds for an action's decision, whoever decides. */
export interface Circumstances {
  readonly now: Phase;
  readonly halted: boolean;
  readonly revoked: boolean;
  readonly lostRole: boolean;
  readonly newEpoch: boolean;
  /** Two bits a person: 0 none, 1 given in phase 0, 2 given in phase 1. */
  readonly given: number;
  /** One bit a person. */
  readonly consumed: number;
  readonly occupant: 'none' | 'held' | 'executing' | 'unknown';
  readonly limitUsed: number;
  readonly ignorance: Ignorance;
}

/** Nothing in the way, and nobody asked. */
export const CALM: Circumstances = {
  now: 0,
  halted: false,
  revoked: false,
  lostRole: false,
  newEpoch: false,
  given: 0,
  consumed: 0,
  occupant: 'none',
  limitUsed: 0,
  ignorance: 'none',
};

export const TENANT: NonNullable<ReturnType<typeof parseTenantName>> = the(
  parseTenantName('default'),
);
export const AGENT: NonNullable<ReturnType<typeof parseAgentName>> = the(parseAgentName('bot'));
export const EFFECT: Digest = digestOf('exequatur/effect/v1', 'pay');

/** The name of a person as the layer parses it. */
export function personNamed(person: Person): NonNullable<ReturnType<typeof parsePersonName>> {
  return the(parsePersonName(person));
}

/** When the person's yes was given, if it was. */
export function givenAt(given: number, person: number): Phase | undefined {
  const bits = (given >>> (2 * person)) & 3;
  return bits === 0 ? undefined : bits === 1 ? 0 : 1;
}

/** With the person's yes, given in this phase. */
export function withGiven(given: number, person: number, phase: Phase): number {
  return (given & ~(3 << (2 * person))) | ((phase + 1) << (2 * person));
}

/** The policy: `approvers` leads, and at most `limit` payments a period at one bank. */
export function subjectPolicy(approvers: number, limit: number): CompiledPolicy {
  const { policy, problems } = compilePolicy({
    documents: [documentOf(document(approvers, limit), 'policy.yaml')],
    inventory: inventory(),
  });
  return the(policy, JSON.stringify(problems));
}

/** What a transaction reads under its lock, in these circumstances. */
export function localFacts(
  { policy, approvals }: { readonly policy: CompiledPolicy; readonly approvals: ApprovalTable },
  where: Circumstances,
): LocalFacts {
  const counter = the(policy.rules.find(({ id }) => id === 'cap')?.requires[0]);
  if (counter.requirement.kind !== 'limit') throw new Error('the cap is a limit');
  return {
    epoch: where.newEpoch ? 2 : 1,
    halts: where.halted ? [HALT] : [],
    agent: {
      name: AGENT,
      live: !where.revoked,
      roles: [],
      owners: where.ignorance === 'owners' ? [] : [personNamed('dana')],
      delegationLive: true,
    },
    people: people(where),
    approvals: PEOPLE.flatMap((person, place) => {
      const phase = givenAt(where.given, place);
      if (phase === undefined) return [];
      const approval = the(approvals.get(`${person} ${String(phase)}`), `${person} said no yes`);
      return [{ ...approval, consumed: ((where.consumed >>> place) & 1) === 1 }];
    }),
    effect: where.occupant === 'none' ? undefined : { action: OTHER, state: where.occupant },
    conflict: {},
    limits: { [LIMIT_KEY]: { used: String(where.limitUsed), frees: [] } },
    after: {},
  };
}

/** Approvals as `approval/answer.ts` made them, by person and phase. */
export type ApprovalTable = ReadonlyMap<string, Approval>;

/** The key of the one counter, as `demandOf` names it; the search asserts that it does. */
export const LIMIT_KEY = 'limit:["payments",300000,null,"target.name"]:bank';

function people({ lostRole, ignorance }: Circumstances): Record<string, PersonState> {
  const known = ignorance !== 'aliases';
  const lead = { live: true, roles: ['lead'], aliases: [] };
  return {
    mei: { ...lead, aliases: known ? [personNamed('mia')] : [] },
    mia: { ...lead, aliases: known ? [personNamed('mei')] : [] },
    tom: { ...lead, roles: lostRole ? [] : ['lead'] },
    dana: lead,
  };
}

const OTHER = the(parseActionId('01a0f3a0-0000-7000-8000-000000000002'));
const HALT = {
  id: the(parseHaltId('01a0f3a0-0000-7000-8000-000000000004')),
  scope: {},
  reason: 'stop',
  by: 'mei',
  at: PHASES[0],
};

function document(approvers: number, limit: number): Parameters<typeof documentOf>[0] {
  const consent = {
    id: 'consent',
    match: { kind: 'money.transfer' },
    require: [{ approval: { from: 'role:lead', count: approvers, validFor: '10m' } }],
  };
  return {
    version: 1,
    roles: ['lead'],
    rules: [
      { id: 'anyone', match: {}, allow: true },
      {
        id: 'cap',
        match: {},
        require: [{ limit: { name: 'payments', by: 'target.name', count: limit, per: '5m' } }],
      },
      ...(approvers === 0 ? [] : [consent]),
    ],
  };
}

function inventory(): Inventory {
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
    digest: EFFECT,
  };
  const target: Target = {
    name: 'bank',
    environment: 'production',
    labels: {},
    executor: { kind: 'http', url: 'http://localhost', auth: 'none', addressesAllowed: [] },
    credentials: {},
    operations: new Map([['pay', operation]]),
  };
  return { targets: new Map([['bank', target]]), digest: EFFECT };
}

/** The value, which is there. */
export function the<Value>(value: Value | undefined, otherwise = 'is there'): Value {
  if (value === undefined) throw new Error(otherwise);
  return value;
}
