/** How a gateway stops listening: answers go out, and no connection keeps it waiting. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { createHttpApp } from '../../src/gateways/http/app.ts';
import { LOOPBACK_HOSTS } from '../../src/gateways/http/door.ts';
import { listen, type Listening } from '../../src/gateways/http/listen.ts';
import { parseDigest } from '../../src/kernel/digest.ts';
import type { Layer } from '../fixtures/layer.ts';
import { deploy, startBox } from './box.ts';

/** Far beyond what closing takes where nothing holds it up. */
const GRACE_MS = 10_000;
const SOON_MS = 1000;

describe('closing', () => {
  let layer: Layer;
  let key: string;
  let listening: Listening;
  before(async () => {
    layer = await startBox();
    key = await layer.agentKey();
  });
  after(() => layer.close());
  beforeEach(async () => {
    // Stopping is for good, so each test has a gateway of its own.
    const app = createHttpApp({
      engine: layer.engine,
      tenant: layer.tenant,
      operatorKeyHash: parseDigest('0'.repeat(64)) ?? assert.fail(),
      masker: layer.masker,
      hostsAllowed: LOOPBACK_HOSTS,
      layer: { version: '0.0.0', mode: 'development', isolation: 'none' },
      reasons: () => [],
      reload: () => Promise.resolve({ kind: 'invalid', problems: [] }),
      backup: (name) => layer.store.backup(name),
      blobs: layer.blobs,
    });
    listening = await listen(app, { host: '127.0.0.1', port: 0 });
  });

  async function closed(): Promise<number> {
    const startedMs = performance.now();
    await listening.close(GRACE_MS);
    return performance.now() - startedMs;
  }

  test('a connection that becomes idle only after the call is closed as it becomes idle', async () => {
    const held = await layer.propose(key, deploy('closing'));
    const client = open(listening.port);
    client.socket.write(
      `GET /v1/actions/${String(held.body['id'])}?wait=60 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n\r\n`,
    );
    await wait(100);
    assert.equal(client.text(), '');
    assert.ok((await closed()) < SOON_MS);
    assert.match(await client.ended, /^HTTP\/1\.1 200 OK\r\n.*"state":"held"/su);
  });

  test('a request that was begun before the call is answered, and its connection let go', async () => {
    const client = open(listening.port);
    client.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n');
    await wait(100);
    const closing = closed();
    await wait(50);
    client.socket.write('\r\n');
    assert.match(await client.ended, /^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*connection: close\r\n/iu);
    assert.ok((await closing) < SOON_MS);
  });

  test('a request that never ends is cut off with the grace', async () => {
    const client = open(listening.port);
    client.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n');
    await wait(100);
    await listening.close(100);
    assert.equal(await client.ended, '');
  });
});

interface Client {
  readonly socket: Socket;
  /** What was received so far. */
  readonly text: () => string;
  /** Everything received, once the other side has closed. */
  readonly ended: Promise<string>;
}

function open(port: number): Client {
  const socket = connect({ host: '127.0.0.1', port });
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  // Cut off, the answer is what had come.
  socket.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    socket.once('close', () => resolve(text));
  });
  return { socket, text: () => text, ended };
}
