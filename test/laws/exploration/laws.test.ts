/**
 * The exhaustive search: two engines, two actions with one effect key, and everything that can happen
 * between, walked through the production transition function and judged by the production `decide`.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explore } from './explore.ts';
import { productionJudge } from './judge.ts';
import type { Flaw } from './world.ts';

const STATES_MAX = 400_000;

/** Each rule of the engine, broken on purpose, and the law that the search must find broken. */
const FLAWS: Readonly<Record<Exclude<Flaw, 'none'>, RegExp>> = {
  'crosses without its row’s revision': /^law (?:3|12)/u,
  'crosses while the effect is busy': /^law 3: two actions/u,
  'crosses under an old epoch': /^law 7: .*old epoch/u,
  'sends again after no answer': /^law 4/u,
  'calls absence conclusive while a request travels': /^law 5/u,
  'acknowledges a halt before sends are decided': /^law 7: a send after/u,
  'ignores a revocation under the lock': /^law 7: .*revocation/u,
  'reads the clock before the lock': /^law 8/u,
  'sends before the crossing is stored': /^law 12/u,
};

describe('the exhaustive search of crossings', () => {
  const judge = productionJudge();

  test('laws 3, 4, 5, 7, 8 and 12 hold in every reachable state', (context) => {
    const { states, depth, counterExample } = explore(judge, 'none', STATES_MAX);
    context.diagnostic(`${String(states)} states, ${String(depth)} steps deep`);
    assert.deepEqual(counterExample, undefined);
    assert.ok(states > 50_000, `only ${String(states)} states: the search saw too little`);
  });

  for (const [flaw, law] of Object.entries(FLAWS)) {
    test(`an engine that ${flaw} is found out`, (context) => {
      const { counterExample } = explore(judge, flaw as Flaw, STATES_MAX);
      assert.ok(counterExample, 'no law was broken');
      assert.match(counterExample.law, law);
      context.diagnostic(`${counterExample.law}: ${counterExample.story.join(' → ')}`);
    });
  }
});
