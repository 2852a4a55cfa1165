import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Environment as CelEnvironment } from '@marcbachmann/cel-js';
import * as fc from 'fast-check';
import { isDecimal, parseDecimal } from './decimal.ts';
import { compileExpression, type ExpressionResults } from './expression.ts';
import { UNDECLARED_LIST_ITEMS_MAX } from './expression/limits.ts';
import { ruleEnvironment, withFact } from './expression/roots.ts';
import { jsonOfValue, Timestamp, Duration } from './expression/value.ts';
import {
  DECIMAL,
  INT,
  objectOf,
  STRING,
  TIMESTAMP,
  type ObjectType,
} from './expression/value-type.ts';
import type { Evaluated, Expression, Readable } from './policy/compiled.ts';

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

/** What is known; `absent` is known not to be there, and everything else is not known yet. */
const VALUES: Readonly<Record<string, unknown>> = {
  'args.n': 5n,
  'args.s': 'abc',
  'args.d': parseDecimal('1.50'),
  'args.t': new Timestamp(0),
  'args.e': 'red',
  'args.xs': [1n, 2n, 3n],
  'args.os': [{ d: parseDecimal('0.1') }, { d: parseDecimal('0.2') }],
  'measures.amount': parseDecimal('500.00'),
  'target.labels': { team: 'pay', 'cost-center': '7' },
  'facts.level': 0.1,
  'facts.since': '2026-11-22T04:00:00Z',
  'facts.state': 7,
  context: {
    k: 1,
    list: [1, 2.5, 'x'],
    o: { a: null },
    big: Array.from({ length: UNDECLARED_LIST_ITEMS_MAX + 1 }, () => 1),
  },
  'context.k': 1n,
  'context.list': [1, 2.5, 'x'],
  'context.o': { a: null },
  'context.big': Array.from({ length: UNDECLARED_LIST_ITEMS_MAX + 1 }, () => 1),
  now: new Timestamp(1000),
};
const ABSENT = new Set(['args.maybe', 'context.gone']);
const scope: Readable = {
  read: (reference) => {
    if (reference in VALUES) return { kind: 'value', value: VALUES[reference] };
    return { kind: 'missing', reference, message: 'not known', absent: ABSENT.has(reference) };
  },
};

function compiled<Result extends keyof ExpressionResults>(
  source: string,
  result: Result,
): Expression<ExpressionResults[Result]> {
  const answer = compileExpression(source, { environment: ENVIRONMENT, result });
  assert.ok('expression' in answer, `${source}: ${JSON.stringify(answer)}`);
  return answer.expression;
}

function evaluate(source: string): unknown {
  const answer: Evaluated<unknown> = compiled(source, 'any').evaluate(scope);
  return answer.kind === 'value' ? jsonOfValue(answer.value) : answer.kind;
}

function problemsOf(source: string): readonly string[] {
  const answer = compileExpression(source, { environment: ENVIRONMENT, result: 'any' });
  return 'problems' in answer
    ? answer.problems.map(
        ({ code, start }) => `${code.replace('expression_', '')}@${String(start)}`,
      )
    : [];
}

const VALUE_CASES: readonly (readonly [string, unknown])[] = [
  // Exact numbers
  ['0.1 + 0.2 == 0.3', true],
  ['0.1 + 0.2', '0.3'],
  ['measures.amount <= 500.00', true],
  ['measures.amount <= 499.99', false],
  ['measures.amount == 500', true],
  ['500.001 > measures.amount', true],
  ['measures.amount * 3 - 0.50', '1499.50'],
  ['decimal("500.00") == measures.amount', true],
  ['args.n / 2', 2],
  ['-args.n % 3', -2],
  ['args.n > 4.99', true],
  ['9007199254740993 - 9007199254740992', 1],
  ['args.n / 0 == 1', 'error'],
  ['args.n * 999999999999999999 * 999999999999999999 > 0', 'error'],
  // Texts, lists, members
  ['args.s + "d"', 'abcd'],
  ['"\\U0001F600" > "\\uFFFD"', true],
  ['size("\\U0001F600a") == 2', true],
  ['args.s.startsWith("ab") && args.s.endsWith("bc") && args.s.contains("b")', true],
  ['args.s.upperAscii()', 'ABC'],
  ['"İ".lowerAscii() == "İ"', true],
  ['args.s.matches("^a.c$")', true],
  ['args.s.matches("b")', true],
  ['args.n in [1, 5] && !(args.n in [2])', true],
  ['"team" in target.labels', 'problem'],
  ['target.labels["cost-center"]', '7'],
  ['args.xs[2] + args.xs.size()', 6],
  ['args.xs[3] == 1', 'error'],
  ['args.xs.all(x, x > 0) && args.xs.exists(x, x == 3) && args.xs.exists_one(x, x == 3)', true],
  ['args.xs.filter(x, x > 1).map(x, x * 2)', [4, 6]],
  ['args.os.map(o, o.d)', ['0.1', '0.2']],
  ['args.xs.exists(x, args.xs.exists(y, x + y == 6))', true],
  ['args.n == 5 ? "five" : "other"', 'five'],
  // Time
  ['now - args.t == duration("1s")', true],
  ['now < args.t + duration("1d")', true],
  ['timestamp("2026-11-22T04:12:00Z") > now', true],
  ['duration("1h30m") == duration("90m")', true],
  // JSON from elsewhere
  ['context.k == 1 && context.list[1] == 2.5', true],
  ['context.list[1] + 0.5', '3.0'],
  ['context.list.exists(x, x == "x")', true],
  ['context.list == [1, 2.5, "x"]', 'problem'],
  ['context.o["a"] == null', true],
  ['context.k < "x"', 'error'],
  ['context.k && true', 'error'],
  ['context.big.all(x, x == 1)', 'error'],
  ['facts.level == 0.1', true],
  ['facts.since < timestamp("2026-11-22T05:00:00Z")', true],
  ['facts.state == "x"', 'error'],
  // What is missing
  ['preview.x == 1', 'missing'],
  ['!(preview.x == 1)', 'missing'],
  ['false && preview.x == 1', false],
  ['preview.x == 1 && false', false],
  ['preview.x == 1 || true', true],
  ['true && preview.x == 1', 'missing'],
  ['preview.x == 1 || false', 'missing'],
  ['args.n / 0 == 1 && args.n == 6', false],
  ['preview.x == 1 ? 1 : 1', 'missing'],
  ['args.xs.exists(x, x == 1 || preview.x == x)', true],
  ['args.xs.all(x, x == 1 || preview.x == x)', 'missing'],
  ['[1, preview.x].exists(x, x == 1)', 'missing'],
  // has
  ['has(args.maybe)', false],
  ['has(args.n)', true],
  ['has(args.maybe) && args.maybe > 1', false],
  ['args.maybe > 1', 'missing'],
  ['has(context.gone)', false],
  ['has(preview.x)', 'missing'],
];

describe('an expression', () => {
  for (const [source, expected] of VALUE_CASES) {
    test(`${source} gives ${JSON.stringify(expected)}`, () => {
      if (expected === 'problem') assert.notDeepEqual(problemsOf(source), []);
      else assert.deepEqual(evaluate(source), expected);
    });
  }
});

/** The problems of an expression that must be a result, as `code@start: message`. */
function refusalsOf(source: string, result: keyof ExpressionResults): readonly string[] {
  const answer = compileExpression(source, { environment: ENVIRONMENT, result });
  return 'problems' in answer
    ? answer.problems.map(({ code, start, message }) => `${code}@${String(start)}: ${message}`)
    : [];
}

const typeOf = (source: string): unknown => {
  const answer = compileExpression(source, { environment: ENVIRONMENT, result: 'any' });
  return 'type' in answer ? answer.type.kind : undefined;
};

const costs = (itemsMax: number): unknown => {
  const environment = ruleEnvironment({
    args: objectOf('args', { xs: { kind: 'list', items: INT, itemsMax } }),
    measures: objectOf('measures', {}),
    facts: objectOf('facts', {}),
    labels: objectOf('target.labels', {}),
  });
  const answer = compileExpression('args.xs.map(x, x)', { environment, result: 'any' });
  return 'problems' in answer
    ? answer.problems.map(({ code, message }) => `${code}: ${message}`).join()
    : undefined;
};

const patternRefusals = (count: number): readonly string[] =>
  refusalsOf(`args.s.matches("${'x'.repeat(count)}")`, 'any');

describe('what an expression gives', () => {
  const wanted: readonly (readonly [keyof ExpressionResults, string, readonly string[]])[] = [
    ['boolean', 'true or false', ['true', 'preview.x', 'preview.x && preview.y']],
    ['text', 'a text', ['"a"', 'args.e', 'preview.x']],
    ['number', 'a number', ['1', '1.5', 'preview.x']],
    ['any', 'a value', ['true', '"a"', '1', '1.5', 'null', 'now', 'preview.x']],
  ];
  for (const [result, what, taken] of wanted) {
    test(`is ${what} where that is wanted`, () => {
      for (const source of ['true', '"a"', 'args.e', '1', '1.5', 'null', 'now', ...taken]) {
        const isTaken = result === 'any' || taken.includes(source);
        const refusals = refusalsOf(source, result);
        assert.equal(refusals.length, isTaken ? 0 : 1, source);
        if (!isTaken)
          assert.ok(
            refusals[0]?.startsWith(`expression_type@0: the expression must give ${what},`),
          );
      }
    });
  }

  test('is told once where something else is wrong with it', () => {
    assert.equal(refusalsOf('args.nope', 'boolean').length, 1);
  });

  const values: readonly (readonly [keyof ExpressionResults, unknown, boolean])[] = [
    ['boolean', false, true],
    ['boolean', 'true', false],
    ['text', '', true],
    ['text', 1n, false],
    ['number', 1n, true],
    ['number', parseDecimal('1.5'), true],
    ['number', '1', false],
    ['any', null, true],
    ['any', undefined, false],
  ];
  for (const [result, value, isTaken] of values) {
    test(`that is known only when it is read: ${String(value)} is ${isTaken ? 'a' : 'no'} ${result}`, () => {
      const answer = compiled('preview.x', result).evaluate({
        read: () => ({ kind: 'value', value }),
      });
      assert.deepEqual(
        answer,
        isTaken
          ? { kind: 'value', value }
          : { kind: 'error', message: 'the expression gave a value of another type' },
      );
    });
  }

  test('of several conjuncts is true or false, of one its own', () => {
    assert.equal(typeOf('preview.x && preview.y'), 'bool');
    assert.equal(typeOf('preview.x'), 'dyn');
    assert.equal(typeOf('args.n'), 'int');
  });

  test('is missing what it names, and says whether that is known not to be there', () => {
    assert.deepEqual(compiled('args.maybe', 'any').evaluate(scope), {
      kind: 'missing',
      reference: 'args.maybe',
      message: 'not known',
      absent: true,
    });
    assert.deepEqual(compiled('preview.x', 'any').evaluate(scope), {
      kind: 'missing',
      reference: 'preview.x',
      message: 'not known',
    });
  });
});

describe('an expression is refused', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'that is too long',
      `true${' '.repeat(4093)}`,
      ['expression_costly@0: the expression has 4097 characters, at most 4096 are allowed'],
    ],
    [
      'that has too many parts',
      Array.from({ length: 300 }, () => 'true').join('||'),
      [
        'expression_costly@0: the expression is too large: at most 400 parts, 32 deep, 200 items in a list',
      ],
    ],
    [
      'that cannot be read',
      'args.n ==',
      ['expression_syntax@9: the expression cannot be read: unexpected token: EOF'],
    ],
    [
      'that has an object',
      '{"a": 1} == args.n',
      ['expression_syntax@0: objects and optional members cannot be written here'],
    ],
    [
      'that has a number with too many digits',
      `args.n == ${'1'.repeat(60)}`,
      [`expression_syntax@10: \`${'1'.repeat(40)}\` is not a number that can be used here`],
    ],
    [
      'that has a binary fraction',
      '1e3 < args.n',
      ['expression_syntax@0: `1e3` is not a number that can be used here'],
    ],
    [
      'that has a broken pattern',
      'args.s.matches("(a")',
      ['expression_literal@15: the pattern cannot be used: missing closing ): `(a`'],
    ],
  ];
  for (const [what, source, expected] of cases) {
    test(what, () => {
      assert.deepEqual(refusalsOf(source, 'any'), expected);
    });
  }

  test('where it can take one step more than are allowed', () => {
    // Two steps for each item, one for the list and one for the whole.
    assert.equal(costs(49_999), undefined);
    assert.equal(
      costs(50_000),
      'expression_costly: the expression can take 100002 steps, at most 100000 are allowed',
    );
  });

  test('where a pattern makes a machine of one state more than are allowed', () => {
    // A letter that no run had before, since patterns are kept.
    const letter = String.fromCodePoint(0x4e_00 + Math.floor(Math.random() * 20_000));
    const refusals = (count: number): readonly string[] =>
      refusalsOf(`args.s.matches("a{1000}a{${String(count)}}${letter}")`, 'any');
    assert.deepEqual(refusals(997), []);
    assert.deepEqual(refusals(998), ['expression_literal@15: the pattern is too large']);
  });

  test('where a pattern has one character more than are allowed', () => {
    assert.deepEqual(patternRefusals(500), []);
    assert.deepEqual(patternRefusals(501), [
      'expression_literal@15: the pattern has more than 500 characters',
    ]);
  });

  test('that does not stand in a clause as a comparison has none there', () => {
    const [clause] = compiled('args.n in [1]', 'boolean').clauses;
    assert.ok(clause !== undefined && !('comparison' in clause));
  });
});

describe('a pattern', () => {
  test('takes time in proportion to the text, also where backtracking would not end', () => {
    const expression = compiled('args.s.matches("^(a+)+$")', 'boolean');
    const time = (length: number): number => {
      const text = `${'a'.repeat(length)}!`;
      const over: Readable = { read: () => ({ kind: 'value', value: text }) };
      const start = performance.now();
      assert.deepEqual(expression.evaluate(over), { kind: 'value', value: false });
      return performance.now() - start;
    };
    time(20_000);
    // A backtracking engine would need 2^40 steps for the first forty letters alone.
    assert.ok(time(40_000) < 2000);
  });
});

describe('an expression taken apart', () => {
  test('names every reference it reads, each once', () => {
    const { references } = compiled(
      'args.n == 1 && (args.n == 2 || has(args.maybe)) && args.xs.exists(x, x == preview.a.b)',
      'boolean',
    );
    assert.deepEqual(references, ['args.n', 'args.maybe', 'args.xs', 'preview.a.b']);
  });

  test('a decimal that is written as a call is compared as the number it says', () => {
    const { clauses } = compiled('measures.amount > decimal("20.00")', 'boolean');
    assert.deepEqual(clauses[0]?.comparison, {
      reference: 'measures.amount',
      operator: '>',
      literal: '20.00',
    });
  });

  test('has the conjuncts of its top level as they are written, with their comparisons', () => {
    const { clauses } = compiled(
      '500.00 >= measures.amount && ((args.n == 5 || args.s == ")") && args.e != \'red\') && (args.n + 1) * 2 > 3 && -5 < args.n',
      'boolean',
    );
    assert.deepEqual(
      clauses.map(({ source, comparison }) => [source, comparison]),
      [
        [
          '500.00 >= measures.amount',
          { reference: 'measures.amount', operator: '<=', literal: '500.00' },
        ],
        ['args.n == 5 || args.s == ")"', undefined],
        ["args.e != 'red'", { reference: 'args.e', operator: '!=', literal: "'red'" }],
        ['(args.n + 1) * 2 > 3', undefined],
        ['-5 < args.n', { reference: 'args.n', operator: '>', literal: '-5' }],
      ],
    );
    assert.deepEqual(
      clauses.map(({ references }) => references),
      [['measures.amount'], ['args.n', 'args.s'], ['args.e'], ['args.n'], ['args.n']],
    );
    assert.deepEqual(
      clauses.map((clause) => clause.evaluate(scope)),
      [
        { kind: 'value', value: true },
        { kind: 'value', value: true },
        { kind: 'value', value: false },
        { kind: 'value', value: true },
        { kind: 'value', value: true },
      ],
    );
  });

  test('is the conjunction of its clauses', () => {
    const atoms = [
      'true',
      'false',
      'preview.x == 1',
      'args.n / 0 == 1',
      'args.n == 5',
      'args.n == 6',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...atoms), { minLength: 1, maxLength: 6 }), (parts) => {
        const expression = compiled(parts.join(' && '), 'boolean');
        const each = expression.clauses.map((clause) => clause.evaluate(scope));
        const whole = expression.evaluate(scope);
        if (each.some((clause) => clause.kind === 'value' && !clause.value)) {
          assert.deepEqual(whole, { kind: 'value', value: false });
        } else {
          assert.deepEqual(
            whole,
            each.find((clause) => clause.kind !== 'value') ?? { kind: 'value', value: true },
          );
        }
      }),
    );
  });

  test('of a fact requirement reads `fact`', () => {
    const environment = withFact(ENVIRONMENT, DECIMAL);
    const answer = compileExpression('fact > 1.5', { environment, result: 'boolean' });
    assert.ok('expression' in answer);
    assert.deepEqual(answer.expression.references, ['fact']);
    const read = (value: unknown): Evaluated<boolean> =>
      answer.expression.evaluate({ read: () => ({ kind: 'value', value }) });
    assert.deepEqual(read(2), { kind: 'value', value: true });
    assert.deepEqual(read('1.5'), { kind: 'value', value: false });
    assert.equal(read(true).kind, 'error');
  });
});

describe('the law of the third truth value', () => {
  /** Boolean expressions over two unknowns, `preview.a` and `preview.b`. */
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('true', 'false', 'preview.a == 1', 'preview.b == 1'),
      fc
        .tuple(tie('tree'), fc.constantFrom('&&', '||'), tie('tree'))
        .map((parts) => `(${parts.join(' ')})`),
      tie('tree').map((part) => `!(${part})`),
      fc.tuple(tie('tree'), tie('tree'), tie('tree')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    ),
  }));

  test('a value that is given does not depend on what is missing', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom(0n, 1n), fc.constantFrom(0n, 1n), (source, a, b) => {
        const expression = compiled(source, 'boolean');
        const known = (values: Readonly<Record<string, bigint | undefined>>): Evaluated<boolean> =>
          expression.evaluate({
            read: (reference) => {
              const value = values[reference];
              return value === undefined
                ? { kind: 'missing', reference, message: 'not known' }
                : { kind: 'value', value };
            },
          });
        const whole = known({ 'preview.a': a, 'preview.b': b });
        assert.equal(whole.kind, 'value');
        for (const partly of [known({}), known({ 'preview.a': a }), known({ 'preview.b': b })]) {
          if (partly.kind === 'value') assert.deepEqual(partly, whole);
          else assert.equal(partly.kind, 'missing');
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the meaning of what both have', () => {
  /** Typed expressions over integers, booleans and texts, without division. */
  const trees = fc.letrec<{ int: string; bool: string; text: string }>((tie) => ({
    int: fc.oneof(
      { maxDepth: 3 },
      fc.integer({ min: 0, max: 9 }).map(String),
      fc.constantFrom('args.n', 'args.xs[1]', 'size(args.s)'),
      fc
        .tuple(tie('int'), fc.constantFrom('+', '-', '*'), tie('int'))
        .map((parts) => `(${parts.join(' ')})`),
      fc.tuple(tie('bool'), tie('int'), tie('int')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    ),
    bool: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('true', 'false'),
      fc
        .tuple(tie('int'), fc.constantFrom('<', '<=', '>', '>=', '==', '!='), tie('int'))
        .map((parts) => `(${parts.join(' ')})`),
      fc
        .tuple(tie('text'), fc.constantFrom('==', '!=', '<'), tie('text'))
        .map((parts) => `(${parts.join(' ')})`),
      fc
        .tuple(tie('bool'), fc.constantFrom('&&', '||'), tie('bool'))
        .map((parts) => `(${parts.join(' ')})`),
      tie('bool').map((part) => `!(${part})`),
      tie('int').map((part) => `args.xs.exists(x, x == ${part})`),
      tie('int').map((part) => `(${part} in args.xs)`),
      fc.tuple(tie('text'), tie('text')).map(([a, b]) => `${a}.contains(${b})`),
    ),
    text: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('"a"', '"abc"', "''", 'args.s'),
      fc.tuple(tie('text'), tie('text')).map(([a, b]) => `(${a} + ${b})`),
    ),
  }));

  test('is the same as in the CEL library, for integers, booleans, texts and lists', () => {
    const library = new CelEnvironment().registerVariable('args', 'map');
    const args = { n: 5n, s: 'abc', xs: [1n, 2n, 3n] };
    fc.assert(
      fc.property(fc.oneof(trees.int, trees.bool, trees.text), (source) => {
        // One name may not stand for two things here, which the library allows.
        fc.pre(source.length < 1000 && source.split('exists').length <= 2);
        const ours = compiled(source, 'any').evaluate(scope);
        assert.deepEqual(
          ours,
          { kind: 'value', value: library.evaluate(source, { args }) },
          source,
        );
      }),
      { numRuns: 1000 },
    );
  });

  test('no binary fraction comes out of anything', () => {
    for (const source of ['0.5', 'context.list[1]', 'facts.level', 'args.d * 2', '[0.5][0]']) {
      const answer = compiled(source, 'any').evaluate(scope);
      assert.ok(answer.kind === 'value' && isDecimal(answer.value), source);
    }
  });

  test('values as JSON have one spelling', () => {
    assert.deepEqual(
      jsonOfValue([1n, 2n ** 60n, new Timestamp(0), new Duration(90_000), { a: null }]),
      [1, '1152921504606846976', '1970-01-01T00:00:00.000Z', '1m30s', { a: null }],
    );
  });
});
