import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { codeOf, perform, secretTraces, valueOf } from '../../../test/contract/executor.ts';
import {
  BEARER,
  literal,
  startHttpTarget,
  urlOf,
  withServer,
  type HttpFixture,
} from '../../../test/fixtures/http-target.ts';
import type { EffectRequest, Outcome } from '../../engine/ports.ts';
import type { HttpOperation } from '../../kernel/inventory.ts';
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

function switchProtocols(socket: Socket): void {
  socket.once('data', () => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n');
  });
}

describe('the request', () => {
  test('law 2: what is sent is what was compiled, with what only the layer adds', async () => {
    const request = fixture.send(
      {
        method: 'PUT',
        path: [
          { kind: 'literal', text: '/v1/charges/' },
          { kind: 'argument', path: ['text'] },
        ],
        query: { q: [{ kind: 'argument', path: ['text'] }] },
        headers: { 'X-Execution': [{ kind: 'execution' }] },
        body: {
          kind: 'form',
          fields: { a: [{ kind: 'argument', path: ['text'] }], 'm[e]': [{ kind: 'execution' }] },
        },
      },
      {
        args: { text: 'a b&c=d/é' },
        target: { url: `http://127.0.0.1:${String(fixture.port)}/base/` },
      },
    );
    fixture.answer((_, response) => response.end('{}'));
    const { execution } = await perform(fixture.executor, request);
    const [seen] = fixture.seen;
    assert.equal(seen?.method, 'PUT');
    assert.equal(seen.url, '/base/v1/charges/a%20b%26c%3Dd%2F%C3%A9?q=a%20b%26c%3Dd%2F%C3%A9');
    assert.equal(seen.body, `a=a+b%26c%3Dd%2F%C3%A9&m%5Be%5D=${execution.id}`);
    const { headers } = seen;
    assert.deepEqual(
      [
        headers['idempotency-key'],
        headers['x-execution'],
        headers.authorization,
        headers['accept-encoding'],
      ],
      [execution.id, execution.id, `Bearer ${BEARER}`, 'identity'],
    );
  });

  test('a JSON body is canonical', async () => {
    const request = fixture.send({
      body: {
        kind: 'json',
        value: {
          kind: 'object',
          members: {
            b: { kind: 'constant', value: 1 },
            a: { kind: 'template', template: [{ kind: 'execution' }] },
          },
        },
      },
    });
    const { execution } = await perform(fixture.executor, request);
    assert.equal(fixture.seen[0]?.body, `{"a":"${execution.id}","b":1}`);
    assert.equal(fixture.seen[0].headers['content-type'], 'application/json');
  });

  test('a GET carries no idempotency key, every other method does', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      const before = fixture.seen.length;
      await run(fixture.send({ method }));
      const key = fixture.seen[before]?.headers['idempotency-key'];
      assert.equal(key === undefined, method === 'GET', method);
    }
  });

  test('arguments and declarations that would change the shape of the request are refused', async () => {
    const text = [{ kind: 'argument', path: ['text'] }] as const;
    const path = [{ kind: 'literal', text: '/x/' }, ...text] as const;
    const table: readonly (readonly [Partial<HttpOperation>, string, string])[] = [
      [{ headers: { 'x-a': text } }, 'a\r\nx-evil: 1', 'argument_has_control_character'],
      [{ path }, '..', 'argument_not_a_segment'],
      [{ path }, '', 'argument_not_a_segment'],
      [{ path: literal('/a/../b') }, '', 'path_not_canonical'],
      [{ path: literal('/a/%2e%2e/b') }, '', 'path_not_canonical'],
      [{ path: literal('/a?b') }, '', 'path_not_canonical'],
      [{ path: literal('@evil.test/') }, '', 'path_not_canonical'],
      [{ path: literal('.evil.test/') }, '', 'path_not_canonical'],
      [{ path: literal(String.raw`/a\b`) }, '', 'path_not_canonical'],
      [{ headers: { Authorization: literal('Bearer mine') } }, '', 'header_refused'],
      [{ headers: { HOST: literal('evil.test') } }, '', 'header_refused'],
      [{ headers: { 'Transfer-Encoding': literal('chunked') } }, '', 'header_refused'],
      [{ headers: { 'If-Match': literal('*') } }, '', 'header_refused'],
      [{ headers: { 'bad name': literal('x') } }, '', 'header_refused'],
      [{ method: 'GET', body: { kind: 'form', fields: {} } }, '', 'binding_unsupported'],
      [{ query: { a: text } }, 'x'.repeat(9000), 'request_too_large'],
      [
        { body: { kind: 'form', fields: { a: literal('x'.repeat(1_048_576)) } } },
        '',
        'request_too_large',
      ],
    ];
    for (const [operation, value, code] of table) {
      assert.equal(
        await resolveCode(fixture.send(operation, { args: { text: value } })),
        code,
        JSON.stringify(operation).slice(0, 99),
      );
    }
    assert.equal(fixture.connections(), 0);
  });

  test('a token that no header can carry is refused', async () => {
    fixture.environment['TOKEN_SOURCE'] = 'with space\r\nx-evil: 1';
    const request = fixture.request('succeed');
    const resolution = valueOf(await fixture.executor.resolve(request, NEVER));
    const attempt = await fixture.executor.prepare(request, resolution, 'none', NEVER);
    assert.equal(codeOf(attempt), 'credential_not_sendable');
    assert.equal(fixture.connections(), 0);
  });
});

describe('the answer', () => {
  test('each status means what the table or the operation says', async () => {
    const table: readonly (readonly [HttpOperation['method'], number, string])[] = [
      ['POST', 200, 'succeeded'], ['POST', 204, 'succeeded'], ['POST', 299, 'succeeded'],
      ['POST', 301, 'unknown'], ['POST', 303, 'unknown'], ['POST', 307, 'failed'], ['POST', 308, 'failed'],
      ['GET', 302, 'failed'], ['POST', 400, 'failed'], ['POST', 412, 'failed'], ['POST', 499, 'failed'],
      ['POST', 500, 'unknown'], ['POST', 503, 'unknown'], ['POST', 600, 'unknown'],
      ['POST', 409, 'succeeded'], ['POST', 201, 'not_executed'],
    ]; // prettier-ignore
    const statuses = { 409: 'succeeded', 201: 'not_executed' } as const;
    for (const [method, status, state] of table) {
      fixture.answer((_, response) => response.writeHead(status).end());
      const outcome = await run(fixture.send({ method, statuses }));
      assert.deepEqual([outcome.state, outcome.code], [state, `status_${String(status)}`]);
    }
  });

  test('a redirect is not followed, and nobody else gets the token', async () => {
    const other = await startHttpTarget();
    fixture.answer((_, response) => {
      response
        .writeHead(307, { location: `http://127.0.0.1:${String(other.port)}/effects/succeed` })
        .end();
    });
    const outcome = await run(fixture.request('succeed'));
    assert.deepEqual([outcome.state, outcome.code], ['failed', 'status_307']);
    assert.match(outcome.message, /not followed/u);
    assert.equal(other.connections(), 0);
    await other.stop();
  });

  test('a switch of protocols is no answer', async () => {
    await withServer(switchProtocols, async (port) => {
      const outcome = await run(fixture.send({}, urlOf(port)));
      assert.deepEqual([outcome.state, outcome.code], ['unknown', 'status_101']);
    });
  });

  test('an answer that cannot be read cannot be masked, and is left out', async () => {
    fixture.answer((_, response) => {
      response
        .writeHead(200, { 'content-encoding': 'gzip' })
        .end(gzipSync(JSON.stringify({ token: BEARER })));
    });
    const outcome = await run(fixture.request('succeed'));
    assert.equal(valueAt(outcome.result, '/body/omitted'), 'encoded');
  });

  test('a token is masked in text, in wide text, in headers and where the answer is cut', async () => {
    const bodies: readonly Buffer[] = [
      Buffer.from(`<p>${BEARER}</p>`),
      Buffer.from(`{"wide":"${BEARER}"}`, 'utf16le'),
      Buffer.from(`{"twice":1,"twice":"${BEARER}"}`),
      Buffer.concat([Buffer.alloc(990, 'x'), Buffer.from(BEARER), Buffer.alloc(100, 'y')]),
    ];
    for (const body of bodies) {
      fixture.answer((_, response) => {
        response.writeHead(200, { location: `/?token=${encodeURIComponent(BEARER)}` }).end(body);
      });
      const { result } = await run(fixture.send({ responseBytesMax: 1000 }));
      assert.deepEqual(secretTraces(result, BEARER), []);
      assert.ok(!JSON.stringify(result).replaceAll('\\u0000', '').includes(BEARER.slice(0, 5)));
    }
  });
});
