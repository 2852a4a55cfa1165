/**
 * A naive `decide` over plain samples: no index, no sharing, no compiled expressions, three truth
 * values written out. It is slow and obvious on purpose; `decide.test.ts` compares the two.
 */
import type { DecisionInput } from '../../src/kernel/decision.ts';
import type { Digest } from '../../src/kernel/digest.ts';
import { centsOf, judge, type Known, type Result } from './reference-requirements.ts';
import type { Condition, SampleRule, SampleSet } from './sample.ts';

/** `null`: cannot be told. */
type Truth = boolean | null;

/** What both must agree on. Findings as `code status rule`. */
export interface Gist {
  readonly verdict: 'admit' | 'hold' | 'deny';
  readonly findings: readonly string[];
  readonly matched: readonly string[];
  readonly shadow: readonly string[];
  readonly consumes: readonly string[];
  /** As `key amount`. */
  readonly reserves: readonly string[];
  /** As `requirement have/need until`. */
  readonly asks: readonly string[];
  readonly validUntil: number;
  readonly wakeAt: number | undefined;
}

/** The requirement digests of a rule, in order; equal requirements have equal ones. */
export type DigestsOf = (rule: SampleRule) => readonly Digest[];

/** Decides by the samples. */
export function referenceDecide(
  rules: readonly SampleRule[],
  input: DecisionInput,
  digestsOf: DigestsOf,
): Gist {
  const { target, operation } = input;
  if (target === undefined || operation === undefined) throw new Error('not in these samples');
  const known = { input, target, operation };
  const fatal = fatalCodes(known);
  if (fatal.length > 0)
    return { ...EMPTY, verdict: 'deny', findings: fatal, validUntil: input.now };

  const sorted = [...rules].sort((left, right) => (left.id < right.id ? -1 : 1));
  const judged = sorted.map((rule) => ({
    rule,
    applies: both([matches(rule, known), rule.when ? holds(rule.when, known) : true]),
    results: rule.requires.map((requirement, index) =>
      judge(requirement, digestsOf(rule)[index] ?? fail(), known),
    ),
  }));
  const live = judged.filter(({ rule, applies }) => !rule.shadow && applies !== false);
  const denies = live.filter(({ rule }) => rule.effect === 'deny');
  const requires = live.filter(({ rule }) => rule.effect === 'require');
  const allows = live.filter(({ rule }) => rule.effect === 'allow');
  const sure = allows.filter(({ applies }) => applies === true);

  const standing = standingCodes(known);
  const against: string[] = standing.map(({ code, status }) => `${code} ${status} -`);
  for (const { rule, applies } of denies) {
    against.push(
      applies
        ? `denied_by_rule impossible ${rule.id}`
        : `rule_undetermined undetermined ${rule.id}`,
    );
  }
  const counted = new Set<Digest>();
  const add = ({ rule, applies, results }: (typeof live)[number]): void => {
    if (applies === null) against.push(`rule_undetermined undetermined ${rule.id}`);
    for (const result of applies === null ? [] : results) {
      if (result.status === 'met' || counted.has(result.digest)) continue;
      counted.add(result.digest);
      against.push(...result.codes.map((code) => `${code} ${rule.id}`));
    }
  };
  requires.forEach(add);

  const open = sure.filter(({ results }) => results.every(({ status }) => status !== 'impossible'));
  const distance = ({ results }: (typeof live)[number]): number =>
    results.filter(({ status }) => status !== 'met').length;
  const byDistance = (among: typeof live): (typeof live)[number] | undefined =>
    [...among].sort((left, right) => distance(left) - distance(right))[0];
  const unsure = allows.filter(({ applies }) => applies === null);
  const chosen = byDistance(open) ?? unsure[0] ?? byDistance(sure);
  if (chosen === undefined) against.push('no_rule_allows impossible -');
  else add(chosen);

  const shared = {
    ...EMPTY,
    matched: [...denies, ...requires, ...sure].map(({ rule }) => rule.id).sort(),
    shadow: judged
      .filter(
        ({ rule, applies }) =>
          rule.shadow && (rule.effect === 'allow' ? applies === true : applies !== false),
      )
      .map(({ rule, applies, results }) => `${rule.id} ${would(rule, applies, results)}`),
    validUntil: input.now,
  };
  const impossible = against.filter((text) => text.split(' ')[1] === 'impossible');
  if (impossible.length > 0) return { ...shared, verdict: 'deny', findings: impossible.sort() };
  const required = requires
    .filter(({ applies }) => applies === true)
    .flatMap((each) => each.results);
  if (against.length > 0 || chosen === undefined) {
    const waiting = [...required, ...open.flatMap(({ results }) => results)].filter(
      ({ status }) => status !== 'met',
    );
    const asked = [...required, ...(chosen?.applies ? chosen.results : [])];
    const asks = asked.flatMap(({ ask, digest }) =>
      ask === undefined ? [] : [`${digest} ${ask}`],
    );
    const live60 =
      unsure.length > 0 && open.length === 0 && chosen?.applies === null
        ? true
        : against.some((text) => LIVE.has(text.split(' ')[0] ?? '')) ||
          waiting.some(({ codes }) => codes.some((code) => LIVE.has(code.split(' ')[0] ?? '')));
    const instants = [
      input.action.deadline,
      ...standing.flatMap(({ at }) => at ?? []),
      ...waiting.flatMap(({ wakeAt }) => wakeAt ?? []),
      ...(live60 || waiting.some(({ codes }) => codes.some((code) => code.endsWith('undetermined')))
        ? [input.now + 60_000]
        : []),
    ];
    return {
      ...shared,
      verdict: 'hold',
      findings: against.sort(),
      asks: input.consent === undefined ? [] : [...new Set(asks)].sort(),
      wakeAt: Math.min(...instants),
    };
  }
  const used = [...required, ...chosen.results];
  return {
    ...shared,
    verdict: 'admit',
    findings: [
      `allowed met ${chosen.rule.id}`,
      ...metOnce([...requires, chosen]).map((id) => `requirement_met met ${id}`),
    ].sort(),
    consumes: [
      ...new Set(used.flatMap(({ consumes }) => consumes ?? []).map(({ id }) => id)),
    ].sort(),
    reserves: [...new Set(used.flatMap(({ reserve }) => reserve ?? []))].sort(),
    validUntil: Math.min(input.action.deadline, ...used.flatMap(({ until }) => until ?? [])),
  };
}

const EMPTY = {
  findings: [],
  matched: [],
  shadow: [],
  consumes: [],
  reserves: [],
  asks: [],
  wakeAt: undefined,
};

/** What only the systems' own answers change. */
const LIVE = new Set(
  (
    'rule_undetermined resolution_failed preview_failed identity_mismatch pinned_file_changed ' +
    'fact_unavailable fact_stale fact_unmet'
  ).split(' '),
);

function fail(): never {
  throw new Error('a sample has no digest');
}

/** Each requirement's first rule, once. */
function metOnce(
  judged: readonly { readonly rule: SampleRule; readonly results: readonly Result[] }[],
): readonly string[] {
  const first = new Map<Digest, string>();
  for (const { rule, results } of judged) {
    for (const { digest } of results) if (!first.has(digest)) first.set(digest, rule.id);
  }
  return [...first.values()];
}

function would(rule: SampleRule, applies: Truth, results: readonly Result[]): string {
  if (applies === null) return 'hold';
  if (rule.effect === 'deny') return 'deny';
  if (results.some(({ status }) => status === 'impossible')) return 'deny';
  return results.every(({ status }) => status === 'met') ? 'admit' : 'hold';
}

// ---------------------------------------------------------------- always required

function fatalCodes({ input }: Known): readonly string[] {
  const { agent, people } = input.local;
  const codes: string[] = [];
  if (input.action.deadline <= input.now) codes.push('deadline_passed');
  if (agent === undefined) codes.push('principal_unknown');
  else {
    if (!agent.live) codes.push('principal_revoked');
    if (!agent.delegationLive) codes.push('delegation_revoked');
    const { delegator } = input.action.principal;
    if (delegator !== undefined && people[delegator] === undefined) codes.push('principal_unknown');
    if (delegator !== undefined && people[delegator]?.live === false)
      codes.push('principal_revoked');
  }
  return codes.map((code) => `${code} impossible -`).sort();
}

interface Standing {
  readonly code: string;
  readonly status: string;
  readonly at?: number;
}

function standingCodes({ input, operation, target }: Known): readonly Standing[] {
  const found: Standing[] = [];
  const { resolution, preview, local, action, now } = input;
  for (const { scope } of operation.safing ? [] : local.halts) {
    const named: Readonly<Record<string, readonly (string | undefined)[]>> = {
      target: [action.target],
      operation: [action.operation],
      kind: [operation.kind],
      agent: [action.principal.agent],
      environment: [
        target.environment,
        resolution.kind === 'known' ? resolution.value.environment : undefined,
      ],
    };
    const covered = Object.entries(scope).every(([name, value]) => named[name]?.includes(value));
    if (covered) found.push({ code: 'halted', status: 'unmet' });
  }
  if (resolution.kind !== 'known')
    found.push({ code: 'resolution_failed', status: 'undetermined' });
  else if (target.locked !== undefined && target.locked.identity !== resolution.value.identity) {
    found.push({ code: 'identity_mismatch', status: 'unmet' });
  }
  const wanted = operation.binding.preview !== undefined;
  if (wanted && (preview.kind !== 'known' || preview.value === 'none')) {
    found.push({ code: 'preview_failed', status: 'undetermined' });
  }
  if (action.notBefore !== undefined && action.notBefore > now) {
    const late = action.notBefore >= action.deadline;
    found.push({
      code: 'not_before',
      status: late ? 'impossible' : 'unmet',
      ...(late ? {} : { at: action.notBefore }),
    });
  }
  const { effect, conflict } = local;
  if (effect?.state === 'succeeded') found.push({ code: 'already_done', status: 'impossible' });
  else if (effect !== undefined && (effect.state !== 'held' || effect.action < input.id)) {
    found.push({ code: 'effect_busy', status: 'unmet' });
  }
  if (wanted && operation.precondition !== 'conditional' && !operation.safing) {
    if (conflict.executing !== undefined) found.push({ code: 'target_busy', status: 'unmet' });
    else if (conflict.settledAt !== undefined && preview.kind === 'known') {
      const at = preview.value === 'none' ? Infinity : preview.value.observedAt;
      if (at <= conflict.settledAt) {
        found.push({ code: 'target_busy', status: 'undetermined', at: now + 1 });
      }
    }
  }
  return found;
}

// ---------------------------------------------------------------- match and when

function both(parts: readonly Truth[]): Truth {
  if (parts.includes(false)) return false;
  return parts.includes(null) ? null : true;
}

function either(parts: readonly Truth[]): Truth {
  if (parts.includes(true)) return true;
  return parts.includes(null) ? null : false;
}

function negation(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

/** The environment, or `null` while only the system could say it. */
function environmentOf({ input, target }: Known): string | null {
  if (input.resolution.kind === 'known') return input.resolution.value.environment;
  return target.probe?.environment === undefined ? target.environment : null;
}

function within(set: SampleSet | undefined, names: readonly (string | undefined)[]): boolean {
  if (set === undefined) return true;
  const among = names.some((name) => name !== undefined && set.names.includes(name));
  return among !== set.negated;
}

function matches({ match }: SampleRule, known: Known): Truth {
  const { input, target, operation } = known;
  const { agent, delegator } = input.action.principal;
  const environment = environmentOf(known);
  const inEnvironment =
    match.environment === undefined
      ? true
      : environment === null
        ? null
        : within(match.environment, [environment]);
  return both([
    within(match.kind, [operation.kind]),
    within(match.target, [target.name]),
    within(match.owner, [target.owner]),
    match.tier === undefined || target.labels['tier'] === match.tier,
    within(match.operation, [operation.name]),
    within(match.agent, [agent]),
    within(match.role, input.local.agent?.roles ?? []),
    within(match.delegator, [delegator]),
    inEnvironment,
  ]);
}

function holds(condition: Condition, known: Known): Truth {
  const { input, target } = known;
  const factValue = (name: string): unknown => {
    const fact = input.facts[name];
    return fact?.kind === 'known' ? fact.value.value : null;
  };
  switch (condition.is) {
    case 'environment': {
      const environment = environmentOf(known);
      return environment === null ? null : environment === condition.equal;
    }
    case 'agent':
      return input.action.principal.agent === condition.equal;
    case 'target':
      return target.name === condition.equal;
    case 'ready': {
      const value = factValue('ready');
      return typeof value === 'boolean' ? value : null;
    }
    case 'level': {
      const value = factValue('level');
      return typeof value === 'number' ? value >= condition.atLeast : null;
    }
    case 'amount':
      return centsOf(input) <= condition.atMost;
    case 'rows': {
      const { preview } = input;
      if (preview.kind !== 'known' || preview.value === 'none') return null;
      return Number(preview.value.material['rows']) <= condition.atMost;
    }
    case 'not':
      return negation(holds(condition.of, known));
    case 'and':
      return both(condition.of.map((part) => holds(part, known)));
    case 'or':
      return either(condition.of.map((part) => holds(part, known)));
    default:
      return condition satisfies never;
  }
}
