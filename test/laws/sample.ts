/**
 * Random rules as plain data, with their rendering as a policy document. `reference.ts` judges the data;
 * the compiler reads the document; `world.ts` has what both are about.
 */
import * as fc from 'fast-check';

/** Names, or everything but them. */
export interface SampleSet {
  readonly names: readonly string[];
  readonly negated: boolean;
}

/** Which actions a rule is about. */
export interface SampleMatch {
  readonly kind?: SampleSet;
  readonly target?: SampleSet;
  readonly environment?: SampleSet;
  readonly owner?: SampleSet;
  readonly tier?: string;
  readonly operation?: SampleSet;
  readonly agent?: SampleSet;
  readonly role?: SampleSet;
  readonly delegator?: SampleSet;
}

/** A condition that can be written as CEL and judged without CEL. */
export type Condition =
  | { readonly is: 'environment' | 'agent' | 'target'; readonly equal: string }
  /** `facts.ready` is a boolean, `facts.level` an integer. */
  | { readonly is: 'ready' }
  | { readonly is: 'level'; readonly atLeast: number }
  /** In cents; only where the action is a refund. */
  | { readonly is: 'amount'; readonly atMost: number }
  /** Only where the action is a purge. */
  | { readonly is: 'rows'; readonly atMost: number }
  | { readonly is: 'not'; readonly of: Condition }
  | { readonly is: 'and' | 'or'; readonly of: readonly Condition[] };

/** A requirement. Durations are minutes. */
export type SampleRequirement =
  | {
      readonly kind: 'approval';
      readonly from: string;
      readonly count: number;
      readonly askFor?: number;
      readonly validFor: number;
    }
  | { readonly kind: 'confirmation'; readonly askFor?: number; readonly validFor: number }
  | { readonly kind: 'window'; readonly calendar: string; readonly lastStart?: number }
  | { readonly kind: 'fact'; readonly name: 'ready' | 'level'; readonly maxAge: number }
  | { readonly kind: 'count'; readonly by?: 'agent' | 'target'; readonly count: number }
  /** In cents; only in rules about refunds. */
  | { readonly kind: 'sum'; readonly max: number }
  | { readonly kind: 'after'; readonly within?: number; readonly atLeast?: number };

/** One rule. */
export interface SampleRule {
  readonly id: string;
  readonly effect: 'deny' | 'require' | 'allow';
  readonly match: SampleMatch;
  readonly when?: Condition;
  readonly requires: readonly SampleRequirement[];
  readonly shadow: boolean;
}

// ---------------------------------------------------------------- rendering

/** Cents as a decimal. */
export function euros(cents: number): string {
  return `${String(Math.floor(cents / 100))}.${String(cents % 100).padStart(2, '0')}`;
}

function conditionText(condition: Condition): string {
  switch (condition.is) {
    case 'environment':
      return `target.environment == "${condition.equal}"`;
    case 'agent':
      return `principal.agent == "${condition.equal}"`;
    case 'target':
      return `target.name == "${condition.equal}"`;
    case 'ready':
      return 'facts.ready';
    case 'level':
      return `facts.level >= ${String(condition.atLeast)}`;
    case 'amount':
      return `measures.amount <= ${euros(condition.atMost)}`;
    case 'rows':
      return `measures.rows <= ${String(condition.atMost)}`;
    case 'not':
      return `!(${conditionText(condition.of)})`;
    case 'and':
      return condition.of.map((part) => `(${conditionText(part)})`).join(' && ');
    case 'or':
      return condition.of.map((part) => `(${conditionText(part)})`).join(' || ');
    default:
      return condition satisfies never;
  }
}

function setValue(set: SampleSet | undefined): unknown {
  return set?.negated ? { not: set.names } : set?.names;
}

function present(entries: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

function matchValue(match: SampleMatch): unknown {
  const target = present({
    name: setValue(match.target),
    environment: setValue(match.environment),
    owner: setValue(match.owner),
    labels: match.tier === undefined ? undefined : { tier: match.tier },
  });
  const principal = present({
    agent: setValue(match.agent),
    role: setValue(match.role),
    delegator: setValue(match.delegator),
  });
  return present({
    kind: setValue(match.kind),
    target: Object.keys(target).length > 0 ? target : undefined,
    operation: setValue(match.operation),
    principal: Object.keys(principal).length > 0 ? principal : undefined,
  });
}

function minutes(count: number | undefined): string | undefined {
  return count === undefined ? undefined : `${String(count)}m`;
}

function requirementValue(requirement: SampleRequirement): unknown {
  switch (requirement.kind) {
    case 'approval':
      return {
        approval: present({
          from: requirement.from,
          count: requirement.count,
          askFor: minutes(requirement.askFor),
          validFor: minutes(requirement.validFor),
        }),
      };
    case 'confirmation':
      return {
        confirmation: present({
          askFor: minutes(requirement.askFor),
          validFor: minutes(requirement.validFor),
        }),
      };
    case 'window':
      return requirement.lastStart === undefined
        ? { window: requirement.calendar }
        : {
            window: { calendar: requirement.calendar, lastStart: minutes(requirement.lastStart) },
          };
    case 'fact':
      return {
        fact: present({
          name: requirement.name,
          is: requirement.name === 'level' ? 'fact >= 3' : undefined,
          maxAge: minutes(requirement.maxAge),
        }),
      };
    case 'count':
      return {
        limit: present({
          name: 'uses',
          by: requirement.by && { agent: 'principal.agent', target: 'target.name' }[requirement.by],
          count: requirement.count,
          per: '1h',
        }),
      };
    case 'sum':
      return {
        limit: { name: 'money', sum: 'measures.amount', max: euros(requirement.max), per: '1d' },
      };
    case 'after':
      return {
        after: present({
          operation: 'backup',
          target: 'db',
          within: minutes(requirement.within),
          atLeast: minutes(requirement.atLeast),
        }),
      };
    default:
      return requirement satisfies never;
  }
}

/** The rule as a document's value. */
export function ruleValue(rule: SampleRule): unknown {
  return present({
    id: rule.id,
    match: matchValue(rule.match),
    when: rule.when && conditionText(rule.when),
    shadow: rule.shadow ? true : undefined,
    [rule.effect]:
      rule.effect === 'deny' ? `denied by ${rule.id}` : rule.requires.map(requirementValue),
  });
}

// ---------------------------------------------------------------- arbitraries

function setOf(...names: readonly string[]): fc.Arbitrary<SampleSet> {
  return fc.record({
    names: fc.subarray([...names], { minLength: 1 }),
    negated: fc.boolean(),
  });
}

/** What a rule is about, so that its expressions may use measures. */
type Subject = 'any' | 'refund' | 'purge';

function matchOf(subject: Subject): fc.Arbitrary<SampleMatch> {
  const free = fc.record(
    {
      target: fc.constantFrom<SampleSet>(
        { names: ['pay'], negated: false },
        { names: ['db'], negated: false },
        { names: ['pay', 'db'], negated: false },
        { names: ['db'], negated: true },
      ),
      environment: fc.constantFrom<SampleSet>(
        { names: ['production'], negated: false },
        { names: ['production'], negated: true },
        { names: ['production', 'staging'], negated: false },
      ),
      agent: setOf('bot', 'other'),
      role: setOf('release', 'support'),
      delegator: setOf('dana', 'olga'),
    },
    { requiredKeys: [] },
  );
  if (subject === 'any') {
    return fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 2, arbitrary: free });
  }
  // Such a rule is about one operation, so that its measures are known when it is loaded.
  const operation = { names: [subject], negated: false };
  return free.map(({ agent, role, environment }) => ({
    operation,
    ...(agent === undefined ? {} : { agent }),
    ...(role === undefined ? {} : { role }),
    // `db` is staging whatever anybody says: anything else would never match.
    ...(environment === undefined || subject === 'purge' ? {} : { environment }),
  }));
}

function conditionOf(subject: Subject): fc.Arbitrary<Condition> {
  const leaves: fc.Arbitrary<Condition>[] = [
    fc.constantFrom<Condition>(
      { is: 'environment', equal: 'production' },
      { is: 'environment', equal: 'staging' },
      { is: 'agent', equal: 'bot' },
      { is: 'agent', equal: 'other' },
      { is: 'target', equal: 'pay' },
      { is: 'ready' },
    ),
    fc.integer({ min: 1, max: 5 }).map((atLeast) => ({ is: 'level', atLeast })),
  ];
  if (subject === 'refund') {
    leaves.push(fc.constantFrom(1000, 2000, 5000).map((atMost) => ({ is: 'amount', atMost })));
  }
  if (subject === 'purge') {
    leaves.push(fc.constantFrom(10, 100, 1000).map((atMost) => ({ is: 'rows', atMost })));
  }
  const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      ...leaves,
      tie('condition').map((of): Condition => ({ is: 'not', of })),
      fc
        .record({
          is: fc.constantFrom('and' as const, 'or' as const),
          of: fc.array(tie('condition'), { minLength: 2, maxLength: 3 }),
        })
        .map((both): Condition => both),
    ),
  }));
  return condition;
}

const MINUTES = fc.constantFrom(30, 60, 120);
const OPTIONAL_MINUTES = fc.option(MINUTES, { nil: undefined });

function requirementOf(subject: Subject): fc.Arbitrary<SampleRequirement> {
  const approval = fc
    .record({
      from: fc.constantFrom('role:lead', 'role:lead', 'role:finance', 'person:mei'),
      count: fc.constantFrom(1, 1, 2),
      askFor: OPTIONAL_MINUTES,
      validFor: MINUTES,
    })
    .map(({ from, count, askFor, validFor }) => ({
      kind: 'approval' as const,
      from,
      count: from.startsWith('person:') ? 1 : count,
      ...(askFor === undefined ? {} : { askFor }),
      validFor,
    }));
  const confirmation = fc
    .record({ askFor: OPTIONAL_MINUTES, validFor: MINUTES })
    .map(({ askFor, validFor }) => ({
      kind: 'confirmation' as const,
      ...(askFor === undefined ? {} : { askFor }),
      validFor,
    }));
  const window = fc
    .record({ calendar: fc.constantFrom('night', 'week'), lastStart: OPTIONAL_MINUTES })
    .map(({ calendar, lastStart }) => ({
      kind: 'window' as const,
      calendar,
      ...(lastStart === undefined ? {} : { lastStart }),
    }));
  const fact = fc.record({
    kind: fc.constant('fact' as const),
    name: fc.constantFrom('ready' as const, 'level' as const),
    maxAge: fc.constantFrom(0, 1, 60),
  });
  const count = fc
    .record({
      by: fc.constantFrom('agent' as const, 'target' as const, undefined),
      count: fc.constantFrom(1, 5),
    })
    .map((parts) => ({
      kind: 'count' as const,
      count: parts.count,
      ...(parts.by === undefined ? {} : { by: parts.by }),
    }));
  const after = fc.constantFrom<SampleRequirement>(
    { kind: 'after', within: 120 },
    { kind: 'after', atLeast: 30 },
    { kind: 'after', atLeast: 30, within: 120 },
  );
  const sum = fc.constantFrom(1500, 5000).map((max): SampleRequirement => ({ kind: 'sum', max }));
  const all = [approval, approval, confirmation, window, fact, count, after];
  return subject === 'refund' ? fc.oneof(...all, sum) : fc.oneof(...all);
}

const EFFECTS = { deny: 1, require: 4, allow: 6 } as const;

/** A rule with this id. */
export function ruleArbitrary(
  id: string,
  effects: readonly SampleRule['effect'][] = ['deny', 'require', 'allow'],
): fc.Arbitrary<SampleRule> {
  const subject = fc.constantFrom<Subject>('any', 'any', 'refund', 'purge');
  const effect = fc.oneof(
    ...effects.map((each) => ({ weight: EFFECTS[each], arbitrary: fc.constant(each) })),
  );
  return fc.tuple(subject, effect).chain(([about, does]) =>
    fc
      .record({
        match: matchOf(about),
        when: fc.option(conditionOf(about), { nil: undefined, freq: 1 }),
        requires:
          does === 'deny'
            ? fc.constant([])
            : fc.uniqueArray(requirementOf(about), {
                // The compiler makes one of requirements that a rule repeats.
                selector: (requirement) => JSON.stringify(requirement),
                minLength: does === 'require' ? 1 : 0,
                maxLength: 2,
              }),
        shadow: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 9),
      })
      .map(({ match, when, requires, shadow }) => ({
        id,
        effect: does,
        match,
        ...(when === undefined ? {} : { when }),
        requires,
        shadow,
      })),
  );
}

/** Up to `max` rules with ids in no particular order. */
export function rulesArbitrary(max: number): fc.Arbitrary<readonly SampleRule[]> {
  const ids = ['m', 'c', 'x', 'a', 'q', 'f', 'z', 'd', 'k', 'b'].slice(0, max);
  return fc
    .subarray(ids, { minLength: 1 })
    .chain((chosen) => fc.tuple(...chosen.map((id) => ruleArbitrary(`rule-${id}`))));
}
