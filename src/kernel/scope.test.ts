import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  inventoryOf,
  NOW,
  operationOf,
  shopInput,
  targetOf,
  type ShopInput,
} from '../../test/fixtures/shop-inventory.ts';
import { Timestamp } from './expression/value.ts';
import { parseDecimal } from './decimal.ts';
import type { DecisionInput } from './decision.ts';
import { factScopeOf, readEnvironment, scopeOf, scopeOfArguments } from './scope.ts';

const PREVIEW: DecisionInput['preview'] = {
  kind: 'known',
  value: {
    material: { customer: 'cus_9', keys: ['a', 'b'], total: 12.5, nested: { count: 3 } },
    context: { balance: 7 },
    observedAt: NOW,
  },
};

function read(reference: string, parts: Partial<ShopInput> = {}): unknown {
  const answer = scopeOf(shopInput({ target: 'payments', operation: 'refund', ...parts })).read(
    reference,
  );
  if (answer.kind === 'value') return answer.value;
  return answer.kind === 'missing' && answer.absent === true ? 'absent' : answer.kind;
}

const DB = { target: 'db', operation: 'purge' } as const;

const CASES: readonly (readonly [string, Partial<ShopInput>, unknown])[] = [
  ['args.amount', { args: { amount: '49.90' } }, parseDecimal('49.90')],
  ['args.reason', { args: {} }, 'absent'],
  [
    'args.lines',
    { args: { lines: [{ sku: 's', count: 2 }] } },
    [Object.assign(Object.create(null), { sku: 's', count: 2n })],
  ],
  ['args.before', { ...DB, args: { before: '2026-11-22' } }, new Timestamp(Date.UTC(2026, 10, 22))],
  ['args.x', { operation: 'unknown' }, 'missing'],
  ['measures.amount', { args: { amount: '49.90' } }, parseDecimal('49.90')],
  ['measures.payee', {}, 'missing'],
  ['measures.payee', { preview: PREVIEW }, 'cus_9'],
  ['measures.currency', {}, 'absent'],
  ['measures.rows', { ...DB, preview: PREVIEW }, 2n],
  ['measures.rows', { ...DB, preview: { kind: 'known', value: 'none' } }, 'absent'],
  ['preview.customer', {}, 'missing'],
  ['preview.customer', { preview: { kind: 'failed', code: 'x', message: 'y' } }, 'missing'],
  ['preview.customer', { preview: PREVIEW }, 'cus_9'],
  ['preview.nested.count', { preview: PREVIEW }, 3n],
  ['preview.total', { preview: PREVIEW }, parseDecimal('12.5')],
  ['preview.customer.x', { preview: PREVIEW }, 'error'],
  ['preview.gone', { preview: PREVIEW }, 'absent'],
  ['preview.balance', { preview: PREVIEW }, 'absent'],
  ['context.balance', { preview: PREVIEW }, 7n],
  ['preview.constructor', { preview: PREVIEW }, 'absent'],
  ['target.name', {}, 'payments'],
  ['target.owner', {}, 'team-pay'],
  ['target.owner', DB, 'absent'],
  ['target.labels.team', {}, 'pay'],
  ['target.labels.constructor', {}, 'absent'],
  ['target.environment', {}, 'missing'],
  ['target.environment', { environment: 'staging' }, 'staging'],
  ['target.environment', DB, 'staging'],
  ['target.environment', { ...DB, environment: 'production' }, 'production'],
  ['operation.kind', {}, 'money.transfer'],
  ['operation.class', DB, 'conditional'],
  ['operation.kind', { operation: 'unknown' }, 'missing'],
  ['principal.agent', { roles: [] }, 'bot'],
  ['principal.roles', { roles: ['r'] }, ['r']],
  ['principal.roles', {}, 'missing'],
  ['principal.delegator', { roles: [] }, 'absent'],
  ['principal.delegator', { roles: [], delegator: 'dana' }, 'dana'],
  ['facts.level', {}, 'missing'],
  [
    'facts.level',
    {
      facts: {
        level: { kind: 'known', value: { value: 2, source: 's', observedAt: NOW, tookMs: 1 } },
      },
    },
    2n,
  ],
  ['facts.level', { facts: { level: { kind: 'failed', code: 'x', message: 'y' } } }, 'missing'],
  ['facts.constructor', {}, 'missing'],
  ['now', {}, new Timestamp(NOW)],
  ['something.else', {}, 'missing'],
  ['target.x', {}, 'absent'],
  ['target.owner', { target: 'nowhere' }, 'missing'],
  ['target.environment', { target: 'nowhere' }, 'missing'],
  ['measures.amount', { operation: 'unknown' }, 'missing'],
  ['principal', { roles: ['r'] }, { agent: 'bot', roles: ['r'] }],
  [
    'facts.level',
    {
      facts: Object.create({
        level: { kind: 'known', value: { value: 2, source: 's', observedAt: NOW, tookMs: 1 } },
      }) as Record<string, never>,
    },
    'missing',
  ],
];

function convertedOf(args: { readonly amount: string }): unknown {
  const input = shopInput({ target: 'payments', operation: 'refund', args });
  const answer = scopeOf({ ...input, action: { ...input.action, args } }).read('args');
  return answer.kind === 'value' ? answer.value : undefined;
}

describe('a scope', () => {
  for (const [index, [reference, parts, expected]] of CASES.entries()) {
    test(`reads ${reference} (${String(index)})`, () =>
      assert.deepEqual(read(reference, parts), expected));
  }

  test('reads `fact` as the fact it is asked about, and everything else as ever', () => {
    const value = { state: 'ok' };
    const scope = scopeOf(
      shopInput({
        target: 'payments',
        operation: 'refund',
        facts: {
          ticket: { kind: 'known', value: { value, source: 's', observedAt: NOW, tookMs: 1 } },
        },
      }),
    );
    const fact = factScopeOf(scope, 'ticket');
    assert.deepEqual(fact.read('fact.state'), { kind: 'value', value: 'ok' });
    assert.deepEqual(fact.read('fact'), { kind: 'value', value });
    assert.deepEqual(fact.read('facts.ticket.state'), { kind: 'value', value: 'ok' });
    assert.deepEqual(fact.read('target.name'), { kind: 'value', value: 'payments' });
  });

  test('says that a measure is not of its type, and gives no number from a text', () => {
    const operation = operationOf({
      name: 'o',
      target: 't',
      kind: 'data.delete',
      measures: { rows: 'preview.rows' },
    });
    const inventory = inventoryOf([targetOf('t', [operation])]);
    const rows = (value: number | string): unknown =>
      read('measures.rows', {
        inventory,
        target: 't',
        operation: 'o',
        preview: {
          kind: 'known',
          value: { material: { rows: value }, context: {}, observedAt: NOW },
        },
      });
    assert.deepEqual([rows(3), rows('3'), rows(3.5)], [3n, 'error', 'error']);
  });

  const reasons: readonly (readonly [string, Partial<ShopInput>, string, RegExp])[] = [
    ['args.x', { operation: 'unknown' }, 'args', /operation is not known/u],
    ['preview.x', {}, 'preview', /the preview is not known yet/u],
    [
      'context.x',
      { preview: { kind: 'failed', code: 'x', message: 'it broke' } },
      'context',
      /the preview is not known: it broke/u,
    ],
    ['target.environment', {}, 'target.environment', /the environment is not known yet/u],
    ['target.owner', { target: 'nowhere' }, 'target.owner', /target is not known/u],
    ['operation.kind', { operation: 'unknown' }, 'operation', /operation is not known/u],
    ['principal.agent', {}, 'principal', /agent is not known/u],
    ['facts.level', {}, 'facts.level', /the fact `level` is not known yet/u],
    [
      'facts.level',
      { facts: { level: { kind: 'failed', code: 'x', message: 'no route' } } },
      'facts.level',
      /the fact `level` is not known: no route/u,
    ],
  ];
  for (const [index, [reference, parts, missing, message]] of reasons.entries()) {
    test(`says why ${reference} is not known (${String(index)})`, () => {
      const answer = scopeOf(shopInput({ target: 'payments', operation: 'refund', ...parts })).read(
        reference,
      );
      assert.ok(answer.kind === 'missing');
      assert.equal(answer.reference, missing);
      assert.equal(answer.absent ?? false, false);
      assert.match(answer.message, message);
    });
  }

  test('says the environment of no target to nobody', () => {
    const answer = readEnvironment(shopInput({ target: 'nowhere', operation: 'refund' }));
    assert.ok(answer.kind === 'missing');
    assert.equal(answer.reference, 'target.environment');
  });

  let fresh = 0;

  test('reads a name that was never read before as any other', () => {
    fresh += 1;
    const name = `name-${String(fresh)}`;
    const inventory = inventoryOf([
      targetOf('t', [operationOf({ name: 'o', target: 't', kind: 'api.call' })], {
        labels: { [name]: 'label' },
      }),
    ]);
    const parts: ShopInput = {
      inventory,
      target: 't',
      operation: 'o',
      preview: {
        kind: 'known',
        value: { material: { [name]: 'shown', other: 1 }, context: {}, observedAt: NOW },
      },
      facts: {
        [name]: { kind: 'known', value: { value: 'f', source: 's', observedAt: NOW, tookMs: 1 } },
      },
    };
    const scope = scopeOf(shopInput(parts));
    for (const _again of [1, 2]) {
      assert.deepEqual(scope.read(`target.labels.${name}`), { kind: 'value', value: 'label' });
      assert.deepEqual(scope.read(`preview.${name}`), { kind: 'value', value: 'shown' });
      assert.deepEqual(scope.read(`facts.${name}`), { kind: 'value', value: 'f' });
      assert.deepEqual(scope.read('preview'), {
        kind: 'value',
        value: { [name]: 'shown', other: 1 },
      });
    }
  });

  test('converts frozen arguments once, and others whenever they are read', () => {
    const frozen = Object.freeze({ amount: '1.00' });
    assert.equal(convertedOf(frozen), convertedOf(frozen));
    assert.ok(Object.isFrozen(convertedOf(frozen)));
    const open = { amount: '1.00' };
    convertedOf(open);
    open.amount = '2.00';
    assert.deepEqual(convertedOf(open), convertedOf({ amount: '2.00' }));
  });

  test('converts the same arguments anew for another operation', () => {
    const args = Object.freeze({ amount: '1.00' });
    const input = shopInput({ target: 'payments', operation: 'refund', args });
    const of = (operation: DecisionInput['operation']): unknown =>
      scopeOf({ ...input, action: { ...input.action, args }, operation }).read('args.amount');
    assert.ok(input.operation !== undefined);
    assert.deepEqual(of(input.operation), { kind: 'value', value: parseDecimal('1.00') });
    const text = { type: { kind: 'string', lengthMax: 9 }, optional: false } as const;
    assert.deepEqual(of({ ...input.operation, arguments: { amount: text } }), {
      kind: 'value',
      value: '1.00',
    });
  });

  test('of `once` reads the arguments and nothing else', () => {
    const { operation } = shopInput({ target: 'payments', operation: 'refund' });
    assert.ok(operation !== undefined);
    const scope = scopeOfArguments(operation, { charge: 'ch' });
    assert.deepEqual(scope.read('args.charge'), { kind: 'value', value: 'ch' });
    assert.equal(scope.read('target.name').kind, 'missing');
  });

  test('answers the same for every read of one decision', () => {
    const scope = scopeOf(
      shopInput({ target: 'payments', operation: 'refund', args: { amount: '1.00' } }),
    );
    assert.equal(scope.read('args.amount'), scope.read('args.amount'));
  });
});
