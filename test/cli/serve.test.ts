/** Starting, refusing to start, reloading and stopping: a layer in a process of its own. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  enrolPeople,
  makeDirectory,
  POLICY,
  removeDirectory,
  runBin,
  serve,
  type Layer,
} from './layer.ts';
import { openSession } from './transcript.ts';

describe('a start that cannot succeed', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await makeDirectory();
  });

  async function refused(expected: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await runBin(directory, ['serve']);
    assert.equal(stdout, '');
    assert.deepEqual(stderr.trim().replaceAll(directory, '<dir>').split('\n'), expected);
    assert.equal(code, 1);
    await removeDirectory(directory);
  }

  const ENDING = [
    'error: the configuration is not valid; the layer did not start',
    'hint: correct what is listed above; `exequatur policy check` tells the same without starting',
  ];

  test('a broken configuration is told with file, line and column', async () => {
    await writeFile(join(directory, 'exequatur.yaml'), 'version: 1\ntennant: shop\n');
    await refused([
      'exequatur.yaml:2:1: error: unknown key `tennant` in configuration',
      '  hint: did you mean `tenant`?',
      ...ENDING,
    ]);
    assert.ok(!existsSync(join(directory, 'data')));
  });

  test('a configuration that is not there says which', async () => {
    const { code, stderr } = await runBin(directory, ['serve', '--config', 'other.yaml']);
    assert.match(stderr, /^other\.yaml:1:1: error: there is no file /u);
    assert.equal(code, 1);
    await removeDirectory(directory);
  });

  test('everything wrong in inventory and policy is told at once', async () => {
    const inventory = await readFile(join(directory, 'inventory.yaml'), 'utf8');
    await writeFile(
      join(directory, 'inventory.yaml'),
      inventory.replace('kind: code.execute', 'kind: code.exekute'),
    );
    await writeFile(join(directory, 'policy.yaml'), 'version: 1\n  rules: []\n');
    const { code, stderr } = await runBin(directory, ['serve']);
    assert.match(stderr, /^inventory\.yaml:12:15: error: `code\.exekute` is not a kind/mu);
    assert.match(stderr, /^policy\.yaml:\d+:\d+: error: /mu);
    assert.equal(code, 1);
    await removeDirectory(directory);
  });

  test('a policy that names what the inventory does not have is refused', async () => {
    await writeFile(
      join(directory, 'policy.yaml'),
      POLICY.replace('environment: production', 'environment: produktion'),
    );
    const { code, stdout, stderr } = await runBin(directory, ['serve', '--json']);
    assert.equal(stdout, '');
    const { error } = JSON.parse(stderr);
    assert.equal(error.code, 'configuration_invalid');
    assert.deepEqual(
      [error.problems[0].code, error.problems[0].line, error.problems[0].column],
      ['unknown_environment', 8, 37],
    );
    assert.equal(code, 1);
    await removeDirectory(directory);
  });

  test('programs that would run as the layer itself are refused until the inventory says so', async () => {
    const path = join(directory, 'inventory.yaml');
    const inventory = await readFile(path, 'utf8');
    await writeFile(path, inventory.replace(', user: same-as-layer }', ' }'));
    const check = await runBin(directory, ['policy', 'check']);
    assert.match(
      check.stdout + check.stderr,
      /inventory\.yaml:5:14: error: the programs of target/u,
    );
    assert.equal(check.code, 1);
    await refused([
      "inventory.yaml:5:14: error: the programs of target `staging` would run as the layer's own user",
      '  hint: add `user: NAME` or `sandbox: bwrap` under `process:`, or `user: same-as-layer` to say so',
      ...ENDING,
    ]);
  });

  test('an error that nobody foresaw is one line; its trace is for whoever asks', async () => {
    const words = ['serve', '--data', 'exequatur.yaml'];
    const { code, stdout, stderr } = await runBin(directory, words);
    assert.match(
      stderr,
      /^exequatur: EEXIST: .*\nhint: run it again with EXEQUATUR_DEBUG=1 .*\n$/u,
    );
    assert.deepEqual([code, stdout], [1, '']);
    const json = await runBin(directory, [...words, '--json']);
    assert.equal(JSON.parse(json.stderr).error.code, 'internal_error');
    const node = [
      process.execPath,
      '--import',
      'data:text/javascript,process.env.EXEQUATUR_DEBUG=1',
    ];
    const traced = await runBin(directory, words, node);
    assert.match(traced.stderr, /^ +at .*daemon\.ts:\d+/mu);
    assert.equal(traced.code, 1);
    await removeDirectory(directory);
  });

  test('an operator key that others may read is refused', async () => {
    await mkdir(join(directory, 'data'), { mode: 0o700 });
    const file = join(directory, 'data', 'operator.key');
    await writeFile(file, `exq_operator_${'A'.repeat(43)}\n`);
    await chmod(file, 0o644);
    const { code, stderr } = await runBin(directory, ['serve']);
    assert.match(stderr, /^error: others may read /u);
    assert.equal(code, 1);
    await removeDirectory(directory);
  });
});

describe('a running layer', () => {
  let layer: Layer;
  before(async () => {
    layer = await serve(await makeDirectory());
    await enrolPeople(layer.directory);
  });
  after(async () => {
    await layer.end();
    await removeDirectory(layer.directory);
  });

  test('its keys and its address are readable by nobody else', () => {
    for (const file of ['operator.key', 'daemon.json']) {
      assert.equal(statSync(join(layer.directory, 'data', file)).mode & 0o777, 0o600, file);
    }
  });

  test('its status names the targets whose programs can read what it can', async () => {
    const { stdout } = await runBin(layer.directory, ['status', '--json']);
    assert.deepEqual(JSON.parse(stdout).sameUserTargets, ['staging', 'production']);
  });

  test('a second layer on the same data is told who has it', async () => {
    const { code, stderr } = await runBin(layer.directory, ['serve']);
    assert.match(
      stderr,
      new RegExp(String.raw`^error: the store in .*${String(layer.child.pid)}`, 'u'),
    );
    assert.match(stderr, /^hint: one process owns a data directory/mu);
    assert.equal(code, 1);
  });

  test('a taken port is told, the store is let go, and nothing was activated', async () => {
    const { port } = new URL(layer.url);
    const directory = await makeDirectory();
    const { code, stderr } = await runBin(directory, ['serve', '--port', port]);
    assert.match(stderr, new RegExp(`^error: port ${port} is taken$`, 'mu'));
    assert.match(stderr, /^hint: choose another with `--port`/mu);
    assert.equal(code, 1);
    // Another policy is another epoch: it is the first one only if the failed start made none.
    await writeFile(join(directory, 'policy.yaml'), POLICY.replace('count: 1', 'count: 2'));
    const second = await serve(directory);
    const { stdout } = await openSession(directory).type('exequatur status --json');
    assert.equal(await second.end(), 0);
    assert.equal(JSON.parse(stdout).epoch.number, 1);
    await removeDirectory(directory);
  });

  test('a reload that is not valid keeps the last good epoch, and everybody is told', async () => {
    const session = openSession(layer.directory);
    const policy = join(layer.directory, 'policy.yaml');
    const epochOf = async (): Promise<number> =>
      JSON.parse((await session.type('exequatur status --json')).stdout).epoch.number;
    assert.equal(await epochOf(), 1);
    await writeFile(policy, POLICY.replace('allow: true', 'alow: true'));
    const bad = await session.type('exequatur reload');
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /^policy\.yaml:6:5: error: unknown key `alow` in rule$/mu);
    assert.match(bad.stderr, /the last good epoch stays active$/mu);
    assert.match(layer.written().stderr, /"code":"configuration_invalid"/u);
    const ready = await fetch(`${layer.url}/readyz`);
    assert.equal(ready.status, 200);
    const told: { readonly status: string } = JSON.parse(await ready.text());
    assert.equal(told.status, 'degraded');
    const status = JSON.parse((await session.type('exequatur status --json')).stdout);
    assert.deepEqual(
      [status.status, status.reasons[0].code, status.epoch.number],
      ['degraded', 'configuration_invalid', 1],
    );
    // The last good policy still decides.
    const held = await session.type(
      'exequatur propose production deploy --arg version=v1 --as bot',
    );
    assert.equal(held.code, 3);
    await writeFile(policy, POLICY.replace('count: 1', 'count: 2'));
    assert.equal((await session.type('exequatur reload')).code, 0);
    assert.equal(await epochOf(), 2);
    assert.equal(
      JSON.parse((await session.type('exequatur status --json')).stdout).status,
      'ready',
    );
    await writeFile(policy, POLICY);
  });

  test('SIGHUP reads the files again', async () => {
    const session = openSession(layer.directory);
    const first = JSON.parse((await session.type('exequatur status --json')).stdout).epoch.number;
    await writeFile(
      join(layer.directory, 'policy.yaml'),
      POLICY.replace('validFor: 1h', 'validFor: 2h'),
    );
    layer.child.kill('SIGHUP');
    const started = performance.now();
    let now = first;
    while (now === first && performance.now() - started < 10_000) {
      now = JSON.parse((await session.type('exequatur status --json')).stdout).epoch.number;
    }
    assert.equal(now, first + 1);
  });
});

describe('a layer that stops', () => {
  test('with nothing under way it is gone at once, whoever keeps a connection open', async (context) => {
    const directory = await makeDirectory();
    const layer = await serve(directory);
    const kept = await fetch(`${layer.url}/readyz`);
    assert.equal(kept.status, 200);
    await kept.text();
    const started = performance.now();
    assert.equal(await layer.end(), 0);
    const tookMs = performance.now() - started;
    context.diagnostic(`drain_ms ${tookMs.toFixed(0)}`);
    assert.ok(tookMs < 1000, `${String(tookMs)} ms`);
    await removeDirectory(directory);
  });

  test('SIGTERM lets what is under way settle, then ends with 0 and takes its address away', async () => {
    const directory = await makeDirectory();
    // A slow deployment: the signal arrives while it runs.
    const inventory = await readFile(join(directory, 'inventory.yaml'), 'utf8');
    const slow = `${process.execPath}","-e","setTimeout(() => {}, 1500)"`;
    await writeFile(
      join(directory, 'inventory.yaml'),
      inventory.replace(/run: \["[^\n]*/u, `run: ["${slow}]`),
    );
    const layer = await serve(directory);
    await enrolPeople(directory);
    const session = openSession(directory);
    const proposed = session.type(
      'exequatur propose staging deploy --arg version=v1 --as bot --key slow --json',
    );
    await untilExecuting(session);
    assert.equal(await layer.end(), 0);
    await proposed;
    assert.ok(!existsSync(join(directory, 'data', 'daemon.json')));
    const gone = await session.type('exequatur status');
    assert.equal(gone.code, 6);
    const again = await serve(directory);
    const { stdout } = await session.type('exequatur actions --json');
    const action: { readonly state: string } = JSON.parse(stdout);
    assert.equal(action.state, 'succeeded');
    assert.equal(await again.end(), 0);
    await removeDirectory(directory);
  });

  test('a daemon that was killed is told from one that runs', async () => {
    const directory = await makeDirectory();
    const layer = await serve(directory);
    assert.equal(await layer.end('SIGKILL'), null);
    const { code, stderr } = await runBin(directory, ['status']);
    assert.match(stderr, /^error: the daemon that was here \(process \d+, started .*\) is gone$/mu);
    assert.match(stderr, /^hint: start it with /mu);
    assert.equal(code, 6);
    const again = await serve(directory);
    assert.equal(await again.end(), 0);
    await removeDirectory(directory);
  });
});

async function untilExecuting(session: ReturnType<typeof openSession>): Promise<void> {
  const started = performance.now();
  while (performance.now() - started < 10_000) {
    const { stdout } = await session.type('exequatur actions --state executing --json');
    if (stdout !== '') return;
  }
  assert.fail('nothing began to execute');
}
