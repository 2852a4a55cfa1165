/**
 * Recurrence rules (RFC 5545 section 3.3.10) on local time: when the occurrences of an `rrule`
 * pattern start on a clock that is never changed. What clock changes do to them is decided elsewhere.
 *
 * The package that expands rules drops values out of range without a word, which would make a rule
 * wider than it reads; so every part is checked here first.
 */
import { RRuleTemporal } from 'rrule-temporal';
import { Temporal } from 'temporal-polyfill';
import type { LocalMs, ZoneStretch } from './zone.ts';

/** What is wrong with a rule, in one line. */
export class RecurrenceError extends Error {
  override readonly name = 'RecurrenceError';
  readonly code = 'bad_recurrence';
}

/** A rule ready to be asked. */
export interface Recurrence {
  /** Local starts from `from` (included) to `until` (excluded), in order. */
  startsBetween(from: LocalMs, until: LocalMs): readonly LocalMs[];
  /** `COUNT` is given. */
  readonly counted: boolean;
}

/** How much work one expansion may do. */
const RECURRENCE_LIMITS = {
  /** Periods that are looked at, from the rule's start on. */
  iterationsMax: 20_000,
  /** Date-times that are looked at: ten a day over the look-ahead, 50 µs each. */
  candidatesMax: 4000,
  /** Characters of a rule. */
  ruleLengthMax: 500,
} as const;

/** Reads a rule such as `FREQ=MONTHLY;BYDAY=2SA` that starts at a local time; throws `RecurrenceError`. */
export function readRecurrence(start: string, rule: string, zone: ZoneFinder): Recurrence {
  const startsAt = parseLocal(start);
  if (startsAt === undefined) throw new RecurrenceError(`start \`${start}\` is not a local time`);
  const parts = partsOf(rule);
  const expansion = expansionOf(startsAt, parts, zone);
  return {
    counted: parts.has('COUNT'),
    startsBetween: (from, until) => {
      const last = until - 1;
      if (last < startsAt || last < from) return [];
      return expansion
        .between(utc(Math.max(from, startsAt)), utc(last), true)
        .map((occurrence) => occurrence.epochMilliseconds);
    },
  };
}

/** Gives the zone around an instant, to read an `UNTIL` that is written in UTC. */
export type ZoneFinder = (fromMs: number, untilMs: number) => ZoneStretch;

const LOCAL = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?$/u;

/** A local date-time such as `2026-12-20T00:00` or with seconds, or `undefined`. */
export function parseLocal(text: string): LocalMs | undefined {
  const match = LOCAL.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  const local = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  // What does not exist is carried over by `Date`, and so reads back as something else.
  const back = new Date(local).toISOString().slice(0, 19);
  const written = text.length === 16 ? `${text}:00` : text;
  return back === written && (year ?? 0) >= 1970 ? local : undefined;
}

function utc(local: LocalMs): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(local).toZonedDateTimeISO('UTC');
}

type Parts = ReadonlyMap<string, string>;

function partsOf(rule: string): Parts {
  if (rule.length > RECURRENCE_LIMITS.ruleLengthMax) {
    throw new RecurrenceError(`rule has more than ${RECURRENCE_LIMITS.ruleLengthMax} characters`);
  }
  const parts = new Map<string, string>();
  const list = rule.replace(/^RRULE:/u, '').replace(/;$/u, '');
  for (const part of list.split(';')) {
    const [, name = '', value = ''] = /^([A-Z]+)=(.+)$/u.exec(part) ?? [];
    const known = PARTS.get(name);
    if (known === undefined) throw new RecurrenceError(partUnknown(part, name));
    if (parts.has(name)) throw new RecurrenceError(`\`${name}\` is given twice`);
    if (!known(value)) throw new RecurrenceError(`\`${part}\` is out of range or misspelt`);
    parts.set(name, value);
  }
  if (!parts.has('FREQ')) throw new RecurrenceError('rule has no `FREQ`');
  if (parts.has('COUNT') && parts.has('UNTIL')) {
    throw new RecurrenceError('rule has both `COUNT` and `UNTIL`');
  }
  return parts;
}

function partUnknown(part: string, name: string): string {
  if (name === '') return `\`${part}\` is not \`NAME=value\``;
  return `\`${name}\` is not supported; known are ${[...PARTS.keys()].join(', ')}`;
}

const DAY = '(?:MO|TU|WE|TH|FR|SA|SU)';

/** Every part that is known, and whether a value is one of it. Finer than a minute, nothing recurs. */
const PARTS: ReadonlyMap<string, (value: string) => boolean> = new Map([
  // Hours and minutes of a day are written as BYHOUR and BYMINUTE: an hourly rule would need to say
  // what it does in an hour that comes twice.
  ['FREQ', (value) => /^(?:DAILY|WEEKLY|MONTHLY|YEARLY)$/u.test(value)],
  ['INTERVAL', (value) => within(value, 1, 1000)],
  ['COUNT', (value) => within(value, 1, 10_000)],
  ['UNTIL', (value) => untilOf(value) !== undefined],
  ['BYMONTH', (value) => eachWithin(value, 1, 12)],
  ['BYWEEKNO', (value) => eachWithin(value, 1, 53, 'signed')],
  ['BYYEARDAY', (value) => eachWithin(value, 1, 366, 'signed')],
  ['BYMONTHDAY', (value) => eachWithin(value, 1, 31, 'signed')],
  [
    'BYDAY',
    (value) => new RegExp(`^[-+]?\\d{0,2}${DAY}(?:,[-+]?\\d{0,2}${DAY})*$`, 'u').test(value),
  ],
  ['BYHOUR', (value) => eachWithin(value, 0, 23)],
  ['BYMINUTE', (value) => eachWithin(value, 0, 59)],
  ['BYSETPOS', (value) => eachWithin(value, 1, 366, 'signed')],
  ['WKST', (value) => new RegExp(`^${DAY}$`, 'u').test(value)],
]);

function eachWithin(value: string, min: number, max: number, signed?: 'signed'): boolean {
  return value
    .split(',')
    .every((text) => within(signed === undefined ? text : text.replace(/^[-+]/u, ''), min, max));
}

function within(text: string, min: number, max: number): boolean {
  return /^\d{1,5}$/u.test(text) && Number(text) >= min && Number(text) <= max;
}

/** `UNTIL` as a date (its whole day), a local time, or an instant in UTC. */
function untilOf(value: string): { readonly ms: number; readonly inUtc: boolean } | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?$/u.exec(value);
  if (match === null) return undefined;
  const [, year, month, day, hour = '23', minute = '59', second = '59', zulu] = match;
  const ms = parseLocal(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
  return ms === undefined ? undefined : { ms, inUtc: zulu === 'Z' };
}

function expansionOf(startsAt: LocalMs, parts: Parts, zone: ZoneFinder): RRuleTemporal {
  const written = [...parts].filter(([name]) => name !== 'UNTIL');
  const until = parts.get('UNTIL');
  const rule = written.map(([name, value]) => `${name}=${value}`);
  if (until !== undefined) rule.push(`UNTIL=${untilText(until, zone)}`);
  try {
    return new RRuleTemporal({
      rruleString: `RRULE:${rule.join(';')}`,
      dtstart: utc(startsAt),
      strict: true,
      cache: false,
      maxIterations: RECURRENCE_LIMITS.iterationsMax,
      maxCandidateEvaluations: RECURRENCE_LIMITS.candidatesMax,
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'not a rule';
    throw new RecurrenceError(message.split('\n', 1)[0] ?? '', { cause });
  }
}

/** `UNTIL` on the clock that is never changed. An instant becomes what the zone's clock shows then. */
function untilText(value: string, zone: ZoneFinder): string {
  const until = untilOf(value);
  if (until === undefined) throw new RecurrenceError(`\`UNTIL=${value}\` is no date`);
  const local = until.inUtc ? zone(until.ms, until.ms).localAt(until.ms) : until.ms;
  return new Date(local).toISOString().slice(0, 19).replaceAll(/[-:]/gu, '').concat('Z');
}
