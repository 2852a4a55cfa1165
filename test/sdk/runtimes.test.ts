/**
 * `exequatur/sdk` where it is used: one program plays against a real layer in Node, Deno, Bun and a
 * dedicated worker of a browser, and comes to the same everywhere.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

import { startBox, effectsOf } from '../api/box.ts';
import { ROOT } from '../architecture/source.ts';
import { hasChromium, startChromium, type Browser } from '../fixtures/chromium.ts';
import type { Layer } from '../fixtures/layer.ts';
import type { Played } from './play.ts';

const REAL = join(ROOT, 'test/real/node_modules');
const DENO = join(REAL, '@deno/linux-x64-glibc/deno');
const BUN = join(REAL, '@oven/bun-linux-x64/bin/bun');
const RUN_MS_MAX = 30_000;

/** What the program comes to, wherever it runs. */
function expected(name: string): Played {
  return {
    done: ['done', 'succeeded', 'yes'],
    held: ['waiting', 'held', 'no', 'approval_missing'],
    settled: ['done', 'succeeded', 'yes'],
    refused: ['refused', 'denied', 'no', 'denied_by_rule'],
    guarded: [`done ${name}-tool`, `done ${name}-tool`],
    events: ['3'],
    keyOfAnother: ['ApiError', 'idempotency_key_reused', '422'],
    wrongKey: ['ApiError', 'unauthenticated', '401'],
    nobodyThere: ['UnansweredError', 'connection_lost'],
    aborted: ['AbortError'],
    noAddress: ['UsageError', 'url_invalid'],
  };
}

describe('exequatur/sdk runs in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-runtimes-'));
  const installed = join(folder, 'node_modules/exequatur');
  let layer: Layer;
  let url: string;
  let nobody: string;
  const ending = new AbortController();
  let approving: Promise<void>;

  before(async () => {
    install(folder);
    layer = await startBox();
    url = await layer.listen();
    nobody = await closedAddress();
    const lead = await layer.personKey('mei', { roles: ['lead'] });
    approving = approveHeld(layer, lead, ending.signal);
  });
  after(async () => {
    ending.abort();
    await approving;
    await layer.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('Node', async () => {
    assert.deepEqual(await playIn('node', process.execPath, []), expected('node'));
    assert.deepEqual(effectsOf(layer), ['ok node', 'deploy node', 'ok node-tool']);
  });

  test('Deno, with no permission but this address', skipUnless('Deno', DENO), async () => {
    const addresses = [url, nobody].map((each) => new URL(each).host).join(',');
    const words = ['run', '--no-prompt', '--no-remote', '--cached-only'];
    const played = await playIn('deno', DENO, [...words, `--allow-net=${addresses}`]);
    assert.deepEqual(played, expected('deno'));
  });

  test('Bun', skipUnless('Bun', BUN), async () => {
    assert.deepEqual(await playIn('bun', BUN, ['--no-install']), expected('bun'));
  });

  describe('a browser', { ...skipUnless('Chromium', hasChromium) }, () => {
    let browser: Browser;
    let server: Server;
    let origin: string;
    before(async () => {
      server = serveBeside(url, { folder, sdk: join(installed, 'dist') });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      origin = `http://localhost:${String(portOf(server))}`;
      browser = await startChromium();
    });
    after(async () => {
      await browser.close();
      server.close();
      server.closeAllConnections();
    });

    test('in a dedicated worker, beside a layer of the same origin', async () => {
      const page = await browser.newPage();
      await page.goto(`${origin}/page.html`);
      const key = await layer.agentKey('browser');
      const parts = JSON.stringify({ url: origin, key, nobody, name: 'browser' });
      const played = await page.evaluate(`playInWorker(${parts})`);
      assert.deepEqual(played, expected('browser'));
    });

    test('whose page of another origin gets no answer, and causes nothing', async () => {
      const page = await browser.newPage();
      await page.goto(`${origin}/page.html`);
      const key = await layer.agentKey('stranger');
      const told = await page.evaluate(
        ([place, authorization]) =>
          fetch(place, {
            method: 'POST',
            headers: { authorization, 'content-type': 'application/json', 'idempotency-key': 'x' },
            body: '{"target":"box","operation":"ping","args":{"mode":"ok","text":"stranger"}}',
          }).then(
            ({ status }) => String(status),
            ({ name }: Error) => name,
          ),
        [`${url}/v1/actions`, `Bearer ${key}`] as const,
      );
      assert.equal(told, 'TypeError');
      assert.ok(!effectsOf(layer).includes('ok stranger'));
    });
  });

  /** Runs the program as a user of the installed package would, and reads what it printed. */
  async function playIn(name: string, runtime: string, words: readonly string[]): Promise<unknown> {
    const parts = JSON.stringify({ url, key: await layer.agentKey(name), nobody, name });
    const main = join(folder, `${name}.js`);
    writeFileSync(
      main,
      `import * as sdk from 'exequatur/sdk';
import { play } from './play.js';
console.log(JSON.stringify(await play({ sdk, ...${parts} })));
`,
      { mode: 0o600 },
    );
    const { stdout } = await promisify(execFile)(runtime, [...words, main], {
      cwd: folder,
      timeout: RUN_MS_MAX,
      env: { PATH: '/usr/bin:/bin', HOME: folder, DENO_DIR: join(folder, 'deno'), NO_COLOR: '1' },
    });
    return JSON.parse(stdout);
  }
});

/** Skips loudly where there is no such runtime for this machine; where there is one it must be there. */
function skipUnless(name: string, installed: string | boolean): { readonly skip?: string } {
  if (process.platform === 'linux' && process.arch === 'x64') {
    const isThere = typeof installed === 'string' ? existsSync(installed) : installed;
    assert.ok(isThere, `${name} is not installed: npm run pretest`);
    return {};
  }
  const skip = `NOT TESTED: no ${name} for ${process.platform}-${process.arch} among the test packages`;
  console.error(skip);
  return { skip };
}

/** The SDK, compiled as the package is, where `exequatur/sdk` is found, and the program beside it. */
function install(folder: string): void {
  const out = join(folder, 'node_modules/exequatur');
  mkdirSync(out, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(out, 'package.json'), readFileSync(join(ROOT, 'package.json')));
  const project = join(folder, 'tsconfig.json');
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(ROOT, 'tsconfig.build.json'),
      compilerOptions: {
        rootDir: join(ROOT, 'src'),
        typeRoots: [join(ROOT, 'node_modules/@types')],
      },
      files: [join(ROOT, 'src/sdk/main.ts')],
      include: [],
    }),
  );
  const compiled = spawnSync(
    join(ROOT, 'node_modules/.bin/tsc'),
    ['-p', project, '--outDir', join(out, 'dist')],
    { encoding: 'utf8' },
  );
  assert.equal(compiled.status, 0, compiled.stdout + compiled.stderr);
  const program = readFileSync(join(ROOT, 'test/sdk/play.ts'), 'utf8');
  writeFileSync(join(folder, 'play.js'), stripTypeScriptTypes(program));
  writeFileSync(
    join(folder, 'page.html'),
    `<!doctype html><script>
const playInWorker = (parts) => new Promise((resolve) => {
  const worker = new Worker('/worker.js', { type: 'module' });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => resolve(message);
  worker.postMessage(parts);
});
</script>`,
  );
  writeFileSync(
    join(folder, 'worker.js'),
    `import * as sdk from '/dist/sdk/main.js';
import { play } from '/play.js';
addEventListener('message', ({ data }) => {
  play({ sdk, ...data }).then(postMessage, (error) => postMessage(String(error)));
});
`,
  );
}

/** A site whose `/v1` is the layer's, as a reverse proxy makes it: one origin for page and layer. */
function serveBeside(
  url: string,
  { folder, sdk }: { readonly folder: string; readonly sdk: string },
): Server {
  return createServer((asked, answer) => {
    const path = asked.url ?? '/';
    if (path.startsWith('/v1/')) {
      const passed = request(
        new URL(path, url),
        { method: asked.method, headers: asked.headers },
        (told) => {
          answer.writeHead(told.statusCode ?? 500, told.headers);
          told.pipe(answer);
        },
      );
      passed.on('error', () => answer.destroy());
      answer.on('close', () => passed.destroy());
      asked.pipe(passed);
      return;
    }
    const file = path.startsWith('/dist/') ? join(sdk, path.slice(5)) : join(folder, path);
    const type = path.endsWith('.html') ? 'text/html' : 'text/javascript';
    if (existsSync(file)) answer.writeHead(200, { 'content-type': type }).end(readFileSync(file));
    else answer.writeHead(404).end();
  });
}

/** Says yes to whatever is held, as a lead would who sits beside. */
async function approveHeld(layer: Layer, lead: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { body } = await layer.ask('GET /v1/actions?state=held', { key: lead });
    const held = body['actions'] as readonly { readonly id: string }[];
    await Promise.all(held.map(({ id }) => layer.approve(lead, id)));
    await setTimeout(50);
  }
}

async function closedAddress(): Promise<string> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const port = portOf(server);
  server.close();
  return `http://127.0.0.1:${String(port)}`;
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}
