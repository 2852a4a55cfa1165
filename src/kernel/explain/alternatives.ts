/**
 * What else the agent could have asked for: the smallest change of one of the action's own arguments
 * that would admit it, or that would need less. Every change named here was decided again; one that
 * cannot be tried is not named.
 */
import { changesToEscape, changeText, changeToReach, type Change } from '../change.ts';
import { add, canonicalDecimal, Decimal, formatDecimal, negate, parseDecimal } from '../decimal.ts';
import type { Decision, Finding } from '../decision.ts';
import type { Hearing, KnownInput } from '../hearing.ts';
import type { ArgumentType } from '../inventory.ts';
import type { JsonValue } from '../json/value.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import { hearRules } from '../rules.ts';
import { decide } from '../decide.ts';
import { argumentOf } from './values.ts';

/** A change, and what it would give. */
export interface Alternative {
  /** Such as `amount <= 20.00`. */
  readonly change: string;
  /** What would still be waited for, by code. */
  readonly stillNeeds: readonly string[];
  /** What was not read for this action and the changed one would be judged by; with none of both it is admitted at once. */
  readonly unread: readonly string[];
  /** Whether a person would have to answer. */
  readonly needsPeople: boolean;
}

/** Most alternatives that are tried and given. */
const TRIED_MAX = 8;
const GIVEN_MAX = 3;

/** The changes that would admit or need less, best first. */
export function alternatives(
  policy: CompiledPolicy,
  hearing: Hearing,
  decision: Decision,
): readonly Alternative[] {
  if (decision.verdict === 'admit') return [];
  const found: Alternative[] = [];
  const tried = new Set<string>();
  for (const change of proposals(policy, hearing, decision)) {
    const text = changeText(change);
    if (tried.has(text) || tried.size >= TRIED_MAX) continue;
    tried.add(text);
    const alternative = attempt(policy, hearing.input, { decision, change, text });
    if (alternative !== undefined) found.push(alternative);
  }
  return found.sort((left, right) => openCount(left) - openCount(right)).slice(0, GIVEN_MAX);
}

function openCount({ stillNeeds, unread }: Alternative): number {
  return stillNeeds.length + unread.length;
}

/** Changes worth a try: each that takes away a rule in the way, brings an allow, or fits a limit. */
function proposals(
  policy: CompiledPolicy,
  hearing: Hearing,
  decision: Decision,
): readonly Change[] {
  const rules = hearRules(policy, hearing);
  const inTheWay = [
    ...rules.denies,
    ...rules.requires.filter((rule) => rule.assessments.some(({ status }) => status !== 'met')),
  ];
  const reached = policy.matching(hearing.input).flatMap((compiled) => {
    if (compiled.rule.effect !== 'allow' || compiled.rule.shadow) return [];
    return changeToReach(compiled, hearing.scope) ?? [];
  });
  const fitting = decision.findings.flatMap(({ code, change }) =>
    code === 'over_limit' && change !== undefined ? (limitChange(change) ?? []) : [],
  );
  return [...inTheWay.flatMap((rule) => changesToEscape(rule.compiled)), ...reached, ...fitting];
}

/** The change that a limit's finding names: `amount <= 37.50`. */
function limitChange(text: string): Change | undefined {
  const [name, operator, literal] = text.split(' ');
  if (name === undefined || operator !== '<=' || literal === undefined) return undefined;
  return { reference: `measures.${name}`, operator, literal };
}

/** Decides again with the change; `undefined` where it cannot be tried or does not help. */
function attempt(
  policy: CompiledPolicy,
  input: KnownInput,
  of: { readonly decision: Decision; readonly change: Change; readonly text: string },
): Alternative | undefined {
  const changed = withChange(input, of.change);
  if (changed === undefined) return undefined;
  const again = decide(policy, changed);
  if (again.verdict === 'deny') return undefined;
  const open = again.findings.filter((finding) => finding.status !== 'met');
  const before = of.decision.findings.filter((finding) => finding.status !== 'met');
  const helps = of.decision.verdict === 'deny' || open.length < before.length;
  if (again.verdict !== 'admit' && !helps) return undefined;
  const isUnread = ({ code, status }: Finding): boolean =>
    status === 'undetermined' && !before.some((finding) => finding.code === code);
  return {
    change: of.text,
    stillNeeds: codesOf(open.filter((finding) => !isUnread(finding))),
    unread: codesOf(open.filter(isUnread)),
    needsPeople: again.asks.length > 0,
  };
}

function codesOf(findings: readonly Finding[]): readonly string[] {
  return [...new Set(findings.map((finding) => finding.code))];
}

/** The same question about an action with another argument: a new one, to which nobody consented yet. */
function withChange(input: KnownInput, change: Change): KnownInput | undefined {
  const { operation, action } = input;
  const argument = argumentName(operation, change.reference);
  const type = argument === undefined ? undefined : operation.arguments[argument]?.type;
  if (argument === undefined || type === undefined) return undefined;
  const value = valueOf(type, change);
  if (value === undefined) return undefined;
  // mutant (freeze): nothing writes to it.
  const args = Object.freeze({ ...action.args, [argument]: value });
  return {
    ...input,
    askedSince: input.now,
    action: { ...action, args },
    local: { ...input.local, approvals: [], effect: undefined },
  };
}

/** The argument behind a reference: itself, or the one that a measure is mapped to as it is. */
function argumentName(operation: KnownInput['operation'], reference: string): string | undefined {
  const [root, name, ...deeper] = reference.split('.');
  if (name === undefined || deeper.length > 0) return undefined;
  if (root === 'args' || Object.hasOwn(operation.arguments, name)) return name;
  return argumentOf(operation.measures[name] ?? '');
}

/**
 * The value nearest to the literal that meets the comparison, as the argument's type writes it. What is
 * none is refused when it is decided again, so that nothing is claimed that was not tried.
 */
function valueOf(type: ArgumentType, { operator, literal }: Change): JsonValue | undefined {
  if (type.kind === 'money') return numberText(literal, { operator, scale: type.minorDigits });
  if (type.kind === 'decimal') return canonicalText(literal);
  if (type.kind === 'integer') {
    const text = numberText(literal, { operator, scale: 0 });
    return text === undefined ? undefined : Number(text);
  }
  // Of the others a literal does not say the nearest value.
  return type.kind === 'string' || type.kind === 'enum' ? quotedText(literal) : undefined;
}

/** The text in quotes of either kind, where nothing in it is escaped. */
function quotedText(literal: string): string | undefined {
  // mutant (pattern): there is nothing before or behind a literal.
  const [, double, single] = /^(?:"([^"\\]*)"|'([^'\\]*)')$/u.exec(literal) ?? [];
  return double ?? single;
}

function canonicalText(literal: string): string | undefined {
  const value = parseDecimal(literal);
  // mutant: what a decimal is compared with is a number.
  return value && canonicalDecimal(value);
}

function numberText(
  literal: string,
  { operator, scale }: { readonly operator: Change['operator']; readonly scale: number },
): string | undefined {
  const limit = parseDecimal(literal);
  // mutant: what a number is compared with is one.
  if (limit === undefined) return undefined;
  const step = new Decimal(1n, scale);
  const none = new Decimal(0n, scale);
  const offset = operator === '<' ? negate(step) : operator === '>' ? step : none;
  // The sum has as many decimals as the type wants, which is the one spelling of money.
  return formatDecimal(add(limit, offset));
}
