/**
 * The decision (DESIGN sections 3 and 5): should this exact action execute right now? Pure and
 * synchronous: everything it goes by is in its input, so that the ledger can replay it. It runs once
 * when an action was gathered for, and again inside the crossing, on what was read under lock; only
 * a decision made here can admit.
 *
 * A matching `deny` denies. All `require` rules apply together. At least one `allow` must have its
 * own requirements met. Without one: denied. What cannot be evaluated prevents admission and never
 * ends a hold.
 */
import { fatalDrafts, haltedDrafts, standingDrafts } from './always.ts';
import type { Decision, DecisionInput, Finding } from './decision.ts';
import { hear, isKnown, type KnownInput } from './hearing.ts';
import { isPolicy } from './policy/compile.ts';
import type { CompiledPolicy } from './policy/compiled.ts';
import { hearRules, openAllow, whyUnclear, type HeardRules } from './rules.ts';
import { admission, denial, denyFinding, hold, noAllowFinding, weigh } from './verdict.ts';

export { demandOf } from './demand.ts';

const made = new WeakSet<Decision>();

/** Whether `decide`, `foreclose` or `payloadMismatch` made this decision. */
export function isDecision(decision: Decision): boolean {
  return made.has(decision);
}

/** Decides about an action, now. Throws `TypeError` for a policy that `compilePolicy` did not make. */
export function decide(policy: CompiledPolicy, input: DecisionInput): Decision {
  refuseForged(policy);
  const fatal = fatalDrafts(input);
  // mutant: what is not known is fatal.
  if (fatal.length > 0 || !isKnown(input)) return stamp(denial(input, fatal));
  const hearing = hear(input);
  const rules = hearRules(policy, hearing);
  const heard = { policy, hearing, rules };
  const weighed = weigh(heard, standingDrafts(input));
  // mutant: that there is no allow is a finding.
  if (weighed.findings.length === 0 && weighed.allow !== undefined) {
    return stamp(admission(heard, weighed.allow));
  }
  const denies = weighed.findings.some((finding) => finding.status === 'impossible');
  return stamp(denies ? denial(input, weighed.findings, rules) : hold(heard, weighed));
}

/**
 * The decision that is certain from action, inventory and local facts alone, before any system is
 * touched; `undefined` where it depends on what is still to be gathered. Never says more than
 * {@link decide} would, whatever is gathered.
 */
export function foreclose(policy: CompiledPolicy, input: DecisionInput): Decision | undefined {
  refuseForged(policy);
  const fatal = fatalDrafts(input);
  // mutant: what is not known is fatal.
  if (fatal.length > 0 || !isKnown(input)) return stamp(denial(input, fatal));
  const untouched = withoutSystems(input);
  const denials = certainDenials(policy, untouched);
  if (denials.length > 0) return stamp(denial(input, denials));
  const halted = haltedDrafts(untouched);
  if (halted.length === 0) return undefined;
  const heard = { policy, hearing: hear(untouched), rules: NO_RULES };
  return stamp(hold(heard, { findings: halted, allow: undefined, candidates: [] }));
}

/** The denial of an action whose stored bytes are not the ones that its digest names. */
export function payloadMismatch(input: DecisionInput): Decision {
  const message = 'the stored bytes are not the action that was proposed';
  return stamp(denial(input, [{ code: 'payload_mismatch', status: 'impossible', message }]));
}

const NO_RULES: HeardRules = {
  denies: [],
  requires: [],
  allows: [],
  shadows: [],
  readsNow: false,
};

function withoutSystems(input: KnownInput): KnownInput {
  return {
    ...input,
    // mutant: what is not known and did not fail was not asked.
    resolution: { kind: 'absent' },
    // mutant: the same.
    preview: { kind: 'absent' },
    consent: undefined,
    facts: {},
    windows: {},
  };
}

/** Deny rules that apply whatever is gathered, and that no allow rule can apply. */
function certainDenials(policy: CompiledPolicy, input: KnownInput): readonly Finding[] {
  const hearing = hear(input);
  const findings: Finding[] = [];
  let allowed = false;
  for (const compiled of policy.matching(input)) {
    const { effect, shadow } = compiled.rule;
    // mutant: another allow after one changes nothing.
    if (shadow || effect === 'require' || (effect === 'allow' && allowed)) continue;
    const unclear = whyUnclear(compiled, hearing);
    if (effect === 'allow') allowed ||= unclear !== false;
    else if (unclear === undefined) {
      findings.push(denyFinding({ compiled, unclear, assessments: [] }));
    }
  }
  if (!allowed && openAllow(policy, hearing) === undefined) {
    findings.push(noAllowFinding({ policy, hearing, rules: NO_RULES }));
  }
  return findings;
}

function refuseForged(policy: CompiledPolicy): void {
  if (!isPolicy(policy)) throw new TypeError('a policy is made by compilePolicy only');
}

/** The lists are frozen already; with this nothing of the decision can change. */
function stamp(decision: Decision): Decision {
  made.add(Object.freeze(decision));
  return decision;
}
