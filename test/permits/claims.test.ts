/** What claims say, when they are made, and for whom. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { ISSUER, type Layer } from '../fixtures/layer.ts';
import { ask, claimed, move, opened, redeem, startCell } from '../fixtures/permits.ts';

const JKT = 'A'.repeat(43);
const WELD = { target: 'cell-7', operation: 'weld', args: { seam: 'a' } };

describe('a claim', () => {
  let layer: Layer;
  let agent: string;
  let cell: string;
  before(async () => {
    layer = await startCell();
    agent = await layer.agentKey('bot', { owners: ['olga'] });
    cell = await layer.executorKey('cell');
  });
  after(() => layer.close());

  test('is a JWT of a type of its own that says what, for whom, by whom and how long', async () => {
    await layer.personKey('dana');
    const acting = await layer.agentKey('bot', { owners: ['olga'], delegator: 'dana' });
    const body = { ...move(), cnf: { jkt: JKT } };
    const answer = await ask(layer, acting, body);
    assert.equal(answer.status, 202);
    assert.deepEqual([answer.body['state'], answer.body['executed']], ['held', 'no']);
    const { id, claim, action } = claimed(answer);
    const { header, payload } = opened(claim);
    assert.equal(header['alg'], 'EdDSA');
    assert.equal(header['typ'], 'exequatur-permit+jwt');
    const keys = (await layer.ask('GET /.well-known/jwks.json')).body['keys'];
    assert.ok(Array.isArray(keys));
    const [key]: unknown[] = keys;
    assert.ok(typeof key === 'object' && key !== null && 'kid' in key);
    assert.equal(header['kid'], key.kid);
    const { iat, exp, authorization_details: details, ...rest } = payload;
    assert.deepEqual(rest, {
      iss: ISSUER,
      aud: 'cell',
      sub: 'person:dana',
      act: { sub: 'agent:bot' },
      jti: id,
      cnf: { jkt: JKT },
    });
    const { digest } = await layer.record(id);
    assert.ok(Array.isArray(details));
    const [detail]: unknown[] = details;
    assert.ok(typeof detail === 'object' && detail !== null);
    const { digests, ...said }: Record<string, unknown> = { ...detail };
    assert.deepEqual(said, {
      type: 'exequatur_action',
      identifier: id,
      locations: ['cell-7'],
      actions: ['move'],
      kind: 'device.control',
      environment: 'production',
      action: JSON.parse(action),
    });
    assert.ok(typeof digests === 'object' && digests !== null && 'action' in digests);
    assert.equal(digests.action, digest);
    assert.equal(Number(exp) - Number(iat), 60);
  });

  test('ends at the deadline where that comes before its time', async () => {
    const deadline = new Date(Date.now() + 20_000).toISOString();
    const { payload } = opened(claimed(await ask(layer, agent, { ...move(), deadline })).claim);
    assert.equal(payload['exp'], Math.floor(Date.parse(deadline) / 1000));
  });

  test('without a delegator is about the agent itself, and is bound to no key unless one is given', async () => {
    const { payload } = opened(claimed(await ask(layer, agent, move())).claim);
    assert.equal(payload['sub'], 'agent:bot');
    assert.ok(!('cnf' in payload));
  });

  test('is made again for the same action, by the same key or by its id', async () => {
    const body = move();
    const first = await ask(layer, agent, body, 'the-same');
    const again = await ask(layer, agent, body, 'the-same');
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    assert.equal(claimed(again).id, claimed(first).id);
    const fresh = await layer.ask(`GET /v1/permits/${claimed(first).id}?jkt=${JKT}`, {
      key: agent,
    });
    assert.deepEqual(opened(claimed(fresh).claim).payload['cnf'], { jkt: JKT });
    assert.equal(claimed(fresh).action, claimed(first).action);
    const other = await layer.agentKey('other');
    const path = `GET /v1/permits/${claimed(first).id}`;
    assert.equal((await layer.ask(path, { key: other })).body['code'], 'action_unknown');
  });

  test('is there once nothing but its executor is waited for, also for a plain proposal', async () => {
    const mei = await layer.personKey('mei', { roles: ['lead'] });
    const held = await ask(layer, agent, WELD);
    assert.equal(held.status, 202);
    assert.equal(held.body['permit'], undefined);
    const id = String(held.body['id']);
    const explained = await layer.ask(`GET /v1/actions/${id}/explain`, { key: mei });
    assert.match(explained.text, /its executor redeems the permit/u);
    assert.equal((await layer.approve(mei, id)).status, 200);
    const ready = await layer.ask(`GET /v1/permits/${id}`, { key: agent });
    assert.equal((await redeem(layer, cell, claimed(ready).claim)).status, 200);

    const plain = await layer.propose(agent, move());
    assert.equal(plain.status, 202);
    assert.equal(plain.body['permit'], undefined);
    const path = `GET /v1/permits/${String(plain.body['id'])}`;
    assert.ok(claimed(await layer.ask(path, { key: agent })));
  });

  test('lasts no longer than the approval that it rests on', async () => {
    await layer.activate(`
version: 1
roles: [lead]
rules:
  - id: leads-weld
    match: { operation: weld }
    allow:
      - approval: { from: "role:lead", count: 1, validFor: 30s }
  - id: everybody-moves
    match: { operation: [move, stop, look] }
    allow: []
`);
    const mei = await layer.personKey('tomas', { roles: ['lead'] });
    const held = await ask(layer, agent, { ...WELD, args: { seam: 'b' } });
    const id = String(held.body['id']);
    assert.equal((await layer.approve(mei, id)).status, 200);
    const ready = await layer.ask(`GET /v1/permits/${id}`, { key: agent });
    const { payload } = opened(claimed(ready).claim);
    assert.ok(Number(payload['exp']) - Number(payload['iat']) <= 30);
  });

  test('is not made for what the layer denies, performs itself, or cannot carry', async () => {
    const denied = await ask(layer, agent, { target: 'cell-9', operation: 'move', args: {} });
    assert.deepEqual([denied.status, denied.body['code']], [403, 'denied']);
    const own = { target: 'box', operation: 'look', args: { name: 'a' } };
    assert.equal((await ask(layer, agent, own)).body['code'], 'not_a_permit');
    const large = { target: 'cell-7', operation: 'move', args: { arm: 1, to: 'x'.repeat(66_000) } };
    assert.equal((await ask(layer, agent, large)).body['code'], 'permit_too_large');
  });

  test('is not made while nobody could redeem it', async () => {
    await layer.ask('DELETE /v1/executors/cell', { key: layer.operatorKey });
    const answer = await ask(layer, agent, move());
    assert.equal(answer.status, 202);
    assert.equal(answer.body['permit'], undefined);
    assert.deepEqual(answer.body['waitingFor'], [{ code: 'permit_not_redeemed' }]);
  });
});

test('a layer without a key to sign with says so, and executes nothing', async () => {
  const layer = await startCell({ signer: 'none' });
  try {
    const answer = await ask(layer, await layer.agentKey(), move());
    assert.deepEqual([answer.status, answer.body['code']], [503, 'permits_off']);
  } finally {
    await layer.close();
  }
});
