import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileExpression } from '../expression.ts';
import { EXPRESSION_LIMITS } from './limits.ts';
import { ruleEnvironment } from './roots.ts';
import { DECIMAL, INT, objectOf, STRING, TIMESTAMP, type ObjectType } from './value-type.ts';

const ARGS: ObjectType = {
  kind: 'object',
  what: 'args',
  fields: new Map([
    ['n', { type: INT, optional: false }],
    ['s', { type: STRING, optional: false }],
    ['d', { type: DECIMAL, optional: false }],
    ['t', { type: TIMESTAMP, optional: false }],
    ['e', { type: { kind: 'string', values: ['red', 'blue'] }, optional: false }],
    ['xs', { type: { kind: 'list', items: INT, itemsMax: 100 }, optional: false }],
    [
      'os',
      {
        type: { kind: 'list', itemsMax: 20, items: objectOf('os', { d: DECIMAL }) },
        optional: false,
      },
    ],
    ['maybe', { type: INT, optional: true }],
  ]),
};
const ENVIRONMENT = ruleEnvironment({
  args: ARGS,
  measures: objectOf('measures', { amount: DECIMAL, rows: INT }),
  facts: objectOf('facts', { level: DECIMAL, since: TIMESTAMP, state: STRING }),
  labels: objectOf('target.labels', { team: STRING, 'cost-center': STRING }),
});

function problemsOf(source: string): readonly string[] {
  const answer = compileExpression(source, { environment: ENVIRONMENT, result: 'any' });
  return 'problems' in answer
    ? answer.problems.map(
        ({ code, start }) => `${code.replace('expression_', '')}@${String(start)}`,
      )
    : [];
}

function firstCode(source: string): string | undefined {
  return problemsOf(source)[0]?.split('@')[0];
}

function repeated(count: number, part: string, by: string): string {
  return Array.from({ length: count }, () => part).join(by);
}

function listEnvironment(itemsMax: number): typeof ENVIRONMENT {
  return ruleEnvironment({
    args: objectOf('args', { xs: { kind: 'list', items: INT, itemsMax } }),
    measures: objectOf('measures', {}),
    facts: objectOf('facts', {}),
    labels: objectOf('target.labels', {}),
  });
}

const PROBLEM_CASES: readonly (readonly [string, readonly string[]])[] = [
  ['', ['syntax@0']],
  ['args.n ==', ['syntax@9']],
  ['a b', ['syntax@2']],
  ['1e3 < args.n', ['syntax@0']],
  ['0x10 == args.n', ['syntax@0']],
  ['5u == args.n', ['syntax@0']],
  ['b"x" == args.s', ['syntax@0']],
  ['args.n == 1000000000000000000', ['syntax@10']],
  ['{"a": 1} == args', ['syntax@0']],
  ['args.nn == 1', ['unknown@5']],
  ['arg.n == 1', ['unknown@0']],
  ['args', ['type@0']],
  ['args.n.x == 1', ['type@7']],
  ['target.labels.tema == "x"', ['unknown@14']],
  ['target.labels["tema"] == "x"', ['unknown@14']],
  ['target.labels[args.s] == "x"', ['type@14']],
  ['measures.amount == "500.00"', ['type@0']],
  ['args.n == "5"', ['type@0']],
  ['args.s < 5', ['type@0']],
  ['args.n == null', ['type@0']],
  ['args.e == "green"', ['literal@10']],
  ['measures.amount / 3 > 1', ['type@0']],
  ['measures.amount % 3 > 1', ['type@0']],
  ['args.n + args.s == 1', ['type@0']],
  ['!args.n', ['type@1']],
  ['-args.s', ['type@0']],
  ['args.n && true', ['type@0']],
  ['true || args.s', ['type@8']],
  ['args.n ? 1 : 2', ['type@0']],
  ['true ? 1 : "x"', ['type@11']],
  ['[1, "x"] == [1]', ['type@4']],
  ['args.n in args.s', ['type@0']],
  ['"x" in args.xs', ['type@0']],
  ['args.xs["x"] == 1', ['type@8']],
  ['foo(1)', ['unknown@0']],
  ['args.s.split(",")', ['unknown@0']],
  ['args.t.getHours() == 1', ['unknown@0']],
  ['double(args.n) == 1', ['unknown@0']],
  ['size(args.n) == 1', ['type@0']],
  ['size(args.s, args.s) == 1', ['type@0']],
  ['args.s.decimal() == 1.0', ['type@0']],
  ['decimal("1e5") == 1', ['literal@8']],
  ['timestamp("tomorrow") > now', ['literal@10']],
  ['duration("1 hour") > duration("1h")', ['literal@9']],
  ['args.s.matches(args.s)', ['literal@15']],
  ['args.s.matches("(?=x)")', ['literal@15']],
  ['args.s.matches("(a")', ['literal@15']],
  ['args.n.matches("a")', ['type@0']],
  ['has(args)', ['type@4']],
  ['has(args.nope)', ['unknown@9']],
  ['args.xs.all(args, true)', ['type@12']],
  ['args.xs.all(x, args.xs.all(x, true))', ['type@27']],
  ['args.xs.all(1, true)', ['syntax@12']],
  ['args.xs.all(x, x)', ['type@15']],
  ['args.n.all(x, true)', ['type@0']],
  ['args.xs.all(x, true, true)', ['type@0']],
  ['args.xs.all(x, args.xs.all(y, args.xs.all(z, true)))', ['costly@30']],
  ['args.a == 1 && args.b == 2', ['unknown@5', 'unknown@20']],
];

describe('an expression that cannot be used', () => {
  for (const [source, expected] of PROBLEM_CASES) {
    test(`${source === '' ? '(empty)' : source}: ${expected.join(', ')}`, () =>
      assert.deepEqual(problemsOf(source), expected));
  }

  test('says what was meant', () => {
    const answer = compileExpression('measures.amuont > 1', {
      environment: ENVIRONMENT,
      result: 'boolean',
    });
    assert.deepEqual(
      'problems' in answer ? answer.problems[0]?.hint : undefined,
      'did you mean `amount`?',
    );
  });

  const {
    sourceLengthMax,
    nodesMax,
    depthMax,
    listLiteralMax,
    patternLengthMax,
    callArgumentsMax,
  } = EXPRESSION_LIMITS;
  const limits: readonly (readonly [string, (count: number) => string, number])[] = [
    ['characters', (count) => `args.s == "${'x'.repeat(count - 12)}"`, sourceLengthMax],
    // Each conjunct is a literal, and each `&&` a node.
    [
      'nodes',
      (count) =>
        `${'!'.repeat((count + 1) % 2)}${repeated(Math.floor((count + 1) / 2), 'true', '&&')}`,
      nodesMax,
    ],
    ['levels', (count) => `${'('.repeat(count - 1)}true${')'.repeat(count - 1)}`, depthMax],
    ['items of a list', (count) => `args.n in [${repeated(count, '1', ',')}]`, listLiteralMax],
    [
      'characters of a pattern',
      (count) => `args.s.matches("${'x'.repeat(count)}")`,
      patternLengthMax,
    ],
  ];
  for (const [what, source, limit] of limits) {
    test(`has at most ${String(limit)} ${what}`, () => {
      assert.deepEqual(problemsOf(source(limit)), []);
      assert.ok(
        ['costly', 'literal'].includes(firstCode(source(limit + 1)) ?? ''),
        firstCode(source(limit + 1)),
      );
    });
  }

  test('calls with at most so many values', () => {
    assert.equal(firstCode(`foo(${repeated(callArgumentsMax, '1', ',')})`), 'unknown');
    assert.equal(firstCode(`foo(${repeated(callArgumentsMax + 1, '1', ',')})`), 'costly');
  });

  test('takes at most so many steps, by the declared lengths of lists', () => {
    // One step for the list and one for the whole; four for each item.
    const itemsMax = (EXPRESSION_LIMITS.costMax - 2) / 4;
    const source = 'args.xs.all(x, x > 0)';
    const codes = (max: number): unknown =>
      compileExpression(source, { environment: listEnvironment(max), result: 'boolean' });
    assert.ok('expression' in Object(codes(Math.floor(itemsMax))));
    assert.ok('problems' in Object(codes(Math.floor(itemsMax) + 1)));
  });

  test('has no pattern that grows too large a machine', () => {
    assert.equal(firstCode('args.s.matches("(a{1,30}){1,30}")'), undefined);
    assert.equal(firstCode('args.s.matches("(a{1,100}){1,10}b{1000}")'), 'literal');
  });
});
