import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readConfiguration } from './configuration.ts';

const directory = await mkdtemp(join(tmpdir(), 'exequatur-configuration-'));
const file = join(directory, 'exequatur.yaml');
after(() => rm(directory, { recursive: true }));

async function read(text: string): ReturnType<typeof readConfiguration> {
  await writeFile(file, text);
  return readConfiguration(file);
}

async function problemsOf(text: string): Promise<readonly string[]> {
  const { configuration, problems } = await read(text);
  assert.equal(configuration, undefined);
  return problems.map(
    ({ code, position }) => `${String(position.line)}:${String(position.column)} ${code}`,
  );
}

test('a version alone is a configuration, with every path beside the file', async () => {
  const { configuration, problems } = await read('version: 1\n');
  assert.deepEqual(problems, []);
  assert.deepEqual(configuration, {
    file,
    tenant: 'default',
    listen: { host: '127.0.0.1', port: 7373, hosts: [] },
    data: join(directory, 'data'),
    inventory: join(directory, 'inventory.yaml'),
    policies: [join(directory, 'policy.yaml')],
    limits: {},
    isolation: 'none',
  });
});

test('everything that can be set is read', async () => {
  const { configuration } = await read(
    `version: 1
tenant: shop
listen: { host: 0.0.0.0, port: 0, hosts: [layer.shop.example] }
data: /var/lib/exequatur
inventory: conf/inventory.yaml
policy: [conf/a.yaml, /etc/b.yaml]
limits: { sendDelayMax: 1s, actionsMax: 8, deadlineDefault: 2h }
isolation: separate-user
retention: { settled: 90d, denied: 30d }
blobs: { keep: 2h, bytesMax: 1MiB, bytesTotalMax: 1GiB, bytesPerAgentMax: 5000, uploadsMax: 2, uploadsPerAgentMax: 1, copies: run }
`,
  );
  assert.deepEqual(configuration, {
    file,
    tenant: 'shop',
    listen: { host: '0.0.0.0', port: 0, hosts: ['layer.shop.example'] },
    data: '/var/lib/exequatur',
    inventory: join(directory, 'conf/inventory.yaml'),
    policies: [join(directory, 'conf/a.yaml'), '/etc/b.yaml'],
    limits: { sendDelayMsMax: 1000, actionsMax: 8, deadlineMsDefault: 7_200_000 },
    isolation: 'separate-user',
    retention: { settledMs: 90 * 86_400_000, deniedMs: 30 * 86_400_000 },
    blobs: {
      limits: {
        keepMs: 7_200_000,
        bytesMax: 1_048_576,
        bytesTotalMax: 1_073_741_824,
        bytesPerAgentMax: 5000,
        uploadsMax: 2,
        uploadsPerAgentMax: 1,
      },
      copies: join(directory, 'run'),
    },
  });
});

test('each mistake is told with its place, all of them at once', async () => {
  assert.deepEqual(
    await problemsOf(
      `version: 2
tennant: shop
listen: { prot: 80, port: 70000 }
data: ''
policy: []
limits: { sendDelayMax: 5, actionsMax: 0 }
isolation: full
retention: { settled: 23h, for: 1d }
blobs: { keep: 59s, bytesMax: 2000GiB, uploadsMax: 0, size: 1 }
`,
    ),
    [
      '1:10 out_of_range',
      '2:1 unknown_key',
      '3:11 unknown_key',
      '3:27 out_of_range',
      '4:7 empty',
      '5:9 empty',
      '6:25 bad_duration',
      '6:40 out_of_range',
      '7:12 bad_choice',
      '8:23 out_of_range',
      '8:28 unknown_key',
      '9:16 out_of_range',
      '9:31 bad_size',
      '9:52 out_of_range',
      '9:55 unknown_key',
    ],
  );
});

test('a key that is nearly one of ours names the one that was meant', async () => {
  const { problems } = await read('version: 1\ntennant: shop\n');
  assert.equal(problems[0]?.hint, 'did you mean `tenant`?');
});

test('a file that is not there is a problem at its first character', async () => {
  const { configuration, problems } = await readConfiguration(join(directory, 'other.yaml'));
  assert.equal(configuration, undefined);
  assert.equal(problems[0]?.code, 'file_not_found');
});
