/**
 * Which rules hold for an action. The index is in `match-index.ts`; what it finds is tested here whole,
 * so that the index can only leave rules out that cannot match.
 */
import type { DecisionInput } from '../decision.ts';
import type { Match, NameSet } from '../policy.ts';
import { readEnvironment } from '../scope.ts';
import type { CompiledRule } from './compiled.ts';
import { buildIndex, lookUp, type Subject } from './match-index.ts';

/** The rules whose match holds, sorted by id. */
export type Matching = (input: DecisionInput) => readonly CompiledRule[];

/** Looks at every rule: what the index must agree with. */
export function linearMatching(rules: readonly CompiledRule[]): Matching {
  const testers = rules.map(testerOf);
  return (input) => {
    const subject = subjectOf(input);
    return testers.filter(({ applies }) => applies(subject)).map(({ rule }) => rule);
  };
}

/** Looks only at rules that can match. The rules must be sorted by id. */
export function indexedMatching(rules: readonly CompiledRule[]): Matching {
  const testers = rules.map(testerOf);
  const index = buildIndex(rules.map(({ rule }) => rule.match));
  return (input) => {
    const subject = subjectOf(input);
    const ordinals = lookUp(index, subject).sort((left, right) => left - right);
    const matching: CompiledRule[] = [];
    // mutant (constant): no rule has a number below zero.
    let last = -1;
    for (const ordinal of ordinals) {
      const tester = testers[ordinal];
      // A rule stands under each of its names, and an action can have several roles and labels.
      // mutant: the index gives no number but of a rule.
      if (ordinal === last || tester === undefined) continue;
      last = ordinal;
      if (tester.applies(subject)) matching.push(tester.rule);
    }
    return matching;
  };
}

function subjectOf(input: DecisionInput): Subject {
  const { action, target, operation, local } = input;
  const environment = readEnvironment(input);
  return {
    kind: operation?.kind,
    target: action.target,
    // mutant: what is no value has none.
    environment: environment.kind === 'value' ? environment.value : undefined,
    owner: target === undefined ? undefined : (target.owner ?? null),
    labels: target?.labels,
    operation: action.operation,
    precondition: operation?.precondition,
    agent: action.principal.agent,
    roles: local.agent?.roles,
    delegator: action.principal.delegator ?? null,
  };
}

interface Tester {
  readonly rule: CompiledRule;
  readonly applies: (subject: Subject) => boolean;
}

/** One part of a match; `undefined` where it depends on what is not known. */
type Part = (subject: Subject) => boolean | undefined;

/** INVARIANT: what cannot be told counts as holding for `deny` and `require`, and not for `allow`. */
function testerOf(rule: CompiledRule): Tester {
  const parts = partsOf(rule.rule.match);
  const unknownHolds = rule.rule.effect !== 'allow';
  const applies = (subject: Subject): boolean => {
    let holds = true;
    for (const part of parts) {
      const partHolds = part(subject);
      if (partHolds === false) return false;
      if (partHolds === undefined) holds = unknownHolds;
    }
    return holds;
  };
  return { rule, applies };
}

function partsOf(match: Match): readonly Part[] {
  const { roles, labels } = match;
  return [
    ...partOf(match.operations, ({ operation }) => operation),
    ...partOf(match.targets, ({ target }) => target),
    ...partOf(match.kinds, ({ kind }) => kind),
    ...partOf(match.agents, ({ agent }) => agent),
    ...partOf(match.environments, ({ environment }) => environment),
    ...partOf(match.owners, ({ owner }) => owner),
    ...partOf(match.classes, ({ precondition }) => precondition),
    ...partOf(match.delegators, ({ delegator }) => delegator),
    ...(roles === undefined
      ? []
      : [(subject: Subject) => subject.roles && rolesIn(roles, subject.roles)]),
    ...(labels === undefined
      ? []
      : [(subject: Subject) => subject.labels && labelsHold(labels, subject.labels)]),
  ];
}

function partOf(
  set: NameSet<string> | undefined,
  nameOf: (subject: Subject) => string | null | undefined,
): readonly Part[] {
  if (set === undefined) return [];
  const { negated } = set;
  const names: ReadonlySet<string | null> = new Set(set.names);
  return [
    (subject) => {
      const name = nameOf(subject);
      // A name that is known to be none is in no set, and outside every one.
      return name === undefined ? undefined : names.has(name) !== negated;
    },
  ];
}

/** One role of the set is enough; a negated set holds where the agent has none of it. */
function rolesIn(set: NameSet<string>, roles: readonly string[]): boolean {
  return roles.some((role) => set.names.includes(role)) !== set.negated;
}

function labelsHold(
  wanted: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(
    // mutant: nothing that a record inherits is a text.
    ([name, value]) => Object.hasOwn(labels, name) && labels[name] === value,
  );
}
