import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { KEY_SORTS, type KeySort } from '../../src/protocol/keys.ts';
import { pathOf, ROUTES, type RouteName } from '../../src/protocol/routes.ts';
import type { Layer } from '../fixtures/layer.ts';
import { deploy, ping, startBox } from './box.ts';
import { sendBytes } from './socket.ts';

const ID = '0193b2a0-0000-7000-8000-000000000001';
const NAMES = Object.keys(ROUTES).filter((name): name is RouteName => name in ROUTES);
const PARAMETERS = {
  id: ID,
  name: 'somebody',
  code: 'denied',
  key: '00000000',
  sha256: '0'.repeat(64),
  tile: '0/000',
};

let layer: Layer;
let keys: Readonly<Record<KeySort, string>>;

before(async () => {
  layer = await startBox();
  keys = {
    agent: await layer.agentKey(),
    person: await layer.personKey('mei', { roles: ['lead'] }),
    executor: await layer.executorKey(),
    operator: layer.operatorKey,
  };
});

after(() => layer.close());

function lineOf(name: RouteName): string {
  return `${ROUTES[name].method} ${pathOf(name, PARAMETERS)}`;
}

describe('keys', () => {
  for (const name of NAMES) {
    const { auth } = ROUTES[name];
    if (auth === 'none') {
      test(`${lineOf(name)} takes no key and needs none`, async () => {
        const { status } = await layer.ask(lineOf(name));
        assert.equal(status, 200);
      });
      continue;
    }
    test(`${lineOf(name)} is nothing to nobody`, async () => {
      const wrong = [
        '',
        'Bearer',
        'Basic eDp5',
        `Bearer exq_agent_${'A'.repeat(43)}`,
        'Bearer x y',
      ];
      for (const authorization of wrong) {
        const answer = await layer.ask(lineOf(name), { headers: { authorization } });
        assert.equal(answer.body['code'], 'unauthenticated', authorization);
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="exequatur"');
      }
    });
    for (const sort of KEY_SORTS.filter((each) => !auth.includes(each))) {
      test(`${lineOf(name)} does not take the key of another sort: ${sort}`, async () => {
        const body = ROUTES[name].body === undefined ? {} : { body: {} };
        const answer = await layer.ask(lineOf(name), { key: keys[sort], ...body });
        assert.equal(answer.status, 403);
        assert.equal(answer.body['code'], 'wrong_key_sort');
      });
    }
  }

  test('a key is of no other sort by another prefix', async () => {
    const secret = keys.agent.slice('exq_agent_'.length);
    for (const sort of ['person', 'executor', 'operator']) {
      const answer = await layer.ask('GET /v1/status', { key: `exq_${sort}_${secret}` });
      assert.equal(answer.body['code'], 'unauthenticated');
    }
  });

  test('law 7: a revoked key is nobody’s at once, and others go on', async () => {
    const key = await layer.agentKey('short-lived');
    assert.equal((await layer.propose(key, ping('ok', 'revoked'))).status, 200);
    await layer.ask('DELETE /v1/agents/short-lived', { key: keys.operator });
    assert.equal((await layer.propose(key, ping('ok', 'revoked'))).status, 401);
    assert.equal((await layer.ask('GET /v1/actions', { key: keys.agent })).status, 200);
  });

  test('requests without a key are counted and not stored', async () => {
    const countBefore = layer.app.counts['unauthenticated'] ?? 0;
    const { body } = await layer.ask('GET /v1/status', { key: keys.person });
    await layer.ask('POST /v1/actions', { body: ping() });
    assert.equal(layer.app.counts['unauthenticated'], countBefore + 1);
    const again = await layer.ask('GET /v1/status', { key: keys.person });
    assert.deepEqual(again.body['open'], body['open']);
  });
});

describe('what an agent may see', () => {
  test('an action of another agent is not there, by any route', async () => {
    const other = await layer.agentKey('other');
    const held = await layer.propose(keys.agent, deploy('mine'));
    const id = String(held.body['id']);
    for (const route of [
      `GET /v1/actions/${id}`,
      `GET /v1/actions/${id}/explain`,
      `POST /v1/actions/${id}/withdraw`,
    ]) {
      const answer = await layer.ask(route, { key: other });
      assert.equal(answer.body['code'], 'action_unknown', route);
      assert.ok(!answer.text.includes('deploy'));
    }
    const { body } = await layer.ask('GET /v1/actions', { key: other });
    assert.deepEqual(body['actions'], []);
    const seen = await layer.ask(`GET /v1/actions/${id}`, { key: keys.person });
    assert.equal(seen.status, 200);
  });

  test('nothing in an answer to an agent can approve, and no secret is in it', async () => {
    const person = await layer.personKey('tomas', { roles: ['lead'] });
    const held = await layer.propose(keys.agent, { ...deploy('scan'), note: 'please' });
    const id = String(held.body['id']);
    const opened = await layer.ask(`GET /v1/actions/${id}/consent`, { key: person });
    const seen = [held.text];
    const look = async (): Promise<void> => {
      for (const route of [
        'GET /v1/actions',
        `GET /v1/actions/${id}`,
        `GET /v1/actions/${id}/explain`,
        `GET /v1/actions/${id}/consent`,
        `GET /v1/actions/${id}/history`,
        'GET /v1/halts',
        'GET /v1/agents',
        'GET /v1/people',
        'GET /v1/status',
        'GET /readyz',
        'GET /',
      ]) {
        const { text, headers } = await layer.ask(route, { key: keys.agent });
        seen.push(text, JSON.stringify([...headers]));
      }
      seen.push((await layer.ask('POST /v1/decisions', { key: keys.agent, body: deploy() })).text);
    };
    await look();
    const approved = await layer.ask(`POST /v1/actions/${id}/approvals`, {
      key: person,
      body: {
        consent: opened.body['consent'],
        challenge: opened.body['challenge'],
        decision: 'approve',
      },
    });
    assert.equal(approved.status, 200, approved.text);
    await layer.ask(`GET /v1/actions/${id}?wait=5`, { key: keys.agent });
    await look();
    const { nonce } = await layer.record(id);
    const all = seen.join('\n');
    for (const secret of [
      nonce,
      String(opened.body['consent']),
      String(opened.body['challenge']),
      keys.agent,
      keys.person,
      keys.operator,
      person,
    ]) {
      assert.ok(secret.length > 20 && !all.includes(secret), secret.slice(0, 12));
    }
  });
});

describe('hosts and origins', () => {
  const allowed = [
    'localhost',
    'localhost:7373',
    '127.0.0.1:1',
    '[::1]:80',
    'LocalHost',
    'localhost.',
  ];
  for (const host of allowed) {
    test(`a request for \`${host}\` is answered`, async () => {
      assert.equal((await layer.ask('GET /healthz', { headers: { host } })).status, 200);
    });
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    '0.0.0.0',
    '127.1',
    '[::ffff:7f00:1]',
    'localhost:99999999',
    'localhost, evil.example',
  ]) {
    test(`a request for \`${host}\` is refused before anything else`, async () => {
      const answer = await layer.propose(keys.agent, ping('ok', 'host'), { host });
      assert.equal(answer.body['code'], 'host_not_allowed');
      assert.equal(answer.body['executed'], 'no');
    });
  }
  for (const origin of [
    'null',
    'https://evil.example',
    'http://localhost:1',
    'file://',
    'http://LOCALHOST.evil',
  ]) {
    test(`a page of \`${origin}\` gets nothing`, async () => {
      const answer = await layer.propose(keys.agent, ping('ok', 'origin'), { origin });
      assert.equal(answer.body['code'], 'origin_not_allowed');
      assert.equal(answer.headers.get('access-control-allow-origin'), null);
    });
  }

  test('a page of the layer’s own origin is answered', async () => {
    const headers = { host: 'localhost:7373', origin: 'http://localhost:7373' };
    assert.equal((await layer.ask('GET /healthz', { headers })).status, 200);
  });

  test('two hosts in one request, and none, are refused', async () => {
    const url = await layer.listen();
    const answer = await sendBytes(
      url,
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    assert.equal(answer.body['code'], 'host_not_allowed');
    const none = await sendBytes(url, 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n');
    assert.deepEqual([none.status, none.body['code']], [400, 'request_malformed']);
    const expecting = await sendBytes(
      url,
      'GET /nowhere HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\nConnection: close\r\n\r\n',
    );
    assert.equal(expecting.body['code'], 'route_unknown');
  });
});

describe('routes', () => {
  test('an unknown path is a problem document', async () => {
    for (const path of [
      '/v1',
      '/v1/',
      '/v1/actions/',
      '/v1//actions',
      '/v1/actions/a/b/c',
      '/%00',
    ]) {
      const answer = await layer.ask(`GET ${path}`, { key: keys.agent });
      assert.equal(answer.body['code'], 'route_unknown', path);
    }
  });

  test('a known path by another method names those that are allowed', async () => {
    const cases: readonly (readonly [string, string])[] = [
      ['PUT /v1/actions', 'POST, GET, HEAD'],
      ['OPTIONS /v1/actions', 'POST, GET, HEAD'],
      [`POST /v1/actions/${ID}`, 'GET, HEAD'],
      [`GET /v1/halts/${ID}`, 'DELETE'],
      ['POST /', 'GET, HEAD'],
    ];
    for (const [route, allow] of cases) {
      const answer = await layer.ask(route);
      assert.equal(answer.status, 405, route);
      assert.equal(answer.headers.get('allow'), allow);
    }
  });

  test('HEAD is GET without a body', async () => {
    for (const path of ['/', '/healthz', '/v1/actions', '/v1/events']) {
      const answer = await layer.ask(`HEAD ${path}`, { key: keys.agent });
      assert.equal(answer.status, 200, path);
      assert.equal(answer.text, '');
    }
  });

  test('an unknown or repeated query parameter is refused', async () => {
    for (const query of [
      '?x=1',
      '?count=1&count=2',
      '?__proto__=1',
      '?count=0',
      '?count=201',
      '?state=x',
      '?before=x',
    ]) {
      const answer = await layer.ask(`GET /v1/actions${query}`, { key: keys.agent });
      assert.equal(answer.body['code'], 'query_invalid', query);
    }
  });

  test('a body where none is taken is refused', async () => {
    const answer = await layer.ask('POST /v1/reload', {
      key: keys.operator,
      headers: { 'content-length': '2' },
      body: {},
    });
    assert.equal(answer.body['code'], 'invalid_request');
  });

  test('every answer says how it may be used, and errors say that nothing was executed', async () => {
    for (const route of [
      'GET /',
      'GET /healthz',
      'GET /nope',
      'GET /v1/actions',
      'GET /errors/denied',
    ]) {
      const { headers, status, body } = await layer.ask(route);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'/u);
      assert.match(headers.get('x-request-id') ?? '', /^req_[\w-]{12}$/u);
      if (status >= 400) assert.equal(body['executed'], 'no');
    }
  });

  test('the status page has no script, names nothing of anybody, and says how it runs', async () => {
    const { text, headers } = await layer.ask('GET /');
    assert.ok(!/<script|onclick|box|bot\b|mei/u.test(text), text);
    assert.match(text, /development mode/u);
    assert.match(text, /isolation_none/u);
    assert.match(headers.get('content-security-policy') ?? '', /style-src 'sha256-/u);
  });
});
