/**
 * Random circumstances of an action in the small world of `world.ts`, and the inputs that `decide` is
 * given in them by one policy.
 */
import * as fc from 'fast-check';
import {
  consentDigest,
  type Action,
  type ConsentSubject,
  type Preview,
  type Resolution,
} from '../../src/kernel/action.ts';
import { demandOf } from '../../src/kernel/decide.ts';
import type {
  AgentState,
  Approval,
  DecisionInput,
  EffectOccupant,
  Fact,
  Gathered,
  Halt,
  LimitState,
  LocalFacts,
  PersonState,
  WindowState,
} from '../../src/kernel/decision.ts';
import { digestOf, type Digest } from '../../src/kernel/digest.ts';
import type { Operation } from '../../src/kernel/inventory.ts';
import type { CompiledPolicy } from '../../src/kernel/policy/compiled.ts';
import {
  NOW,
  hours,
  must,
  TENANT,
  AGENT,
  ACTION_ID,
  EARLIER_ID,
  LATER_ID,
  HALT_ID,
  ACTION_DIGEST,
  person,
  approvalId,
  REFUND,
  DB,
  INVENTORY,
} from './world.ts';

/** Everything random about an input that does not depend on the policy. */
export interface SampleInput {
  readonly operation: 'refund' | 'purge' | 'stop';
  readonly cents: number;
  readonly rows: number;
  readonly delegator: 'dana' | undefined;
  readonly owners: readonly string[];
  readonly agentLive: boolean;
  readonly agentRoles: readonly string[];
  readonly delegationLive: boolean;
  readonly deadlineHours: number;
  readonly notBeforeHours: number | undefined;
  readonly askedHours: number;
  readonly resolution: 'absent' | 'failed' | 'production' | 'staging';
  readonly identity: string;
  readonly preview: 'absent' | 'failed' | 'known' | 'none';
  readonly facts: Readonly<Record<string, Gathered<Fact>>>;
  readonly windows: Readonly<Record<string, WindowState>>;
  readonly people: Readonly<Record<string, PersonState>>;
  readonly halts: readonly Halt[];
  readonly effect: EffectOccupant | undefined;
  readonly executing: boolean;
  readonly settledHours: number | undefined;
  readonly afterHours: number | undefined;
  readonly used: readonly number[];
  readonly answers: readonly SampleAnswer[];
}

/** An answer to the requirement with this number among those that ask people. */
export interface SampleAnswer {
  readonly question: number;
  readonly approver: string;
  readonly moved: boolean;
  readonly consumed: boolean;
  readonly atHours: number;
  readonly expiresHours: number;
}

const rarely = (none: number): fc.Arbitrary<boolean> =>
  fc.integer({ min: 0, max: none }).map((roll) => roll === none);
const mostly = (most: number): fc.Arbitrary<boolean> => rarely(most).map((rare) => !rare);
const NAMES = ['dana', 'olga', 'mei', 'tomas', 'zed'] as const;

function gatheredFact(value: fc.Arbitrary<Fact['value']>): fc.Arbitrary<Gathered<Fact>> {
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .record({ value, minutes: fc.constantFrom(0, 1, 2, 59, 61) })
        .map((fact): Gathered<Fact> => ({
          kind: 'known',
          value: {
            value: fact.value,
            source: 'test',
            observedAt: hours(-fact.minutes / 60),
            tookMs: 1,
          },
        })),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Gathered<Fact>>(
        { kind: 'absent' },
        { kind: 'failed', code: 'timeout', message: 'no answer' },
      ),
    },
  );
}

const WINDOW: fc.Arbitrary<WindowState> = fc.constantFrom<WindowState>(
  { open: true },
  { open: true, closesAt: hours(1) },
  { open: true, closesAt: hours(0.01) },
  { open: true, closesAt: hours(0.6), opensAt: hours(1.5) },
  { open: false, opensAt: hours(1) },
  { open: false, opensAt: hours(30) },
  { open: false },
);

const PEOPLE: fc.Arbitrary<Readonly<Record<string, PersonState>>> = fc
  .tuple(
    ...NAMES.map((name) =>
      fc.record({
        name: fc.constant(name),
        live: mostly(9),
        roles: fc.subarray(['lead', 'finance']),
        aliases: fc.oneof(
          { weight: 6, arbitrary: fc.constant([]) },
          {
            weight: 1,
            arbitrary: fc.constantFrom(...NAMES, 'elsewhere').map((alias) => [person(alias)]),
          },
        ),
      }),
    ),
  )
  .map((people) =>
    Object.fromEntries(
      people.map(({ name, live, roles, aliases }) => [name, { live, roles, aliases }]),
    ),
  );

const HALT: fc.Arbitrary<Halt> = fc
  .constantFrom<Halt['scope']>(
    {},
    { target: 'pay' },
    { target: 'db', operation: 'purge' },
    { environment: 'production' },
    { kind: 'money.transfer' },
    { agent: 'other' },
  )
  .map((scope) => ({ id: HALT_ID, scope, reason: 'drill', by: 'mei', at: hours(-1) }));

const ANSWER: fc.Arbitrary<SampleAnswer> = fc.record({
  question: fc.integer({ min: 0, max: 3 }),
  approver: fc.constantFrom('mei', 'mei', 'tomas', 'tomas', 'zed', 'dana', 'olga', 'stranger'),
  moved: rarely(7),
  consumed: rarely(9),
  atHours: fc.constantFrom(-3, -1, -0.4, -0.1),
  expiresHours: fc.constantFrom(-0.1, 0.5, 1, 1),
});

const WILD: fc.Arbitrary<SampleInput> = fc.record({
  operation: fc.constantFrom('refund', 'refund', 'purge', 'purge', 'stop'),
  cents: fc.constantFrom(0, 999, 1000, 1001, 1999, 5000, 9999),
  rows: fc.constantFrom(0, 9, 10, 11, 100, 5000),
  delegator: fc.constantFrom('dana', undefined),
  owners: fc.subarray(['olga', 'zed']),
  agentLive: mostly(30),
  agentRoles: fc.subarray(['release', 'support']),
  delegationLive: mostly(30),
  deadlineHours: fc.constantFrom(0, 1, 1, 4, 48, 48),
  notBeforeHours: fc.constantFrom(undefined, undefined, undefined, undefined, -1, 0.5, 60),
  askedHours: fc.constantFrom(0, 0, -0.6, -1.5),
  resolution: fc.constantFrom(
    ...(['production', 'production', 'production', 'staging', 'staging'] as const),
    ...(['production', 'staging', 'absent', 'failed'] as const),
  ),
  identity: fc.oneof(
    { weight: 20, arbitrary: fc.constant('acct_1') },
    { weight: 1, arbitrary: fc.constant('acct_2') },
  ),
  preview: fc.constantFrom(
    ...(['known', 'known', 'known', 'known', 'known', 'known', 'known', 'known'] as const),
    ...(['known', 'known', 'absent', 'failed', 'none'] as const),
  ),
  facts: fc.record({
    ready: gatheredFact(fc.constantFrom(true, true, false)),
    level: gatheredFact(fc.constantFrom(1, 3, 5)),
  }),
  windows: fc.record({ night: WINDOW, week: WINDOW }, { requiredKeys: [] }),
  people: PEOPLE,
  halts: fc.oneof(
    { weight: 10, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(HALT, { maxLength: 2 }) },
  ),
  effect: fc.oneof(
    { weight: 12, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.record({
        action: fc.constantFrom(EARLIER_ID, LATER_ID, ACTION_ID),
        state: fc.constantFrom('held', 'executing', 'unknown', 'succeeded'),
      }),
    },
  ),
  executing: rarely(12),
  settledHours: fc.constantFrom(undefined, undefined, undefined, undefined, -1, -0.0001),
  afterHours: fc.constantFrom(undefined, -0.1, -1, -1, -3),
  used: fc.array(fc.constantFrom(0, 0, 1, 4, 5, 600), { minLength: 4, maxLength: 4 }),
  answers: fc.array(ANSWER, { maxLength: 6 }),
});

const PREVIEWED_AT = hours(-0.001);

function resolutionOf(sample: SampleInput, operationOf: Operation): Gathered<Resolution> {
  if (sample.resolution === 'absent') return { kind: 'absent' };
  if (sample.resolution === 'failed') {
    return { kind: 'failed', code: 'unreachable', message: 'no route' };
  }
  const saysItself = operationOf.target === 'pay';
  return {
    kind: 'known',
    value: {
      identity: saysItself ? sample.identity : null,
      environment: saysItself ? sample.resolution : DB.environment,
      operation: operationOf.digest,
      effect: digestOf('exequatur/effect/v1', [sample.operation, sample.cents]),
      credential: null,
      executor: 'process/1',
      files: {},
      recorded: {},
      observedAt: hours(-0.001),
    },
  };
}

function previewOf(sample: SampleInput, operationOf: Operation): Gathered<Preview | 'none'> {
  if (operationOf.binding.preview === undefined) return { kind: 'known', value: 'none' };
  if (sample.preview === 'absent') return { kind: 'absent' };
  if (sample.preview === 'failed') return { kind: 'failed', code: 'exit_1', message: 'it broke' };
  if (sample.preview === 'none') return { kind: 'known', value: 'none' };
  const material = sample.operation === 'refund' ? { customer: 'cus_9' } : { rows: sample.rows };
  return { kind: 'known', value: { material, context: {}, observedAt: PREVIEWED_AT } };
}

function actionOf(sample: SampleInput): Action {
  return {
    tenant: TENANT,
    principal: {
      agent: AGENT,
      ...(sample.delegator === undefined ? {} : { delegator: person(sample.delegator) }),
    },
    target: sample.operation === 'refund' ? 'pay' : 'db',
    operation: sample.operation,
    args: Object.freeze<Action['args']>(
      sample.operation === 'refund'
        ? {
            amount: `${String(Math.floor(sample.cents / 100))}.${String(sample.cents % 100).padStart(2, '0')}`,
            charge: 'ch_3P',
          }
        : {},
    ),
    deadline: hours(sample.deadlineHours),
    ...(sample.notBeforeHours === undefined ? {} : { notBefore: hours(sample.notBeforeHours) }),
  };
}

/** The input that the sample describes, with counters and answers for what this policy asks. */
export function inputOf(sample: SampleInput, policy: CompiledPolicy): DecisionInput {
  const action = actionOf(sample);
  const targetOf = must(INVENTORY.targets.get(action.target));
  const operationOf = must(targetOf.operations.get(action.operation));
  const resolution = resolutionOf(sample, operationOf);
  const preview = previewOf(sample, operationOf);
  const consent = subjectOf(resolution, preview);
  const agent: AgentState = {
    name: AGENT,
    live: sample.agentLive,
    roles: sample.agentRoles,
    owners: sample.owners.map(person),
    delegationLive: sample.delegationLive,
  };
  const input: DecisionInput = {
    now: NOW,
    id: ACTION_ID,
    action,
    actionDigest: ACTION_DIGEST,
    proposedAt: hours(sample.askedHours),
    askedSince: hours(sample.askedHours),
    target: targetOf,
    operation: operationOf,
    resolution,
    preview,
    consent,
    facts: sample.facts,
    windows: sample.windows,
    local: {
      epoch: 1,
      halts: sample.halts,
      agent,
      people: sample.people,
      approvals: [],
      effect: sample.effect,
      conflict: {
        ...(sample.executing ? { executing: EARLIER_ID } : {}),
        ...(sample.settledHours === undefined ? {} : { settledAt: hours(sample.settledHours) }),
      },
      limits: {},
      after: sample.afterHours === undefined ? {} : { 'after:db/backup': hours(sample.afterHours) },
    },
  };
  const local: LocalFacts = {
    ...input.local,
    approvals: answersOf(sample, { policy, consent }),
    limits: limitsOf(sample, policy, input),
  };
  return { ...input, local };
}

/** What would be consented to, where it is known. */
export function subjectOf(
  resolution: Gathered<Resolution>,
  preview: Gathered<Preview | 'none'>,
): ConsentSubject | undefined {
  if (resolution.kind !== 'known' || preview.kind !== 'known') return undefined;
  return {
    tenant: TENANT,
    action: ACTION_ID,
    nonce: '00'.repeat(32),
    actionDigest: ACTION_DIGEST,
    resolution: resolution.value,
    preview: preview.value === 'none' ? null : preview.value,
  };
}

function limitsOf(
  sample: SampleInput,
  policy: CompiledPolicy,
  input: DecisionInput,
): Readonly<Record<string, LimitState>> {
  const demands = demandOf(policy, input).limits;
  return Object.fromEntries(
    demands.map(({ key }, index) => {
      const used = sample.used[index % sample.used.length] ?? 0;
      const frees =
        used > 0
          ? [
              { at: hours(0.5), used: '1' },
              { at: hours(2), used: '0' },
            ]
          : [];
      return [key, { used: String(used), frees }];
    }),
  );
}

function answersOf(
  sample: SampleInput,
  of: { readonly policy: CompiledPolicy; readonly consent: ConsentSubject | undefined },
): readonly Approval[] {
  const questions = questionsOf(of.policy);
  if (questions.length === 0) return [];
  const standing = of.consent ?? must(subjectOf(FALLBACK, { kind: 'known', value: 'none' }));
  return sample.answers.map((answer, index): Approval => {
    const question = must(questions[answer.question % questions.length]);
    const { resolution } = standing;
    const subject = answer.moved
      ? { ...standing, resolution: { ...resolution, environment: 'elsewhere' } }
      : standing;
    return {
      id: approvalId(index),
      kind: question.kind,
      requirement: question.digest,
      consent: consentDigest(subject),
      subject,
      approver: person(answer.approver),
      at: hours(answer.atHours),
      expiresAt: hours(answer.expiresHours),
      consumed: answer.consumed,
    };
  });
}

const FALLBACK: Gathered<Resolution> = {
  kind: 'known',
  value: {
    identity: 'acct_1',
    environment: 'production',
    operation: REFUND.digest,
    effect: digestOf('exequatur/effect/v1', 'fallback'),
    credential: null,
    executor: 'process/1',
    files: {},
    recorded: {},
    observedAt: hours(-1),
  },
};

/** The distinct requirements of a policy that ask people, in order of rule and place. */
export function questionsOf(
  policy: CompiledPolicy,
): readonly { readonly kind: 'approval' | 'confirmation'; readonly digest: Digest }[] {
  const questions = new Map<Digest, 'approval' | 'confirmation'>();
  for (const rule of policy.rules) {
    for (const { requirement, digest } of rule.requires) {
      if (requirement.kind === 'approval' || requirement.kind === 'confirmation') {
        questions.set(digest, requirement.kind);
      }
    }
  }
  return [...questions].map(([digest, kind]) => ({ kind, digest }));
}

/** Circumstances in which nothing stands against a refund of 10.00 but what a policy asks. */
export const CALM: SampleInput = {
  operation: 'refund',
  cents: 1000,
  rows: 9,
  delegator: 'dana',
  owners: ['olga'],
  agentLive: true,
  agentRoles: ['release', 'support'],
  delegationLive: true,
  deadlineHours: 4,
  notBeforeHours: undefined,
  askedHours: 0,
  resolution: 'production',
  identity: 'acct_1',
  preview: 'known',
  facts: {},
  windows: {},
  people: Object.fromEntries(
    NAMES.map((name) => [
      name,
      { live: true, roles: name === 'mei' || name === 'tomas' ? ['lead'] : [], aliases: [] },
    ]),
  ),
  halts: [],
  effect: undefined,
  executing: false,
  settledHours: undefined,
  afterHours: undefined,
  used: [0, 0, 0, 0],
  answers: [],
};

const CALM_FACT = (value: Fact['value']): Gathered<Fact> => ({
  kind: 'known',
  value: { value, source: 'test', observedAt: NOW, tookMs: 1 },
});

/** {@link CALM}, with facts, windows and the other operation as every requirement likes them. */
const FAVOURABLE: SampleInput = {
  ...CALM,
  facts: { ready: CALM_FACT(true), level: CALM_FACT(5) },
  windows: { night: { open: true, closesAt: hours(3) }, week: { open: true } },
  afterHours: -1,
};

/** Random circumstances: wholly, or favourable ones in which a few things are random. */
export const SAMPLE_INPUT: fc.Arbitrary<SampleInput> = fc
  .record({
    wild: WILD,
    among: fc.integer({ min: 0, max: 4 }),
    seeds: fc.array(fc.nat(1000), { minLength: 6, maxLength: 6 }),
  })
  .map(({ wild, among, seeds }) => {
    if (among === 4) return wild;
    const names = Object.keys(wild);
    const random = new Set(seeds.map((seed) => names[seed % names.length]));
    // These two only help, and every policy is about several of them.
    for (const name of ['answers', 'operation', 'cents', 'rows']) random.add(name);
    const chosen = Object.entries(wild).filter(([name]) => random.has(name));
    return { ...FAVOURABLE, ...Object.fromEntries(chosen) };
  });
