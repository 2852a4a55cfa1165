import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { exampleOf, operation, requiring } from '../../test/laws/examples.ts';
import { assessed, table, unmet } from '../../test/laws/requirements.ts';
import { hours, must } from '../../test/laws/world.ts';
import { hear } from './hearing.ts';
import { assess } from './requirement.ts';
import { failing } from './requirement/assessment.ts';

const LEAD = { approval: { from: 'role:lead', askFor: '30m', validFor: '1h' } };
const COUNT = { limit: { name: 'uses', count: 5, per: '1h' } };

describe('a requirement', () => {
  const UNSUPPORTED = unmet({ code: 'requirement_unsupported', status: 'undetermined' });
  table([
    [
      'that this version cannot check is never taken for met',
      { evidence: { type: 'test-result' } },
      {},
      UNSUPPORTED,
    ],
    [
      'that an authorization service would judge is never taken for met',
      { authorized: { by: 'x' } },
      {},
      UNSUPPORTED,
    ],
    [
      'of a safing operation is judged as any other where it is no window and no fact',
      COUNT,
      { sample: { used: [5] }, change: operation({ safing: true }) },
      unmet({
        code: 'over_limit',
        actual: '6',
        needed: '5',
        at: hours(0.5),
        waitsFor: 'limit:["uses",3600000,null,null]:',
      }),
    ],
  ]);

  test('is judged once a hearing, however many rules have it', () => {
    const { policy, input } = exampleOf({ rules: requiring(LEAD) });
    const hearing = hear(input);
    const requirement = must(
      policy.compiled.find(({ rule }) => rule.id === 'require')?.requires[0],
    );
    assert.equal(assess(requirement, hearing), assess(requirement, hearing));
  });

  test('does not fail by being met', () => {
    assert.throws(() => failing({ code: 'allowed', status: 'met', message: 'x' }), TypeError);
  });

  test('that is met is shared by all, and cannot be changed', () => {
    assert.ok(
      Object.isFrozen(
        assessed({ window: 'night' }, { sample: { windows: { night: { open: true } } } }),
      ),
    );
  });
});
