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
import { factScopeOf, scopeOf } from './scope.ts';

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
];

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

  test('answers the same for every read of one decision', () => {
    const scope = scopeOf(
      shopInput({ target: 'payments', operation: 'refund', args: { amount: '1.00' } }),
    );
    assert.equal(scope.read('args.amount'), scope.read('args.amount'));
  });
});
