import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDurationMs, parseMoment } from './duration.ts';

test('durations are numbers with units, and nothing else', () => {
  const rows: readonly (readonly [string, number | undefined])[] = [
    ['250ms', 250],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['1m1ms', 60_001],
    ['', undefined],
    ['90', undefined],
    ['-1s', undefined],
    ['1.5h', undefined],
    ['1 h', undefined],
    ['9999999999d', undefined],
  ];
  for (const [text, ms] of rows) assert.equal(parseDurationMs(text), ms, text);
});

test('a moment is a duration from now or an instant with its zone', () => {
  const nowMs = Date.UTC(2026, 10, 22, 3, 0);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['1h', '2026-11-22T04:00:00.000Z'],
    ['2026-11-22T04:12:00Z', '2026-11-22T04:12:00.000Z'],
    ['2026-11-22T05:12+01:00', '2026-11-22T04:12:00.000Z'],
    ['2026-11-22T04:12:00', undefined],
    ['2026-13-40T04:12:00Z', undefined],
    ['tomorrow', undefined],
  ];
  for (const [text, instant] of rows) assert.equal(parseMoment(text, nowMs), instant, text);
});
