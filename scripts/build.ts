/** Compiles the package into `dist/`, with the files that are no TypeScript beside what reads them. */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildBrowser } from './build-browser.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = process.argv[2] ?? `${root}/dist`;

rmSync(out, { recursive: true, force: true });
compile('tsconfig.build.json', out);
// Development mode plays the demonstration, so the published package holds it too.
compile('scripts/tsconfig.demo.json', `${out}/demo`);
for (const name of ['exequatur.yaml', 'inventory.yaml', 'policy.yaml']) {
  cpSync(`${root}/examples/demo/${name}`, `${out}/demo/${name}`);
}
cpSync(`${root}/src/stores/sqlite/migrations`, `${out}/stores/sqlite/migrations`, {
  recursive: true,
});
buildBrowser(out);

function compile(project: string, directory: string): void {
  const words = ['-p', project, '--outDir', directory];
  const { status } = spawnSync('tsc', words, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
