/** Whether the packed tarball resolves and types for everyone who may import it: publint and attw. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, TOOLS_PATH } from './pack.ts';

const given = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), 'exequatur-check-'));
try {
  const tarball = given ?? (await pack(folder));
  const checks = [
    ['publint', 'run', tarball, '--strict'],
    // The package is ESM alone, for Node and bundlers that know `exports`.
    ['attw', tarball, '--profile', 'esm-only', '--no-emoji'],
  ] as const;
  for (const [tool, ...words] of checks) {
    const { status } = spawnSync(tool, words, {
      stdio: 'inherit',
      env: { ...process.env, PATH: TOOLS_PATH },
    });
    if (status !== 0) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
