/** The ledger from the command line, end to end: act, take the proof along, and check it without the layer. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeDirectory, runBin, serve, type Layer } from './layer.ts';
import { openSession, type Session } from './transcript.ts';

const VERIFY_PY = fileURLToPath(new URL('../../docs/verify.py', import.meta.url));

let directory: string;
let session: Session;
let layer: Layer;

before(async () => {
  directory = await makeDirectory();
  session = openSession(directory);
  layer = await serve(directory);
  await typed(`agent add bot --role release --owner olga --key-out ${directory}/data/keys/bot.key`);
  await typed(`person add mei --role lead --key-out ${directory}/data/keys/mei.key`);
});

after(async () => {
  await layer.end();
  rmSync(directory, { recursive: true, force: true });
});

async function typed(line: string, code = 0): Promise<string> {
  const done = await session.type(`exequatur ${line}`);
  assert.equal(done.code, code, `${line}\n${done.stdout}${done.stderr}`);
  return done.code === 0 ? done.stdout : done.stderr + done.stdout;
}

/** Stops the layer, does something to its files, and starts it again. */
async function restarted(between: () => Promise<void> | void): Promise<void> {
  assert.equal(await layer.end(), 0);
  await between();
  layer = await serve(directory);
}

/** An approved deployment to production, from the proposal to its end. */
async function deployed(version: string): Promise<string> {
  const proposed = await session.type(
    `exequatur propose production deploy --arg version=${version} --as bot --json`,
  );
  const { id }: { readonly id: string } = JSON.parse(proposed.stdout);
  const key = readFileSync(join(directory, 'data', 'keys', 'mei.key'), 'utf8').trim();
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const seen = await fetch(`${layer.url}/v1/actions/${id}/consent`, { headers });
  const { consent, challenge }: { readonly consent: string; readonly challenge: string } =
    JSON.parse(await seen.text());
  const body = JSON.stringify({ consent, challenge, decision: 'approve' });
  const place = `${layer.url}/v1/actions/${id}`;
  await fetch(`${place}/approvals`, { method: 'POST', headers, body });
  const settled = await fetch(`${place}?wait=20`, { headers });
  assert.match(await settled.text(), /"state":"succeeded"/u);
  return id;
}

function python(...words: readonly string[]): {
  readonly code: number | null;
  readonly text: string;
} {
  const done = spawnSync('python3', [VERIFY_PY, ...words], { cwd: directory, encoding: 'utf8' });
  return { code: done.status, text: done.stdout + done.stderr };
}

describe('a proof taken along', () => {
  test('of an approved and executed action is genuine to both verifiers', async () => {
    const id = await deployed('v1');
    await typed(`receipt ${id} --out one.receipt.json`);
    writeFileSync(join(directory, 'trust'), await typed('signing show'));
    const told = await typed('verify one.receipt.json --trust trust');
    assert.match(told, /^GENUINE/mu);
    assert.match(told, /mei/u);
    const { code, text } = python('--trust', 'trust', 'one.receipt.json');
    assert.equal(code, 0, text);
    writeFileSync(join(directory, 'piped'), await typed(`receipt ${id}`));
    assert.match(await typed('verify piped --trust trust'), /^GENUINE/mu);
    assert.match(
      await typed(`receipt ${id} --out one.receipt.json`, 1),
      /cannot be made \(EEXIST\)/u,
    );
  });

  test('of the whole ledger is genuine to both, and continues a checkpoint that was kept', async () => {
    writeFileSync(join(directory, 'kept'), await typed('ledger checkpoint'));
    await deployed('v2');
    await typed('ledger export whole.export');
    assert.match(await typed('verify whole.export --trust trust --since kept'), /^GENUINE/mu);
    const { code, text } = python('--trust', 'trust', '--since', 'kept', 'whole.export');
    assert.equal(code, 0, text);
    assert.match(await typed('ledger export whole.export', 1), /cannot be made \(EEXIST\)/u);
  });
});

describe('rotation', () => {
  test('while two keys sign, whoever knows either is satisfied; a retired key signs no more', async () => {
    const old = await typed('signing show');
    await restarted(async () => {
      assert.match(
        await typed('signing rotate'),
        /signing-0002\.pem signs from the next start on/u,
      );
      assert.match(await typed('signing rotate', 1), /two keys sign already/u);
    });
    writeFileSync(join(directory, 'old'), old);
    const both = await typed('signing show');
    assert.equal(both.split('\n').filter((line) => line.startsWith('log ')).length, 2);
    const [newest = ''] = both.split('\n');
    assert.equal(old.includes(newest), false);
    writeFileSync(join(directory, 'new'), `${newest}\nquorum none\n`);
    const id = await deployed('v1');
    await typed(`receipt ${id} --out both.receipt.json`);
    await typed('ledger export both.export');
    for (const trust of ['old', 'new']) {
      for (const file of ['both.receipt.json', 'both.export']) {
        assert.match(await typed(`verify ${file} --trust ${trust}`), /^GENUINE/mu);
        assert.equal(python('--trust', trust, file).code, 0);
      }
    }
    await restarted(async () => {
      assert.match(await typed('signing retire'), /signing-0001\.pem\.retired/u);
      assert.match(await typed('signing retire', 1), /only one key signs/u);
    });
    const last = await deployed('v2');
    await typed(`receipt ${last} --out new.receipt.json`);
    assert.match(await typed('verify new.receipt.json --trust new'), /^GENUINE/mu);
    assert.match(await typed('verify new.receipt.json --trust old', 2), /signed by no key/u);
    assert.match(await typed('signing show'), /^# retired, .*: log exequatur\.invalid/mu);
    // What the retired key signed alone stays genuine to whoever still trusts it.
    assert.match(await typed('verify one.receipt.json --trust old'), /^GENUINE/mu);
  });
});

describe('law 13: an older store', () => {
  test('is refused at the start; restored with force, it goes on as another log that names the one before', async () => {
    const file = join(directory, 'data', 'exequatur.db');
    await typed('backup old');
    const backup = join(directory, 'data', 'backups', 'old.db');
    const id = await deployed('v1');
    assert.equal(await layer.end(), 0);
    const mark = readFileSync(join(directory, 'data', 'keys', 'default.checkpoint'), 'utf8');
    for (const ending of ['-wal', '-shm']) rmSync(file + ending, { force: true });
    copyFileSync(backup, file);
    const started = await runBin(directory, ['serve']);
    assert.equal(started.code, 1);
    const refused = started.stderr;
    assert.match(refused, /the store is older than the newest checkpoint of `default`/u);
    assert.match(refused, /restore/u);
    const restored = await typed('restore data/backups/old.db --data data --force');
    assert.match(restored, /another log begins/u);
    layer = await serve(directory);
    assert.match(await typed(`show ${id}`, 1), /no such action|no action/iu);
    const checkpoint = await typed('ledger checkpoint');
    const [origin = ''] = checkpoint.split('\n');
    const [earlier = '', size = '', root = ''] = mark.split('\n');
    assert.equal(origin, `${earlier}/2`);
    await typed('ledger export second.export');
    const text = readFileSync(join(directory, 'second.export'), 'utf8');
    const named = `"checkpoint":{"origin":"${earlier}","root":"${root}","size":${size}},"generation":2`;
    assert.ok(text.includes(named), text);
    writeFileSync(join(directory, 'second'), await typed('signing show'));
    assert.match(await typed('verify second.export --trust second'), /^GENUINE/mu);
    assert.match(await typed('verify one.receipt.json --trust old'), /^GENUINE/mu);
    const first = await typed(`signing show --log ${earlier}`);
    assert.match(first, new RegExp(`^# another log: --log ${earlier}/2$`, 'mu'));
    assert.match(await typed('signing show --log other', 1), /these keys sign no log `other`/u);
    // Once more: the generation goes on from the mark and not from the backup.
    assert.equal(await layer.end(), 0);
    await typed('restore data/backups/old.db --data data --force');
    layer = await serve(directory);
    assert.equal((await typed('ledger checkpoint')).split('\n')[0], `${earlier}/3`);
  });
});
