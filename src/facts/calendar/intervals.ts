/**
 * Patterns of local time become exact intervals of instants: the one place that says what a clock
 * change does to a window and to a freeze.
 *
 * A local time that the clock shows twice, or never, has an earliest and a latest reading. A window
 * reaches from the latest reading of its start to the earliest one of its end, so that it is open only
 * where every reading agrees. A freeze reaches from the earliest to the latest, so that it is in force
 * where any reading says so, and never disappears on the day its start is skipped.
 */
import type { CalendarPattern } from '../../kernel/policy.ts';
import { POLICY_LIMITS } from '../../kernel/policy/limits.ts';
import { parseLocal, readRecurrence, RecurrenceError, type Recurrence } from './recurrence.ts';
import { type LocalMs, OFFSET_MS_MAX, zoneStretch, type ZoneStretch } from './zone.ts';

/** From an instant, included, to one that is not. */
export interface Interval {
  readonly from: number;
  readonly until: number;
}

/** Whether every reading must agree (`open`) or one is enough (`closed`). */
export type Side = 'open' | 'closed';

/** A pattern whose texts are read. */
export type ReadPattern =
  | Extract<CalendarPattern, { readonly kind: 'weekly' }>
  | { readonly kind: 'rrule'; readonly recurrence: Recurrence; readonly durationMs: number }
  | { readonly kind: 'span'; readonly from: LocalMs; readonly until: LocalMs };

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Reads a pattern's texts; throws `RecurrenceError` with one line on what cannot be read. */
export function readPattern(pattern: CalendarPattern, zone: string, side: Side): ReadPattern {
  switch (pattern.kind) {
    case 'weekly':
      checkWeekly(pattern);
      return pattern;
    case 'span':
      return readSpan(pattern);
    case 'rrule': {
      const { start, rule, durationMs } = pattern;
      if (
        !Number.isSafeInteger(durationMs) ||
        durationMs <= 0 ||
        durationMs > POLICY_LIMITS.occurrenceMsMax
      ) {
        throw new RecurrenceError('duration must be longer than 0 and at most 31 days');
      }
      const recurrence = readRecurrence(start, rule, (from, until) =>
        zoneStretch(zone, from, until),
      );
      // RFC 5545 does not count an occurrence that a clock change skips; a freeze does happen then,
      // so counting would let it end early by one reading.
      if (recurrence.counted && side === 'closed') {
        throw new RecurrenceError('a freeze cannot use `COUNT`; say its end with `UNTIL`');
      }
      return { kind: 'rrule', recurrence, durationMs };
    }
    default:
      return pattern satisfies never;
  }
}

function checkWeekly({
  days,
  startMinute,
  endMinute,
}: Extract<CalendarPattern, { kind: 'weekly' }>): void {
  const minutes = [startMinute, endMinute];
  if (days.length === 0 || days.some((day) => !Number.isInteger(day) || day < 1 || day > 7)) {
    throw new RecurrenceError('days are 1 (Monday) to 7 (Sunday), at least one');
  }
  if (minutes.some((minute) => !Number.isInteger(minute) || minute < 0 || minute > 1440)) {
    throw new RecurrenceError('times are between 00:00 and 24:00');
  }
}

function readSpan(pattern: Extract<CalendarPattern, { readonly kind: 'span' }>): ReadPattern {
  const from = parseLocal(pattern.from);
  const until = parseLocal(pattern.until);
  if (from === undefined || until === undefined) {
    const text = from === undefined ? pattern.from : pattern.until;
    throw new RecurrenceError(`\`${text}\` is not a local time such as \`2026-12-20T00:00\``);
  }
  if (until <= from) throw new RecurrenceError('the span ends before it starts');
  return { kind: 'span', from, until };
}

/** All intervals of the patterns that touch the stretch asked for, merged and in order. */
export function intervalsOf(
  patterns: readonly ReadPattern[],
  zone: ZoneStretch,
  asked: { readonly from: number; readonly until: number; readonly side: Side },
): readonly Interval[] {
  // A day around both ends, for offsets and for what a skipped time can mean.
  const stretch = { from: asked.from - 2 * OFFSET_MS_MAX, until: asked.until + 2 * OFFSET_MS_MAX };
  // Local times are joined before they are read: a midnight that comes twice is then no boundary
  // between two days that are open both.
  const local = merge(patterns.flatMap((pattern) => localIntervals(pattern, stretch)));
  const exact = [
    ...local.map(({ from, until }) =>
      readInterval(zone.readings(from), zone.readings(until), asked.side),
    ),
    ...patterns.flatMap((pattern) => occurrences(pattern, stretch, zone, asked.side)),
  ];
  return merge(exact.filter(({ from, until }) => until > asked.from && from < asked.until));
}

type Ends = { readonly earliest: number; readonly latest: number };

function readInterval(start: Ends, end: Ends, side: Side): Interval {
  return side === 'open'
    ? { from: start.latest, until: end.earliest }
    : { from: start.earliest, until: end.latest };
}

function localIntervals(pattern: ReadPattern, stretch: Interval): readonly Interval[] {
  switch (pattern.kind) {
    case 'weekly':
      return weeklyIntervals(pattern, stretch);
    case 'span': {
      const { from, until } = pattern;
      return until > stretch.from && from < stretch.until ? [{ from, until }] : [];
    }
    case 'rrule':
      return [];
    default:
      return pattern satisfies never;
  }
}

function weeklyIntervals(
  { days, startMinute, endMinute }: Extract<ReadPattern, { readonly kind: 'weekly' }>,
  stretch: Interval,
): readonly Interval[] {
  const lengthMinutes = endMinute - startMinute + (endMinute <= startMinute ? 1440 : 0);
  const intervals: Interval[] = [];
  const first = Math.floor(stretch.from / DAY_MS) - 1;
  for (let day = first; day * DAY_MS < stretch.until; day += 1) {
    // 1970-01-01 was a Thursday, the fourth day of its week.
    if (!days.includes(((((day + 3) % 7) + 7) % 7) + 1)) continue;
    const from = day * DAY_MS + startMinute * MINUTE_MS;
    intervals.push({ from, until: from + lengthMinutes * MINUTE_MS });
  }
  return intervals;
}

/**
 * Occurrences of a rule. A duration is exact time to some and local time to others, and a start that
 * is skipped is no occurrence at all by RFC 5545 section 3.3.10: here too a window needs all readings
 * and a freeze one.
 */
function occurrences(
  pattern: ReadPattern,
  stretch: Interval,
  zone: ZoneStretch,
  side: Side,
): readonly Interval[] {
  if (pattern.kind !== 'rrule') return [];
  const { recurrence, durationMs } = pattern;
  const starts = recurrence.startsBetween(stretch.from - durationMs, stretch.until);
  return starts.flatMap((local): readonly Interval[] => {
    const start = zone.readings(local);
    const end = zone.readings(local + durationMs);
    if (side === 'open' && start.skipped) return [];
    const ends = {
      earliest: Math.min(end.earliest, start.earliest + durationMs),
      latest: Math.max(end.latest, start.latest + durationMs),
    };
    return [readInterval(start, ends, side)];
  });
}

/** In order, without overlaps, adjoining ones joined, empty ones left out. */
export function merge(intervals: readonly Interval[]): readonly Interval[] {
  const merged: Interval[] = [];
  const ordered = intervals
    .filter(({ from, until }) => from < until)
    .toSorted((left, right) => left.from - right.from);
  for (const interval of ordered) {
    const last = merged.at(-1);
    if (last === undefined || last.until < interval.from) merged.push(interval);
    else
      merged[merged.length - 1] = { from: last.from, until: Math.max(last.until, interval.until) };
  }
  return merged;
}

/** What of `intervals` no interval of `without` covers. Both in order and without overlaps. */
export function subtract(
  intervals: readonly Interval[],
  without: readonly Interval[],
): readonly Interval[] {
  const left: Interval[] = [];
  let first = 0;
  for (const interval of intervals) {
    let { from } = interval;
    while ((without[first]?.until ?? Number.POSITIVE_INFINITY) <= from) first += 1;
    for (let index = first; index < without.length; index += 1) {
      const cut = without[index];
      if (cut === undefined || cut.from >= interval.until) break;
      if (cut.from > from) left.push({ from, until: cut.from });
      from = Math.max(from, cut.until);
    }
    if (from < interval.until) left.push({ from, until: interval.until });
  }
  return left;
}
