/** Time as whole milliseconds since 1970 (UTC). `Date` stays at the edge. */
import type { Branded } from './brand.ts';

/** Whole milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = Branded<number, 'Instant'>;

/** The largest instant that RFC 3339 can write: the end of year 9999. */
const INSTANT_MAX = 253_402_300_799_999;

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3})\d{0,6})?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/u;

/** The instant that is `ms` milliseconds after 1970; throws `RangeError` on anything but a whole number in range. */
export function instantOf(ms: number): Instant {
  if (!Number.isSafeInteger(ms) || ms < 0 || ms > INSTANT_MAX) {
    throw new RangeError(`not an instant: ${String(ms)}`);
  }
  return ms as Instant;
}

/** The instant `durationMs` after `instant`, at most the largest one. */
export function addMs(instant: Instant, durationMs: number): Instant {
  return instantOf(Math.min(INSTANT_MAX, Math.max(0, Math.trunc(instant + durationMs))));
}

/** An RFC 3339 date-time with a zone as an instant, or `undefined`. A day that does not exist is refused. */
export function parseInstant(text: string): Instant | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, zoneHour, zoneMinute] =
    match;
  // mutant: an hour 24 belongs to another day, which is refused below.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  // mutant: of no zone there is no number, which is past nothing.
  if (Number(zoneHour ?? 0) > 23 || Number(zoneMinute ?? 0) > 59) return undefined;
  const local = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.padEnd(3, '0')),
  );
  // `Date.UTC` rolls a month 13 and a day 31 over, and takes the years up to 99 for those of 1900.
  const isDay = new Date(local).toISOString().startsWith(`${year}-${month}-${day}T`);
  if (!isDay) return undefined;
  const offsetMinutes = Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0);
  const ms = local - (sign === '-' ? -offsetMinutes : offsetMinutes) * 60_000;
  return ms >= 0 && ms <= INSTANT_MAX ? (ms as Instant) : undefined;
}

/** The instant in RFC 3339, UTC, with milliseconds. */
export function formatInstant(instant: Instant): string {
  return new Date(instant).toISOString();
}

const DURATION = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/u;
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1000, 1];

/** A duration such as `90s`, `1h30m`, `250ms` or `0s` in milliseconds, or `undefined`. A plain `0` is zero. */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  const match = DURATION.exec(text);
  if (match === null || text === '') return undefined;
  let total = 0;
  for (const [index, unit] of UNITS_MS.entries()) total += Number(match[index + 1] ?? 0) * unit;
  return Number.isSafeInteger(total) ? total : undefined;
}

/** A duration in the shortest form that {@link parseDurationMs} reads back, such as `1h30m`. */
export function formatDurationMs(durationMs: number): string {
  let rest = Math.max(0, Math.trunc(durationMs));
  if (rest === 0) return '0s';
  let text = '';
  for (const [index, unit] of UNITS_MS.entries()) {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    // mutant: there are as many units as words for them.
    if (count > 0) text += `${String(count)}${['d', 'h', 'm', 's', 'ms'][index] ?? ''}`;
  }
  return text;
}
