import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileExpression } from '../expression.ts';
import type { Clause } from '../policy/compiled.ts';
import { sliceOf } from './clause.ts';
import { ruleEnvironment } from './roots.ts';
import { BOOL, DECIMAL, INT, objectOf, STRING } from './value-type.ts';

const ENVIRONMENT = ruleEnvironment({
  args: objectOf('args', {
    n: INT,
    m: INT,
    s: STRING,
    b: BOOL,
    xs: { kind: 'list', items: INT, itemsMax: 3 },
  }),
  measures: objectOf('measures', { amount: DECIMAL }),
  facts: objectOf('facts', {}),
  labels: objectOf('target.labels', { team: STRING }),
});

function clausesOf(source: string): readonly Clause[] {
  const answer = compileExpression(source, { environment: ENVIRONMENT, result: 'boolean' });
  assert.ok('expression' in answer, JSON.stringify(answer));
  return answer.expression.clauses;
}

/** The comparison as `REFERENCE OPERATOR LITERAL`, or `undefined`. */
function comparisonOf(source: string): string | undefined {
  const [clause] = clausesOf(source);
  const comparison = clause?.comparison;
  return comparison && `${comparison.reference} ${comparison.operator} ${comparison.literal}`;
}

const COMPARISONS: readonly (readonly [string, string | undefined])[] = [
  ['args.n < 5', 'args.n < 5'],
  ['args.n <= 5', 'args.n <= 5'],
  ['args.n > 5', 'args.n > 5'],
  ['args.n >= 5', 'args.n >= 5'],
  ['args.n == 5', 'args.n == 5'],
  ['args.n != 5', 'args.n != 5'],
  ['5 < args.n', 'args.n > 5'],
  ['5 <= args.n', 'args.n >= 5'],
  ['5 > args.n', 'args.n < 5'],
  ['5 >= args.n', 'args.n <= 5'],
  ['5 == args.n', 'args.n == 5'],
  ['5 != args.n', 'args.n != 5'],
  ['args.n == -5', 'args.n == -5'],
  ['args.s == "a b"', 'args.s == "a b"'],
  ['now < timestamp("2026-01-01T00:00:00Z")', 'now < timestamp("2026-01-01T00:00:00Z")'],
  ['measures.amount <= decimal("20.00")', 'measures.amount <= 20.00'],
  ["measures.amount <= decimal( '20.00' )", 'measures.amount <= 20.00'],
  ['decimal("20.00") > measures.amount', 'measures.amount < 20.00'],
  ['preview.a.b == 1', 'preview.a.b == 1'],
  ['args.n in [1]', undefined],
  ['args.n == args.m', undefined],
  ['args.n + 1 == 5', undefined],
  ['5 == args.n + 1', undefined],
  ['-args.n == 5', undefined],
  ['args.n == -args.n', undefined],
  ['-args.n == -args.n', undefined],
  ['args.n == 5 + 5', undefined],
  ['args.xs[0] == 5', undefined],
  ['context.a[0].b == 5', undefined],
  ['target.labels["team"] == "a"', undefined],
  ['size(args.s) == 5', undefined],
  ['5 == size(args.s)', undefined],
  ['1 == 1', undefined],
  ['args.b', undefined],
  ['args.b || args.b', undefined],
  ['!args.b', undefined],
];

const SOURCES: readonly (readonly [string, readonly string[]])[] = [
  ['args.b', ['args.b']],
  ['args.b && !args.b', ['args.b', '!args.b']],
  ['(args.b && args.n == 1) && (args.s == "x")', ['args.b', 'args.n == 1', 'args.s == "x"']],
  ['args.b && (args.b && (args.n == 1))', ['args.b', 'args.b', 'args.n == 1']],
  ['(args.b || args.b) && args.b', ['args.b || args.b', 'args.b']],
  ['args.b || args.b && args.b', ['args.b || args.b && args.b']],
  ['(args.n + 1) * 2 > 3 && args.b', ['(args.n + 1) * 2 > 3', 'args.b']],
  ['((args.n + 1)) * 2 > 3 && args.b', ['((args.n + 1)) * 2 > 3', 'args.b']],
  ['args.b && 3 < 2 * (args.n + (1))', ['args.b', '3 < 2 * (args.n + (1))']],
  ['args.b && 3 < 2 * ( args.n + 1 )', ['args.b', '3 < 2 * ( args.n + 1 )']],
  ['args.b && ( args.s == ")" ) && args.b', ['args.b', 'args.s == ")"', 'args.b']],
  ["args.b && (args.s == '(') && args.b", ['args.b', "args.s == '('", 'args.b']],
  ['args.b && args.s == "\\")" && args.b', ['args.b', 'args.s == "\\")"', 'args.b']],
  ["args.b && args.s == '\\')' && args.b", ['args.b', "args.s == '\\')'", 'args.b']],
];

describe('the conjuncts of a condition', () => {
  for (const [source, expected] of COMPARISONS) {
    test(`${source}: ${expected === undefined ? 'is no comparison with a literal' : expected}`, () => {
      assert.equal(comparisonOf(source), expected);
    });
  }

  test('of what is no condition compare nothing', () => {
    const answer = compileExpression('args.n + 1', { environment: ENVIRONMENT, result: 'number' });
    assert.ok('expression' in answer);
    assert.deepEqual(
      answer.expression.clauses.map((clause) => Object.keys(clause)),
      [['source', 'references', 'evaluate']],
    );
  });

  for (const [source, expected] of SOURCES) {
    test(`${source}: ${expected.join(' | ')}`, () => {
      assert.deepEqual(
        clausesOf(source).map((clause) => clause.source),
        expected,
      );
    });
  }

  const slices: readonly (readonly [string, string, string])[] = [
    ['(a) + b', 'a) + b', '(a) + b'],
    ['((a) + b)', 'a) + b', '(a) + b'],
    ['( a) + b', 'a) + b', '( a) + b'],
    ['(a + b)*c', '(a + b', '(a + b)'],
    ['a * (b + c)', 'a * (b + c', 'a * (b + c)'],
    ['x + ((a)) + b', 'a)) + b', '((a)) + b'],
    ['f((a), (b)) ', '(a), (b)', '(a), (b)'],
    [' a ', ' a ', 'a'],
    ['a) + b', 'a) + b', 'a) + b'],
    ['(a + b', '(a + b', '(a + b'],
    ['")" + (a) + b', '")" + (a', '")" + (a)'],
    ['(a)(b', 'a)(b', '(a)(b'],
  ];
  for (const [source, part, expected] of slices) {
    test(`of which the tree has \`${part}\` are written \`${expected}\``, () => {
      const start = source.indexOf(part);
      assert.equal(sliceOf(source, { start, end: start + part.length }), expected);
    });
  }
});
