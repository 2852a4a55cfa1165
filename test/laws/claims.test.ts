/**
 * The gate on claims: every law and every gap of SECURITY.md, and every stable error code of the source,
 * is named by a test. A test cites a law or a gap by its id in its title (`law 7`, `laws 3, 4 and 5`,
 * `gap masking`), and a code by the code itself, as a text, a member or a pattern. Comments cite nothing.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT, sourceFiles } from '../architecture/source.ts';
import { citedIn, claimsOf, codesOf, uncited, wordsOf } from './claims.ts';
import { CODES_NOT_PROVOKED } from './codes-not-provoked.ts';

/** Laws of the design. */
const LAWS = 15;

/** Gaps that no test can show here, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'gap late-arrival': 'what arrives after the operator said it cannot is the target’s doing',
  'gap lying-disk': 'a disk that lies is not to be had on a test machine',
};

/** This file and what it reads with: they speak of ids and codes without testing them. */
const OWN = /^test\/laws\/(?:claims|codes-not-provoked)\b/u;

const sources = sourceFiles('src').map(({ path }) => path);
const tests = [...sourceFiles('src', { tests: true }), ...sourceFiles('test', { tests: true })]
  .map(({ path }) => path)
  .filter((path) => path.startsWith('test/') || path.includes('.test.'))
  .filter((path) => !OWN.test(path));
const words = tests.map((path) => wordsOf(ROOT, path));
const said = new Set(words.flatMap((each) => [...each]));
const cited = new Set([...said].flatMap(citedIn));
const claims = claimsOf(readFileSync(join(ROOT, 'SECURITY.md'), 'utf8'));

describe('the claims of SECURITY.md', () => {
  test('are every law, once, in order, and the gaps, each once', () => {
    const laws = claims.filter((id) => id.startsWith('law'));
    assert.deepEqual(
      laws,
      Array.from({ length: LAWS }, (_, index) => `law ${String(index + 1)}`),
    );
    assert.ok(claims.length > LAWS, 'no gap is told');
    assert.equal(new Set(claims).size, claims.length);
  });

  test('are each cited by a test', () => {
    assert.deepEqual(uncited(claims, cited), Object.keys(NOT_RUN));
  });

  test('are all that tests cite', () => {
    assert.deepEqual(uncited([...cited], new Set(claims)), []);
  });
});

describe('the error codes', () => {
  const codes = new Set(sources.flatMap((path) => [...codesOf(ROOT, path)]));

  test('are found in lists, tables, unions and where they are given', () => {
    for (const code of ['json_too_deep', 'unauthenticated', 'already_final', 'usage', 'halted']) {
      assert.ok(codes.has(code), code);
    }
    assert.ok(codes.size > 300, String(codes.size));
  });

  test('are each cited by a test, but for those whose absence is told', () => {
    assert.deepEqual(
      uncited([...codes].sort(), said),
      Object.keys(CODES_NOT_PROVOKED).sort(),
      'cite it, or tell why not',
    );
  });
});

describe('the gate', () => {
  test('finds a claim and a code that no test cites', () => {
    const planted = claimsOf('| `law 1` | x | y |\n- `gap planted` **Text.**');
    assert.deepEqual(planted, ['law 1', 'gap planted']);
    assert.deepEqual(uncited(planted, cited), ['gap planted']);
    assert.deepEqual(uncited(['usage', 'planted_code'], new Set(['usage'])), ['planted_code']);
  });

  test('reads the ways to cite', () => {
    assert.deepEqual(citedIn('law 7: a halt'), ['law 7']);
    assert.deepEqual(citedIn('nothing crosses (law 8)'), ['law 8']);
    assert.deepEqual(citedIn('laws 3, 4 and 12 hold'), ['law 3', 'law 4', 'law 12']);
    assert.deepEqual(citedIn('gap masking: a secret'), ['gap masking']);
    assert.deepEqual(citedIn('law: an error; a gap in the wall'), []);
  });

  test('takes no comment for a test', () => {
    const own = wordsOf(ROOT, 'test/laws/claims.test.ts');
    // law 99 and gap comment: these words stand in a comment only.
    assert.ok(![...own].some((text) => citedIn(text).includes(`law ${String(99)}`)));
  });
});
