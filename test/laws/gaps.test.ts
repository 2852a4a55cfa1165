/**
 * What the layer does not promise, shown: each test here fails on the day its gap is closed, and then the
 * text in SECURITY.md has to be written anew. The ids are those of SECURITY.md.
 */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { verifyReceipt } from '../../src/ledger/verify.ts';
import { restoreStore } from '../../src/server/restore.ts';
import { receiptOf, trustIn } from '../fixtures/receipt.ts';
import { createTestSigner } from '../fixtures/signer.ts';
import { startLayer, type Answer, type Layer, type LayerParts } from '../fixtures/layer.ts';

const SECRET = 'tok-0123456789-abcdef';

const INVENTORY = `
version: 1
targets:
  box:
    environment: staging
    process: { cwd: "{folder}", user: same-as-layer, credential: TOKEN }
    credentials: { act: "env:ACT", look: "env:LOOK" }
    operations:
      deploy: { kind: code.execute, run: ["{folder}/deploy.sh"] }
      careless:
        kind: code.execute
        run: ["{folder}/act.sh"]
        preview: { run: ["{folder}/careless.sh"], material: [/plan] }
      turn: { kind: api.call, run: ["{folder}/turn.sh"] }
      spy: { kind: code.execute, run: ["{folder}/spy.sh"] }
      leave: { kind: code.execute, run: ["{folder}/leave.sh"], timeout: 2s }
      lose: { kind: api.call, args: { text: string }, run: ["{folder}/lose.sh", $text] }
  shop:
    environment: staging
    sqlite: "{folder}/shop.db"
    operations:
      discard:
        kind: data.delete
        args: { id: integer }
        sql: DELETE FROM items WHERE id = :id
        key: id
`;

const POLICY = `
version: 1
roles: [lead]
rules:
  - id: everything
    match: {}
    allow: []
  - id: deploys-need-a-lead
    match: { operation: deploy }
    require: [{ approval: { from: "role:lead", count: 1, validFor: 1h } }]
`;

const FILES = {
  'act.sh': '#!/bin/sh\necho act >> effects\n',
  'deploy.sh': '#!/bin/sh\n. ./library.sh\n',
  'library.sh': 'echo approved >> effects\n',
  'careless.sh': '#!/bin/sh\necho previewed >> effects\necho \'{"plan":"nothing"}\'\n',
  'turn.sh': '#!/bin/sh\nprintf %s "$TOKEN" | rev\n',
  'spy.sh': '#!/bin/sh\ncp data/*.db stolen && echo spied >> effects\n',
  'leave.sh': '#!/bin/sh\nsetsid sh -c "sleep 3; echo left >> effects" &\nsleep 30\n',
  'lose.sh': '#!/bin/sh\necho "$1" >> effects\nkill -KILL $$\n',
};

const PARTS: LayerParts = {
  policy: POLICY,
  inventory: INVENTORY,
  files: FILES,
  environment: { ACT: SECRET, LOOK: 'look-0123456789' },
};

let folder: string;
let layer: Layer;
let key: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'exequatur-gaps-'));
  layer = await startLayer({ ...PARTS, folder });
  key = await layer.agentKey();
  const shop = new DatabaseSync(join(folder, 'shop.db'));
  shop.exec(`CREATE TABLE items (id INTEGER PRIMARY KEY); CREATE TABLE orders (item INTEGER);
    CREATE TRIGGER gone AFTER DELETE ON items BEGIN DELETE FROM orders WHERE item = OLD.id; END;
    INSERT INTO items VALUES (1), (2); INSERT INTO orders VALUES (1), (1), (2);`);
  shop.close();
});

after(async () => {
  await layer.close();
  rmSync(folder, { recursive: true, force: true });
});

function propose(operation: string, args: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
  const target = operation === 'discard' ? 'shop' : 'box';
  return layer.propose(key, { target, operation, args });
}

function effects(where = folder): readonly string[] {
  const path = join(where, 'effects');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

describe('the layer does not promise', { concurrency: false }, () => {
  test('gap isolation: whoever runs as the layer’s user reads what it keeps', () => {
    const stored = readdirSync(join(folder, 'data')).filter((name) => name.endsWith('.db'));
    assert.ok(stored.length > 0);
    for (const name of stored) assert.ok(readFileSync(join(folder, 'data', name)).length > 0);
  });

  test('gap same-as-layer: a program that runs as the layer reads the layer’s own files', async () => {
    const done = await propose('spy');
    assert.equal(done.body['state'], 'succeeded', done.text);
    assert.ok(existsSync(join(folder, 'stolen')));
  });

  test('gap read-then-act: a library that a pinned script reads is changed behind the approval', async () => {
    const held = await propose('deploy');
    writeFileSync(join(folder, 'library.sh'), 'echo another >> effects\n');
    const mei = await layer.personKey('mei', { roles: ['lead'] });
    await layer.approve(mei, String(held.body['id']));
    const done = await layer.ask(`GET /v1/actions/${String(held.body['id'])}?wait=10`, { key });
    assert.equal(done.body['state'], 'succeeded', done.text);
    assert.equal(effects().at(-1), 'another');
  });

  test('gap keys: whoever holds the key of an approver approves', async () => {
    const held = await propose('deploy');
    const stolen = await layer.personKey('tomas', { roles: ['lead'] });
    const approved = await layer.approve(stolen, String(held.body['id']));
    assert.equal(approved.status, 200, approved.text);
  });

  test('gap triggers: what a trigger deletes beside the statement is not in its preview', async () => {
    const done = await propose('discard', { id: 1 });
    assert.equal(done.body['state'], 'succeeded', done.text);
    const shop = new DatabaseSync(join(folder, 'shop.db'), { readOnly: true });
    const orders = shop.prepare('SELECT item FROM orders').all();
    shop.close();
    assert.equal(orders.length, 1);
    assert.doesNotMatch(done.text, /orders/u);
  });

  test('gap look: a preview program that writes has written before anything was decided', async () => {
    const earlier = effects().filter((line) => line === 'previewed').length;
    const done = await propose('careless');
    assert.equal(done.body['state'], 'succeeded', done.text);
    assert.ok(effects().filter((line) => line === 'previewed').length > earlier);
  });

  test('gap masking: a secret that the target turns round is not known again', async () => {
    const done = await propose('turn');
    assert.equal(done.body['state'], 'succeeded', done.text);
    assert.ok(done.text.includes(Array.from(SECRET).toReversed().join('')), done.text);
  });

  test('gap process-group: a program that leaves its group outlives its timeout', async () => {
    const done = await propose('leave');
    assert.notEqual(done.body['state'], 'succeeded', done.text);
    assert.ok(!effects().includes('left'));
    for (let tries = 0; tries < 40 && !effects().includes('left'); tries += 1) await sleep(100);
    assert.ok(effects().includes('left'));
  });

  test('gap exactly-once: told that nothing happened, the layer lets an equal action act again', async () => {
    const lost = await propose('lose', { text: 'paid' });
    assert.equal(lost.body['state'], 'unknown', lost.text);
    const said = await layer.ask(`POST /v1/actions/${String(lost.body['id'])}/resolution`, {
      key: await layer.personKey('olga', { roles: ['lead'] }),
      body: { outcome: 'not_executed', reason: 'nothing to be seen' },
    });
    assert.equal(said.status, 200, said.text);
    await propose('lose', { text: 'paid' });
    assert.equal(effects().filter((line) => line === 'paid').length, 2);
  });

  test('gap restored-backup: what crossed after a backup crosses again once its halt is ended', async () => {
    const operator = layer.operatorKey;
    const body = { name: 'before' };
    const made = await layer.ask('POST /v1/backups', { key: operator, body });
    assert.equal(made.status, 201, made.text);
    const proposal = { target: 'box', operation: 'careless', args: {} };
    const once = { 'idempotency-key': 'the-same-one' };
    assert.equal((await layer.propose(key, proposal, once)).body['state'], 'succeeded');

    const again = join(folder, 'again');
    mkdirSync(again);
    restoreStore({
      file: String(made.body['path']),
      data: join(again, 'data'),
      force: false,
      from: folder,
    });
    const restored = await startLayer({ ...PARTS, folder: again });
    try {
      const halt = (await restored.store.halts(restored.tenant))[0]?.id ?? '';
      await restored.ask(`DELETE /v1/halts/${halt}`, { key: restored.operatorKey });
      const done = await restored.propose(key, proposal, once);
      assert.equal(done.body['state'], 'succeeded', done.text);
      assert.ok(effects(again).includes('act'));
    } finally {
      await restored.close();
    }
  });

  test('gap unwitnessed: a second history with the real key is genuine to whoever asks for no witness (law 13)', async () => {
    const signer = createTestSigner();
    const histories = await Promise.all(
      ['one', 'two'].map(async () => {
        const own = await startLayer({ ...PARTS, signer });
        try {
          const agent = await own.agentKey();
          const { body } = await own.propose(agent, { target: 'box', operation: 'turn' });
          const { bytes } = await receiptOf(own, String(body['id']), agent);
          return { bytes, trust: trustIn(own) };
        } finally {
          await own.close();
        }
      }),
    );
    for (const { bytes, trust } of histories) {
      assert.equal((await verifyReceipt(bytes, trust)).status, 'genuine');
    }
    const [one, two] = histories;
    assert.notDeepEqual(one?.bytes, two?.bytes);
  });
});
