import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer as createSecureServer } from 'node:https';
import { afterEach, beforeEach, describe, test } from 'node:test';

import {
  codeOf,
  freely,
  makeReady,
  mint,
  perform,
  secretTraces,
} from '../../../test/contract/executor.ts';
import { systemClock } from '../../../test/fixtures/clock.ts';
import {
  listen,
  literal,
  startHttpTarget,
  type Handler,
  type HttpFixture,
  type Seen,
} from '../../../test/fixtures/http-target.ts';
import { CERTIFICATE, CERTIFICATE_KEY } from '../../../test/fixtures/tls.ts';
import type { Clock, EffectRequest } from '../../engine/ports.ts';
import { instantOf } from '../../kernel/instant.ts';
import type { HttpAuth } from '../../kernel/inventory.ts';
import { valueAt } from '../pointer.ts';
import { httpEffect } from './compile.ts';
import { TOKEN_MARGIN_MS } from './oauth2.ts';
import { contentDigest, signRequest } from './sigv4.ts';

const NEVER = new AbortController().signal;
const CLIENT = 'my client:s3cr&t/ü=pass';

let fixture: HttpFixture;
beforeEach(async () => {
  fixture = await startHttpTarget();
});
afterEach(async () => {
  await fixture.stop();
});

/** A request under this scheme, with this credential. */
function request(auth: HttpAuth, credential: string): EffectRequest {
  fixture.environment['TOKEN_SOURCE'] = credential;
  const body = { kind: 'form', fields: { 'a=b': literal('ü') } } as const;
  return fixture.send({ body }, { target: { auth } });
}

async function prepareCode(made: EffectRequest): Promise<string> {
  const resolved = await fixture.executor.resolve(made, NEVER);
  assert.ok(resolved.ok);
  return codeOf(await fixture.executor.prepare(made, resolved.value, 'none', NEVER));
}

describe('what is consented to', () => {
  test('names the scheme and never the credential', () => {
    const schemes: readonly HttpAuth[] = [
      'none',
      'bearer',
      'basic',
      'mtls',
      { kind: 'oauth2', tokenUrl: 'https://a.example/token' },
      { kind: 'oauth2', tokenUrl: 'https://a.example/token', scope: 'write' },
      { kind: 'sigv4', region: 'eu-west-1', service: 'sqs' },
      { kind: 'sigv4', region: 'eu-west-1', service: 's3' },
    ];
    const effects = schemes.map((auth) => httpEffect(request(auth, 'one-credential')));
    assert.equal(new Set(effects).size, schemes.length);
    const rotated = schemes.map((auth) => httpEffect(request(auth, 'another-credential')));
    assert.deepEqual(rotated, effects);
  });
});

describe('basic', () => {
  test('user and password are sent as RFC 7617 says, and masked together and alone', async () => {
    fixture.answer((seen, response) => {
      const pair = Buffer.from(String(seen.headers.authorization).slice(6), 'base64').toString();
      response.end(
        JSON.stringify({ header: seen.headers.authorization, pair, alone: 'pass:wörd' }),
      );
    });
    const { outcome } = await perform(fixture.executor, request('basic', 'user:pass:wörd'));
    assert.equal(outcome.state, 'succeeded');
    const sent = fixture.seen[0]?.headers.authorization;
    assert.equal(sent, `Basic ${Buffer.from('user:pass:wörd').toString('base64')}`);
    assert.deepEqual(secretTraces(outcome, 'pass:wörd'), []);
  });

  test('what is no pair is refused before anything is sent', async () => {
    const table: readonly (readonly [string, string])[] = [
      ['user-without-password', 'credential_not_sendable'],
      ['user:pass\nword', 'credential_not_sendable'],
      ['user:abc', 'credential_too_short'],
    ];
    for (const [credential, code] of table) {
      assert.equal(await prepareCode(request('basic', credential)), code);
    }
    assert.equal(fixture.connections(), 0);
  });
});

/** A token endpoint and the target on one server; each token is good until it is revoked. */
function tokenServer(answer: (count: number) => unknown, status = 200): Handler {
  let count = 0;
  return (seen, response) => {
    if (seen.url !== '/token') {
      const [first, last] = [`Bearer token-${String(count)}`, seen.headers.authorization];
      response.writeHead(first === last ? 201 : 401).end(JSON.stringify({ echo: last }));
      return;
    }
    count += 1;
    response.writeHead(status).end(JSON.stringify(answer(count)));
  };
}

function withToken(): HttpAuth {
  const tokenUrl = `http://127.0.0.1:${String(fixture.port)}/token`;
  return { kind: 'oauth2', tokenUrl, scope: 'read write', audience: 'https://api.example' };
}

const good = (count: number): unknown => ({
  access_token: `token-${String(count)}`,
  token_type: 'Bearer',
  expires_in: 3600,
});

const asked = (): readonly Seen[] => fixture.seen.filter(({ url }) => url === '/token');

describe('oauth2', () => {
  test('a token is asked for as RFC 6749 says, sent, and never shown', async () => {
    fixture.answer(tokenServer(good));
    const { outcome } = await perform(fixture.executor, request(withToken(), CLIENT));
    assert.equal(outcome.code, 'status_201');
    const [seen] = asked();
    assert.equal(seen?.method, 'POST');
    assert.deepEqual(Object.fromEntries(new URLSearchParams(seen.body)), {
      grant_type: 'client_credentials',
      scope: 'read write',
      audience: 'https://api.example',
    });
    const encoded = 'my+client:s3cr%26t%2F%C3%BC%3Dpass';
    assert.equal(seen.headers.authorization, `Basic ${Buffer.from(encoded).toString('base64')}`);
    assert.deepEqual(secretTraces(outcome, 'token-1'), []);
  });

  test('a token is used again until shortly before its end, and only for its credential', async () => {
    let aheadMs = 0;
    const clock: Clock = { ...systemClock, now: () => instantOf(Date.now() + aheadMs) };
    const executor = fixture.executorWith({ clock });
    fixture.answer(tokenServer(good));
    const send = async (credential = CLIENT): Promise<number> => {
      const { outcome } = await perform(executor, request(withToken(), credential));
      assert.equal(outcome.code, 'status_201');
      return asked().length;
    };
    assert.equal(await send(), 1);
    assert.equal(await send(), 1);
    aheadMs = 3_600_000 - TOKEN_MARGIN_MS - 5000;
    assert.equal(await send(), 1);
    aheadMs = 3_600_000 - TOKEN_MARGIN_MS;
    assert.equal(await send(), 2);
    assert.equal(await send('my client:another-secret'), 3);
  });

  test('a token without a life, or with one that is nearly over, is used once', async () => {
    for (const life of [{}, { expires_in: 30 }, { expires_in: '3600' }, { expires_in: -1 }]) {
      const before = asked().length;
      fixture.answer(
        tokenServer((count) => ({
          access_token: `token-${String(count)}`,
          token_type: 'bearer',
          ...life,
        })),
      );
      const made = request(withToken(), CLIENT);
      for (const _ of [1, 2]) {
        assert.equal((await perform(fixture.executor, made)).outcome.code, 'status_201');
      }
      assert.equal(asked().length - before, 2);
    }
  });

  test('a token that the target answers with 401 is not used again', async () => {
    fixture.answer(tokenServer(good));
    const made = request(withToken(), CLIENT);
    await perform(fixture.executor, made);
    fixture.answer((_, response) => response.writeHead(401).end('{}'));
    const { outcome } = await perform(fixture.executor, made);
    assert.deepEqual([outcome.state, outcome.code], ['failed', 'status_401']);
    fixture.answer(tokenServer(good));
    await perform(fixture.executor, made);
    assert.equal(asked().length, 2);
  });

  test('an endpoint that gives no usable token stops the action, and its words are not shown', async () => {
    const table: readonly (readonly [unknown, number])[] = [
      [{ error: 'invalid_client', error_description: CLIENT }, 401],
      [{ error: CLIENT }, 400],
      [{ access_token: 'tok\nen', token_type: 'bearer' }, 200],
      [{ access_token: 'abc', token_type: 'bearer' }, 200],
      [{ access_token: 'token-1', token_type: 'mac' }, 200],
      [{ access_token: 'token-1' }, 200],
      [{ token_type: 'bearer' }, 200],
      ['token-1', 200],
      [good(1), 302],
    ];
    for (const [answer, status] of table) {
      fixture.answer(tokenServer(() => answer, status));
      const made = request(withToken(), CLIENT);
      const resolved = await fixture.executor.resolve(made, NEVER);
      assert.ok(resolved.ok);
      const attempt = await fixture.executor.prepare(made, resolved.value, 'none', NEVER);
      assert.equal(codeOf(attempt), 'token_not_given', JSON.stringify(answer));
      assert.deepEqual(secretTraces(attempt, 's3cr&t/ü=pass'), []);
    }
    fixture.answer((_, response) =>
      response.end('{"access_token":"token-1","access_token":"token-2","token_type":"bearer"}'),
    );
    assert.equal(await prepareCode(request(withToken(), CLIENT)), 'token_not_given');
    assert.ok(fixture.seen.every(({ url }) => url === '/token'));
  });

  test('a token endpoint is reached only where the target may be reached', async () => {
    const auth: HttpAuth = { kind: 'oauth2', tokenUrl: 'http://169.254.169.254/token' };
    assert.equal(await prepareCode(request(auth, CLIENT)), 'address_refused');
    const executor = fixture.executorWith({
      lookup: () => Promise.resolve(['93.184.215.14']),
    });
    const clear = request({ kind: 'oauth2', tokenUrl: 'http://id.example/token' }, CLIENT);
    const resolved = await executor.resolve(clear, NEVER);
    assert.ok(resolved.ok);
    const attempt = await executor.prepare(clear, resolved.value, 'none', NEVER);
    assert.equal(codeOf(attempt), 'credential_in_clear');
  });
});

describe('mtls', () => {
  const PEM = `${CERTIFICATE}${CERTIFICATE_KEY}`;
  const APART = { act: 'env:KEY_SOURCE', certificates: { act: 'env:CERTIFICATE_SOURCE' } };

  test('the client shows its certificate, and the target knows it', async () => {
    const server = createSecureServer(
      {
        cert: CERTIFICATE,
        key: CERTIFICATE_KEY,
        ca: CERTIFICATE,
        requestCert: true,
        rejectUnauthorized: false,
      },
      (incoming, response) => {
        const socket: unknown = incoming.socket;
        const isTls = typeof socket === 'object' && socket !== null && 'authorized' in socket;
        const authorized = isTls && socket.authorized;
        response.end(
          JSON.stringify({ authorized, header: incoming.headers.authorization ?? null }),
        );
      },
    );
    const port = String(await listen(server));
    fixture.environment['TOKEN_SOURCE'] = PEM;
    fixture.environment['KEY_SOURCE'] = CERTIFICATE_KEY;
    fixture.environment['CERTIFICATE_SOURCE'] = CERTIFICATE;
    const executor = fixture.executorWith({
      lookup: () => Promise.resolve(['127.0.0.1']),
      certificateAuthorities: [CERTIFICATE],
    });
    const url = `https://pay.test:${port}`;
    for (const [auth, authorized] of [
      ['mtls', true],
      ['none', false],
    ] as const) {
      const { outcome } = await perform(executor, fixture.send({}, { target: { auth, url } }));
      assert.equal(valueAt(outcome.result, '/body/authorized'), authorized);
      assert.equal(valueAt(outcome.result, '/body/header'), null);
    }
    const made = fixture.send({}, { target: { auth: 'mtls', url }, whole: { credentials: APART } });
    const { outcome } = await perform(executor, made);
    assert.equal(valueAt(outcome.result, '/body/authorized'), true);
    server.closeAllConnections();
    server.close();
  });

  test('a certificate and a key that come apart must fit each other', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const other = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    for (const [certificate, key, code] of [
      [CERTIFICATE, other, 'credential_not_sendable'],
      [CERTIFICATE_KEY, CERTIFICATE, 'credential_not_sendable'],
      [CERTIFICATE, CERTIFICATE, 'credential_not_sendable'],
      [undefined, CERTIFICATE_KEY, 'credential_missing'],
      [CERTIFICATE, undefined, 'credential_missing'],
    ] as const) {
      fixture.environment['CERTIFICATE_SOURCE'] = certificate ?? '';
      fixture.environment['KEY_SOURCE'] = key ?? '';
      if (certificate === undefined) delete fixture.environment['CERTIFICATE_SOURCE'];
      if (key === undefined) delete fixture.environment['KEY_SOURCE'];
      const made = fixture.send({}, { target: { auth: 'mtls' }, whole: { credentials: APART } });
      assert.equal(await prepareCode(made), code);
    }
    assert.equal(fixture.connections(), 0);
  });

  test('a credential without certificate, without key or with another key is refused', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const other = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const broken = CERTIFICATE_KEY.replace('MIGH', 'MIGX');
    for (const pem of [CERTIFICATE, CERTIFICATE_KEY, CERTIFICATE + broken, CERTIFICATE + other]) {
      assert.equal(await prepareCode(request('mtls', pem)), 'credential_not_sendable');
    }
    assert.equal(fixture.connections(), 0);
  });
});

describe('sigv4', () => {
  const auth = { kind: 'sigv4', region: 'eu-west-1', service: 'execute-api' } as const;
  const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

  /** Signs what arrived again, from nothing but what arrived; a clock that is off by over 5 minutes refuses. */
  function verifying(nowMs: () => number): Handler {
    return (seen, response) => {
      const value = String(seen.headers.authorization);
      const names = /SignedHeaders=([^,]+)/u.exec(value)?.[1]?.split(';') ?? [];
      const headers = Object.fromEntries(
        names.map((name) => [name, String(seen.headers[name])] as const),
      );
      const time = String(seen.headers['x-amz-date']);
      const [path = '', query = ''] = seen.url.split('?');
      const { method, body } = seen;
      const key = { accessKeyId: 'AKIDEXAMPLE', secret: SECRET, time, ...auth };
      const expected = signRequest({ method, path, query, headers, body }, key);
      const isDigest = seen.headers['x-amz-content-sha256'] === contentDigest(body);
      const at = Date.parse(time.replace(/^(....)(..)(..T..)(..)/u, '$1-$2-$3:$4:'));
      const isFresh = Math.abs(nowMs() - at) <= 300_000;
      const isGood = expected === value && isDigest && isFresh;
      response.writeHead(isGood ? 200 : 403).end(JSON.stringify({ value, names }));
    };
  }

  test('what arrives carries a signature over exactly what arrived', async () => {
    fixture.answer(verifying(Date.now));
    const made = request(auth, `AKIDEXAMPLE:${SECRET}`);
    const { outcome } = await perform(fixture.executor, made);
    assert.equal(outcome.code, 'status_200');
    assert.deepEqual(valueAt(outcome.result, '/body/names'), [
      'accept',
      'content-length',
      'content-type',
      'host',
      'idempotency-key',
      'x-amz-content-sha256',
      'x-amz-date',
    ]);
    assert.deepEqual(secretTraces(outcome, SECRET), []);
  });

  test('a preview is signed too', async () => {
    fixture.answer(verifying(Date.now));
    fixture.environment['TOKEN_SOURCE'] = `AKIDEXAMPLE:${SECRET}`;
    const preview = { path: literal('/a%20b'), query: { 'b-c': literal('1'), b: literal('(*)') } };
    const made = fixture.send(
      { preview: { ...preview, material: ['/names'], context: [] } },
      { target: { auth } },
    );
    const shown = await fixture.executor.preview(made, NEVER);
    assert.ok(shown.ok);
  });

  test('a session token is sent, signed and masked', async () => {
    fixture.answer((seen, response) => response.end(JSON.stringify(seen.headers)));
    const { outcome } = await perform(
      fixture.executor,
      request(auth, `AKIDEXAMPLE:${SECRET}:session+token/1==`),
    );
    assert.equal(fixture.seen[0]?.headers['x-amz-security-token'], 'session+token/1==');
    assert.match(String(fixture.seen[0].headers.authorization), /;x-amz-security-token,/u);
    assert.deepEqual(secretTraces(outcome, 'session+token/1=='), []);
  });

  test('a clock that is off by more than the target takes fails the action, once', async () => {
    fixture.answer(verifying(() => Date.now() + 600_000));
    const made = request(auth, `AKIDEXAMPLE:${SECRET}`);
    const { outcome } = await perform(fixture.executor, made);
    assert.deepEqual([outcome.state, outcome.code], ['failed', 'status_403']);
    assert.equal(fixture.seen.length, 1);
  });

  test('the signature is made in the instant of sending, not when the effect is prepared', async () => {
    let aheadMs = 0;
    const clock: Clock = { ...systemClock, now: () => instantOf(Date.now() + aheadMs) };
    const executor = fixture.executorWith({ clock });
    fixture.answer(verifying(() => Date.now() + 600_000));
    const ready = await makeReady(executor, request(auth, `AKIDEXAMPLE:${SECRET}`));
    aheadMs = 600_000;
    const execution = mint(ready.request, ready.resolution.effect);
    assert.equal((await ready.prepared.send(execution, freely())).code, 'status_200');
  });

  test('what cannot be signed is refused before the crossing', async () => {
    for (const credential of ['AKIDEXAMPLE', `:${SECRET}`, 'AKIDEXAMPLE:se cret']) {
      assert.equal(await prepareCode(request(auth, credential)), 'credential_not_sendable');
    }
    fixture.environment['TOKEN_SOURCE'] = `AKIDEXAMPLE:${SECRET}`;
    const date = fixture.send(
      { headers: { 'X-Amz-Date': literal('20150830T123600Z') } },
      { target: { auth } },
    );
    assert.equal(await prepareCode(date), 'header_refused');
    assert.equal(fixture.seen.length, 0);
  });
});
