import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { instantOf } from '../../kernel/instant.ts';
import { POLICY_LIMITS } from '../../kernel/policy/limits.ts';
import {
  calendar,
  DAY,
  HOUR,
  MINUTE,
  ms,
  position,
  rrule,
  stateAt,
  weekly,
  windows,
  ZONES,
  type Given,
} from '../../../test/fixtures/facts/calendars.ts';
import { CALENDAR_LIMITS, checkCalendar, createCalendars } from './calendars.ts';

test('a weekly window opens and closes to the minute, its end excluded', () => {
  const spec = calendar({ zone: 'Europe/Berlin', open: [weekly('22:00', '23:30', [3])] });
  const opens = '2026-11-25T21:00Z';
  assert.deepEqual(stateAt(spec, '2026-11-23T08:00Z'), { open: false, opensAt: opens });
  assert.deepEqual(stateAt(spec, ms(opens) - 1), { open: false, opensAt: opens });
  const open = { open: true, opensAt: '2026-12-02T21:00Z', closesAt: '2026-11-25T22:30Z' };
  assert.deepEqual(stateAt(spec, opens), open);
  assert.deepEqual(stateAt(spec, ms('2026-11-25T22:30Z') - 1), open);
  assert.deepEqual(stateAt(spec, '2026-11-25T22:30Z'), {
    open: false,
    opensAt: '2026-12-02T21:00Z',
  });
});

test('a window that crosses midnight belongs to the day it starts on', () => {
  const spec = calendar({ open: [weekly('22:00', '02:00', [5])] });
  assert.deepEqual(windows(spec, '2026-11-23T00:00Z', '2026-12-07T00:00Z'), [
    '2026-11-27T22:00/2026-11-28T02:00',
    '2026-12-04T22:00/2026-12-05T02:00',
  ]);
});

test('a window whose end is its start lasts a whole day', () => {
  const spec = calendar({ open: [weekly('06:00', '06:00', [1])] });
  assert.deepEqual(windows(spec, '2026-11-23T00:00Z', '2026-11-28T00:00Z'), [
    '2026-11-23T06:00/2026-11-24T06:00',
  ]);
});

test('a freeze takes its time out of a window, whichever overlaps which', () => {
  const spec = calendar({
    open: [weekly('08:00', '18:00', [1, 2])],
    closed: [
      { kind: 'span', from: '2026-11-23T10:00', until: '2026-11-23T11:00' },
      { kind: 'span', from: '2026-11-23T17:30', until: '2026-11-24T08:15' },
    ],
  });
  assert.deepEqual(windows(spec, '2026-11-23T00:00Z', '2026-11-25T00:00Z'), [
    '2026-11-23T08:00/2026-11-23T10:00',
    '2026-11-23T11:00/2026-11-23T17:30',
    '2026-11-24T08:15/2026-11-24T18:00',
  ]);
});

test('a clock that steps back into a freeze finds it closed', () => {
  const spec = calendar({
    open: [weekly('00:00', '24:00')],
    closed: [{ kind: 'span', from: '2026-11-23T10:00', until: '2026-11-23T11:00' }],
  });
  const calendars = createCalendars();
  assert.equal(calendars.at(spec, instantOf(ms('2026-11-23T11:00Z'))).open, true);
  assert.equal(calendars.at(spec, instantOf(ms('2026-11-23T10:59:59.999Z'))).open, false);
});

test('a freeze that never ends within the look-ahead leaves no opening to wait for', () => {
  const spec = calendar({
    open: [weekly('00:00', '24:00')],
    closed: [{ kind: 'span', from: '2026-01-01T00:00', until: '2030-01-01T00:00' }],
  });
  assert.deepEqual(stateAt(spec, '2026-11-23T10:00Z'), { open: false });
});

test('a span opens once and never again', () => {
  const spec = calendar({
    zone: 'Asia/Tokyo',
    open: [{ kind: 'span', from: '2026-12-20T00:00', until: '2026-12-20T06:00' }],
  });
  assert.deepEqual(stateAt(spec, '2026-12-01T00:00Z'), {
    open: false,
    opensAt: '2026-12-19T15:00Z',
  });
  assert.deepEqual(stateAt(spec, '2026-12-19T15:00Z'), {
    open: true,
    closesAt: '2026-12-19T21:00Z',
  });
  assert.deepEqual(stateAt(spec, '2026-12-19T21:00Z'), { open: false });
});

test('an opening is foreseen within the look-ahead and not beyond it', () => {
  const spec = calendar({
    open: [{ kind: 'span', from: '2028-01-01T00:00', until: '2028-01-02T00:00' }],
  });
  const opens = ms('2028-01-01T00:00Z');
  assert.deepEqual(stateAt(spec, opens - CALENDAR_LIMITS.lookAheadMs), { open: false });
  assert.deepEqual(stateAt(spec, opens - CALENDAR_LIMITS.lookAheadMs + 1), {
    open: false,
    opensAt: '2028-01-01T00:00Z',
  });
});

test('a window that is always open has no end, also where midnight comes twice', () => {
  const spec = calendar({ zone: 'America/Havana', open: [weekly('00:00', '24:00')] });
  assert.deepEqual(stateAt(spec, '2026-10-31T12:00Z'), { open: true });
});

test('a rule gives the second Saturday of each month', () => {
  const spec = calendar({
    zone: 'America/New_York',
    open: [rrule('2026-01-01T22:00', 'FREQ=MONTHLY;BYDAY=2SA', 4 * HOUR)],
  });
  assert.deepEqual(windows(spec, '2026-11-01T00:00Z', '2027-02-28T00:00Z'), [
    '2026-11-15T03:00/2026-11-15T07:00',
    '2026-12-13T03:00/2026-12-13T07:00',
    '2027-01-10T03:00/2027-01-10T07:00',
    '2027-02-14T03:00/2027-02-14T07:00',
  ]);
});

test('an occurrence that began long before is still seen', () => {
  const spec = calendar({ open: [rrule('2026-01-01T00:00', 'FREQ=YEARLY', 31 * DAY)] });
  assert.equal(stateAt(spec, '2027-01-31T23:00Z')['closesAt'], '2027-02-01T00:00Z');
});

test('COUNT and UNTIL end a rule, UNTIL in UTC by the clock of the zone', () => {
  const zone = 'Europe/Berlin';
  const given = (rule: string): readonly string[] =>
    windows(
      calendar({ zone, open: [rrule('2026-11-23T00:30', rule, HOUR)] }),
      '2026-11-20T00:00Z',
      '2026-12-20T00:00Z',
    ).map((text) => text.slice(8, 10));
  assert.deepEqual(given('FREQ=DAILY;COUNT=2'), ['22', '23']);
  assert.deepEqual(given('RRULE:FREQ=DAILY;COUNT=2;'), ['22', '23']);
  assert.deepEqual(given('FREQ=DAILY;UNTIL=20261124T233000Z'), ['22', '23', '24']);
  assert.deepEqual(given('FREQ=DAILY;UNTIL=20261124T232959Z'), ['22', '23']);
  assert.deepEqual(given('FREQ=DAILY;UNTIL=20261124T003000'), ['22', '23']);
  assert.deepEqual(given('FREQ=DAILY;UNTIL=20261124'), ['22', '23']);
});

// ------------------------------------------------------------------ laws

const minutes = fc.integer({ min: 0, max: 1440 });
const days = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
const weeklyPatterns = fc.record({
  kind: fc.constant('weekly' as const),
  days,
  startMinute: minutes,
  endMinute: minutes,
});
const rrulePatterns = fc.record({
  kind: fc.constant('rrule' as const),
  start: fc.constantFrom('2025-03-01T02:30', '2024-02-29T23:00', '2026-01-10T00:00'),
  rule: fc.constantFrom(
    'FREQ=DAILY;INTERVAL=3',
    'FREQ=MONTHLY;BYDAY=2SA',
    'FREQ=WEEKLY;BYDAY=SU;BYHOUR=1,2,3',
    'FREQ=YEARLY;BYMONTH=3,11;BYDAY=1SU,2SU',
  ),
  durationMs: fc.integer({ min: MINUTE, max: 3 * DAY }),
});
const patterns = fc.array(fc.oneof(weeklyPatterns, rrulePatterns), { maxLength: 3 });
const specs = fc.record({
  name: fc.constant('maintenance'),
  zone: fc.constantFrom('UTC', 'America/Havana', 'Pacific/Chatham', ...ZONES),
  open: fc.array(fc.oneof(weeklyPatterns, rrulePatterns), { minLength: 1, maxLength: 3 }),
  closed: patterns,
  position: fc.constant(position),
});
const instants = fc
  .integer({ min: ms('2024-01-01T00:00Z'), max: ms('2031-01-01T00:00Z') })
  .map((value) => instantOf(value));

test('where a window opens it is open, and a millisecond before it is not; where it closes likewise', () => {
  fc.assert(
    fc.property(specs, instants, (spec, instant) => {
      const calendars = createCalendars();
      const { open, opensAt, closesAt } = calendars.at(spec, instant);
      const openAt = (at: number): boolean => createCalendars().at(spec, instantOf(at)).open;
      if (opensAt !== undefined) {
        assert.ok(opensAt > instant);
        assert.equal(openAt(opensAt), true);
        assert.equal(openAt(opensAt - 1), false);
      }
      if (closesAt !== undefined) {
        assert.equal(open, true);
        assert.ok(closesAt > instant);
        assert.equal(openAt(closesAt), false);
        assert.equal(openAt(closesAt - 1), true);
        if (opensAt !== undefined) assert.ok(opensAt > closesAt);
      }
    }),
    { numRuns: 150 },
  );
});

test('an answer that is kept equals one that is worked out anew', () => {
  fc.assert(
    fc.property(
      specs,
      instants,
      fc.array(fc.integer({ min: -3 * DAY, max: 3 * DAY }), { maxLength: 6 }),
      (spec, instant, steps) => {
        const calendars = createCalendars();
        let at: number = instant;
        for (const step of steps) {
          at += step;
          const fresh = createCalendars().at(spec, instantOf(at));
          assert.equal(calendars.at(spec, instantOf(at)).open, fresh.open);
          assert.equal(calendars.at(spec, instantOf(at)).closesAt, fresh.closesAt);
          assert.equal(calendars.at(spec, instantOf(at)).opensAt, fresh.opensAt);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('another freeze never opens a calendar', () => {
  fc.assert(
    fc.property(specs, weeklyPatterns, instants, (spec, freeze, instant) => {
      const more = { ...spec, closed: [...spec.closed, freeze] };
      const calendars = createCalendars();
      assert.ok(calendars.at(spec, instant).open || !calendars.at(more, instant).open);
    }),
    { numRuns: 100 },
  );
});

test('repeated answers within one interval take less than a microsecond', () => {
  const spec = calendar({ zone: 'Europe/Berlin', open: [weekly('08:00', '18:00')] });
  const calendars = createCalendars();
  const from = ms('2026-11-23T09:00Z');
  const fastest = Math.min(
    ...[1, 2, 3, 4, 5].map(() => {
      const start = performance.now();
      for (let count = 0; count < 200_000; count += 1) calendars.at(spec, instantOf(from + count));
      return (performance.now() - start) / 200_000;
    }),
  );
  assert.ok(fastest < 0.001, `${fastest * 1000} µs`);
});

// ------------------------------------------------------------------ what is refused

const BAD: readonly (readonly [what: string, given: Given, code: string, message: RegExp])[] = [
  [
    'an unknown zone',
    { zone: 'Europe/Berlín', open: [weekly('08:00', '09:00')] },
    'unknown_zone',
    /not known/u,
  ],
  [
    'a fixed offset',
    { zone: '+02:00', open: [weekly('08:00', '09:00')] },
    'unknown_zone',
    /not known/u,
  ],
  ['no open pattern', { open: [] }, 'calendar_never_open', /no `open`/u],
  ['no days', { open: [weekly('08:00', '09:00', [])] }, 'bad_recurrence', /days/u],
  [
    'a span backwards',
    { open: [{ kind: 'span', from: '2026-12-21T00:00', until: '2026-12-20T00:00' }] },
    'bad_recurrence',
    /ends before/u,
  ],
  [
    'a day that does not exist',
    { open: [{ kind: 'span', from: '2026-02-29T00:00', until: '2026-12-20T00:00' }] },
    'bad_recurrence',
    /`2026-02-29/u,
  ],
  [
    'an hourly rule',
    { open: [rrule('2026-01-01T00:00', 'FREQ=HOURLY', HOUR)] },
    'bad_recurrence',
    /FREQ=HOURLY/u,
  ],
  [
    'an hour out of range',
    { open: [rrule('2026-01-01T00:00', 'FREQ=DAILY;BYHOUR=24', HOUR)] },
    'bad_recurrence',
    /BYHOUR=24/u,
  ],
  [
    'a month out of range',
    { open: [rrule('2026-01-01T00:00', 'FREQ=YEARLY;BYMONTH=13', HOUR)] },
    'bad_recurrence',
    /BYMONTH=13/u,
  ],
  [
    'an unknown part',
    { open: [rrule('2026-01-01T00:00', 'FREQ=DAILY;BYEASTER=1', HOUR)] },
    'bad_recurrence',
    /BYEASTER/u,
  ],
  [
    'a part given twice',
    { open: [rrule('2026-01-01T00:00', 'FREQ=DAILY;FREQ=WEEKLY', HOUR)] },
    'bad_recurrence',
    /twice/u,
  ],
  [
    'an ordinal day in a daily rule',
    { open: [rrule('2026-01-01T00:00', 'FREQ=DAILY;BYDAY=2SA', HOUR)] },
    'bad_recurrence',
    /BYDAY/u,
  ],
  [
    'lines beside the rule',
    { open: [rrule('2026-01-01T00:00', 'FREQ=DAILY\nEXDATE:20260101', HOUR)] },
    'bad_recurrence',
    /`/u,
  ],
  [
    'an occurrence without length',
    { open: [rrule('2026-01-01T00:00', 'FREQ=DAILY', 0)] },
    'bad_recurrence',
    /duration/u,
  ],
  [
    'an occurrence that is too long',
    { open: [rrule('2026-01-01T00:00', 'FREQ=DAILY', 31 * DAY + 1)] },
    'bad_recurrence',
    /31 days/u,
  ],
  [
    'a freeze that is counted',
    {
      open: [weekly('08:00', '09:00')],
      closed: [rrule('2026-01-01T00:00', 'FREQ=DAILY;COUNT=3', HOUR)],
    },
    'bad_recurrence',
    /COUNT/u,
  ],
  [
    'a rule that is too costly',
    {
      open: [
        rrule(
          '2026-01-01T00:00',
          `FREQ=DAILY;BYHOUR=${[...Array(24).keys()].join(',')};BYMINUTE=${[...Array(60).keys()].join(',')}`,
          MINUTE,
        ),
      ],
    },
    'bad_recurrence',
    /too costly/u,
  ],
];

for (const [what, given, code, message] of BAD) {
  test(`${what} is a problem at load, and closed where it is used all the same`, () => {
    const spec = calendar(given);
    const problems = checkCalendar(spec);
    assert.deepEqual(
      problems.map((problem) => problem.code),
      [code],
    );
    assert.match(problems[0]?.message ?? '', message);
    assert.deepEqual(problems[0]?.position, position);
    assert.deepEqual(createCalendars().at(spec, instantOf(ms('2026-11-23T08:30Z'))), {
      open: false,
    });
  });
}

test('patterns are allowed up to their limit and refused one past it', () => {
  const open = Array.from({ length: POLICY_LIMITS.patternsMax }, () => weekly('08:00', '09:00'));
  assert.deepEqual(checkCalendar(calendar({ open })), []);
  const [problem] = checkCalendar(calendar({ open, closed: [weekly('01:00', '02:00')] }));
  assert.equal(problem?.code, 'too_many_patterns');
});
