/** The optional package `pg`: without it PostgreSQL is refused by name, and everything else works. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';

import { ROOT } from '../architecture/source.ts';
import { startSqliteTarget } from '../fixtures/sqlite-target.ts';

const { dependencies }: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
);
/** What `npm install` brings; `pg` is no part of it. */
const PACKAGES = Object.keys(dependencies);

describe('sql/1 without the package `pg`', () => {
  // The source as it is, where no folder above it has the package.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'exequatur-driver-')));
  for (const part of ['src', 'test/fixtures', 'package.json']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  for (const name of PACKAGES) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(realpathSync(join(ROOT, 'node_modules', name)), link);
  }
  after(() => rmSync(folder, { recursive: true, force: true }));

  const preview = (place: string): string => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        join(folder, 'test/fixtures/sql-layer.ts'),
        place,
        'delete-customers',
        '{"closedBefore":"2026-01-01"}',
      ],
      { cwd: folder, encoding: 'utf8', timeout: 30_000, env: { ACT: 'a password' } },
    );
    assert.equal(status, 0, stderr);
    return stdout;
  };

  test('there is none', () => {
    const { resolve } = createRequire(join(folder, 'src/executors/sql/postgres.ts'));
    assert.throws(() => resolve('pg'), { code: 'MODULE_NOT_FOUND' });
  });

  test('a PostgreSQL target is refused with what to do, before anything is reached', () => {
    const credentials = 'credentials: { act: env:ACT, look: env:ACT }';
    const found = preview(`postgres: postgres://actor@127.0.0.1:1/shop\n    ${credentials}`);
    assert.match(found, /"driver_missing".*package `pg` is not installed; run `npm install pg`/u);
  });

  test('a SQLite target works', async () => {
    const fixture = startSqliteTarget();
    const found = preview(fixture.place);
    await fixture.stop();
    assert.match(found, /"ok":true.*"keys":\["2","3"\]/u);
  });
});
