/**
 * The functions that expressions may call: few, pure, and linear in what they read. Nothing here
 * knows a locale, a time zone or a clock.
 */
import { decimalOf, formatDecimal, isDecimal, parseDecimal } from '../decimal.ts';
import { parseDurationMs, parseInstant } from '../instant.ts';
import type { Term } from './term.ts';
import { codePointCount, Duration, failed, isObject, Timestamp } from './value.ts';
import {
  BOOL,
  DECIMAL,
  DURATION,
  DYN,
  INT,
  STRING,
  TIMESTAMP,
  typeName,
  type ValueType,
} from './value-type.ts';

/** A function for arguments of these types, or why there is none. The receiver is the first argument. */
export type FunctionMatch =
  | { readonly type: ValueType; readonly run: (values: readonly unknown[]) => unknown }
  | { readonly message: string; readonly hint?: string };

interface FunctionSpec {
  /** `global` is called as name(x), `method` as x.name(...), `both` either way. */
  readonly called: 'global' | 'method' | 'both';
  /** Kinds of type that each argument takes; `dyn` is always taken. */
  readonly takes: readonly (readonly ValueType['kind'][])[];
  readonly type: ValueType;
  readonly run: (values: readonly unknown[]) => unknown;
  /** Reads a text written in the expression when it is loaded. */
  readonly literal?: (text: string) => unknown;
}

const FUNCTIONS: ReadonlyMap<string, FunctionSpec> = new Map<string, FunctionSpec>([
  [
    'size',
    {
      // mutant: whatever is neither of the others is called either way.
      called: 'both',
      takes: [['string', 'list']],
      type: INT,
      run: ([value]) => sizeOf(value),
    },
  ],
  ['contains', ofTexts((text, part) => text.includes(part))],
  ['startsWith', ofTexts((text, part) => text.startsWith(part))],
  ['endsWith', ofTexts((text, part) => text.endsWith(part))],
  ['lowerAscii', ofText((text) => text.replaceAll(/[A-Z]/gu, (letter) => letter.toLowerCase()))],
  ['upperAscii', ofText((text) => text.replaceAll(/[a-z]/gu, (letter) => letter.toUpperCase()))],
  [
    'decimal',
    {
      called: 'global',
      takes: [['string', 'int', 'decimal']],
      type: DECIMAL,
      run: ([value]) => {
        if (isDecimal(value)) return value;
        if (typeof value === 'bigint') return decimalOf(value);
        const decimal = typeof value === 'string' ? parseDecimal(value) : undefined;
        return decimal ?? failed('the value is not a decimal in plain notation');
      },
      literal: parseDecimal,
    },
  ],
  [
    'int',
    {
      called: 'global',
      takes: [['string', 'int']],
      type: INT,
      run: ([value]) => {
        if (typeof value === 'bigint') return value;
        if (typeof value === 'string' && /^-?\d{1,18}$/u.test(value)) return BigInt(value);
        return failed('the value is not an integer');
      },
    },
  ],
  [
    'string',
    {
      called: 'global',
      takes: [['string', 'int', 'decimal', 'bool']],
      type: STRING,
      run: ([value]) => {
        if (typeof value === 'string') return value;
        if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
        return isDecimal(value)
          ? formatDecimal(value)
          : failed('the value cannot be written as a text');
      },
    },
  ],
  [
    'timestamp',
    {
      called: 'global',
      takes: [['string', 'timestamp']],
      type: TIMESTAMP,
      run: ([value]) =>
        value instanceof Timestamp ? value : readText(value, readTimestamp, 'an instant'),
      literal: readTimestamp,
    },
  ],
  [
    'duration',
    {
      called: 'global',
      takes: [['string', 'duration']],
      type: DURATION,
      run: ([value]) =>
        value instanceof Duration ? value : readText(value, readDuration, 'a duration'),
      literal: readDuration,
    },
  ],
]);

/** Names of macros, which the checker expands itself. */
export const MACRO_NAMES = [
  'has',
  'all',
  'exists',
  'exists_one',
  'filter',
  'map',
  'matches',
] as const;

/** Every name that can be called. */
export function functionNames(): readonly string[] {
  return [...FUNCTIONS.keys(), ...MACRO_NAMES];
}

/** The function of this name for arguments of these types; `undefined` where no function has the name. */
export function functionFor(
  name: string,
  call: { readonly types: readonly ValueType[]; readonly asMethod: boolean },
): FunctionMatch | undefined {
  const spec = FUNCTIONS.get(name);
  if (spec === undefined) return undefined;
  if (call.asMethod ? spec.called === 'global' : spec.called === 'method') {
    const form = call.asMethod ? `${name}(x)` : `x.${name}(...)`;
    return { message: `\`${name}\` is not called like this`, hint: `write ${form}` };
  }
  if (call.types.length !== spec.takes.length) {
    return {
      message: `\`${name}\` takes ${String(spec.takes.length)} values, not ${String(call.types.length)}`,
    };
  }
  // mutant (default): there are as many of both.
  const wrong = call.types.find((type, index) => !takes(spec.takes[index] ?? [], type));
  if (wrong !== undefined) return { message: `\`${name}\` does not take ${typeName(wrong)}` };
  return { type: spec.type, run: spec.run };
}

/**
 * The value of `decimal("...")`, `timestamp("...")` or `duration("...")` with a text written in place:
 * `undefined` where the call is another, `null` where the text is not one.
 */
export function literalCall(
  term: Term,
): { readonly type: ValueType; readonly value: unknown } | null | undefined {
  if (term.kind !== 'call' || term.receiver !== undefined || term.args.length !== 1)
    return undefined;
  const [argument] = term.args;
  const spec = FUNCTIONS.get(term.name);
  // mutant: there is one argument, and nothing but a literal has a value.
  if (spec?.literal === undefined || argument?.kind !== 'literal') return undefined;
  if (typeof argument.value !== 'string') return undefined;
  const value = spec.literal(argument.value);
  return value === undefined ? null : { type: spec.type, value };
}

function takes(kinds: readonly ValueType['kind'][], type: ValueType): boolean {
  return type.kind === DYN.kind || type.kind === 'invalid' || kinds.includes(type.kind);
}

function ofTexts(run: (text: string, part: string) => boolean): FunctionSpec {
  return {
    called: 'method',
    takes: [['string'], ['string']],
    type: BOOL,
    run: ([text, part]) =>
      typeof text === 'string' && typeof part === 'string'
        ? run(text, part)
        : failed('the value is not a text'),
  };
}

function ofText(run: (text: string) => string): FunctionSpec {
  return {
    called: 'method',
    takes: [['string']],
    type: STRING,
    run: ([text]) => (typeof text === 'string' ? run(text) : failed('the value is not a text')),
  };
}

function sizeOf(value: unknown): unknown {
  if (typeof value === 'string') return BigInt(codePointCount(value));
  if (Array.isArray(value)) return BigInt(value.length);
  return isObject(value) ? BigInt(Object.keys(value).length) : failed('the value has no size');
}

function readTimestamp(text: string): Timestamp | undefined {
  const instant = parseInstant(text);
  return instant === undefined ? undefined : new Timestamp(instant);
}

function readDuration(text: string): Duration | undefined {
  const ms = parseDurationMs(text);
  return ms === undefined ? undefined : new Duration(ms);
}

function readText(value: unknown, read: (text: string) => unknown, what: string): unknown {
  const result = typeof value === 'string' ? read(value) : undefined;
  return result ?? failed(`the value is not ${what}`);
}
