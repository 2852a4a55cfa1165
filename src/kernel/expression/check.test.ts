import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDecimal } from '../decimal.ts';
import { compileExpression } from '../expression.ts';
import type { Readable } from '../policy/compiled.ts';
import { ruleEnvironment } from './roots.ts';
import { jsonOfValue } from './value.ts';
import {
  BOOL,
  DECIMAL,
  DURATION,
  DYN,
  INT,
  objectOf,
  STRING,
  TIMESTAMP,
  typeName,
  type ObjectType,
  type ValueType,
} from './value-type.ts';

const list = (items: ValueType, itemsMax: number): ValueType => ({ kind: 'list', items, itemsMax });

/** `big` is so long that any work on each item is refused, with its cost. */
const BIG = 1_000_000;

const ARGS: ObjectType = {
  ...objectOf('args', {
    n: INT,
    d: DECIMAL,
    s: STRING,
    b: BOOL,
    t: TIMESTAMP,
    u: DURATION,
    e: { kind: 'string', values: ['red', 'blue'] },
    xs: list(INT, 7),
    os: list(objectOf('os[]', { a: INT, s: STRING }), 3),
    o: objectOf('args.o', { a: INT }),
    big: list(INT, BIG),
  }),
  explain: (name) =>
    name === 'gone' ? { message: 'it went away', hint: 'look elsewhere' } : undefined,
};
const ENVIRONMENT = ruleEnvironment({
  args: ARGS,
  measures: objectOf('measures', {}),
  facts: objectOf('facts', { f: objectOf('facts.f', { g: INT, h: INT }) }),
  labels: objectOf('target.labels', { team: STRING }),
});

/** What `context` holds, and values under whole references. */
const VALUES: Readonly<Record<string, unknown>> = {
  'args.n': 5n,
  'args.d': parseDecimal('1.5'),
  'args.s': 'abc',
  'args.b': true,
  'args.xs': [4, 0.5, 6n],
  'args.os': [{ a: 1, s: 'x' }, { s: 'y' }],
  'args.o': { a: 1 },
  'context.n': 5n,
  'context.s': 'a',
  'context.b': false,
  'context.nothing': null,
  'context.list': [1, 2.5, 'x', [true]],
  'context.object': { a: 1, half: 0.5, none: null, list: [1], undef: undefined },
  'target.labels': { team: 'pay' },
  'facts.f.g': 'seven',
};
const scope: Readable = {
  read: (reference) =>
    reference in VALUES
      ? { kind: 'value', value: VALUES[reference] }
      : { kind: 'missing', reference: 'elsewhere', message: 'not known' },
};

function compiled(source: string): ReturnType<typeof compileExpression<'any'>> {
  return compileExpression(source, { environment: ENVIRONMENT, result: 'any' });
}

/** The value as JSON, or `missing REFERENCE`, or `error: MESSAGE`. */
function valueOf(source: string): unknown {
  const answer = compiled(source);
  assert.ok('expression' in answer, `${source}: ${JSON.stringify(answer)}`);
  const result = answer.expression.evaluate(scope);
  if (result.kind === 'value') return jsonOfValue(result.value);
  const known = result.kind === 'missing' && result.absent === true ? ' (absent)' : '';
  return result.kind === 'missing'
    ? `missing ${result.reference}${known}: ${result.message}`
    : `error: ${result.message}`;
}

/** Each problem as `code@start: message [hint]`. */
function problemsOf(source: string): readonly string[] {
  const answer = compiled(source);
  if (!('problems' in answer)) return [];
  return answer.problems.map(
    ({ code, start, message, hint }) =>
      `${code.replace('expression_', '')}@${String(start)}: ${message}${hint === undefined ? '' : ` [${hint}]`}`,
  );
}

/** The steps that one evaluation takes at most, as the refusal of a list too long for it says. */
function costOf(source: string): number {
  const [problem] = problemsOf(`args.big.map(each, ${source})`);
  const steps = Number(/can take (\d+) steps/u.exec(problem ?? '')?.[1]);
  // The list and the whole are a step each, and each item is one more than its work.
  return (steps - 2) / BIG - 1;
}

const TYPES: readonly (readonly [string, string])[] = [
  ['1', 'an integer'],
  ['1.0', 'a decimal'],
  ['"a"', 'a text'],
  ['true', 'a boolean'],
  ['null', 'null'],
  ['args.t', 'an instant'],
  ['args.u', 'a duration'],
  ['args.o["a"]', 'an integer'],
  ['args.xs[0]', 'an integer'],
  ['args.os[0].s', 'a text'],
  ['args.os[0]["s"]', 'a text'],
  ['args.xs[context.i]', 'an integer'],
  ['context.a[0].b', 'a value'],
  ['context[context.i]', 'a value'],
  ['args.b ? 1 : 2.0', 'a decimal'],
  ['args.b ? "a" : "b"', 'a text'],
  ['args.b ? args.e : "b"', 'a text'],
  ['[args.e, "green"][0]', 'a text'],
  ['[1, 2.0][0]', 'a decimal'],
  ['[]', 'a list'],
  ['args.b || context.b', 'a boolean'],
  ['!context.b', 'a boolean'],
  ['-args.n', 'an integer'],
  ['-args.d', 'a decimal'],
  ['-context.n', 'a value'],
  ['size(args.s)', 'an integer'],
];

const RESULTS: readonly (readonly [string, unknown])[] = [
  ['args.n', 5],
  ['args.xs[0]', 4],
  ['args.xs[1]', '0.5'],
  ['args.xs[2]', 6],
  ['args.xs[3]', 'error: there is no item 3 in a list of 3'],
  ['args.xs[-1]', 'error: there is no item -1 in a list of 3'],
  ['args.xs[preview.i]', 'missing preview.i: not known'],
  ['preview.xs[args.n / 0]', 'missing preview.xs: not known'],
  ['args.os[0].a', 1],
  ['args.os[0]["s"]', 'x'],
  ['args.os[1].a', 'missing a (absent): `a` is not given'],
  ['args.os[1]["a"]', 'missing a (absent): `a` is not given'],
  ['args.os[9].a', 'error: there is no item 9 in a list of 2'],
  ['args.o["a"]', 1],
  ['context.list[1]', '2.5'],
  ['context.list[3][0]', true],
  ['context.object["half"]', '0.5'],
  ['context.object["a"] + 1', 2],
  ['context.object["none"]', null],
  ['context.object["undef"]', 'missing undef (absent): `undef` is not given'],
  ['context.object["toString"]', 'missing toString (absent): `toString` is not given'],
  ['context.list["a"]', 'error: the value has no member `a`'],
  ['context.object[0]', 'error: the value has no such member'],
  ['context.list[context.nothing]', 'error: the value has no such member'],
  ['context.list[context.b ? 1 : 0]', 1],
  ['context.s[0]', 'error: the value has no such member'],
  ['context.n["a"]', 'error: the value has no member `a`'],
  ['target.labels["team"]', 'pay'],
  ['facts.f.g', 'error: the value is not an integer'],
  ['facts.f.h', 'missing facts.f.h: not known'],
  ['preview.x', 'missing preview.x: not known'],
  ['[args.n, 2]', [5, 2]],
  ['[1, preview.x]', 'missing preview.x: not known'],
  ['size(preview.x)', 'missing preview.x: not known'],
  ['decimal("1.50")', '1.50'],
  ['string(args.n)', '5'],
  ['args.b ? 1 : 2', 1],
  ['context.b ? 1 : 2', 2],
  ['context.s ? 1 : 2', 'error: the value is not true or false'],
  ['preview.x ? 1 : 2', 'missing preview.x: not known'],
  ['args.b ? 1 : args.n / 0', 1],
  ['context.b || context.b', false],
  ['context.b || args.b', true],
  ['args.b || context.s', true],
  ['context.s || args.b', true],
  ['context.b || context.s', 'error: the value is not true or false'],
  ['context.s || context.b', 'error: the value is not true or false'],
  ['preview.x || context.s', 'missing preview.x: not known'],
  ['!(args.b && context.b)', true],
  ['!(context.b && context.s)', true],
  ['!(context.s && context.b)', true],
  ['!(args.b && context.s)', 'error: the value is not true or false'],
  ['!(args.b && args.b)', false],
  ['!args.b', false],
  ['!context.b', true],
  ['!context.s', 'error: the value is not true or false'],
  ['!preview.x', 'missing preview.x: not known'],
  ['-args.n', -5],
  ['-args.d', '-1.5'],
  ['-context.n', -5],
  ['-context.s', 'error: `-` does not take this value'],
  ['-preview.x', 'missing preview.x: not known'],
  ['preview.x == args.n / 0', 'missing preview.x: not known'],
  ['args.n / 0 == preview.x', 'error: division by zero'],
  ['args.n == preview.x', 'missing preview.x: not known'],
  ['args.n == 5', true],
];

const PROBLEMS: readonly (readonly [string, readonly string[]])[] = [
  ['args', ['type@0: `args` has no value of its own [name a member: args.n]']],
  ['measures', ['type@0: `measures` has no value of its own [name a member: measures.x]']],
  ['agrs.n == 1', ['unknown@0: `agrs` is not known here [did you mean `args`?]']],
  ['args.nn.x == 1', ['unknown@5: `args` has no `nn` [did you mean `n`?]']],
  ['args.gone', ['unknown@5: it went away [look elsewhere]']],
  ['args.o.b', ['unknown@7: `args.o` has no `b` [known: `a`]']],
  ['args.o["b"]', ['unknown@7: `args.o` has no `b` [known: `a`]']],
  ['args.os[0].b', ['unknown@11: `os[]` has no `b` [known: `a`, `s`]']],
  ['args.n.x', ['type@7: an integer has no member `x`']],
  ['args.xs[0].x', ['type@11: an integer has no member `x`']],
  ['args.o[args.s]', ['type@7: a member of an object is named by a text in quotes']],
  ['args.o[0]', ['type@7: a member of an object is named by a text in quotes']],
  ['args.xs["a"]', ['type@8: a list has no member at a text']],
  ['args.n[0]', ['type@7: an integer has no member at an integer']],
  ['context.a[args.b]', ['type@10: a value has no member at a boolean']],
  ['nope(1)', ['unknown@0: there is no function `nope`']],
  ['siez("a")', ['unknown@0: there is no function `siez` [did you mean `size`?]']],
  ['size(args.n)', ['type@0: `size` does not take an integer']],
  ['"a".size("b")', ['type@0: `size` takes 1 values, not 2']],
  ['decimal("x")', ['literal@8: the text is not what `decimal` reads [such as decimal("500.00")]']],
  [
    'timestamp("x")',
    [
      'literal@10: the text is not what `timestamp` reads [such as timestamp("2026-11-22T04:12:00Z")]',
    ],
  ],
  [
    'duration("x")',
    ['literal@9: the text is not what `duration` reads [such as duration("1h30m")]'],
  ],
  ['[1, "a"]', ['type@4: a list holds one type, not an integer and a text']],
  ['[1, 2.0, "a"]', ['type@9: a list holds one type, not a decimal and a text']],
  ['args.b ? 1 : "a"', ['type@13: both answers of `? :` have one type, not an integer and a text']],
  ['args.n ? 1 : 2', ['type@0: this must be true or false, not an integer']],
  ['args.n || args.b', ['type@0: this must be true or false, not an integer']],
  ['args.b || args.n', ['type@10: this must be true or false, not an integer']],
  ['args.b && args.n', ['type@10: this must be true or false, not an integer']],
  ['!args.n', ['type@1: this must be true or false, not an integer']],
  ['-args.s', ['type@0: `-` does not take a text']],
  [
    'args.n < args.s',
    ['type@0: `<` does not take an integer and a text [write the number without quotes: 500.00]'],
  ],
  ['args.e == "rad"', ['literal@10: the value is never `rad` [did you mean `red`?]']],
  ['"rad" != args.e', ['literal@0: the value is never `rad` [did you mean `red`?]']],
  ['args.e == "red"', []],
  ['[args.e][0] == "rad"', []],
  ['(args.b ? args.e : args.e) == "rad"', []],
  ['args.e == args.s', []],
  ['args.s == "rad"', []],
  ['"red" == "rad"', []],
  ['args.e < "rad"', []],
  ['args.e + "rad" == "x"', []],
  ['args.e in ["rad"]', []],
  ['context.x == "rad"', []],
  // What was reported already is not reported again where it is used.
  ['args.gone.x + 1 == 2', ['unknown@5: it went away [look elsewhere]']],
  ['-args.gone == 2', ['unknown@6: it went away [look elsewhere]']],
  ['!args.gone', ['unknown@6: it went away [look elsewhere]']],
  ['[args.gone, 1] == [2]', ['unknown@6: it went away [look elsewhere]']],
  ['args.xs[args.gone] == 2', ['unknown@13: it went away [look elsewhere]']],
];

const COSTS: readonly (readonly [string, number])[] = [
  ['1', 1],
  ['each', 1],
  ['args.n', 1],
  ['args.o.a', 1],
  ['decimal("1.0")', 1],
  ['args.xs[0]', 3],
  ['args.os[0].a', 4],
  ['args.os[0]["a"]', 4],
  ['size(args.s)', 2],
  ['args.s.contains("a")', 3],
  ['[1, 2, 3]', 4],
  ['[]', 1],
  ['args.b ? 1 : args.n', 4],
  ['args.b && args.b', 3],
  ['!args.b', 2],
  ['-args.n', 2],
  ['1 + args.n', 3],
  // Each item of a list is compared; of a value that is not known there may be ten.
  ['1 in args.xs', 10],
  ['args.xs == args.xs', 17],
  ['context.x == 1', 13],
  ['1 == context.x', 13],
];

describe('a checked expression', () => {
  test('has the type that its parts make', () => {
    assert.deepEqual(
      TYPES.map(([source]) => {
        const answer = compiled(source);
        return 'type' in answer ? typeName(answer.type) : JSON.stringify(answer);
      }),
      TYPES.map(([, type]) => type),
    );
  });

  for (const [source, expected] of RESULTS) {
    test(`${source} gives ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(valueOf(source), expected);
    });
  }

  for (const [source, expected] of PROBLEMS) {
    test(`${source}: ${expected.length === 0 ? 'nothing is wrong' : expected.join(', ')}`, () => {
      assert.deepEqual(problemsOf(source), expected);
    });
  }

  for (const [source, cost] of COSTS) {
    test(`${source} costs ${String(cost)}`, () => {
      assert.equal(costOf(source), cost);
    });
  }

  test('of an empty list may hold anything', () => {
    assert.deepEqual(problemsOf('[] == [1]'), []);
    assert.deepEqual(problemsOf('[] == ["a"]'), []);
    assert.deepEqual(problemsOf('"a" in []'), []);
  });

  test('has a list as long as it is written', () => {
    const answer = compiled('[1, 2]');
    assert.deepEqual('type' in answer ? answer.type : undefined, list(INT, 2));
  });

  test('of something unknown stays unknown', () => {
    const answer = compiled('-context.n');
    assert.equal('type' in answer ? answer.type : undefined, DYN);
  });
});
