/** Redeeming is the crossing: decided anew at that instant, once, and by nobody but the audience. */
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';

import { Engine } from '../../src/engine/engine.ts';
import { redeem as redeemAt } from '../../src/engine/permits.ts';
import { createPermitExecutor } from '../../src/executors/permit/executor.ts';
import { createCalendars } from '../../src/facts/calendar/calendars.ts';
import { createFactSource } from '../../src/facts/sources/fact-source.ts';
import { addMs } from '../../src/kernel/instant.ts';
import { DATABASE_FILE } from '../../src/stores/sqlite/files.ts';
import { systemClock } from '../fixtures/clock.ts';
import type { Answer, Layer } from '../fixtures/layer.ts';
import {
  ask,
  claimed,
  move,
  opened,
  PERMIT_POLICY,
  redeem,
  settle,
  startCell,
} from '../fixtures/permits.ts';
import { createTestSigner } from '../fixtures/signer.ts';

const SIGNER = createTestSigner();

/** A claim with other words, signed by the layer's own key all the same. */
function resigned(
  claim: string,
  change: {
    readonly header?: Readonly<Record<string, unknown>>;
    readonly payload?: Readonly<Record<string, unknown>>;
  },
): string {
  const { header, payload } = opened(claim);
  const words = [
    { ...header, ...change.header },
    { ...payload, ...change.payload },
  ];
  const signed = words.map((each) => encode(canonical(each))).join('.');
  const [signature] = SIGNER.sign(Buffer.from(signed));
  assert.ok(signature);
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

function codeOf({ body }: Answer): unknown {
  return body['code'];
}

describe('a permit', () => {
  let layer: Layer;
  let agent: string;
  let cell: string;
  before(async () => {
    layer = await startCell({ signer: SIGNER });
    agent = await layer.agentKey();
    cell = await layer.executorKey('cell');
  });
  after(() => layer.close());

  async function fresh(body = move()): Promise<{ readonly id: string; readonly claim: string }> {
    return claimed(await ask(layer, agent, body));
  }

  test('is redeemed once: the action crosses, with its very bytes, and is recorded', async () => {
    const { id, claim } = await fresh();
    const answer = await redeem(layer, cell, claim);
    assert.equal(answer.status, 200, answer.text);
    const record = await layer.record(id);
    assert.equal(record.state, 'executing');
    assert.equal(answer.body['execution'], record.execution?.id);
    assert.equal(answer.body['action'], Buffer.from(record.bytes).toString());
    assert.equal(answer.body['digest'], record.digest);
    const spanMs = Date.parse(String(answer.body['settleBy'])) - Date.now();
    assert.ok(spanMs > 110_000 && spanMs <= 120_000, String(spanMs));
    const again = await redeem(layer, cell, claim);
    assert.deepEqual([again.status, codeOf(again)], [409, 'permit_redeemed']);
    assert.equal(again.body['executed'], 'unknown');
    const rows = await layer.store.history(layer.tenant, record.id);
    const entries = rows.map(({ bytes }): unknown => JSON.parse(Buffer.from(bytes).toString()));
    const crossed = entries.filter(
      (each) =>
        typeof each === 'object' && each !== null && 'kind' in each && each.kind === 'crossed',
    );
    assert.equal(crossed.length, 1);
    assert.match(JSON.stringify(crossed), /"redeemedBy":"cell"/u);
  });

  test('is nothing to another executor, an agent or a person', async () => {
    const { id, claim } = await fresh();
    const other = await layer.executorKey('press');
    const answer = await redeem(layer, other, claim);
    assert.deepEqual([answer.status, codeOf(answer)], [403, 'permit_for_another']);
    for (const key of [agent, await layer.personKey(), layer.operatorKey]) {
      assert.equal(codeOf(await redeem(layer, key, claim)), 'wrong_key_sort');
    }
    assert.equal((await layer.record(id)).state, 'held');
  });

  const TAMPERED: Readonly<Record<string, (claim: string) => string>> = {
    'another algorithm: none': (claim) => {
      const { header, payload } = opened(claim);
      const words = [{ ...header, alg: 'none' }, payload];
      return `${words.map((each) => encode(canonical(each))).join('.')}.AA`;
    },
    'another algorithm: HS256 with the public key': (claim) => {
      const { header, payload } = opened(claim);
      const words = [{ ...header, alg: 'HS256' }, payload];
      const text = words.map((each) => encode(canonical(each))).join('.');
      const [key] = SIGNER.publicKeys;
      assert.ok(key);
      return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
    },
    'another algorithm: ES256': (claim) => {
      const { header, payload } = opened(claim);
      const words = [{ ...header, alg: 'ES256' }, payload];
      const text = words.map((each) => encode(canonical(each))).join('.');
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
      return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
    },
    'a key of its own in the header': (claim) => {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      const { header, payload } = opened(claim);
      const words = [{ ...header, jwk: publicKey.export({ format: 'jwk' }) }, payload];
      const text = words.map((each) => encode(canonical(each))).join('.');
      return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
    },
    'another key under the same name': (claim) => {
      const { privateKey } = generateKeyPairSync('ed25519');
      const text = claim.split('.').slice(0, 2).join('.');
      return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
    },
    'a key that there is not': (claim) => resigned(claim, { header: { kid: 'another' } }),
    'no type': (claim) => resigned(claim, { header: { typ: undefined } }),
    'the type of other tokens': (claim) => resigned(claim, { header: { typ: 'JWT' } }),
    'a critical header that nobody knows': (claim) =>
      resigned(claim, { header: { crit: ['exequatur'], exequatur: true } }),
    'another issuer': (claim) => resigned(claim, { payload: { iss: 'https://evil.example' } }),
  };
  for (const [what, tamper] of Object.entries(TAMPERED)) {
    test(`is not genuine with ${what}`, async () => {
      const { id, claim } = await fresh();
      const answer = await redeem(layer, cell, tamper(claim));
      assert.deepEqual([answer.status, codeOf(answer)], [403, 'permit_not_genuine'], answer.text);
      assert.equal((await layer.record(id)).state, 'held');
    });
  }

  const MALFORMED: Readonly<Record<string, (claim: string) => string>> = {
    'no text at all': () => '..',
    'a fourth part': (claim) => `${claim}.AA`,
    padding: (claim) => `${claim}==`,
    'a blank in base64url': (claim) => claim.replace('.', ' .'),
    'a line at its end': (claim) => `${claim}\n`,
    'base64 instead of base64url': (claim) => claim.replaceAll('_', '/').replaceAll('-', '+') + '/',
    'bits that no byte has': (claim) => {
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const last = alphabet.indexOf(claim.at(-1) ?? '');
      return claim.slice(0, -1) + (alphabet[last ^ 1] ?? '');
    },
    'no audience': (claim) => resigned(claim, { payload: { aud: undefined } }),
    'a list of audiences': (claim) => resigned(claim, { payload: { aud: ['cell', 'press'] } }),
    'no expiry': (claim) => resigned(claim, { payload: { exp: undefined } }),
    'an expiry that is text': (claim) => resigned(claim, { payload: { exp: '9999999999' } }),
    'an expiry hours away': (claim) =>
      resigned(claim, { payload: { exp: Number(opened(claim).payload['exp']) + 7200 } }),
    'no issuer': (claim) => resigned(claim, { payload: { iss: undefined } }),
    'no id': (claim) => resigned(claim, { payload: { jti: undefined } }),
    'no detail': (claim) => resigned(claim, { payload: { authorization_details: [] } }),
    'a binding of another sort': (claim) =>
      resigned(claim, { payload: { cnf: { 'x5t#S256': 'A'.repeat(43) } } }),
    'two audiences by one name': (claim) => {
      const [header = '', payload = ''] = claim.split('.');
      const text = Buffer.from(payload, 'base64url').toString();
      const twice = `${header}.${encode(text.replace('"aud":"cell"', '"aud":"press","aud":"cell"'))}`;
      const [signature] = SIGNER.sign(Buffer.from(twice));
      assert.ok(signature);
      return `${twice}.${Buffer.from(signature).toString('base64url')}`;
    },
    'an escaped name': (claim) => {
      const [header = '', payload = ''] = claim.split('.');
      const text = Buffer.from(payload, 'base64url').toString();
      const other = `${header}.${encode(text.replace('"aud"', String.raw`"\u0061ud"`))}`;
      const [signature] = SIGNER.sign(Buffer.from(other));
      assert.ok(signature);
      return `${other}.${Buffer.from(signature).toString('base64url')}`;
    },
  };
  for (const [what, tamper] of Object.entries(MALFORMED)) {
    test(`is none with ${what}`, async () => {
      const { id, claim } = await fresh();
      const answer = await redeem(layer, cell, tamper(claim));
      assert.deepEqual([answer.status, codeOf(answer)], [400, 'permit_malformed'], answer.text);
      assert.equal((await layer.record(id)).state, 'held');
    });
  }

  test('law 8: is over at its expiry', async () => {
    const deadline = new Date(Date.now() + 2000).toISOString();
    const { claim } = await fresh({ ...move(), deadline });
    await wait(2000);
    const answer = await redeem(layer, cell, claim);
    assert.deepEqual([answer.status, codeOf(answer)], [409, 'permit_expired']);
  });

  test('law 7: is not redeemed under a halt that came after it was made, and is after that ended', async () => {
    const { id, claim } = await fresh();
    const halted = await layer.ask('POST /v1/halts', {
      key: layer.operatorKey,
      body: { scope: { target: 'cell-7' }, reason: 'drill' },
    });
    // Nobody is given a claim while it stands, and what stands in the way is said.
    const asked = await layer.ask(`GET /v1/permits/${id}`, { key: agent });
    assert.equal(asked.body['permit'], undefined);
    assert.match(asked.text, /"code":"halted"/u);
    const answer = await redeem(layer, cell, claim);
    assert.deepEqual([answer.status, codeOf(answer)], [409, 'permit_not_admitted']);
    assert.match(String(answer.body['detail']), /held: halted/u);
    assert.equal(answer.body['executed'], 'no');
    const { halt } = halted.body;
    assert.ok(typeof halt === 'object' && halt !== null && 'id' in halt);
    await layer.ask(`DELETE /v1/halts/${String(halt.id)}`, { key: layer.operatorKey });
    assert.equal((await redeem(layer, cell, claim)).status, 200);
  });

  test('law 7: a halt says what was handed over, and does not wait for it', async () => {
    const { id, claim } = await fresh();
    await redeem(layer, cell, claim);
    const startedMs = performance.now();
    const halted = await layer.ask('POST /v1/halts', {
      key: layer.operatorKey,
      body: { scope: { agent: 'bot' }, reason: 'drill' },
    });
    assert.ok(performance.now() - startedMs < 1000);
    assert.match(JSON.stringify(halted.body['sent']), new RegExp(id, 'u'));
    const stop = claimed(await ask(layer, agent, { target: 'cell-7', operation: 'stop' }));
    assert.equal((await redeem(layer, cell, stop.claim)).status, 200, 'a safing operation goes on');
    const { halt } = halted.body;
    assert.ok(typeof halt === 'object' && halt !== null && 'id' in halt);
    await layer.ask(`DELETE /v1/halts/${String(halt.id)}`, { key: layer.operatorKey });
  });

  test('is decided by the policy of the instant of its redemption', async () => {
    const { id, claim } = await fresh();
    await layer.activate(PERMIT_POLICY.replace('[move, stop, look]', '[stop, look]'));
    const answer = await redeem(layer, cell, claim);
    assert.deepEqual([answer.status, codeOf(answer)], [409, 'permit_not_admitted']);
    assert.equal((await layer.record(id)).state, 'denied');
    await layer.activate(PERMIT_POLICY);
  });

  test('is not redeemed after its agent took the action back', async () => {
    const { id, claim } = await fresh();
    await layer.ask(`POST /v1/actions/${id}/withdraw`, { key: agent });
    assert.equal(codeOf(await redeem(layer, cell, claim)), 'permit_not_admitted');
  });

  test('law 2: is for one action; with the digests of another it is none of ours, or not admitted', async () => {
    const one = await fresh();
    const other = await fresh();
    const details = opened(other.claim).payload['authorization_details'];
    assert.ok(Array.isArray(details));
    const [detail]: unknown[] = details;
    assert.ok(typeof detail === 'object' && detail !== null);
    const swapped = resigned(one.claim, {
      payload: { authorization_details: [{ ...detail, identifier: one.id }] },
    });
    assert.equal(codeOf(await redeem(layer, cell, swapped)), 'permit_unknown');
    const effect = 'e'.repeat(64);
    const own = opened(one.claim).payload['authorization_details'];
    assert.ok(Array.isArray(own));
    const [ownDetail]: unknown[] = own;
    assert.ok(typeof ownDetail === 'object' && ownDetail !== null && 'digests' in ownDetail);
    const { digests } = ownDetail;
    assert.ok(typeof digests === 'object');
    const moved = resigned(one.claim, {
      payload: { authorization_details: [{ ...ownDetail, digests: { ...digests, effect } }] },
    });
    const answer = await redeem(layer, cell, moved);
    assert.match(String(answer.body['detail']), /permit_not_redeemed/u);
    assert.equal((await redeem(layer, cell, one.claim)).status, 200);
  });

  test('law 7: is not redeemed by an executor that was revoked meanwhile', async () => {
    const { id, claim } = await fresh();
    const { payload } = opened(claim);
    const record = await layer.record(id);
    await layer.ask('DELETE /v1/executors/cell', { key: layer.operatorKey });
    assert.equal((await redeem(layer, cell, claim)).status, 401);
    // As if it had been authenticated before: the crossing asks again.
    const effect = record.subject?.resolution.effect;
    assert.ok(effect);
    const redeemed = await redeemAt(layer.engine, {
      tenant: layer.tenant,
      action: record.id,
      digest: record.digest,
      redemption: { by: 'cell', effect, expiresAt: addMs(systemClock.now(), 10_000) },
    });
    assert.equal(redeemed.kind, 'not_admitted');
    assert.equal(payload['aud'], 'cell');
  });
});

test('law 2: a permit is not redeemed where somebody changed the stored bytes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-permits-'));
  try {
    const first = await startCell({ folder, signer: SIGNER });
    const cell = await first.executorKey('cell');
    const { id, claim } = claimed(await ask(first, await first.agentKey(), move()));
    await first.close();
    const file = new DatabaseSync(join(folder, 'data', DATABASE_FILE));
    file.exec(
      "UPDATE content SET bytes = CAST(replace(CAST(bytes AS TEXT), 'place', 'plaza') AS BLOB)",
    );
    file.close();
    const second = await startCell({ folder, signer: SIGNER, background: 'asleep' });
    try {
      const answer = await redeem(second, cell, claim);
      assert.match(String(answer.body['detail']), /denied: payload_mismatch/u);
      assert.equal((await second.record(id)).state, 'denied');
    } finally {
      await second.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('law 3: of a thousand who redeem one permit at two engines, one is handed the action', async () => {
  const layer = await startCell({ signer: SIGNER });
  const clock = systemClock;
  const other = new Engine({
    store: layer.store,
    executors: { permit: createPermitExecutor({ clock }) },
    facts: createFactSource({ clock }),
    calendars: createCalendars(),
    clock,
    randomness: { bytes: (count) => new Uint8Array(randomBytes(count)) },
    name: 'other',
    trouble: () => undefined,
  });
  try {
    other.configure(layer.engine.configuration(layer.tenant));
    const agent = await layer.agentKey();
    await layer.executorKey('cell');
    for (let round = 0; round < 2; round++) {
      const { id } = claimed(await ask(layer, agent, move()));
      const record = await layer.record(id);
      const effect = record.subject?.resolution.effect;
      assert.ok(effect);
      const presented = {
        tenant: layer.tenant,
        action: record.id,
        digest: record.digest,
        redemption: { by: 'cell', effect, expiresAt: addMs(clock.now(), 30_000) },
      };
      const all = await Promise.all(
        Array.from({ length: 1000 }, (_, index) =>
          redeemAt(index % 2 === 0 ? layer.engine : other, presented),
        ),
      );
      const kinds: Record<string, number> = {};
      for (const { kind } of all) kinds[kind] = (kinds[kind] ?? 0) + 1;
      assert.deepEqual(kinds, { redeemed: 1, over: 999 });
      const rows = await layer.store.history(layer.tenant, record.id);
      const crossed = rows.filter(({ bytes }) =>
        Buffer.from(bytes).toString().includes('"kind":"crossed"'),
      );
      assert.equal(crossed.length, 1);
    }
  } finally {
    await other.stop(1000);
    await layer.close();
  }
});

test('law 3: of many who redeem one permit over the API, one is handed the action', async () => {
  const layer = await startCell({ signer: SIGNER });
  try {
    const cell = await layer.executorKey('cell');
    const { claim } = claimed(await ask(layer, await layer.agentKey(), move()));
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => redeem(layer, cell, claim)),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter((each) => codeOf(each) === 'permit_redeemed').length, 199);
  } finally {
    await layer.close();
  }
});

test('law 7: what is too late between crossing and answer is barred, and may be redeemed again', async () => {
  const layer = await startCell({ signer: SIGNER, engineLimits: { sendDelayMsMax: -1 } });
  try {
    const cell = await layer.executorKey('cell');
    const { id, claim } = claimed(await ask(layer, await layer.agentKey(), move()));
    const answer = await redeem(layer, cell, claim);
    assert.deepEqual([answer.status, codeOf(answer)], [409, 'permit_not_admitted']);
    assert.equal(answer.body['executed'], 'no');
    const record = await layer.record(id);
    assert.deepEqual([record.state, record.execution], ['held', undefined]);
    const said = await settle(layer, cell, { id, execution: record.id });
    assert.equal(codeOf(said), 'permit_unknown');
  } finally {
    await layer.close();
  }
});
