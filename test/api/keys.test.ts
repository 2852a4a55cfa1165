import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Layer } from '../fixtures/layer.ts';
import { ping, startBox } from './box.ts';

let layer: Layer;

before(async () => {
  layer = await startBox();
});

after(() => layer.close());

test('an agent changes its key without a gap, and the old one is nobody’s at once', async () => {
  const key = layer.operatorKey;
  const old = await layer.agentKey('bot');
  const listed = await layer.ask('GET /v1/agents/bot/keys', { key });
  const [first]: { readonly id: string }[] = JSON.parse(listed.text).keys;
  const added = await layer.ask('POST /v1/agents/bot/keys', { key, body: {} });
  assert.equal(added.status, 201);
  const fresh = String(added.body['key']);
  assert.equal((await layer.propose(old, ping())).status, 200);
  assert.equal((await layer.propose(fresh, ping())).status, 200);
  const gone = await layer.ask(`DELETE /v1/agents/bot/keys/${first?.id ?? ''}`, { key });
  assert.deepEqual([gone.status, gone.body['live']], [200, false]);
  assert.equal((await layer.propose(old, ping())).status, 401);
  assert.equal((await layer.propose(fresh, ping())).status, 200);
  const later = await layer.ask('GET /v1/agents/bot/keys', { key });
  for (const secret of [old, fresh]) {
    assert.ok(!later.text.includes(secret.slice('exq_agent_'.length)));
  }
  const history = await layer.store.ledger(layer.tenant, 0, 1000);
  const text = history.map(({ bytes }) => Buffer.from(bytes).toString()).join('\n');
  assert.match(text, /"change":"revoke-key","key":"[0-9a-f]{8}"/u);
  assert.ok(!text.includes(fresh));
});
