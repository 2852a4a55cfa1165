import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  addMs,
  formatDurationMs,
  formatInstant,
  instantOf,
  parseDurationMs,
  parseInstant,
} from './instant.ts';

const LAST = Date.UTC(10_000, 0, 1) - 1;

describe('an instant', () => {
  test('is a whole number of milliseconds from 1970 to the end of year 9999', () => {
    for (const ms of [0, 1, LAST]) assert.equal(instantOf(ms), ms);
    for (const ms of [-1, LAST + 1, 1.5, Number.NaN, Infinity]) {
      assert.throws(() => instantOf(ms), RangeError);
    }
  });

  test('moves by a duration, and stays within its range', () => {
    assert.equal(addMs(instantOf(5), 7), 12);
    assert.equal(addMs(instantOf(5), -7), 0);
    assert.equal(addMs(instantOf(5), 0.9), 5);
    assert.equal(addMs(instantOf(5), -5), 0);
    assert.equal(addMs(instantOf(LAST - 1), 5), LAST);
  });

  const read: readonly (readonly [string, number])[] = [
    ['1970-01-01T00:00:00Z', 0],
    ['9999-12-31T23:59:59.999Z', LAST],
    ['2026-11-22T04:12:00Z', Date.UTC(2026, 10, 22, 4, 12)],
    ['2026-11-22t23:59:59z', Date.UTC(2026, 10, 22, 23, 59, 59)],
    ['2026-11-22T04:12:00.5Z', Date.UTC(2026, 10, 22, 4, 12, 0, 500)],
    ['2026-11-22T04:12:00.123456789Z', Date.UTC(2026, 10, 22, 4, 12, 0, 123)],
    ['2026-11-22T04:12:00+01:30', Date.UTC(2026, 10, 22, 2, 42)],
    ['2026-11-22T04:12:00-01:30', Date.UTC(2026, 10, 22, 5, 42)],
    ['2026-11-22T04:12:00+23:59', Date.UTC(2026, 10, 21, 4, 13)],
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
  ];
  for (const [text, ms] of read) {
    test(`is ${String(ms)} for ${text}`, () => {
      assert.equal(parseInstant(text), ms);
    });
  }

  for (const text of [
    'x2026-11-22T04:12:00Z',
    '2026-11-22T04:12:00Zx',
    '2026-11-22T04:12:00',
    '2026-11-22T24:00:00Z',
    '2026-11-22T04:60:00Z',
    '2026-11-22T04:12:60Z',
    '2026-11-22T04:12:00+24:00',
    '2026-11-22T04:12:00+01:60',
    '2026-02-29T04:12:00Z',
    '2026-04-31T04:12:00Z',
    '2026-13-22T04:12:00Z',
    '2026-00-22T04:12:00Z',
    '2026-11-00T04:12:00Z',
    '0099-11-22T04:12:00Z',
    '2026-11-22T04:12:00.Z',
    '2026-11-22T04:12:00.1234567890Z',
    '1969-12-31T23:59:59.999Z',
    '1970-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59.999-00:01',
  ]) {
    test(`is not ${text}`, () => {
      assert.equal(parseInstant(text), undefined);
    });
  }

  test('is written in UTC with milliseconds', () => {
    assert.equal(formatInstant(instantOf(1)), '1970-01-01T00:00:00.001Z');
  });
});

describe('a duration', () => {
  const both: readonly (readonly [string, number])[] = [
    ['0s', 0],
    ['1ms', 1],
    ['1s', 1000],
    ['1m', 60_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['1d2h3m4s5ms', 93_784_005],
  ];
  for (const [text, ms] of both) {
    test(`of ${text} is ${String(ms)} ms, and is written so`, () => {
      assert.equal(parseDurationMs(text), ms);
      assert.equal(formatDurationMs(ms), text);
    });
  }

  test('is read in any sizes, largest unit first, and a plain 0 is zero', () => {
    assert.equal(parseDurationMs('0'), 0);
    assert.equal(parseDurationMs('90m'), 5_400_000);
    for (const text of ['', '1', 'x1s', '1sx', '1s1m', '1.5h', '-1s', '1 s', '104249992d']) {
      assert.equal(parseDurationMs(text), undefined, text);
    }
  });

  test('is never written with a sign or a part of a millisecond', () => {
    assert.equal(formatDurationMs(-5), '0s');
    assert.equal(formatDurationMs(0.9), '0s');
    assert.equal(formatDurationMs(1.9), '1ms');
  });
});
