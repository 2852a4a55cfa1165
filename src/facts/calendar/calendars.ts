/**
 * Calendars: is a window open at this instant, and when does that change? Asked synchronously inside
 * the crossing, after the clock was read under lock, so an answer must be at hand in microseconds.
 *
 * Open is what the calendar's `open` patterns cover and no `closed` pattern does. What cannot be
 * evaluated is closed.
 */
import type { Calendars } from '../../engine/ports.ts';
import type { WindowState } from '../../kernel/decision.ts';
import type { Problem } from '../../kernel/document.ts';
import { type Instant, instantOf } from '../../kernel/instant.ts';
import type { CalendarPattern, CalendarSpec } from '../../kernel/policy.ts';
import { POLICY_LIMITS } from '../../kernel/policy/limits.ts';
import {
  type Interval,
  intervalsOf,
  merge,
  type ReadPattern,
  readPattern,
  type Side,
  subtract,
} from './intervals.ts';
import { RecurrenceError } from './recurrence.ts';
import { isZone, zoneStretch } from './zone.ts';

/** How far an answer looks. */
export const CALENDAR_LIMITS = {
  /** 400 days. What opens or closes later is not foreseen: the answer leaves the instant out. */
  lookAheadMs: 34_560_000_000,
} as const;

/** The codes of a calendar that cannot be used. */
const CALENDAR_CODES = [
  /** This machine knows no such time zone. */
  'unknown_zone',
  /** The calendar has no `open` pattern, so it never opens. */
  'calendar_never_open',
  /** It has more patterns than `POLICY_LIMITS.patternsMax`. */
  'too_many_patterns',
  /** A pattern's texts cannot be read, or its rule is too costly. */
  'bad_recurrence',
] as const;

/** Evaluates calendars. One answer is kept per calendar, as long as it holds. */
export function createCalendars(): Calendars {
  // Keyed by the spec itself: another epoch has other specs, and a spec that is gone takes its answer along.
  const known = new WeakMap<CalendarSpec, Known>();
  return {
    at: (calendar, instant) => {
      const found = known.get(calendar);
      const { answer } = found ?? {};
      if (answer !== undefined && answer.from <= instant && instant < answer.until) {
        return answer.state;
      }
      const fresh = answerAt(found?.read ?? readCalendar(calendar), instant);
      known.set(calendar, fresh);
      return fresh.answer.state;
    },
  };
}

/** What is wrong with a calendar; none of it can be used while there is any problem. */
export function checkCalendar(spec: CalendarSpec): readonly Problem[] {
  const problem = (
    code: (typeof CALENDAR_CODES)[number],
    message: string,
    hint?: string,
  ): Problem => ({
    code,
    severity: 'error',
    message,
    position: spec.position,
    ...(hint === undefined ? {} : { hint }),
  });
  if (!isZone(spec.zone)) {
    const hint = 'write a zone of the IANA database, such as `Europe/Berlin` or `UTC`';
    return [problem('unknown_zone', `time zone \`${spec.zone}\` is not known`, hint)];
  }
  if (spec.open.length === 0) {
    return [problem('calendar_never_open', `calendar \`${spec.name}\` has no \`open\` pattern`)];
  }
  const patterns = [
    ...spec.open.map((pattern) => ({ pattern, side: 'open' as const })),
    ...spec.closed.map((pattern) => ({ pattern, side: 'closed' as const })),
  ];
  if (patterns.length > POLICY_LIMITS.patternsMax) {
    const message = `calendar \`${spec.name}\` has more than ${POLICY_LIMITS.patternsMax} patterns`;
    return [problem('too_many_patterns', message)];
  }
  return patterns.flatMap(({ pattern, side }) => {
    const message = patternProblem(pattern, spec.zone, side);
    return message === undefined
      ? []
      : [problem('bad_recurrence', `calendar \`${spec.name}\`: ${message}`)];
  });
}

/** Reads a pattern and expands it where its work is greatest, far from its start. */
function patternProblem(pattern: CalendarPattern, zone: string, side: Side): string | undefined {
  try {
    const read = readPattern(pattern, zone, side);
    if (read.kind === 'rrule')
      read.recurrence.startsBetween(RULE_CHECKED_AT, RULE_CHECKED_AT + CALENDAR_LIMITS.lookAheadMs);
    return undefined;
  } catch (error) {
    if (error instanceof RecurrenceError) return error.message;
    // The package counts its own steps and throws when they are used up.
    return 'the rule is too costly to expand';
  }
}

/** 2050-01-01: a rule that can still be expanded then will be, for as long as anybody uses it. */
const RULE_CHECKED_AT = Date.UTC(2050, 0, 1);

interface ReadCalendar {
  readonly zone: string;
  readonly open: readonly ReadPattern[];
  readonly closed: readonly ReadPattern[];
}

interface Known {
  readonly read: ReadCalendar | undefined;
  /** The state that holds from one instant to another. */
  readonly answer: Interval & { readonly state: WindowState };
}

function readCalendar({ zone, open, closed }: CalendarSpec): ReadCalendar | undefined {
  if (!isZone(zone)) return undefined;
  try {
    return {
      zone,
      open: open.map((pattern) => readPattern(pattern, zone, 'open')),
      closed: closed.map((pattern) => readPattern(pattern, zone, 'closed')),
    };
  } catch {
    // `checkCalendar` told why at load; here what cannot be read is closed.
    return undefined;
  }
}

/** Near first: most answers lie within days, and a longer look costs more. */
const LOOKS_MS: readonly number[] = [8 * 86_400_000, 64 * 86_400_000, CALENDAR_LIMITS.lookAheadMs];

/** Answers that say "not within the look-ahead" hold this long, then it is looked again. */
const UNFORESEEN_MS = 86_400_000;

function answerAt(read: ReadCalendar | undefined, instant: Instant): Known {
  const closed: Known = {
    read,
    answer: { from: instant, until: instant + 1, state: { open: false } },
  };
  if (read === undefined) return closed;
  try {
    for (const look of LOOKS_MS) {
      const answer = lookFrom(read, instant, look);
      if (answer !== undefined) return { read, answer };
    }
  } catch {
    // A rule too costly to expand, which `checkCalendar` refuses at load. Closed is the safe answer,
    // and it is asked again at the next instant.
  }
  return closed;
}

function lookFrom(
  read: ReadCalendar,
  instant: Instant,
  lookMs: number,
): Known['answer'] | undefined {
  const end = instant + lookMs;
  const last = lookMs === CALENDAR_LIMITS.lookAheadMs;
  const windows = windowsBetween(read, instant, end);
  const current = windows.find(({ from, until }) => from <= instant && instant < until);
  const next = windows.find(({ from }) => from > instant && from < end);
  const closesAt = current !== undefined && current.until < end ? current.until : undefined;
  const change = current === undefined ? next?.from : closesAt;
  if ((change === undefined || next === undefined) && !last) return undefined;
  return {
    // Before this instant nothing was looked at: freezes that ended then are not in `windows`.
    from: instant,
    until: Math.min(change ?? end, next === undefined ? instant + UNFORESEEN_MS : end),
    state: Object.freeze({
      open: current !== undefined,
      ...(next === undefined ? {} : { opensAt: instantOf(next.from) }),
      ...(closesAt === undefined ? {} : { closesAt: instantOf(closesAt) }),
    }),
  };
}

/** The open windows that touch the stretch. */
function windowsBetween(read: ReadCalendar, from: number, until: number): readonly Interval[] {
  const reach = POLICY_LIMITS.occurrenceMsMax + 3 * 86_400_000;
  const zone = zoneStretch(read.zone, from - reach, until + reach);
  const open = intervalsOf(read.open, zone, { from, until, side: 'open' });
  if (open.length === 0) return [];
  const closed = intervalsOf(read.closed, zone, { from, until, side: 'closed' });
  return merge(subtract(open, closed));
}
