/**
 * The one file that knows the CEL library and the pattern engine. The library parses; checking and
 * evaluating are ours, because a decision needs what the library does not give: exact decimals instead
 * of binary fractions, a third truth value for what is not known yet, no time zone or locale, no
 * backtracking pattern, and a cost that is known when the policy is loaded.
 */
import { Environment as CelEnvironment, ParseError, type ASTNode } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';

import { parseDecimal } from './decimal.ts';
import { check, checkBool } from './expression/check.ts';
import {
  failureOf,
  type Checked,
  type Checking,
  type Environment,
  type ExpressionProblem,
} from './expression/checking.ts';
import { comparisonOf, conjunctsOf, sliceOf } from './expression/clause.ts';
import { EXPRESSION_LIMITS } from './expression/limits.ts';
import type { Term } from './expression/term.ts';
import { Failure, isNumber } from './expression/value.ts';
import { BOOL, typeName, type ValueType } from './expression/value-type.ts';
import type { Decimal } from './decimal.ts';
import type { Clause, Evaluated, Expression } from './policy/compiled.ts';

/** What an expression may give, by what it is for. */
export interface ExpressionResults {
  readonly boolean: boolean;
  readonly text: string;
  readonly number: bigint | Decimal;
  readonly any: unknown;
}

/** An expression ready to be evaluated, or everything that is wrong with it. */
export type Compiled<Value> =
  | { readonly expression: Expression<Value>; readonly type: ValueType }
  | { readonly problems: readonly ExpressionProblem[] };

const parser = new CelEnvironment({
  limits: {
    maxAstNodes: EXPRESSION_LIMITS.nodesMax,
    maxDepth: EXPRESSION_LIMITS.depthMax,
    maxListElements: EXPRESSION_LIMITS.listLiteralMax,
    maxCallArguments: EXPRESSION_LIMITS.callArgumentsMax,
  },
});

/**
 * Compiles CEL against the names it may use and the result it must give.
 *
 * @example compileExpression('measures.amount <= 500.00', { environment, result: 'boolean' })
 */
export function compileExpression<Result extends keyof ExpressionResults>(
  source: string,
  options: { readonly environment: Environment; readonly result: Result },
): Compiled<ExpressionResults[Result]> {
  const term = parseTerm(source);
  if ('problem' in term) return { problems: [term.problem] };
  const references = new Set<string>();
  const problems: ExpressionProblem[] = [];
  const checking: Checking = {
    environment: options.environment,
    locals: undefined,
    references,
    problems,
    pattern: compilePattern,
  };
  const terms = conjunctsOf(term);
  const parts = terms.map((part) => checkPart(checking, part, terms.length > 1));
  const [first, ...others] = parts;
  // mutant (optional): there is one conjunct at least.
  const only = others.length === 0 ? first?.checked : undefined;
  const type: ValueType = only === undefined ? BOOL : only.type;
  problems.push(
    ...resultProblems({ type, result: options.result, term }),
    ...costProblems(parts, term),
  );
  if (problems.length > 0) return { problems };
  const clauses = parts.map((part) => clauseOf(source, part));
  const run = only === undefined ? conjunction(parts) : only.run;
  const guard = RESULT_GUARDS[options.result];
  return {
    type,
    expression: {
      source,
      references: [...references],
      clauses,
      evaluate: (scope) => evaluated(run(scope, []), guard),
    },
  };
}

/** One conjunct: its term, its own references and what it became. */
interface Part {
  readonly term: Term;
  readonly references: readonly string[];
  readonly checked: Checked;
}

function checkPart(checking: Checking, term: Term, isConjunct: boolean): Part {
  const references = new Set<string>();
  const own = { ...checking, references };
  const checked = isConjunct ? checkBool(own, term) : check(own, term);
  for (const reference of references) checking.references.add(reference);
  return { term, references: [...references], checked };
}

function conjunction(parts: readonly Part[]): Checked['run'] {
  const runs = parts.map((part) => part.checked.run);
  return (scope, locals) => {
    let failure: Failure | undefined;
    for (const run of runs) {
      const value = run(scope, locals);
      if (value === false) return false;
      if (value !== true) failure ??= failureOf(value);
    }
    return failure ?? true;
  };
}

function resultProblems(question: {
  readonly type: ValueType;
  readonly result: keyof ExpressionResults;
  readonly term: Term;
}): readonly ExpressionProblem[] {
  const { type, result, term } = question;
  const { kinds, what } = RESULT_TYPES[result];
  if (
    kinds === undefined ||
    kinds.includes(type.kind) ||
    type.kind === 'dyn' ||
    type.kind === 'invalid'
  )
    return [];
  const message = `the expression must give ${what}, not ${typeName(type)}`;
  return [{ code: 'expression_type', message, start: term.start }];
}

const RESULT_TYPES: Readonly<
  Record<keyof ExpressionResults, { readonly kinds?: readonly string[]; readonly what: string }>
> = {
  boolean: { kinds: ['bool'], what: 'true or false' },
  text: { kinds: ['string'], what: 'a text' },
  number: { kinds: ['int', 'decimal'], what: 'a number' },
  any: { what: 'a value' },
};

type Guard<Value> = (value: unknown) => value is Value;

const RESULT_GUARDS: {
  readonly [Result in keyof ExpressionResults]: Guard<ExpressionResults[Result]>;
} = {
  boolean: (value) => typeof value === 'boolean',
  text: (value) => typeof value === 'string',
  number: isNumber,
  any: (value): value is unknown => value !== undefined && !(value instanceof Failure),
};

function costProblems(parts: readonly Part[], term: Term): readonly ExpressionProblem[] {
  const cost = parts.reduce((sum, part) => sum + part.checked.cost, 0);
  if (cost <= EXPRESSION_LIMITS.costMax) return [];
  const message = `the expression can take ${String(Math.ceil(cost))} steps, at most ${String(EXPRESSION_LIMITS.costMax)} are allowed`;
  return [
    {
      code: 'expression_costly',
      message,
      start: term.start,
      hint: 'declare shorter lists, or nest fewer',
    },
  ];
}

function evaluated<Value>(value: unknown, guard: Guard<Value>): Evaluated<Value> {
  if (guard(value)) return { kind: 'value', value };
  if (!(value instanceof Failure))
    return { kind: 'error', message: 'the expression gave a value of another type' };
  if (value.kind === 'error') return { kind: 'error', message: value.message };
  return {
    kind: 'missing',
    reference: value.reference,
    message: value.message,
    ...(value.absent ? { absent: true } : {}),
  };
}

function clauseOf(source: string, { term, references, checked }: Part): Clause {
  const comparison = comparisonOf(source, term);
  return {
    source: sliceOf(source, term),
    references,
    evaluate: (scope) => evaluated(checked.run(scope, []), RESULT_GUARDS.boolean),
    ...(comparison === undefined ? {} : { comparison }),
  };
}

function parseTerm(source: string): Term | { readonly problem: ExpressionProblem } {
  if (source.length > EXPRESSION_LIMITS.sourceLengthMax) {
    const message = `the expression has ${String(source.length)} characters, at most ${String(EXPRESSION_LIMITS.sourceLengthMax)} are allowed`;
    return { problem: { code: 'expression_costly', message, start: 0 } };
  }
  try {
    return termOf(parser.parse(source).ast);
  } catch (error) {
    if (error instanceof TermRefusal) return { problem: error.problem };
    // mutant: the library throws nothing else.
    if (!(error instanceof ParseError)) throw error;
    const limit = error.code === 'limit_exceeded';
    const message = limit
      ? LIMIT_MESSAGE
      : `the expression cannot be read: ${lowerFirst(error.summary)}`;
    const code = limit ? 'expression_costly' : 'expression_syntax';
    // mutant: the library always says where, though its types do not.
    return { problem: { code, message, start: Math.min(error.range?.start ?? 0, source.length) } };
  }
}

const LIMIT_MESSAGE = `the expression is too large: at most ${String(EXPRESSION_LIMITS.nodesMax)} parts, ${String(EXPRESSION_LIMITS.depthMax)} deep, ${String(EXPRESSION_LIMITS.listLiteralMax)} items in a list`;

function lowerFirst(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}

/** What the library parses and an expression here may not hold. */
class TermRefusal extends Error {
  readonly problem: ExpressionProblem;
  constructor(node: ASTNode, problem: { readonly message: string; readonly hint?: string }) {
    super(problem.message);
    this.problem = { code: 'expression_syntax', start: node.start, ...problem };
  }
}

function termOf(node: ASTNode): Term {
  const { start, end } = node;
  switch (node.op) {
    case 'value':
      return { kind: 'literal', value: literalOf(node, node.args), start, end };
    case 'id':
      return { kind: 'name', name: node.args, start, end };
    case '.':
      return { kind: 'member', of: termOf(node.args[0]), name: node.args[1], start, end };
    case '[]':
      return { kind: 'index', of: termOf(node.args[0]), index: termOf(node.args[1]), start, end };
    case 'call':
      return {
        kind: 'call',
        name: node.args[0],
        receiver: undefined,
        args: node.args[1].map(termOf),
        start,
        end,
      };
    case 'rcall': {
      const [name, receiver, args] = node.args;
      return { kind: 'call', name, receiver: termOf(receiver), args: args.map(termOf), start, end };
    }
    case 'list':
      return { kind: 'list', items: node.args.map(termOf), start, end };
    case '?:': {
      const [condition, whenTrue, whenFalse] = node.args;
      return {
        kind: 'choice',
        condition: termOf(condition),
        whenTrue: termOf(whenTrue),
        whenFalse: termOf(whenFalse),
        start,
        end,
      };
    }
    case '&&':
    case '||':
      return {
        kind: 'logic',
        operator: node.op,
        left: termOf(node.args[0]),
        right: termOf(node.args[1]),
        start,
        end,
      };
    case '!_':
      return { kind: 'not', of: termOf(node.args), start, end };
    case '-_':
      return { kind: 'minus', of: termOf(node.args), start, end };
    case 'map':
    // mutant: the library parses optional members only where it is asked to.
    case '.?':
    // mutant: as above.
    case '[?]':
      throw new TermRefusal(node, {
        message: 'objects and optional members cannot be written here',
      });
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case 'in':
      return {
        kind: 'binary',
        operator: node.op,
        left: termOf(node.args[0]),
        right: termOf(node.args[1]),
        start,
        end,
      };
    default:
      return node satisfies never;
  }
}

/** A literal's value; a number with a point is read from its own text, since the library made it binary. */
function literalOf(node: ASTNode, value: unknown): boolean | bigint | string | Decimal | null {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  const text = node.input.slice(node.start, node.end);
  // mutant (condition): nothing but a whole number is written in digits alone.
  if (typeof value === 'bigint' && /^\d{1,18}$/u.test(text)) return value;
  const decimal = typeof value === 'number' ? parseDecimal(text) : undefined;
  if (decimal !== undefined) return decimal;
  throw new TermRefusal(node, {
    message: `\`${text.slice(0, 40)}\` is not a number that can be used here`,
    hint: 'write whole numbers of at most 18 digits, or plain decimals such as 500.00',
  });
}

/** Compiled patterns by source; policies repeat them, and making one costs more than a rule. */
const patterns = new Map<string, (text: string) => boolean>();
// mutant: how many are kept changes nothing but time.
const PATTERNS_CACHED_MAX = 1000;

function compilePattern(
  source: string,
): ((text: string) => boolean) | { readonly message: string } {
  const known = patterns.get(source);
  // mutant (condition): a pattern made again is the same; this only saves time.
  if (known !== undefined) return known;
  if (source.length > EXPRESSION_LIMITS.patternLengthMax) {
    return {
      message: `the pattern has more than ${String(EXPRESSION_LIMITS.patternLengthMax)} characters`,
    };
  }
  try {
    const pattern = RE2JS.compile(source);
    if (pattern.programSize() > EXPRESSION_LIMITS.patternStatesMax) {
      return { message: 'the pattern is too large' };
    }
    const matches = (text: string): boolean => pattern.test(text);
    // mutant: how many are kept changes nothing but time.
    if (patterns.size < PATTERNS_CACHED_MAX) patterns.set(source, matches);
    return matches;
  } catch (error) {
    // mutant (condition): the engine throws nothing but errors.
    const reason = error instanceof Error ? error.message : 'it cannot be read';
    return {
      // mutant (pattern): it stands nowhere but at the beginning.
      message: `the pattern cannot be used: ${reason.replace(/^error parsing regexp: /u, '')}`,
    };
  }
}
