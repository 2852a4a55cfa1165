/**
 * The smallest change of the action's own values that would turn a rule's `when`: read off its
 * clauses where they compare one such value with a literal. A proposal: `explain.ts` decides again
 * before it claims anything.
 */
import type { Clause, CompiledRule, Scope } from './policy/compiled.ts';

/** A comparison that the action's own value should meet. */
export interface Change {
  /** Dotted, as the policy reads it: `args.amount`, `measures.rows`. */
  readonly reference: string;
  readonly operator: NonNullable<Clause['comparison']>['operator'];
  readonly literal: string;
}

const NEGATED = { '<': '>=', '<=': '>', '>': '<=', '>=': '<', '==': '!=', '!=': '==' } as const;
// mutant: what a reference ends with is its name, to the end.
const OWN = /^(?:args|measures)\.(.+)$/u;

/** The change as people read it, such as `amount <= 20.00`. */
export function changeText({ reference, operator, literal }: Change): string {
  return `${OWN.exec(reference)?.[1] ?? reference} ${operator} ${literal}`;
}

/** Changes of which each alone makes a rule that applies no longer apply. */
export function changesToEscape({ when }: CompiledRule): readonly Change[] {
  return (when?.clauses ?? []).flatMap((clause) => {
    const { comparison } = clause;
    if (comparison === undefined || !OWN.test(comparison.reference)) return [];
    return [{ ...comparison, operator: NEGATED[comparison.operator] }];
  });
}

/** The one change that makes a rule apply, where exactly one clause of its `when` stands in the way. */
export function changeToReach({ when }: CompiledRule, scope: Scope): Change | undefined {
  let missing: Clause | undefined;
  for (const clause of when?.clauses ?? []) {
    const result = clause.evaluate(scope);
    // mutant: only what has a value can be true.
    if (result.kind === 'value' && result.value) continue;
    if (result.kind !== 'value' || missing !== undefined) return undefined;
    missing = clause;
  }
  const comparison = missing?.comparison;
  return comparison !== undefined && OWN.test(comparison.reference) ? comparison : undefined;
}
