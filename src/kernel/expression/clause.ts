/** Takes an expression apart for explanations: its conjuncts, their source, and what they compare. */
import type { Clause } from '../policy/compiled.ts';
import { literalCall } from './functions.ts';
import type { Comparison, Term } from './term.ts';

const TURNED: Readonly<Record<Comparison, Comparison>> = {
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
  '==': '==',
  '!=': '!=',
};

/** What a conjunct compares, where it compares one reference with a literal. */
export function comparisonOf(source: string, term: Term): Clause['comparison'] {
  // mutant: no other term has such an operator.
  if (term.kind !== 'binary' || !isComparison(term.operator)) return undefined;
  const { operator, left, right } = term;
  const [from, to] = [referenceOf(left), referenceOf(right)];
  if (from !== undefined && isLiteral(right)) {
    return { reference: from, operator, literal: literalText(source, right) };
  }
  return to !== undefined && isLiteral(left)
    ? { reference: to, operator: TURNED[operator], literal: literalText(source, left) }
    : undefined;
}

function isComparison(operator: string): operator is Comparison {
  return Object.hasOwn(TURNED, operator);
}

/** The dotted reference that a term is, or `undefined` where it is something computed. */
function referenceOf(term: Term): string | undefined {
  if (term.kind === 'name') return term.name;
  if (term.kind !== 'member') return undefined;
  const of = referenceOf(term.of);
  return of === undefined ? undefined : `${of}.${term.name}`;
}

function isLiteral(term: Term): boolean {
  if (term.kind === 'minus') return term.of.kind === 'literal';
  return term.kind === 'literal' || literalCall(term) !== undefined;
}

/** A literal as people say it: `decimal("20.00")` is 20.00. */
function literalText(source: string, term: Term): string {
  const slice = sliceOf(source, term);
  // mutant (pattern): a text in quotes neither begins nor ends like a call.
  return /^decimal\(\s*["']([^"']*)["']\s*\)$/u.exec(slice)?.[1] ?? slice;
}

/** The conjuncts of the top-level `&&`, whatever its parentheses. */
export function conjunctsOf(term: Term): readonly Term[] {
  // mutant: no other term has this operator.
  if (term.kind !== 'logic' || term.operator !== '&&') return [term];
  return [...conjunctsOf(term.left), ...conjunctsOf(term.right)];
}

/** A term's source with the parentheses that it cannot do without: the tree leaves them out. */
export function sliceOf(
  source: string,
  term: { readonly start: number; readonly end: number },
): string {
  let { start, end } = term;
  const slice = source.slice(start, end);
  // Texts may hold parentheses of their own.
  // mutant (text): no letter is a parenthesis.
  const bare = slice.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gsu, '');
  let [open, unopened] = [0, 0];
  for (const letter of bare) {
    if (letter === '(') open += 1;
    else if (letter === ')' && open > 0) open -= 1;
    else if (letter === ')') unopened += 1;
  }
  while (unopened > 0 && start > 0) {
    start -= 1;
    if (source[start] === '(') unopened -= 1;
  }
  // mutant (boundary): behind the end is nothing.
  while (open > 0 && end < source.length) {
    if (source[end] === ')') open -= 1;
    end += 1;
  }
  return source.slice(start, end).trim();
}
