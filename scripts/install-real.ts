/** Installs the heavy real things that tests run against (`test/real`), unless they are there already. */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../test/real', import.meta.url));
// npm writes this file last, so it is there only after a whole installation.
const installed = `${folder}/node_modules/.package-lock.json`;
const lock = `${folder}/package-lock.json`;

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  console.log('installing what the tests run against (PostgreSQL, Deno, Bun, Chromium)');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  process.exit(status ?? 1);
}
