import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import {
  actionView,
  actionList,
  explanationView,
  forecastView,
} from '../../src/protocol/actions.ts';
import type { Layer } from '../fixtures/layer.ts';
import { deploy, effectsOf, ping, startBox } from './box.ts';

let layer: Layer;
let key: string;
let lead: string;

before(async () => {
  layer = await startBox();
  key = await layer.agentKey();
  lead = await layer.personKey('mei', { roles: ['lead'] });
});

after(() => layer.close());

const IDEMPOTENCY = 'idempotency-key';

describe('POST /v1/actions', () => {
  test('an action that is admitted is answered once it is settled: 200', async () => {
    const { status, body } = await layer.propose(key, ping('ok', 'first'));
    assert.equal(status, 200);
    const view = actionView.parse(body);
    // Nothing is answered that the protocol does not declare.
    assert.deepEqual(view, body);
    assert.equal(view.state, 'succeeded');
    assert.equal(view.executed, 'yes');
    assert.equal(view.outcome?.code, 'exit_0');
    assert.equal(view.pollAfterMs, undefined);
    assert.ok(effectsOf(layer).includes('ok first'));
  });

  test('an action that ran and reported failure is executed partly', async () => {
    const { status, body } = await layer.propose(key, ping('fail', 'now'));
    assert.deepEqual([status, body['state'], body['executed']], [200, 'failed', 'partly']);
  });

  test('an action that waits for people is answered at once: 202', async () => {
    const startedMs = performance.now();
    const { status, body } = await layer.propose(key, deploy('waits'));
    assert.equal(status, 202);
    const view = actionView.parse(body);
    assert.deepEqual(view, body);
    assert.deepEqual([view.state, view.executed], ['held', 'no']);
    assert.deepEqual(view.waitingFor, [
      { code: 'approval_missing', have: 0, need: 1, from: 'role:lead' },
    ]);
    assert.equal(view.pollAfterMs, 5000);
    assert.equal(view.message, 'Waiting for 1 approval. Poll this id; do not propose again.');
    assert.ok(performance.now() - startedMs < 5000);
  });

  test('an action that is denied is a problem document: 403', async () => {
    const { status, body } = await layer.propose(key, {
      target: 'box',
      operation: 'erase',
      args: { rows: 1001 },
    });
    assert.equal(status, 403);
    assert.deepEqual(
      [body['code'], body['state'], body['executed'], body['title'], body['type']],
      ['denied', 'denied', 'no', 'Not executed', '/errors/denied'],
    );
    assert.deepEqual(body['findings'], [
      { code: 'denied_by_rule', message: 'Split the deletion.' },
    ]);
    assert.equal(actionView.parse(body).id, body['id']);
    // The policy's own sentence has its full stop already.
    assert.equal(body['detail'], 'Denied: Split the deletion. Nothing was executed.');
  });

  test('unknown targets and operations are denied by name', async () => {
    const target = await layer.propose(key, { target: 'bix', operation: 'ping', args: {} });
    assert.match(target.text, /"target_unknown","message":"[^"]*`bix`/u);
    const operation = await layer.propose(key, { target: 'box', operation: 'pong', args: {} });
    assert.match(operation.text, /"operation_unknown","message":"[^"]*`pong`/u);
  });

  test('the same key and body again is the same action, executed once', async () => {
    const headers = { [IDEMPOTENCY]: 'twice' };
    const first = await layer.propose(key, ping('ok', 'twice'), headers);
    const again = await layer.propose(
      key,
      // Other blanks and another order of members are the same request.
      ' {"operation":"ping", "args":{"text":"twice","mode":"ok"},"target":"box"}',
      headers,
    );
    assert.equal(again.body['id'], first.body['id']);
    assert.equal(first.headers.get('idempotency-replayed'), null);
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    assert.equal(effectsOf(layer).filter((line) => line === 'ok twice').length, 1);
  });

  test('an answer and its replay are the same text', async () => {
    const headers = { [IDEMPOTENCY]: 'same-text' };
    const first = await layer.propose(key, ping('ok', 'same text'), headers);
    const again = await layer.propose(key, ping('ok', 'same text'), headers);
    assert.equal(again.text, first.text);
    assert.match(first.text, /"result":\{"exitCode":0,"stderr":\{"bytes":0,/u);
  });

  test('two at once with the same key are one action', async () => {
    const headers = { [IDEMPOTENCY]: 'at once'.replace(' ', '-') };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => layer.propose(key, ping('ok', 'once'), headers)),
    );
    assert.equal(new Set(answers.map(({ body }) => body['id'])).size, 1);
    assert.equal(effectsOf(layer).filter((line) => line === 'ok once').length, 1);
  });

  test('the same key of another agent is another action', async () => {
    const other = await layer.agentKey('second');
    const headers = { [IDEMPOTENCY]: 'shared' };
    const mine = await layer.propose(key, ping('ok', 'mine'), headers);
    const theirs = await layer.propose(other, ping('ok', 'theirs'), headers);
    assert.notEqual(mine.body['id'], theirs.body['id']);
  });

  test('a key has 1 to 255 visible characters', async () => {
    for (const [idempotencyKey, status] of [
      ['x'.repeat(255), 200],
      ['~!', 200],
      ['x'.repeat(256), 400],
      ['ümlaut', 400],
    ] as const) {
      const headers = { [IDEMPOTENCY]: idempotencyKey };
      const answer = await layer.propose(key, ping('ok', 'key'), headers);
      assert.equal(answer.status, status, `${idempotencyKey.slice(0, 10)} ${answer.text}`);
    }
  });

  test('`Prefer: wait` says how long: 0 answers at once, and it can be asked for later', async () => {
    const begun = await layer.propose(key, ping('slow', 'later'), { prefer: 'wait=0' });
    assert.deepEqual(
      [begun.status, begun.body['state'], begun.body['executed'], begun.body['pollAfterMs']],
      [202, 'executing', 'unknown', 1000],
    );
    assert.equal(begun.headers.get('preference-applied'), 'wait=0');
    const done = await layer.ask(`GET /v1/actions/${String(begun.body['id'])}?wait=5`, { key });
    assert.equal(done.body['state'], 'succeeded');
  });

  test('a longer wait than 60 seconds is cut to that', async () => {
    const answer = await layer.propose(key, ping('ok', 'long'), {
      prefer: 'respond-async, wait="3600"',
    });
    assert.equal(answer.headers.get('preference-applied'), 'wait=60');
  });

  test('what is wrong with the shape is told by JSON pointer', async () => {
    const cases: readonly (readonly [unknown, string])[] = [
      [[], ''],
      [{}, '/target'],
      [{ ...ping(), args: [] }, '/args'],
      [{ ...ping(), 'a/b~c': 1 }, '/a~1b~0c'],
      [{ ...ping(), deadline: 'tomorrow' }, '/deadline'],
      [{ ...ping(), deadline: '2026-02-30T00:00:00Z' }, '/deadline'],
      [{ ...ping(), notBefore: 1 }, '/notBefore'],
      [{ ...ping(), principal: { agent: 'root' } }, '/principal'],
      [{ ...ping(), note: 'x'.repeat(2001) }, '/note'],
      [{ ...ping(), target: 'x'.repeat(65) }, '/target'],
    ];
    for (const [body, pointer] of cases) {
      const answer = await layer.propose(key, body);
      assert.equal(answer.body['code'], 'invalid_request', answer.text);
      assert.deepEqual(answer.body['position'], { pointer });
    }
  });

  test('who proposes comes from the key alone, delegator included', async () => {
    await layer.personKey('dana');
    const delegated = await layer.agentKey('bot', { delegator: 'dana' });
    const { body } = await layer.propose(delegated, ping('ok', 'for dana'));
    assert.deepEqual([body['agent'], body['delegator']], ['bot', 'dana']);
  });

  test('a body of exactly the largest size is read', async () => {
    const spare = 1_048_576 - JSON.stringify({ ...ping(), args: {} }).length;
    const body = JSON.stringify({ ...ping(), args: {} }) + ' '.repeat(spare);
    const { status } = await layer.propose(key, body);
    assert.equal(status, 403);
    const larger = await layer.propose(key, `${body} `);
    assert.equal(larger.status, 413);
  });

  test('law 14: no secret of a target is in any answer, even if the target tells it', async () => {
    const { body, text } = await layer.propose(key, {
      target: 'vault',
      operation: 'tell',
      args: {},
    });
    assert.equal(body['state'], 'succeeded', text);
    assert.ok(!text.includes('tok-0123456789'), text);
    assert.match(text, /‹secret:/u);
  });
});

describe('reading actions', () => {
  test('a list is newest first, in pages, and an agent’s own', async () => {
    const reader = await layer.agentKey('reader');
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) {
      ids.unshift(
        String((await layer.propose(reader, ping('ok', `list ${String(index)}`))).body['id']),
      );
    }
    const first = await layer.ask('GET /v1/actions?count=3', { key: reader });
    const page = actionList.parse(first.body);
    assert.deepEqual(page, first.body);
    const rest = actionList.parse(
      (await layer.ask(`GET /v1/actions?count=3&before=${page.before ?? ''}`, { key: reader }))
        .body,
    );
    assert.equal(rest.before, undefined);
    assert.deepEqual(
      [...page.actions, ...rest.actions].map(({ id }) => id),
      ids,
    );
  });

  test('a list can be of some states', async () => {
    const { body } = await layer.ask('GET /v1/actions?state=held,denied&count=200', { key: lead });
    const states = new Set(actionList.parse(body).actions.map(({ state }) => state));
    assert.deepEqual([...states].sort(), ['denied', 'held']);
  });

  test('a list can be of one agent, and an agent sees none but its own', async () => {
    const lister = await layer.agentKey('lister');
    const { body } = await layer.propose(lister, ping('ok', 'listed'));
    const listed = async (query: string, as: string): Promise<readonly string[]> => {
      const answer = await layer.ask(`GET /v1/actions?${query}`, { key: as });
      return actionList.parse(answer.body).actions.map(({ id }) => id);
    };
    for (const as of [lead, layer.operatorKey, lister]) {
      assert.deepEqual(await listed('agent=lister', as), [body['id']]);
    }
    assert.deepEqual(await listed('agent=bot', lister), []);
    assert.deepEqual(await listed('agent=nobody', lead), []);
    const bad = await layer.ask('GET /v1/actions?agent=Lister!', { key: lead });
    assert.deepEqual([bad.status, bad.body['code']], [400, 'query_invalid']);
  });

  test('a long poll answers as soon as a held action is over', async () => {
    const held = await layer.propose(key, deploy('polled'));
    const id = String(held.body['id']);
    const startedMs = performance.now();
    const polling = layer.ask(`GET /v1/actions/${id}?wait=10`, { key });
    await wait(100);
    await layer.approve(lead, id);
    const { body } = await polling;
    assert.equal(body['state'], 'succeeded');
    assert.ok(performance.now() - startedMs < 5000);
  });

  test('a long poll ends with its time, and with its caller', async () => {
    const held = await layer.propose(key, deploy('patient'));
    const id = String(held.body['id']);
    const startedMs = performance.now();
    const { body } = await layer.ask(`GET /v1/actions/${id}?wait=1`, { key });
    assert.equal(body['state'], 'held');
    assert.ok(performance.now() - startedMs >= 950);
    const gone = new AbortController();
    const polling = layer.ask(`GET /v1/actions/${id}?wait=30`, { key, signal: gone.signal });
    await wait(50);
    gone.abort();
    await polling;
    assert.ok(performance.now() - startedMs < 5000);
  });

  test('an explanation is text for people and codes for agents', async () => {
    const held = await layer.propose(key, deploy('explained'));
    const path = `GET /v1/actions/${String(held.body['id'])}/explain`;
    const accept = { accept: 'text/plain' };
    const people = await layer.ask(path, { key: lead, headers: accept });
    assert.match(people.headers.get('content-type') ?? '', /^text\/plain/u);
    assert.match(people.text, /^HELD, not executed · deploy/u);
    assert.match(
      people.text,
      /require\s+deploys-need-a-lead\s+policy\.yaml:\d+\s+0 of 1 from role:lead/u,
    );
    assert.match(people.text, /runs when: \S+ approves/u);
    const agents = await layer.ask(path, { key, headers: accept });
    assert.match(agents.text, /^HELD · executed: no/u);
    assert.ok(!/policy\.yaml|deploys-need|mei/u.test(agents.text), agents.text);
    const json = await layer.ask(path, { key: lead });
    assert.deepEqual(explanationView.parse(json.body), json.body);
  });

  test('the history of an action is what the ledger says, for people', async () => {
    const held = await layer.propose(key, deploy('remembered'));
    const id = String(held.body['id']);
    await layer.approve(lead, id);
    await layer.ask(`GET /v1/actions/${id}?wait=5`, { key });
    const { body } = await layer.ask(`GET /v1/actions/${id}/history`, { key: lead });
    const kinds = JSON.stringify(body).matchAll(/"kind":"(\w+)"/gu);
    assert.deepEqual(
      [...kinds].map((match) => match[1]),
      ['proposed', 'decided', 'approved', 'crossed', 'settled'],
    );
    assert.equal(body['complete'], true);
  });

  test('a withdrawn action never runs', async () => {
    const held = await layer.propose(key, deploy('taken back'));
    const id = String(held.body['id']);
    const { status, body } = await layer.ask(`POST /v1/actions/${id}/withdraw`, { key });
    assert.deepEqual([status, body['state'], body['executed']], [200, 'withdrawn', 'no']);
    const approved = await layer.approve(lead, id);
    assert.deepEqual([approved.status, approved.body['code']], [409, 'not_held']);
    assert.ok(!effectsOf(layer).includes('deploy taken back'));
  });
});

describe('POST /v1/decisions', () => {
  test('a forecast stores and executes nothing', async () => {
    const quiet = await layer.agentKey('quiet');
    for (const [body, verdict] of [
      [{ ...ping('ok', 'forecast'), touch: true }, 'admit'],
      [{ ...deploy('forecast'), touch: true }, 'hold'],
      [{ target: 'box', operation: 'erase', args: { rows: 2000 } }, 'deny'],
    ] as const) {
      const answer = await layer.ask('POST /v1/decisions', { key: quiet, body });
      assert.equal(answer.status, 200, answer.text);
      const view = forecastView.parse(answer.body);
      assert.deepEqual(view, answer.body);
      assert.equal(view.verdict, verdict, answer.text);
      assert.equal(view.executed, 'no');
    }
    const { body } = await layer.ask('GET /v1/actions', { key: quiet });
    assert.deepEqual(body['actions'], []);
    assert.ok(!effectsOf(layer).includes('ok forecast'));
  });
});
