import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { Places } from '../../src/gateways/http/places.ts';
import { readAnswer, type Layer, type LayerParts } from '../fixtures/layer.ts';
import { deploy, effectsOf, ping, startBox } from './box.ts';
import { readEvents } from './sse.ts';
import { sendBytes } from './socket.ts';

const layers: Layer[] = [];

afterEach(async () => {
  await Promise.all(layers.splice(0).map((layer) => layer.close()));
});

async function start(changes: Partial<LayerParts> = {}): Promise<{
  readonly layer: Layer;
  readonly key: string;
}> {
  const layer = await startBox(changes);
  layers.push(layer);
  return { layer, key: await layer.agentKey() };
}

describe('places', () => {
  test('so many in all and for one key, and one more is refused', () => {
    const places = new Places(3, 2);
    const leave = places.enter('a');
    assert.ok(typeof leave === 'function');
    assert.ok(typeof places.enter('a') === 'function');
    assert.equal(places.enter('a'), 'full_for_key');
    assert.ok(typeof places.enter('b') === 'function');
    assert.equal(places.enter('c'), 'full');
    leave();
    leave();
    assert.equal(places.taken, 2);
    assert.ok(typeof places.enter('c') === 'function');
    assert.equal(places.enter('d'), 'full');
  });
});

describe('requests', () => {
  test('law 9: one more than are answered at once is shed, and nothing of it is executed', async () => {
    const { layer, key } = await start({ httpLimits: { requestsMax: 2 } });
    const slow = [1, 2].map((number) => layer.propose(key, ping('slow', String(number))));
    await wait(50);
    const shed = await layer.propose(key, ping('ok', 'shed'));
    assert.deepEqual(
      [shed.status, shed.body['code'], shed.body['executed'], shed.headers.get('retry-after')],
      [503, 'overloaded', 'no', '1'],
    );
    for (const { status } of await Promise.all(slow)) assert.equal(status, 200);
    assert.equal((await layer.propose(key, ping('ok', 'after'))).status, 200);
    assert.ok(!effectsOf(layer).includes('ok shed'));
    assert.equal(layer.app.counts['overloaded'], 1);
  });

  test('where all places for waiting are taken, the answer comes at once', async () => {
    const { layer, key } = await start({ httpLimits: { waitingPerKeyMax: 1 } });
    const held = await layer.propose(key, deploy());
    const path = `GET /v1/actions/${String(held.body['id'])}?wait=2`;
    const first = layer.ask(path, { key });
    await wait(50);
    const startedMs = performance.now();
    const second = await layer.ask(path, { key });
    assert.ok(performance.now() - startedMs < 1000);
    assert.deepEqual([second.status, second.body['state']], [200, 'held']);
    await first;
  });
});

describe('bodies', () => {
  test('a body that declares too much is refused before it is read', async () => {
    const { layer, key } = await start();
    const url = await layer.listen();
    const answer = await sendBytes(
      url,
      `POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n` +
        'Content-Type: application/json\r\nIdempotency-Key: k\r\nContent-Length: 1048577\r\n\r\n',
    );
    assert.deepEqual([answer.status, answer.body['code']], [413, 'body_too_large']);
    assert.equal(answer.headers.get('connection'), 'close');
  });

  test('law 15: a body that comes in pieces is bounded as well', async () => {
    const { layer, key } = await start({ httpLimits: { bodyBytesMax: 1000 } });
    const send = async (size: number): Promise<number> => {
      const text = `${JSON.stringify(ping())}${' '.repeat(size)}`.slice(0, size);
      const response = await layer.app.fetch(
        new Request('http://localhost/v1/actions', {
          method: 'POST',
          headers: {
            host: 'localhost',
            authorization: `Bearer ${key}`,
            'content-type': 'application/json',
            'idempotency-key': `pieces-${String(size)}`,
          },
          body: ReadableStream.from([
            Buffer.from(text.slice(0, 500)),
            Buffer.from(text.slice(500)),
          ]),
          duplex: 'half',
        }),
      );
      return (await readAnswer(response)).status;
    };
    assert.equal(await send(1000), 200);
    assert.equal(await send(1001), 413);
  });

  test('a body that is sent slowly is given up, and others are served meanwhile', async () => {
    const { layer, key } = await start({ httpLimits: { bodyMsMax: 300 } });
    const url = await layer.listen();
    const slow = sendBytes(
      url,
      `POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n` +
        'Content-Type: application/json\r\nIdempotency-Key: k\r\nContent-Length: 100\r\n\r\n{',
    );
    const other = await fetch(`${url}/healthz`);
    assert.equal(other.status, 200);
    const answer = await slow;
    assert.deepEqual([answer.status, answer.body['code']], [408, 'request_timeout'], answer.text);
    assert.equal(answer.body['executed'], 'no');
  });

  test('a request whose sender goes away in the middle leaves nothing', async () => {
    const { layer, key } = await start();
    const url = await layer.listen();
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    socket.write(
      `POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n` +
        'Content-Type: application/json\r\nIdempotency-Key: k\r\nContent-Length: 100\r\n\r\n{"target',
    );
    await wait(100);
    socket.destroy();
    await wait(100);
    const { body } = await layer.ask('GET /v1/actions', { key });
    assert.deepEqual(body['actions'], []);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
  });

  test('a proposal whose sender goes away while it runs is executed once and found again', async () => {
    const { layer, key } = await start();
    const url = await layer.listen();
    const gone = new AbortController();
    const sending = fetch(`${url}/v1/actions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'idempotency-key': 'gone',
      },
      body: JSON.stringify(ping('slow', 'gone')),
      signal: gone.signal,
    });
    await wait(300);
    gone.abort();
    await assert.rejects(sending);
    const again = await layer.propose(key, ping('slow', 'gone'), { 'idempotency-key': 'gone' });
    assert.deepEqual([again.status, again.body['state']], [200, 'succeeded']);
    assert.equal(effectsOf(layer).filter((line) => line === 'slow gone').length, 1);
  });

  test('headers over their size, and bytes that are no request, are problem documents', async () => {
    const { layer } = await start({ httpLimits: { headerMsMax: 500 } });
    const url = await layer.listen();
    for (const [bytes, status] of [
      [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
      ['\u0000\u0001\r\n\r\n', 400],
      [
        'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        400,
      ],
      ['GET / HTTP/1.1\r\nHost: localhost\r\n', 408],
    ] as const) {
      const answer = await sendBytes(url, bytes);
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.body['executed'], 'no', answer.text);
    }
  });
});

describe('closing', () => {
  test('streams and waits end, and the port is free', async () => {
    const { layer, key } = await start();
    const url = await layer.listen();
    const headers = { authorization: `Bearer ${key}` };
    const held = await layer.propose(key, deploy());
    const events = readEvents(await fetch(`${url}/v1/events`, { headers }));
    const poll = fetch(`${url}/v1/actions/${String(held.body['id'])}?wait=60`, { headers });
    await wait(100);
    const startedMs = performance.now();
    layer.app.drain();
    const closing = layer.close();
    assert.equal((await poll).status, 200);
    assert.equal(await events.next(3000), undefined);
    await closing;
    assert.ok(performance.now() - startedMs < 3000);
    await assert.rejects(fetch(`${url}/healthz`));
  });
});
