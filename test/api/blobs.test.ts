/** Blobs over HTTP: who may put, read and name them, what is bounded, and what a sender that goes away leaves. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

import type { Answer, Layer, LayerParts } from '../fixtures/layer.ts';
import { ping, print, startBox } from './box.ts';
import { sendBytes } from './socket.ts';

const layers: Layer[] = [];
let layer: Layer;
let bot: string;
let other: string;
let mei: string;

async function start(changes: Partial<LayerParts> = {}): Promise<Layer> {
  const started = await startBox(changes);
  layers.push(started);
  return started;
}

before(async () => {
  layer = await start();
  bot = await layer.agentKey('bot');
  other = await layer.agentKey('other');
  mei = await layer.personKey('mei');
});
after(() => Promise.all(layers.map((each) => each.close())));

function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function put(key: string, text: string, name = sha256Of(text), at = layer): Promise<Answer> {
  return at.ask(`PUT /v1/blobs/${name}`, { key, bytes: new TextEncoder().encode(text) });
}

function get(key: string, text: string): Promise<Answer> {
  return layer.ask(`GET /v1/blobs/${sha256Of(text)}`, { key });
}

/** What lies in the folder of the layer's blobs, in whatever depth. */
function stored({ folder }: Layer): readonly string[] {
  const directory = join(folder, 'data', 'blobs');
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 100 && !isTrue(); tries += 1) await wait(20);
  assert.ok(isTrue());
}

describe('putting and reading', () => {
  test('the answer is the name, the same each time and for each agent', async () => {
    const answers = [await put(bot, 'one'), await put(bot, 'one'), await put(other, 'one')];
    for (const { status, body } of answers) {
      assert.equal(status, 200);
      assert.deepEqual(body, { blob: `sha256:${sha256Of('one')}`, bytes: 3 });
    }
  });

  test('people and the agent that put it read it; to another agent it is not there', async () => {
    await put(bot, '<script>alert(1)</script>');
    for (const key of [bot, mei]) {
      const { status, headers, text } = await get(key, '<script>alert(1)</script>');
      assert.deepEqual([status, text], [200, '<script>alert(1)</script>']);
      assert.equal(headers.get('content-type'), 'application/octet-stream');
      assert.equal(headers.get('content-length'), '25');
      assert.match(headers.get('content-disposition') ?? '', /^attachment/u);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.match(headers.get('content-security-policy') ?? '', /sandbox/u);
    }
    const theirs = await get(other, '<script>alert(1)</script>');
    const nobodys = await get(other, 'never put');
    assert.equal(theirs.body['code'], 'blob_unknown');
    assert.deepEqual(
      { ...theirs.body, requestId: '' },
      { ...nobodys.body, requestId: '' },
      'it cannot be told from one that nobody put',
    );
  });

  test('keys of other sorts, other methods and other names are refused', async () => {
    assert.equal((await put(mei, 'mine')).body['code'], 'wrong_key_sort');
    assert.equal((await put(layer.operatorKey, 'mine')).body['code'], 'wrong_key_sort');
    assert.equal((await get(layer.operatorKey, 'one')).body['code'], 'wrong_key_sort');
    assert.equal((await put('exq_agent_nobody', 'mine')).body['code'], 'unauthenticated');
    const upper = await put(bot, 'mine', sha256Of('mine').toUpperCase());
    assert.deepEqual([upper.status, upper.body['code']], [400, 'invalid_request']);
    const path = await put(bot, 'mine', encodeURIComponent('../../operator.key'));
    assert.deepEqual([path.status, path.body['code']], [400, 'invalid_request']);
    const post = await layer.ask(`POST /v1/blobs/${sha256Of('x')}`, { key: bot });
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'PUT, GET, HEAD']);
    const packed = await layer.ask(`PUT /v1/blobs/${sha256Of('x')}`, {
      key: bot,
      bytes: new TextEncoder().encode('x'),
      headers: { 'content-encoding': 'gzip' },
    });
    assert.equal(packed.body['code'], 'encoding_unsupported');
  });

  test('HEAD says how large it is and opens nothing that stays open', async () => {
    await put(bot, 'head');
    const head = await layer.ask(`HEAD /v1/blobs/${sha256Of('head')}`, { key: bot });
    assert.deepEqual([head.status, head.headers.get('content-length'), head.text], [200, '4', '']);
  });

  test('a stored file that was changed is not read, until it is put again', async () => {
    await put(bot, 'approved script');
    const path = join(layer.folder, 'data', 'blobs', 'test', sha256Of('approved script'));
    writeFileSync(path, 'another script!');
    const changed = await get(mei, 'approved script');
    assert.deepEqual([changed.status, changed.body['code']], [409, 'blob_changed']);
    await put(bot, 'approved script');
    assert.equal((await get(mei, 'approved script')).text, 'approved script');
  });

  test('a file that is changed while it is read never ends well, and what follows is not taken for it', async () => {
    const text = 'a'.repeat(3_000_001);
    await put(bot, text);
    const url = new URL(await layer.listen());
    const socket = connect({ host: '127.0.0.1', port: Number(url.port) });
    const path = `/v1/blobs/${sha256Of(text)}`;
    const ask = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${mei}\r\n\r\n`;
    let bytes = 0;
    const ended = new Promise<void>((resolve) => {
      socket.on('close', () => resolve());
    });
    socket.once('data', (first) => {
      // Some of it lies in the sockets; the last chunk does not yet.
      writeFileSync(
        join(layer.folder, 'data', 'blobs', 'test', sha256Of(text)),
        'b'.repeat(3_000_001),
      );
      bytes += first.length;
      socket.pause();
      setTimeout(() => {
        socket.on('data', (chunk) => (bytes += chunk.length));
        socket.resume();
      }, 100);
    });
    socket.write(ask + ask);
    await ended;
    assert.ok(bytes < text.length, `${String(bytes)} bytes came`);
  });
});

describe('naming', () => {
  test('an action runs on the bytes that were put, and nothing of them stays behind', async () => {
    await put(bot, 'to be printed');
    const done = await layer.propose(bot, print(sha256Of('to be printed')));
    assert.equal(done.body['state'], 'succeeded', done.text);
    assert.match(done.text, /"text":"to be printed"/u);
    assert.deepEqual(readdirSync(join(layer.folder, 'copies')), []);
  });

  test('an action that names what its agent did not put is refused before anything is stored', async () => {
    await put(bot, 'of the bot alone');
    const refused = await layer.propose(other, print(sha256Of('of the bot alone')));
    assert.deepEqual([refused.status, refused.body['code']], [422, 'blob_missing']);
    assert.match(String(refused.body['hint']), /PUT \/v1\/blobs/u);
    const listed = await layer.ask('GET /v1/actions', { key: other });
    assert.deepEqual(listed.body['actions'], []);
  });

  test('what is no name of a blob is denied as any other argument', async () => {
    const body = { target: 'box', operation: 'print', args: { text: sha256Of('x') } };
    const denied = await layer.propose(bot, body);
    assert.equal(denied.body['state'], 'denied', denied.text);
    assert.match(denied.text, /must be `sha256:` and 64 hex digits/u);
  });
});

describe('bounds', () => {
  test('a length over the limit is refused before the body is sent', async () => {
    const small = await start({ blobLimits: { bytesMax: 100 } });
    const key = await small.agentKey();
    const answer = await sendBytes(
      await small.listen(),
      `PUT /v1/blobs/${sha256Of('x')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n` +
        'Content-Length: 101\r\n\r\n',
    );
    assert.deepEqual([answer.status, answer.body['code']], [413, 'blob_too_large']);
    assert.equal(answer.headers.get('connection'), 'close');
    assert.deepEqual(stored(small), []);
  });

  test('a body that grows beyond the limit is cut, and its sender is told', async () => {
    const small = await start({ blobLimits: { bytesMax: 100_000 } });
    const key = await small.agentKey();
    const chunk = `${(10_000).toString(16)}\r\n${'x'.repeat(10_000)}\r\n`;
    const answer = await sendBytes(
      await small.listen(),
      `PUT /v1/blobs/${sha256Of('x')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n` +
        `Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}`,
    );
    assert.deepEqual([answer.status, answer.body['code']], [413, 'blob_too_large'], answer.text);
    assert.deepEqual(stored(small), []);
  });

  test('a sender that goes away in the middle leaves nothing', async () => {
    const own = await start();
    const key = await own.agentKey();
    const url = await own.listen();
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    socket.write(
      `PUT /v1/blobs/${sha256Of('truncated')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n` +
        'Content-Length: 9\r\n\r\ntrun',
    );
    await until(() => stored(own).length === 1);
    socket.destroy();
    await until(() => stored(own).length === 0);
    assert.equal((await put(key, 'truncated', undefined, own)).status, 200);
  });

  test('an upload may take longer than other requests, and a pause in it may not', async () => {
    const slow = await start({ httpLimits: { bodyMsMax: 700, headerMsMax: 300 } });
    const key = await slow.agentKey();
    const url = await slow.listen();
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    const text = 'in 12 pieces';
    socket.write(
      `PUT /v1/blobs/${sha256Of(text)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n` +
        `Content-Length: ${String(text.length)}\r\n\r\n`,
    );
    for (const letter of text) {
      await wait(200);
      socket.write(letter);
    }
    await until(() => answer !== '');
    assert.match(answer, /^HTTP\/1\.1 200 /u);
    // The same connection goes on, with the bounds of other requests.
    answer = '';
    socket.write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => answer.startsWith('HTTP/1.1 200 '));
    socket.destroy();
    const paused = await sendBytes(
      url,
      `PUT /v1/blobs/${sha256Of('x')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n` +
        'Content-Length: 9\r\n\r\nx',
    );
    assert.deepEqual([paused.status, paused.body['code']], [408, 'request_timeout']);
    assert.equal(stored(slow).length, 2);
  });

  test('200 MB go in and out with flat memory, while others are served', async () => {
    const large = await start();
    const key = await large.agentKey();
    const url = await large.listen();
    const hash = createHash('sha256');
    const part = Buffer.alloc(1_048_576);
    for (let count = 0; count < 200; count += 1) hash.update(part.fill(count));
    const path = `${url}/v1/blobs/${hash.digest('hex')}`;
    const beforeBytes = process.memoryUsage().rss;
    let peakBytes = 0;
    const watch = setInterval(() => {
      peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
    }, 20);
    // The sender is a process of its own, so that only the layer's memory is looked at.
    const sender = promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      SENDER,
      path,
      key,
    ]);
    assert.equal((await large.propose(key, ping())).body['state'], 'succeeded');
    assert.equal((await sender).stdout, 'as it was sent');
    clearInterval(watch);
    const grown = Math.round((peakBytes - beforeBytes) / 1_048_576);
    assert.ok(grown < 100, `grew by ${String(grown)} MiB`);
  });
});

/** Sends 200 MiB, reads them back, and says whether they are the same. */
const SENDER = `
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
const [, path, key] = process.argv;
const headers = { authorization: 'Bearer ' + key };
let count = 0;
const body = new ReadableStream({
  pull(controller) {
    if (count === 200) controller.close();
    else controller.enqueue(new Uint8Array(1048576).fill(count));
    count += 1;
  },
}, { highWaterMark: 0 });
const put = await fetch(path, { method: 'PUT', headers, body, duplex: 'half' });
if (put.status !== 200) throw new Error(await put.text());
const hash = createHash('sha256');
for await (const part of (await fetch(path, { headers })).body) hash.update(part);
process.stdout.write(path.endsWith(hash.digest('hex')) ? 'as it was sent' : 'something else');
`;
