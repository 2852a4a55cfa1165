/** A backup taken while actions run, and the layer that comes back from it: halted, and honest about what it cannot know. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import type { RestoreDone, Refused } from '../../src/cli/server-door.ts';
import { restoreStore } from '../../src/server/restore.ts';
import { deploy, effectsOf, ping, POLICY, startBox } from '../api/box.ts';
import type { Layer } from '../fixtures/layer.ts';

const TWO = POLICY.replace('count: 1', 'count: 2');

let layer: Layer;
let folder: string;
let key: string;
let file: string;
let heldId: string;
let hangingId: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'exequatur-backup-'));
  layer = await startBox({ policy: TWO });
  key = await layer.agentKey();
  const mei = await layer.personKey('mei', { roles: ['lead'] });
  await layer.personKey('tomas', { roles: ['lead'] });
  heldId = String((await layer.propose(key, deploy())).body['id']);
  assert.equal((await layer.approve(mei, heldId)).body['state'], 'held');
  const hanging = await layer.propose(key, ping('slow'), { prefer: 'wait=0' });
  hangingId = String(hanging.body['id']);
  assert.equal(hanging.body['state'], 'executing');
  const busy = Array.from({ length: 20 }, (_, index) =>
    layer.propose(key, ping('ok', String(index))),
  );
  const made = await layer.ask('POST /v1/backups', {
    key: layer.operatorKey,
    body: { name: 'nightly' },
  });
  assert.equal(made.status, 201, made.text);
  file = String(made.body['path']);
  for (const each of await Promise.all(busy)) assert.equal(each.status, 200);
});

after(async () => {
  await layer.close();
  rmSync(folder, { recursive: true, force: true });
});

function restoreInto(
  name: string,
  options: { from?: string; force?: boolean } = {},
): RestoreDone | Refused {
  return restoreStore({
    file: options.from ?? file,
    data: join(name, 'data'),
    force: options.force ?? false,
    from: folder,
  });
}

function inFolder(name: string): string {
  return join(folder, name);
}

function codeOf(done: RestoreDone | Refused): string {
  return done.kind === 'refused' ? done.code : done.kind;
}

test('a backup lies in the data directory, whole, for its owner only', () => {
  assert.equal(file, join(layer.folder, 'data', 'backups', 'nightly.db'));
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(layer.folder, 'data', 'backups')), ['nightly.db']);
  assert.ok(!readFileSync(file).includes(key));
});

test('a restored layer stands still: halted, approvals dropped, what was executing unknown', async () => {
  const done = restoreInto('again');
  assert.ok(done.kind === 'restored', JSON.stringify(done));
  assert.equal(done.approvalsDropped, 1);
  mkdirSync(join(folder, 'again'), { recursive: true });
  const restored = await startBox({ policy: TWO, folder: join(folder, 'again') });
  try {
    assert.equal((await restored.record(hangingId)).state, 'unknown');
    const held = await restored.record(heldId);
    assert.deepEqual(await restored.store.approvals(restored.tenant, held.id), []);
    const proposed = await restored.propose(key, ping('ok', 'restored'));
    assert.equal(proposed.status, 202);
    assert.match(proposed.text, /halted/u);
    assert.deepEqual(effectsOf(restored), []);
    const halts = await restored.store.halts(restored.tenant);
    assert.match(halts[0]?.reason ?? '', /restored from a backup/u);
    const id = halts[0]?.id ?? '';
    const resumed = await restored.ask(`DELETE /v1/halts/${id}`, { key: restored.operatorKey });
    assert.equal(resumed.status, 200);
    const later = await restored.ask(`GET /v1/actions/${String(proposed.body['id'])}?wait=5`, {
      key,
    });
    assert.equal(later.body['state'], 'succeeded');
    assert.deepEqual(effectsOf(restored), ['ok restored']);
  } finally {
    await restored.close();
  }
});

describe('what is refused leaves everything as it was', () => {
  test('a directory whose store is in use, whatever is forced', () => {
    const done = restoreStore({
      file,
      data: join(layer.folder, 'data'),
      force: true,
      from: folder,
    });
    assert.equal(codeOf(done), 'store_locked');
  });

  test('a store that is there, unless it is to be replaced; then it is moved aside', () => {
    assert.equal(codeOf(restoreInto('twice')), 'restored');
    assert.equal(codeOf(restoreInto('twice')), 'store_exists');
    const done = restoreInto('twice', { force: true });
    assert.ok(done.kind === 'restored');
    assert.ok(existsSync(done.replaced ?? ''));
  });

  test('a file that is no store, one of a later version, a damaged one and none at all', () => {
    writeFileSync(inFolder('text'), 'not a database, but long enough to have a header'.repeat(4));
    const bytes = readFileSync(file);
    writeFileSync(inFolder('newer'), bytes);
    const newer = new DatabaseSync(inFolder('newer'));
    newer.exec('PRAGMA user_version = 9999');
    newer.close();
    writeFileSync(inFolder('damaged'), bytes);
    truncateSync(inFolder('damaged'), bytes.length - 8192);
    for (const [name, code] of [
      ['text', 'store_foreign'],
      ['newer', 'store_newer'],
      ['damaged', 'store_corrupt'],
      ['none', 'file_unreadable'],
    ] as const) {
      const done = restoreInto(`from-${name}`, { from: inFolder(name) });
      assert.equal(codeOf(done), code, JSON.stringify(done));
      assert.ok(!existsSync(join(folder, `from-${name}`, 'data', 'exequatur.db')));
    }
  });
});
