/** What a running daemon does by itself. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { systemClock } from '../../test/fixtures/clock.ts';
import { enrol } from '../engine/directory.ts';
import type { Clock } from '../engine/ports.ts';
import { createMasker } from '../executors/mask.ts';
import { parseTenantName, type TenantName } from '../kernel/id.ts';
import { addMs } from '../kernel/instant.ts';
import { createClient, type Client } from '../sdk/client.ts';
import type { Fetch } from '../sdk/exchange.ts';
import { LISTEN_DEFAULT } from './configuration.ts';
import { startDaemon, type Daemon } from './daemon.ts';

const DEFAULT = parseTenantName('default');
assert.ok(DEFAULT !== undefined);
const TENANT: TenantName = DEFAULT;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const INVENTORY = `
version: 1
targets:
  box:
    environment: staging
    process: { cwd: /, user: same-as-layer }
    operations:
      echo: { kind: api.call, args: { text: string }, run: [/bin/echo, $text] }
`;

const POLICY = `
version: 1
rules:
  - { id: all, match: { kind: api.call }, allow: true }
`;

test('what is older than `retention` keeps is erased at the start and every hour, and not before', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-daemon-'));
  let aheadMs = 0;
  const clock: Clock = {
    ...systemClock,
    now: () => addMs(systemClock.now(), aheadMs),
    monotonicMs: () => systemClock.monotonicMs() + aheadMs,
  };
  // The daemon alone counts hours; nothing else here waits for an interval.
  mock.timers.enable({ apis: ['setInterval'] });
  let daemon: Daemon | undefined;
  try {
    writeFileSync(join(folder, 'inventory.yaml'), INVENTORY);
    writeFileSync(join(folder, 'policy.yaml'), POLICY);
    const told: string[] = [];
    daemon = await started(folder, clock, told);
    const client = await clientOf(daemon, 'bot');
    const ids = [await acted(client), await acted(client)];
    aheadMs += DAY_MS - HOUR_MS;
    mock.timers.tick(HOUR_MS);
    await wait(50);
    aheadMs += 2 * HOUR_MS;
    mock.timers.tick(HOUR_MS - 1);
    await wait(50);
    assert.deepEqual(told, []);
    for (const id of ids) assert.match(await shown(client, id), /sensitive/u);
    mock.timers.tick(1);
    await until(() => told.length > 0);
    assert.deepEqual(told, ['purged: the content of 2 actions is erased']);
    for (const id of ids) assert.doesNotMatch(await shown(client, id), /sensitive/u);

    await acted(client);
    aheadMs += DAY_MS + HOUR_MS;
    mock.timers.tick(HOUR_MS);
    await until(() => told.length > 1);
    assert.equal(told[1], 'purged: the content of 1 actions is erased');

    await acted(client);
    await daemon.stop(1000);
    aheadMs += DAY_MS + HOUR_MS;
    daemon = await started(folder, clock, told);
    await until(() => told.length > 2);
    assert.equal(told[2], 'purged: the content of 1 actions is erased');
  } finally {
    await daemon?.stop(1000);
    mock.timers.reset();
    rmSync(folder, { recursive: true, force: true });
  }
});

async function started(folder: string, clock: Clock, told: string[]): Promise<Daemon> {
  const configuration = {
    file: join(folder, 'exequatur.yaml'),
    tenant: TENANT,
    listen: LISTEN_DEFAULT,
    data: join(folder, 'data'),
    inventory: join(folder, 'inventory.yaml'),
    policies: [join(folder, 'policy.yaml')],
    limits: {},
    isolation: 'none',
    retention: { settledMs: DAY_MS },
  } as const;
  const tell = (code: string, message: string): void => void told.push(`${code}: ${message}`);
  const result = await startDaemon({
    configuration,
    asRead: configuration,
    mode: 'development',
    version: '0.0.0',
    log: {
      info: (code, message) => code === 'purged' && tell(code, message),
      warn: tell,
      error: tell,
    },
    masker: createMasker(),
    environment: {},
    directory: folder,
    door: 'in_process',
    clock,
  });
  assert.ok(result.kind === 'started', JSON.stringify(result));
  return result.daemon;
}

/** A client of an agent that the daemon knows from now on. */
async function clientOf(daemon: Daemon, name: string): Promise<Client> {
  const enrolled = await enrol(daemon.engine.life, {
    tenant: TENANT,
    kind: 'agent',
    name,
    roles: [],
    owners: [],
    aliases: [],
    delegator: undefined,
    by: 'operator',
  });
  assert.ok(enrolled.kind === 'enrolled');
  const fetch: Fetch = (url, init) => {
    const request = new Request(url, init);
    request.headers.set('host', 'localhost');
    return daemon.fetch(request);
  };
  return createClient({ url: 'http://localhost', key: enrolled.key, fetch });
}

async function acted(client: Client): Promise<string> {
  const args = { text: 'sensitive' };
  const { id, kind } = await client.act({ target: 'box', operation: 'echo', args });
  assert.equal(kind, 'done');
  return id;
}

async function shown(client: Client, id: string): Promise<string> {
  return JSON.stringify((await client.action(id, { wait: 0 })).action);
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!isSo() && performance.now() < endMs) await wait(10);
}
