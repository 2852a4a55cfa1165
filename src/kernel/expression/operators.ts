/**
 * What each operator means for which types: checked when an expression is loaded, exact when it is
 * evaluated. Where a type is open (`dyn`), the same meaning is found from the values.
 */
import { add, DECIMAL_DIGITS_MAX, multiply, subtract, type Decimal } from '../decimal.ts';
import type { BinaryOperator } from './term.ts';
import {
  asDecimal,
  compareNumbers,
  Duration,
  equal,
  failed,
  isNumber,
  isObject,
  Timestamp,
  type Failure,
} from './value.ts';
import {
  BOOL,
  DECIMAL,
  DURATION,
  DYN,
  INT,
  INVALID,
  isNumeric,
  isOpen,
  STRING,
  TIMESTAMP,
  typeName,
  unify,
  type ValueType,
} from './value-type.ts';

/** An operator for two types, or why there is none. */
export type Operator =
  | { readonly type: ValueType; readonly run: (left: unknown, right: unknown) => unknown }
  | { readonly message: string; readonly hint?: string };

const INT_MAX = 2n ** 63n - 1n;
const INT_MIN = -(2n ** 63n);
/** Digits that a computed decimal may have: the product of two decimals as read. */
const COMPUTED_DIGITS_MAX = 2 * DECIMAL_DIGITS_MAX;
const COMPUTED_MAX = 10n ** BigInt(COMPUTED_DIGITS_MAX);

/** The operator's meaning for operands of these types. */
export function operatorFor(operator: BinaryOperator, left: ValueType, right: ValueType): Operator {
  if (left.kind === 'invalid' || right.kind === 'invalid') {
    return { type: isComparison(operator) ? BOOL : INVALID, run: () => failed('not valid') };
  }
  switch (operator) {
    case '==':
    case '!=':
      return equality(operator, left, right);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return ordering(operator, left, right);
    case 'in':
      return membership(left, right);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic(operator, left, right);
    default:
      return operator satisfies never;
  }
}

function isComparison(operator: BinaryOperator): boolean {
  return ['==', '!=', '<', '<=', '>', '>=', 'in'].includes(operator);
}

function mismatch(operator: string, left: ValueType, right: ValueType): Operator {
  const numberAndText =
    (isNumeric(left) && right.kind === 'string') || (left.kind === 'string' && isNumeric(right));
  return {
    message: `\`${operator}\` does not take ${typeName(left)} and ${typeName(right)}`,
    ...(numberAndText ? { hint: 'write the number without quotes: 500.00' } : {}),
  };
}

function equality(operator: '==' | '!=', left: ValueType, right: ValueType): Operator {
  if (unify(left, right) === undefined) {
    if (left.kind === 'null' || right.kind === 'null') {
      return {
        message: 'only previews and facts can be null',
        hint: 'ask with has(...) whether it is given',
      };
    }
    return mismatch(operator, left, right);
  }
  const run =
    operator === '=='
      ? (from: unknown, to: unknown): boolean => equal(from, to)
      : (from: unknown, to: unknown): boolean => !equal(from, to);
  return { type: BOOL, run };
}

const ORDERED = new Set(['int', 'decimal', 'string', 'timestamp', 'duration', 'dyn']);

function ordering(operator: '<' | '<=' | '>' | '>=', left: ValueType, right: ValueType): Operator {
  const same = left.kind === right.kind || (isNumeric(left) && isNumeric(right));
  const ordered = ORDERED.has(left.kind) && ORDERED.has(right.kind);
  if (!ordered || !(same || isOpen(left) || isOpen(right))) return mismatch(operator, left, right);
  const holds = ORDER_HOLDS[operator];
  return {
    type: BOOL,
    run: (from, to) => {
      const order = orderOf(from, to);
      return order === undefined
        ? failed(`\`${operator}\` does not take these values`)
        : holds(order);
    },
  };
}

const ORDER_HOLDS: Readonly<Record<'<' | '<=' | '>' | '>=', (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

function orderOf(left: unknown, right: unknown): number | undefined {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right);
  if (typeof left === 'string' && typeof right === 'string') return compareTexts(left, right);
  if (left instanceof Timestamp && right instanceof Timestamp) return left.ms - right.ms;
  return left instanceof Duration && right instanceof Duration ? left.ms - right.ms : undefined;
}

/** By code point, as CEL orders texts; `<` of two strings goes by UTF-16 unit. */
function compareTexts(left: string, right: string): number {
  let index = 0;
  // mutant (boundary): behind the end of equal texts is nothing to tell them apart either.
  while (index < left.length && left[index] === right[index]) index += 1;
  return rankAt(left, index) - rankAt(right, index);
}

/** A unit's place in the order of code points; the end comes before everything. */
function rankAt(text: string, index: number): number {
  // mutant (constant): whichever number below zero it is, it comes before everything.
  const unit = index < text.length ? text.charCodeAt(index) : -1;
  // Halves of characters beyond the first plane come after all others.
  // mutant (constant): a little further after changes nothing.
  return unit >= 0xd8_00 && unit <= 0xdf_ff ? unit + 0x1_00_00 : unit;
}

function membership(left: ValueType, right: ValueType): Operator {
  if (right.kind === 'list' && unify(left, right.items) === undefined) {
    return mismatch('in', left, right);
  }
  if (right.kind !== 'list' && right.kind !== 'dyn') {
    return { message: `\`in\` needs a list on its right, not ${typeName(right)}` };
  }
  return {
    type: BOOL,
    run: (item, list) => {
      if (Array.isArray(list)) return list.some((other) => equal(item, other));
      if (isObject(list) && typeof item === 'string') return Object.hasOwn(list, item);
      return failed('`in` needs a list on its right');
    },
  };
}

type Arithmetic = '+' | '-' | '*' | '/' | '%';

function arithmetic(operator: Arithmetic, left: ValueType, right: ValueType): Operator {
  const type = arithmeticType(operator, left, right);
  if (type !== undefined) return { type, run: (from, to) => compute(operator, from, to) };
  if (operator === '/' && isNumeric(left) && isNumeric(right)) {
    return {
      message: 'a decimal cannot be divided exactly',
      hint: 'compare with a product instead: a <= 3 * b',
    };
  }
  return mismatch(operator, left, right);
}

function arithmeticType(
  operator: Arithmetic,
  left: ValueType,
  right: ValueType,
): ValueType | undefined {
  if (isOpen(left) || isOpen(right)) {
    const other = isOpen(left) ? right : left;
    return ['bool', 'null', 'list', 'object'].includes(other.kind) ? undefined : DYN;
  }
  if (isNumeric(left) && isNumeric(right)) {
    if (left.kind === 'int' && right.kind === 'int') return INT;
    return operator === '/' || operator === '%' ? undefined : DECIMAL;
  }
  const kinds = `${left.kind} ${operator} ${right.kind}`;
  if (kinds === 'string + string') return STRING;
  if (kinds === 'timestamp - timestamp') return DURATION;
  if (kinds === 'duration + duration' || kinds === 'duration - duration') return DURATION;
  if (kinds === 'timestamp + duration' || kinds === 'duration + timestamp') return TIMESTAMP;
  return kinds === 'timestamp - duration' ? TIMESTAMP : undefined;
}

function compute(operator: Arithmetic, left: unknown, right: unknown): unknown {
  if (typeof left === 'bigint' && typeof right === 'bigint')
    return computeInt(operator, left, right);
  if (isNumber(left) && isNumber(right)) {
    return computeDecimal(operator, asDecimal(left), asDecimal(right));
  }
  if (operator === '+' && typeof left === 'string' && typeof right === 'string')
    return left + right;
  return computeTime(operator, left, right) ?? failed(`\`${operator}\` does not take these values`);
}

function computeInt(operator: Arithmetic, left: bigint, right: bigint): bigint | Failure {
  if ((operator === '/' || operator === '%') && right === 0n) return failed('division by zero');
  const value = INT_OPERATORS[operator](left, right);
  return value > INT_MAX || value < INT_MIN ? failed('the integer is too large') : value;
}

const INT_OPERATORS: Readonly<Record<Arithmetic, (left: bigint, right: bigint) => bigint>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
};

function computeDecimal(operator: Arithmetic, left: Decimal, right: Decimal): Decimal | Failure {
  const operate = { '+': add, '-': subtract, '*': multiply, '/': undefined, '%': undefined }[
    operator
  ];
  if (operate === undefined) return failed(`\`${operator}\` does not take decimals`);
  const value = operate(left, right);
  const fits =
    value.unscaled < COMPUTED_MAX &&
    value.unscaled > -COMPUTED_MAX &&
    value.scale <= COMPUTED_DIGITS_MAX;
  return fits ? value : failed('the decimal has too many digits');
}

function computeTime(
  operator: Arithmetic,
  left: unknown,
  right: unknown,
): Timestamp | Duration | undefined {
  if (operator !== '+' && operator !== '-') return undefined;
  const sign = operator === '+' ? 1 : -1;
  if (left instanceof Duration && right instanceof Duration)
    return new Duration(left.ms + sign * right.ms);
  if (left instanceof Timestamp && right instanceof Duration)
    return new Timestamp(left.ms + sign * right.ms);
  if (left instanceof Timestamp && right instanceof Timestamp && sign === -1) {
    return new Duration(left.ms - right.ms);
  }
  return left instanceof Duration && right instanceof Timestamp && sign === 1
    ? new Timestamp(left.ms + right.ms)
    : undefined;
}
