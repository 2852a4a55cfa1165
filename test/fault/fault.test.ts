/**
 * Every row of the table on its short run, one test a row. The long run is `npm run faults -- --long`.
 * What this machine cannot do is a skipped test, and never a passed one.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ROWS } from './rows.ts';

describe('faults on the embedded store', () => {
  for (const row of ROWS) {
    test(`${row.name}: ${row.title}, and no promise is broken`, async (context) => {
      const ran = await row.run({ count: row.quick, progress: () => undefined });
      assert.deepEqual(ran.violations, []);
      if (ran.skipped !== undefined) {
        context.diagnostic(`SKIPPED ${String(ran.skipped.count)} runs: ${ran.skipped.why}`);
      }
      if (ran.runs === 0) context.skip(ran.skipped?.why ?? 'nothing ran');
    });
  }
});
