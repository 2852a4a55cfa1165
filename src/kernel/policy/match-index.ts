/**
 * Finds the rules that can match an action without looking at all rules. Rules stand under the field
 * of their `match` that fewest share; where many still share a name, they stand there under a second
 * field, and so on. Negated sets narrow nothing.
 */
import type { Match, NameSet } from '../policy.ts';

/** What a `match` asks about an action; `undefined` is not known yet. */
export interface Subject {
  readonly kind: string | undefined;
  readonly target: string;
  readonly environment: string | undefined;
  /** `null`: known to be none. */
  readonly owner: string | null | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly operation: string;
  readonly precondition: string | undefined;
  readonly agent: string;
  readonly roles: readonly string[] | undefined;
  readonly delegator: string | null;
}

/** A field of the index. */
const FIELDS = [
  'operations',
  'targets',
  'agents',
  'delegators',
  'labels',
  'owners',
  'roles',
  'kinds',
  'environments',
  'classes',
] as const;

type Field = (typeof FIELDS)[number];

/** Rules that need no further narrowing: looking at them costs as much as another step. */
const LEAF_RULES_MAX = 4;

/** Places in which one rule may stand; one with more names stays where it is. */
const PLACES_MAX = 64;

/** A node of the index. Numbers are ordinals of rules. */
export interface MatchIndex {
  /** Rules that nothing narrows any further. */
  readonly here: readonly number[];
  readonly below: ReadonlyMap<Field, ReadonlyMap<string, MatchIndex>>;
}

/** Builds the index of the matches, each known by its place in the list. */
export function buildIndex(matches: readonly Match[]): MatchIndex {
  const entries = matches.map((match, ordinal) => ({ match, ordinal, places: 1 }));
  return buildNode(entries, FIELDS);
}

/** Ordinals of all rules that can match, perhaps some of them twice and some that do not match. */
export function lookUp(index: MatchIndex, subject: Subject): number[] {
  const ordinals: number[] = [];
  collect(index, subject, ordinals);
  return ordinals;
}

function collect(index: MatchIndex, subject: Subject, ordinals: number[]): void {
  for (const ordinal of index.here) ordinals.push(ordinal);
  for (const [field, nodes] of index.below) {
    const names = namesIn(subject, field);
    // What is not known could be any name.
    if (names === undefined) for (const node of nodes.values()) collect(node, subject, ordinals);
    else {
      for (const name of names) {
        const node = nodes.get(name);
        if (node !== undefined) collect(node, subject, ordinals);
      }
    }
  }
}

interface Entry {
  readonly match: Match;
  readonly ordinal: number;
  /** In how many nodes the rule stands by now. */
  readonly places: number;
}

function buildNode(entries: readonly Entry[], fields: readonly Field[]): MatchIndex {
  const here: number[] = [];
  if (entries.length <= LEAF_RULES_MAX) {
    return { here: entries.map(({ ordinal }) => ordinal), below: new Map() };
  }
  const counts = countNames(entries, fields);
  const groups = new Map<Field, Map<string, Entry[]>>();
  for (const entry of entries) {
    const field = narrowest(entry, counts);
    if (field === undefined) here.push(entry.ordinal);
    else stand(groups, field, entry);
  }
  const below = new Map<Field, Map<string, MatchIndex>>();
  for (const [field, byName] of groups) {
    const others = fields.filter((other) => other !== field);
    const nodes = new Map<string, MatchIndex>();
    for (const [name, group] of byName) nodes.set(name, buildNode(group, others));
    below.set(field, nodes);
  }
  return { here, below };
}

function stand(groups: Map<Field, Map<string, Entry[]>>, field: Field, entry: Entry): void {
  const byName = groups.get(field) ?? new Map<string, Entry[]>();
  groups.set(field, byName);
  // mutant (default): only a field with names is chosen.
  const names = namesOf(entry.match, field) ?? [];
  for (const name of names) {
    const group = byName.get(name) ?? [];
    group.push({ ...entry, places: entry.places * names.length });
    byName.set(name, group);
  }
}

type Counts = ReadonlyMap<Field, ReadonlyMap<string, number>>;

/** How many rules name each name. */
function countNames(entries: readonly Entry[], fields: readonly Field[]): Counts {
  const counts = new Map<Field, Map<string, number>>(fields.map((field) => [field, new Map()]));
  for (const { match } of entries) {
    for (const [field, names] of counts) {
      // mutant (constant): which count is the least is all that matters.
      for (const name of namesOf(match, field) ?? []) names.set(name, (names.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

/** The field under whose most shared name fewest rules stand. */
function narrowest({ match, places }: Entry, counts: Counts): Field | undefined {
  let best: Field | undefined;
  let bestCount = Infinity;
  for (const [field, shared] of counts) {
    const names = namesOf(match, field);
    if (names === undefined || (places > 1 && places * names.length > PLACES_MAX)) continue;
    // mutant (default): every name that a rule has was counted.
    // mutant (constant): as above.
    const count = Math.max(...names.map((name) => shared.get(name) ?? 0));
    if (count < bestCount) {
      best = field;
      bestCount = count;
    }
  }
  return best;
}

/** The names of which an action must have one; `undefined` where the field does not narrow. */
function namesOf(match: Match, field: Field): readonly string[] | undefined {
  if (field === 'labels') {
    const [pair] = Object.entries(match.labels ?? {});
    // An action needs all of them, so standing under the first is enough.
    return pair === undefined ? undefined : [labelKey(...pair)];
  }
  const set: NameSet<string> | undefined = match[field];
  return set === undefined || set.negated ? undefined : set.names;
}

function labelKey(name: string, value: string): string {
  return `${name}\0${value}`;
}

function namesIn(subject: Subject, field: Field): readonly string[] | undefined {
  switch (field) {
    case 'operations':
      return [subject.operation];
    case 'targets':
      return [subject.target];
    case 'agents':
      return [subject.agent];
    case 'delegators':
      return oneOf(subject.delegator);
    case 'owners':
      return oneOf(subject.owner);
    case 'roles':
      return subject.roles;
    case 'kinds':
      return oneOf(subject.kind);
    case 'environments':
      return oneOf(subject.environment);
    case 'classes':
      return oneOf(subject.precondition);
    case 'labels': {
      const { labels } = subject;
      return labels && Object.entries(labels).map((pair) => labelKey(...pair));
    }
    default:
      return field satisfies never;
  }
}

function oneOf(name: string | null | undefined): readonly string[] | undefined {
  if (name === undefined) return undefined;
  // mutant: no rule stands under a name that is none.
  return name === null ? [] : [name];
}
