/**
 * From the rules heard to the verdict: what is impossible denies, what else is not met holds, and
 * what was met admits. Findings are exactly those that determine it: of a denial each one alone, of a
 * hold all together, of an admission what let it through.
 */
import { changesToEscape, changeText, changeToReach } from './change.ts';
import type { Ask, Decision, DecisionInput, Finding, Reservation, Verdict } from './decision.ts';
import type { Digest } from './digest.ts';
import { compareFindings, compareText, type Draft } from './finding.ts';
import { consentOf, type Hearing } from './hearing.ts';
import type { ApprovalId } from './id.ts';
import { instantOf, type Instant } from './instant.ts';
import type { CompiledPolicy, CompiledRule } from './policy/compiled.ts';
import type { Assessment } from './requirement/assessment.ts';
import { factsOf } from './rule-facts.ts';
import { isClear, isImpossible, type HeardRule, type HeardRules } from './rules.ts';

/** How often a hold is looked at again for what no instant can be named for: live values, rules that read the clock. */
const PULSE_MS = 60_000;

/** What stands against an admission, and by which `allow` it could come. */
export interface Weighed {
  /** Everything that is not met, each requirement once. */
  readonly findings: readonly Finding[];
  /** The met allow with the smallest id, or the one nearest to being met; absent where none applies. */
  readonly allow: HeardRule | undefined;
  /** Every allow that could still be met. */
  readonly candidates: readonly HeardRule[];
}

/** What {@link weigh} and the verdicts are made from. */
export interface Case {
  readonly policy: CompiledPolicy;
  readonly hearing: Hearing;
  readonly rules: HeardRules;
}

/** Puts together everything that is not met. */
export function weigh(of: Case, standing: readonly Draft[]): Weighed {
  const { rules } = of;
  const findings: Finding[] = [...standing];
  const seen = new Set<Digest>();
  for (const deny of rules.denies) findings.push(denyFinding(deny));
  for (const require of rules.requires) addRule(findings, seen, require);
  const candidates = rules.allows.filter((allow) => !isImpossible(allow));
  const allow = nearest(candidates) ?? nearest(rules.allows);
  if (allow === undefined) findings.push(noAllowFinding(of));
  else addRule(findings, seen, allow);
  return { findings, allow, candidates };
}

/** The finding of a deny rule that applies, or of which that is not known. */
export function denyFinding(deny: HeardRule): Finding {
  if (!isClear(deny)) return unclearFinding(deny);
  const { rule } = deny.compiled;
  const [change] = changesToEscape(deny.compiled);
  return {
    code: 'denied_by_rule',
    status: 'impossible',
    // mutant: the compiler asks each deny for its sentence.
    message: rule.message ?? `\`${rule.id}\` denies it`,
    rule: factsOf(deny.compiled).reference,
    ...(change === undefined ? {} : { change: changeText(change) }),
  };
}

/** The finding that no allow rule applies, with what would make the nearest one apply. */
export function noAllowFinding({ policy, hearing }: Case): Finding {
  const { input, scope } = hearing;
  const { action } = input;
  const finding: Finding = {
    code: 'no_rule_allows',
    status: 'impossible',
    message: `no rule allows \`${action.operation}\` at \`${action.target}\` for \`${action.principal.agent}\``,
  };
  for (const compiled of policy.matching(input)) {
    if (compiled.rule.effect !== 'allow' || compiled.rule.shadow) continue;
    const change = changeToReach(compiled, scope);
    if (change !== undefined) return { ...finding, change: changeText(change) };
  }
  return finding;
}

function unclearFinding({ compiled, unclear }: HeardRule): Finding {
  return {
    code: 'rule_undetermined',
    status: 'undetermined',
    // mutant: a rule that is not clear says why.
    message: `whether \`${compiled.rule.id}\` applies is not known: ${unclear ?? ''}`,
    rule: factsOf(compiled).reference,
    waitsFor: 'fact',
  };
}

function addRule(findings: Finding[], seen: Set<Digest>, heard: HeardRule): void {
  // Such a rule has no assessments.
  if (!isClear(heard)) findings.push(unclearFinding(heard));
  const { compiled, assessments } = heard;
  for (const [index, assessment] of assessments.entries()) {
    // mutant: each assessment is of one requirement.
    const requirement = compiled.rule.requires[index]?.digest;
    // mutant: each requirement has a digest.
    if (requirement === undefined || seen.has(requirement)) continue;
    seen.add(requirement);
    for (const draft of assessment.drafts) {
      findings.push({ ...draft, rule: factsOf(compiled).reference, requirement });
    }
  }
}

/**
 * The allow with the fewest requirements that are not met; of equals the one with the smallest id. One
 * that is not known to apply comes after all that do. A met one has none, so it is found first.
 */
function nearest(allows: readonly HeardRule[]): HeardRule | undefined {
  let best: HeardRule | undefined;
  let bestDistance = Infinity;
  for (const allow of allows) {
    const distance = distanceOf(allow);
    if (distance >= bestDistance) continue;
    best = allow;
    bestDistance = distance;
  }
  return best;
}

function distanceOf(allow: HeardRule): number {
  if (!isClear(allow)) return Number.MAX_SAFE_INTEGER;
  // mutant: one more for all is the same order.
  let unmet = 0;
  for (const { status } of allow.assessments) if (status !== 'met') unmet++;
  return unmet;
}

// ---------------------------------------------------------------- denial

/** A denial: of all findings those that are impossible, each of which is enough. */
export function denial(
  input: DecisionInput,
  findings: readonly Finding[],
  rules?: HeardRules,
): Decision {
  return {
    ...nothing(input),
    verdict: 'deny',
    findings: ordered(findings.filter((finding) => finding.status === 'impossible')),
    ...(rules === undefined ? {} : { matched: matchedOf(rules), shadow: shadowOf(rules) }),
  };
}

// ---------------------------------------------------------------- hold

/** A hold: everything that is not met, who can be asked, and when to look again. */
export function hold(of: Case, weighed: Weighed): Decision {
  const { hearing, rules } = of;
  const { findings, allow, candidates } = weighed;
  const required = rules.requires.flatMap((rule) => rule.assessments);
  // What is met has no drafts, and wakes nobody.
  const possible = [...required, ...candidates.flatMap((rule) => rule.assessments)];
  const waitsFor = waitsOf(findings, possible);
  const asked = [...required, ...(allow?.assessments ?? [])];
  return {
    ...nothing(hearing.input),
    verdict: 'hold',
    findings: ordered(findings),
    matched: matchedOf(rules),
    shadow: shadowOf(rules),
    asks: consentOf(hearing) === undefined ? EMPTY : asksOf(asked),
    waitsFor,
    wakeAt: wakeAtOf(of, { findings, possible, waitsFor }),
  };
}

function waitsOf(findings: readonly Finding[], possible: readonly Assessment[]): readonly string[] {
  const waits = new Set<string>();
  for (const draft of [...findings, ...possible.flatMap((assessment) => assessment.drafts)]) {
    if (draft.waitsFor !== undefined) waits.add(draft.waitsFor);
  }
  return frozen([...waits].sort());
}

function wakeAtOf(
  { hearing, rules }: Case,
  of: {
    readonly findings: readonly Finding[];
    readonly possible: readonly Assessment[];
    readonly waitsFor: readonly string[];
  },
): Instant {
  const { now, action } = hearing.input;
  let wakeAt: number = action.deadline;
  for (const finding of of.findings) wakeAt = Math.min(wakeAt, finding.at ?? Infinity);
  for (const assessment of of.possible) wakeAt = Math.min(wakeAt, assessment.wakeAt);
  const pulses = rules.readsNow || of.waitsFor.includes('fact');
  return instantOf(pulses ? Math.min(wakeAt, now + PULSE_MS) : wakeAt);
}

function asksOf(assessments: readonly Assessment[]): readonly Ask[] {
  const asks = new Map<Digest, Ask>();
  for (const { ask } of assessments) if (ask !== undefined) asks.set(ask.requirement, ask);
  return frozen(
    [...asks.values()].sort((left, right) => compareText(left.requirement, right.requirement)),
  );
}

// ---------------------------------------------------------------- admission

/** An admission: what let it through, what the crossing consumes and reserves, and until when it holds. */
export function admission({ hearing, rules }: Case, allow: HeardRule): Decision {
  const { now, action, redemption } = hearing.input;
  const findings: Finding[] = [];
  const consumes: ApprovalId[] = [];
  const reserves: Reservation[] = [];
  let until: number = rules.readsNow ? Math.min(action.deadline, now + 1) : action.deadline;
  until = Math.min(until, redemption?.expiresAt ?? until);
  for (const heard of [...rules.requires, allow]) {
    addMet(findings, heard.compiled);
    for (const assessment of heard.assessments) {
      until = Math.min(until, assessment.until);
      for (const id of assessment.consumes ?? []) if (!consumes.includes(id)) consumes.push(id);
      if (assessment.reserve !== undefined) addReserve(reserves, assessment.reserve);
    }
  }
  return {
    verdict: 'admit',
    findings: ordered(findings),
    matched: matchedOf(rules),
    shadow: shadowOf(rules),
    consumes: frozen(consumes.sort()),
    reserves: frozen(reserves.sort((left, right) => compareText(left.key, right.key))),
    waitsFor: EMPTY,
    asks: EMPTY,
    validUntil: instantOf(until),
  };
}

// Lists of a decision are short: looking through them is cheaper than a set.
function addMet(findings: Finding[], compiled: CompiledRule): void {
  for (const finding of factsOf(compiled).met) {
    const { requirement } = finding;
    const known =
      // mutant: without a requirement is only what the one allow says.
      requirement !== undefined && findings.some((other) => other.requirement === requirement);
    if (!known) findings.push(finding);
  }
}

/** Equal keys are equal counters with equal amounts: one reservation. */
function addReserve(reserves: Reservation[], reserve: Reservation): void {
  if (!reserves.some(({ key }) => key === reserve.key)) reserves.push(reserve);
}

// ---------------------------------------------------------------- shared parts

/** What a decision says that admits nothing and asks nobody; it covers no instant. */
function nothing(input: DecisionInput): Omit<Decision, 'verdict' | 'findings'> {
  return {
    matched: EMPTY,
    shadow: EMPTY,
    consumes: EMPTY,
    reserves: EMPTY,
    waitsFor: EMPTY,
    asks: EMPTY,
    validUntil: input.now,
  };
}

const EMPTY: readonly never[] = Object.freeze([]);

function matchedOf({ denies, requires, allows }: HeardRules): readonly string[] {
  const matched: string[] = [];
  for (const { compiled } of denies) matched.push(compiled.rule.id);
  for (const { compiled } of requires) matched.push(compiled.rule.id);
  // What is not known to apply counts as matching, but an allow does not.
  for (const allow of allows) if (isClear(allow)) matched.push(allow.compiled.rule.id);
  return frozen(matched.sort());
}

function shadowOf({ shadows }: HeardRules): Decision['shadow'] {
  return frozen(shadows.map((heard) => ({ rule: heard.compiled.rule.id, would: wouldOf(heard) })));
}

function wouldOf(heard: HeardRule): Verdict {
  if (!isClear(heard)) return 'hold';
  if (heard.compiled.rule.effect === 'deny' || isImpossible(heard)) return 'deny';
  return heard.assessments.every((assessment) => assessment.status === 'met') ? 'admit' : 'hold';
}

function ordered(findings: readonly Finding[]): readonly Finding[] {
  return frozen([...findings].sort(compareFindings));
}

/** A list of a decision with its items; what those hold is frozen where it is made. */
function frozen<Item>(items: readonly Item[]): readonly Item[] {
  // mutant: an empty list of its own is frozen alike.
  if (items.length === 0) return EMPTY;
  for (const item of items) Object.freeze(item);
  return Object.freeze(items);
}
