/**
 * A time zone as a short list of offsets: from local time to the instants it can mean, and back, in
 * whole milliseconds. Local times are milliseconds as if the zone were UTC, so that every day has 24 h.
 */
import { Temporal } from 'temporal-polyfill';

/** A local date and time, in milliseconds as if the zone were UTC. */
export type LocalMs = number;

/** The earliest and the latest instant that a local time can mean; equal where it is not ambiguous. */
interface Readings {
  readonly earliest: number;
  readonly latest: number;
  /** Whether a clock change skips this local time: it never shows on a clock. */
  readonly skipped: boolean;
}

/** A zone over a stretch of time. */
export interface ZoneStretch {
  /** What a clock in the zone shows at an instant of the stretch. */
  localAt(instantMs: number): LocalMs;
  /**
   * The instants a local time can mean. A repeated time means two. A skipped one is read with the
   * offset before and with the offset after the change, which gives one instant on each side of it.
   */
  readings(local: LocalMs): Readings;
}

/** Clocks are never further from UTC than this. */
export const OFFSET_MS_MAX = 86_400_000;

/** Whether the name is one of a zone that this machine knows, such as `Europe/Berlin` or `UTC`. */
export function isZone(name: string): boolean {
  // Fixed offsets such as `+02:00` know no clock changes and are never what a calendar means.
  if (!/^[A-Za-z]/u.test(name)) return false;
  try {
    return new Temporal.ZonedDateTime(0n, name).timeZoneId !== '';
  } catch {
    return false;
  }
}

/** The zone from one instant to another, and a day beyond both ends. Throws `RangeError` for an unknown zone. */
export function zoneStretch(zone: string, fromMs: number, untilMs: number): ZoneStretch {
  const segments = segmentsOf(zone, fromMs - OFFSET_MS_MAX * 2, untilMs + OFFSET_MS_MAX * 2);
  return {
    localAt: (instantMs) => instantMs + offsetAt(segments, instantMs),
    readings: (local) => readingsOf(segments, local),
  };
}

/** A stretch of one offset: from `startsAt` until the next segment. */
interface Segment {
  readonly startsAt: number;
  readonly offsetMs: number;
}

function segmentsOf(zone: string, fromMs: number, untilMs: number): readonly Segment[] {
  const first = Temporal.Instant.fromEpochMilliseconds(fromMs).toZonedDateTimeISO(zone);
  const segments: Segment[] = [
    { startsAt: Number.NEGATIVE_INFINITY, offsetMs: first.offsetNanoseconds / 1_000_000 },
  ];
  let change = first.getTimeZoneTransition('next');
  while (change !== null && change.epochMilliseconds <= untilMs) {
    segments.push({
      startsAt: change.epochMilliseconds,
      offsetMs: change.offsetNanoseconds / 1_000_000,
    });
    change = change.getTimeZoneTransition('next');
  }
  return segments;
}

function offsetAt(segments: readonly Segment[], instantMs: number): number {
  return segments.findLast(({ startsAt }) => startsAt <= instantMs)?.offsetMs ?? 0;
}

function readingsOf(segments: readonly Segment[], local: LocalMs): Readings {
  const shown: number[] = [];
  for (const [index, { startsAt, offsetMs }] of segments.entries()) {
    const endsAt = segments[index + 1]?.startsAt ?? Number.POSITIVE_INFINITY;
    const instant = local - offsetMs;
    if (instant >= startsAt && instant < endsAt) shown.push(instant);
  }
  if (shown.length > 0) {
    return { earliest: Math.min(...shown), latest: Math.max(...shown), skipped: false };
  }
  // In a gap: no segment shows it, so it lies after one segment's end and before the next one's start.
  for (const [index, { startsAt, offsetMs }] of segments.entries()) {
    const before = segments[index - 1]?.offsetMs;
    if (before !== undefined && local - before >= startsAt && local - offsetMs < startsAt) {
      return { earliest: local - offsetMs, latest: local - before, skipped: true };
    }
  }
  throw new RangeError(`no reading of local time ${local}`);
}
