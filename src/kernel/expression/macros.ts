/**
 * The calls that are more than functions: `has`, `matches`, and those that go through a list. Their
 * cost is known when the expression is loaded, from the declared length of the list.
 */
import {
  failureOf,
  invalid,
  localOf,
  pathOf,
  type Checked,
  type Checking,
  type Run,
} from './checking.ts';
import { MACRO_NAMES } from './functions.ts';
import { EXPRESSION_LIMITS, UNDECLARED_LIST_ITEMS_MAX } from './limits.ts';
import type { Term } from './term.ts';
import { Failure, failed, valueOfJson } from './value.ts';
import { BOOL, DYN, INVALID, isOpen, typeName, type ValueType } from './value-type.ts';

type CallTerm = Term & { readonly kind: 'call' };

/** A call to check, with the checker for its parts. */
export interface MacroCall {
  readonly checking: Checking;
  readonly term: CallTerm;
  readonly check: (checking: Checking, term: Term) => Checked;
}

/** Whether the call is of a macro. */
export function isMacro(term: CallTerm): boolean {
  return MACRO_NAMES.some((name) => name === term.name);
}

/** The checked call. */
export function checkMacro(call: MacroCall): Checked {
  const { checking, term } = call;
  const { receiver } = term;
  if (term.name === 'has') {
    if (receiver === undefined && term.args.length === 1) return checkHas(call);
    return invalid(checking, term, {
      code: 'expression_type',
      message: '`has` takes one member',
      hint: 'has(args.x)',
    });
  }
  const form = term.name === 'matches' ? 'x.matches("...")' : `list.${term.name}(x, ...)`;
  if (receiver === undefined || term.args.length !== (term.name === 'matches' ? 1 : 2)) {
    const message = `\`${term.name}\` is not called like this`;
    return invalid(checking, term, { code: 'expression_type', message, hint: `write ${form}` });
  }
  return term.name === 'matches'
    ? checkMatches(call, receiver)
    : checkComprehension(call, receiver);
}

/** Whether an optional member is given. What is not known yet stays missing: only absence is false. */
function checkHas({ checking, term, check }: MacroCall): Checked {
  const [member] = term.args;
  // mutant (optional): there is one argument.
  if (member?.kind !== 'member') {
    const message = '`has` takes a member, such as has(args.x)';
    // mutant (default): there is one argument.
    return invalid(checking, member ?? term, { code: 'expression_type', message });
  }
  // A path alone is checked as a read, so that an unknown name is noted and the reference is kept.
  const part = check(checking, member);
  const path = pathOf(checking, member);
  const cost = part.cost + (path === undefined ? 1 : 0);
  return {
    type: BOOL,
    run: (scope, locals) => {
      const value = part.run(scope, locals);
      if (!(value instanceof Failure)) return true;
      return value.absent ? false : value;
    },
    cost,
  };
}

function checkMatches({ checking, term, check }: MacroCall, receiver: Term): Checked {
  const text = check(checking, receiver);
  const [pattern] = term.args;
  if (text.type.kind !== 'string' && !isOpen(text.type)) {
    const message = `\`matches\` does not take ${typeName(text.type)}`;
    return invalid(checking, receiver, { code: 'expression_type', message });
  }
  // mutant: there is one argument, and nothing but a literal has a value.
  if (pattern?.kind !== 'literal' || typeof pattern.value !== 'string') {
    const message = 'the pattern of `matches` must be a text in quotes';
    // mutant (default): there is one argument.
    return invalid(checking, pattern ?? term, { code: 'expression_literal', message });
  }
  const matches = checking.pattern(pattern.value);
  if (typeof matches !== 'function') {
    return invalid(checking, pattern, { code: 'expression_literal', message: matches.message });
  }
  return {
    type: BOOL,
    run: (scope, locals) => {
      const value = text.run(scope, locals);
      if (value instanceof Failure) return value;
      return typeof value === 'string'
        ? matches(value)
        : failed('`matches` does not take this value');
    },
    cost: text.cost + 10,
  };
}

function checkComprehension({ checking, term, check }: MacroCall, receiver: Term): Checked {
  const range = check(checking, receiver);
  const [variable, body] = term.args;
  // mutant: there are two arguments, and the parser takes nothing but a name as the first.
  if (variable?.kind !== 'name' || body === undefined) {
    const message = `the first value of \`${term.name}\` names each item, such as x`;
    // mutant: this is never reached, as said above.
    return invalid(checking, variable ?? term, { code: 'expression_type', message });
  }
  if (checking.environment.has(variable.name) || localOf(checking, variable.name) !== undefined) {
    const message = `\`${variable.name}\` already has a meaning here`;
    return invalid(checking, variable, {
      code: 'expression_type',
      message,
      hint: 'choose another name',
    });
  }
  if (range.type.kind !== 'list' && !isOpen(range.type)) {
    const message = `\`${term.name}\` goes through a list, not ${typeName(range.type)}`;
    return invalid(checking, receiver, { code: 'expression_type', message });
  }
  const slot = checking.locals === undefined ? 0 : checking.locals.slot + 1;
  if (slot >= EXPRESSION_LIMITS.comprehensionsNestedMax) {
    const message = `lists are gone through ${String(slot + 1)} deep, at most ${String(EXPRESSION_LIMITS.comprehensionsNestedMax)} are allowed`;
    return invalid(checking, term, { code: 'expression_costly', message });
  }
  const items: ValueType = range.type.kind === 'list' ? range.type.items : range.type;
  const itemsMax = range.type.kind === 'list' ? range.type.itemsMax : UNDECLARED_LIST_ITEMS_MAX;
  const locals = { name: variable.name, slot, type: items, outer: checking.locals };
  const part = check({ ...checking, locals }, body);
  if (term.name !== 'map' && part.type.kind !== 'bool' && !isOpen(part.type)) {
    const message = `this must be true or false, not ${typeName(part.type)}`;
    return invalid(checking, body, { code: 'expression_type', message });
  }
  const eachItem = COMPREHENSIONS[term.name];
  // mutant: every other macro is in the table.
  if (eachItem === undefined)
    // mutant: this is never reached, as said above.
    return invalid(checking, term, { code: 'expression_unknown', message: 'not known' });
  return {
    type: comprehensionType(term.name, { items, result: part.type, itemsMax }),
    run: comprehensionRun({ range: range.run, body: part.run, slot, eachItem }),
    cost: range.cost + itemsMax * (part.cost + 1) + 1,
  };
}

function comprehensionType(
  name: string,
  list: { readonly items: ValueType; readonly result: ValueType; readonly itemsMax: number },
): ValueType {
  if (name !== 'filter' && name !== 'map') return BOOL;
  const items = name === 'filter' ? list.items : list.result;
  return { kind: 'list', items: items === INVALID ? DYN : items, itemsMax: list.itemsMax };
}

interface ComprehensionParts {
  readonly range: Run;
  readonly body: Run;
  readonly slot: number;
  readonly eachItem: EachItem;
}

/** Goes through a list with a function of the item. */
type EachItem = (items: readonly unknown[], body: (item: unknown) => unknown) => unknown;

function comprehensionRun({ range, body, slot, eachItem }: ComprehensionParts): Run {
  return (scope, locals) => {
    const items = range(scope, locals);
    if (items instanceof Failure) return items;
    if (!Array.isArray(items)) return failed('the value is not a list');
    if (items.length > UNDECLARED_LIST_ITEMS_MAX) {
      return failed(`the list has more than ${String(UNDECLARED_LIST_ITEMS_MAX)} items`);
    }
    return eachItem(items, (item) => {
      locals[slot] = valueOfJson(item);
      return body(scope, locals);
    });
  };
}

const COMPREHENSIONS: Readonly<Record<string, EachItem>> = {
  all: (items, body) => quantified(items, body, false),
  exists: (items, body) => quantified(items, body, true),
  exists_one: (items, body) => {
    let count = 0;
    for (const item of items) {
      const value = body(item);
      if (typeof value !== 'boolean') return failureOf(value);
      if (value) count += 1;
    }
    return count === 1;
  },
  filter: (items, body) => {
    const kept: unknown[] = [];
    for (const item of items) {
      const value = body(item);
      if (typeof value !== 'boolean') return failureOf(value);
      if (value) kept.push(item);
    }
    return kept;
  },
  map: (items, body) => {
    const results: unknown[] = [];
    for (const item of items) {
      const value = body(item);
      if (value instanceof Failure) return value;
      results.push(value);
    }
    return results;
  },
};

/** One item that decides decides, whatever the others are; else a failure of any of them is the answer. */
function quantified(
  items: readonly unknown[],
  body: (item: unknown) => unknown,
  decides: boolean,
): boolean | Failure {
  let failure: Failure | undefined;
  for (const item of items) {
    const value = body(item);
    if (value === decides) return decides;
    if (typeof value !== 'boolean') failure ??= failureOf(value);
  }
  return failure ?? !decides;
}
