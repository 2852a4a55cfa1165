/** The seeds of `npm test`, in files that can run beside each other. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { runSeeds, storyOfFailure } from './run-seeds.ts';
import { Simulator } from './world.ts';

/** Seeds of one test, so that none of them runs long. */
const SEEDS_EACH = 250;

/** What has to happen often, or the seeds prove nothing. */
const LEAST: Readonly<Record<string, number>> = {
  'recorded: crossed': 200,
  'took hold': 200,
  'recorded: barred': 1,
  'recorded: resolved': 10,
  'recorded: approved': 100,
  'recorded: halted': 20,
  'engine crashed': 20,
  'ended: expired': 20,
  'ended: unknown': 5,
};

/** One test for every 250 seeds from `first` to `last`. */
export function describeSeeds(first: number, last: number): void {
  const simulator = new Simulator();
  after(() => simulator.close());
  describe(`the simulated layer, seeds ${String(first)} to ${String(last)}`, () => {
    for (let from = first; from <= last; from += SEEDS_EACH) {
      const to = from + SEEDS_EACH - 1;
      test(`laws 1 to 13 hold in seeds ${String(from)} to ${String(to)}`, async () => {
        const { failures, counts } = await runSeeds(simulator, { from, count: SEEDS_EACH });
        const [failure] = failures;
        if (failure !== undefined) assert.fail((await storyOfFailure(simulator, failure)).story);
        for (const [what, least] of Object.entries(LEAST)) {
          assert.ok((counts[what] ?? 0) >= least, `${what}: only ${String(counts[what] ?? 0)}`);
        }
      });
    }
  });
}
