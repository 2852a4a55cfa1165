/**
 * An operation's own expressions, checked against its argument schema when the inventory is loaded
 * and compiled once for each operation: its measures, and what names its effect.
 */
import { didYouMean } from './did-you-mean.ts';
import { compileExpression } from './expression.ts';
import { measureEnvironment, onceEnvironment } from './expression/roots.ts';
import { typeOfArguments, typeOfMeasure, unify, type ObjectType } from './expression/value-type.ts';
import type { Operation } from './inventory.ts';
import { KINDS, type MeasureType } from './kind.ts';
import type { Expression } from './policy/compiled.ts';

/** What is wrong with an operation's expression: `where` is `once` or `measures.<name>`, `start` an offset in it. */
export interface OperationProblem {
  readonly code: string;
  readonly message: string;
  readonly where: string;
  readonly start: number;
  readonly hint?: string;
}

/** An operation's expressions, compiled once for each operation. */
export interface CompiledOperation {
  readonly measures: ReadonlyMap<string, Expression<unknown>>;
  readonly once: Expression<unknown> | undefined;
  readonly problems: readonly OperationProblem[];
}

const compiledOperations = new WeakMap<Operation, CompiledOperation>();

/** The operation's expressions; those with problems are left out, so that what reads them is missing. */
export function compiledOperation(operation: Operation): CompiledOperation {
  const known = compiledOperations.get(operation);
  // mutant: what is compiled again is the same.
  if (known !== undefined) return known;
  const compiled = compileOperation(operation);
  compiledOperations.set(operation, compiled);
  return compiled;
}

/** The measures that the operation's kind fixes, with their types. */
export function measuresOfKind(kind: Operation['kind']): Readonly<Record<string, MeasureType>> {
  return KINDS[kind];
}

function compileOperation(operation: Operation): CompiledOperation {
  const args = typeOfArguments('args', operation.arguments);
  const problems: OperationProblem[] = [];
  const measures = new Map<string, Expression<unknown>>();
  for (const [name, source] of Object.entries(operation.measures)) {
    const expression = compileMeasure({ operation, name, source, args, problems });
    if (expression !== undefined) measures.set(name, expression);
  }
  return { measures, once: compileOnce(operation, args, problems), problems };
}

interface MeasureQuestion {
  readonly operation: Operation;
  readonly name: string;
  readonly source: string;
  readonly args: ObjectType;
  readonly problems: OperationProblem[];
}

function compileMeasure(question: MeasureQuestion): Expression<unknown> | undefined {
  const { operation, name, source, args, problems } = question;
  const where = `measures.${name}`;
  const declared = measuresOfKind(operation.kind);
  const type = Object.hasOwn(declared, name) ? declared[name] : undefined;
  if (type === undefined) {
    const hint = didYouMean(name, Object.keys(declared));
    const message = `\`${operation.kind}\` has no measure \`${name}\``;
    problems.push({
      code: 'measure_unknown',
      message,
      where,
      start: 0,
      ...(hint === undefined ? {} : { hint }),
    });
    return undefined;
  }
  const compiled = compileExpression(source, {
    environment: measureEnvironment(args),
    result: 'any',
  });
  if ('problems' in compiled) {
    problems.push(...compiled.problems.map((problem) => ({ ...problem, where })));
    return undefined;
  }
  const wanted = typeOfMeasure(type);
  const unified = unify(wanted, compiled.type);
  if (unified !== undefined && (unified.kind === wanted.kind || unified.kind === 'dyn'))
    return compiled.expression;
  problems.push({
    code: 'expression_type',
    message: `the measure \`${name}\` is of type ${type}`,
    where,
    start: 0,
  });
  // mutant: what ends without an answer has none.
  return undefined;
}

function compileOnce(
  operation: Operation,
  args: ObjectType,
  problems: OperationProblem[],
): Expression<unknown> | undefined {
  if (operation.once === undefined) return undefined;
  const compiled = compileExpression(operation.once, {
    environment: onceEnvironment(args),
    result: 'any',
  });
  if ('problems' in compiled) {
    problems.push(...compiled.problems.map((problem) => ({ ...problem, where: 'once' })));
    return undefined;
  }
  const optional = compiled.expression.references.find((reference) => {
    const name = reference.split('.')[1];
    // mutant: what compiles names arguments that there are.
    return name !== undefined && args.fields.get(name)?.optional === true;
  });
  if (optional === undefined) return compiled.expression;
  const message = `\`once\` reads \`${optional}\`, which may be left out: then nothing would name the effect`;
  problems.push({
    code: 'once_optional',
    message,
    where: 'once',
    start: 0,
    hint: 'make the argument required',
  });
  // mutant: what ends without an answer has none.
  return undefined;
}
