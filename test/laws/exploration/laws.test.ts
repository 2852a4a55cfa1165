/**
 * The exhaustive search: engines, actions with one effect key and a shared limit, and everything that can
 * happen between, judged by the production engine. `npm run explore` searches larger settings, and keeps
 * in each state what is chosen anew at each transaction here.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clockStates } from './clock.ts';
import { explore, reachable, wordsOf } from './explore.ts';
import { flawedSetting } from './flawed.ts';
import { LAWS } from './laws.ts';
import { FLAWS, rulesOf, type Flaw, type Setting } from './setting.ts';
import { decode } from './world.ts';

const WHOLE: Setting = {
  engines: 2,
  actions: 2,
  approvers: 2,
  effectKeys: 'one',
  limit: 2,
  clockSteps: Infinity,
  controls: 'fleeting',
  reduced: true,
};

/** How many steps the shortest story has that shows each flaw. */
const STORY_LENGTHS: Readonly<Record<Flaw, number>> = {
  'an engine writes although its row moved on': 4,
  'an engine overlooks who is at the same effect': 4,
  'a lost execution is tried again': 5,
  'an engine sends again when no answer came': 6,
  'no answer is called not executed': 6,
  'absence is believed while a request travels': 4,
  'a halt is acknowledged before every send is decided': 5,
  'a revocation is read before the lock': 3,
  'a crossing is judged by an old epoch': 3,
  'the clock is read before the lock': 7,
  'the wall clock is believed whatever it says': 7,
  'roles are read before the lock': 7,
  'aliases are not known': 6,
  'the owners of the agent are not known': 6,
  'limits are read before the lock': 4,
  'an unknown outcome frees what it reserved': 5,
  'a request leaves before its crossing is stored': 2,
};

describe('the exhaustive search of crossings', () => {
  test('laws 3, 4, 5, 7, 8, 10, 11 and 12 hold in every reachable state', async (context) => {
    const rules = await rulesOf(WHOLE);
    const found = explore(rules, { statesMax: 2_000_000 });
    const { states, transitions, depth, ms } = found;
    context.diagnostic(
      `${String(states)} states, ${String(transitions)} transitions, depth ${String(depth)}, ` +
        `${(ms / 1000).toFixed(1)} s, ${String(rules.production.asked())} judgements`,
    );
    assert.deepEqual(found.counterExample, undefined);
    assert.ok(states > 500_000, `only ${String(states)} states: the search saw too little`);
    assert.ok(rules.production.asked() > 1000, 'the production code was hardly asked');
  });

  for (const [flaw, law] of Object.entries(FLAWS) as [Flaw, number][]) {
    test(`law ${String(law)} is seen to break where ${flaw}, in the fewest steps`, async (context) => {
      const setting = flawedSetting(flaw);
      const { counterExample } = explore(await rulesOf(setting), { statesMax: 1_000_000 });
      assert.ok(counterExample, 'no law was broken');
      const { law: broken, story } = counterExample;
      context.diagnostic(`${broken}\n${story.join('\n')}`);
      assert.ok(broken.startsWith(`law ${String(law)}:`), broken);
      assert.equal(story.length, STORY_LENGTHS[flaw], story.join('\n'));
    });
  }

  test('every law of the search is broken by some flaw', () => {
    assert.deepEqual(
      [...new Set<number>(Object.values(FLAWS))].sort((a, b) => a - b),
      [...LAWS],
    );
  });

  test('without a flaw the same settings break no law, the limit alone between two effects among them', async (context) => {
    const settings = new Map<string, Setting>();
    for (const each of Object.keys(FLAWS) as Flaw[]) {
      const { flaw: _, ...setting } = flawedSetting(each);
      settings.set(JSON.stringify(setting), { ...setting, reduced: true, controls: 'fleeting' });
    }
    let seen = 0;
    for (const setting of settings.values()) {
      const { states, counterExample } = explore(await rulesOf(setting), { statesMax: 1_000_000 });
      assert.deepEqual(counterExample, undefined);
      seen += states;
    }
    context.diagnostic(`${String(settings.size)} settings, ${String(seen)} states`);
    assert.ok(seen > 200_000, `only ${String(seen)} states`);
  });
});

describe('the clock of the search', () => {
  test('never goes back, and is not believed only while the wall clock is far from where it was', () => {
    const states = clockStates(Infinity, true);
    assert.ok(states.length > 9, `only ${String(states.length)} states`);
    for (const { now, next } of states) {
      for (const { to } of next) assert.ok((states[to]?.now ?? -1) >= now);
    }
    assert.ok(states.some(({ jumped, wall, now }) => jumped && wall < now));
    assert.ok(states.some(({ jumped, wall, now }) => !jumped && wall < now));
  });
});

describe('the reductions of the search', () => {
  const small = { ...WHOLE, engines: 2, actions: 1, clockSteps: 0 } as const;
  const settings: readonly Setting[] = [
    { ...small, approvers: 0 },
    { ...small, engines: 1 },
  ];

  for (const setting of settings) {
    for (const controls of ['kept', 'fleeting'] as const) {
      const counts = `${String(setting.engines)} engines and ${String(setting.approvers)} approvers`;
      test(`leave out no state with ${counts}, controls ${controls}`, async (context) => {
        const rules = await rulesOf({ ...setting, controls });
        const whole = reachable(await rulesOf({ ...setting, controls, reduced: false }), 200_000);
        const reduced = reachable(rules, 200_000);
        context.diagnostic(`${String(whole.size)} states, reduced to ${String(reduced.size)}`);
        const standing = new Set<string>();
        for (const key of whole) {
          const world = decode(key.split(',').map(Number), rules.actions);
          standing.add(wordsOf(rules, world).join());
        }
        assert.deepEqual(
          [...standing].filter((key) => !reduced.has(key)),
          [],
        );
        assert.ok(reduced.size < whole.size / 3, 'the reductions reduce next to nothing');
      });
    }
  }
});
