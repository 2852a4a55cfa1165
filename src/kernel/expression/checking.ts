/** What the checker carries through an expression, and what each part of one becomes. */
import type { Readable } from '../policy/compiled.ts';
import type { Term } from './term.ts';
import { Failure, failed } from './value.ts';
import { INVALID, type ValueType } from './value-type.ts';

/** Gives a part's value, or a {@link Failure}. Never throws. `locals` holds variables of comprehensions. */
export type Run = (scope: Readable, locals: unknown[]) => unknown;

/** A part of an expression after checking. `cost` is the steps one evaluation takes at most. */
export interface Checked {
  readonly type: ValueType;
  readonly run: Run;
  readonly cost: number;
}

/** A name that an expression may begin with. */
export interface Root {
  readonly type: ValueType;
  /** Its values are JSON from elsewhere, to be held against the type when they are read. */
  readonly foreign: boolean;
}

/** The names that an expression may use. */
export type Environment = ReadonlyMap<string, Root>;

/** What is wrong with an expression; `start` is an offset into its source. */
export interface ExpressionProblem {
  readonly code:
    | 'expression_syntax'
    | 'expression_unknown'
    | 'expression_type'
    | 'expression_literal'
    | 'expression_costly';
  readonly message: string;
  readonly start: number;
  readonly hint?: string;
}

/** A variable of a comprehension, and where `locals` holds it. */
export interface Local {
  readonly name: string;
  readonly slot: number;
  readonly type: ValueType;
  readonly outer: Local | undefined;
}

/** The state of checking one expression. */
export interface Checking {
  readonly environment: Environment;
  readonly locals: Local | undefined;
  readonly references: Set<string>;
  readonly problems: ExpressionProblem[];
  /** Compiles a pattern for the linear-time engine, or says what is wrong with it. */
  readonly pattern: (source: string) => ((text: string) => boolean) | { readonly message: string };
}

/** Notes a problem at a term and answers a part that is not checked any further. */
export function invalid(
  checking: Checking,
  term: { readonly start: number },
  problem: {
    readonly code: ExpressionProblem['code'];
    readonly message: string;
    readonly hint?: string | undefined;
  },
): Checked {
  const { code, message, hint } = problem;
  checking.problems.push({
    code,
    message,
    start: term.start,
    ...(hint === undefined ? {} : { hint }),
  });
  // mutant: an expression with a problem is never run.
  return { type: INVALID, run: () => failed(message), cost: 1 };
}

/** The variable of this name, innermost first. */
export function localOf(checking: Checking, name: string): Local | undefined {
  let local = checking.locals;
  while (local !== undefined && local.name !== name) local = local.outer;
  return local;
}

/** A chain of members that begins with a name of the environment, such as `args.amount`. */
export interface Path {
  readonly root: Term & { readonly kind: 'name' };
  /** The members, outermost last. */
  readonly members: readonly (Term & { readonly kind: 'member' })[];
}

/** The path that a term is, or `undefined` where it begins with a variable or something computed. */
export function pathOf(checking: Checking, term: Term): Path | undefined {
  const members: (Term & { readonly kind: 'member' })[] = [];
  let at = term;
  while (at.kind === 'member') {
    members.unshift(at);
    at = at.of;
  }
  if (at.kind !== 'name' || localOf(checking, at.name) !== undefined) return undefined;
  return { root: at, members };
}

/** The failure, or one that says that a value is no boolean. */
export function failureOf(value: unknown): Failure {
  return value instanceof Failure ? value : failed('the value is not true or false');
}
