/** Every promise of SECURITY.md names tests, and they exist: a claim that no test holds is a defect. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../architecture/source.ts';

/** Laws of the design, and the one that this version does not have. */
const LAWS = 15;
const NOT_YET = new Set([13]);

interface Claim {
  readonly law: number;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

function claims(): Claim[] {
  const text = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
  return [...text.matchAll(/^\|\s*(\d+) [^|]*\|[^|]*\|([^|]*)\|$/gmu)].map((row) => ({
    law: Number(row[1]),
    tests: [...(row[2] ?? '').matchAll(/`([^`]+)`\s+"([^"]+)"/gu)].map((cited) => ({
      file: cited[1] ?? '',
      title: cited[2] ?? '',
    })),
  }));
}

/** Whether the words stand in a text of the code: a comment that speaks of a law holds nothing. */
function hasTitle(source: string, title: string): boolean {
  return source.split('\n').some((line) => {
    const at = line.indexOf(title);
    return at > 0 && /['"`]/u.test(line.slice(0, at)) && !/^\s*(?:\/\/|\*|\/\*)/u.test(line);
  });
}

describe('the promises of SECURITY.md', () => {
  const all = claims();

  test('every law stands there, once, in order', () => {
    assert.deepEqual(
      all.map(({ law }) => law),
      Array.from({ length: LAWS }, (_, index) => index + 1),
    );
  });

  test('a comment about a law is no test of it', () => {
    assert.ok(!hasTitle('/** Limits conserve (law 11): `posted` and more. */', 'law 11'));
    assert.ok(hasTitle("  test('law 11: limits conserve', () => {", 'law 11'));
  });

  for (const { law, tests } of all) {
    test(`law ${String(law)} is held by tests that exist`, () => {
      if (NOT_YET.has(law)) return assert.equal(tests.length, 0);
      assert.ok(tests.length > 0, 'no test is cited');
      for (const { file, title } of tests) {
        const path = join(ROOT, file);
        assert.ok(existsSync(path), `${file} is gone`);
        assert.ok(hasTitle(readFileSync(path, 'utf8'), title), `${file} has no test "${title}"`);
      }
    });
  }
});
