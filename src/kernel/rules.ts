/**
 * The rules of one hearing: which apply, which cannot be told to apply, and how their requirements
 * stand. `verdict.ts` weighs them and `explain.ts` pictures them.
 */
import { couldMatch, environmentIsOpen } from './match.ts';
import { compareText } from './finding.ts';
import type { Hearing } from './hearing.ts';
import type { CompiledPolicy, CompiledRule } from './policy/compiled.ts';
import { assess } from './requirement.ts';
import type { Assessment } from './requirement/assessment.ts';
import { factsOf } from './rule-facts.ts';

/** A rule that applies, or of which it is not known. Rules that do not apply are not heard. */
export interface HeardRule {
  readonly compiled: CompiledRule;
  /** Why it is not known whether the rule applies; absent where it does. */
  readonly unclear: string | undefined;
  /** One for each requirement, in order; none where it is not known whether the rule applies. */
  readonly assessments: readonly Assessment[];
}

/** All rules of a hearing, each list in order of rule id. */
export interface HeardRules {
  readonly denies: readonly HeardRule[];
  readonly requires: readonly HeardRule[];
  readonly allows: readonly HeardRule[];
  readonly shadows: readonly HeardRule[];
  /** Some rule that matches reads the clock, so that the verdict can change at any time. */
  readonly readsNow: boolean;
}

// mutant: nobody writes to it; frozen, so that nobody begins to.
const NONE: readonly Assessment[] = Object.freeze([]);

/** Judges every rule whose `match` holds or cannot be told not to. */
export function hearRules(policy: CompiledPolicy, hearing: Hearing): HeardRules {
  const denies: HeardRule[] = [];
  const requires: HeardRule[] = [];
  const allows: HeardRule[] = [];
  const shadows: HeardRule[] = [];
  let readsNow = false;
  for (const compiled of policy.matching(hearing.input)) {
    const { rule } = compiled;
    if (factsOf(compiled).readsNow) readsNow = true;
    const heard = hearRule(compiled, hearing);
    if (heard === undefined) continue;
    if (rule.shadow) addShadow(shadows, heard);
    else if (rule.effect === 'deny') denies.push(heard);
    else if (rule.effect === 'require') requires.push(heard);
    else allows.push(heard);
  }
  // mutant: beside an allow that can be met, one that may apply changes nothing.
  const reachable = allows.some((allow) => isClear(allow) && !isImpossible(allow));
  // mutant: the same.
  if (!reachable) addOpenAllow(allows, policy, hearing);
  return { denies, requires, allows, shadows, readsNow };
}

/** As without its shadow: an allow that is not known to apply does not. */
function addShadow(shadows: HeardRule[], heard: HeardRule): void {
  if (isClear(heard) || heard.compiled.rule.effect !== 'allow') shadows.push(heard);
}

/** Whether it is known that the rule applies. */
export function isClear(heard: HeardRule): boolean {
  return heard.unclear === undefined;
}

/** Whether a requirement of the rule can no longer be met. */
export function isImpossible({ assessments }: HeardRule): boolean {
  return assessments.some((assessment) => assessment.status === 'impossible');
}

function addOpenAllow(allows: HeardRule[], policy: CompiledPolicy, hearing: Hearing): void {
  const found = environmentIsOpen(hearing.input) ? openAllow(policy, hearing) : undefined;
  if (found === undefined) return;
  allows.push({ ...found, assessments: NONE });
  allows.sort((left, right) => compareText(left.compiled.rule.id, right.compiled.rule.id));
}

function hearRule(compiled: CompiledRule, hearing: Hearing): HeardRule | undefined {
  const unclear = whyUnclear(compiled, hearing);
  if (unclear === false) return undefined;
  const assessments =
    unclear === undefined
      ? compiled.requires.map((requirement) => assess(requirement, hearing))
      : NONE;
  return { compiled, unclear, assessments };
}

/** Of a rule whose `match` holds: `false` if it does not apply, a text why that is not known, else nothing. */
export function whyUnclear(
  { rule, when }: CompiledRule,
  hearing: Hearing,
): string | false | undefined {
  if (when !== undefined) {
    const result = when.evaluate(hearing.scope);
    if (result.kind !== 'value') return result.message;
    if (!result.value) return false;
  }
  const isOpen = rule.match.environments !== undefined && environmentIsOpen(hearing.input);
  return isOpen ? 'the environment is not known' : undefined;
}

/** An allow rule that would apply in some environment, while it is not known which one it is. */
export function openAllow(
  policy: CompiledPolicy,
  hearing: Hearing,
): { readonly compiled: CompiledRule; readonly unclear: string } | undefined {
  for (const compiled of policy.compiled) {
    const { rule } = compiled;
    // mutant: a rule for whichever environment was heard already.
    if (rule.effect !== 'allow' || rule.shadow || rule.match.environments === undefined) continue;
    if (!couldMatch(rule.match, hearing.input)) continue;
    const unclear = whyUnclear(compiled, hearing);
    // One is enough to know that it is not known.
    if (unclear !== undefined && unclear !== false) return { compiled, unclear };
  }
  // mutant: what ends without an answer has none.
  return undefined;
}
