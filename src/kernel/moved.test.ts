import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { consentDigest, type ConsentSubject, type Resolution } from './action.ts';
import { digestOf } from './digest.ts';
import { parseActionId, parseTenantName } from './id.ts';
import { instantOf } from './instant.ts';
import type { JsonObject } from './json/value.ts';
import { movedParts } from './moved.ts';

const tenant = parseTenantName('shop');
const action = parseActionId('01930000-0000-7000-8000-000000000001');
assert.ok(tenant !== undefined && action !== undefined);

const digest = (text: string): Resolution['effect'] => digestOf('exequatur/effect/v1', text);

const RESOLUTION: Resolution = {
  identity: 'acct_1',
  environment: 'staging',
  operation: digest('operation'),
  effect: digest('effect'),
  credential: null,
  executor: 'http/1',
  files: { '/srv/deploy.sh': digest('deploy') },
  recorded: {},
  observedAt: instantOf(1),
};

function subject(
  resolution: Partial<Resolution> = {},
  material: JsonObject | null = { rows: 12 },
): ConsentSubject {
  return {
    tenant: tenant ?? assert.fail(),
    action: action ?? assert.fail(),
    nonce: '00',
    actionDigest: digest('action'),
    resolution: { ...RESOLUTION, ...resolution },
    preview: material && { material, context: {}, observedAt: instantOf(1) },
  };
}

const CASES: readonly (readonly [string, ConsentSubject, readonly string[]])[] = [
  ['nothing', subject(), []],
  ['when it was observed', subject({ observedAt: instantOf(9), recorded: { ip: '10.0.0.1' } }), []],
  ['environment', subject({ environment: 'production' }), ['environment: staging → production']],
  ['identity', subject({ identity: 'acct_2' }), ['identity: acct_1 → acct_2']],
  ['no identity', subject({ identity: null }), ['identity: acct_1 → none']],
  ['rows', subject({}, { rows: 12_431 }), ['rows: 12 → 12,431']],
  ['no preview', subject({}, null), ['preview: {"rows":12} → none']],
  ['a new member', subject({}, { rows: 12, table: 'x' }), ['table: absent → x']],
  [
    'a file',
    subject({ files: { '/srv/deploy.sh': digest('other') } }),
    ['file /srv/deploy.sh changed'],
  ],
  ['a missing file', subject({ files: {} }), ['file /srv/deploy.sh is no longer used']],
  ['the effect', subject({ effect: digest('other') }), ['compiled effect changed']],
  [
    'another tenant',
    { ...subject(), tenant: parseTenantName('other') ?? assert.fail() },
    ['tenant: shop → other'],
  ],
  [
    'another action',
    {
      ...subject(),
      action: parseActionId('01930000-0000-7000-8000-000000000002') ?? assert.fail(),
      nonce: '01',
    },
    ['action: 01930000-0000-7000-8000-000000000001 → 01930000-0000-7000-8000-000000000002'],
  ],
  ['the content', { ...subject(), actionDigest: digest('x') }, ['content of the action changed']],
  ['credential', subject({ credential: 'env:B' }), ['credential: none → env:B']],
  ['the definition', subject({ operation: digest('x') }), ['definition of the operation changed']],
  ['executor', subject({ executor: 'http/2' }), ['executor: http/1 → http/2']],
  [
    'files, in their order',
    subject({ files: { '/z': digest('z'), '/a': digest('a') } }),
    ['file /a is new', 'file /srv/deploy.sh is no longer used', 'file /z is new'],
  ],
  ['a member that is gone', subject({}, {}), ['rows: 12 → absent']],
  ['a member that is nothing now', subject({}, { rows: null }), ['rows: 12 → none']],
  ['a value that became a list', subject({}, { rows: [12] }), ['rows: 12 → [12]']],
  ['the nonce', { ...subject(), nonce: '01' }, ['occasion changed']],
  [
    'two parts',
    subject({ environment: 'production' }, { rows: 13 }),
    ['environment: staging → production', 'rows: 12 → 13'],
  ],
];

const KEYS = Array.from({ length: 12 }, (_, index) => index + 1);
const LISTS: readonly (readonly [string, readonly number[], readonly number[], string])[] = [
  ['one came and one went', [12, 13, 14], [13, 14, 15], 'keys: + 15; − 12'],
  ['one is there twice now', [1, 2], [1, 2, 2], 'keys: + 2'],
  ['their order changed', [1, 2], [2, 1], 'keys: in another order'],
  ['many came', [], KEYS, 'keys: + 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more'],
];

for (const [what, before, now, part] of LISTS) {
  test(`of a list it is said that ${what}`, () => {
    assert.deepEqual(movedParts(subject({}, { keys: before }), subject({}, { keys: now })), [part]);
  });
}

for (const [what, now, parts] of CASES) {
  test(`where ${what} moved, exactly that is named`, () => {
    assert.deepEqual(movedParts(subject(), now), parts);
  });
}

test('what moved is told once, and nobody can change it', () => {
  assert.ok(Object.isFrozen(movedParts(subject(), subject({}, null))));
});

function partsOfLists(before: readonly number[], now: readonly number[]): readonly string[] {
  return movedParts(subject({}, { keys: before }), subject({}, { keys: now }));
}

test('of a list it is said what came and went of equal items, as often', () => {
  assert.deepEqual(partsOfLists([1, 1, 1], [1]), ['keys: − 1, 1']);
  assert.deepEqual(partsOfLists([1, 1], [1, 1, 2]), ['keys: + 2']);
  assert.deepEqual(partsOfLists([1], [1, 1, 1]), ['keys: + 1, 1']);
  assert.deepEqual(partsOfLists(KEYS, KEYS.slice(2)), ['keys: − 1, 2']);
  assert.deepEqual(partsOfLists([], KEYS.slice(0, 10)), ['keys: + 1, 2, 3, 4, 5, 6, 7, 8, 9, 10']);
});

test('a nested value is named by its path, and one too long to show is only said to have changed', () => {
  const before = subject({}, { plan: { adds: 1, text: `${'a'.repeat(200)}1` } });
  const now = subject({}, { plan: { adds: 2, text: `${'a'.repeat(200)}2` } });
  assert.deepEqual(movedParts(before, now), ['plan.adds: 1 → 2', 'plan.text changed']);
});

test('law: something moved exactly when the consent digest is another', () => {
  const name = fc.constantFrom('a', 'b');
  const subjects = fc
    .record({
      identity: fc.constantFrom('acct_1', null),
      environment: name,
      executor: name,
      credential: fc.constantFrom('env:A', null),
      effect: name,
      operation: name,
      files: fc.dictionary(name, name.map(digest), { maxKeys: 2 }),
      material: fc.option(fc.dictionary(name, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2 })),
      nonce: name,
      digest: name,
    })
    .map((parts): ConsentSubject => {
      const { material, nonce, ...resolution } = parts;
      const plain: unknown = material;
      const text = JSON.stringify(plain).replaceAll(/-0\b/gu, '0');
      const value: JsonObject | null = JSON.parse(text);
      return {
        ...subject(
          {
            ...resolution,
            effect: digest(parts.effect),
            operation: digest(parts.operation),
          },
          value,
        ),
        nonce,
        actionDigest: digest(parts.digest),
      };
    });
  fc.assert(
    fc.property(subjects, subjects, (before, now) => {
      const same = consentDigest(before) === consentDigest(now);
      assert.equal(movedParts(before, now).length === 0, same);
      assert.deepEqual(movedParts(now, now), []);
    }),
    { numRuns: 500 },
  );
});
