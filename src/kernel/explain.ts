/**
 * Why a decision is what it is, in a structure that CLI, console and API render (DESIGN section 9):
 * every rule with its place in the file, what it waits for, and what would change it. A change is
 * named only after deciding again with it.
 */
import { fatalDrafts, standingDrafts } from './always.ts';
import { tallyOf, whyNotEntitled, type ConsentRequirement } from './consent.ts';
import type { Ask, Decision, DecisionInput, Finding, FindingCode, Verdict } from './decision.ts';
import type { Digest } from './digest.ts';
import type { Position } from './document.ts';
import { alternatives, type Alternative } from './explain/alternatives.ts';
import { clauseLine, clausesText, whatText } from './explain/values.ts';
import { compareFindings, shown } from './finding.ts';
import { consentOf, hear, isKnown, sameOf, type Hearing } from './hearing.ts';
import type { Instant } from './instant.ts';
import type { CompiledPolicy } from './policy/compiled.ts';
import { factsOf } from './rule-facts.ts';
import { hearRules, isClear, type HeardRule } from './rules.ts';

export { renderExplanation } from './explain/render.ts';

/** Why a decision is what it is. Instants are UTC; the renderer formats them. */
export interface Explanation {
  readonly verdict: Verdict;
  readonly now: Instant;
  /** What would be done, such as `refund 49.90 EUR to cus_9`. */
  readonly what: string;
  readonly target: string;
  /** What the system says of itself if it was asked, else the inventory; absent for an unknown target. */
  readonly environment?: string;
  readonly agent: string;
  readonly delegator?: string;
  readonly proposedAt: Instant;
  readonly deadline: Instant;
  readonly lines: readonly ExplanationLine[];
  /** What must all come true for the action to run; empty for an admission and a denial. */
  readonly runsWhen: readonly RunsWhen[];
  readonly or: readonly Alternative[];
  /** What rules in shadow would have done; they did nothing. */
  readonly shadow: readonly Shadowed[];
}

/** A rule in shadow that was heard. */
export interface Shadowed {
  readonly rule: NonNullable<ExplanationLine['rule']>;
  readonly would: Verdict;
}

/** One reason, with the rule it comes from; without one it is always required. */
export interface ExplanationLine {
  readonly mark: 'met' | 'unmet' | 'undetermined';
  readonly rule?: { readonly id: string; readonly effect: string; readonly position: Position };
  readonly text: string;
}

/** One thing that is waited for, with the instant it comes by itself or the last one it can come. */
export interface RunsWhen {
  readonly text: string;
  readonly from?: Instant;
  readonly by?: Instant;
}

/** Explains a decision that was made from this input by this policy. */
export function explainDecision(
  policy: CompiledPolicy,
  input: DecisionInput,
  decision: Decision,
): Explanation {
  const { principal, target, deadline } = input.action;
  const { resolution } = input;
  const environment =
    resolution.kind === 'known' ? resolution.value.environment : input.target?.environment;
  // mutant: what is not known is fatal as well.
  const judged = isKnown(input) && fatalDrafts(input).length === 0;
  const hearing = judged ? hear(input) : undefined;
  return {
    verdict: decision.verdict,
    now: input.now,
    what: whatText(input),
    target,
    ...(environment === undefined ? {} : { environment }),
    agent: principal.agent,
    ...(principal.delegator === undefined ? {} : { delegator: principal.delegator }),
    proposedAt: input.proposedAt,
    deadline,
    lines: [
      ...(hearing === undefined ? [] : ruleLines(policy, hearing)),
      ...standingLines(input, decision, hearing),
    ],
    runsWhen:
      // mutant: what cannot be judged is denied.
      decision.verdict === 'hold' && hearing !== undefined
        ? runsWhenOf(decision, { policy, hearing })
        : [],
    or: hearing === undefined ? [] : alternatives(policy, hearing, decision),
    shadow: decision.shadow.flatMap(({ rule: id, would }) => {
      const compiled = policy.compiled.find(({ rule }) => rule.id === id);
      // mutant: the rule is of this policy.
      return compiled === undefined ? [] : { rule: factsOf(compiled).reference, would };
    }),
  };
}

function ruleLines(policy: CompiledPolicy, hearing: Hearing): readonly ExplanationLine[] {
  const rules = hearRules(policy, hearing);
  return [
    ...rules.denies.map((deny) => denyLine(deny)),
    ...rules.allows.flatMap((allow) => [appliesLine(allow, hearing), ...requirementLines(allow)]),
    ...(rules.allows.some(isClear) ? [] : outOfReachLines(policy, hearing)),
    ...rules.requires.flatMap((require) =>
      isClear(require) ? requirementLines(require) : [appliesLine(require, hearing)],
    ),
  ];
}

function denyLine(deny: HeardRule): ExplanationLine {
  const { reference } = factsOf(deny.compiled);
  if (!isClear(deny)) return unclearLine(deny);
  // mutant: every deny has a sentence, though its type does not say so.
  return { mark: 'unmet', rule: reference, text: deny.compiled.rule.message ?? 'denied' };
}

function appliesLine(heard: HeardRule, hearing: Hearing): ExplanationLine {
  const { reference } = factsOf(heard.compiled);
  if (!isClear(heard)) return unclearLine(heard);
  return { mark: 'met', rule: reference, text: clausesText(heard.compiled, hearing.scope) };
}

function unclearLine({ compiled, unclear }: HeardRule): ExplanationLine {
  // mutant: what is not clear says why, though its type does not say so.
  return { mark: 'undetermined', rule: factsOf(compiled).reference, text: unclear ?? '' };
}

const MARKS = {
  met: 'met',
  unmet: 'unmet',
  impossible: 'unmet',
  undetermined: 'undetermined',
} as const;

function requirementLines({ compiled, assessments }: HeardRule): readonly ExplanationLine[] {
  const { reference, met } = factsOf(compiled);
  return assessments.flatMap((assessment, index): readonly ExplanationLine[] => {
    if (assessment.status !== 'met') {
      return assessment.drafts.map((draft) => ({
        mark: MARKS[draft.status],
        rule: reference,
        text: draft.message,
      }));
    }
    // mutant: there is an assessment for each requirement.
    const digest = compiled.rule.requires[index]?.digest;
    // mutant: there is a finding for each requirement.
    const text = met.find((finding) => finding.requirement === digest)?.message ?? '';
    return [{ mark: 'met', rule: reference, text }];
  });
}

/** The allow rules that are about this action, each with the clause that keeps it from applying. */
function outOfReachLines(policy: CompiledPolicy, hearing: Hearing): readonly ExplanationLine[] {
  return policy.matching(hearing.input).flatMap((compiled) => {
    if (compiled.rule.effect !== 'allow' || compiled.rule.shadow) return [];
    const text = clauseLine(compiled, hearing.scope);
    return text === undefined
      ? []
      : [{ mark: 'unmet', rule: factsOf(compiled).reference, text } as const];
  });
}

function standingLines(
  input: DecisionInput,
  decision: Decision,
  hearing: Hearing | undefined,
): readonly ExplanationLine[] {
  const drafts = hearing === undefined ? [] : standingDrafts(hearing.input);
  const told = new Set(drafts.map((draft) => draft.message));
  const others = decision.findings.filter(
    (finding) => finding.rule === undefined && !told.has(finding.message),
  );
  const against = [...drafts, ...others].sort(compareFindings);
  const lines = against.map((draft): ExplanationLine => {
    return { mark: MARKS[draft.status], text: draft.message };
  });
  const { resolution } = input;
  const doubted = against.some((finding) => finding.code === 'identity_mismatch');
  if (resolution.kind === 'known' && resolution.value.identity !== null && !doubted) {
    const ageMs = Math.max(0, input.now - resolution.value.observedAt);
    const text = `system is ${shown(resolution.value.identity)}, probed ${agoText(ageMs)} ago`;
    lines.push({ mark: 'met', text });
  }
  return lines;
}

function agoText(ageMs: number): string {
  if (ageMs < 1000) return `${String(ageMs)} ms`;
  return ageMs < 120_000
    ? `${String(Math.round(ageMs / 1000))} s`
    : `${String(Math.round(ageMs / 60_000))} min`;
}

// ---------------------------------------------------------------- runs when

/** Codes that only say why an answer did not count; what is waited for stands beside them. */
const BESIDE: ReadonlySet<Finding['code']> = new Set([
  'consent_moved',
  'approval_expired',
  'approver_not_entitled',
]);

/** A hearing, and the policy that is heard. */
interface Explained {
  readonly policy: CompiledPolicy;
  readonly hearing: Hearing;
}

function runsWhenOf(decision: Decision, explained: Explained): readonly RunsWhen[] {
  const waits: RunsWhen[] = [];
  for (const finding of decision.findings) {
    if (finding.status === 'met' || BESIDE.has(finding.code)) continue;
    const ask = decision.asks.find(({ requirement }) => requirement === finding.requirement);
    if (ask !== undefined) waits.push({ text: askText(ask, explained), by: ask.until });
    else waits.push({ text: waitText(finding), ...(finding.at ? { from: finding.at } : {}) });
  }
  return waits;
}

/** What ends a wait, by code; of any other code the finding itself must no longer be so. */
const ENDS: Readonly<Partial<Record<FindingCode, string>>> = {
  halted: 'the halt is lifted',
  not_before: 'its time has come',
  window_closed: 'the window opens',
  window_too_short: 'the window opens',
  over_limit: 'the limit has room',
  effect_busy: 'the other action has ended',
  target_busy: 'the other action has ended',
  approval_missing: 'the answers are there',
  confirmation_missing: 'the answer is there',
  permit_not_redeemed: 'its executor redeems the permit',
};

function waitText({ code, message, at }: Finding): string {
  const end = ENDS[code];
  if (end === undefined) return `this is no longer so: ${message}`;
  return at === undefined ? `${end} (${message})` : end;
}

/** Most names that are listed before the role stands for the rest. */
const NAMES_MAX = 4;

function askText(ask: Ask, explained: Explained): string {
  const names = entitledNames(ask, explained);
  const verb = ask.kind === 'approval' ? 'approve' : 'confirm';
  const missing = ask.need - ask.have;
  if (names.length < missing || names.length > NAMES_MAX) {
    const whom = fromOf(ask);
    return missing === 1 ? `${whom} ${verb}s` : `${String(missing)} of ${whom} ${verb}`;
  }
  if (missing === 1) return `${listText(names, 'or')} ${verb}s`;
  return names.length === missing
    ? `${listText(names, 'and')} ${verb}`
    : `${String(missing)} of ${listText(names, 'or')} ${verb}`;
}

function fromOf({ from }: Ask): string {
  if (from === 'delegator') return 'the delegator';
  return 'role' in from ? `role:${from.role}` : from.person;
}

function listText(names: readonly string[], last: string): string {
  // mutant (text): nothing stands between fewer than two.
  if (names.length < 2) return names.join('');
  // mutant: there is a last of two or more.
  return `${names.slice(0, -1).join(', ')} ${last} ${names.at(-1) ?? ''}`;
}

/** Who of the people that are known here could answer and has not; one name for each person. */
function entitledNames(ask: Ask, { policy, hearing }: Explained): readonly string[] {
  const { input } = hearing;
  const same = sameOf(hearing);
  const requirement = consentRequirement(policy, hearing, ask.requirement);
  // mutant: every ask is of a requirement of a rule that matches.
  if (requirement === undefined) return [];
  const consent = consentOf(hearing);
  // Whose answer does not count, because something moved or it is too old, can answer again.
  const { counted } = tallyOf({ requirement, digest: ask.requirement, input, consent, same });
  const answered = new Set(counted.map((approval) => same(approval.approver)));
  const names = new Map<string, string>();
  for (const person of Object.keys(input.local.people).sort()) {
    const self = same(person);
    if (names.has(self) || answered.has(self)) continue;
    if (whyNotEntitled({ requirement, person, input, same }) === undefined) {
      names.set(self, person);
    }
  }
  return [...names.values()];
}

function consentRequirement(
  policy: CompiledPolicy,
  hearing: Hearing,
  digest: Digest,
): ConsentRequirement | undefined {
  // mutant: every ask is of a requirement of a rule that matches.
  const requirement = policy
    .matching(hearing.input)
    .flatMap(({ rule }) => rule.requires)
    .find((identified) => identified.digest === digest)?.requirement;
  // mutant: as above, and it asks people.
  if (requirement?.kind === 'approval') return requirement;
  // mutant: and of one of these two kinds.
  return requirement?.kind === 'confirmation' ? requirement : undefined;
}
