/** docs/ledger.md lists every code of a doubt, with the exit code that it ends with, in order. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DOUBT_CODES } from '../../src/ledger/doubt.ts';
import { ROOT } from '../architecture/source.ts';

test('docs/ledger.md lists every code in order, and docs/verify.py knows which are not genuine', () => {
  const page = readFileSync(join(ROOT, 'docs/ledger.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` +\| ([12]) /gmu)].map((row) => row.slice(1));
  assert.deepEqual(
    rows,
    Object.entries(DOUBT_CODES).map(([code, status]) => [
      code,
      status === 'not_genuine' ? '1' : '2',
    ]),
  );
  const program = readFileSync(join(ROOT, 'docs/verify.py'), 'utf8');
  const [, listed = ''] = /^NOT_GENUINE = \{([^}]*)\}/mu.exec(program) ?? [];
  assert.deepEqual(
    new Set([...listed.matchAll(/"(\w+)"/gu)].map(([, code]) => code)),
    new Set(rows.flatMap(([code, exit]) => (exit === '1' ? [code] : []))),
  );
  for (const [code] of rows) assert.ok(code !== undefined && program.includes(`"${code}"`), code);
});
