import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { eventView } from '../../src/protocol/events.ts';
import type { Layer } from '../fixtures/layer.ts';
import { deploy, ping, startBox } from './box.ts';
import { readEvents, type SentEvents } from './sse.ts';

let layer: Layer;
let key: string;
let lead: string;

before(async () => {
  layer = await startBox({
    httpLimits: { heartbeatMs: 100, streamsPerKeyMax: 2, streamsMax: 4, streamBatchCountMax: 3 },
  });
  key = await layer.agentKey();
  lead = await layer.personKey('mei', { roles: ['lead'] });
});

after(() => layer.close());

async function stream(
  as: string,
  path = '/v1/events',
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly response: Response; readonly events: SentEvents }> {
  const response = await layer.app.fetch(
    new Request(`http://localhost${path}`, {
      headers: { host: 'localhost', authorization: `Bearer ${as}`, ...headers },
    }),
  );
  assert.equal(response.status, 200);
  return { response, events: readEvents(response) };
}

describe('GET /v1/events', () => {
  test('people see what happens as it happens', async () => {
    const { response, events } = await stream(lead);
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.equal(response.headers.get('x-accel-buffering'), 'no');
    const { body } = await layer.propose(key, ping('ok', 'seen'));
    const kinds: string[] = [];
    let last = 0;
    for (let index = 0; index < 3; index++) {
      const event = await events.next();
      assert.ok(event !== undefined);
      const view = eventView.parse(event.data);
      assert.deepEqual(view, event.data);
      assert.deepEqual([view.sequence, view.kind], [event.id, event.kind]);
      assert.ok(event.id > last);
      last = event.id;
      assert.equal(view.action, body['id']);
      assert.ok(view.body !== undefined);
      kinds.push(event.kind);
    }
    assert.deepEqual(kinds, ['proposed', 'crossed', 'settled']);
    await events.close();
  });

  test('a stream resumes after the last event that was seen, across batches', async () => {
    for (const text of ['a', 'b']) await layer.propose(key, ping('ok', text));
    const all = await stream(lead, '/v1/events?after=0');
    const first = await all.events.next();
    assert.equal(first?.id, 1);
    const ids: number[] = [];
    while (ids.length < 6) {
      const event = await all.events.next();
      assert.ok(event !== undefined);
      ids.push(event.id);
    }
    await all.events.close();
    const resumed = await stream(lead, '/v1/events', { 'last-event-id': String(ids[1]) });
    assert.equal((await resumed.events.next())?.id, ids[2]);
    await resumed.events.close();
  });

  test('an agent sees that something happened to its own actions, and no more', async () => {
    const other = await layer.agentKey('other');
    const { events } = await stream(other);
    await layer.propose(key, ping('ok', 'not yours'));
    await layer.ask('POST /v1/people', { key: layer.operatorKey, body: { name: 'new' } });
    const held = await layer.propose(other, deploy('yours'));
    await layer.approve(lead, String(held.body['id']));
    const kinds: string[] = [];
    for (let event = await events.next(); event !== undefined; event = await events.next()) {
      assert.equal(event.data['action'], held.body['id']);
      assert.deepEqual(Object.keys(event.data), ['sequence', 'kind', 'at', 'action']);
      kinds.push(event.kind);
      if (event.kind === 'settled') break;
    }
    assert.deepEqual(kinds, ['proposed', 'decided', 'approved', 'crossed', 'settled']);
    await events.close();
  });

  test('a silent stream says that it is alive', async () => {
    const { events } = await stream(key);
    assert.equal(await events.next(350), undefined);
    assert.ok(events.text().split(': alive\n\n').length > 2, events.text());
    await events.close();
  });

  test('a stream ends soon after its key was revoked', async () => {
    const short = await layer.agentKey('short-lived');
    const { events } = await stream(short);
    await layer.ask('DELETE /v1/agents/short-lived', { key: layer.operatorKey });
    const startedMs = performance.now();
    assert.equal(await events.next(5000), undefined);
    assert.ok(performance.now() - startedMs < 2000);
  });

  test('streams are bounded for a key and in all, and places are given back', async () => {
    const open = await Promise.all([stream(key), stream(key)]);
    const refused = await layer.ask('GET /v1/events', { key });
    assert.deepEqual([refused.status, refused.body['code']], [429, 'too_many_streams']);
    open.push(await stream(lead), await stream(lead));
    const full = await layer.ask('GET /v1/events', { key: layer.operatorKey });
    assert.deepEqual([full.status, full.body['code']], [503, 'overloaded']);
    for (const { events } of open) await events.close();
    const again = await stream(key);
    await again.events.close();
  });

  test('a `Last-Event-ID` that is none is refused', async () => {
    for (const id of ['x', '-1', '1.5', '9'.repeat(20)]) {
      const headers = { 'last-event-id': id };
      const answer = await layer.ask('GET /v1/events', { key, headers });
      assert.equal(answer.body['code'], 'header_invalid', id);
    }
  });

  test('a reader that does not read costs one batch, and is let go', async () => {
    const stalled = await startBox({ httpLimits: { heartbeatMs: 50, streamStalledMsMax: 150 } });
    try {
      const person = await stalled.personKey();
      const agent = await stalled.agentKey();
      const response = await stalled.app.fetch(
        new Request('http://localhost/v1/events?after=0', {
          headers: { host: 'localhost', authorization: `Bearer ${person}` },
        }),
      );
      assert.equal(response.status, 200);
      for (let index = 0; index < 5; index++)
        await stalled.propose(agent, ping('ok', String(index)));
      await new Promise((resolve) => {
        setTimeout(resolve, 400);
      });
      const text = await response.text();
      assert.ok(!text.includes('"kind":"settled"'), text);
    } finally {
      await stalled.close();
    }
  });
});
