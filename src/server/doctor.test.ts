import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';

import { openSqliteStore } from '../stores/sqlite/open.ts';
import { clockOf, DISK_BYTES_MIN, DISK_BYTES_NOTE, diskOf, doctor } from './doctor.ts';
import { init } from './init.ts';
import { SYSTEM_CLOCK } from './system.ts';

const folders: string[] = [];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'exequatur-doctor-'));
  folders.push(folder);
  init({ directory: '.', from: folder });
});

after(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

async function marks(): Promise<readonly string[]> {
  const examined = await doctor({ config: 'exequatur.yaml', data: undefined, from: folder });
  assert.ok(examined.every(({ message }) => message !== '' && !message.includes('\n')));
  return examined
    .filter(({ code }) => code !== 'not_covered' && code !== 'disk')
    .map(({ mark, code }) => `${mark} ${code}`);
}

async function faultCount(): Promise<number> {
  return (await marks()).filter((mark) => mark === 'bad permissions').length;
}

test('an empty start is good, and what is not there yet is said', async () => {
  const before = readdirSync(folder);
  assert.deepEqual(await marks(), [
    'good sqlite_version',
    'good configuration',
    'note data_missing',
    'note isolation_none',
    'note store_missing',
    'good probes',
  ]);
  assert.deepEqual(readdirSync(folder), before);
});

test('a store that is owned is said to be in use, and one that is stopped shows its clock', async () => {
  const store = await openSqliteStore({ directory: join(folder, 'data'), clock: SYSTEM_CLOCK });
  assert.ok((await marks()).includes('good store_in_use'));
  await store.close();
  assert.ok((await marks()).includes('good clock'));
  const again = await openSqliteStore({ directory: join(folder, 'data'), clock: SYSTEM_CLOCK });
  await again.close();
});

test('a key that others may read, and a directory that they may write to, are faults', async () => {
  const keys = join(folder, 'data', 'keys');
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'data', 'operator.key'), 'x', { mode: 0o600 });
  writeFileSync(join(keys, 'mei.key'), 'x', { mode: 0o600 });
  mkdirSync(join(folder, 'data', 'blobs'), { mode: 0o700 });
  assert.equal(await faultCount(), 0);
  chmodSync(join(keys, 'mei.key'), 0o640);
  assert.equal(await faultCount(), 1);
  chmodSync(join(folder, 'data'), 0o770);
  assert.equal(await faultCount(), 2);
  chmodSync(join(folder, 'data', 'blobs'), 0o755);
  assert.equal(await faultCount(), 3);
});

test('files that do not load are faults with their place', async () => {
  writeFileSync(join(folder, 'policy.yaml'), 'version: 1\nruels: []\n');
  const examined = await doctor({ config: 'exequatur.yaml', data: undefined, from: folder });
  const fault = examined.find(({ mark }) => mark === 'bad');
  assert.match(fault?.message ?? '', /^policy\.yaml:2:1: /u);
  assert.equal(fault?.hint, 'did you mean `rules`?');
  writeFileSync(join(folder, 'exequatur.yaml'), 'version: 2\n');
  assert.ok((await marks()).includes('bad out_of_range'));
});

function targetWith(settings: string): string {
  return `version: 1\ntargets:\n  t: { process: { cwd: .${settings} }, operations: {} }\n`;
}

test('programs that run as the layer are noted, and where nobody says so they are a fault', async () => {
  writeFileSync(join(folder, 'inventory.yaml'), targetWith(', user: same-as-layer'));
  assert.ok((await marks()).includes('note same_as_layer'));
  writeFileSync(join(folder, 'inventory.yaml'), targetWith(''));
  assert.ok((await marks()).includes('bad isolation_required'));
  writeFileSync(join(folder, 'inventory.yaml'), targetWith(', sandbox: bwrap'));
  const found = await marks();
  assert.ok(!found.some((mark) => /same_as_layer|isolation_required/u.test(mark)));
});

test('a clock behind what the store knows is a fault, and so is a full disk', () => {
  assert.equal(clockOf(10_000, 9000).mark, 'good');
  assert.equal(clockOf(10_000, 8999).mark, 'bad');
  assert.equal(diskOf(DISK_BYTES_NOTE).mark, 'good');
  assert.equal(diskOf(DISK_BYTES_NOTE - 1).mark, 'note');
  assert.equal(diskOf(DISK_BYTES_MIN).mark, 'note');
  assert.equal(diskOf(DISK_BYTES_MIN - 1).mark, 'bad');
});

test('signing keys that lie elsewhere may be read by their group, and by nobody else', async () => {
  const keys = join(folder, 'elsewhere');
  mkdirSync(join(folder, 'data'), { mode: 0o700 });
  mkdirSync(keys);
  writeFileSync(join(folder, 'exequatur.yaml'), 'version: 1\nledger: { keys: elsewhere }\n');
  const key = join(keys, 'signing-0001.pem');
  for (const [mode, faults] of [
    [0o600, 0],
    [0o640, 0],
    [0o660, 1],
    [0o644, 1],
  ] as const) {
    writeFileSync(key, '');
    chmodSync(key, mode);
    assert.equal(await faultCount(), faults, mode.toString(8));
  }
});
