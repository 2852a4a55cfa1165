/**
 * A layer behind its HTTP gateway in a process of its own: `node bench/http-layer.ts DIRECTORY [PORT]`.
 * With a port, actions are real requests to a target there; else an executor does nothing. Prints its
 * port and the agent's key as one JSON line, answers `memory` lines with its resident memory in MiB,
 * and ends with its input.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createHttpExecutor } from '../src/executors/http/executor.ts';
import { createMasker } from '../src/executors/mask.ts';
import { createHttpApp } from '../src/gateways/http/app.ts';
import { LOOPBACK_HOSTS } from '../src/gateways/http/door.ts';
import { listen } from '../src/gateways/http/listen.ts';
import { digestOf } from '../src/kernel/digest.ts';
import { SYSTEM_CLOCK } from '../src/server/system.ts';
import { openFileBlobs } from '../src/stores/blobs/file-blobs.ts';
import { openLayer } from './layer.ts';
import { benchInventory, benchPolicy, nearInventory, noOpExecutor, openPolicy } from './setup.ts';

const [, , directory = '', port] = process.argv;
const inventory = port === undefined ? benchInventory() : nearInventory(Number(port));
const masker = createMasker();
const layer = await openLayer(
  port === undefined ? benchPolicy(inventory, 100) : openPolicy(inventory),
  directory,
  port === undefined
    ? noOpExecutor(Date.now)
    : createHttpExecutor({ masker, environment: {}, clock: SYSTEM_CLOCK }),
);
const app = createHttpApp({
  engine: layer.engine,
  tenant: layer.tenant,
  operatorKeyHash: digestOf('exequatur/effect/v1', 'nobody'),
  masker,
  hostsAllowed: LOOPBACK_HOSTS,
  layer: { version: '0.0.0', mode: 'development', isolation: 'none' },
  reasons: () => [],
  reload: () => Promise.resolve({ kind: 'invalid', problems: [] }),
  backup: (name) => layer.store.backup(name),
  blobs: openFileBlobs({ directory: join(directory, 'blobs'), clock: SYSTEM_CLOCK, limits: {} }),
});
const listening = await listen(app, { host: '127.0.0.1', port: 0 });
console.log(JSON.stringify({ port: listening.port, key: layer.key }));
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'memory') console.log(String(process.memoryUsage.rss() / 2 ** 20));
}
app.stop();
await listening.close(1000);
await layer.close();
