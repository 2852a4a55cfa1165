/** The runner of mutants finds what the toy's tests miss, and does not cry wolf. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { isClean } from '../../scripts/mutate/print.ts';
import { sourcesOf, stagesOf } from '../../scripts/mutate/scope.ts';
import { trySource, type SourceReport, type Tried } from '../../scripts/mutate/try-source.ts';
import { ROOT } from '../architecture/source.ts';

const SOURCE = 'test/mutation/toy.ts';
const BEGIN = { root: ROOT, source: SOURCE, testMsMax: 10_000 };

function changes(tried: readonly Tried[], kind: Tried['verdict']['kind']): readonly string[] {
  return tried
    .filter(({ verdict }) => verdict.kind === kind)
    .map(({ mutant }) => `${mutant.mutator} ${'text' in mutant.change ? mutant.change.text : ''}`);
}

function lineWith(words: string): number {
  const lines = readFileSync(join(ROOT, SOURCE), 'utf8').split('\n');
  return lines.findIndex((line) => line.includes(words)) + 1;
}

describe('mutants of a small file', () => {
  let report: SourceReport;

  before(async () => {
    report = await trySource({ ...BEGIN, stages: [['test/mutation/toy.cases.ts']] });
  });

  function inLines(first: string, last: string): readonly Tried[] {
    const [from, to] = [lineWith(first), lineWith(last)];
    return report.tried.filter(({ mutant }) => mutant.line >= from && mutant.line <= to);
  }

  test('are found where a test tells them apart, and a loop that never ends is ended', () => {
    const sum = inLines('let sum', 'sum > LIMIT');
    assert.ok(changes(sum, 'killed').includes('boundary step < count'));
    assert.ok(changes(sum, 'killed').includes('statement '));
    assert.deepEqual(changes(sum, 'timeout'), ['arithmetic step -= 1']);
  });

  test('are found also in what is computed while the module loads', () => {
    assert.deepEqual(changes(inLines('const LIMIT', 'const LIMIT'), 'killed'), [
      'constant (100 + 1)',
    ]);
  });

  test('survive where no test looks', () => {
    assert.deepEqual(changes(inLines("word === 'one'", "word === 'one'"), 'survived'), [
      'condition false',
    ]);
    const forgotten = inLines('forgotten =', 'forgotten =');
    assert.ok(forgotten.length > 3);
    for (const { verdict } of forgotten) {
      assert.deepEqual(verdict, { kind: 'survived', tests: 0 });
    }
  });

  test('are explained beside the code, and an explanation of nothing is told', () => {
    const explained = report.tried.filter(({ explanation }) => explanation !== undefined);
    assert.deepEqual(
      explained.map(({ mutant, explanation }) => [mutant.mutator, explanation?.why]),
      [['boundary', 'at 100 both are 100.']],
    );
    assert.deepEqual(report.staleLines, [lineWith('text ??')]);
    assert.ok(!isClean(report));
    const tried = report.tried.filter(({ verdict }) => verdict.kind !== 'survived');
    assert.ok(isClean({ ...report, tried, staleLines: [] }));
    assert.ok(!isClean({ ...report, tried }));
  });
});

test('a test that fails without a mutant stops the run: it would find every one', async () => {
  const stages = [['test/mutation/broken.cases.ts']];
  await assert.rejects(trySource({ ...BEGIN, stages }), /fails without a mutant/u);
});

test('the scope is the kernel, the approvals and the transition function, each with its tests', () => {
  const sources = sourcesOf(ROOT, []);
  for (const path of [
    'src/kernel/decide.ts',
    'src/kernel/json/parse.ts',
    'src/approval/answer.ts',
    'src/engine/transition.ts',
  ]) {
    assert.ok(sources.includes(path), path);
  }
  assert.ok(sources.length > 70, String(sources.length));
  assert.ok(!sources.some((path) => path.includes('.test.')));
  const [own, near, laws] = stagesOf(ROOT, 'src/kernel/json/parse.ts');
  assert.ok(own?.includes('src/kernel/json/parse.test.ts'));
  assert.ok(own?.every((path) => path.startsWith('src/kernel/json/parse.')));
  assert.ok(near?.every((path) => !path.includes('growth')));
  assert.ok(near?.includes('src/kernel/json/write.test.ts'));
  assert.ok(!near?.includes('src/kernel/decimal.test.ts'));
  assert.ok(laws !== undefined);
});
