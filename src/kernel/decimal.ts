/**
 * Exact decimals for money and measures: a bigint and how many of its digits are decimals. No binary
 * fraction ever takes part in a decision.
 */

/** Most digits of a decimal that is read from text. */
export const DECIMAL_DIGITS_MAX = 38;

/** `unscaled` / 10^`scale`. Only this file makes one. A class, so that it is told apart at run time. */
export class Decimal {
  readonly unscaled: bigint;
  /** Number of decimals, as written: `49.90` has two. */
  readonly scale: number;

  /** Use {@link parseDecimal} or {@link decimalOf}. */
  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled;
    this.scale = scale;
    Object.freeze(this);
  }
}

const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/u;

/**
 * The decimal in plain notation, such as `-12.50`, or `undefined`: no exponent, no plus, no leading zero,
 * no minus zero, at most {@link DECIMAL_DIGITS_MAX} digits. `formatDecimal` gives the same text back.
 */
export function parseDecimal(text: string): Decimal | undefined {
  // The length bounds the pattern's work before it looks at the text.
  // mutant: the digits are counted below as well.
  if (text.length > DECIMAL_DIGITS_MAX + 2 || !DECIMAL.test(text)) return undefined;
  const isNegative = text.startsWith('-');
  // mutant: there is at most one point.
  const point = text.indexOf('.');
  const signed = point === -1 ? text : text.slice(0, point) + text.slice(point + 1);
  if (signed.length > DECIMAL_DIGITS_MAX + (isNegative ? 1 : 0)) return undefined;
  const unscaled = BigInt(signed);
  if (isNegative && unscaled === 0n) return undefined;
  return new Decimal(unscaled, point === -1 ? 0 : text.length - point - 1);
}

/** A whole number as a decimal. */
export function decimalOf(value: bigint): Decimal {
  return new Decimal(value, 0);
}

/** The decimal that a finite JSON number's shortest text spells, such as 0.1 for `0.1`, or `undefined`. */
export function decimalOfNumber(value: number): Decimal | undefined {
  // mutant: a number's text has nothing before or behind it.
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/u.exec(String(value));
  if (match === null) return undefined;
  // mutant: sign and whole are always there, and of no exponent nothing is as good as 0.
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const scale = fraction.length - Number(exponent);
  const unscaled = BigInt(`${sign}${whole}${fraction}`);
  // mutant: at a scale of 0 both ways are one.
  return scale >= 0
    ? new Decimal(unscaled, scale)
    : new Decimal(unscaled * 10n ** BigInt(-scale), 0);
}

/** Whether the value is a decimal. */
export function isDecimal(value: unknown): value is Decimal {
  return value instanceof Decimal;
}

/** The decimal in plain notation with all its decimals. */
export function formatDecimal(decimal: Decimal): string {
  const { unscaled, scale } = decimal;
  const sign = unscaled < 0n ? '-' : '';
  // mutant: zero is its own opposite.
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  if (scale === 0) return `${sign}${digits}`;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The decimal without superfluous zeros: equal decimals have one such text. */
export function canonicalDecimal(decimal: Decimal): string {
  const text = formatDecimal(decimal);
  return text.includes('.') ? text.replace(/\.?0+$/u, '') : text;
}

/** -1, 0 or 1 as `left` is less than, equal to or greater than `right`, whatever their decimals. */
export function compare(left: Decimal, right: Decimal): -1 | 0 | 1 {
  const scale = Math.max(left.scale, right.scale);
  const [from, to] = [rescaled(left, scale), rescaled(right, scale)];
  if (from === to) return 0;
  // mutant: equal ones are out already.
  return from < to ? -1 : 1;
}

/** The exact sum. */
export function add(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale);
  return new Decimal(rescaled(left, scale) + rescaled(right, scale), scale);
}

/** The exact difference. */
export function subtract(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale);
  return new Decimal(rescaled(left, scale) - rescaled(right, scale), scale);
}

/** The exact product. */
export function multiply(left: Decimal, right: Decimal): Decimal {
  return new Decimal(left.unscaled * right.unscaled, left.scale + right.scale);
}

/** The decimal with its sign turned. */
export function negate(decimal: Decimal): Decimal {
  return new Decimal(-decimal.unscaled, decimal.scale);
}

function rescaled(decimal: Decimal, scale: number): bigint {
  // mutant: ten to the power of nothing is 1; this only saves time.
  return decimal.scale === scale
    ? decimal.unscaled
    : decimal.unscaled * 10n ** BigInt(scale - decimal.scale);
}
