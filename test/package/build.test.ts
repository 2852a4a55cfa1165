/** What is published: compiled, without the source beside it, it still starts, checks a policy, and serves. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { ROOT } from '../architecture/source.ts';
import { hasChromium } from '../fixtures/chromium.ts';
import { sampleLife } from '../ledger/sample-life.ts';
import { policyFile, SampleLog, signingKey } from '../ledger/sample-log.ts';
import { verifiedInBrowser } from './browser-verify.ts';

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
    for (const part of ['bin', 'package.json']) {
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

  test('gives policies in TypeScript their types, and editors their schemas', () => {
    const {
      exports,
      files,
    }: {
      readonly exports: {
        readonly './policy': { readonly types: string; readonly default: string };
      };
      readonly files: readonly string[];
    } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const { types, default: module } = exports['./policy'];
    assert.ok(existsSync(join(folder, types)) && existsSync(join(folder, module)));
    assert.ok(files.includes('schemas'));
  });

  test('has a verifier for browsers that imports nothing of Node', () => {
    const files = readdirSync(join(folder, 'dist/browser'), { recursive: true, encoding: 'utf8' });
    const code = files.filter((name) => name.endsWith('.js'));
    assert.ok(code.includes('ledger/verify.js') && code.includes('kernel/sha256.js'));
    for (const name of code) {
      const text = readFileSync(join(folder, 'dist/browser', name), 'utf8');
      assert.ok(!/from 'node:/u.test(text), name);
    }
  });

  test('verifies in a browser as it does here', { skip: !hasChromium }, async () => {
    const log = new SampleLog();
    log.witnesses = [signingKey('witness.example/1', 'cosignature')];
    const genuine = Buffer.from(await log.receipt(log.add(...sampleLife())));
    const tampered = Buffer.from(genuine);
    tampered[500] = (tampered[500] ?? 0) ^ 1;
    const told = await verifiedInBrowser(join(folder, 'dist'), {
      policy: Buffer.from(policyFile(log.keys, log.witnesses)).toString('base64'),
      receipts: [genuine, tampered, genuine.subarray(0, 99)].map((each) => each.toString('base64')),
      ledger: Buffer.from(await log.exported()).toString('base64'),
    });
    assert.deepEqual(told, ['genuine', 'not_genuine', 'cannot_tell', 'genuine']);
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
      join(ROOT, 'examples/shop/policy.yaml'),
      '--inventory',
      join(ROOT, 'examples/shop/inventory.yaml'),
    );
    assert.equal(status, 0, output);
  });

  test('starts development mode with its demonstration targets, and ends with SIGTERM', async () => {
    assert.ok(!existsSync(join(folder, 'src')) && !existsSync(join(folder, 'examples')));
    const words = ['dev', '--port', '0', '--ephemeral', '--json'];
    const child = spawn(process.execPath, [join(folder, 'bin/exequatur.js'), ...words], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'close');
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const line = await firstLine(child.stdout);
    assert.notEqual(line, '', errors);
    const { url, data }: { readonly url: string; readonly data: string } = JSON.parse(line);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    const deploy = 'propose shop-site-staging deploy --arg version=v1 --as demo-agent --data';
    const proposed = run(...deploy.split(' '), data);
    assert.equal(proposed.status, 0, proposed.output);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null], errors);
    clearTimeout(timer);
    assert.ok(!existsSync(data));
  });

  test('plays the demonstration, and takes it down when it is told to end', async () => {
    const stages = mkdtempSync(join(tmpdir(), 'exequatur-stages-'));
    const child = spawn(process.execPath, [join(folder, 'dist/demo/main.js'), '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: stages },
    });
    const ended = once(child, 'close');
    const first: { readonly ok: boolean } = JSON.parse(await firstLine(child.stdout));
    assert.equal(first.ok, true);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [1, null]);
    assert.deepEqual(readdirSync(stages), []);
    rmSync(stages, { recursive: true });
  });

  test('without its dependencies it says so in one line', () => {
    const bare = join(folder, 'bare');
    for (const part of ['bin', 'package.json', 'dist/cli/main.js', 'dist/cli/program.js']) {
      cpSync(join(folder, part), join(bare, part), { recursive: true });
    }
    const { status, stderr } = spawnSync(process.execPath, [join(bare, 'bin/exequatur.js')], {
      encoding: 'utf8',
    });
    assert.match(stderr, /^exequatur: cannot be loaded: .*\nhint: install its dependencies .*\n$/u);
    assert.equal(status, 1);
  });
});

/** The first line, or an empty one where the stream ended without any. */
async function firstLine(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    createInterface({ input: stream })
      .once('line', resolve)
      .once('close', () => resolve(''));
  });
}
