/** The harness finds what it is there to find: each planted flaw is noticed by the row named beside it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canCutImage } from './disk.ts';
import { jsonLine, tableLine } from './report.ts';
import type { FaultRow, Flaw } from './row.ts';
import { ioErrors } from './rows/disk-errors.ts';
import { killAtRandom } from './rows/kill-at-random.ts';
import { halts } from './rows/halts.ts';
import { powerCut } from './rows/power-cut.ts';
import { straceMissing } from './strace.ts';

/** What it broke, in the words of the row that noticed. A race is tried again some times. */
const FOUND_BY: readonly {
  readonly flaw: Flaw;
  readonly row: FaultRow;
  readonly count: number;
  readonly says: RegExp;
  readonly needs?: () => boolean;
}[] = [
  { flaw: 'resend', row: killAtRandom, count: 1, says: /arrived twice/u },
  { flaw: 'send_early', row: killAtRandom, count: 1, says: /knows of no crossing/u },
  { flaw: 'answer_early', row: killAtRandom, count: 1, says: /was answered as \w+ and is/u },
  { flaw: 'forget_limits', row: killAtRandom, count: 1, says: /the limit says/u },
  { flaw: 'halt_early', row: halts, count: 30, says: /was sent under halt/u },
  {
    flaw: 'lying_disk',
    row: powerCut,
    count: 1,
    says: /is not stored|cannot be opened/u,
    needs: () => straceMissing() === undefined && canCutImage(),
  },
];
const TRIES = 12;

describe('planted flaws', () => {
  for (const { flaw, row, count, says, needs } of FOUND_BY) {
    const skip = needs === undefined || needs() ? false : 'needs strace and the right to mount';
    test(`\`${flaw}\` is found by ${row.name}`, { skip }, async () => {
      let found: readonly string[] = [];
      for (let tries = 0; tries < TRIES && !found.some((each) => says.test(each)); tries += 1) {
        found = (await row.run({ count, progress: () => undefined, flaw })).violations;
      }
      assert.match(found.join('\n'), says);
    });
  }
});

test('without strace nothing runs, and what is skipped is counted', async () => {
  const path = process.env['PATH'];
  process.env['PATH'] = '';
  try {
    const ran = await ioErrors.run({ count: 5, progress: () => undefined });
    const skipped = { count: 5, why: 'strace is not installed' };
    assert.deepEqual(ran, { runs: 0, violations: [], skipped });
  } finally {
    process.env['PATH'] = path;
  }
});

describe('the table', () => {
  const row: FaultRow = {
    name: 'kill',
    title: 'kill -9',
    quick: 1,
    long: 2,
    run: async () => ({ runs: 0, violations: [] }),
  };

  test('a row without a single run is not ok', () => {
    const skipped = { runs: 0, violations: [], skipped: { count: 9, why: 'there is no strace' } };
    assert.deepEqual(JSON.parse(jsonLine(row, skipped, 1)), {
      fault: 'kill',
      runs: 0,
      violations: 0,
      ok: false,
      skipped: 9,
      seconds: 1,
    });
  });

  test('a violation is counted, and is not ok', () => {
    const ran = { runs: 3, violations: ['it arrived twice'] };
    assert.match(tableLine(row, ran, 1.26), /^kill +3 +1 +0 +1\.3 {2}kill -9$/u);
    assert.equal(JSON.parse(jsonLine(row, ran, 1)).ok, false);
    assert.equal(JSON.parse(jsonLine(row, { ...ran, violations: [] }, 1)).ok, true);
  });
});
