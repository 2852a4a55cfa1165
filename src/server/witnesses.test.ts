/** Witnesses over HTTP: what they cosign is in receipts, and what they fail at slows nothing else down. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';

import { deploy, ping, startBox } from '../../test/api/box.ts';
import { LAYER_TENANT, ORIGIN, type Layer } from '../../test/fixtures/layer.ts';
import { receiptOf, trustIn } from '../../test/fixtures/receipt.ts';
import { createTestSigner } from '../../test/fixtures/signer.ts';
import { startWitness, type Conduct, type Witness } from '../../test/fixtures/witness.ts';
import type { Signer } from '../engine/ports.ts';
import { verifierKey } from '../ledger/note.ts';
import { verifyReceipt } from '../ledger/verify.ts';
import { HttpWitnesses, WITNESS_MS_MAX } from './witnesses.ts';

const LOG = `${ORIGIN}/${LAYER_TENANT}`;

function keysOf({ publicKeys }: Signer): readonly ReturnType<typeof verifierKey>[] {
  return publicKeys.map((key) => verifierKey(LOG, 'log', key));
}

describe('a layer with two witnesses', () => {
  const signer = createTestSigner();
  const trouble: string[] = [];
  let [first, second]: Witness[] = [];
  let layer: Layer;
  let agent: string;

  before(async () => {
    first = await startWitness(keysOf(signer), 'witness.example/w1');
    second = await startWitness(keysOf(signer), 'witness.example/w2');
    const witnesses = new HttpWitnesses({
      witnesses: [first, second],
      pauseMs: 0,
      trouble: (code, message) => trouble.push(`${code}: ${message}`),
    });
    layer = await startBox({ signer, witnesses });
    agent = await layer.agentKey();
  });
  after(async () => {
    await layer.close();
    await Promise.all([first?.close(), second?.close()]);
  });
  beforeEach(() => {
    trouble.length = 0;
    for (const witness of both()) witness.conduct = 'honest';
  });

  function both(): readonly [Witness, Witness] {
    assert.ok(first !== undefined && second !== undefined);
    return [first, second];
  }

  async function receipt(): Promise<Uint8Array> {
    const done = await layer.propose(agent, ping());
    return (await receiptOf(layer, String(done.body['id']), agent)).bytes;
  }

  test('a receipt verifies under a policy that asks for both', async () => {
    const [one, two] = both();
    for (let round = 0; round < 3; round += 1) {
      const verified = await verifyReceipt(await receipt(), trustIn(layer, [one.key, two.key]));
      assert.ok(verified.status === 'genuine', JSON.stringify(verified));
      assert.match(verified.proved.join('\n'), /cosigned by 2 of 2 witnesses/u);
    }
    assert.deepEqual(trouble, []);
    // What a witness saw is remembered, so that it answers `409` to nobody who asked it before.
    assert.ok(one.answers.every((status) => status === 200));
    assert.equal(one.seen(LOG)?.size, (await layer.store.tree(layer.tenant)).size);
  });

  test('a size that is remembered wrongly is corrected by the witness’s 409', async () => {
    const [one, two] = both();
    one.forget();
    const verified = await verifyReceipt(await receipt(), trustIn(layer, [one.key, two.key]));
    assert.equal(verified.status, 'genuine');
    assert.deepEqual(one.answers.slice(-2), [409, 200]);
  });

  const FAILURES: readonly (readonly [Conduct, RegExp])[] = [
    ['down', /could not be reached/u],
    ['other-key', /a signature that is not by its key/u],
    ['other-text', /a signature that is not by its key/u],
    ['no-time', /a signature that is not by its key/u],
    ['endless', /answered too much/u],
    ['redirecting', /could not be reached/u],
    ['larger', /saw a larger tree of this log/u],
  ];
  for (const [conduct, why] of FAILURES) {
    test(`a witness that is ${conduct} is told, its answer is not in the receipt, and the other’s is`, async () => {
      const [one, two] = both();
      one.conduct = conduct;
      const bytes = await receipt();
      assert.match(trouble.join('\n'), why);
      assert.match(trouble.join('\n'), /^witness_failed: `witness\.example\/w1`: /u);
      const enough = await verifyReceipt(bytes, trustIn(layer, [two.key]));
      assert.equal(enough.status, 'genuine');
      const tooFew = await verifyReceipt(bytes, trustIn(layer, [one.key, two.key]));
      assert.ok(tooFew.status === 'cannot_tell' && tooFew.code === 'no_quorum');
    });
  }

  test('a receipt that a witness was missing in has its cosignature once it answers again', async () => {
    const [one, two] = both();
    one.conduct = 'down';
    const done = await layer.propose(agent, ping());
    const id = String(done.body['id']);
    await receiptOf(layer, id, agent);
    one.conduct = 'honest';
    const { bytes } = await receiptOf(layer, id, agent);
    const verified = await verifyReceipt(bytes, trustIn(layer, [one.key, two.key]));
    assert.equal(verified.status, 'genuine', JSON.stringify(verified));
  });

  test('a witness that does not answer holds up a receipt for a bounded time, and nothing else at all', async () => {
    const [one, two] = both();
    one.conduct = 'silent';
    const held = await layer.propose(agent, deploy(), { prefer: 'wait=0' });
    const startMs = performance.now();
    const waiting = receiptOf(layer, String(held.body['id']), layer.operatorKey);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const done = await layer.propose(agent, ping());
    assert.equal(done.body['state'], 'succeeded');
    assert.ok(performance.now() - startMs < WITNESS_MS_MAX - 200);
    const { bytes } = await waiting;
    assert.ok(performance.now() - startMs < WITNESS_MS_MAX + 1500);
    assert.match(trouble.join('\n'), /did not answer in time/u);
    assert.equal((await verifyReceipt(bytes, trustIn(layer, [two.key]))).status, 'genuine');
  });
});

test('a witness that failed is left alone for a while, so that receipts do not wait for it each time', async () => {
  const signer = createTestSigner();
  const witness = await startWitness(keysOf(signer));
  const trouble: string[] = [];
  const witnesses = new HttpWitnesses({
    witnesses: [witness],
    trouble: (code) => trouble.push(code),
  });
  witness.conduct = 'down';
  const layer = await startBox({ signer, witnesses });
  try {
    const agent = await layer.agentKey();
    for (let round = 0; round < 3; round += 1) {
      const done = await layer.propose(agent, ping());
      await receiptOf(layer, String(done.body['id']), agent);
    }
    assert.deepEqual(trouble, ['witness_failed']);
  } finally {
    await layer.close();
    await witness.close();
  }
});

test('law 13: of two stores that go on from one, with the real key, a witness cosigns only one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-fork-'));
  const signer = createTestSigner();
  const witness = await startWitness(keysOf(signer));
  const trouble: string[] = [];
  const startOn = (name: string): Promise<Layer> =>
    startBox({
      folder: join(folder, name),
      signer,
      witnesses: new HttpWitnesses({
        witnesses: [witness],
        pauseMs: 0,
        trouble: (_, message) => trouble.push(message),
      }),
    });
  const receiptIn = async (layer: Layer, agent: string): ReturnType<typeof verifyReceipt> => {
    const done = await layer.propose(agent, ping());
    const { bytes } = await receiptOf(layer, String(done.body['id']), agent);
    return verifyReceipt(bytes, trustIn(layer, [witness.key]));
  };
  try {
    mkdirSync(join(folder, 'one'));
    const earlier = await startOn('one');
    const agent = await earlier.agentKey();
    assert.equal((await receiptIn(earlier, agent)).status, 'genuine');
    await earlier.close();
    cpSync(join(folder, 'one'), join(folder, 'two'), { recursive: true });
    const one = await startOn('one');
    assert.equal((await receiptIn(one, agent)).status, 'genuine');
    assert.deepEqual(trouble, []);
    await one.close();
    const two = await startOn('two');
    const forked = await receiptIn(two, agent);
    assert.ok(forked.status === 'cannot_tell' && forked.code === 'no_quorum');
    assert.match(trouble.join('\n'), /answered 422|saw a larger tree/u);
    // Longer than what the witness saw, it is still another history.
    for (let round = 0; round < 3; round += 1) await two.propose(agent, ping());
    trouble.length = 0;
    assert.equal((await receiptIn(two, agent)).status, 'cannot_tell');
    assert.match(trouble.join('\n'), /answered 422/u);
    await two.close();
  } finally {
    await witness.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
