/** Attacks on the channel: an agent, a page in a browser or another principal answers, replays or smuggles. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { ROUTES, pathOf, type RouteName } from '../../src/protocol/routes.ts';
import { sendBytes } from '../api/socket.ts';
import { held, onStage, ping, refund, startBank, stateAfter, type Bank } from './stage.ts';

let bank: Bank;
before(async () => {
  bank = await startBank();
});
after(() => bank.close());

describe('an agent answers its own question', () => {
  // faramesh/faramesh-core: its MCP gateway served `faramesh/defer/resolve` on the agent’s own channel, with an
  // approver that named itself. Aventerica89/vaporforge#93: `POST /approve` asked for no key.
  test('law 10: no route takes an agent’s key, or none, for a yes', async () => {
    await onStage(bank, {}, async (stage) => {
      const id = await held(stage);
      const opened = await stage.call(`GET /v1/actions/${id}/consent`, stage.mei);
      const { consent, challenge } = opened.body;
      const body = { consent, challenge, decision: 'approve' };
      for (const [key, status] of [
        [stage.bot, 403],
        ['', 401],
        [stage.mei.replace('exq_person_', 'exq_agent_'), 401],
        [stage.bot.replace('exq_agent_', 'exq_person_'), 401],
        [stage.layer.operatorKey, 403],
      ] as const) {
        const answer = await stage.call(`POST /v1/actions/${id}/approvals`, key, { body });
        assert.equal(answer.status, status, answer.text);
      }
      const claimed = { ...body, person: 'mei', approver: 'mei', by: 'mei' };
      const own = await stage.call(`POST /v1/actions/${id}/approvals`, stage.bot, {
        body: claimed,
      });
      assert.equal(own.status, 403);
      assert.equal((await stage.layer.record(id)).state, 'held');
      assert.deepEqual(bank.effects(), []);
    });
  });

  test('law 10: an agent whose owner may approve does not get its owner’s yes', async () => {
    await onStage(bank, {}, async (stage) => {
      const owned = await stage.layer.agentKey('owned', { owners: ['mei'] });
      const proposed = await stage.call('POST /v1/actions', owned, {
        body: refund(),
        headers: { 'idempotency-key': 'k', prefer: 'wait=0' },
      });
      const id = String(proposed.body['id']);
      assert.notEqual((await stage.approve(id)).status, 200);
      assert.equal((await stage.layer.record(id)).state, 'held');
      assert.deepEqual(bank.effects(), []);
    });
  });

  // ScopeBlind protect-mcp: the approval nonce and the request id went back to the agent in the text of a tool result.
  test('nothing that any route tells an agent is of use for a yes', async () => {
    await onStage(bank, {}, async (stage) => {
      const id = await held(stage);
      const opened = await stage.call(`GET /v1/actions/${id}/consent`, stage.mei);
      const { nonce } = await stage.layer.record(id);
      const secrets = [nonce, opened.body['consent'], opened.body['challenge'], stage.mei];
      const names = Object.keys(ROUTES).filter((name): name is RouteName => name in ROUTES);
      let told = '';
      for (const name of names) {
        if (ROUTES[name].method !== 'GET' || name === 'events') continue;
        const path = pathOf(name, {
          id,
          name: 'bot',
          code: 'denied',
          key: '0',
          sha256: '0'.repeat(64),
          tile: '0/000',
        });
        const { text, headers } = await stage.call(`GET ${path}`, stage.bot);
        told += text + JSON.stringify([...headers]);
      }
      told += (
        await stage.call('POST /v1/decisions', stage.bot, { body: { ...refund(), touch: true } })
      ).text;
      told += await eventsSoFar(stage.url, stage.bot);
      assert.ok(told.includes(id) && told.includes('approval_missing'));
      for (const secret of secrets) {
        assert.ok(String(secret).length > 15 && !told.includes(String(secret)));
      }
    });
  });
});

/** What a stream of events says in its first 300 ms. */
async function eventsSoFar(url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/v1/events?after=0`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(300),
  });
  let text = '';
  try {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString('utf8');
  } catch {
    // The time is over.
  }
  return text;
}

describe('a page in the approver’s browser', () => {
  // elder-plinius/T3MP3ST#1: a page rebound to loopback could mint approvals, for nothing looked at `Host` or
  // `Origin`; promptfoo/promptfoo#7840 closed the same door. CVE-2025-66414: the MCP SDK let such pages in.
  test('a form, a script and a rebound name get nowhere, with whatever they send along', async () => {
    await onStage(bank, {}, async (stage) => {
      const id = await held(stage);
      const opened = await stage.call(`GET /v1/actions/${id}/consent`, stage.mei);
      const { consent, challenge } = opened.body;
      const json = JSON.stringify({ consent, challenge, decision: 'approve' });
      const { port } = new URL(stage.url);
      const say = async (lines: readonly string[], body = json): Promise<string> => {
        const head = [`POST /v1/actions/${id}/approvals HTTP/1.1`, 'Connection: close', ...lines];
        const length = `Content-Length: ${String(Buffer.byteLength(body))}`;
        const answer = await sendBytes(
          stage.url,
          `${[...head, length].join('\r\n')}\r\n\r\n${body}`,
        );
        assert.equal(answer.headers.get('access-control-allow-origin'), null);
        assert.equal(answer.headers.get('set-cookie'), null);
        return `${String(answer.status)} ${String(answer.body['code'])}`;
      };
      const key = `Authorization: Bearer ${stage.mei}`;
      const type = 'Content-Type: application/json';
      const own = `Host: localhost:${port}`;
      assert.equal(await say([`Host: evil.example:${port}`, key, type]), '403 host_not_allowed');
      assert.equal(
        await say([own, 'Origin: http://evil.example', key, type]),
        '403 origin_not_allowed',
      );
      assert.equal(await say([own, 'Origin: null', key, type]), '403 origin_not_allowed');
      assert.equal(await say([own, 'Cookie: key=x', type]), '401 unauthenticated');
      // What a form can send without asking: no key, and a type that is not JSON.
      assert.equal(await say([own, key, 'Content-Type: text/plain']), '415 media_type_unsupported');
      assert.equal(
        await say(
          [own, key, 'Content-Type: application/x-www-form-urlencoded'],
          'decision=approve',
        ),
        '415 media_type_unsupported',
      );
      assert.equal((await stage.layer.record(id)).state, 'held');
      assert.deepEqual(bank.effects(), []);
    });
  });

  test('a preflight of a page is granted nothing', async () => {
    await onStage(bank, {}, async (stage) => {
      const answer = await stage.call('OPTIONS /v1/actions', '', {
        headers: {
          origin: 'http://evil.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        },
      });
      assert.equal(answer.status, 403);
      const names = [...answer.headers.keys()].filter((name) => name.startsWith('access-control'));
      assert.deepEqual(names, []);
    });
  });
});

describe('two readers of one request', () => {
  // CouchDB CVE-2017-12635: two parsers of one document read two values of a key given twice, and anybody was admin.
  test('law 2: a key given twice, in any spelling, is refused before anything is decided', async () => {
    await onStage(bank, {}, async (stage) => {
      for (const body of [
        '{"target":"bank","operation":"ping","args":{"text":"a"},"args":{"text":"b"}}',
        '{"target":"bank","operation":"ping","args":{"text":"a","te\\u0078t":"b"}}',
        '{"target":"bank","operation":"ping","operation":"refund","args":{"text":"a"}}',
      ]) {
        const answer = await stage.propose(body);
        assert.deepEqual(
          [answer.status, answer.body['code'], answer.body['executed']],
          [400, 'json_duplicate_key', 'no'],
          answer.text,
        );
      }
      assert.deepEqual(bank.effects(), []);
    });
  });

  test('two idempotency keys, two lengths, a length with chunks: refused, and nothing is executed', async () => {
    await onStage(bank, {}, async (stage) => {
      const body = JSON.stringify(ping('smuggled'));
      const length = String(Buffer.byteLength(body));
      const head = [
        'POST /v1/actions HTTP/1.1',
        `Host: localhost:${new URL(stage.url).port}`,
        `Authorization: Bearer ${stage.bot}`,
        'Content-Type: application/json',
        'Connection: close',
      ];
      for (const lines of [
        ['Idempotency-Key: one', 'Idempotency-Key: two', `Content-Length: ${length}`],
        ['Idempotency-Key: one', `Content-Length: ${length}`, 'Content-Length: 3'],
        ['Idempotency-Key: one', `Content-Length: ${length}`, 'Transfer-Encoding: chunked'],
        ['Idempotency-Key: one', 'Transfer-Encoding: chunked, identity'],
        ['Idempotency-Key: one', 'Transfer-Encoding : chunked', `Content-Length: ${length}`],
        ['Idempotency-Key: one\rX: y', `Content-Length: ${length}`],
        ['Authorization: Bearer x', 'Idempotency-Key: one', `Content-Length: ${length}`],
      ]) {
        const answer = await sendBytes(
          stage.url,
          `${[...head, ...lines].join('\r\n')}\r\n\r\n${body}`,
        );
        assert.ok(answer.status >= 400 && answer.status < 500, `${lines.join()}: ${answer.text}`);
        assert.equal(answer.body['executed'], 'no', `${lines.join()}: ${answer.text}`);
      }
      assert.deepEqual(bank.effects(), []);
    });
  });

  test('what follows a request on its connection is a request of nobody', async () => {
    await onStage(bank, {}, async (stage) => {
      const { port } = new URL(stage.url);
      const inner = JSON.stringify(ping('inner'));
      const smuggled = [
        'POST /v1/actions HTTP/1.1',
        `Host: localhost:${port}`,
        'Content-Type: application/json',
        'Idempotency-Key: inner',
        'Connection: close',
        `Content-Length: ${String(inner.length)}`,
        '',
        inner,
      ].join('\r\n');
      const outer = `GET /v1/actions HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer ${stage.bot}\r\n\r\n`;
      const said = await answersTo(stage.url, outer + smuggled);
      assert.deepEqual(said.match(/HTTP\/1\.1 \d+/gu), ['HTTP/1.1 200', 'HTTP/1.1 401']);
      assert.deepEqual(bank.effects(), []);
    });
  });
});

/** Everything that is said to these bytes, as it came. */
async function answersTo(url: string, bytes: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
  socket.setTimeout(3000, () => socket.destroy());
  socket.write(bytes);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe('replay under another name', () => {
  // RamaAditya49/titen#37, arun0009/idempotent#217: an idempotency key without its principal gave one user the
  // stored answer of another, or kept the other from acting.
  test('a key of one agent is nothing to another: neither its answer nor its place', async () => {
    await onStage(bank, {}, async (stage) => {
      const other = await stage.layer.agentKey('other', { owners: ['dana'] });
      const headers = { 'idempotency-key': 'shared', prefer: 'wait=5' };
      const first = await stage.call('POST /v1/actions', stage.bot, {
        body: ping('mine'),
        headers,
      });
      const second = await stage.call('POST /v1/actions', other, { body: ping('theirs'), headers });
      const same = await stage.call('POST /v1/actions', other, { body: ping('theirs'), headers });
      assert.deepEqual([first.status, second.status], [200, 200], second.text);
      assert.notEqual(first.body['id'], second.body['id']);
      assert.equal(second.headers.get('idempotency-replayed'), null);
      assert.equal(same.headers.get('idempotency-replayed'), 'true');
      assert.deepEqual(bank.effects(), ['{"text":"mine"}', '{"text":"theirs"}']);
    });
  });

  test('keys that only look the same are other keys, and odd ones are refused', async () => {
    await onStage(bank, {}, async (stage) => {
      for (const key of ['k', 'K']) {
        const { body } = await stage.propose(ping(key), { 'idempotency-key': key });
        assert.equal(await stateAfter(stage, String(body['id'])), 'succeeded');
      }
      assert.equal(bank.effects().length, 2);
      for (const key of ['a b', 'k\u00a0', '', 'x'.repeat(1000)]) {
        const { status, body } = await stage.propose(ping('odd'), { 'idempotency-key': key });
        assert.ok(status === 400, `${key}: ${String(body['code'])}`);
      }
      assert.equal(bank.effects().length, 2);
    });
  });
});
