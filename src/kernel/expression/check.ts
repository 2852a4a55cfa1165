/**
 * Checks a parsed expression against the names and types it may use, and turns it into functions.
 *
 * `&&` and `||` go by their meaning: `false && x` is false and `true || x` is true whatever x is, also
 * where x is missing or fails, because the result does not depend on it. In every other case a missing
 * or failing operand makes the whole missing or failing; nothing unknown ever counts as false.
 */
import { isDecimal, negate } from '../decimal.ts';
import { didYouMean } from '../did-you-mean.ts';
import {
  failureOf,
  invalid,
  localOf,
  pathOf,
  type Checked,
  type Checking,
  type Path,
  type Run,
} from './checking.ts';
import { conform } from './conform.ts';
import { functionFor, functionNames, literalCall } from './functions.ts';
import { UNDECLARED_LIST_ITEMS_MAX } from './limits.ts';
import { isMacro, checkMacro } from './macros.ts';
import { operatorFor } from './operators.ts';
import type { Term } from './term.ts';
import { Failure, failed, isNumber, isObject, valueOfJson } from './value.ts';
import {
  BOOL,
  DECIMAL,
  INT,
  INVALID,
  isNumeric,
  isOpen,
  NULL,
  STRING,
  typeName,
  unify,
  type ValueType,
} from './value-type.ts';

/** The term with its type, its function and its cost; problems are noted in `checking`. */
export function check(checking: Checking, term: Term): Checked {
  switch (term.kind) {
    case 'literal':
      return literal(term.value);
    case 'name':
      return checkName(checking, term);
    case 'member':
      return checkMember(checking, term);
    case 'index':
      return checkIndex(checking, term);
    case 'call':
      return checkCall(checking, term);
    case 'list':
      return checkList(checking, term);
    case 'choice':
      return checkChoice(checking, term);
    case 'logic':
      return checkLogic(checking, term);
    case 'binary':
      return checkBinary(checking, term);
    case 'not':
      return checkNot(checking, term);
    case 'minus':
      return checkMinus(checking, term);
    default:
      return term satisfies never;
  }
}

function literal(value: unknown): Checked {
  return { type: literalType(value), run: () => value, cost: 1 };
}

function literalType(value: unknown): ValueType {
  if (typeof value === 'bigint') return INT;
  if (typeof value === 'string') return STRING;
  if (typeof value === 'boolean') return BOOL;
  return isDecimal(value) ? DECIMAL : NULL;
}

function checkName(checking: Checking, term: Term & { readonly kind: 'name' }): Checked {
  const local = localOf(checking, term.name);
  if (local === undefined) return checkPath(checking, { root: term, members: [] });
  const { slot } = local;
  return { type: local.type, run: (_scope, locals) => locals[slot], cost: 1 };
}

/** A member of something: as one read where it is a path, else step by step. */
function checkMember(checking: Checking, term: Term & { readonly kind: 'member' }): Checked {
  const path = pathOf(checking, term);
  if (path !== undefined) return checkPath(checking, path);
  const of = check(checking, term.of);
  const type = memberType(checking, { of: of.type, name: term.name, at: term });
  return { type, run: memberRun(of.run, term.name), cost: of.cost + 1 };
}

function checkPath(checking: Checking, { root: start, members }: Path): Checked {
  const root = checking.environment.get(start.name);
  if (root === undefined) {
    return invalid(checking, start, {
      code: 'expression_unknown',
      message: `\`${start.name}\` is not known here`,
      hint: didYouMean(start.name, checking.environment.keys()),
    });
  }
  let { type } = root;
  for (const member of members) {
    type = memberType(checking, { of: type, name: member.name, at: member });
  }
  if (members.length === 0 && type.kind === 'object') {
    return invalid(checking, start, {
      code: 'expression_type',
      message: `\`${start.name}\` has no value of its own`,
      hint: `name a member: ${start.name}.${[...type.fields.keys()][0] ?? 'x'}`,
    });
  }
  const reference = [start, ...members].map(({ name }) => name).join('.');
  checking.references.add(reference);
  const run = referenceRun(reference);
  return { type, run: root.foreign ? conformingRun(run, type) : run, cost: 1 };
}

/** The function that reads a reference from the scope. */
function referenceRun(reference: string): Run {
  return (scope) => {
    const got = scope.read(reference);
    return got.kind === 'value' ? got.value : new Failure({ ...got, reference });
  };
}

function conformingRun(run: Run, type: ValueType): Run {
  return (scope, locals) => {
    const value = run(scope, locals);
    return value instanceof Failure ? value : conform(value, type);
  };
}

interface MemberQuestion {
  readonly of: ValueType;
  readonly name: string;
  readonly at: { readonly start: number; readonly end: number };
}

function memberType(checking: Checking, { of, name, at }: MemberQuestion): ValueType {
  if (isOpen(of)) return of;
  // The name stands at the end of its term, and the user looks there.
  const position = { start: at.end - name.length };
  if (of.kind !== 'object') {
    const message = `${typeName(of)} has no member \`${name}\``;
    return invalid(checking, position, { code: 'expression_type', message }).type;
  }
  const field = of.fields.get(name);
  if (field !== undefined) return field.type;
  const explained = of.explain?.(name);
  return invalid(checking, position, {
    code: 'expression_unknown',
    message: explained?.message ?? `\`${of.what}\` has no \`${name}\``,
    hint: explained?.hint ?? didYouMean(name, of.fields.keys()),
  }).type;
}

function memberRun(of: Run, name: string): Run {
  return (scope, locals) => {
    const value = of(scope, locals);
    return value instanceof Failure ? value : memberOf(value, name);
  };
}

/** The member of an object value, or why there is none. */
function memberOf(value: unknown, name: string): unknown {
  if (!isObject(value)) return failed(`the value has no member \`${name}\``);
  if (Object.hasOwn(value, name) && value[name] !== undefined) return valueOfJson(value[name]);
  return new Failure({
    // mutant (text): what is no error is missing.
    kind: 'missing',
    message: `\`${name}\` is not given`,
    reference: name,
    absent: true,
  });
}

function checkIndex(checking: Checking, term: Term & { readonly kind: 'index' }): Checked {
  const of = check(checking, term.of);
  const { index: indexTerm } = term;
  if (of.type.kind === 'object') {
    // mutant: nothing but a literal has a value.
    if (indexTerm.kind !== 'literal' || typeof indexTerm.value !== 'string') {
      const message = 'a member of an object is named by a text in quotes';
      return invalid(checking, indexTerm, { code: 'expression_type', message });
    }
    const name = indexTerm.value;
    const at = { start: indexTerm.start, end: indexTerm.start + name.length };
    const type = memberType(checking, { of: of.type, name, at });
    return { type, run: memberRun(of.run, name), cost: of.cost + 1 };
  }
  const index = check(checking, indexTerm);
  const type = indexType(of.type, index.type);
  if (type === undefined) {
    const message = `${typeName(of.type)} has no member at ${typeName(index.type)}`;
    return invalid(checking, indexTerm, { code: 'expression_type', message });
  }
  return { type, run: indexRun(of.run, index.run), cost: of.cost + index.cost + 1 };
}

function indexType(of: ValueType, index: ValueType): ValueType | undefined {
  if (isOpen(of))
    return isOpen(index) || index.kind === 'int' || index.kind === 'string' ? of : undefined;
  // mutant: nothing but a list has items.
  return of.kind === 'list' && (index.kind === 'int' || isOpen(index)) ? of.items : undefined;
}

function indexRun(of: Run, index: Run): Run {
  return (scope, locals) => {
    const value = of(scope, locals);
    if (value instanceof Failure) return value;
    const at = index(scope, locals);
    if (at instanceof Failure) return at;
    if (typeof at === 'string') return memberOf(value, at);
    if (!Array.isArray(value) || typeof at !== 'bigint')
      return failed('the value has no such member');
    if (at < 0n || at >= BigInt(value.length)) {
      return failed(`there is no item ${String(at)} in a list of ${String(value.length)}`);
    }
    return valueOfJson(value[Number(at)]);
  };
}

function checkCall(checking: Checking, term: Term & { readonly kind: 'call' }): Checked {
  const given = literalCall(term);
  if (given === null) {
    // mutant (default): a call of a literal has one argument.
    return invalid(checking, term.args[0] ?? term, {
      code: 'expression_literal',
      message: `the text is not what \`${term.name}\` reads`,
      // mutant (default): each has an example.
      hint: `such as ${LITERAL_EXAMPLES[term.name] ?? term.name}`,
    });
  }
  if (given !== undefined) return { type: given.type, run: () => given.value, cost: 1 };
  if (isMacro(term)) return checkMacro({ checking, term, check });
  const parts = [...(term.receiver === undefined ? [] : [term.receiver]), ...term.args].map(
    (part) => check(checking, part),
  );
  const match = functionFor(term.name, {
    types: parts.map((part) => part.type),
    asMethod: term.receiver !== undefined,
  });
  if (match === undefined) {
    return invalid(checking, term, {
      code: 'expression_unknown',
      message: `there is no function \`${term.name}\``,
      hint: didYouMean(term.name, functionNames()),
    });
  }
  if ('message' in match) return invalid(checking, term, { code: 'expression_type', ...match });
  const runs = parts.map((part) => part.run);
  return { type: match.type, run: callRun(runs, match.run), cost: costOf(parts) + 1 };
}

const LITERAL_EXAMPLES: Readonly<Record<string, string>> = {
  decimal: 'decimal("500.00")',
  timestamp: 'timestamp("2026-11-22T04:12:00Z")',
  duration: 'duration("1h30m")',
};

function callRun(runs: readonly Run[], run: (values: readonly unknown[]) => unknown): Run {
  return (scope, locals) => {
    const values: unknown[] = [];
    for (const part of runs) {
      const value = part(scope, locals);
      if (value instanceof Failure) return value;
      values.push(value);
    }
    return run(values);
  };
}

function checkList(checking: Checking, term: Term & { readonly kind: 'list' }): Checked {
  const parts = term.items.map((item) => check(checking, item));
  let items: ValueType = INVALID;
  for (const [index, part] of parts.entries()) {
    const type = widened(part.type);
    const unified = unify(items, type);
    if (unified === undefined) {
      const message = `a list holds one type, not ${typeName(items)} and ${typeName(type)}`;
      // mutant (default): each part is of an item.
      return invalid(checking, term.items[index] ?? term, { code: 'expression_type', message });
    }
    items = unified;
  }
  const runs = parts.map((part) => part.run);
  return {
    type: { kind: 'list', items, itemsMax: parts.length },
    run: callRun(runs, (values) => values),
    cost: costOf(parts) + 1,
  };
}

/** A text written in a list is one of several, so its own value says nothing of the others. */
function widened(type: ValueType): ValueType {
  return type.kind === 'string' ? STRING : type;
}

function checkChoice(checking: Checking, term: Term & { readonly kind: 'choice' }): Checked {
  const condition = checkBool(checking, term.condition);
  const whenTrue = check(checking, term.whenTrue);
  const whenFalse = check(checking, term.whenFalse);
  const type = unify(widened(whenTrue.type), widened(whenFalse.type));
  if (type === undefined) {
    const message = `both answers of \`? :\` have one type, not ${typeName(whenTrue.type)} and ${typeName(whenFalse.type)}`;
    return invalid(checking, term.whenFalse, { code: 'expression_type', message });
  }
  return {
    type,
    run: (scope, locals) => {
      const value = condition.run(scope, locals);
      if (value === true) return whenTrue.run(scope, locals);
      return value === false ? whenFalse.run(scope, locals) : failureOf(value);
    },
    cost: condition.cost + whenTrue.cost + whenFalse.cost + 1,
  };
}

/** A part that must be true or false. */
export function checkBool(checking: Checking, term: Term): Checked {
  const part = check(checking, term);
  if (part.type.kind === 'bool' || isOpen(part.type)) return part;
  const message = `this must be true or false, not ${typeName(part.type)}`;
  return invalid(checking, term, { code: 'expression_type', message });
}

function checkLogic(checking: Checking, term: Term & { readonly kind: 'logic' }): Checked {
  const left = checkBool(checking, term.left);
  const right = checkBool(checking, term.right);
  const decides = term.operator === '||';
  return {
    type: BOOL,
    run: (scope, locals) => {
      const from = left.run(scope, locals);
      if (from === decides) return decides;
      const to = right.run(scope, locals);
      if (to === decides) return decides;
      if (typeof from !== 'boolean') return failureOf(from);
      return typeof to === 'boolean' ? to : failureOf(to);
    },
    cost: left.cost + right.cost + 1,
  };
}

function checkBinary(checking: Checking, term: Term & { readonly kind: 'binary' }): Checked {
  const left = check(checking, term.left);
  const right = check(checking, term.right);
  const operator = operatorFor(term.operator, left.type, right.type);
  if ('message' in operator)
    return invalid(checking, term, { code: 'expression_type', ...operator });
  if (term.operator === '==' || term.operator === '!=') {
    noteImpossible(checking, left.type, term.right);
    noteImpossible(checking, right.type, term.left);
  }
  const { run } = operator;
  return {
    type: operator.type,
    run: (scope, locals) => {
      const from = left.run(scope, locals);
      if (from instanceof Failure) return from;
      const to = right.run(scope, locals);
      return to instanceof Failure ? to : run(from, to);
    },
    cost: left.cost + right.cost + itemsOf(left.type) + itemsOf(right.type) + 1,
  };
}

/** Comparing a choice with a word it does not have is a slip of the pen that would never match. */
function noteImpossible(checking: Checking, type: ValueType, word: Term): void {
  // mutant: only literals have values, and other than a text was refused already.
  if (word.kind !== 'literal' || typeof word.value !== 'string') return;
  // mutant: only texts are one of some values.
  if (type.kind !== 'string' || type.values === undefined || type.values.includes(word.value))
    return;
  invalid(checking, word, {
    code: 'expression_literal',
    message: `the value is never \`${word.value}\``,
    hint: didYouMean(word.value, type.values),
  });
}

function itemsOf(type: ValueType): number {
  if (type.kind === 'list') return type.itemsMax;
  return type.kind === 'dyn' ? UNDECLARED_LIST_ITEMS_MAX / 100 : 0;
}

function checkNot(checking: Checking, term: Term & { readonly kind: 'not' | 'minus' }): Checked {
  const part = checkBool(checking, term.of);
  return {
    type: BOOL,
    run: (scope, locals) => {
      const value = part.run(scope, locals);
      return typeof value === 'boolean' ? !value : failureOf(value);
    },
    cost: part.cost + 1,
  };
}

function checkMinus(checking: Checking, term: Term & { readonly kind: 'not' | 'minus' }): Checked {
  const part = check(checking, term.of);
  if (!isNumeric(part.type) && !isOpen(part.type)) {
    const message = `\`-\` does not take ${typeName(part.type)}`;
    return invalid(checking, term, { code: 'expression_type', message });
  }
  return {
    type: part.type,
    run: (scope, locals) => {
      const value = part.run(scope, locals);
      if (value instanceof Failure) return value;
      if (!isNumber(value)) return failed('`-` does not take this value');
      return typeof value === 'bigint' ? -value : negate(value);
    },
    cost: part.cost + 1,
  };
}

function costOf(parts: readonly Checked[]): number {
  return parts.reduce((cost, part) => cost + part.cost, 0);
}
