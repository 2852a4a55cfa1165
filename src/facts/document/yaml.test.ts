import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import type { DocumentNode } from '../../kernel/document.ts';
import { DOCUMENT_BYTES_MAX, readDocument } from './read-document.ts';
import { readYaml, YAML_CODES, YAML_LIMITS } from './yaml.ts';

/** What the tree says, without positions. */
function plain(node: DocumentNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'sequence') return node.items.map((item) => plain(item));
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
}

function read(text: string): DocumentNode {
  const { document, problems } = readYaml(text, 'x.yaml');
  assert.deepEqual(problems, []);
  assert.ok(document !== undefined);
  return document;
}

function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`;
}

function longList(count: number): string {
  return `[${'1,'.repeat(count)}]`;
}

function refusals(text: string): readonly string[] {
  const { document, problems } = readYaml(text, 'x.yaml');
  assert.equal(document, undefined);
  return problems.map(
    ({ code, position }) => `${code} ${position.line}:${position.column} ${position.file}`,
  );
}

test('scalars follow the YAML 1.2 core schema, integers are bigint', () => {
  const text =
    'a: no\nb: 12345678901234567890\nc: 1.50\nd: "7"\ne: true\nf: ~\ng:\nh: 0x1F\ni: on\nj: -3\n';
  assert.deepEqual(plain(read(text)), {
    a: 'no',
    b: 12345678901234567890n,
    c: 1.5,
    d: '7',
    e: true,
    f: null,
    g: null,
    h: 31n,
    i: 'on',
    j: -3n,
  });
});

test('a number keeps the spelling of the source', () => {
  const document = read('price: 1.50\n');
  assert.ok(document.kind === 'mapping');
  const value = document.entries[0]?.value;
  assert.ok(value?.kind === 'scalar');
  assert.equal(value.text, '1.50');
});

test('a key is its text, and the order of keys is that of the source', () => {
  const document = read('0: a\ntrue: b\n"x y": c\n');
  assert.ok(document.kind === 'mapping');
  assert.deepEqual(
    document.entries.map(({ key }) => key),
    ['0', 'true', 'x y'],
  );
});

test('every node knows its line and column', () => {
  const document = read('a:\n  - b\n  -   c: {d: 1}\n');
  assert.ok(document.kind === 'mapping');
  const list = document.entries[0]?.value;
  assert.ok(list?.kind === 'sequence');
  assert.deepEqual(
    list.items.map(({ position }) => [position.line, position.column]),
    [
      [2, 5],
      [3, 7],
    ],
  );
  const inner = list.items[1];
  assert.ok(inner?.kind === 'mapping');
  assert.deepEqual(inner.entries[0]?.keyPosition, { file: 'x.yaml', line: 3, column: 7 });
  assert.deepEqual(inner.entries[0].value.position, { file: 'x.yaml', line: 3, column: 10 });
});

/** Text, where its content begins, and whether the source spells it otherwise. */
const CONTENTS: readonly (readonly [
  text: string,
  content: string | undefined,
  respelled: boolean,
])[] = [
  ['a: x y', undefined, false],
  ['a: "x y"', '1:5', false],
  ["a: 'x y'", '1:5', false],
  ["a: 'it''s'", '1:5', true],
  ['a: "x\\ty"', '1:5', true],
  ['a: x\n  y', undefined, true],
  ['a: |\n   x\n   y\n', '2:4', false],
  ['a: | # why\n   x\n', '2:4', false],
  ['a: |\n\n   x\n', '3:4', true],
  ['a: >-\n  x y\n', '2:3', false],
  ['a: >\n  x\n  y\n', '2:3', true],
];

for (const [text, content, respelled] of CONTENTS) {
  test(`the text of ${JSON.stringify(text)} begins ${content ?? 'where the node does'}`, () => {
    const document = read(text);
    assert.ok(document.kind === 'mapping');
    const node = document.entries[0]?.value;
    assert.ok(node?.kind === 'scalar');
    const { contentAt } = node;
    assert.equal(contentAt && `${contentAt.line}:${contentAt.column}`, content);
    assert.equal(node.respelled ?? false, respelled);
  });
}

const REFUSED: readonly (readonly [what: string, text: string, ...problems: string[]])[] = [
  ['a key given twice', 'a: 1\nb: 2\na: 3\n', 'duplicate_key 3:1'],
  ['a key given twice in two spellings', 'x: {1: a, "1": b}\n', 'duplicate_key 1:11'],
  ['an anchor and its alias', 'a: &x 1\nb: *x\n', 'yaml_anchor 1:4', 'yaml_anchor 2:4'],
  ['an anchor on a mapping', 'a: &x\n  b: 1\n', 'yaml_anchor 1:4'],
  ['a merge key', 'a:\n  <<: {b: 1}\n', 'yaml_anchor 2:3'],
  ['a tag of our own', 'a: !x 1\n', 'yaml_tag 1:4'],
  ['a tag of the core schema', '- !!str 1\n', 'yaml_tag 1:3'],
  ['a tag on a key', '!!str a: 1\n', 'yaml_tag 1:1'],
  ['a tag on a block of text', 'a: !x |\n  b\n', 'yaml_tag 1:4'],
  ['a directive', '%YAML 1.1\n---\na: 1\n', 'yaml_directive 1:1'],
  ['a second document', 'a: 1\n---\nb: 2\n', 'yaml_second_document 2:1'],
  ['an empty file', '', 'yaml_empty 1:1'],
  ['a file of comments', '# nothing\n', 'yaml_empty 1:1'],
  ['a marker without a document', '---\n', 'yaml_empty 1:1'],
  ['a tab as indentation', 'a:\n\tb: 1\n', 'yaml_syntax 2:1'],
  ['an open bracket', 'a: [1\n', 'yaml_syntax 2:1'],
  ['a mapping within a plain value', 'a: b: c\n', 'yaml_syntax 1:4'],
  ['a list as a key', '? [a]\n: 1\n', 'yaml_bad_key 1:3'],
  ['an empty key', ': 1\n', 'yaml_bad_key 1:1'],
  ['a leading zero', 'a: 010\n', 'yaml_bad_number 1:4'],
  ['infinity', 'a: .inf\n', 'yaml_bad_number 1:4'],
  ['half a surrogate pair', 'a: "\\ud800"\n', 'yaml_bad_character 1:4'],
  ['a noncharacter in a key', '"\\ufffe": 1\n', 'yaml_bad_character 1:1'],
  ['a control character', 'a: "\\u0000"\n', 'yaml_bad_character 1:4'],
];

for (const [what, text, ...problems] of REFUSED) {
  test(`${what} is refused where it stands`, () => {
    assert.deepEqual(
      refusals(text),
      problems.map((problem) => `${problem} x.yaml`),
    );
  });
}

test('a tab as indentation says what to do instead', () => {
  const [problem] = readYaml('a:\n\tb: 1\n', 'x.yaml').problems;
  assert.equal(problem?.hint, 'indent with spaces');
  assert.match(problem.message, /^tabs are not allowed/u);
});

test('nesting is allowed up to its limit and refused one past it', () => {
  assert.deepEqual(readYaml(nested(YAML_LIMITS.depthMax), 'x').problems, []);
  const [problem] = readYaml(nested(YAML_LIMITS.depthMax + 1), 'x').problems;
  assert.equal(problem?.code, 'yaml_too_deep');
  assert.equal(problem.position.column, YAML_LIMITS.depthMax + 1);
});

test('values are counted up to their limit and refused one past it', () => {
  assert.deepEqual(readYaml(longList(YAML_LIMITS.nodesMax - 1), 'x').problems, []);
  assert.equal(
    readYaml(longList(YAML_LIMITS.nodesMax), 'x').problems[0]?.code,
    'yaml_too_many_nodes',
  );
});

test('a text that is too long is refused before it is read', () => {
  const text = 'a'.repeat(YAML_LIMITS.textLengthMax + 1);
  assert.equal(readYaml(text, 'x').problems[0]?.code, 'yaml_too_large');
});

test('hostile depth, anchors and keys end in problems, in bounded time and number', () => {
  const start = performance.now();
  assert.equal(readYaml('['.repeat(200_000), 'x').problems[0]?.code, 'yaml_too_deep');
  assert.equal(readYaml('- '.repeat(20_000), 'x').problems[0]?.code, 'yaml_too_deep');
  const anchors = readYaml(`[${'&a 1,'.repeat(10_000)}]`, 'x').problems;
  assert.equal(anchors.length, YAML_LIMITS.problemsMax);
  const keys = Array.from({ length: 40_000 }, (_, index) => `k${index}: 1\n`).join('');
  assert.deepEqual(readYaml(keys, 'x').problems, []);
  assert.deepEqual(readYaml(`"${'\\n'.repeat(200_000)}x"`, 'x').problems, []);
  assert.ok(performance.now() - start < 10_000);
});

test('any text gives a document or problems, and the same ones twice', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'ab:-?[]{},&*!|>#%@"\' \t\n01.~<'.split('')) }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const first = readYaml(text, 'x');
      assert.equal(first.document === undefined, first.problems.length > 0);
      for (const { code, position, message } of first.problems) {
        assert.ok(YAML_CODES.some((known) => known === code));
        assert.ok(position.line >= 1 && position.column >= 1);
        assert.ok(!message.includes('\n'));
      }
      assert.deepEqual(readYaml(text, 'x'), first);
    }),
    { numRuns: 2000 },
  );
});

test('what another writer writes is read back the same', () => {
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.string().filter((text) => !/\p{Cc}/u.test(text)),
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      fc.boolean(),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/u), tie('tree'), {
        maxKeys: 4,
        noNullPrototype: true,
      }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      assert.deepEqual(plain(read(stringify(value, { aliasDuplicateObjects: false }))), value);
    }),
    { numRuns: 300 },
  );
});

test('a file that cannot be read says why at its first character', async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'exequatur-document-'));
  context.after(() => rm(folder, { recursive: true }));
  const at = (name: string): string => path.join(folder, name);
  await writeFile(at('latin1.yaml'), Uint8Array.of(0x61, 0x3a, 0x20, 0xe9, 0x0a));
  await writeFile(at('large.yaml'), `# ${'x'.repeat(DOCUMENT_BYTES_MAX)}`);
  await writeFile(at('mark.yaml'), '\uFEFFa: 1\n');
  execFileSync('sh', ['-c', 'mkfifo "$0"', at('pipe.yaml')]);
  const codeOf = async (name: string): Promise<string | undefined> => {
    const { problems } = await readDocument(at(name));
    return problems[0]?.code;
  };
  assert.equal(await codeOf('none.yaml'), 'file_not_found');
  assert.equal(await codeOf('.'), 'file_unreadable');
  assert.equal(await codeOf('pipe.yaml'), 'file_unreadable');
  assert.equal(await codeOf('latin1.yaml'), 'file_not_utf8');
  assert.equal(await codeOf('large.yaml'), 'file_too_large');
  assert.equal(await codeOf('mark.yaml'), undefined);
});
