import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Clock } from '../../src/engine/ports.ts';
import { addMs } from '../../src/kernel/instant.ts';
import { systemClock } from '../fixtures/clock.ts';
import type { Layer } from '../fixtures/layer.ts';
import { ping, startBox } from './box.ts';

const DAY_MS = 86_400_000;
let aheadMs = 0;
/** The system's clock, with a part of the wall time that a test has let pass. */
const clock: Clock = {
  now: () => addMs(systemClock.now(), aheadMs),
  monotonicMs: () => systemClock.monotonicMs() + aheadMs,
  sleep: (ms, signal) => systemClock.sleep(ms, signal),
};
let layer: Layer;

before(async () => {
  layer = await startBox({ clock });
});

after(() => layer.close());

test('a purged action says that its inputs were erased, and its proposal is still known', async () => {
  const key = await layer.agentKey();
  const person = await layer.personKey();
  const headers = { 'idempotency-key': 'k-1' };
  const body = { ...ping('ok', 'sensitive-text'), note: 'sensitive-note' };
  const done = await layer.propose(key, body, headers);
  const id = String(done.body['id']);
  const asked = { key: layer.operatorKey, body: { olderThanMs: DAY_MS } };
  assert.equal((await layer.ask('POST /v1/purge', asked)).body['actions'], 0);
  aheadMs = DAY_MS + 60_000;
  const purged = await layer.ask('POST /v1/purge', asked);
  assert.deepEqual([purged.body['actions'], purged.body['complete']], [1, true], purged.text);
  assert.ok(Number(purged.body['payloads']) > 0);
  const explained = await layer.ask(`GET /v1/actions/${id}/explain`, { key: person });
  assert.equal(explained.body['state'], 'succeeded');
  assert.match(String(explained.body['text']), /was erased\./u);
  for (const route of [`/v1/actions/${id}`, `/v1/actions/${id}/history`, '/v1/actions']) {
    const { status, text } = await layer.ask(`GET ${route}`, { key: person });
    assert.equal(status, 200);
    assert.doesNotMatch(text, /sensitive/u);
  }
  const again = await layer.propose(key, body, headers);
  assert.deepEqual([again.status, again.body['id']], [200, id]);
  assert.equal(again.headers.get('idempotency-replayed'), 'true');
  const other = await layer.propose(key, ping('ok', 'another'), headers);
  assert.equal(other.body['code'], 'idempotency_key_reused');
});

test('content younger than a day is never erased', async () => {
  const answer = await layer.ask('POST /v1/purge', {
    key: layer.operatorKey,
    body: { olderThanMs: DAY_MS - 1 },
  });
  assert.equal(answer.body['code'], 'invalid_request');
});
