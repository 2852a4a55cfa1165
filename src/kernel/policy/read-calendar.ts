/** Reads the calendars of a policy: how windows are written, not yet when they are open. */
import { didYouMean } from '../did-you-mean.ts';
import type { DocumentNode, MappingEntry } from '../document.ts';
import type { CalendarPattern } from '../policy.ts';
import { POLICY_LIMITS } from './limits.ts';
import type { PolicyReading } from './reading.ts';

/** Adds the calendars of one document. */
export function readCalendars(reading: PolicyReading, node: DocumentNode): void {
  for (const entry of reading.reader.entries(node, 'calendars') ?? []) readCalendar(reading, entry);
}

function readCalendar(reading: PolicyReading, { key, keyPosition, value }: MappingEntry): void {
  const { reader, calendars } = reading;
  if (!reader.isName(key, keyPosition, 'calendar')) return;
  if (calendars.has(key)) {
    const message = `the calendar \`${key}\` is declared twice`;
    reader.error({ code: 'duplicate_name', position: keyPosition, message });
  }
  const members = reader.mapping(value, {
    what: `calendar \`${key}\``,
    required: ['zone', 'open'],
    optional: ['closed'],
  });
  const zoneNode = members?.get('zone');
  const zone = zoneNode === undefined ? undefined : reader.text(zoneNode, 'zone');
  if (zone !== undefined && zoneNode !== undefined && !isZone(zone)) {
    const message = `\`${zone}\` is not a time zone`;
    const hint = didYouMean(zone, Intl.supportedValuesOf('timeZone')) ?? 'such as `Europe/Berlin`';
    reader.error({ code: 'bad_zone', position: zoneNode.position, message, hint });
  }
  const open = itemsOf(reading, members?.get('open'), 'open');
  const closed = itemsOf(reading, members?.get('closed'), 'closed');
  const count = open.length + closed.length;
  const excess = [...open, ...closed][POLICY_LIMITS.patternsMax];
  if (excess !== undefined) {
    const message = `calendar \`${key}\` has ${String(count)} patterns, at most ${String(POLICY_LIMITS.patternsMax)} are allowed`;
    reader.error({ code: 'out_of_range', position: excess.position, message });
  }
  const patternsOf = (items: readonly DocumentNode[]): readonly CalendarPattern[] =>
    excess === undefined ? items.flatMap((item) => readPattern(reading, item) ?? []) : [];
  calendars.set(key, {
    name: key,
    zone: zone ?? 'UTC',
    open: patternsOf(open),
    closed: patternsOf(closed),
    position: keyPosition,
  });
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    // The constructor says in no other way that it does not know a zone.
    return false;
  }
}

function itemsOf(
  { reader }: PolicyReading,
  node: DocumentNode | undefined,
  what: string,
): readonly DocumentNode[] {
  return node === undefined ? [] : (reader.list(node, what) ?? []);
}

const PATTERN_KEYS = ['weekly', 'rrule', 'from'] as const;

function readPattern(reading: PolicyReading, node: DocumentNode): CalendarPattern | undefined {
  const { reader } = reading;
  const entries = reader.entries(node, 'pattern');
  if (entries === undefined) return undefined;
  const kind = PATTERN_KEYS.find((key) => entries.some((entry) => entry.key === key));
  switch (kind) {
    case 'weekly':
      return readWeekly(reading, node);
    case 'rrule':
      return readRule(reading, node);
    case 'from':
      return readSpan(reading, node);
    case undefined:
      return reader.error({
        code: 'bad_pattern',
        position: node.position,
        message: 'a pattern has `weekly`, `rrule` or `from`',
        hint: 'weekly: "Mon-Fri 22:00-02:00"',
      });
    default:
      return kind satisfies never;
  }
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const WEEKLY = /^([A-Za-z,-]+) +(\d{2}:\d{2}) *- *(\d{2}:\d{2})$/u;

function readWeekly(reading: PolicyReading, node: DocumentNode): CalendarPattern | undefined {
  const { reader } = reading;
  const value = reader.mapping(node, { what: 'pattern', required: ['weekly'] })?.get('weekly');
  const text = value === undefined ? undefined : reader.string(value, 'weekly');
  if (text === undefined || value === undefined) return undefined;
  const [, dayText = '', startText = '', endText = ''] = WEEKLY.exec(text) ?? [];
  const days = daysOf(dayText);
  const startMinute = minuteOf(startText);
  const endMinute = endText === '24:00' ? 0 : minuteOf(endText);
  if (days !== undefined && startMinute !== undefined && endMinute !== undefined) {
    return { kind: 'weekly', days, startMinute, endMinute };
  }
  return reader.error({
    code: 'bad_pattern',
    position: value.position,
    message: `\`${text}\` is not a weekly pattern`,
    hint: 'such as "Mon-Fri 22:00-02:00" or "Sat,Sun 00:00-24:00"',
  });
}

/** ISO weekdays of `Mon-Fri`, `Sat,Sun`, `daily`; a range may go over the end of the week. */
function daysOf(text: string): readonly number[] | undefined {
  if (text.toLowerCase() === 'daily') return [1, 2, 3, 4, 5, 6, 7];
  const days = new Set<number>();
  for (const part of text.toLowerCase().split(',')) {
    const ends = part.split('-').map((name) => DAYS.indexOf(name));
    const [first = -1, last = first] = ends;
    if (ends.length > 2 || first < 0 || last < 0) return undefined;
    const length = ((last - first + 7) % 7) + 1;
    for (let step = 0; step < length; step += 1) days.add(((first + step) % 7) + 1);
  }
  return [...days].sort((left, right) => left - right);
}

function minuteOf(text: string): number | undefined {
  const [hour = NaN, minute = NaN] = text.split(':').map(Number);
  return hour <= 23 && minute <= 59 ? hour * 60 + minute : undefined;
}

function readRule(reading: PolicyReading, node: DocumentNode): CalendarPattern | undefined {
  const { reader } = reading;
  const members = reader.mapping(node, {
    what: 'pattern',
    required: ['rrule', 'start', 'duration'],
  });
  const [ruleNode, startNode, durationNode] = [
    members?.get('rrule'),
    members?.get('start'),
    members?.get('duration'),
  ];
  if (ruleNode === undefined || startNode === undefined || durationNode === undefined)
    return undefined;
  const rule = reader.text(ruleNode, 'rrule');
  const start = readLocal(reading, startNode, 'start');
  const range = { min: 60_000, max: POLICY_LIMITS.occurrenceMsMax };
  const durationMs = reader.duration(durationNode, 'duration', range);
  if (rule === undefined || start === undefined || durationMs === undefined) return undefined;
  if (/^(?:RRULE:)?(?:[A-Z]+=[^;=\s]+;?)+$/u.test(rule) && /(?:^|[:;])FREQ=/u.test(rule)) {
    return { kind: 'rrule', start, rule, durationMs };
  }
  return reader.error({
    code: 'bad_pattern',
    position: ruleNode.position,
    message: `\`${rule}\` is not a recurrence rule`,
    hint: 'such as "FREQ=MONTHLY;BYDAY=1SU"',
  });
}

function readSpan(reading: PolicyReading, node: DocumentNode): CalendarPattern | undefined {
  const { reader } = reading;
  const members = reader.mapping(node, { what: 'pattern', required: ['from', 'until'] });
  const [fromNode, untilNode] = [members?.get('from'), members?.get('until')];
  if (fromNode === undefined || untilNode === undefined) return undefined;
  const from = readLocal(reading, fromNode, 'from');
  const until = readLocal(reading, untilNode, 'until');
  if (from === undefined || until === undefined) return undefined;
  // Local date-times of one spelling sort as text.
  if (from < until) return { kind: 'span', from, until };
  const message = 'the span ends before it begins';
  return reader.error({ code: 'bad_pattern', position: untilNode.position, message });
}

/** A local date-time with minutes, as `2026-12-20T00:00`; a plain date is its first minute. */
function readLocal(reading: PolicyReading, node: DocumentNode, what: string): string | undefined {
  const text = reading.reader.string(node, what);
  if (text === undefined) return undefined;
  const full = /^\d{4}-\d{2}-\d{2}$/u.test(text) ? `${text}T00:00` : text;
  const ms = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/u.test(full) ? Date.parse(`${full}:00Z`) : NaN;
  // A day or hour that does not exist is carried over by the parser, and then reads otherwise.
  if (!Number.isNaN(ms) && new Date(ms).toISOString().startsWith(full)) return full;
  return reading.reader.error({
    code: 'bad_pattern',
    position: node.position,
    message: `${what} \`${text}\` is not a local date and time`,
    hint: 'such as "2026-12-20T00:00"',
  });
}
