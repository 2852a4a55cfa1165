/**
 * What another policy would have decided then: a decision is made again from what was recorded, under
 * that policy. It can be told only as far as what that policy asks was recorded.
 */
import { decide, demandOf, foreclose } from '../kernel/decide.ts';
import type { Decision, DecisionInput, Demand, Verdict, WindowState } from '../kernel/decision.ts';
import type { CompiledPolicy } from '../kernel/policy/compiled.ts';
import type { Calendars } from './ports.ts';
import type { ReadDecision } from './replaying.ts';

/** What the other policy says. */
export interface Reconsidered {
  /** `untold`: it asks what was not recorded then. */
  readonly would: Verdict | 'untold';
  /** Where it would be another: the rules responsible with their place, or the codes where none is. */
  readonly because: readonly Because[];
  /** What would have to be known, such as `facts.ticket`; empty where it can be told. */
  readonly missing: readonly string[];
}

/** A rule that is responsible, or the code of what is required without a rule. */
export interface Because {
  readonly name: string;
  readonly place?: { readonly file: string; readonly line: number };
}

/** Decides again under another policy, which was compiled with an inventory of its own. */
export function reconsider(
  { recorded, past }: ReadDecision,
  would: CompiledPolicy,
  calendars: Calendars,
): Reconsidered {
  if (recorded.maker === 'mismatched') return { would: 'deny', because: [], missing: [] };
  const target = would.inventory.targets.get(recorded.input.action.target);
  const operation = target?.operations.get(recorded.input.action.operation);
  const moved: DecisionInput = { ...recorded.input, target, operation };
  const demand = demandOf(would, moved);
  const input = { ...moved, windows: windowsOf(would, moved, demand, calendars) };
  const isEarly = input.resolution.kind === 'absent';
  const decision = (isEarly ? foreclose(would, input) : undefined) ?? decide(would, input);
  const missing = missingOf(input, demand, demandOf(past.policy, recorded.input));
  const untold = missing.length > 0 && !isCertain(decision);
  return {
    would: untold ? 'untold' : decision.verdict,
    because: untold ? [] : becauseOf(decision),
    missing: untold ? missing : [],
  };
}

/** Calendars are asked about the instant of then. */
function windowsOf(
  policy: CompiledPolicy,
  { now, windows }: DecisionInput,
  demand: Demand,
  calendars: Calendars,
): Readonly<Record<string, WindowState>> {
  const states: Record<string, WindowState> = { ...windows };
  for (const name of demand.windows) {
    const calendar = policy.calendars.get(name);
    if (calendar !== undefined) states[name] = calendars.at(calendar, now);
  }
  return states;
}

/** What the policy asks that nobody asked then. */
function missingOf(input: DecisionInput, demand: Demand, asked: Demand): readonly string[] {
  const { facts, local } = input;
  const afterAsked = new Set(asked.after.map(({ key }) => key));
  return [
    ...(input.resolution.kind === 'absent' ? ['resolution'] : []),
    ...demand.facts.flatMap(({ name }) => (Object.hasOwn(facts, name) ? [] : [`facts.${name}`])),
    ...demand.limits.flatMap(({ key }) => (Object.hasOwn(local.limits, key) ? [] : [key])),
    ...demand.after.flatMap(({ key }) => (afterAsked.has(key) ? [] : [key])),
  ];
}

/** Findings that rest on what may not have been recorded. */
const RECORDED_ONLY: ReadonlySet<string> = new Set([
  'after_missing',
  'after_too_soon',
  'after_too_late',
  'over_limit',
]);

/** A denial stands whatever else is not known; it is one finding alone that denies. */
function isCertain({ verdict, findings }: Decision): boolean {
  return verdict === 'deny' && findings.some(({ code }) => !RECORDED_ONLY.has(code));
}

/** What holds or denies it; of an admission the rule that allows. */
function becauseOf({ verdict, findings }: Decision): readonly Because[] {
  const named = new Map<string, Because>();
  for (const { code, rule, status } of findings) {
    if (verdict === 'admit' ? rule?.effect !== 'allow' : status === 'met') continue;
    const name = rule?.id ?? code;
    if (named.has(name)) continue;
    const place = rule && { file: rule.position.file, line: rule.position.line };
    named.set(name, { name, ...(place === undefined ? {} : { place }) });
  }
  return [...named.values()];
}
