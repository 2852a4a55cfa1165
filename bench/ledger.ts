/**
 * What the ledger costs, and how it is served:
 *
 *     node bench/ledger.ts [--actions 20000] [--stored 333000] [--json]
 *
 * Actions a second without checkpoints and with them (round by round, in one run), what the tree costs
 * for each action, and tiles of a store with so many actions (three entries each) over HTTP from a
 * process of its own: milliseconds and resident memory. 333,000 stored actions are 1,000,000 entries
 * and take minutes. `--stored 0` leaves the tiles out.
 */
import { spawn } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Checkpoints } from '../src/engine/checkpoints.ts';
import type { Signer } from '../src/engine/ports.ts';
import { createMasker } from '../src/executors/mask.ts';
import { createHttpApp } from '../src/gateways/http/app.ts';
import { LOOPBACK_HOSTS } from '../src/gateways/http/door.ts';
import { listen } from '../src/gateways/http/listen.ts';
import { digestOf } from '../src/kernel/digest.ts';
import { tilePath, tileWidth } from '../src/ledger/tile.ts';
import { checkpointFiles } from '../src/server/signing-keys.ts';
import { SYSTEM_CLOCK } from '../src/server/system.ts';
import { openFileBlobs } from '../src/stores/blobs/file-blobs.ts';
import { LedgerTrees } from '../src/stores/sqlite/ledger-trees.ts';
import { openDatabase } from '../src/stores/sqlite/open-database.ts';
import { IN_FLIGHT, openLayer, type BenchLayer } from './layer.ts';
import { median, percentile, perSecond } from './measure.ts';
import { fillStore } from './million.ts';
import { benchInventory, benchPolicy } from './setup.ts';

/** Entries of one action that crosses at once: proposed, crossed, settled. */
const ENTRIES_PER_ACTION = 3;
const ROUNDS = 5;
const ENTRY = Buffer.alloc(420, 'x');

const { values: options } = parseArgs({
  options: {
    actions: { type: 'string', default: '20000' },
    stored: { type: 'string', default: '333000' },
    json: { type: 'boolean', default: false },
    serve: { type: 'string' },
  },
});

const policy = benchPolicy(benchInventory(), 100);
if (options.serve === undefined) {
  const rate = await inFolder(measureCheckpoints);
  await inFolder((folder) => measureTree(folder, rate));
  if (Number(options.stored) > 0) await inFolder(measureTiles);
} else {
  await serveTiles(options.serve);
}

async function measureCheckpoints(folder: string): Promise<number> {
  const layer = await openLayer(policy, join(folder, 'data'));
  const count = Math.ceil(Number(options.actions) / ROUNDS);
  const without: number[] = [];
  const withThem: number[] = [];
  await perSecond({ count: 2000, width: IN_FLIGHT }, layer.act);
  for (let round = 0; round < ROUNDS; round += 1) {
    without.push(await perSecond({ count, width: IN_FLIGHT }, layer.act));
    const checkpoints = checkpointsOf(layer, join(folder, 'keys'));
    const stop = layer.engine.watch.listenAll(() => checkpoints.grown(layer.tenant));
    withThem.push(await perSecond({ count, width: IN_FLIGHT }, layer.act));
    stop();
    await checkpoints.close();
  }
  await layer.close();
  const [bare, signed] = [median(without), median(withThem)];
  tell('actions a second, tree and no checkpoints', bare);
  tell('actions a second, tree and checkpoints', signed);
  tell('share of checkpoints, percent', 100 * (1 - signed / bare));
  return bare;
}

/** The same code that a store runs for each entry, in transactions of a group commit's size. */
async function measureTree(folder: string, actionsPerSecond: number): Promise<void> {
  const database = openDatabase(join(folder, 'data'));
  const trees = new LedgerTrees(database.db, { lastOf: () => 0, entries: () => [] });
  const perEntry: number[] = [];
  for (let round = 0; round < 400; round += 1) {
    database.db.execute('BEGIN IMMEDIATE');
    const before = process.hrtime.bigint();
    for (let entry = 0; entry < 3 * 256; entry += 1) trees.append(1, ENTRY);
    perEntry.push(Number(process.hrtime.bigint() - before) / 1000 / (3 * 256));
    database.db.execute('COMMIT');
  }
  database.close();
  const mean = perEntry.reduce((sum, value) => sum + value, 0) / perEntry.length;
  tell('tree, microseconds an entry', mean);
  const share = (mean * ENTRIES_PER_ACTION * actionsPerSecond) / 10_000;
  tell('share of the tree, percent', share);
}

async function measureTiles(folder: string): Promise<void> {
  const data = join(folder, 'data');
  const count = Number(options.stored);
  await fillStore(policy, data, {
    count,
    progress: (done) => console.error(`bench: ${String(done)} actions`),
  });
  // The tiles of the copied entries are made once, by a process of their own.
  await served(data, async () => undefined);
  await served(data, async ({ url, memory, size }) => {
    tell('entries', size);
    tell('resident memory before, MiB', await memory());
    for (const level of [0, 1, 2, 'entries'] as const) {
      const ms = await latencies(url, level, size);
      if (ms.length === 0) continue;
      tell(`tile of level ${String(level)}, p50 ms`, percentile(ms, 0.5));
      tell(`tile of level ${String(level)}, p99 ms`, percentile(ms, 0.99));
    }
    tell('resident memory after, MiB', await memory());
  });
}

async function latencies(url: string, level: number | 'entries', size: number): Promise<number[]> {
  const height = level === 'entries' ? 0 : level * 8;
  const tiles = Math.ceil(Math.floor(size / 2 ** height) / 256);
  const ms: number[] = [];
  for (let round = 0; round < 1000; round += 1) {
    const index = Math.floor(Math.random() * tiles);
    const width = tileWidth(level, index, size);
    if (width === 0) continue;
    const before = performance.now();
    const response = await fetch(`${url}/v1/ledger/${tilePath({ level, index, width })}`);
    const { byteLength } = await response.arrayBuffer();
    ms.push(performance.now() - before);
    if (response.status !== 200 || byteLength === 0) throw new Error(String(response.status));
  }
  return ms;
}

interface Served {
  readonly url: string;
  readonly size: number;
  readonly memory: () => Promise<number>;
}

async function served(data: string, work: (served: Served) => Promise<void>): Promise<void> {
  const program = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [program, '--serve', data], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (): Promise<string> => String((await lines.next()).value);
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  try {
    const ready: { readonly port: number; readonly size: number } = JSON.parse(await ask());
    await work({
      url: `http://127.0.0.1:${String(ready.port)}`,
      size: ready.size,
      memory: async () => {
        child.stdin.write('memory\n');
        return Number(await ask());
      },
    });
  } finally {
    child.stdin.end();
    await closed;
  }
}

async function serveTiles(data: string): Promise<void> {
  const layer = await openLayer(policy, data);
  const signer = testSigner();
  const checkpoints = checkpointsOf(layer, join(data, 'keys'), signer);
  const app = createHttpApp({
    engine: layer.engine,
    tenant: layer.tenant,
    operatorKeyHash: digestOf('exequatur/effect/v1', 'nobody'),
    masker: createMasker(),
    hostsAllowed: LOOPBACK_HOSTS,
    layer: { version: '0.0.0', mode: 'development', isolation: 'none' },
    reasons: () => [],
    reload: () => Promise.resolve({ kind: 'invalid', problems: [] }),
    backup: (name) => layer.store.backup(name),
    blobs: openFileBlobs({ directory: join(data, 'blobs'), clock: SYSTEM_CLOCK, limits: {} }),
    ledger: { checkpoints, signer, isPublic: true },
  });
  const listening = await listen(app, { host: '127.0.0.1', port: 0 });
  const { size } = await layer.store.tree(layer.tenant);
  console.log(JSON.stringify({ port: listening.port, size }));
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'memory') console.log(String(process.memoryUsage.rss() / 2 ** 20));
  }
  app.stop();
  await listening.close(1000);
  await checkpoints.close();
  await layer.close();
}

function checkpointsOf(
  { store }: BenchLayer,
  directory: string,
  signer: Signer = testSigner(),
): Checkpoints {
  return new Checkpoints({
    store,
    signer,
    marks: checkpointFiles(directory),
    origin: 'bench.invalid',
    trouble: (code, message) => console.error(`bench: ${code}: ${message}`),
  });
}

function testSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  return {
    publicKeys: [new Uint8Array(raw)],
    sign: (bytes) => [new Uint8Array(sign(null, bytes, privateKey))],
  };
}

async function inFolder<Value>(work: (folder: string) => Promise<Value>): Promise<Value> {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tell(what: string, value: number): void {
  if (options.json) console.log(JSON.stringify({ what, value }));
  else console.log(`${what}: ${value.toFixed(2)}`);
}
