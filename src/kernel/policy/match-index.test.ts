import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Match, NameSet } from '../policy.ts';
import { buildIndex, lookUp, type MatchIndex, type Subject } from './match-index.ts';

function named<Name extends string>(...names: readonly Name[]): NameSet<Name> {
  return { names, negated: false };
}

const SUBJECT: Subject = {
  kind: 'data.read',
  target: 'db',
  environment: 'staging',
  owner: 'team',
  labels: { tier: 'gold', zone: 'a' },
  operation: 'list',
  precondition: 'conditional',
  agent: 'bot',
  roles: ['support', 'lead'],
  delegator: 'dana',
};

/** A match by each field, first one that can hold for the subject, then one that cannot. */
const FIELDS: readonly (readonly [string, Match, Match])[] = [
  ['operations', { operations: named('list') }, { operations: named('purge') }],
  ['targets', { targets: named('db') }, { targets: named('pay') }],
  ['agents', { agents: named('bot') }, { agents: named('other') }],
  ['delegators', { delegators: named('dana') }, { delegators: named('mei') }],
  ['labels', { labels: { tier: 'gold' } }, { labels: { tier: 'tin' } }],
  ['owners', { owners: named('team') }, { owners: named('other') }],
  ['roles', { roles: named('lead') }, { roles: named('finance') }],
  ['kinds', { kinds: named('data.read') }, { kinds: named('api.call') }],
  ['environments', { environments: named('staging') }, { environments: named('production') }],
  ['classes', { classes: named('conditional') }, { classes: named('unconditioned') }],
];

/** Five of a match: so many that the index tells them from others. */
function five(match: Match): readonly Match[] {
  return [match, match, match, match, match];
}

function found(matches: readonly Match[], subject: Partial<Subject> = {}): readonly number[] {
  return lookUp(buildIndex(matches), { ...SUBJECT, ...subject }).sort((a, b) => a - b);
}

describe('the index of matches', () => {
  for (const [field, holds, fails] of FIELDS) {
    test(`by ${field} gives those that can match, and not those that cannot`, () => {
      assert.deepEqual(found([...five(holds), ...five(fails)]), [0, 1, 2, 3, 4]);
      assert.deepEqual(found([...five(fails), ...five(holds)]), [5, 6, 7, 8, 9]);
    });
  }

  const unknown: readonly (readonly [string, Partial<Subject>])[] = [
    ['owners', { owner: undefined }],
    ['roles', { roles: undefined }],
    ['labels', { labels: undefined }],
    ['kinds', { kind: undefined }],
    ['environments', { environment: undefined }],
    ['classes', { precondition: undefined }],
  ];
  for (const [field, subject] of unknown) {
    test(`gives all by ${field} where that is not known yet`, () => {
      const [, holds = {}, fails = {}] = FIELDS.find(([name]) => name === field) ?? [];
      assert.deepEqual(
        found([...five(holds), ...five(fails)], subject),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
    });
  }

  test('gives none by owner and delegator where there is none', () => {
    assert.deepEqual(found(five({ owners: named('team') }), { owner: null }), []);
    assert.deepEqual(found(five({ delegators: named('dana') }), { delegator: null }), []);
  });

  test('gives whatever is narrowed by nothing, or by everything but a name', () => {
    assert.deepEqual(found(five({})), [0, 1, 2, 3, 4]);
    const others = five({ targets: { names: ['db'], negated: true } });
    assert.deepEqual(found(others, { target: 'pay' }), [0, 1, 2, 3, 4]);
  });

  test('gives a match by several names for each of them', () => {
    const matches = five({ targets: named('db', 'pay') });
    assert.deepEqual(found(matches), [0, 1, 2, 3, 4]);
    assert.deepEqual(found(matches, { target: 'pay' }), [0, 1, 2, 3, 4]);
    assert.deepEqual(found(matches, { target: 'other' }), []);
  });

  test('tells labels of one name and another value apart, and names from values', () => {
    const matches = [...five({ labels: { a: 'bc' } }), ...five({ labels: { ab: 'c' } })];
    assert.deepEqual(found(matches, { labels: { ab: 'c' } }), [5, 6, 7, 8, 9]);
  });
});

/** The numbers that stand in a node and below it, with what leads there. */
function shape(index: MatchIndex): unknown {
  const below = [...index.below].map(([field, nodes]) => [
    field,
    Object.fromEntries([...nodes].map(([name, node]) => [name, shape(node)])),
  ]);
  return below.length === 0 ? index.here : [index.here, Object.fromEntries(below)];
}

function shapeOf(matches: readonly Match[]): unknown {
  return shape(buildIndex(matches));
}

const manyNames = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `n${String(index)}`);

const under = (targets: number, agents: number): unknown => {
  const match = { targets: named(...manyNames(targets)), agents: named(...manyNames(agents)) };
  return buildIndex(five(match)).below.get('targets')?.get('n0')?.below.size;
};

describe('the shape of the index', () => {
  test('leaves four rules together, and narrows five', () => {
    assert.deepEqual(shapeOf(five({ targets: named('db') }).slice(1)), [0, 1, 2, 3]);
    assert.deepEqual(shapeOf(five({ targets: named('db') })), [
      [],
      { targets: { db: [0, 1, 2, 3, 4] } },
    ]);
  });

  test('puts a rule under the field whose names fewest rules share', () => {
    const matches = Array.from({ length: 5 }, (_, index): Match => ({
      operations: named('list'),
      targets: named('db'),
      agents: named(`a${String(index)}`),
    }));
    assert.deepEqual(shapeOf(matches), [
      [],
      { agents: { a0: [0], a1: [1], a2: [2], a3: [3], a4: [4] } },
    ]);
  });

  test('goes by the most shared of several names', () => {
    const matches = [0, 1, 2, 3, 4, 5].map((index): Match => ({
      targets: named(index < 5 ? 'db' : 'pay'),
      agents: named('x', `a${String(index)}`),
    }));
    // Six name the agent `x`, and five the target `db`, though each has an agent of its own.
    const agents = { x: [0, 1, 2, 3, 4], a0: [0], a1: [1], a2: [2], a3: [3], a4: [4] };
    assert.deepEqual(shapeOf(matches), [[], { targets: { db: [[], { agents }], pay: [5] } }]);
  });

  test('takes the first of fields that narrow equally', () => {
    const matches = five({ operations: named('list'), targets: named('db') });
    assert.deepEqual(shapeOf(matches), [
      [],
      { operations: { list: [[], { targets: { db: [0, 1, 2, 3, 4] } }] } },
    ]);
  });

  test('narrows by a second field what shares the first', () => {
    const matches = Array.from({ length: 10 }, (_, index): Match => ({
      operations: named(index < 5 ? 'list' : 'purge'),
      roles: index % 5 === 0 ? named('lead') : named('support', 'lead'),
    }));
    assert.deepEqual(shapeOf(matches), [
      [],
      {
        operations: {
          list: [[], { roles: { lead: [0, 1, 2, 3, 4], support: [1, 2, 3, 4] } }],
          purge: [[], { roles: { lead: [5, 6, 7, 8, 9], support: [6, 7, 8, 9] } }],
        },
      },
    ]);
  });

  test('leaves a rule where it is that a second field would put in more than 64 places', () => {
    assert.equal(under(8, 8), 1);
    assert.equal(under(5, 13), 0);
    assert.equal(under(2, 33), 0);
    assert.equal(under(1, 65), 1);
  });

  test('puts a rule in as many places as a first field has names', () => {
    const names = Array.from({ length: 65 }, (_, index) => `n${String(index)}`);
    const index = buildIndex(five({ targets: named(...names) }));
    assert.equal(index.below.get('targets')?.size, 65);
    assert.deepEqual(index.here, []);
  });
});
