import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  inventoryOf,
  operationOf,
  shopInput,
  targetOf,
  type ShopInput,
} from '../../../test/fixtures/shop-inventory.ts';
import type { DecisionInput } from '../decision.ts';
import { compileExpression } from '../expression.ts';
import { ruleEnvironment } from '../expression/roots.ts';
import { Timestamp } from '../expression/value.ts';
import { parseDecimal } from '../decimal.ts';
import { BOOL, DECIMAL, DYN, INT, objectOf, STRING } from '../expression/value-type.ts';
import { SHOWN_LENGTH_MAX } from '../finding.ts';
import type { Kind } from '../kind.ts';
import type { Operation } from '../inventory.ts';
import type { CompiledRule, Scope } from '../policy/compiled.ts';
import { argumentOf, clauseLine, clausesText, whatText } from './values.ts';

const money = { kind: 'money', currency: 'EUR', minorDigits: 2 } as const;
const text = { kind: 'string', lengthMax: 300 } as const;

function inputOf(
  parts: Partial<Operation> & { readonly kind: Kind },
  input: Partial<ShopInput> = {},
): DecisionInput {
  const operation = operationOf({ name: 'act', target: 't', ...parts });
  return shopInput({
    target: 't',
    operation: 'act',
    inventory: inventoryOf([targetOf('t', [operation])]),
    environment: 'production',
    ...input,
  });
}

const PAID = { amount: { type: money, optional: false } };

describe('what would be done', () => {
  test('without arguments is the operation', () => {
    assert.equal(whatText(inputOf({ kind: 'api.call' })), 'act');
  });

  test('names all arguments in order', () => {
    const input = inputOf(
      {
        kind: 'api.call',
        arguments: {
          b: { type: text, optional: false },
          a: { type: { kind: 'integer' }, optional: false },
        },
      },
      { args: { b: 'x', a: 5 } },
    );
    assert.equal(whatText(input), 'act a 5, b x');
  });

  test('of an operation that nobody knows is what was asked', () => {
    const unknown = shopInput({ target: 't', operation: 'nope', args: { x: null } });
    assert.equal(whatText(unknown), 'nope x none');
  });

  const monies: readonly (readonly [
    string,
    Partial<Operation> & { readonly kind: Kind },
    Partial<ShopInput>,
    string,
  ])[] = [
    [
      'an amount in the currency that its argument declares',
      { kind: 'money.transfer', arguments: PAID, measures: { amount: 'args.amount' } },
      { args: { amount: '4.50' } },
      'act 4.50 EUR',
    ],
    [
      'the currency that is measured',
      {
        kind: 'money.transfer',
        arguments: { ...PAID, c: { type: text, optional: false } },
        measures: { amount: 'args.amount', currency: 'args.c' },
      },
      { args: { amount: '4.50', c: 'USD' } },
      'act 4.50 USD',
    ],
    [
      'no currency, where the amount is computed',
      { kind: 'money.transfer', arguments: PAID, measures: { amount: 'args.amount * 2' } },
      { args: { amount: '4.50' } },
      'act 9.00',
    ],
    [
      'no currency, where the argument is no money',
      {
        kind: 'money.transfer',
        arguments: { amount: { type: { kind: 'decimal' }, optional: false } },
        measures: { amount: 'args.amount' },
      },
      { args: { amount: '4.5' } },
      'act 4.5',
    ],
    [
      'to whom',
      {
        kind: 'money.transfer',
        arguments: { ...PAID, who: { type: text, optional: false } },
        measures: { amount: 'args.amount', payee: 'args.who' },
      },
      { args: { amount: '4.50', who: 'mei' } },
      'act 4.50 EUR to mei',
    ],
    [
      'with whom',
      {
        kind: 'contract.commit',
        arguments: { ...PAID, who: { type: text, optional: false } },
        measures: { amount: 'args.amount', counterparty: 'args.who' },
      },
      { args: { amount: '4.50', who: 'acme' } },
      'act 4.50 EUR to acme',
    ],
  ];
  for (const [what, operation, input, expected] of monies) {
    test(`of money names ${what}`, () => {
      assert.equal(whatText(inputOf(operation, input)), expected);
    });
  }

  test('is cut where it is twice as long as anything shown', () => {
    const operation = {
      kind: 'api.call',
      arguments: Object.fromEntries(
        ['a', 'b', 'c', 'd', 'e'].map((name) => [name, { type: text, optional: false }]),
      ),
    } as const;
    const max = 2 * SHOWN_LENGTH_MAX;
    const textOf = (length: number): string => {
      // `act a ` and `, b ` and so on stand between; the values share what is left.
      const names = ['a', 'b', 'c', 'd', 'e'];
      const rest = length - 'act '.length - names.length * 2 - (names.length - 1) * 2;
      const each = Math.floor(rest / names.length);
      const args = Object.fromEntries(
        names.map((name, index) => [name, 'x'.repeat(index === 0 ? rest - each * 4 : each)]),
      );
      return whatText(inputOf(operation, { args }));
    };
    assert.equal(textOf(max).length, max);
    assert.ok(!textOf(max).endsWith('…'));
    const cut = textOf(max + 1);
    assert.equal(cut.length, max);
    assert.ok(cut.endsWith('x…'));
  });

  test('has an argument behind a measure only where it is that argument as it is', () => {
    const cases: readonly (readonly [string, string | undefined])[] = [
      ['args.amount', 'amount'],
      [' args.amount\n', 'amount'],
      ['args.amount * 2', undefined],
      ['-args.amount', undefined],
      ['args.a.b', undefined],
      ['', undefined],
    ];
    for (const [expression, argument] of cases) assert.equal(argumentOf(expression), argument);
  });
});

const ENVIRONMENT = ruleEnvironment({
  args: objectOf('args', { n: INT, d: DECIMAL, s: STRING, b: BOOL, x: DYN }),
  measures: objectOf('measures', { amount: DECIMAL }),
  facts: objectOf('facts', {}),
  labels: objectOf('target.labels', {}),
});
const VALUES: Readonly<Record<string, unknown>> = {
  'args.n': 5n,
  'args.d': parseDecimal('1.50'),
  'args.s': 'abc',
  'args.b': true,
  'args.x': ['a'],
  'measures.amount': parseDecimal('600.00'),
  'context.nothing': null,
  'context.number': 1.5,
  'target.name': 'pay',
  now: new Timestamp(0),
};
const scope: Scope = {
  input: inputOf({ kind: 'api.call' }),
  read: (reference) =>
    reference in VALUES
      ? { kind: 'value', value: VALUES[reference] }
      : { kind: 'missing', reference, message: 'not known' },
};

function ruleOf(when?: string): CompiledRule {
  const position = { file: 'p', line: 1, column: 1 };
  const rule = {
    id: 'r',
    effect: 'allow',
    match: {},
    requires: [],
    shadow: false,
    position,
  } as const;
  if (when === undefined) return { rule, when, requires: [] };
  const answer = compileExpression(when, { environment: ENVIRONMENT, result: 'boolean' });
  assert.ok('expression' in answer, JSON.stringify(answer));
  return { rule, when: answer.expression, requires: [] };
}

describe('the clauses of a rule', () => {
  test('apply always where there are none', () => {
    assert.equal(clausesText(ruleOf(), scope), 'applies always');
    assert.equal(clauseLine(ruleOf(), scope), undefined);
  });

  const texts: readonly (readonly [string, string])[] = [
    ['args.n == 5', 'n 5 == 5'],
    ['measures.amount <= 500.00', 'amount 600.00 <= 500.00'],
    ['args.d > 1', 'd 1.50 > 1'],
    ['args.s == "abc"', 's abc == "abc"'],
    ['args.b == true', 'b true == true'],
    ['target.name == "pay"', 'target.name pay == "pay"'],
    ['context.nothing == 5', 'context.nothing none == 5'],
    ['context.number == 5', 'context.number 1.5 == 5'],
    ['preview.x == 5', 'preview.x == 5'],
    ['preview.args.x == 5', 'preview.args.x == 5'],
    ['now > timestamp("2026-01-01T00:00:00Z")', 'now > timestamp("2026-01-01T00:00:00Z")'],
    ['args.x == 5', 'x == 5'],
    ['args.n in [1, 2]', 'args.n in [1, 2]'],
    ['args.n == 5 && args.b', 'n 5 == 5 and args.b'],
  ];
  for (const [when, expected] of texts) {
    test(`${when}: ${expected}`, () => {
      assert.equal(clausesText(ruleOf(when), scope), expected);
    });
  }

  const lines: readonly (readonly [string, string | undefined])[] = [
    ['args.n == 5', undefined],
    ['args.n == 6', 'applies only if n 5 == 6'],
    ['args.n == 6 && args.b && args.s == "x"', 'applies only if n 5 == 6 and s abc == "x"'],
    ['preview.x == 5', undefined],
    ['preview.x == 5 && args.n == 6', 'applies only if n 5 == 6'],
  ];
  for (const [when, expected] of lines) {
    test(`${when} is kept from applying by: ${expected ?? 'nothing that is known'}`, () => {
      assert.equal(clauseLine(ruleOf(when), scope), expected);
    });
  }
});
