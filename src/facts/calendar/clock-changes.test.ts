import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Temporal } from 'temporal-polyfill';
import {
  calendar,
  HOUR,
  MINUTE,
  rrule,
  span,
  weekly,
  windows,
  ZONES,
} from '../../../test/fixtures/facts/calendars.ts';
import {
  type ClockTable,
  clockTable,
  oracleOpen,
} from '../../../test/fixtures/facts/clock-table.ts';
import { instantOf } from '../../kernel/instant.ts';
import type { CalendarPattern } from '../../kernel/policy.ts';
import { createCalendars } from './calendars.ts';

interface Trap {
  readonly id: string;
  readonly tz?: string;
  readonly trap: string;
}

test('every trap of the vectors has a test here', () => {
  const url = new URL('../../../test/vectors/traps/dst-traps.json', import.meta.url);
  const { cases }: { readonly cases: readonly Trap[] } = JSON.parse(readFileSync(url, 'utf8'));
  assert.deepEqual(
    cases.map(({ id }) => id),
    ['gap-daily-0230-NY', 'overlap-0130-NY', 'window-length'],
  );
});

test('gap-daily-0230-NY: a window whose start is skipped does not open, a freeze does not disappear', () => {
  const zone = 'America/New_York';
  const daily = rrule('2026-03-01T02:30', 'FREQ=DAILY', HOUR);
  assert.deepEqual(
    windows(calendar({ zone, open: [daily] }), '2026-03-07T00:00Z', '2026-03-10T00:00Z'),
    ['2026-03-07T07:30/2026-03-07T08:30', '2026-03-09T06:30/2026-03-09T07:30'],
  );
  const frozen = calendar({ zone, open: [weekly('00:00', '24:00')], closed: [daily] });
  // From the reading before the change (01:30 EST) to the latest end (04:30 EDT).
  assert.deepEqual(windows(frozen, '2026-03-08T00:00Z', '2026-03-09T00:00Z'), [
    '2026-03-08T00:00/2026-03-08T06:30',
    '2026-03-08T08:30/2026-03-09T06:30',
  ]);
});

test('overlap-0130-NY: a window takes the later start and the earlier end, a freeze the other ones', () => {
  const zone = 'America/New_York';
  const [earlier, later] = ['2026-11-01T05:30', '2026-11-01T06:30'];
  const day = ['2026-11-01T04:00Z', '2026-11-02T04:00Z'] as const;
  const open = (pattern: CalendarPattern): readonly string[] =>
    windows(calendar({ zone, open: [pattern] }), ...day);
  assert.deepEqual(open(span('01:30', '03:00')), [`${later}/2026-11-01T08:00`]);
  assert.deepEqual(open(span('00:30', '01:30')), [`2026-11-01T04:30/${earlier}`]);
  assert.deepEqual(open(span('01:10', '01:50')), []);
  const frozen = (pattern: CalendarPattern): readonly string[] =>
    windows(
      calendar({
        zone,
        open: [{ kind: 'span', from: '2026-11-01T00:00', until: '2026-11-01T06:00' }],
        closed: [pattern],
      }),
      ...day,
    );
  assert.deepEqual(frozen(span('01:30', '03:00')), [
    `2026-11-01T04:00/${earlier}`,
    '2026-11-01T08:00/2026-11-01T11:00',
  ]);
  assert.deepEqual(frozen(span('00:00', '01:30')), [`${later}/2026-11-01T11:00`]);
});

test('window-length: a duration across a clock change counts only as far as both readings reach', () => {
  const zone = 'America/New_York';
  const night = rrule('2026-03-07T23:00', 'FREQ=YEARLY', 4 * HOUR);
  const stretch = ['2026-03-08T00:00Z', '2026-03-08T12:00Z'] as const;
  // 03:00 EDT by the clock, 04:00 EDT by exact time.
  assert.deepEqual(windows(calendar({ zone, open: [night] }), ...stretch), [
    '2026-03-08T04:00/2026-03-08T07:00',
  ]);
  const frozen = calendar({ zone, open: [weekly('00:00', '24:00')], closed: [night] });
  assert.deepEqual(windows(frozen, ...stretch)[1]?.slice(0, 16), '2026-03-08T08:00');
});

/** Windows around every hour that clock changes touch, beside one that spans them. */
const DST_WINDOWS: readonly CalendarPattern[] = [
  weekly('00:00', '00:30'),
  weekly('00:30', '01:15'),
  weekly('01:10', '01:50'),
  weekly('01:30', '02:30'),
  weekly('02:00', '03:00'),
  weekly('02:15', '02:45'),
  weekly('02:30', '04:00'),
  weekly('23:30', '01:30'),
  weekly('23:00', '23:59'),
];

for (const zone of ZONES) {
  test(`both clock changes of ${zone}, 2024 to 2030, agree with a clock read minute by minute`, () => {
    let changes = 0;
    for (const table of changesOf(zone)) {
      changes += 1;
      for (const pattern of DST_WINDOWS) compareAround(table, pattern);
    }
    // Morocco's last change is in September 2026.
    assert.ok(changes >= 7, `${changes} changes`);
  });
}

function* changesOf(zone: string): Generator<ClockTable> {
  let at = Temporal.Instant.from('2024-01-01T00:00Z').toZonedDateTimeISO(zone);
  for (;;) {
    const next = at.getTimeZoneTransition('next');
    if (next === null || next.year > 2030) return;
    yield clockTable(zone, next.epochMilliseconds);
    at = next;
  }
}

function compareAround(table: ClockTable, pattern: CalendarPattern): void {
  const { zone, changeMs } = table;
  assert.ok(pattern.kind === 'weekly');
  const calendars = createCalendars();
  const opens = calendar({ zone, open: [pattern] });
  const freezes = calendar({ zone, open: [weekly('00:00', '24:00')], closed: [pattern] });
  for (let at = changeMs - 4 * HOUR; at < changeMs + 4 * HOUR; at += MINUTE) {
    const where: string = `${zone} ${new Date(at).toISOString()} ${pattern.startMinute}-${pattern.endMinute}`;
    const instant = instantOf(at);
    assert.equal(calendars.at(opens, instant).open, oracleOpen(table, pattern, at, 'every'), where);
    assert.equal(
      calendars.at(freezes, instant).open,
      !oracleOpen(table, pattern, at, 'any'),
      where,
    );
  }
}
