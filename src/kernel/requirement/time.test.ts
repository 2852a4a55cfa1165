import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { local, operation } from '../../../test/laws/examples.ts';
import { MET, table, unmet, wording, type Circumstances } from '../../../test/laws/requirements.ts';
import { hours, NOW } from '../../../test/laws/world.ts';
import type { DecisionInput, WindowState } from '../decision.ts';
import { instantOf } from '../instant.ts';

// ---------------------------------------------------------------- windows

const NIGHT = { window: 'night' };
const NIGHT_30 = { window: { calendar: 'night', lastStart: '30m' } };

function night(state: WindowState): Circumstances {
  return { sample: { windows: { night: state } } };
}

const closed = (changes: object): unknown => unmet({ code: 'window_closed', ...changes });
const tooShort = (changes: object): unknown => unmet({ code: 'window_too_short', ...changes });
const NEVER = { status: 'impossible' };
const UNTIL = (at: number): object => ({ at, waitsFor: 'time' });
const MINUTE_MS = 60_000;

describe('a window', () => {
  table([
    [
      'that is not known is not met',
      NIGHT,
      {},
      closed({ status: 'undetermined', waitsFor: 'fact' }),
    ],
    [
      'with the name of what every object has is not known',
      NIGHT,
      {
        change: (input) => ({
          ...input,
          windows: Object.create({ night: { open: true } }) as object as DecisionInput['windows'],
        }),
      },
      closed({ status: 'undetermined', waitsFor: 'fact' }),
    ],
    ['that never closes is met', NIGHT, night({ open: true }), MET],
    [
      'is met until there is no time for the operation any more',
      NIGHT,
      night({ open: true, closesAt: hours(1) }),
      { ...MET, until: hours(1) - MINUTE_MS },
    ],
    [
      'is met until its own last start',
      NIGHT_30,
      night({ open: true, closesAt: hours(1) }),
      { ...MET, until: hours(0.5) },
    ],
    [
      'is met a millisecond before the last start',
      NIGHT,
      night({ open: true, closesAt: instantOf(NOW + MINUTE_MS + 1) }),
      { ...MET, until: NOW + 1 },
    ],
    [
      'is too short at the last start, until it opens again',
      NIGHT,
      night({ open: true, closesAt: instantOf(NOW + MINUTE_MS), opensAt: hours(2) }),
      tooShort(UNTIL(hours(2))),
    ],
    [
      'that is too short and goes on as the next one is looked at when it closes',
      NIGHT,
      night({ open: true, closesAt: instantOf(NOW + MINUTE_MS) }),
      tooShort(UNTIL(NOW + MINUTE_MS)),
    ],
    [
      'that is too short and says to open before it closes is looked at when it closes',
      NIGHT,
      night({ open: true, closesAt: instantOf(NOW + MINUTE_MS), opensAt: NOW }),
      tooShort(UNTIL(NOW + MINUTE_MS)),
    ],
    [
      'that closes at the deadline, too late to start, is never met',
      { window: { calendar: 'night', lastStart: '5h' } },
      night({ open: true, closesAt: hours(4) }),
      tooShort(NEVER),
    ],
    [
      'that closes just before the deadline is looked at then',
      { window: { calendar: 'night', lastStart: '5h' } },
      night({ open: true, closesAt: instantOf(hours(4) - 1) }),
      tooShort(UNTIL(hours(4) - 1)),
    ],
    [
      'that is too short and opens again at the deadline is never met',
      NIGHT,
      night({ open: true, closesAt: instantOf(NOW + 1), opensAt: hours(4) }),
      tooShort(NEVER),
    ],
    [
      'that is too short and opens again just before the deadline is met then',
      NIGHT,
      night({ open: true, closesAt: instantOf(NOW + 1), opensAt: instantOf(hours(4) - 1) }),
      tooShort(UNTIL(hours(4) - 1)),
    ],
    ['that is closed and never opens is never met', NIGHT, night({ open: false }), closed(NEVER)],
    [
      'that opens at the deadline is never met',
      NIGHT,
      night({ open: false, opensAt: hours(4) }),
      closed(NEVER),
    ],
    [
      'that opens just before the deadline is met then',
      NIGHT,
      night({ open: false, opensAt: instantOf(hours(4) - 1) }),
      closed(UNTIL(hours(4) - 1)),
    ],
    [
      'does not hold up a safing operation',
      NIGHT,
      { ...night({ open: false }), change: operation({ safing: true }) },
      MET,
    ],
  ]);

  test('that is closed for good says so, and otherwise when it opens', () => {
    assert.match(wording(NIGHT, night({ open: false })), /never opens again/u);
    assert.match(
      wording(NIGHT, night({ open: false, opensAt: hours(5) })),
      /opens 2027-01-15T13:00/u,
    );
  });
});

// ---------------------------------------------------------------- after

const AFTER = { after: { operation: 'backup', target: 'db', within: '2h', atLeast: '30m' } };
const SOON = { after: { operation: 'backup', target: 'db', within: '2h' } };
const LATE = { after: { operation: 'backup', target: 'db', atLeast: '30m' } };

function backedUp(at: number, key = 'after:db/backup'): Circumstances {
  return { change: local({ after: { [key]: instantOf(at) } }) };
}

const missingAfter = { code: 'after_missing', waitsFor: 'after:db/backup' };

describe('what must have come before', () => {
  table([
    ['is missing where it never succeeded', AFTER, {}, unmet(missingAfter)],
    [
      'is missing where only what every object has is there',
      AFTER,
      {
        change: local({
          after: Object.create({ 'after:db/backup': hours(-1) }) as object as Record<string, never>,
        }),
      },
      unmet(missingAfter),
    ],
    [
      'counts until the end of its period, which still counts',
      AFTER,
      backedUp(hours(-2)),
      { ...MET, until: NOW + 1 },
    ],
    [
      'is too late a millisecond after that',
      AFTER,
      backedUp(hours(-2) - 1),
      unmet({ code: 'after_too_late', waitsFor: 'after:db/backup' }),
    ],
    [
      'counts from the end of its wait on',
      AFTER,
      backedUp(hours(-0.5)),
      { ...MET, until: hours(1.5) + 1 },
    ],
    [
      'is too soon a millisecond before that',
      AFTER,
      backedUp(hours(-0.5) + 1),
      unmet({ code: 'after_too_soon', at: NOW + 1, waitsFor: 'after:db/backup' }),
    ],
    [
      'is too soon for good where the wait ends at the deadline',
      { after: { operation: 'backup', target: 'db', atLeast: '5h' } },
      backedUp(hours(-1)),
      unmet({ code: 'after_too_soon', status: 'impossible' }),
    ],
    [
      'is waited for where the wait ends just before the deadline',
      { after: { operation: 'backup', target: 'db', atLeast: '5h' } },
      backedUp(hours(-1) - 1),
      unmet({ code: 'after_too_soon', at: hours(4) - 1, waitsFor: 'after:db/backup' }),
    ],
    ['counts at once without a wait', SOON, backedUp(NOW), { ...MET, until: hours(2) + 1 }],
    ['counts for ever without a period', LATE, backedUp(hours(-100)), MET],
    [
      'is looked for at the own target where none is named',
      { after: { operation: 'backup' } },
      { sample: { operation: 'purge' }, ...backedUp(hours(-1)) },
      MET,
    ],
  ]);
});
