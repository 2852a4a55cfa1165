/**
 * The simulated layer keeps its laws; one seed is one history; and what is broken on purpose is found.
 * The long run is `npm run simulate -- --seeds 100000`.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { check } from './checker.ts';
import { FLAWS, type Flaw } from './flaws.ts';
import { planOf, type Plan } from './plan.ts';
import { storyOfFailure } from './run-seeds.ts';
import { Simulator } from './world.ts';

const FLAWED_SEEDS_MAX = 100;

const COMMAND = fileURLToPath(new URL('./main.ts', import.meta.url));

const simulator = new Simulator();
after(() => simulator.close());

describe('the simulation', () => {
  test('gives the same history for the same seed, byte for byte, and another for another', async () => {
    const histories = new Set<string>();
    for (let seed = 1; seed <= 10; seed++) {
      const once = JSON.stringify(await simulator.run(planOf(seed)));
      assert.equal(JSON.stringify(await simulator.run(planOf(seed))), once);
      histories.add(once);
    }
    assert.equal(histories.size, 10);
  });
});

describe('a layer that is broken on purpose', () => {
  for (const [flaw, law] of Object.entries(FLAWS) as [Flaw, string][]) {
    test(`and ${flaw} is found by ${law}`, async (context) => {
      for (let seed = 1; seed <= FLAWED_SEEDS_MAX; seed++) {
        const found = check(await simulator.run(planOf(seed), flaw)).find(
          (each) => each.law === law,
        );
        if (found === undefined) continue;
        context.diagnostic(`seed ${String(seed)}: ${found.message}`);
        return;
      }
      assert.fail(`not found in ${String(FLAWED_SEEDS_MAX)} seeds`);
    });
  }

  test('is told in a story that a person can read', async (context) => {
    const flaw = 'sends again after no answer';
    for (let seed = 1; seed <= FLAWED_SEEDS_MAX; seed++) {
      const violation = check(await simulator.run(planOf(seed), flaw)).find(
        ({ law }) => law === 'law 4',
      );
      if (violation === undefined) continue;
      const { plan, story } = await storyOfFailure(simulator, { seed, violation }, flaw);
      context.diagnostic(story);
      assert.ok(plan.steps.length + plan.faults.length <= 3, JSON.stringify(plan));
      assert.match(story, /bot-[ab] proposes pay/u);
      assert.match(story, /✗ an execution is sent twice$/u);
      assert.ok(story.split('\n').length <= 20, story);
      return;
    }
    assert.fail('nothing was found to tell');
  });
});

describe('the command', () => {
  test('runs its share of the seeds on each thread, and says so in one line for programs', () => {
    const said: unknown = JSON.parse(
      run('--seeds', '5', '--from', '7', '--workers', '2', '--json'),
    );
    assert.ok(typeof said === 'object' && said !== null && 'tookS' in said);
    const { tookS, ...rest } = said;
    assert.ok(Number(tookS) > 0);
    assert.deepEqual(rest, { seeds: 5, from: 7, violations: 0, ok: true });
  });

  test('replays one seed as a story', () => {
    const story = run('--seed', '7');
    assert.match(story, /ms {2}recorded: action 1 proposed by bot-/u);
    assert.match(story, /seed 7 breaks no law\n$/u);
  });
});

describe('what seeds found once', () => {
  const QUIET = { seed: 1, engines: 1, skewMs: [0, 0, 0], faults: [] } as const;
  const deploy = {
    kind: 'propose',
    number: 0,
    agent: 'bot-a',
    delegated: false,
    key: 'key-0',
    operation: 'deploy',
    name: 'z',
    amount: 20,
    deadlineMs: 6000,
    notBeforeMs: 0,
    engine: 0,
  } as const;
  const plans: Readonly<Record<string, Plan>> = {
    'law 7: a halt by the inventory’s name of an environment covers what calls itself otherwise': {
      ...QUIET,
      steps: [
        { ...deploy, atMs: 900 },
        { kind: 'halt', atMs: 1500, scope: { environment: 'staging' }, forMs: 500, engine: 0 },
      ],
      faults: [{ kind: 'send', nth: 1, how: 'late reply', lateMs: 2400 }],
    },
    'law 7: a halt waits for what another engine over the same store is sending, and lists it': {
      ...QUIET,
      engines: 2,
      steps: [
        { ...deploy, atMs: 900 },
        { kind: 'halt', atMs: 1500, scope: { target: 'shop' }, forMs: 500, engine: 1 },
      ],
      faults: [{ kind: 'send', nth: 1, how: 'late reply', lateMs: 2400 }],
    },
  };
  for (const [what, plan] of Object.entries(plans)) {
    test(what, async () => {
      const history = await simulator.run(plan);
      assert.deepEqual(check(history), []);
      const halted = history.find(({ kind }) => kind === 'halted');
      assert.equal(halted?.kind === 'halted' && halted.sent.length, 1, JSON.stringify(halted));
    });
  }
});

function run(...words: readonly string[]): string {
  return execFileSync(process.execPath, [COMMAND, ...words], { encoding: 'utf8' });
}
