/**
 * The laws of a decision (DESIGN section 5), each a property over random policies and circumstances,
 * and the naive reference that every decision is compared with.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { consentDigest } from '../../src/kernel/action.ts';
import { decide, foreclose } from '../../src/kernel/decide.ts';
import type { Decision, DecisionInput } from '../../src/kernel/decision.ts';
import { writeCanonical } from '../../src/kernel/json/write.ts';
import type { CompiledPolicy } from '../../src/kernel/policy/compiled.ts';
import { instantOf } from '../../src/kernel/instant.ts';
import { digestsIn, policyOf, samplePolicy } from './policies.ts';
import { gistOf } from './gist.ts';
import { referenceDecide } from './reference.ts';
import { ruleArbitrary, rulesArbitrary, ruleValue, type SampleRule } from './sample.ts';
import { inputOf, SAMPLE_INPUT, type SampleInput } from './circumstances.ts';
import { approvalId, hours, person } from './world.ts';

const SEED = Number(process.env['EXEQUATUR_SEED'] ?? Date.now() % 1_000_000);
console.log(`seed ${String(SEED)} (EXEQUATUR_SEED repeats it)`);

const RULES = rulesArbitrary(6);

interface World {
  readonly rules: readonly SampleRule[];
  readonly policy: CompiledPolicy;
  readonly sample: SampleInput;
  readonly input: DecisionInput;
}

/** Runs a law over worlds; samples of rules that the compiler refuses are drawn again. */
function law(
  title: string,
  of: {
    readonly runs?: number;
    readonly rules?: fc.Arbitrary<readonly SampleRule[]>;
    /** Whether this world says something about the law; the others are not counted. */
    readonly check: (world: World, draw: (count: number) => number) => boolean;
  },
): void {
  test(title, () => {
    const runs = of.runs ?? 400;
    let counted = 0;
    const arbitrary = fc.tuple(of.rules ?? RULES, SAMPLE_INPUT, fc.infiniteStream(fc.nat(1000)));
    fc.assert(
      fc.property(arbitrary, ([rules, sample, numbers]) => {
        const policy = samplePolicy(rules);
        fc.pre(policy !== undefined);
        const input = inputOf(sample, policy);
        const draw = (count: number): number => Number(numbers.next().value) % count;
        if (of.check({ rules, policy, sample, input }, draw)) counted += 1;
      }),
      { seed: SEED, numRuns: runs, maxSkipsPerRun: 20 },
    );
    assert.ok(counted >= runs / 25, `only ${String(counted)} of ${String(runs)} say something`);
  });
}

const RANK = { deny: 0, hold: 1, admit: 2 } as const;

function rank(policy: CompiledPolicy, input: DecisionInput): number {
  return RANK[decide(policy, input).verdict];
}

/** The policy of some of the rules of a larger one; what refuses the larger one was drawn again. */
function subPolicy(rules: readonly SampleRule[]): CompiledPolicy {
  return policyOf(rules.map(ruleValue));
}

function bytes(decision: Decision): string {
  return writeCanonical(decision);
}

// ---------------------------------------------------------------- the reference

const verdicts = { admit: 0, hold: 0, deny: 0 };

law('decide says what a naive reference says', {
  runs: 3000,
  check: ({ rules, policy, input }) => {
    const decision = decide(policy, input);
    verdicts[decision.verdict] += 1;
    const expected = referenceDecide(rules, input, digestsIn(policy));
    assert.deepEqual(gistOf(decision), expected);
    return true;
  },
});

test('the comparison saw every verdict often', () => {
  console.log(`reference: ${JSON.stringify(verdicts)}`);
  for (const count of Object.values(verdicts)) assert.ok(count >= 100, JSON.stringify(verdicts));
});

// ---------------------------------------------------------------- the laws of section 5

law('law: deny trumps', {
  check: ({ rules, sample }) => {
    const deny: SampleRule = {
      id: 'no',
      effect: 'deny',
      match: {},
      requires: [],
      shadow: false,
    };
    const policy = subPolicy([...rules, deny]);
    assert.equal(decide(policy, inputOf(sample, policy)).verdict, 'deny');
    return true;
  },
});

law('law: default deny', {
  check: ({ rules, sample }) => {
    const policy = subPolicy(rules.filter(({ effect, shadow }) => effect !== 'allow' || shadow));
    assert.equal(decide(policy, inputOf(sample, policy)).verdict, 'deny');
    return true;
  },
});

law('law: the order of rules does not matter', {
  check: ({ rules, policy, input }, draw) => {
    const shuffled = rules
      .map((rule) => ({ rule, at: draw(1000) }))
      .sort((left, right) => left.at - right.at)
      .map(({ rule }) => rule);
    assert.equal(bytes(decide(subPolicy(shuffled), input)), bytes(decide(policy, input)));
    return true;
  },
});

/** What is given, whichever of two equal rules gives it. */
function reasonsOf({ findings }: Decision): readonly string[] {
  return [
    ...new Set(findings.map(({ code, requirement }) => `${code} ${requirement ?? ''}`)),
  ].sort();
}

law('law: the repetition of rules does not matter', {
  check: ({ rules, policy, input }, draw) => {
    const again = rules[draw(rules.length)];
    assert.ok(again);
    const repeated = subPolicy([...rules, { ...again, id: `${again.id}-again` }]);
    const [one, two] = [decide(policy, input), decide(repeated, input)];
    assert.equal(two.verdict, one.verdict);
    assert.deepEqual(two.consumes, one.consumes);
    assert.deepEqual(two.reserves, one.reserves);
    assert.deepEqual(two.asks, one.asks);
    assert.equal(two.wakeAt, one.wakeAt);
    assert.equal(two.validUntil, one.validUntil);
    assert.deepEqual(reasonsOf(two), reasonsOf(one));
    return true;
  },
});

law('law: adding an allow never takes an admit away, nor makes anything worse', {
  rules: fc
    .tuple(ruleArbitrary('added', ['allow']), RULES)
    .map(([added, rules]) => [added, ...rules]),
  check: ({ rules, policy, input }) => {
    const [, ...before] = rules;
    assert.ok(rank(policy, input) >= rank(subPolicy(before), input));
    return true;
  },
});

law('law: adding a deny or a require never creates an admit, nor makes anything better', {
  rules: fc
    .tuple(ruleArbitrary('added', ['deny', 'require']), RULES)
    .map(([added, rules]) => [added, ...rules]),
  check: ({ rules, policy, input }) => {
    const [, ...before] = rules;
    assert.ok(rank(policy, input) <= rank(subPolicy(before), input));
    return true;
  },
});

law('law: a shadow rule changes nothing but the shadow', {
  check: ({ rules, policy, input }) => {
    const without = decide(subPolicy(rules.filter(({ shadow }) => !shadow)), input);
    const decision = decide(policy, input);
    assert.equal(bytes({ ...decision, shadow: [] }), bytes({ ...without, shadow: [] }));
    return true;
  },
});

function namedBy(decision: Decision): ReadonlySet<string> {
  return new Set(decision.findings.flatMap(({ rule }) => rule?.id ?? []));
}

function said(decision: Decision): readonly string[] {
  return decision.findings.map(({ code, status, rule }) => `${code} ${status} ${rule?.id ?? ''}`);
}

law('law: a rule that no finding names does not determine the verdict', {
  check: ({ rules, policy, input }) => {
    const decision = decide(policy, input);
    const named = namedBy(decision);
    const kept = rules.filter(({ id, effect }) => effect === 'allow' || named.has(id));
    const without = decide(subPolicy(kept), input);
    assert.equal(without.verdict, decision.verdict);
    assert.deepEqual(said(without), said(decision));
    return true;
  },
});

law('law: without the rules that the findings name, the verdict is another', {
  runs: 1500,
  check: ({ rules, policy, input }) => {
    const decision = decide(policy, input);
    if (decision.verdict === 'admit') return false;
    const named = namedBy(decision);
    const effects = new Map(rules.map(({ id, effect }) => [id, effect]));
    // What is always required, and an allow that is not met, cannot be dropped.
    const droppable = decision.findings.every(
      ({ rule }) => rule && effects.get(rule.id) !== 'allow',
    );
    if (!droppable) return false;
    const policyWithout = subPolicy(rules.filter(({ id }) => !named.has(id)));
    const without = decide(policyWithout, input);
    if (decision.verdict === 'hold') {
      // Of two rules that share a requirement only the first is named, and then the second is.
      const requirements = new Set(decision.findings.map(({ requirement }) => requirement));
      const rest = without.findings.filter(({ status }) => status !== 'met');
      assert.ok(rest.every(({ requirement }) => requirement && requirements.has(requirement)));
    } else {
      assert.ok(
        without.verdict !== 'deny' ||
          without.findings.every(({ requirement }) => requirement !== undefined),
      );
    }
    return true;
  },
});

law('law: each finding of a denial is enough by itself', {
  check: ({ rules, policy, input }) => {
    const decision = decide(policy, input);
    if (decision.verdict !== 'deny') return false;
    for (const id of namedBy(decision)) {
      const kept = rules.filter((rule) => rule.id === id || rule.effect === 'allow');
      assert.equal(decide(subPolicy(kept), input).verdict, 'deny');
    }
    return true;
  },
});

law('law: the answers that are asked for meet what they are asked for', {
  check: ({ policy, input }) => {
    const decision = decide(policy, input);
    if (decision.asks.length === 0) return false;
    const { consent, local } = input;
    assert.ok(consent);
    const helpers = ['ada', 'bob', 'cy'].map((name) => person(name));
    const people = Object.fromEntries(
      helpers.map((name) => [name, { live: true, roles: ['lead', 'finance'], aliases: [] }]),
    );
    const asked = decision.asks.filter(({ from }) => from !== 'delegator' && 'role' in from);
    const approvals = asked.flatMap(({ requirement }, ask) =>
      helpers.map((approver, index) => ({
        id: approvalId(100 + ask * 10 + index),
        kind: 'approval' as const,
        requirement,
        consent: consentDigest(consent),
        subject: consent,
        approver,
        at: input.now,
        expiresAt: hours(0.1),
        consumed: false,
      })),
    );
    const answered = decide(policy, {
      ...input,
      local: {
        ...local,
        people: { ...local.people, ...people },
        approvals: [...local.approvals, ...approvals],
      },
    });
    const met = new Set(asked.map(({ requirement }) => requirement));
    const left = answered.findings.filter(
      ({ requirement, status }) => status !== 'met' && requirement && met.has(requirement),
    );
    assert.deepEqual(left, []);
    return true;
  },
});

law('law: the same inputs give the same bytes', {
  check: ({ rules, policy, input }) => {
    const copy = structuredClone({ ...input, target: undefined, operation: undefined });
    const again: DecisionInput = { ...copy, target: input.target, operation: input.operation };
    assert.equal(bytes(decide(subPolicy(rules), again)), bytes(decide(policy, input)));
    return true;
  },
});

law('law: what is foreclosed is not admitted, whatever is gathered', {
  runs: 800,
  check: ({ policy, sample, input }, draw) => {
    const early = foreclose(policy, input);
    if (early === undefined) return false;
    const others: readonly Partial<SampleInput>[] = [
      { resolution: 'production' },
      { resolution: 'staging' },
      { resolution: 'failed' },
      { preview: 'known', rows: draw(2) * 1000 },
      { preview: 'failed' },
      { facts: {} },
    ];
    for (const other of [{}, ...others]) {
      const gathered = inputOf({ ...sample, ...other }, policy);
      const { verdict } = decide(policy, { ...gathered, local: input.local });
      assert.notEqual(verdict, 'admit');
      if (early.verdict === 'deny') assert.equal(verdict, 'deny');
    }
    return true;
  },
});

law('law 9: an error admits nothing, and denies nothing that would not be denied', {
  runs: 800,
  check: ({ policy, input }) => {
    const base = decide(policy, input).verdict;
    const failed = { kind: 'failed', code: 'timeout', message: 'no answer' } as const;
    const { local } = input;
    const broken: readonly DecisionInput[] = [
      { ...input, resolution: failed, consent: undefined },
      { ...input, preview: failed, consent: undefined },
      ...Object.keys(input.facts).map((name) => ({
        ...input,
        facts: { ...input.facts, [name]: failed },
      })),
      ...Object.keys(input.windows).map((name) => ({
        ...input,
        windows: Object.fromEntries(
          Object.entries(input.windows).filter(([other]) => other !== name),
        ),
      })),
      ...Object.keys(local.limits).map((key) => ({
        ...input,
        local: {
          ...local,
          limits: Object.fromEntries(
            Object.entries(local.limits).filter(([other]) => other !== key),
          ),
        },
      })),
    ];
    for (const each of broken) {
      const { verdict } = decide(policy, each);
      if (verdict === 'admit') assert.equal(base, 'admit');
      if (verdict === 'deny') assert.equal(base, 'deny');
    }
    const [unresolved] = broken;
    assert.ok(unresolved);
    assert.notEqual(decide(policy, unresolved).verdict, 'admit');
    return true;
  },
});

law('law: before wakeAt time alone admits nothing', {
  runs: 800,
  check: ({ policy, input }, draw) => {
    const decision = decide(policy, input);
    if (decision.verdict !== 'hold') return false;
    assert.ok(decision.wakeAt !== undefined && decision.wakeAt > input.now);
    const spanMs = decision.wakeAt - input.now;
    for (const ms of [spanMs - 1, draw(1000) % spanMs]) {
      assert.notEqual(decide(policy, later(input, ms)).verdict, 'admit');
    }
    return true;
  },
});

law('law: until validUntil an admission stands, and never beyond the deadline', {
  runs: 1500,
  check: ({ policy, input }) => {
    const decision = decide(policy, input);
    if (decision.verdict !== 'admit') return false;
    assert.ok(decision.validUntil > input.now && decision.validUntil <= input.action.deadline);
    const last = later(input, decision.validUntil - 1 - input.now);
    assert.equal(decide(policy, last).verdict, 'admit');
    return true;
  },
});

/** The same circumstances so much later: only the clock moved, and with it what ages out. */
function later(input: DecisionInput, ms: number): DecisionInput {
  const now = instantOf(input.now + ms);
  const limits = Object.fromEntries(
    Object.entries(input.local.limits).map(([key, state]) => {
      const freed = state.frees.findLast(({ at }) => at <= now);
      return [key, { used: freed?.used ?? state.used, frees: state.frees }];
    }),
  );
  return { ...input, now, local: { ...input.local, limits } };
}
