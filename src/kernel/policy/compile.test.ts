import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SHOP } from '../../../test/fixtures/shop-inventory.ts';
import { readYaml } from '../../facts/document/yaml.ts';
import type { DocumentNode } from '../document.ts';
import { documentOf } from '../document-reader.ts';
import { compilePolicy, isPolicy } from './compile.ts';
import type { CompiledPolicy } from './compiled.ts';

function yaml(text: string, file = 'p.yaml'): DocumentNode {
  const { document, problems } = readYaml(text, file);
  if (document === undefined) throw new Error(JSON.stringify(problems));
  return document;
}

function policyOf(...texts: readonly string[]): CompiledPolicy {
  const { policy, problems } = compilePolicy({
    documents: texts.map((text) => yaml(text)),
    inventory: SHOP,
  });
  assert.ok(policy !== undefined, JSON.stringify(problems));
  return policy;
}

/** A document whose line 5 is a rule's first line. */
const HEAD = `version: 1
roles: [lead]
facts: { frozen: { type: boolean, source: { file: /f.json } }, state: { type: string, source: { http: "https://x.example/s", allow: [10.0.0.0/8] } } }
calendars: { nights: { zone: Europe/Berlin, open: [ { weekly: "Mon-Fri 22:00-02:00" } ] } }
rules:
`;

const ALLOW_LIST = '  - { id: a, match: { operation: list }, allow: true }\n';

describe('a policy', () => {
  test('is made by the compiler and by nothing else', () => {
    const policy = policyOf(`${HEAD}${ALLOW_LIST}`);
    assert.ok(isPolicy(policy));
    assert.ok(!isPolicy({ ...policy }));
  });

  test('has one digest whatever the order of rules, names, keys, requirements and files', () => {
    const one = policyOf(`${HEAD}
  - id: b
    match: { target: [db, payments], kind: { not: data.read } }
    require: [ { window: nights }, { confirmation: true } ]
${ALLOW_LIST}`);
    const other = policyOf(
      `# a comment
rules:
  - { allow: [], id: a, match: { operation: [list] } }
version: 1`,
      `${HEAD}
  - require: [ { confirmation: { validFor: 60m } }, { window: { calendar: nights } } ]
    match: { kind: { not: [data.read] }, target: [payments, db] }
    id: b`,
    );
    assert.equal(one.digest, other.digest);
  });

  test('has another digest where anything that counts differs', () => {
    const base = `${HEAD}  - { id: a, match: { operation: list }, require: [ { window: nights } ] }`;
    const changed = [
      base.replace('nights: {', 'nichts: {').replace('window: nights', 'window: nichts'),
      base.replace('Europe/Berlin', 'Europe/Paris'),
      base.replace('[lead]', '[lead, boss]'),
      base.replace('/f.json', '/g.json'),
      base.replace('id: a', 'id: b'),
      base.replace('operation: list', 'operation: { not: list }'),
      base.replace('require:', 'allow:'),
      base
        .replace('] }\n', '], shadow: true }\n')
        .replace('nights } ] }', 'nights } ], shadow: true }'),
      base.replace('window: nights', 'window: { calendar: nights, lastStart: 5m }'),
      base.replace('{ operation: list }', '{ operation: list }, when: now == now'),
    ].map((text) => policyOf(text).digest);
    assert.equal(new Set([policyOf(base).digest, ...changed]).size, changed.length + 1);
  });

  test('gives equal requirements of several rules one digest, and drops one repeated in a rule', () => {
    const policy = policyOf(`${HEAD}
  - { id: a, match: { target: payments }, require: [ { limit: { name: l, sum: measures.amount, max: 500, per: 60m } } ] }
  - id: b
    match: { kind: money.transfer }
    allow:
      - limit: { per: 1h, max: 500.00, sum: measures.amount, name: l }
      - limit: { name: l, sum: measures.amount, max: 500.00, per: 1h }`);
    const [first, second] = policy.compiled;
    assert.equal(second?.requires.length, 1);
    assert.equal(first?.requires[0]?.identified.digest, second.requires[0]?.identified.digest);
  });

  test('reads every requirement as it is written', () => {
    const policy = policyOf(`${HEAD}
  - id: a
    match: { target: payments }
    require:
      - approval: { from: "role:lead", count: 2, askFor: 8h, validFor: 1h }
      - approval: { from: "person:mei" }
      - confirmation: true
      - window: { calendar: nights, lastStart: 0 }
      - fact: { name: state, is: fact == "ok", maxAge: 5m }
      - fact: { name: frozen }
      - limit: { name: l, by: target.name, count: 0, per: 1d }
      - limit: { name: s, sum: "measures.amount * 2", max: 500.00, per: 1d }
      - after: { operation: purge, target: db, within: 1d, atLeast: 1h }
      - evidence: { type: test-result, maxAge: 24h, weight: 1 }`);
    assert.deepEqual(
      policy.rules[0]?.requires.map(({ requirement }) => requirement),
      [
        {
          kind: 'approval',
          from: { role: 'lead' },
          count: 2,
          askForMs: 28_800_000,
          validForMs: 3_600_000,
        },
        { kind: 'approval', from: { person: 'mei' }, count: 1, validForMs: 3_600_000 },
        { kind: 'confirmation', validForMs: 3_600_000 },
        { kind: 'window', calendar: 'nights', lastStartMs: 0 },
        { kind: 'fact', name: 'state', maxAgeMs: 300_000, is: 'fact == "ok"' },
        { kind: 'fact', name: 'frozen', maxAgeMs: 0 },
        {
          kind: 'limit',
          name: 'l',
          perMs: 86_400_000,
          by: 'target.name',
          bound: { kind: 'count', count: 0 },
        },
        {
          kind: 'limit',
          name: 's',
          perMs: 86_400_000,
          bound: { kind: 'sum', sum: 'measures.amount * 2', max: '500.00' },
        },
        {
          kind: 'after',
          operation: 'purge',
          target: 'db',
          withinMs: 86_400_000,
          atLeastMs: 3_600_000,
        },
        { kind: 'evidence', declaration: { type: 'test-result', maxAge: '24h', weight: 1 } },
      ],
    );
  });

  test('reads calendars: days over the end of the week, midnight, recurrences and spans', () => {
    const { calendars } = policyOf(`version: 1
calendars:
  n:
    zone: Europe/Berlin
    open:
      - weekly: "Sat-Mon,Wed 00:00-24:00"
      - { rrule: "FREQ=MONTHLY;BYDAY=1SU", start: "2026-11-01T22:00", duration: 4h }
    closed: [ { from: "2026-12-20", until: "2027-01-06T12:00" } ]`);
    const { open, closed } = calendars.get('n') ?? {};
    assert.deepEqual(open, [
      { kind: 'weekly', days: [1, 3, 6, 7], startMinute: 0, endMinute: 0 },
      {
        kind: 'rrule',
        start: '2026-11-01T22:00',
        rule: 'FREQ=MONTHLY;BYDAY=1SU',
        durationMs: 14_400_000,
      },
    ]);
    assert.deepEqual(closed, [
      { kind: 'span', from: '2026-12-20T00:00', until: '2027-01-06T12:00' },
    ]);
  });

  test('has its rules sorted by id and its roles by name, and cannot be changed', () => {
    const { policy } = compilePolicy({
      documents: [
        documentOf(
          {
            version: 1,
            roles: ['support', 'lead', 'finance', 'lead'],
            rules: ['b', 'd', 'a', 'c'].map((id) => ({ id, allow: true })),
          },
          'p.ts',
        ),
        documentOf({ version: 1, roles: ['boss'], rules: [{ id: 'aa', allow: true }] }, 'q.ts'),
      ],
      inventory: SHOP,
    });
    const ids = ['a', 'aa', 'b', 'c', 'd'];
    assert.deepEqual(
      policy?.rules.map(({ id }) => id),
      ids,
    );
    assert.deepEqual(
      policy.compiled.map(({ rule }) => rule.id),
      ids,
    );
    assert.deepEqual(policy.roles, ['boss', 'finance', 'lead', 'support']);
    assert.ok(Object.isFrozen(policy));
  });

  test('says of an unknown role which there are, beside what is wrong with those', () => {
    const { problems } = compilePolicy({
      documents: [
        documentOf(
          {
            version: 1,
            roles: ['Not A Name', 'lead'],
            rules: [{ id: 'a', match: { principal: { role: 'laed' } }, allow: true }],
          },
          'p.ts',
        ),
      ],
      inventory: SHOP,
    });
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['bad_name', 'unknown_role'],
    );
    assert.equal(problems[1]?.hint, 'did you mean `lead`?');
  });

  const broken: readonly (readonly [string, readonly unknown[], string])[] = [
    ['no mapping', ['x'], 'wrong_type: policy must be a mapping, not `x`'],
    ['no version', [{}], 'missing_key: policy has no `version`'],
    ['another version', [{ version: 2 }], 'bad_version: the version of a policy is 1'],
    ['a version that is a list', [{ version: [1] }], 'bad_version: the version of a policy is 1'],
    [
      'roles in a mapping',
      [{ version: 1, roles: {} }],
      'wrong_type: roles must be a list, not a mapping',
    ],
    [
      'rules in a mapping',
      [{ version: 1, rules: {} }],
      'wrong_type: rules must be a list, not a mapping',
    ],
    [
      'a role that is no name',
      [{ version: 1, roles: ['Not A Name'] }],
      'bad_name: role `Not A Name` is not a name',
    ],
    [
      'one document of several that is none',
      ['x', { version: 1, rules: [{ id: 'a', allow: true }] }],
      'wrong_type: policy must be a mapping, not `x`',
    ],
  ];
  for (const [what, values, expected] of broken) {
    test(`is none with ${what}`, () => {
      const { policy, problems } = compilePolicy({
        documents: values.map((value) => documentOf(value, 'p.ts')),
        inventory: SHOP,
      });
      assert.equal(policy, undefined);
      assert.deepEqual(
        problems.map(({ code, message }) => `${code}: ${message}`),
        [expected],
      );
    });
  }

  test('written as a plain object is the same policy', () => {
    const value = { version: 1, rules: [{ id: 'a', match: { operation: 'list' }, allow: true }] };
    const { policy } = compilePolicy({ documents: [documentOf(value, 'p.ts')], inventory: SHOP });
    assert.equal(policy?.digest, policyOf(`version: 1\nrules:\n${ALLOW_LIST}`).digest);
  });
});
