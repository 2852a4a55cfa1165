import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inventoryOf, operationOf, targetOf } from '../../../test/fixtures/shop-inventory.ts';
import { DocumentReader } from '../document-reader.ts';
import { DECIMAL, INT, STRING, type ObjectType } from '../expression/value-type.ts';
import type { Inventory } from '../inventory.ts';
import type { Match, NameSet } from '../policy.ts';
import { candidateFinder, type FindCandidates } from './candidates.ts';
import { knownNames } from './reading.ts';

const text = { kind: 'string', lengthMax: 9 } as const;
const integer = { kind: 'integer' } as const;
const decimal = { kind: 'decimal' } as const;

const INVENTORY = inventoryOf([
  targetOf(
    'pay',
    [
      operationOf({
        name: 'refund',
        target: 'pay',
        kind: 'money.transfer',
        precondition: 'conditional',
        arguments: {
          amount: { type: decimal, optional: false },
          note: { type: text, optional: true },
          id: { type: text, optional: false },
        },
      }),
      operationOf({
        name: 'sign',
        target: 'pay',
        kind: 'contract.commit',
        arguments: {
          amount: { type: integer, optional: false },
          note: { type: text, optional: false },
          id: { type: integer, optional: false },
        },
      }),
    ],
    {
      owner: 'team',
      labels: { tier: 'gold', zone: 'a' },
      environment: 'production',
      probe: {
        kind: 'file',
        path: '/p',
        identity: '/id',
        environment: { pointer: '/e', values: { s: 'staging' } },
      },
    },
  ),
  targetOf('db', [operationOf({ name: 'list', target: 'db', kind: 'data.read' })], {
    environment: 'staging',
    labels: { tier: 'tin' },
    probe: { kind: 'file', path: '/p', identity: '/id' },
  }),
  targetOf('bare', [operationOf({ name: 'list', target: 'bare', kind: 'api.call' })], {
    environment: 'test',
  }),
]);

function finder(inventory: Inventory = INVENTORY): FindCandidates {
  const position = { file: 'p', line: 1, column: 1 };
  return candidateFinder({
    reader: new DocumentReader(),
    inventory,
    names: knownNames(inventory),
    roles: new Set(),
    calendars: new Map(),
    facts: new Map([
      [
        'level',
        {
          name: 'level',
          type: { kind: 'list', items: { kind: 'object', fields: {} } },
          source: { kind: 'file', path: '/f', pointer: '' },
          timeoutMs: 1,
          position,
        },
      ],
    ]),
  });
}

function named<Name extends string>(...names: readonly Name[]): NameSet<Name> {
  return { names, negated: false };
}

function allBut<Name extends string>(...names: readonly Name[]): NameSet<Name> {
  return { names, negated: true };
}

function operationsOf(match: Match): readonly string[] {
  return finder()(match).operations.map(({ target, name }) => `${target}.${name}`);
}

function typeOf(root: string, match: Match, inventory?: Inventory): ObjectType {
  const type = finder(inventory)(match).environment.get(root)?.type;
  assert.ok(type?.kind === 'object');
  return type;
}

const PAY = ['pay.refund', 'pay.sign'];
const ALL = [...PAY, 'db.list', 'bare.list'];

const OPERATIONS: readonly (readonly [Match, readonly string[]])[] = [
  [{}, ALL],
  [{ targets: named('db', 'pay') }, ['db.list', ...PAY]],
  [{ targets: named('nope', 'db') }, ['db.list']],
  [{ targets: allBut('pay') }, ['db.list', 'bare.list']],
  [{ operations: named('list') }, ['db.list', 'bare.list']],
  [{ operations: allBut('list') }, PAY],
  [{ kinds: named('data.read') }, ['db.list']],
  [{ kinds: allBut('data.read') }, [...PAY, 'bare.list']],
  [{ classes: named('conditional') }, ['pay.refund']],
  [{ classes: allBut('conditional') }, ['pay.sign', 'db.list', 'bare.list']],
  [{ owners: named('team') }, PAY],
  // Who has no owner is not of the team, and is of everybody but the team.
  [{ owners: allBut('team') }, ['db.list', 'bare.list']],
  [{ environments: named('production') }, PAY],
  // The system itself may say that it is another one.
  [{ environments: named('staging') }, [...PAY, 'db.list']],
  [{ environments: allBut('production') }, ALL],
  [{ environments: allBut('staging') }, [...PAY, 'bare.list']],
  [{ labels: { tier: 'gold' } }, PAY],
  [{ labels: { tier: 'gold', zone: 'a' } }, PAY],
  [{ labels: { tier: 'gold', zone: 'b' } }, []],
  [{ labels: { nope: 'a' } }, []],
  [{ operations: named('list'), kinds: named('api.call') }, ['bare.list']],
];

describe('the operations that a match can hold for', () => {
  for (const [match, expected] of OPERATIONS) {
    test(`${JSON.stringify(match)}: ${expected.length === 0 ? 'none' : expected.join(', ')}`, () => {
      assert.deepEqual(operationsOf(match), expected);
    });
  }

  test('are found once for each match', () => {
    const find = finder();
    assert.equal(find({ targets: named('pay') }), find({ targets: named('pay') }));
    const parts: readonly Match[] = [
      {},
      { kinds: named('data.read') },
      { targets: named('db') },
      { environments: named('staging') },
      { owners: named('team') },
      { labels: { tier: 'gold' } },
      { operations: named('list') },
      { classes: named('conditional') },
    ];
    assert.equal(new Set(parts.map((match) => find(match))).size, parts.length);
  });

  test('share their types where the operations and the kinds are the same', () => {
    const find = finder();
    const [one, other] = [find({ targets: named('db') }), find({ owners: allBut('team') })];
    assert.notEqual(one.environment, other.environment);
    assert.equal(
      one.environment,
      find({ targets: named('db'), classes: allBut('conditional') }).environment,
    );
    assert.notEqual(
      one.environment,
      find({ targets: named('db'), kinds: named('data.read') }).environment,
    );
    const refund: Match = { targets: named('pay'), operations: named('refund') };
    const sign: Match = { targets: named('pay'), operations: named('sign') };
    assert.notEqual(find(refund).environment, find(sign).environment);
  });
});

describe('the arguments that a rule may use', () => {
  test('are those that every operation has, of the type that holds all', () => {
    const { what, fields } = typeOf('args', { targets: named('pay') });
    assert.equal(what, 'args');
    assert.deepEqual(Object.fromEntries(fields), {
      amount: { type: DECIMAL, optional: false },
      note: { type: STRING, optional: true },
    });
  });

  test('keep what is optional whichever operation says so first', () => {
    const [pay] = INVENTORY.targets.values();
    assert.ok(pay !== undefined);
    const turned = inventoryOf([{ ...pay, operations: new Map([...pay.operations].toReversed()) }]);
    assert.deepEqual(typeOf('args', {}, turned).fields.get('note'), {
      type: STRING,
      optional: true,
    });
    assert.deepEqual(typeOf('args', {}, turned).fields.get('amount'), {
      type: DECIMAL,
      optional: false,
    });
  });

  test('of one operation are its own', () => {
    const { fields } = typeOf('args', { operations: named('sign') });
    assert.deepEqual(Object.fromEntries(fields), {
      amount: { type: INT, optional: false },
      note: { type: STRING, optional: false },
      id: { type: INT, optional: false },
    });
  });

  const hint = 'match fewer operations';
  const refused: readonly (readonly [string, Match, string, unknown])[] = [
    [
      'another type',
      { targets: named('pay') },
      'id',
      { message: '`sign` of `pay` can match and has `id` of another type', hint },
    ],
    [
      'no such argument',
      {},
      'amount',
      { message: '`list` of `db` can match and has no argument `amount`', hint },
    ],
    ['a name that no operation has', { targets: named('pay') }, 'nope', undefined],
    ['a name that every object has', {}, 'toString', undefined],
    [
      'no operation',
      { labels: { nope: 'a' } },
      'amount',
      { message: 'no operation that could match is in the inventory yet' },
    ],
  ];
  for (const [what, match, name, expected] of refused) {
    test(`say why one is none: ${what}`, () => {
      const type = typeOf('args', match);
      assert.equal(type.fields.get(name), undefined);
      assert.deepEqual(type.explain?.(name), expected);
    });
  }

  test('are not what every object has', () => {
    const odd = inventoryOf([
      targetOf('odd', [
        operationOf({
          name: 'a',
          target: 'odd',
          kind: 'api.call',
          arguments: { toString: { type: text, optional: false } },
        }),
        operationOf({ name: 'b', target: 'odd', kind: 'api.call' }),
      ]),
    ]);
    const type = typeOf('args', {}, odd);
    assert.deepEqual(type.explain?.('toString'), {
      message: '`b` of `odd` can match and has no argument `toString`',
      hint,
    });
  });
});

describe('the measures that a rule may use', () => {
  const fields: readonly (readonly [string, Match, Readonly<Record<string, unknown>>])[] = [
    [
      'those of its kind, whatever the inventory has',
      { kinds: named('data.delete'), targets: named('pay') },
      { rows: { type: INT, optional: false } },
    ],
    [
      'those of both kinds',
      { kinds: named('money.transfer', 'contract.commit') },
      { amount: { type: DECIMAL, optional: false }, currency: { type: STRING, optional: false } },
    ],
    [
      'those of the kinds of the operations',
      { targets: named('pay') },
      { amount: { type: DECIMAL, optional: false }, currency: { type: STRING, optional: false } },
    ],
    [
      'those of the kinds of the operations, without a kind',
      { targets: named('db'), kinds: allBut('api.call') },
      { rows: { type: INT, optional: false } },
    ],
    [
      'none, where one of its kinds has others',
      { kinds: named('data.read', 'money.transfer'), targets: named('db') },
      {},
    ],
    ['none, where one kind has none', { operations: named('list') }, {}],
    ['none of every kind, where no operation can match', { labels: { nope: 'a' } }, {}],
    [
      'those of the kinds left, where no operation can match',
      {
        labels: { nope: 'a' },
        kinds: allBut(
          'code.execute',
          'api.call',
          'infra.create',
          'infra.change',
          'data.delete',
          'data.write',
          'data.read',
          'access.grant',
          'device.control',
          'message.send',
          'control.change',
          'contract.commit',
        ),
      },
      {
        amount: { type: DECIMAL, optional: false },
        currency: { type: STRING, optional: false },
        payee: { type: STRING, optional: false },
      },
    ],
  ];
  for (const [what, match, expected] of fields) {
    test(`are ${what}`, () => {
      const type = typeOf('measures', match);
      assert.equal(type.what, 'measures');
      assert.deepEqual(Object.fromEntries(type.fields), expected);
    });
  }

  const explained: readonly (readonly [string, Match, string, unknown])[] = [
    [
      'of one kind',
      { targets: named('pay') },
      'payee',
      {
        message: '`contract.commit` can match and has no measure `payee`',
        hint: 'match kind: money.transfer',
      },
    ],
    [
      'of several kinds',
      { targets: named('db') },
      'amount',
      {
        message: '`data.read` can match and has no measure `amount`',
        hint: 'match kind: [money.transfer, contract.commit]',
      },
    ],
    ['of no kind', { targets: named('db') }, 'nope', undefined],
    ['that it has', { targets: named('db') }, 'rows', undefined],
    ['that every object has', { targets: named('db') }, 'toString', undefined],
  ];
  for (const [what, match, name, expected] of explained) {
    test(`say which kinds have one: ${what}`, () => {
      assert.deepEqual(typeOf('measures', match).explain?.(name), expected);
    });
  }
});

describe('the facts and labels that a rule may use', () => {
  test('are those that are declared; a label may be missing at a target', () => {
    const facts = typeOf('facts', {});
    assert.equal(facts.what, 'facts');
    assert.deepEqual(facts.fields.get('level'), {
      optional: false,
      type: {
        kind: 'list',
        items: { kind: 'object', what: 'facts.level[]', fields: new Map() },
        itemsMax: 1000,
      },
    });
    assert.deepEqual([...facts.fields.keys()], ['level']);
    assert.deepEqual(typeOf('target', {}).fields.get('labels')?.type, {
      kind: 'object',
      what: 'target.labels',
      fields: new Map([
        ['tier', { type: STRING, optional: true }],
        ['zone', { type: STRING, optional: true }],
      ]),
    });
  });
});
