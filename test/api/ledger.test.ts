/** The ledger through the API: receipts of actions, and the whole log as a stranger would read it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';

import { receiptOf, trustIn } from '../fixtures/receipt.ts';
import type { Answer, Layer } from '../fixtures/layer.ts';
import { createTestSigner } from '../fixtures/signer.ts';
import { deploy, ping, startBox } from './box.ts';
import { Frontier, HASH_BYTES, leafHash } from '../../src/ledger/merkle.ts';
import { readBundle, tilePath, tileRoot, tileWidth, TILE_WIDTH } from '../../src/ledger/tile.ts';
import { signedCheckpoint, trustCheckpoint } from '../../src/ledger/trusted-checkpoint.ts';
import { verifyReceipt } from '../../src/ledger/verify.ts';

describe('receipts', () => {
  let layer: Layer;
  let agent: string;
  let mei: string;
  before(async () => {
    layer = await startBox();
    agent = await layer.agentKey();
    mei = await layer.personKey('mei', { roles: ['lead'] });
  });
  after(() => layer.close());

  async function deployed(): Promise<string> {
    const held = await layer.propose(agent, deploy('v1'), { prefer: 'wait=0' });
    const id = String(held.body['id']);
    await layer.approve(mei, id);
    const settled = await layer.ask(`GET /v1/actions/${id}?wait=10`, { key: agent });
    assert.equal(settled.body['state'], 'succeeded', settled.text);
    return id;
  }

  test('of an action that people approved and that was executed is genuine, and says so', async () => {
    const id = await deployed();
    const { bytes, headers } = await receiptOf(layer, id, mei);
    assert.equal(headers.get('content-type'), 'application/vnd.exequatur.receipt+json');
    assert.match(headers.get('content-disposition') ?? '', new RegExp(`"${id}.receipt.json"`, 'u'));
    const verified = await verifyReceipt(bytes, trustIn(layer));
    assert.equal(verified.status, 'genuine', JSON.stringify(verified));
    assert.match(JSON.stringify(verified), /mei/u);
  });

  test('an answer about a final action links to its receipt, and one about an open action does not', async () => {
    const done = await layer.propose(agent, ping());
    assert.equal(done.body['receipt'], `/v1/receipts/${String(done.body['id'])}`);
    const linked = await layer.ask(`GET ${done.body['receipt']}`, { key: agent });
    assert.equal(linked.status, 200);
    const held = await layer.propose(agent, deploy('v2'), { prefer: 'wait=0' });
    assert.equal(held.body['state'], 'held');
    assert.equal('receipt' in held.body, false);
  });

  test('of an action that is not settled says so, and later says what became of it', async () => {
    const held = await layer.propose(agent, deploy('v3'), { prefer: 'wait=0' });
    const id = String(held.body['id']);
    const early = await verifyReceipt((await receiptOf(layer, id, mei)).bytes, trustIn(layer));
    assert.ok(early.status === 'genuine', JSON.stringify(early));
    assert.match(early.unproved.join('\n'), /it is held as of this checkpoint/u);
    await layer.ask(`POST /v1/actions/${id}/withdraw`, { key: agent });
    const late = await verifyReceipt((await receiptOf(layer, id, agent)).bytes, trustIn(layer));
    assert.ok(late.status === 'genuine');
    assert.match(late.summary, /withdrawn/u);
  });

  test('an agent’s holds neither the nonce of consent nor what was decided from, and is genuine', async () => {
    const held = await layer.propose(agent, deploy('v4'), { prefer: 'wait=0' });
    const early = await layer.ask(`GET /v1/receipts/${String(held.body['id'])}`, { key: agent });
    assert.equal(early.body['code'], 'receipt_not_ready');
    const id = await deployed();
    const { nonce } = await layer.record(id);
    const forAgent = await receiptOf(layer, id, agent);
    const forPeople = await receiptOf(layer, id, mei);
    const [own, whole] = [forAgent, forPeople].map(({ bytes }) => decoded(bytes));
    assert.ok(whole?.includes(nonce) === true && whole.includes('"roles"'));
    assert.ok(own?.includes(nonce) === false && !own.includes('"roles"'));
    const verified = await verifyReceipt(forAgent.bytes, trustIn(layer));
    assert.ok(verified.status === 'genuine', JSON.stringify(verified));
    assert.match(
      verified.unproved.join('\n'),
      /`inputs` of entry \d+ said: it was erased, or is not/u,
    );
  });

  test('agents get those of their own actions, people and the operator those of all', async () => {
    const id = await deployed();
    const other = await layer.agentKey('other');
    const refused = await layer.ask(`GET /v1/receipts/${id}`, { key: other });
    assert.equal(refused.body['code'], 'action_unknown');
    for (const key of [mei, layer.operatorKey]) {
      assert.equal((await layer.ask(`GET /v1/receipts/${id}`, { key })).status, 200);
    }
    assert.equal((await layer.ask(`GET /v1/receipts/${id}`)).body['code'], 'unauthenticated');
  });
});

describe('tiles', () => {
  let layer: Layer;
  let agent: string;
  before(async () => {
    layer = await startBox();
    agent = await layer.agentKey();
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(Array.from({ length: 30 }, () => layer.propose(agent, DENIED)));
    }
  });
  after(() => layer.close());

  test('law 13: a stranger who reads the whole log from tiles comes to the root that is signed', async () => {
    const { size, root, trusted } = await checkpointOf(layer);
    assert.ok(size > 2 * TILE_WIDTH + 1);
    assert.equal(trusted.signers.length, 1);
    const frontier = new Frontier();
    const leaves: Uint8Array[] = [];
    for (let index = 0; index * TILE_WIDTH < size; index += 1) {
      const entries = readBundle(await bytesOf(layer, 'entries', index, size));
      assert.ok(entries !== undefined);
      assert.equal(entries.length, tileWidth('entries', index, size));
      for (const entry of entries) leaves.push(leafHash(entry));
      const hashes = await bytesOf(layer, 0, index, size);
      assert.deepEqual(Buffer.from(hashes), Buffer.concat(leaves.slice(index * TILE_WIDTH)));
    }
    for (const leaf of leaves) frontier.append(leaf);
    assert.equal(leaves.length, size);
    assert.deepEqual(Buffer.from(frontier.root()), Buffer.from(root));
    const above = await bytesOf(layer, 1, 0, size);
    assert.equal(above.length, Math.floor(size / TILE_WIDTH) * HASH_BYTES);
    const first = await bytesOf(layer, 0, 0, size);
    assert.deepEqual(Buffer.from(above.subarray(0, HASH_BYTES)), Buffer.from(tileRoot(first)));
  });

  test('are kept by caches for good, the checkpoint for a second, and neither by shared ones', async () => {
    const tile = await ask(layer, 'tile/0/000');
    assert.equal(tile.headers.get('cache-control'), 'private, max-age=31536000, immutable');
    assert.equal(tile.headers.get('content-type'), 'application/octet-stream');
    const checkpoint = await ask(layer, 'checkpoint');
    assert.equal(checkpoint.headers.get('cache-control'), 'private, max-age=1');
    assert.equal(checkpoint.headers.get('content-type'), 'text/plain; charset=utf-8');
  });

  test('a partial tile stays what it was when the whole one is there', async () => {
    const whole = await raw(layer, 'tile/0/000');
    const part = await raw(layer, 'tile/0/000.p/17');
    assert.deepEqual(part, whole.subarray(0, 17 * HASH_BYTES));
    const entries = readBundle(await raw(layer, 'tile/entries/000.p/17'));
    assert.equal(entries?.length, 17);
  });

  test('what the tree does not have, and paths that are not written as specified, are unknown', async () => {
    const { size } = await layer.store.tree(layer.tenant);
    const last = String(Math.floor(size / TILE_WIDTH)).padStart(3, '0');
    const beyond = `${last}.p/${String((size % TILE_WIDTH) + 1)}`;
    const paths = [
      `0/${last}`,
      `0/${beyond}`,
      `entries/${beyond}`,
      `entries/${last}`,
      '1/000',
      '2/000',
      '0/0',
      '0/0000',
      '00/000',
      '64/000',
      '63/000',
      '0/000.p/0',
      '0/000.p/256',
      '0/000.p/017',
      '0/x000/000',
      '0/x999/x999/x999/x999/x999/999',
      'entries',
      '0/000/',
      '0//000',
      '-1/000',
    ];
    for (const path of paths) {
      const answer = await ask(layer, `tile/${path}`);
      assert.equal(answer.status, 404, `${path}: ${answer.text.slice(0, 100)}`);
    }
  });

  test('are for people and the operator, not for agents, and not for everybody', async () => {
    for (const path of ['checkpoint', 'tile/0/000', 'tile/entries/000']) {
      assert.equal((await layer.ask(`GET /v1/ledger/${path}`)).body['code'], 'unauthenticated');
      const refused = await layer.ask(`GET /v1/ledger/${path}`, { key: agent });
      assert.equal(refused.body['code'], 'wrong_key_sort');
    }
    const mei = await layer.personKey();
    assert.equal((await layer.ask('GET /v1/ledger/tile/0/000', { key: mei })).status, 200);
  });
});

test('a public ledger is for everybody and for shared caches; receipts are not', async () => {
  const layer = await startBox({ ledger: 'public' });
  try {
    const agent = await layer.agentKey();
    const done = await layer.propose(agent, ping());
    const checkpoint = await layer.ask('GET /v1/ledger/checkpoint');
    assert.equal(checkpoint.status, 200);
    assert.equal(checkpoint.headers.get('cache-control'), 'public, max-age=1');
    const tile = await layer.ask('GET /v1/ledger/tile/entries/000.p/1');
    assert.equal(tile.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    const refused = await layer.ask(`GET ${String(done.body['receipt'])}`);
    assert.equal(refused.body['code'], 'unauthenticated');
    const wrong = await layer.ask('GET /v1/ledger/checkpoint', { key: agent });
    assert.equal(wrong.body['code'], 'wrong_key_sort');
  } finally {
    await layer.close();
  }
});

describe('law 13: what somebody changed in the database while the layer was stopped', () => {
  const signer = createTestSigner();
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'exequatur-ledger-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Fills a ledger, changes it, and asks for the first action's receipt and bundle. */
  async function afterwards(
    name: string,
    change: (database: DatabaseSync) => void,
  ): Promise<{
    readonly receipt: Answer;
    readonly bundle: Answer;
  }> {
    const parts = { folder: join(folder, name), signer, ledger: 'public' } as const;
    mkdirSync(parts.folder);
    const filled = await startBox(parts);
    const agent = await filled.agentKey();
    const first = await filled.propose(agent, ping());
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(Array.from({ length: 30 }, () => filled.propose(agent, DENIED)));
    }
    const path = `GET ${String(first.body['receipt'])}`;
    assert.equal((await filled.ask(path, { key: agent })).status, 200);
    await filled.close();
    const database = new DatabaseSync(filled.store.path);
    change(database);
    database.close();
    const layer = await startBox(parts);
    try {
      return {
        receipt: await layer.ask(path, { key: agent }),
        bundle: await layer.ask('GET /v1/ledger/tile/entries/000'),
      };
    } finally {
      await layer.close();
    }
  }

  test('nothing: both are as before', async () => {
    const { receipt, bundle } = await afterwards('nothing', () => undefined);
    assert.deepEqual([receipt.status, bundle.status], [200, 200]);
  });

  test('an entry’s bytes: no receipt is signed for them, and they are not shown as the log’s', async () => {
    const { receipt, bundle } = await afterwards('entry', (database) => {
      const sql = `UPDATE ledger SET bytes = CAST(replace(CAST(bytes AS TEXT), 'exit_0', 'exit_1') AS BLOB)
        WHERE kind = 'settled'`;
      assert.equal(Number(database.prepare(sql).run().changes), 1);
    });
    assert.deepEqual([receipt.status, receipt.body['code']], [409, 'ledger_changed'], receipt.text);
    assert.deepEqual([bundle.status, bundle.body['code']], [409, 'ledger_changed']);
  });

  test('a payload: no receipt is signed for it, and the log stands', async () => {
    const { receipt, bundle } = await afterwards('payload', (database) => {
      const sql =
        "UPDATE payload SET bytes = CAST(replace(CAST(bytes AS TEXT), 'hello', 'hallo') AS BLOB)";
      assert.ok(Number(database.prepare(sql).run().changes) > 0);
    });
    assert.deepEqual([receipt.status, receipt.body['code']], [409, 'ledger_changed'], receipt.text);
    assert.equal(bundle.status, 200);
  });

  test('a tile: nothing is signed for the log any more', async () => {
    const { receipt, bundle } = await afterwards('tile', (database) => {
      const { changes } = database
        .prepare('UPDATE tile SET hashes = CAST(zeroblob(32) || substr(hashes, 33) AS BLOB)')
        .run();
      assert.equal(Number(changes), 1);
    });
    assert.equal(receipt.status >= 409, true, receipt.text);
    assert.equal(bundle.body['code'], 'ledger_changed');
  });
});

/** Certainly denied: each is an entry for the proposal and one for the decision. */
const DENIED = { target: 'box', operation: 'erase', args: { rows: 5000 } };

/** Everything in a receipt, with what is encoded in it. */
function decoded(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  const encoded = [...text.matchAll(/"([A-Za-z0-9+/]{8,}={0,2})"/gu)].map(([, base64 = '']) =>
    Buffer.from(base64, 'base64').toString('utf8'),
  );
  return [text, ...encoded].join('\n');
}

async function checkpointOf(layer: Layer): Promise<{
  readonly size: number;
  readonly root: Uint8Array;
  readonly trusted: Awaited<ReturnType<typeof trustCheckpoint>>;
}> {
  const { text } = await ask(layer, 'checkpoint');
  const trust = trustIn(layer);
  const signed = signedCheckpoint(text, trust.policy);
  const trusted = await trustCheckpoint(signed, trust);
  return { ...signed.checkpoint, trusted };
}

function ask(layer: Layer, path: string): Promise<Answer> {
  return layer.ask(`GET /v1/ledger/${path}`, { key: layer.operatorKey });
}

function bytesOf(
  layer: Layer,
  level: number | 'entries',
  index: number,
  size: number,
): Promise<Uint8Array> {
  return raw(layer, tilePath({ level, index, width: tileWidth(level, index, size) }));
}

/** Bytes that are no text. */
async function raw(layer: Layer, path: string): Promise<Uint8Array> {
  const response = await layer.app.fetch(
    new Request(`http://localhost/v1/ledger/${path}`, {
      headers: { host: 'localhost', authorization: `Bearer ${layer.operatorKey}` },
    }),
  );
  assert.equal(response.status, 200, path);
  return Buffer.from(await response.arrayBuffer());
}
