/**
 * The tarball as its users get it: installed by npm in an empty folder without development
 * dependencies, small, typed, and working. What the TypeScript example promises runs here, with it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { pack, TOOLS_PATH } from '../../scripts/pack.ts';
import { ROOT } from '../architecture/source.ts';
import { AGENTS, promisedBy, startNotebook } from '../examples/agents.ts';

const run = promisify(execFile);

const BYTES_MAX = 40_000_000;
const PACKAGES_MAX = 60;

describe('the packed package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-packed-'));
  const home = join(folder, 'home');
  const modules = join(home, 'node_modules');
  const options = { cwd: home, env: { ...process.env, PATH: TOOLS_PATH } };
  let tarball = '';

  before(async () => {
    tarball = await pack(folder);
    mkdirSync(home);
    writeFileSync(join(home, 'package.json'), '{"private":true,"type":"module"}\n');
    await run(
      'npm',
      ['install', tarball, '--prefer-offline', '--omit=dev', '--no-audit', '--no-fund'],
      options,
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function typeCheck(...files: string[]): Promise<void> {
    const settings =
      '--strict --noEmit --skipLibCheck --target es2024 --module nodenext --types node';
    const types = join(ROOT, 'node_modules/@types');
    const { stdout } = await run(
      'tsc',
      [...settings.split(' '), '--typeRoots', types, ...files],
      options,
    ).catch((error: unknown) => ({ stdout: JSON.stringify(error) }));
    assert.equal(stdout, '');
  }

  test('is small: at most 40 MB and 60 packages, without its development dependencies', (t) => {
    const bytes = bytesIn(modules);
    const packages = packagesIn(modules);
    t.diagnostic(`${(bytes / 1e6).toFixed(1)} MB in ${String(packages.length)} packages`);
    assert.ok(packages.includes('exequatur') && packages.length > 5, 'the check scanned nothing');
    assert.ok(bytes <= BYTES_MAX, `${String(bytes)} bytes`);
    assert.ok(packages.length <= PACKAGES_MAX, packages.join(' '));
    assert.ok(!packages.includes('node') && !packages.includes('typescript'));
  });

  test('resolves and types for whoever may import it', async () => {
    // A tool that finds something to say ends with a status that rejects this.
    const { stdout } = await run(
      process.execPath,
      [join(ROOT, 'scripts/check-package.ts'), tarball],
      options,
    );
    assert.match(stdout, /exequatur\/sdk/u);
  });

  test('has a command that says its version', async () => {
    const { stdout } = await run(join(modules, '.bin/exequatur'), ['--version'], options);
    assert.match(stdout, /^\d+\.\d+\.\d+/u);
  });

  test('its example in TypeScript type-checks and prints what its page says', async () => {
    copyFileSync(join(AGENTS, 'typescript/agent.ts'), join(home, 'agent.ts'));
    await typeCheck('agent.ts');
    const layer = await startNotebook();
    try {
      const { stdout } = await run(process.execPath, ['agent.ts'], {
        ...options,
        env: {
          ...options.env,
          EXEQUATUR_URL: await layer.listen(),
          EXEQUATUR_KEY: await layer.agentKey('scribe'),
        },
      });
      assert.equal(stdout, promisedBy('typescript'));
    } finally {
      await layer.close();
    }
  });

  test('the TypeScript of its page type-checks', async () => {
    const page = readFileSync(join(ROOT, 'docs/sdk.md'), 'utf8');
    const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gmu)];
    assert.ok(blocks.length >= 3, 'the check scanned nothing');
    const names = blocks.map((_block, index) => `block-${String(index)}.ts`);
    for (const [index, [, text = '']] of blocks.entries()) {
      writeFileSync(join(home, `block-${String(index)}.ts`), text);
    }
    await typeCheck(...names);
  });

  test('a gate of it acts in the process that imports it', async () => {
    for (const name of ['inventory.yaml', 'policy.yaml', 'notebook.sh']) {
      copyFileSync(join(AGENTS, name), join(home, name));
    }
    writeFileSync(
      join(home, 'gate.js'),
      `import { createGate } from 'exequatur/gate';
const gate = await createGate({ inventory: 'inventory.yaml', policy: 'policy.yaml', data: 'data' });
const scribe = await gate.agent('scribe');
const { state } = await scribe.act({ target: 'notebook', operation: 'append', args: { text: 'hi' } });
console.log(gate.isolation, state);
await gate.close();
`,
    );
    const { stdout } = await run(process.execPath, ['gate.js'], { ...options, timeout: 30_000 });
    assert.equal(stdout, 'none succeeded\n');
  });
});

/** What the folder takes, links not followed. */
function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + lstatSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Every installed package, nested ones too. */
function packagesIn(modules: string): string[] {
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(modules, name)).map((each) => `${name}/${each}`)
        : [name],
    )
    .flatMap((name) => {
      const nested = join(modules, name, 'node_modules');
      return [name, ...(existsSync(nested) ? packagesIn(nested) : [])];
    });
}
