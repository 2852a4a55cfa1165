import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { didYouMean, nearest } from './did-you-mean.ts';
import { DOCUMENT_CODES, documentOf, DocumentReader } from './document-reader.ts';
import type { DocumentNode } from './document.ts';

function read(
  value: unknown,
  how: (reader: DocumentReader, node: DocumentNode) => unknown,
): readonly unknown[] {
  const reader = new DocumentReader();
  const result = how(reader, documentOf(value, 'x'));
  return [
    result,
    ...reader.problems.map(({ code, message, hint }) => [
      code,
      message,
      ...(hint === undefined ? [] : [hint]),
    ]),
  ];
}

const RANGE = { min: 1, max: 5 };

function at(line: number): DocumentNode['position'] {
  return { file: 'x', line, column: 1 };
}

type Case = readonly [
  string,
  unknown,
  (reader: DocumentReader, node: DocumentNode) => unknown,
  readonly unknown[],
];

const CASES: readonly Case[] = [
  ['a text', 'a', (reader, node) => reader.string(node, 'x'), ['a']],
  [
    'a number for a text',
    1,
    (reader, node) => reader.string(node, 'x'),
    [undefined, ['wrong_type', 'x must be a text, not `1`', 'write "1" in quotes']],
  ],
  [
    'a blank text',
    ' ',
    (reader, node) => reader.text(node, 'x'),
    [undefined, ['empty', 'x is empty']],
  ],
  ['a name', 'a-b', (reader, node) => reader.name(node, 'x'), ['a-b']],
  [
    'no name',
    '-',
    (reader, node) => reader.name(node, 'x'),
    [
      undefined,
      [
        'bad_name',
        'x `-` is not a name',
        'names have 1 to 64 of a-z, 0-9, dot, underscore and hyphen, and begin and end with a letter or digit',
      ],
    ],
  ],
  ['false', false, (reader, node) => reader.boolean(node, 'x'), [false]],
  [
    'no boolean',
    'yes',
    (reader, node) => reader.boolean(node, 'x'),
    [undefined, ['wrong_type', 'x must be true or false, not `yes`']],
  ],
  [
    'a mapping for a boolean',
    {},
    (reader, node) => reader.boolean(node, 'x'),
    [undefined, ['wrong_type', 'x must be true or false, not a mapping']],
  ],
  ['the smallest integer', 1, (reader, node) => reader.integer(node, 'x', RANGE), [1]],
  ['the largest integer', 5, (reader, node) => reader.integer(node, 'x', RANGE), [5]],
  [
    'one past it',
    6,
    (reader, node) => reader.integer(node, 'x', RANGE),
    [undefined, ['out_of_range', 'x is 6, not between 1 and 5']],
  ],
  [
    'one before it',
    0,
    (reader, node) => reader.integer(node, 'x', RANGE),
    [undefined, ['out_of_range', 'x is 0, not between 1 and 5']],
  ],
  [
    'a fraction',
    1.5,
    (reader, node) => reader.integer(node, 'x', RANGE),
    [undefined, ['wrong_type', 'x must be a whole number, not `1.5`']],
  ],
  ['a duration', '1h30m', (reader, node) => reader.duration(node, 'x'), [5_400_000]],
  ['no time', 0, (reader, node) => reader.duration(node, 'x'), [0]],
  [
    'a number without a unit',
    5,
    (reader, node) => reader.duration(node, 'x'),
    [
      undefined,
      [
        'bad_duration',
        'x `5` is not a duration',
        'write a number with a unit: 250ms, 90s, 15m, 1h30m, 7d',
      ],
    ],
  ],
  [
    'a duration out of range',
    '1s',
    (reader, node) => reader.duration(node, 'x', RANGE),
    [undefined, ['out_of_range', 'x is 1s, not between 1ms and 5ms']],
  ],
  ['the shortest duration', '1ms', (reader, node) => reader.duration(node, 'x', RANGE), [1]],
  ['the longest duration', '5ms', (reader, node) => reader.duration(node, 'x', RANGE), [5]],
  [
    'a duration that is too short',
    0,
    (reader, node) => reader.duration(node, 'x', RANGE),
    [undefined, ['out_of_range', 'x is 0, not between 1ms and 5ms']],
  ],
  [
    'a list for a text',
    [],
    (reader, node) => reader.string(node, 'x'),
    [undefined, ['wrong_type', 'x must be a text, not a list']],
  ],
  [
    'a number for a text that is not empty',
    1,
    (reader, node) => reader.text(node, 'x'),
    [undefined, ['wrong_type', 'x must be a text, not `1`', 'write "1" in quotes']],
  ],
  [
    'a number for a name',
    1,
    (reader, node) => reader.name(node, 'x'),
    [undefined, ['wrong_type', 'x must be a text, not `1`', 'write "1" in quotes']],
  ],
  [
    'a list for a whole number',
    [],
    (reader, node) => reader.integer(node, 'x', RANGE),
    [undefined, ['wrong_type', 'x must be a whole number, not a list']],
  ],
  [
    'a list for a duration',
    [],
    (reader, node) => reader.duration(node, 'x'),
    [undefined, ['wrong_type', 'x must be a duration, not a list']],
  ],
  [
    'a number for a word',
    1,
    (reader, node) => reader.oneOf(node, 'x', ['1']),
    [undefined, ['wrong_type', 'x must be a text, not `1`', 'write "1" in quotes']],
  ],
  [
    'a mapping for one or many',
    {},
    (reader, node) => reader.oneOrMore(node, 'x'),
    [undefined, ['wrong_type', 'x must be a list, not a mapping']],
  ],
  ['a word', 'red', (reader, node) => reader.oneOf(node, 'x', ['red', 'blue']), ['red']],
  [
    'another word',
    'rde',
    (reader, node) => reader.oneOf(node, 'x', ['red', 'blue']),
    [undefined, ['bad_choice', 'x `rde` is not known', 'did you mean `red`?']],
  ],
  ['a list', [1, 2], (reader, node) => reader.list(node, 'x')?.length, [2]],
  [
    'no list',
    null,
    (reader, node) => reader.list(node, 'x'),
    [undefined, ['wrong_type', 'x must be a list, not empty']],
  ],
  ['one for many', 'a', (reader, node) => reader.oneOrMore(node, 'x')?.length, [1]],
  [
    'none for many',
    [],
    (reader, node) => reader.oneOrMore(node, 'x'),
    [undefined, ['empty', 'x is an empty list']],
  ],
  [
    'a mapping',
    { a: 1 },
    (reader, node) => reader.mapping(node, { what: 'x', required: ['a'] })?.get('a')?.kind,
    ['scalar'],
  ],
  [
    'a mapping with other keys',
    { naem: 1 },
    (reader, node) =>
      reader.mapping(node, { what: 'x', required: ['id'], optional: ['name'] })?.get('name'),
    [
      undefined,
      ['unknown_key', 'unknown key `naem` in x', 'did you mean `name`?'],
      ['missing_key', 'x has no `id`', 'add `id:`'],
    ],
  ],
];

describe('a document reader', () => {
  for (const [title, value, how, expected] of CASES) {
    test(`reads ${title}`, () => assert.deepEqual(read(value, how), expected));
  }

  test('a key that no object may have is refused where it stands', () => {
    const reader = new DocumentReader();
    const entries = [{ key: '__proto__', keyPosition: at(2), value: documentOf(1, 'x') }];
    assert.equal(reader.entries({ kind: 'mapping', entries, position: at(1) }, 'x'), undefined);
    assert.deepEqual(
      reader.problems.map(({ code, position }) => [code, position.line]),
      [['bad_name', 2]],
    );
  });

  test('refuses a key given twice at the second one', () => {
    const reader = new DocumentReader();
    const value = documentOf(1, 'x');
    const entries = [2, 3].map((line) => ({ key: 'a', keyPosition: at(line), value }));
    reader.entries({ kind: 'mapping', entries, position: at(1) }, 'x');
    assert.deepEqual(
      reader.problems.map(({ code, position }) => [code, position.line]),
      [['duplicate_key', 3]],
    );
  });

  test('gives each of its codes somewhere here', () => {
    const given = new Set(
      CASES.flatMap(([, , , [, ...problems]]) =>
        problems.map((problem) => Array.isArray(problem) && problem[0]),
      ),
    );
    assert.deepEqual(
      DOCUMENT_CODES.filter((code) => !given.has(code)),
      ['duplicate_key'],
    );
  });

  test('says whether a text is a name', () => {
    const reader = new DocumentReader();
    assert.equal(reader.isName('a-b', at(1), 'x'), true);
    assert.equal(reader.isName('-', at(1), 'x'), false);
    assert.equal(reader.errorCount, 1);
    assert.equal(reader.problems[0]?.severity, 'error');
  });

  test('says where a key stands, and of a missing one where its mapping does', () => {
    const value = documentOf(1, 'x');
    const node: DocumentNode = {
      kind: 'mapping',
      entries: [{ key: 'a', keyPosition: at(3), value }],
      position: at(2),
    };
    const members = new DocumentReader().mapping(node, { what: 'x', optional: ['a', 'b'] });
    assert.deepEqual([members?.positionOf('a'), members?.positionOf('b')], [at(3), at(2)]);
  });

  test('gives problems by file, line and column', () => {
    const reader = new DocumentReader();
    const places = [
      { file: 'b', line: 1, column: 1 },
      { file: 'a', line: 2, column: 3 },
      { file: 'a', line: 2, column: 1 },
      { file: 'a', line: 1, column: 9 },
      { file: 'c', line: 1, column: 1 },
    ];
    for (const position of places) reader.warning({ code: 'w', position, message: 'm' });
    assert.deepEqual(
      reader.problems.map(({ position }) => Object.values(position).join(' ')),
      ['a 1 9', 'a 2 1', 'a 2 3', 'b 1 1', 'c 1 1'],
    );
  });

  test('takes over warnings without counting them', () => {
    const reader = new DocumentReader();
    reader.add([{ code: 'w', severity: 'warning', message: 'careful', position: at(1) }]);
    assert.equal(reader.errorCount, 0);
  });

  test('counts errors and not warnings, and takes over what others found', () => {
    const reader = new DocumentReader();
    const { position } = documentOf(1, 'x');
    reader.warning({ code: 'w', position, message: 'careful' });
    reader.add([{ code: 'e', severity: 'error', message: 'no', position }]);
    assert.equal(reader.errorCount, 1);
    assert.deepEqual(
      reader.problems.map(({ severity }) => severity),
      ['warning', 'error'],
    );
  });
});

describe('a plain value as a document', () => {
  test('keeps integers whole, leaves out what is undefined, and refuses what no document holds', () => {
    assert.deepEqual(documentOf({ a: undefined, b: 2 ** 53 - 1 }, 'x'), {
      kind: 'mapping',
      position: { file: 'x', line: 1, column: 1 },
      entries: [
        {
          key: 'b',
          keyPosition: { file: 'x', line: 1, column: 1 },
          value: {
            kind: 'scalar',
            value: 9_007_199_254_740_991n,
            text: '9007199254740991',
            position: { file: 'x', line: 1, column: 1 },
          },
        },
      ],
    });
    const values = ['a', true, 2n, null, 1.5];
    for (const value of values) {
      const node = documentOf(value, 'x');
      assert.equal(node.kind === 'scalar' && node.value, value);
    }
    assert.throws(() => documentOf({ a: () => 1 }, 'x'), TypeError);
  });
});

describe('the nearest name', () => {
  const cases: readonly (readonly [string, readonly string[], string | undefined])[] = [
    ['amuont', ['amount', 'count'], 'amount'],
    ['Amount', ['amount'], 'amount'],
    ['amount', ['rows'], undefined],
    ['x', ['y'], undefined],
    ['x'.repeat(65), ['x'.repeat(64)], undefined],
  ];
  for (const [name, known, expected] of cases) {
    test(`of ${name.slice(0, 10)} among ${known.join(', ').slice(0, 20)} is ${String(expected)}`, () =>
      assert.equal(nearest(name, known), expected));
  }

  test('is told with what there is where nothing is near, unless that is too much', () => {
    assert.equal(didYouMean('zzz', ['a', 'b']), 'known: `a`, `b`');
    assert.equal(
      didYouMean(
        'zzz',
        Array.from({ length: 13 }, (_, index) => `name-${String(index)}`),
      ),
      undefined,
    );
    assert.equal(didYouMean('zzz', []), undefined);
  });
});

function toldOf(message: string): string {
  const reader = new DocumentReader();
  reader.error({ code: 'empty', position: at(1), message });
  return reader.problems[0]?.message ?? '';
}

test('a message of a thousand characters is whole, and a longer one is cut', () => {
  assert.equal(toldOf('x'.repeat(1000)), 'x'.repeat(1000));
  assert.equal(toldOf('x'.repeat(1001)), `${'x'.repeat(1000)}…`);
});

test('whatever a message quotes, it is one line, and not a long one', () => {
  const reader = new DocumentReader();
  const text = 'a\r\nb\u2028c '.repeat(1000);
  reader.error({ code: 'empty', position: at(1), message: text, hint: text });
  const [problem] = reader.problems;
  assert.match(problem?.message ?? '', /^a b c a [abc ]{800,992}…$/u);
  assert.match(problem?.hint ?? '', /^a b c a [abc ]{800,992}…$/u);
});
