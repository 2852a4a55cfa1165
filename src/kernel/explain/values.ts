/** How an action's own values stand in an explanation: what would be done, and clauses with values. */
import { formatDecimal, isDecimal } from '../decimal.ts';
import type { DecisionInput } from '../decision.ts';
import { shown, SHOWN_LENGTH_MAX } from '../finding.ts';
import { isKnown, type KnownInput } from '../hearing.ts';
import type { JsonValue } from '../json/value.ts';
import type { Clause, CompiledRule, Scope } from '../policy/compiled.ts';
import { scopeOf } from '../scope.ts';

/** What would be done, such as `refund 49.90 EUR to cus_9`; money by its measures, else by arguments. */
export function whatText(input: DecisionInput): string {
  const { operation, args } = input.action;
  // mutant: of an operation that is not known nothing is measured.
  const money = isKnown(input) ? moneyText(input) : undefined;
  const values = Object.keys(args)
    .sort()
    // mutant (default): every name has a value.
    .map((name) => `${name} ${shown(args[name] ?? null)}`)
    .join(', ');
  const rest = money ?? values;
  const text = rest === '' ? shown(operation) : `${shown(operation)} ${rest}`;
  return text.length > SHOWN_LENGTH_MAX * 2 ? `${text.slice(0, SHOWN_LENGTH_MAX * 2 - 1)}…` : text;
}

function moneyText(input: KnownInput): string | undefined {
  const scope = scopeOf(input);
  const amount = valueText(scope, 'measures.amount');
  if (amount === undefined) return undefined;
  const currency = valueText(scope, 'measures.currency') ?? currencyOf(input);
  const to = valueText(scope, 'measures.payee') ?? valueText(scope, 'measures.counterparty');
  return `${amount}${currency === undefined ? '' : ` ${currency}`}${to === undefined ? '' : ` to ${to}`}`;
}

/** The currency that the argument behind the amount declares. */
function currencyOf({ operation }: KnownInput): string | undefined {
  // mutant: this is asked only where an amount was measured.
  const argument = argumentOf(operation.measures['amount'] ?? '');
  const type = argument === undefined ? undefined : operation.arguments[argument]?.type;
  return type?.kind === 'money' ? type.currency : undefined;
}

/** The argument that a measure is mapped to as it is, or `undefined` where it is computed. */
export function argumentOf(expression: string): string | undefined {
  return /^\s*args\.(\w+)\s*$/u.exec(expression)?.[1];
}

/** The value under a reference as people read it, or `undefined` where it is not known or not simple. */
function valueText(scope: Scope, reference: string): string | undefined {
  const result = scope.read(reference);
  // mutant: what is no value has none.
  return result.kind === 'value' ? simpleText(result.value) : undefined;
}

function simpleText(value: unknown): string | undefined {
  if (isDecimal(value)) return formatDecimal(value);
  if (typeof value === 'bigint') return String(value);
  return isSimple(value) ? shown(value) : undefined;
}

function isSimple(value: unknown): value is JsonValue {
  return (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  );
}

/** The clauses of a rule's `when` with the values they see, such as `amount 49.90 <= 500.00`. */
export function clausesText({ when }: CompiledRule, scope: Scope): string {
  if (when === undefined) return 'applies always';
  return when.clauses.map((clause) => clauseText(clause, scope)).join(' and ');
}

/** The clauses that keep a rule from applying; `undefined` where none does. */
export function clauseLine({ when }: CompiledRule, scope: Scope): string | undefined {
  const against = (when?.clauses ?? []).filter((clause) => {
    const result = clause.evaluate(scope);
    return result.kind === 'value' && !result.value;
  });
  if (against.length === 0) return undefined;
  return `applies only if ${against.map((clause) => clauseText(clause, scope)).join(' and ')}`;
}

function clauseText(clause: Clause, scope: Scope): string {
  const { comparison, source } = clause;
  if (comparison === undefined) return source;
  const { reference, operator, literal } = comparison;
  const value = valueText(scope, reference);
  const name = reference.replace(/^(?:args|measures)\./u, '');
  return value === undefined
    ? `${name} ${operator} ${literal}`
    : `${name} ${value} ${operator} ${literal}`;
}
