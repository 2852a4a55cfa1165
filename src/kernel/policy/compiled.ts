/**
 * The compiled policy's inside: expressions that can be evaluated and taken apart, and the rules that
 * can match an action without looking at all rules. `compile.ts` makes it, `decide.ts` and `explain.ts`
 * use it.
 */
import type { DecisionInput } from '../decision.ts';
import type { Decimal } from '../decimal.ts';
import type { Inventory } from '../inventory.ts';
import type { IdentifiedRequirement, Policy, Rule } from '../policy.ts';

/**
 * The values an expression sees: `args`, `measures`, `preview`, `target`, `operation`, `principal`,
 * `facts`, `now`, and `fact` inside a fact requirement. Made lazily from a {@link DecisionInput}; a root
 * that is not known yet is absent, and an expression that reads it is `missing`.
 */
export interface Scope {
  readonly input: DecisionInput;
  /** The value under a dotted reference such as `measures.amount`, or why there is none. */
  read(reference: string): Evaluated<unknown>;
}

/** The part of a scope that evaluating needs. */
export type Readable = Pick<Scope, 'read'>;

/** What evaluating gave. `missing`: it reads something that is not known (yet). */
export type Evaluated<Value> =
  | { readonly kind: 'value'; readonly value: Value }
  | {
      readonly kind: 'missing';
      readonly reference: string;
      readonly message: string;
      /** It is known not to be there, such as an optional argument; else it may still become known. */
      readonly absent?: boolean;
    }
  | { readonly kind: 'error'; readonly message: string };

/** A type-checked expression. Evaluation never throws. */
export interface Expression<Value> {
  readonly source: string;
  /** Dotted references it reads, such as `args.amount`, `facts.ticket`, `preview`. */
  readonly references: readonly string[];
  /** The conjuncts of its top-level `&&`, in order; one clause where there is none. */
  readonly clauses: readonly Clause[];
  evaluate(scope: Readable): Evaluated<Value>;
}

/** One conjunct. Where it compares a reference with a literal, it says so, for explanations. */
export interface Clause {
  readonly source: string;
  readonly references: readonly string[];
  evaluate(scope: Readable): Evaluated<boolean>;
  readonly comparison?: {
    readonly reference: string;
    readonly operator: '<' | '<=' | '>' | '>=' | '==' | '!=';
    /** The literal as written in the policy, such as `500.00` or `"EUR"`. */
    readonly literal: string;
  };
}

/** A rule ready to be judged. */
export interface CompiledRule {
  readonly rule: Rule;
  readonly when: Expression<boolean> | undefined;
  readonly requires: readonly CompiledRequirement[];
}

/** A requirement with its expressions. */
export interface CompiledRequirement {
  readonly identified: IdentifiedRequirement;
  /** `is` of a fact. */
  readonly is?: Expression<boolean>;
  /** `by` of a limit. */
  readonly by?: Expression<string>;
  /** `sum` of a limit. */
  readonly sum?: Expression<Decimal | bigint>;
}

/** A compiled policy with its inside. */
export interface CompiledPolicy extends Policy {
  /** The inventory it was checked against. */
  readonly inventory: Inventory;
  readonly compiled: readonly CompiledRule[];
  /**
   * The rules whose `match` holds for this input, sorted by id, found through an index: the cost depends
   * on the rules that can match. A part of a match that cannot be evaluated counts as holding for `deny`
   * and `require` and as not holding for `allow`.
   */
  matching(input: DecisionInput): readonly CompiledRule[];
}
