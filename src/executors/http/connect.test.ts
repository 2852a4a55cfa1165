import assert from 'node:assert/strict';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';

import {
  codeOf,
  freely,
  makeReady,
  mint,
  perform,
  valueOf,
} from '../../../test/contract/executor.ts';
import { systemClock } from '../../../test/fixtures/clock.ts';
import {
  startHttpTarget,
  listen,
  urlOf,
  withServer,
  type HttpFixture,
} from '../../../test/fixtures/http-target.ts';
import { CERTIFICATE, CERTIFICATE_KEY } from '../../../test/fixtures/tls.ts';
import type { EffectRequest, Outcome } from '../../engine/ports.ts';
import { valueAt } from '../pointer.ts';

const NEVER = new AbortController().signal;

let fixture: HttpFixture;
beforeEach(async () => {
  fixture = await startHttpTarget();
});
afterEach(async () => {
  await fixture.stop();
});

async function run(request: EffectRequest): Promise<Outcome> {
  return (await perform(fixture.executor, request)).outcome;
}

async function resolveCode(request: EffectRequest): Promise<string> {
  return codeOf(await fixture.executor.resolve(request, NEVER));
}

/** Answers with a header that never ends. */
function drip(socket: Socket): void {
  const timer = setInterval(() => socket.write('H'), 20);
  socket.once('close', () => {
    clearInterval(timer);
  });
  socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
}

describe('addresses', () => {
  test('an address that is not allowed is refused in every spelling, and nothing connects', async () => {
    const port = String(fixture.port);
    const hosts = [
      '127.0.0.1', '2130706433', '0x7f000001', '017700000001', '0177.0.0.1', '127.1', '0x7f.1', '0',
      '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:0:0:1]', '[::]', '[64:ff9b::7f00:1]',
      '127.0.0.1.', '①②⑦.⓪.⓪.①', 'localhost', 'LOCALHOST', 'localhost.', '%31%32%37.0.0.1', '169.254.169.254',
    ]; // prettier-ignore
    for (const host of hosts) {
      const target = { url: `http://${host}:${port}`, addressesAllowed: [] };
      const code = await resolveCode(fixture.send({}, { target }));
      // Whether this machine knows `localhost.` is its own affair; it must only not get there.
      assert.match(code, /^address_(?:refused|unresolved)$/u, host);
    }
    assert.equal(fixture.connections(), 0);
  });

  test('one refused address among good ones refuses the target', async () => {
    for (const addresses of [
      ['127.0.0.1', '10.0.0.1'],
      ['10.0.0.1', '127.0.0.1'],
      ['127.0.0.1', 'x'],
    ]) {
      const executor = fixture.executorWith({ lookup: () => Promise.resolve(addresses) });
      const request = fixture.send(
        {},
        { target: { url: `http://pay.test:${String(fixture.port)}` } },
      );
      assert.equal(codeOf(await executor.resolve(request, NEVER)), 'address_refused');
    }
    assert.equal(fixture.connections(), 0);
  });

  test('a name that leads elsewhere when it counts is refused, and is asked once a step', async () => {
    const answers = [['127.0.0.1'], ['169.254.169.254'], ['127.0.0.1']];
    let asked = 0;
    const executor = fixture.executorWith({
      lookup: () => Promise.resolve(answers[asked++] ?? []),
    });
    const request = fixture.send(
      {},
      { target: { url: `http://pay.test:${String(fixture.port)}` } },
    );
    const resolution = valueOf(await executor.resolve(request, NEVER));
    assert.deepEqual(resolution.recorded['addresses'], ['127.0.0.1']);
    const attempt = await executor.prepare(request, resolution, 'none', NEVER);
    assert.equal(codeOf(attempt), 'address_refused');
    const prepared = valueOf(await executor.prepare(request, resolution, 'none', NEVER));
    const outcome = await prepared.send(mint(request, resolution.effect), freely());
    assert.equal(outcome.code, 'status_201');
    assert.equal(asked, 3);
    assert.equal(fixture.seen[0]?.headers.host, `pay.test:${String(fixture.port)}`);
  });

  test('where the first address is closed the next checked one is tried', async () => {
    const executor = fixture.executorWith({ lookup: () => Promise.resolve(['::1', '127.0.0.1']) });
    const request = fixture.send(
      {},
      { target: { url: `http://pay.test:${String(fixture.port)}` } },
    );
    assert.equal((await perform(executor, request)).outcome.code, 'status_201');
  });

  test('a name without an address, with too many, or that is never answered is refused', async () => {
    const request = fixture.send({}, { target: { url: 'http://pay.test' } });
    const many = Array.from({ length: 65 }, () => '127.0.0.1');
    for (const lookup of [
      () => Promise.reject(new Error('no such name')),
      () => Promise.resolve([]),
      () => Promise.resolve(many),
    ]) {
      const executor = fixture.executorWith({ lookup });
      assert.equal(codeOf(await executor.resolve(request, NEVER)), 'address_unresolved');
    }
    const silent = fixture.executorWith({ lookup: () => new Promise(() => undefined) });
    const cancelled = await silent.resolve(request, AbortSignal.timeout(50));
    assert.equal(codeOf(cancelled), 'cancelled');
  });

  test('a token goes in the clear only to addresses that the target names', async () => {
    const executor = fixture.executorWith({ lookup: () => Promise.resolve(['93.184.215.14']) });
    const request = fixture.send({}, { target: { url: 'http://pay.test' } });
    assert.equal(codeOf(await executor.resolve(request, NEVER)), 'credential_in_clear');
  });

  test('a target url with a user, a query or another scheme is refused', async () => {
    for (const url of [
      'http://u:p@127.0.0.1',
      'http://127.0.0.1/?a',
      'http://127.0.0.1/#a',
      'ftp://127.0.0.1',
      'x',
    ]) {
      assert.equal(await resolveCode(fixture.send({}, { target: { url } })), 'url_refused', url);
    }
  });
});

describe('the connection', () => {
  test('TLS names the system, and only a certificate for that name is believed', async () => {
    const server = createSecureServer(
      { cert: CERTIFICATE, key: CERTIFICATE_KEY },
      (request, response) => {
        const socket: unknown = request.socket;
        const name =
          typeof socket === 'object' && socket !== null && 'servername' in socket
            ? socket.servername
            : '';
        response.end(JSON.stringify({ name, host: request.headers.host }));
      },
    );
    const port = String(await listen(server));
    const options = {
      lookup: () => Promise.resolve(['127.0.0.1']),
      certificateAuthorities: [CERTIFICATE],
    };
    const executor = fixture.executorWith(options);
    const good = fixture.send({}, { target: { url: `https://pay.test:${port}` } });
    const { outcome } = await perform(executor, good);
    assert.deepEqual(valueAt(outcome.result, '/body/name'), 'pay.test');
    assert.deepEqual(valueAt(outcome.result, '/body/host'), `pay.test:${port}`);

    const other = fixture.send({}, { target: { url: `https://evil.test:${port}` } });
    const trusting = fixture.executorWith({ lookup: options.lookup });
    for (const [each, request] of [
      [executor, other],
      [trusting, good],
    ] as const) {
      const resolution = valueOf(await each.resolve(request, NEVER));
      const attempt = await each.prepare(request, resolution, 'none', NEVER);
      assert.equal(codeOf(attempt), 'connection_failed');
    }
    server.closeAllConnections();
    server.close();
  });

  test('a closed port is refused before anything is sent', async () => {
    const { port } = fixture;
    await fixture.stop();
    const request = fixture.send({}, urlOf(port));
    const resolution = valueOf(await fixture.executor.resolve(request, NEVER));
    const attempt = await fixture.executor.prepare(request, resolution, 'none', NEVER);
    assert.equal(codeOf(attempt), 'connection_failed');
    fixture = await startHttpTarget();
  });

  test('a connection that ended before the first byte is provably not executed', async () => {
    const endings: readonly ((socket: Socket) => unknown)[] = [
      (socket) => socket.end(),
      (socket) => setTimeout(() => socket.resetAndDestroy(), 20),
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
    ];
    for (const ending of endings) {
      let received = 0;
      const handle = (socket: Socket): void => {
        socket.on('data', (bytes) => {
          received += bytes.length;
        });
        ending(socket);
      };
      await withServer(handle, async (port) => {
        const request = fixture.send({}, urlOf(port));
        const { prepared, resolution } = await makeReady(fixture.executor, request);
        await systemClock.sleep(60);
        let asked = 0;
        const sending = (): boolean => (asked += 1) > 0;
        const outcome = await prepared.send(mint(request, resolution.effect), {
          signal: NEVER,
          sending,
        });
        assert.deepEqual(
          [outcome.state, outcome.sent, outcome.code],
          ['not_executed', false, 'connection_lost'],
        );
        assert.deepEqual([received, asked], [0, 0]);
      });
    }
  });

  test('a connection that is lost after the first byte is unknown, wherever it breaks', async () => {
    const answers: readonly ((socket: Socket) => unknown)[] = [
      (socket) => socket.resetAndDestroy(),
      (socket) => socket.end(),
      (socket) => socket.end('HTTP/1.1 200'),
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'),
      (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel'),
      (socket) => socket.end('this is not http\r\n\r\n'),
      (socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`),
      (socket) =>
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n'),
    ];
    for (const [index, answer] of answers.entries()) {
      const handle = (socket: Socket): void => {
        socket.once('data', () => {
          answer(socket);
        });
      };
      await withServer(handle, async (port) => {
        const outcome = await run(fixture.send({}, urlOf(port)));
        assert.deepEqual(
          [outcome.state, outcome.sent, outcome.code],
          ['unknown', true, 'connection_lost'],
          String(index),
        );
      });
    }
  });

  test('an answer that comes a byte at a time does not outlast the timeout', async () => {
    await withServer(
      (socket) => {
        socket.once('data', () => {
          drip(socket);
        });
      },
      async (port) => {
        const start = systemClock.monotonicMs();
        const outcome = await run(fixture.send({}, { ...urlOf(port), timeoutMs: 300 }));
        assert.deepEqual([outcome.state, outcome.code], ['unknown', 'timeout']);
        assert.ok(systemClock.monotonicMs() - start < 1500);
      },
    );
  });

  test('of a gigabyte only the limit is read', async () => {
    const { result } = await run(fixture.request('flood'));
    assert.equal(valueAt(result, '/truncated'), true);
    assert.ok(JSON.stringify(result).length < 20_000);
  });

  test('no connection serves two actions', async () => {
    await run(fixture.request('succeed'));
    await run(fixture.request('succeed'));
    assert.equal(fixture.connections(), 2);
    assert.deepEqual(
      fixture.seen.map(({ headers }) => headers.connection),
      ['close', 'close'],
    );
  });
});
