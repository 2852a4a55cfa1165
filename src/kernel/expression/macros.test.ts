import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileExpression } from '../expression.ts';
import type { Readable } from '../policy/compiled.ts';
import { UNDECLARED_LIST_ITEMS_MAX } from './limits.ts';
import { ruleEnvironment } from './roots.ts';
import { jsonOfValue } from './value.ts';
import { INT, objectOf, STRING, type ObjectType, type ValueType } from './value-type.ts';

const list = (items: ValueType, itemsMax: number): ValueType => ({ kind: 'list', items, itemsMax });
const BIG = 1_000_000;

const ARGS: ObjectType = objectOf('args', {
  n: INT,
  s: STRING,
  xs: list(INT, 7),
  os: list(objectOf('os[]', { a: INT }), 3),
  nested: list(list(INT, 5), 5),
  big: list(INT, BIG),
  none: list(INT, 7),
});
const ENVIRONMENT = ruleEnvironment({
  args: ARGS,
  measures: objectOf('measures', {}),
  facts: objectOf('facts', {}),
  labels: objectOf('target.labels', {}),
});

function ones(count: number): readonly number[] {
  return Array.from({ length: count }, () => 1);
}

const VALUES: Readonly<Record<string, unknown>> = {
  'args.n': 5n,
  'args.s': 'abc',
  'args.xs': [1n, 2n, 3n],
  'args.os': [{ a: 1 }, {}],
  'args.nested': [[1n], [2n, 3n]],
  'args.none': [],
  'context.mixed': [true, 1, false],
  'context.tf': [true, false],
  'context.halves': [0.5, 1.5],
  'context.long': ones(UNDECLARED_LIST_ITEMS_MAX),
  'context.longer': ones(UNDECLARED_LIST_ITEMS_MAX + 1),
  'context.n': 1n,
  'context.s': 'abc',
};
const scope: Readable = {
  read: (reference) =>
    reference in VALUES
      ? { kind: 'value', value: VALUES[reference] }
      : {
          kind: 'missing',
          reference,
          message: 'not known',
          ...(reference === 'context.gone' ? { absent: true } : {}),
        },
};

function compiled(source: string): ReturnType<typeof compileExpression<'any'>> {
  return compileExpression(source, { environment: ENVIRONMENT, result: 'any' });
}

/** The value as JSON, or `missing`, or `error: MESSAGE`. */
function valueOf(source: string): unknown {
  const answer = compiled(source);
  assert.ok('expression' in answer, `${source}: ${JSON.stringify(answer)}`);
  const result = answer.expression.evaluate(scope);
  if (result.kind === 'value') return jsonOfValue(result.value);
  return result.kind === 'missing' ? `missing ${result.reference}` : `error: ${result.message}`;
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

function costOf(source: string): number {
  const [problem] = problemsOf(`args.big.map(each, ${source})`);
  const steps = Number(/can take (\d+) steps/u.exec(problem ?? '')?.[1]);
  // The list and the whole are a step each, and each item is one more than its work.
  return (steps - 2) / BIG - 1;
}

const NOT_BOOLEAN = 'error: the value is not true or false';

const RESULTS: readonly (readonly [string, unknown])[] = [
  ['has(args.n)', true],
  ['has(context.gone)', false],
  ['has(preview.x)', 'missing preview.x'],
  ['has(args.os[0].a)', true],
  ['has(args.os[1].a)', false],
  ['has(args.os[9].a)', 'error: there is no item 9 in a list of 2'],
  ['args.s.matches("^a.c$")', true],
  ['args.s.matches("x")', false],
  ['context.s.matches("b")', true],
  ['context.n.matches("b")', 'error: `matches` does not take this value'],
  ['preview.x.matches("b")', 'missing preview.x'],
  ['args.xs.all(x, x > 0)', true],
  ['args.xs.all(x, x > 1)', false],
  ['args.none.all(x, x > 1)', true],
  ['args.none.exists(x, x > 1)', false],
  ['args.xs.exists(x, x > 2)', true],
  ['args.xs.exists(x, x > 3)', false],
  ['args.xs.exists_one(x, x > 2)', true],
  ['args.xs.exists_one(x, x > 1)', false],
  ['args.xs.exists_one(x, x > 3)', false],
  ['args.xs.filter(x, x != 2)', [1, 3]],
  ['args.xs.map(x, x * 2)', [2, 4, 6]],
  ['args.xs.map(x, x > 1)', [false, true, true]],
  ['args.nested.map(x, x.map(y, y + size(x)))', [[2], [4, 5]]],
  ['args.nested.all(x, args.xs.exists(y, y in x))', true],
  ['context.halves.map(x, x)', ['0.5', '1.5']],
  ['context.halves.exists(x, x == 0.5)', true],
  ['context.mixed.all(x, x)', false],
  ['context.mixed.exists(x, x)', true],
  ['context.mixed.exists(x, !x)', true],
  ['context.mixed.exists_one(x, x)', NOT_BOOLEAN],
  ['context.mixed.filter(x, x)', NOT_BOOLEAN],
  ['context.tf.filter(x, x)', [true]],
  ['context.tf.exists_one(x, x)', true],
  ['args.xs.map(x, preview.a)', 'missing preview.a'],
  ['args.xs.filter(x, preview.a)', 'missing preview.a'],
  ['args.xs.exists_one(x, preview.a)', 'missing preview.a'],
  ['args.xs.all(x, preview.a)', 'missing preview.a'],
  // The first of several failures is told.
  ['args.xs.all(x, x == 1 ? preview.a : preview.b)', 'missing preview.a'],
  ['args.xs.exists(x, x == 1 ? preview.a : preview.b)', 'missing preview.a'],
  ['preview.list.all(x, true)', 'missing preview.list'],
  ['context.n.all(x, true)', 'error: the value is not a list'],
  ['context.long.all(x, x == 1)', true],
  [
    'context.longer.all(x, x == 1)',
    `error: the list has more than ${String(UNDECLARED_LIST_ITEMS_MAX)} items`,
  ],
];

const PROBLEMS: readonly (readonly [string, readonly string[]])[] = [
  ['has()', ['type@0: `has` takes one member [has(args.x)]']],
  ['has(args.n, args.s)', ['type@0: `has` takes one member [has(args.x)]']],
  ['args.has(args.n)', ['type@0: `has` takes one member [has(args.x)]']],
  ['has(args.nope)', ['unknown@9: `args` has no `nope` [did you mean `none`?]']],
  ['has(5)', ['type@4: `has` takes a member, such as has(args.x)']],
  ['matches(args.s, "a")', ['type@0: `matches` is not called like this [write x.matches("...")]']],
  ['matches("a")', ['type@0: `matches` is not called like this [write x.matches("...")]']],
  ['args.s.matches()', ['type@0: `matches` is not called like this [write x.matches("...")]']],
  [
    'args.s.matches("a", "b")',
    ['type@0: `matches` is not called like this [write x.matches("...")]'],
  ],
  ['args.n.matches("a")', ['type@0: `matches` does not take an integer']],
  ['args.s.matches(5)', ['literal@15: the pattern of `matches` must be a text in quotes']],
  ['args.s.matches(args.s)', ['literal@15: the pattern of `matches` must be a text in quotes']],
  ['args.s.matches("(a")', ['literal@15: the pattern cannot be used: missing closing ): `(a`']],
  ['args.xs.all(x)', ['type@0: `all` is not called like this [write list.all(x, ...)]']],
  ['all(x, true)', ['type@0: `all` is not called like this [write list.all(x, ...)]']],
  ['map(x, true)', ['type@0: `map` is not called like this [write list.map(x, ...)]']],
  ['args.xs.filter(x)', ['type@0: `filter` is not called like this [write list.filter(x, ...)]']],
  [
    'args.xs.exists(now, true)',
    ['type@15: `now` already has a meaning here [choose another name]'],
  ],
  [
    'args.xs.all(x, args.xs.all(x, true))',
    ['type@27: `x` already has a meaning here [choose another name]'],
  ],
  ['args.n.all(x, true)', ['type@0: `all` goes through a list, not an integer']],
  ['args.xs.all(x, x)', ['type@15: this must be true or false, not an integer']],
  ['args.xs.exists(x, x)', ['type@18: this must be true or false, not an integer']],
  ['args.xs.exists_one(x, x)', ['type@22: this must be true or false, not an integer']],
  ['args.xs.filter(x, x)', ['type@18: this must be true or false, not an integer']],
  [
    'args.xs.all(x, args.xs.all(y, args.xs.all(z, true)))',
    ['costly@30: lists are gone through 3 deep, at most 2 are allowed'],
  ],
  ['args.nope.all(x, x > 1)', ['unknown@5: `args` has no `nope` [did you mean `none`?]']],
  ['args.xs.all(x, args.nope)', ['unknown@20: `args` has no `nope` [did you mean `none`?]']],
];

const COSTS: readonly (readonly [string, number])[] = [
  ['has(args.n)', 1],
  ['has(args.os[0].a)', 5],
  ['args.s.matches("a")', 11],
  ['args.xs.map(x, x)', 1 + 7 * 2 + 1],
  ['args.xs.all(x, x > 0)', 1 + 7 * 4 + 1],
  ['args.xs.filter(x, x > 0).map(y, y)', 1 + 7 * 4 + 1 + 7 * 2 + 1],
  ['context.x.map(x, x)', 1 + UNDECLARED_LIST_ITEMS_MAX * 2 + 1],
];

const TYPES: readonly (readonly [string, ValueType])[] = [
  ['args.xs.filter(x, x > 0)', list(INT, 7)],
  ['args.xs.map(x, args.s)', list(STRING, 7)],
  ['context.x.map(x, 1)', list(INT, UNDECLARED_LIST_ITEMS_MAX)],
  ['context.x.filter(x, x)', list({ kind: 'dyn' }, UNDECLARED_LIST_ITEMS_MAX)],
  ['[].filter(x, true)', list({ kind: 'dyn' }, 0)],
  ['args.xs.all(x, true)', { kind: 'bool' }],
  ['args.xs.exists(x, true)', { kind: 'bool' }],
  ['args.xs.exists_one(x, true)', { kind: 'bool' }],
  ['has(args.n)', { kind: 'bool' }],
  ['args.s.matches("a")', { kind: 'bool' }],
];

describe('has, matches and going through a list', () => {
  for (const [source, expected] of RESULTS) {
    test(`${source} gives ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(valueOf(source), expected);
    });
  }

  for (const [source, expected] of PROBLEMS) {
    test(`${source}: ${expected.join(', ')}`, () => {
      assert.deepEqual(problemsOf(source), expected);
    });
  }

  for (const [source, cost] of COSTS) {
    test(`${source} costs ${String(cost)}`, () => {
      assert.equal(costOf(source), cost);
    });
  }

  for (const [source, type] of TYPES) {
    test(`${source} is of the type that follows`, () => {
      const answer = compiled(source);
      assert.deepEqual('type' in answer ? answer.type : undefined, type);
    });
  }
});
