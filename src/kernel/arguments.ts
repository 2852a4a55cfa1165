/**
 * Checks an action's arguments against the operation's schema, and turns them into the values that
 * expressions see. UNTRUSTED: the arguments are the agent's.
 *
 * INVARIANT: each accepted value has exactly one spelling, so that no two digests stand for one effect:
 *
 * | type     | its one spelling |
 * |---|---|
 * | integer  | a JSON integer up to 2^53 - 1, beyond that its digits as a text, at most 18 |
 * | decimal  | plain notation without superfluous zeros: `"12.5"`, never `"12.50"` |
 * | money    | not negative, with exactly the currency's decimals: `"49.90"` |
 * | date     | `"2026-11-22"`, a day that exists |
 * | instant  | UTC with `Z`, milliseconds only where there are any: `"2026-11-22T04:12:00Z"` |
 * | duration | the largest units first: `"1h30m"`, never `"90m"` |
 * | path     | absolute, without `.`, `..`, empty parts or a slash at the end |
 * | url      | as the WHATWG URL standard writes it |
 */
import { INTEGER_DIGITS_MAX, isDate, isList, isMembers, type TextType } from './argument-value.ts';
import { canonicalDecimal, parseDecimal } from './decimal.ts';
import { didYouMean } from './did-you-mean.ts';
import { codePointCount } from './expression/value.ts';
import { formatDurationMs, formatInstant, parseDurationMs, parseInstant } from './instant.ts';
import type { ArgumentFields, ArgumentType } from './inventory.ts';
import type { JsonObject, JsonValue } from './json/value.ts';

/** What is wrong with an argument, by precedence. */
export const ARGUMENT_ERROR_CODES = [
  'argument_unknown',
  'argument_missing',
  'argument_type',
  'argument_too_long',
  'argument_malformed',
  'argument_not_canonical',
  'argument_not_allowed',
] as const;

/** The stable code of an argument's error. */
type ArgumentErrorCode = (typeof ARGUMENT_ERROR_CODES)[number];

/** One error; `pointer` is a JSON pointer into the arguments. The message never repeats the value. */
export interface ArgumentError {
  readonly pointer: string;
  readonly code: ArgumentErrorCode;
  readonly message: string;
}

/** Every error of the arguments; none where they are what the operation takes. */
export function checkArguments(fields: ArgumentFields, args: JsonObject): readonly ArgumentError[] {
  const errors: ArgumentError[] = [];
  // mutant: the token of the whole is not read.
  checkFields(fields, args, { within: undefined, token: '', errors });
  return errors;
}

/** Where a value stands. Most have no error, so the pointer is written only where one is noted. */
interface Place {
  /** The place around it; absent for the arguments as a whole. */
  readonly within: Place | undefined;
  readonly token: string;
  readonly errors: ArgumentError[];
}

function note(place: Place, code: ArgumentErrorCode, message: string): void {
  place.errors.push({ pointer: pointerTo(place), code, message });
}

function pointerTo({ within, token }: Place): string {
  if (within === undefined) return '';
  return `${pointerTo(within)}/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function below(place: Place, token: string): Place {
  return { within: place, token, errors: place.errors };
}

function checkFields(fields: ArgumentFields, args: JsonObject, place: Place): void {
  for (const name of Object.keys(args)) {
    if (Object.hasOwn(fields, name)) continue;
    const hint = didYouMean(name, Object.keys(fields));
    note(
      below(place, name),
      'argument_unknown',
      `not an argument${hint === undefined ? '' : `: ${hint}`}`,
    );
  }
  for (const name of Object.keys(fields)) {
    const field = fields[name];
    // mutant: every name has a field.
    if (field === undefined) continue;
    const value = Object.hasOwn(args, name) ? args[name] : undefined;
    if (value !== undefined) checkValue(field.type, value, below(place, name));
    else if (!field.optional) note(below(place, name), 'argument_missing', 'is required');
  }
}

function checkValue(type: ArgumentType, value: JsonValue, place: Place): void {
  switch (type.kind) {
    case 'boolean':
      if (typeof value !== 'boolean') note(place, 'argument_type', 'must be true or false');
      return;
    case 'integer':
      checkInteger(value, place);
      return;
    case 'array':
      checkArray(type, value, place);
      return;
    case 'object':
      if (isMembers(value)) checkFields(type.fields, value, place);
      else note(place, 'argument_type', 'must be an object');
      return;
    case 'string':
    case 'decimal':
    case 'money':
    case 'date':
    case 'instant':
    case 'duration':
    case 'enum':
    case 'path':
    case 'url':
    case 'oci-digest':
    case 'blob':
    case 'secret':
      if (typeof value === 'string') checkText(type, value, place);
      else note(place, 'argument_type', `must be a text${TEXT_EXAMPLES[type.kind] ?? ''}`);
      return;
    default:
      return type satisfies never;
  }
}

/** The one algorithm of the OCI image specification that every registry has; blobs are named the same way. */
const OCI_DIGEST = /^sha256:[0-9a-f]{64}$/u;

const TEXT_EXAMPLES: Readonly<Record<string, string>> = {
  decimal: ', such as "12.5"',
  money: ', such as "49.90"',
  date: ', such as "2026-11-22"',
  instant: ', such as "2026-11-22T04:12:00Z"',
  duration: ', such as "1h30m"',
};

function checkInteger(value: JsonValue, place: Place): void {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      note(
        place,
        'argument_malformed',
        'must be a whole number; beyond 2^53 - 1 write its digits as a text',
      );
    }
    return;
  }
  if (typeof value !== 'string') {
    note(place, 'argument_type', 'must be a whole number');
    return;
  }
  if (!/^-?[1-9]\d*$/u.test(value) || value.replace('-', '').length > INTEGER_DIGITS_MAX) {
    note(
      place,
      'argument_malformed',
      `must be a whole number of at most ${String(INTEGER_DIGITS_MAX)} digits`,
    );
  } else if (Number.isSafeInteger(Number(value))) {
    note(place, 'argument_not_canonical', 'must be a JSON number, not a text: it is small enough');
  }
}

function checkArray(
  type: ArgumentType & { readonly kind: 'array' },
  value: JsonValue,
  place: Place,
): void {
  if (!isList(value)) {
    note(place, 'argument_type', 'must be a list');
    return;
  }
  if (value.length > type.itemsMax) {
    note(
      place,
      'argument_too_long',
      `has ${String(value.length)} items, at most ${String(type.itemsMax)} are allowed`,
    );
    return;
  }
  for (const [index, item] of value.entries())
    checkValue(type.items, item, below(place, String(index)));
}

function checkText(type: TextType, text: string, place: Place): void {
  switch (type.kind) {
    case 'string':
      // A code point is at most two UTF-16 units, so only texts near the limit are counted.
      // mutant: a text with fewer units has no more code points; it only saves counting them.
      if (text.length > type.lengthMax && codePointCount(text) > type.lengthMax) {
        note(place, 'argument_too_long', `has more than ${String(type.lengthMax)} characters`);
      }
      return;
    case 'decimal':
      checkSpelling(place, {
        text,
        what: 'a decimal such as "12.5"',
        canonical: decimalSpelling(text),
      });
      return;
    case 'money':
      checkMoney(type, text, place);
      return;
    case 'date':
      if (!isDate(text))
        note(place, 'argument_malformed', 'must be a day that exists, as "2026-11-22"');
      return;
    case 'instant':
      checkSpelling(place, {
        text,
        what: 'an instant such as "2026-11-22T04:12:00Z"',
        canonical: instantSpelling(text),
      });
      return;
    case 'duration':
      checkSpelling(place, {
        text,
        what: 'a duration such as "1h30m"',
        canonical: durationSpelling(text),
      });
      return;
    case 'enum':
      checkWord(type.values, text, place);
      return;
    case 'secret':
      checkWord(type.names, text, place);
      return;
    case 'path':
      checkPath(type.within, text, place);
      return;
    case 'url':
      checkUrl(type.hosts, text, place);
      return;
    case 'oci-digest':
    case 'blob':
      if (!OCI_DIGEST.test(text)) {
        note(place, 'argument_malformed', 'must be `sha256:` and 64 hex digits in lower case');
      }
      return;
    default:
      return type satisfies never;
  }
}

function checkWord(words: readonly string[], text: string, place: Place): void {
  if (words.includes(text)) return;
  const list = words.map((word) => `\`${word}\``).join(', ');
  note(place, 'argument_not_allowed', `must be one of ${list}`);
}

interface Spelling {
  readonly text: string;
  readonly what: string;
  /** The one spelling of the text's value; `undefined` where it has no value. */
  readonly canonical: string | undefined;
}

function checkSpelling(place: Place, { text, what, canonical }: Spelling): void {
  if (canonical === undefined) note(place, 'argument_malformed', `must be ${what}`);
  else if (canonical !== text)
    note(place, 'argument_not_canonical', `must be written "${canonical}"`);
}

function decimalSpelling(text: string): string | undefined {
  const decimal = parseDecimal(text);
  return decimal === undefined ? undefined : canonicalDecimal(decimal);
}

function instantSpelling(text: string): string | undefined {
  const instant = parseInstant(text);
  return instant === undefined ? undefined : formatInstant(instant).replace('.000Z', 'Z');
}

function durationSpelling(text: string): string | undefined {
  const ms = parseDurationMs(text);
  return ms === undefined ? undefined : formatDurationMs(ms);
}

function checkMoney(
  type: ArgumentType & { readonly kind: 'money' },
  text: string,
  place: Place,
): void {
  const example =
    type.minorDigits === 0
      ? '49'
      : `49.${'90'.padEnd(type.minorDigits, '0').slice(0, type.minorDigits)}`;
  const decimal = parseDecimal(text);
  if (decimal === undefined)
    note(place, 'argument_malformed', `must be an amount of ${type.currency} such as "${example}"`);
  else if (decimal.unscaled < 0n) note(place, 'argument_not_allowed', 'must not be negative');
  else if (decimal.scale !== type.minorDigits) {
    note(
      place,
      'argument_not_canonical',
      `must have exactly ${String(type.minorDigits)} decimals, as "${example}" ${type.currency}`,
    );
  }
}

function checkPath(within: string, text: string, place: Place): void {
  // Control characters cannot be seen by whoever approves the path.
  // oxlint-disable-next-line no-control-regex
  if (!text.startsWith('/') || text.length > 4096 || /[\u0000-\u001f\u007f]/u.test(text)) {
    note(place, 'argument_malformed', 'must be an absolute path');
    return;
  }
  const parts = text.slice(1).split('/');
  if (text !== '/' && parts.some((part) => part === '' || part === '.' || part === '..')) {
    note(
      place,
      'argument_not_canonical',
      'must be a path without `.`, `..`, `//` or a slash at the end',
    );
    return;
  }
  const base = `${within.replace(/\/+$/u, '')}/`;
  if (!`${text}/`.startsWith(base))
    note(place, 'argument_not_allowed', `must be inside \`${within}\``);
}

function checkUrl(hosts: readonly string[], text: string, place: Place): void {
  const url = URL.canParse(text) && text.length <= 4096 ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    note(place, 'argument_malformed', 'must be an http or https URL');
  } else if (url.username !== '' || url.password !== '') {
    note(place, 'argument_not_allowed', 'must not carry credentials');
  } else if (!hosts.includes(url.host)) {
    note(
      place,
      'argument_not_allowed',
      `must be at ${hosts.map((host) => `\`${host}\``).join(' or ')}`,
    );
  } else if (url.href !== text) {
    note(place, 'argument_not_canonical', 'must be written as a browser writes it');
  }
}
