/**
 * Rules that can never decide anything, found when a policy is checked. Only what is certain whatever
 * the action and its circumstances are: a rule whose every case another rule decides already.
 */
import type { Problem } from '../document.ts';
import type { Match, NameSet, Rule } from '../policy.ts';

/** The codes of rules that do nothing, all warnings. */
export const REACH_CODES = [
  /** It does exactly what an earlier rule does. */
  'rule_duplicate',
  /** A `deny` covers everything that it matches. */
  'rule_unreachable',
  /** Another rule of the same effect covers everything that it matches and asks. */
  'rule_redundant',
  /** It only records what it would do. */
  'rule_in_shadow',
] as const;

/** Warnings about rules that can never decide, and about those in shadow, in order of the files. */
export function unreachedRules(rules: readonly Rule[]): readonly Problem[] {
  const inOrder = rules.toSorted(byPosition);
  const index = coverIndex(inOrder.filter(({ shadow }) => !shadow));
  return inOrder.flatMap((rule) =>
    rule.shadow ? [inShadow(rule)] : (whyUnreached(rule, index) ?? []),
  );
}

/** A document written in TypeScript does not know where its lines stand; then ids decide. */
function byPosition(one: Rule, other: Rule): number {
  const [left, right] = [one.position, other.position];
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  const distance = left.line - right.line || left.column - right.column;
  return distance || (one.id < other.id ? -1 : 1);
}

function inShadow({ id, position }: Rule): Problem {
  return {
    code: 'rule_in_shadow',
    severity: 'warning',
    message: `\`${id}\` is in shadow: what it would do is recorded, and it does nothing`,
    position,
    hint: 'leave `shadow` out once its records are what you want',
  };
}

function whyUnreached(rule: Rule, index: CoverIndex): Problem | undefined {
  const covering = index.coversOf(rule).filter((other) => covers(other, rule));
  const deny = covering.find(({ effect }) => effect === 'deny');
  if (rule.effect !== 'deny' && deny !== undefined) {
    return problem(rule, deny, {
      code: 'rule_unreachable',
      says: 'denies everything that it matches',
    });
  }
  const other = covering.find((each) => adds(rule, each) && !isLaterTwin(each, rule));
  if (other === undefined) return undefined;
  return isTwin(other, rule)
    ? problem(rule, other, { code: 'rule_duplicate', says: 'does exactly the same' })
    : problem(rule, other, { code: 'rule_redundant', says: REDUNDANT[rule.effect] });
}

const REDUNDANT: Readonly<Record<Rule['effect'], string>> = {
  deny: 'denies everything that it matches',
  require: 'asks at least the same of everything that it matches',
  allow: 'allows everything that it matches and asks no more',
};

function problem(
  { id, position }: Rule,
  other: Rule,
  { code, says }: { readonly code: (typeof REACH_CODES)[number]; readonly says: string },
): Problem {
  const line = `line ${String(other.position.line)}`;
  const isNear = other.position.file === position.file;
  const at = isNear ? line : `${other.position.file} ${line}`;
  return {
    code,
    severity: 'warning',
    message: `\`${id}\` never decides: \`${other.id}\` (${at}) ${says}`,
    position,
    hint: 'remove it, or narrow the other one',
  };
}

/** Whether `other`, which covers the rule, leaves nothing for it to do. */
function adds(rule: Rule, other: Rule): boolean {
  if (rule.effect !== other.effect) return false;
  const [own, others] = [digests(rule), digests(other)];
  switch (rule.effect) {
    case 'deny':
      return true;
    case 'require':
      // A condition that cannot be evaluated asks too, and the other one does not have it.
      return rule.when === other.when && isSubset(own, others);
    case 'allow':
      return isSubset(others, own);
    default:
      return rule.effect satisfies never;
  }
}

function digests({ requires }: Rule): readonly string[] {
  return requires.map(({ digest }) => digest);
}

function isSubset(some: readonly string[], all: readonly string[]): boolean {
  const known = new Set(all);
  return some.every((each) => known.has(each));
}

/** Of two rules that cover each other the later one is told; the list is in order of the files. */
function isLaterTwin(other: Rule, rule: Rule): boolean {
  return covers(rule, other) && adds(other, rule) && byPosition(other, rule) > 0;
}

function isTwin(other: Rule, rule: Rule): boolean {
  return covers(rule, other) && adds(other, rule);
}

// ---------------------------------------------------------------- covering

/** Whether `wide` applies wherever `narrow` does. */
function covers(wide: Rule, narrow: Rule): boolean {
  if (wide.id === narrow.id) return false;
  if (wide.when !== undefined && wide.when !== narrow.when) return false;
  return matchCovers(wide.match, narrow.match);
}

function matchCovers(wide: Match, narrow: Match): boolean {
  const labels = Object.entries(wide.labels ?? {});
  return (
    SETS.every((name) => setCovers(wide[name], narrow[name])) &&
    rolesCover(wide.roles, narrow.roles) &&
    labels.every(([name, value]) => narrow.labels?.[name] === value)
  );
}

const SETS = [
  'kinds',
  'targets',
  'environments',
  'owners',
  'operations',
  'classes',
  'agents',
  'delegators',
] as const satisfies readonly (keyof Match)[];

function setCovers(
  wide: NameSet<string> | undefined,
  narrow: NameSet<string> | undefined,
): boolean {
  if (wide === undefined) return true;
  if (narrow === undefined) return false;
  if (!wide.negated) return !narrow.negated && isSubset(narrow.names, wide.names);
  if (narrow.negated) return isSubset(wide.names, narrow.names);
  const excluded = new Set(wide.names);
  return !narrow.names.some((name) => excluded.has(name));
}

/** An agent has several roles, so having one says nothing about not having another. */
function rolesCover(
  wide: NameSet<string> | undefined,
  narrow: NameSet<string> | undefined,
): boolean {
  if (wide?.negated === true && narrow?.negated === false) return false;
  return setCovers(wide, narrow);
}

// ---------------------------------------------------------------- looking up

/** Finds the rules that may cover another one without looking at all of them. */
interface CoverIndex {
  coversOf(rule: Rule): readonly Rule[];
}

function coverIndex(rules: readonly Rule[]): CoverIndex {
  const byName = new Map<string, Rule[]>();
  for (const rule of rules) {
    for (const key of keysOf(rule.match)) byName.set(key, [...(byName.get(key) ?? []), rule]);
  }
  return {
    // A rule that names targets covers only rules that name some of them, so one name is enough.
    coversOf: ({ match }) => [
      ...new Set(
        [ANYTHING, ...FIELDS.flatMap((field) => keysIn(match, field).slice(0, 1))].flatMap(
          (key) => byName.get(key) ?? [],
        ),
      ),
    ],
  };
}

const FIELDS = ['operations', 'targets', 'agents', 'kinds', 'roles'] as const;
const ANYTHING = '';

function keysOf(match: Match): readonly string[] {
  const field = FIELDS.find((each) => keysIn(match, each).length > 0);
  return field === undefined ? [ANYTHING] : keysIn(match, field);
}

function keysIn(match: Match, field: (typeof FIELDS)[number]): readonly string[] {
  const set = match[field];
  if (set === undefined || set.negated) return [];
  return set.names.map((name) => `${field}:${name}`);
}
