/** What is published: compiled, without the source beside it, it still starts and checks a policy. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT } from '../architecture/source.ts';

describe('the built package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-package-'));
  const run = (...words: string[]): { status: number | null; output: string } => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(folder, 'bin/exequatur.js'), ...words],
      { encoding: 'utf8', cwd: folder },
    );
    return { status, output: stdout + stderr };
  };

  before(() => {
    const built = spawnSync(process.execPath, ['scripts/build.ts', join(folder, 'dist')], {
      cwd: ROOT,
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
      },
    });
    assert.equal(built.status, 0, built.stdout + built.stderr);
    for (const part of ['bin', 'package.json', 'examples']) {
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('has declarations and migrations, and no tests', () => {
    assert.ok(existsSync(join(folder, 'dist/kernel/decide.d.ts')));
    assert.ok(existsSync(join(folder, 'dist/stores/sqlite/migrations/0001-boundary.sql')));
    assert.ok(!existsSync(join(folder, 'dist/kernel/digest.test.js')));
  });

  test('starts, and says its version', () => {
    const { status, output } = run('--version');
    assert.equal(status, 0, output);
    assert.match(output, /^\d+\.\d+\.\d+/u);
  });

  test('checks a policy against its inventory', () => {
    const { status, output } = run(
      'policy',
      'check',
      'examples/shop/policy.yaml',
      '--inventory',
      'examples/shop/inventory.yaml',
    );
    assert.equal(status, 0, output);
  });
});
