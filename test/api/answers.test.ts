import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { consentView, type ConsentView } from '../../src/protocol/answers.ts';
import { accountList, accountView, enrolledView } from '../../src/protocol/directory.ts';
import { haltedView, haltList, haltView } from '../../src/protocol/halts.ts';
import { readyView, reloadView, statusView } from '../../src/protocol/status.ts';
import type { Answer, Layer } from '../fixtures/layer.ts';
import { deploy, effectsOf, ping, startBox } from './box.ts';

let layer: Layer;
let key: string;
let lead: string;

before(async () => {
  layer = await startBox({
    reload: () =>
      Promise.resolve({
        kind: 'active',
        changed: false,
        epoch: { number: 1, digest: 'd', at: '2026-11-22T00:00:00.000Z' },
      }),
  });
  key = await layer.agentKey();
  lead = await layer.personKey('mei', { roles: ['lead'] });
});

after(() => layer.close());

async function hold(text: string): Promise<string> {
  const { body } = await layer.propose(key, { ...deploy(text), note: 'my own words' });
  assert.equal(body['state'], 'held');
  return String(body['id']);
}

async function open(id: string, as = lead): Promise<ConsentView> {
  const { status, body, text } = await layer.ask(`GET /v1/actions/${id}/consent`, { key: as });
  assert.equal(status, 200, text);
  const view = consentView.parse(body);
  assert.deepEqual(view, body);
  return view;
}

function answer(
  id: string,
  body: Readonly<Record<string, unknown>>,
  as: string = lead,
): Promise<Answer> {
  return layer.ask(`POST /v1/actions/${id}/approvals`, { key: as, body });
}

describe('answering a hold', () => {
  test('a person sees the stored action, what it means now, and what is asked', async () => {
    const view = await open(await hold('shown'));
    assert.deepEqual(view.action['args'], { text: 'shown' });
    assert.deepEqual(view.action['principal'], { agent: 'bot' });
    assert.equal(view.resolution.environment, 'staging');
    assert.equal(view.resolution.executor, 'process/1');
    assert.ok(view.resolution.ageMs >= 0 && view.resolution.ageMs < 60_000);
    assert.deepEqual(view.preview?.material['argv'], [`${layer.folder}/act.sh`, 'deploy', 'shown']);
    assert.equal(view.asks[0]?.from, 'role:lead');
    assert.equal(view.agentNote, 'my own words');
    assert.equal(view.findings[0]?.rule?.id, 'deploys-need-a-lead');
  });

  test('a yes to exactly that lets it run, once', async () => {
    const id = await hold('yes');
    const { consent, challenge } = await open(id);
    const yes = { consent, challenge, decision: 'approve' };
    const first = await answer(id, yes);
    assert.equal(first.status, 200, first.text);
    await layer.ask(`GET /v1/actions/${id}?wait=5`, { key });
    const again = await answer(id, yes);
    assert.equal(again.status, 409);
    assert.equal(again.body['executed'], 'yes');
    assert.equal(effectsOf(layer).filter((line) => line === 'deploy yes').length, 1);
  });

  test('a no ends it, and its reason reaches the agent without a name', async () => {
    const id = await hold('no');
    const { consent, challenge } = await open(id);
    const no = { consent, challenge, decision: 'reject', reason: 'freeze week' };
    assert.equal((await answer(id, no)).body['state'], 'rejected');
    const seen = await layer.ask(`GET /v1/actions/${id}`, { key });
    assert.deepEqual(seen.body['ended'], { reason: 'freeze week' });
    assert.ok(!seen.text.includes('mei'));
    const known = await layer.ask(`GET /v1/actions/${id}`, { key: lead });
    assert.deepEqual(known.body['ended'], { reason: 'freeze week', by: 'mei' });
  });

  test('a challenge is for one person, one action and one answer', async () => {
    const tom = await layer.personKey('tom', { roles: ['lead'] });
    const [first, second] = [await hold('one'), await hold('two')];
    const { consent, challenge } = await open(first);
    const other = await open(second);
    const yes = { consent, challenge, decision: 'approve' };
    assert.equal((await answer(first, yes, tom)).body['code'], 'challenge_invalid');
    const crossed = { consent: other.consent, challenge, decision: 'approve' };
    assert.equal((await answer(second, crossed)).body['code'], 'challenge_invalid');
    // A refused answer does not spend it for whom it is.
    assert.equal((await answer(first, yes)).status, 200);
    assert.equal((await answer(first, yes)).status, 409);
  });

  test('law 10: whoever requests never answers', async () => {
    const dana = await layer.personKey('dana', { roles: ['lead'] });
    const delegated = await layer.agentKey('bot', { delegator: 'dana' });
    const { body } = await layer.propose(delegated, deploy('for dana'));
    const id = String(body['id']);
    const { consent, challenge } = await open(id, dana);
    const refused = await answer(id, { consent, challenge, decision: 'approve' }, dana);
    assert.deepEqual([refused.status, refused.body['code']], [403, 'not_entitled']);
    assert.equal(refused.body['state'], 'held');
    assert.equal(refused.body['executed'], 'no');
  });

  test('malformed answers are refused with a pointer, before the challenge is spent', async () => {
    const id = await hold('malformed');
    const { consent, challenge } = await open(id);
    const good = { consent, challenge, decision: 'approve' };
    for (const [body, pointer] of [
      [{ ...good, decision: 'yes' }, '/decision'],
      [{ ...good, consent: consent.toUpperCase() }, '/consent'],
      [{ ...good, requirement: 'all' }, '/requirement'],
      [{ ...good, reason: ' ' }, '/reason'],
    ] as const) {
      const refused = await answer(id, body);
      assert.deepEqual(refused.body['position'], { pointer }, refused.text);
    }
    assert.equal((await answer(id, good)).status, 200);
  });
});

describe('an unknown outcome', () => {
  test('stays unknown until a named person says what became of it', async () => {
    const { status, body } = await layer.propose(key, ping('lose', 'lost'));
    assert.deepEqual([status, body['state'], body['executed']], [202, 'unknown', 'unknown']);
    const path = `POST /v1/actions/${String(body['id'])}/resolution`;
    const said = { outcome: 'succeeded', reason: 'the line is in the file' };
    const resolved = await layer.ask(path, { key: lead, body: said });
    assert.deepEqual([resolved.status, resolved.body['executed']], [200, 'yes'], resolved.text);
    const again = await layer.ask(path, { key: lead, body: { ...said, outcome: 'not_executed' } });
    assert.deepEqual([again.body['code'], again.body['executed']], ['not_unknown', 'yes']);
  });
});

describe('halts', () => {
  test('a halt stops what is in its scope until it is ended', async () => {
    const halted = await layer.ask('POST /v1/halts', {
      key: lead,
      body: { scope: { operation: 'ping' }, reason: 'an incident' },
    });
    assert.equal(halted.status, 201, halted.text);
    const { halt } = haltedView.parse(halted.body);
    assert.deepEqual(haltedView.parse(halted.body), halted.body);
    assert.deepEqual([halt.by, halt.scope], ['mei', { operation: 'ping' }]);
    const held = await layer.propose(key, ping('ok', 'halted'));
    assert.deepEqual([held.status, held.body['state'], held.body['executed']], [202, 'held', 'no']);
    assert.match(held.text, /"code":"halted"/u);
    const list = await layer.ask('GET /v1/halts', { key });
    assert.deepEqual(
      haltList.parse(list.body).halts.map(({ id }) => id),
      [halt.id],
    );
    const ended = await layer.ask(`DELETE /v1/halts/${halt.id}`, { key: layer.operatorKey });
    assert.equal(haltView.parse(ended.body).id, halt.id);
    const done = await layer.ask(`GET /v1/actions/${String(held.body['id'])}?wait=5`, { key });
    assert.equal(done.body['state'], 'succeeded');
  });

  test('a halt of everything has to be said', async () => {
    for (const [body, pointer] of [
      [{ reason: 'oops' }, '/scope'],
      [{ scope: { targets: 'box' }, reason: 'a typing error' }, '/scope/targets'],
      [{ scope: {}, reason: '' }, '/reason'],
    ] as const) {
      const refused = await layer.ask('POST /v1/halts', { key: lead, body });
      assert.deepEqual(refused.body['position'], { pointer });
    }
    const { body } = await layer.ask('GET /v1/halts', { key });
    assert.deepEqual(body['halts'], []);
  });
});

describe('the directory', () => {
  test('a key is answered once, works, and is nowhere else', async () => {
    const operator = layer.operatorKey;
    const made = await layer.ask('POST /v1/agents', {
      key: operator,
      body: { name: 'robot', roles: ['lead'], owners: ['mei'] },
    });
    assert.equal(made.status, 201, made.text);
    const { account, key: fresh } = enrolledView.parse(made.body);
    assert.deepEqual([account.name, account.owners, account.live], ['robot', ['mei'], true]);
    assert.equal((await layer.ask('GET /v1/actions', { key: fresh })).status, 200);
    const list = await layer.ask('GET /v1/agents', { key: lead });
    assert.deepEqual(accountList.parse(list.body), list.body);
    assert.ok(!list.text.includes(fresh));
  });

  test('roles are replaced, and count at the next crossing', async () => {
    const operator = layer.operatorKey;
    const made = await layer.ask('POST /v1/people', { key: operator, body: { name: 'ann' } });
    const ann = enrolledView.parse(made.body).key;
    const id = await hold('ann');
    const early = await layer.ask(`GET /v1/actions/${id}/consent`, { key: ann });
    assert.deepEqual([early.status, early.body['code']], [403, 'not_entitled']);
    assert.equal(early.body['challenge'], undefined);
    const given = await layer.ask('POST /v1/people/ann/roles', {
      key: operator,
      body: { roles: ['lead'] },
    });
    assert.deepEqual(accountView.parse(given.body).roles, ['lead']);
    const opened = await open(id, ann);
    const again = { consent: opened.consent, challenge: opened.challenge, decision: 'approve' };
    assert.equal((await answer(id, again, ann)).status, 200);
  });

  test('a revoked person’s yes is worth nothing', async () => {
    const operator = layer.operatorKey;
    await layer.ask('POST /v1/people', { key: operator, body: { name: 'bob', roles: ['lead'] } });
    const revoked = await layer.ask('DELETE /v1/people/bob', { key: operator });
    assert.equal(accountView.parse(revoked.body).live, false);
    assert.equal(typeof accountView.parse(revoked.body).revokedAt, 'string');
  });

  test('names that are no names are refused', async () => {
    for (const name of ['', 'Mei', 'a b', '../x', 'x'.repeat(65), '-a']) {
      const refused = await layer.ask('POST /v1/agents', {
        key: layer.operatorKey,
        body: { name },
      });
      assert.deepEqual(refused.body['position'], { pointer: '/name' });
    }
  });
});

describe('what the layer says of itself', () => {
  test('status and readiness are as the protocol says', async () => {
    const status = await layer.ask('GET /v1/status', { key: lead });
    assert.deepEqual(statusView.parse(status.body), status.body);
    const ready = await layer.ask('GET /readyz');
    assert.deepEqual(readyView.parse(ready.body), ready.body);
    assert.deepEqual([ready.status, ready.body['status']], [200, 'degraded']);
    const reload = await layer.ask('POST /v1/reload', { key: layer.operatorKey });
    assert.deepEqual(reloadView.parse(reload.body), reload.body);
  });

  test('a failed reload is degraded, and proposals are still taken', async () => {
    const broken = await startBox({
      isolation: 'separate-user',
      reasons: () => [{ code: 'configuration_invalid', message: 'epoch 1 stays active' }],
    });
    try {
      const { status, body } = await broken.ask('GET /readyz');
      assert.equal(status, 200);
      assert.deepEqual(body, {
        status: 'degraded',
        reasons: [{ code: 'configuration_invalid', message: 'epoch 1 stays active' }],
      });
      assert.equal((await broken.propose(await broken.agentKey(), ping())).status, 200);
    } finally {
      await broken.close();
    }
  });

  test('while draining it reads and does not write, and says so', async () => {
    const stopping = await startBox({ isolation: 'separate-user' });
    try {
      const agent = await stopping.agentKey();
      const { body } = await stopping.propose(agent, ping());
      assert.equal((await stopping.ask('GET /readyz')).body['status'], 'ready');
      stopping.app.drain();
      const ready = await stopping.ask('GET /readyz');
      assert.deepEqual([ready.status, ready.body['status']], [503, 'unavailable']);
      const refused = await stopping.propose(agent, ping());
      assert.deepEqual(
        [refused.status, refused.body['code'], refused.body['executed']],
        [503, 'draining', 'no'],
      );
      const read = await stopping.ask(`GET /v1/actions/${String(body['id'])}`, { key: agent });
      assert.equal(read.status, 200);
    } finally {
      await stopping.close();
    }
  });

  test('a store that is closed is not ready', async () => {
    const closed = await startBox();
    await closed.store.close();
    const { status, body } = await closed.ask('GET /readyz');
    assert.deepEqual([status, body['status']], [503, 'unavailable']);
    await closed.close();
    await wait(0);
  });
});
