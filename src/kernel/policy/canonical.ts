/**
 * The one form of a policy that its digest covers: independent of files, positions, comments and the
 * order in which rules, names and requirements are written.
 */
import { canonicalDecimal, parseDecimal } from '../decimal.ts';
import { digestOf, DIGEST_TAGS, type Digest } from '../digest.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import type { CalendarSpec, FactSpec, Match, NameSet, Requirement, Rule } from '../policy.ts';

/** What a policy's digest is made from. */
export interface PolicyParts {
  readonly rules: readonly Rule[];
  readonly roles: Iterable<string>;
  readonly calendars: ReadonlyMap<string, CalendarSpec>;
  readonly facts: ReadonlyMap<string, FactSpec>;
}

/** The digest of a policy. */
export function policyDigest({ rules, roles, calendars, facts }: PolicyParts): Digest {
  return digestOf(DIGEST_TAGS.policy, {
    calendars: byName(calendars, ({ zone, open, closed }) => ({
      zone,
      open: sorted(open),
      closed: sorted(closed),
    })),
    facts: byName(facts, ({ type, source, timeoutMs }) => ({ type, source, timeoutMs })),
    roles: [...new Set(roles)].sort(),
    // mutant (boundary): no two rules have one id.
    // mutant (constant): only the sign counts.
    rules: rules.toSorted((left, right) => (left.id < right.id ? -1 : 1)).map(ruleJson),
  });
}

/** The digest of a requirement: equal requirements of several rules are one. */
export function requirementDigest(requirement: Requirement): Digest {
  return digestOf(DIGEST_TAGS.requirement, requirementJson(requirement));
}

function requirementJson(requirement: Requirement): JsonObject {
  if (requirement.kind !== 'limit') return { ...requirement };
  const { kind, name, perMs, by, bound } = requirement;
  const max = bound.kind === 'sum' ? parseDecimal(bound.max) : undefined;
  return {
    kind,
    name,
    perMs,
    ...(by === undefined ? {} : { by }),
    // 500 and 500.00 are one maximum.
    bound: max === undefined ? { ...bound } : { ...bound, max: canonicalDecimal(max) },
  };
}

function ruleJson(rule: Rule): JsonObject {
  const { id, effect, when, message, requires, shadow } = rule;
  return {
    id,
    effect,
    match: matchJson(rule.match),
    ...(when === undefined ? {} : { when }),
    ...(message === undefined ? {} : { message }),
    requires: requires.map(({ digest }) => digest).sort(),
    shadow,
  };
}

function matchJson({ labels, ...sets }: Match): JsonObject {
  const members: Record<string, JsonValue> = {};
  for (const [name, set] of Object.entries(sets)) members[name] = setJson(set);
  if (labels !== undefined) members['labels'] = labels;
  return members;
}

function setJson({ names, negated }: NameSet<string>): JsonObject {
  return { names: [...new Set(names)].sort(), negated };
}

function byName<Item>(
  items: ReadonlyMap<string, Item>,
  json: (item: Item) => JsonValue,
): JsonObject {
  return Object.fromEntries([...items].map(([name, item]) => [name, json(item)]));
}

/** Patterns of a calendar mean the same in any order. */
function sorted(patterns: readonly JsonValue[]): readonly JsonValue[] {
  return (
    patterns
      .map((pattern) => ({ pattern, text: JSON.stringify(pattern) }))
      // mutant (boundary): equal patterns are one in any order.
      // mutant (constant): only the sign counts.
      .sort((left, right) => (left.text < right.text ? -1 : 1))
      .map(({ pattern }) => pattern)
  );
}
