/** Packs what is published, built in a folder of its own, so that the checkout stays as it is. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

/** Node and the tools of this checkout first: what is packed does not depend on the machine's own. */
export const TOOLS_PATH: string = [
  dirname(process.execPath),
  join(root, 'node_modules/.bin'),
  process.env['PATH'] ?? '',
].join(delimiter);

/** Packs into `folder` and answers the path of the tarball. Rejects where the build or npm fails. */
export async function pack(folder: string): Promise<string> {
  const stage = join(folder, 'stage');
  mkdirSync(stage, { recursive: true });
  const options = { env: { ...process.env, PATH: TOOLS_PATH } };
  await run(process.execPath, [join(root, 'scripts/build.ts'), join(stage, 'dist')], {
    ...options,
    cwd: root,
  });
  for (const part of ['package.json', 'bin', 'schemas', 'LICENSE', 'README.md', 'CHANGELOG.md']) {
    if (existsSync(join(root, part))) {
      cpSync(join(root, part), join(stage, part), { recursive: true });
    }
  }
  const { stdout } = await run(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder],
    { ...options, cwd: stage },
  );
  const name = stdout.trim().split('\n').at(-1);
  if (name === undefined || !name.endsWith('.tgz'))
    throw new Error(`npm packed nothing: ${stdout}`);
  return join(folder, name);
}
