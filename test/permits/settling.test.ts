/** How a redeemed action ended is its redeemer's to say, within its time, and is evidence after it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';

import type { Answer, Layer } from '../fixtures/layer.ts';
import { ask, claimed, move, redeem, settle, startCell } from '../fixtures/permits.ts';

/** The background looks often enough for a time of one second. */
const OFTEN = { leaseMs: 300 };

interface Handed {
  readonly id: string;
  readonly execution: string;
}

async function handed(
  layer: Layer,
  { agent, cell }: { readonly agent: string; readonly cell: string },
  body: unknown = move(),
): Promise<Handed> {
  const { id, claim } = claimed(await ask(layer, agent, body));
  const answer = await redeem(layer, cell, claim);
  assert.equal(answer.status, 200, answer.text);
  return { id, execution: String(answer.body['execution']) };
}

async function untilState(layer: Layer, id: string, state: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if ((await layer.record(id)).state === state) return;
    await wait(50);
  }
  assert.equal((await layer.record(id)).state, state);
}

function said({ body }: Answer): readonly unknown[] {
  return [body['state'] ?? body['code'], body['executed']];
}

describe('a settlement', () => {
  let layer: Layer;
  let keys: { readonly agent: string; readonly cell: string };
  before(async () => {
    layer = await startCell({ engineLimits: OFTEN });
    keys = { agent: await layer.agentKey(), cell: await layer.executorKey('cell') };
  });
  after(() => layer.close());

  test('says how it ended, and what the target answered', async () => {
    const done = await handed(layer, keys);
    const result = { torque: '4.1' };
    const answer = await settle(layer, keys.cell, done, { outcome: 'succeeded', result });
    assert.deepEqual(said(answer), ['succeeded', 'yes']);
    const seen = await layer.ask(`GET /v1/actions/${done.id}`, { key: keys.agent });
    assert.deepEqual(seen.body['result'], result);
    const failed = await settle(layer, keys.cell, await handed(layer, keys), { outcome: 'failed' });
    assert.deepEqual(said(failed), ['failed', 'partly']);
  });

  test('is the redeemer’s alone, for the execution that it was given', async () => {
    const done = await handed(layer, keys);
    const press = await layer.executorKey('press');
    assert.equal(said(await settle(layer, press, done))[0], 'not_redeemer');
    const another = { ...done, execution: done.id };
    assert.equal(said(await settle(layer, keys.cell, another))[0], 'not_redeemer');
    const malformed = { ...done, execution: 'x' };
    assert.equal(said(await settle(layer, keys.cell, malformed))[0], 'not_redeemer');
    assert.equal(said(await settle(layer, keys.agent, done))[0], 'wrong_key_sort');
    const held = claimed(await ask(layer, keys.agent, move()));
    const early = { id: held.id, execution: done.execution };
    assert.equal(said(await settle(layer, keys.cell, early))[0], 'permit_unknown');
    const nowhere = { ...done, id: 'x' };
    assert.equal(said(await settle(layer, keys.cell, nowhere))[0], 'permit_unknown');
    assert.equal((await layer.record(done.id)).state, 'executing');
  });

  test('changes nothing where it is made again, and is refused where it says otherwise', async () => {
    const done = await handed(layer, keys);
    await settle(layer, keys.cell, done);
    const { revision } = await layer.record(done.id);
    assert.deepEqual(said(await settle(layer, keys.cell, done)), ['succeeded', 'yes']);
    const other = await settle(layer, keys.cell, done, { outcome: 'failed' });
    assert.deepEqual([other.status, said(other)[0]], [409, 'permit_settled']);
    assert.equal((await layer.record(done.id)).revision, revision);
  });

  test('as not executed takes evidence, which is recorded', async () => {
    const done = await handed(layer, keys);
    for (const evidence of [undefined, null, '', ' ', {}, [], false]) {
      const body = { outcome: 'not_executed', ...(evidence === undefined ? {} : { evidence }) };
      const answer = await settle(layer, keys.cell, done, body);
      assert.deepEqual([answer.status, said(answer)[0]], [422, 'evidence_missing']);
    }
    const evidence = { interlock: 'open', journal: 'no entry' };
    const answer = await settle(layer, keys.cell, done, { outcome: 'not_executed', evidence });
    assert.deepEqual(said(answer), ['not_executed', 'no']);
    const { execution } = await layer.record(done.id);
    assert.equal(JSON.stringify(execution?.outcome?.result), JSON.stringify({ evidence }));
  });

  test('is bounded, and what is secret in it is masked', async () => {
    const done = await handed(layer, keys);
    const large = { outcome: 'succeeded', result: 'x'.repeat(65_600) };
    assert.equal(said(await settle(layer, keys.cell, done, large))[0], 'result_too_large');
    layer.masker.register('hunter22222');
    const body = { outcome: 'failed', message: 'no hunter22222', result: ['hunter22222'] };
    await settle(layer, keys.cell, done, body);
    const { execution } = await layer.record(done.id);
    assert.ok(!JSON.stringify(execution?.outcome).includes('hunter'));
  });

  test('law 5: is unknown where the executor cannot tell, until somebody can', async () => {
    const done = await handed(layer, keys);
    const answer = await settle(layer, keys.cell, done, { outcome: 'unknown' });
    assert.deepEqual(said(answer), ['unknown', 'unknown']);
    assert.deepEqual(said(await settle(layer, keys.cell, done)), ['succeeded', 'yes']);
  });

  test('law 5: that does not come in time leaves it unknown; a late one is evidence', async () => {
    const done = await handed(layer, keys, move('cell-8'));
    await untilState(layer, done.id, 'unknown');
    const { execution } = await layer.record(done.id);
    assert.equal(execution?.outcome?.code, 'not_settled');
    assert.deepEqual(said(await settle(layer, keys.cell, done)), ['succeeded', 'yes']);
    const id = (await layer.record(done.id)).id;
    const kinds = (await layer.store.history(layer.tenant, id)).map(
      ({ bytes }) => /"kind":"([a-z]+)"/u.exec(Buffer.from(bytes).toString())?.[1],
    );
    assert.deepEqual(kinds.slice(-3), ['crossed', 'settled', 'resolved']);
  });

  test('comes too late where a person has spoken', async () => {
    const mei = await layer.personKey('mei', { roles: ['lead'] });
    const done = await handed(layer, keys, move('cell-8'));
    await untilState(layer, done.id, 'unknown');
    const resolution = { outcome: 'failed', reason: 'it lies on the floor' };
    await layer.ask(`POST /v1/actions/${done.id}/resolution`, { key: mei, body: resolution });
    assert.equal(said(await settle(layer, keys.cell, done))[0], 'permit_settled');
  });
});

test('law 11: what redeeming reserves is posted, given back or kept by how it ended', async () => {
  const layer = await startCell({
    policy: `
version: 1
rules:
  - id: two-an-hour
    match: { operation: move }
    allow:
      - limit: { name: moves, by: target.name, count: 2, per: 1h }
`,
  });
  try {
    const keys = { agent: await layer.agentKey(), cell: await layer.executorKey('cell') };
    const claim = async (): Promise<Answer> => ask(layer, keys.agent, move());
    const nothing = { outcome: 'not_executed', evidence: 'locked out' };
    // A claim reserves nothing: both may be redeemed.
    const [first, second, third] = [await claim(), await claim(), await claim()];
    const one = await redeem(layer, keys.cell, claimed(first).claim);
    assert.equal((await redeem(layer, keys.cell, claimed(second).claim)).status, 200);
    const full = await redeem(layer, keys.cell, claimed(third).claim);
    assert.match(String(full.body['detail']), /over_limit/u);
    const { id, execution } = one.body;
    await settle(layer, keys.cell, { id: String(id), execution: String(execution) }, nothing);
    assert.equal((await redeem(layer, keys.cell, claimed(third).claim)).status, 200);
    assert.equal((await claim()).body['permit'], undefined);
  } finally {
    await layer.close();
  }
});

describe('a restart between redemption and settlement', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'exequatur-permits-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('law 5: loses nothing: the time runs on, and the redeemer settles as if nothing was', async () => {
    const first = await startCell({ folder, engineLimits: OFTEN });
    const keys = { agent: await first.agentKey(), cell: await first.executorKey('cell') };
    const long = await handed(first, keys);
    const short = await handed(first, keys, move('cell-8'));
    await first.close();
    const second = await startCell({ folder, engineLimits: OFTEN });
    try {
      assert.equal((await second.record(long.id)).state, 'executing');
      assert.deepEqual(said(await settle(second, keys.cell, long)), ['succeeded', 'yes']);
      await untilState(second, short.id, 'unknown');
      assert.deepEqual(said(await settle(second, keys.cell, short)), ['succeeded', 'yes']);
    } finally {
      await second.close();
    }
  });
});

test('gap executor-word: an executor that says what is not so is believed, and the ledger says whose word it is', async () => {
  const layer = await startCell();
  try {
    const keys = { agent: await layer.agentKey(), cell: await layer.executorKey('cell') };
    const done = await handed(layer, keys);
    // Nothing was ever moved.
    assert.deepEqual(said(await settle(layer, keys.cell, done)), ['succeeded', 'yes']);
    const rows = await layer.store.history(layer.tenant, (await layer.record(done.id)).id);
    const last = Buffer.from(rows.at(-1)?.bytes ?? '').toString();
    assert.match(last, /"by":"cell","code":"settled_by_executor"/u);
  } finally {
    await layer.close();
  }
});
