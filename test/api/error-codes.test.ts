import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import type { Clock, FactSource } from '../../src/engine/ports.ts';
import { instantOf } from '../../src/kernel/instant.ts';
import { sha256Hex } from '../../src/kernel/sha256.ts';
import { ERROR_CODES, problemDetails, type ErrorCode } from '../../src/protocol/errors.ts';
import { systemClock } from '../fixtures/clock.ts';
import { readAnswer, type Answer, type Layer, type LayerParts } from '../fixtures/layer.ts';
import { deploy, ping, POLICY, print, startBox } from './box.ts';
import { LEDGER_PROVOCATIONS } from './provoke-ledger.ts';
import { PERMIT_PROVOCATIONS } from './provoke-permits.ts';
import { sendBytes } from './socket.ts';

/** Bodies that the strict parser refuses, with where. */
const BODIES: Readonly<
  Record<string, readonly [body: string | Uint8Array, line: number, column: number]>
> = {
  json_byte_order_mark: [bytes(0xef, 0xbb, 0xbf, 0x7b, 0x7d), 1, 1],
  json_invalid_utf8: [bytes(0x7b, 0x22, 0xff, 0x22), 1, 3],
  json_too_deep: ['['.repeat(65), 1, 65],
  json_too_many_keys: [`{${manyKeys(10_001)}}`, 1, manyKeys(10_000).length + 3],
  json_too_many_items: [`[${'1,'.repeat(100_001)}`, 1, 200_002],
  json_unexpected_end: ['{"target":', 1, 11],
  json_trailing_content: ['{} {}', 1, 4],
  json_unexpected_token: ['{\n "a": tru}', 2, 10],
  json_control_character: ['{"a":"\t"}', 1, 7],
  json_bad_escape: [String.raw`{"a":"\x"}`, 1, 8],
  json_lone_surrogate: [String.raw`{"a":"\ud800"}`, 1, 7],
  json_noncharacter: ['{"a":"\uffff"}', 1, 7],
  json_string_too_long: [`{"a":"${'x'.repeat(262_145)}"}`, 1, 6],
  json_key_too_long: [`{"${'x'.repeat(1025)}":1}`, 1, 2],
  json_forbidden_key: ['{"__proto__":{}}', 1, 2],
  json_duplicate_key: [String.raw`{"a":1,"\u0061":2}`, 1, 8],
  json_bad_number: ['{"a":01}', 1, 6],
  json_integer_too_large: ['{"a":9007199254740992}', 1, 6],
  json_too_many_digits: ['{"a":0.123456789012345678}', 1, 6],
  json_number_overflow: ['{"a":1e999}', 1, 6],
  json_number_underflow: ['{"a":1e-999}', 1, 6],
  json_negative_zero: ['{"a":-0}', 1, 6],
};

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

function manyKeys(count: number): string {
  return Array.from({ length: count }, (_, index) => `"key${String(index)}":1`).join(',');
}

type BodyCode = Extract<ErrorCode, `json_${string}`>;
type Provoke = (layer: Layer) => Promise<Answer>;

const ID = '0193b2a0-0000-7000-8000-000000000001';

let layers: Layer[] = [];
const folders: string[] = [];
let shared: Promise<Layer> | undefined;
const keys = new Map<string, string>();

/** A layer of its own, closed at the end. */
async function own(changes: Partial<LayerParts>): Promise<Layer> {
  const layer = await startBox(changes);
  layers.push(layer);
  return layer;
}

after(async () => {
  if (shared !== undefined) layers.push(await shared);
  await Promise.all(layers.map((layer) => layer.close()));
  layers = [];
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function agent(layer: Layer, name = 'bot'): Promise<string> {
  return keyOf(layer, `agent ${name}`, () => layer.agentKey(name));
}

async function lead(layer: Layer, name = 'mei'): Promise<string> {
  return keyOf(layer, `person ${name}`, () => layer.personKey(name, { roles: ['lead'] }));
}

async function keyOf(layer: Layer, name: string, make: () => Promise<string>): Promise<string> {
  const known = keys.get(`${layer.folder} ${name}`);
  if (known !== undefined) return known;
  const key = await make();
  keys.set(`${layer.folder} ${name}`, key);
  return key;
}

async function putABlob(layer: Layer, name?: string): Promise<Answer> {
  const blob = new TextEncoder().encode('a plan');
  const key = await agent(layer);
  return layer.ask(`PUT /v1/blobs/${name ?? sha256Hex(blob)}`, { key, bytes: blob });
}

let texts = 0;

/** A deploy that nobody proposed before: equal ones wait behind each other. */
function freshDeploy(): Readonly<Record<string, unknown>> {
  texts += 1;
  return deploy(`text-${String(texts)}`);
}

async function heldId(layer: Layer): Promise<string> {
  const held = await layer.propose(await agent(layer), freshDeploy());
  assert.equal(held.body['state'], 'held', held.text);
  return String(held.body['id']);
}

async function opened(
  layer: Layer,
  key: string,
  id: string,
): Promise<{ readonly consent: string; readonly challenge: string }> {
  const { body, text } = await layer.ask(`GET /v1/actions/${id}/consent`, { key });
  assert.ok(typeof body['consent'] === 'string' && typeof body['challenge'] === 'string', text);
  return { consent: body['consent'], challenge: body['challenge'] };
}

/** Ends a hold in some way, then proposes the same again: the answer is how it ended. */
async function endedHold(
  layer: Layer,
  end: (id: string) => Promise<unknown>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Answer> {
  const key = await agent(layer);
  const body = { ...freshDeploy(), ...more };
  const headers = { 'idempotency-key': `ended-${String(texts)}` };
  const held = await layer.propose(key, body, headers);
  await end(String(held.body['id']));
  return layer.propose(key, body, headers);
}

/** A fact source that lets another epoch begin whenever it is asked. */
class RestlessFacts implements FactSource {
  layer: Layer | undefined;
  #asked = 0;

  async fetch(): ReturnType<FactSource['fetch']> {
    this.#asked += 1;
    await this.layer?.activate(factPolicy(this.#asked));
    return { kind: 'failed', code: 'restless', message: 'ask again' };
  }
}

function factPolicy(number: number): string {
  return `
version: 1
facts:
  calm: { type: boolean, source: { file: /nowhere/${String(number)}.json, pointer: /calm } }
rules:
  - id: pings-when-calm
    match: { operation: ping }
    allow: [{ fact: { name: calm } }]
`;
}

/** A clock whose wall can be set to another time. */
class LeapingClock implements Clock {
  leapMs = 0;
  now(): ReturnType<Clock['now']> {
    return instantOf(systemClock.now() + this.leapMs);
  }
  monotonicMs(): number {
    return systemClock.monotonicMs();
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }
}

const PROVOKED: Readonly<Record<Exclude<ErrorCode, BodyCode>, Provoke>> = {
  ...PERMIT_PROVOCATIONS,
  ...LEDGER_PROVOCATIONS,
  invalid_request: async (layer) => layer.propose(await agent(layer), { ...ping(), extra: 1 }),
  query_invalid: async (layer) => layer.ask('GET /v1/halts?all=1', { key: await agent(layer) }),
  header_invalid: async (layer) => layer.propose(await agent(layer), ping(), { prefer: 'wait=x' }),
  idempotency_key_missing: async (layer) =>
    layer.ask('POST /v1/actions', { key: await agent(layer), body: ping() }),
  idempotency_key_invalid: async (layer) =>
    layer.propose(await agent(layer), ping(), { 'idempotency-key': 'two words' }),
  unauthenticated: (layer) => layer.ask('GET /v1/actions'),
  wrong_key_sort: async (layer) => layer.propose(await lead(layer), ping()),
  host_not_allowed: (layer) => layer.ask('GET /', { headers: { host: 'evil.example' } }),
  origin_not_allowed: (layer) =>
    layer.ask('GET /', { headers: { origin: 'https://evil.example' } }),
  not_entitled: async (layer) => {
    const key = await keyOf(layer, 'person tom', () => layer.personKey('tom'));
    return layer.ask(`GET /v1/actions/${await heldId(layer)}/consent`, { key });
  },
  route_unknown: (layer) => layer.ask('GET /v2/actions'),
  action_unknown: async (layer) => layer.ask(`GET /v1/actions/${ID}`, { key: await agent(layer) }),
  halt_unknown: (layer) => layer.ask(`DELETE /v1/halts/${ID}`, { key: layer.operatorKey }),
  account_unknown: (layer) => layer.ask('DELETE /v1/agents/nobody', { key: layer.operatorKey }),
  key_unknown: async (layer) => {
    await agent(layer);
    return layer.ask('DELETE /v1/agents/bot/keys/00000000', { key: layer.operatorKey });
  },
  blob_unknown: async (layer) =>
    layer.ask(`GET /v1/blobs/${'0'.repeat(64)}`, { key: await agent(layer) }),
  blob_too_large: async () => putABlob(await own({ blobLimits: { bytesMax: 5 } })),
  error_unknown: (layer) => layer.ask('GET /errors/no_such_code'),
  method_not_allowed: (layer) => layer.ask('DELETE /v1/actions'),
  request_timeout: async () => {
    const slow = await own({ httpLimits: { bodyMsMax: 100 } });
    const request = new Request('http://localhost/v1/actions', {
      method: 'POST',
      headers: {
        host: 'localhost',
        authorization: `Bearer ${await agent(slow)}`,
        'content-type': 'application/json',
      },
      body: new ReadableStream({ start: (controller) => controller.enqueue(bytes(0x7b)) }),
      duplex: 'half',
    });
    return readAnswer(await slow.app.fetch(request));
  },
  request_malformed: async (layer) => sendBytes(await layer.listen(), 'NONSENSE\r\n\r\n'),
  headers_too_large: async (layer) =>
    sendBytes(
      await layer.listen(),
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    ),
  body_too_large: async (layer) => layer.propose(await agent(layer), `"${'x'.repeat(1_048_576)}"`),
  media_type_unsupported: async (layer) =>
    layer.propose(await agent(layer), ping(), { 'content-type': 'text/plain' }),
  encoding_unsupported: async (layer) =>
    layer.propose(await agent(layer), ping(), { 'content-encoding': 'gzip' }),
  internal_error: async () => {
    const broken = await own({ reload: () => Promise.reject(new Error('secret detail')) });
    const answer = await broken.ask('POST /v1/reload', { key: broken.operatorKey });
    assert.ok(!answer.text.includes('secret detail'));
    assert.match(broken.trouble.join('\n'), /internal_error: req_\S+: secret detail/u);
    return answer;
  },
  denied: async (layer) =>
    layer.propose(await agent(layer), { target: 'box', operation: 'erase', args: { rows: 5000 } }),
  rejected: (layer) =>
    endedHold(layer, async (id) => {
      const key = await lead(layer);
      const body = { ...(await opened(layer, key, id)), decision: 'reject', reason: 'not today' };
      return layer.ask(`POST /v1/actions/${id}/approvals`, { key, body });
    }),
  expired: (layer) =>
    endedHold(
      layer,
      async (id) => layer.ask(`GET /v1/actions/${id}?wait=20`, { key: await agent(layer) }),
      { deadline: new Date(Date.now() + 1500).toISOString() },
    ),
  withdrawn: (layer) =>
    endedHold(layer, async (id) =>
      layer.ask(`POST /v1/actions/${id}/withdraw`, { key: await agent(layer) }),
    ),
  not_held: async (layer) => {
    const key = await agent(layer);
    const done = await layer.propose(key, ping('ok', 'not held'));
    return layer.ask(`POST /v1/actions/${String(done.body['id'])}/withdraw`, { key });
  },
  not_final: async (layer) =>
    layer.ask(`POST /v1/actions/${await heldId(layer)}/erase`, {
      key: layer.operatorKey,
      body: { reason: 'they asked' },
    }),
  not_unknown: async (layer) =>
    layer.ask(`POST /v1/actions/${await heldId(layer)}/resolution`, {
      key: await lead(layer),
      body: { outcome: 'failed', reason: 'I looked' },
    }),
  consent_moved: async (layer) => {
    const key = await lead(layer);
    const id = await heldId(layer);
    const { challenge } = await opened(layer, key, id);
    const body = { challenge, consent: '0'.repeat(64), decision: 'approve' };
    return layer.ask(`POST /v1/actions/${id}/approvals`, { key, body });
  },
  challenge_invalid: async (layer) => {
    const key = await lead(layer);
    const id = await heldId(layer);
    const asked = await opened(layer, key, id);
    const body = { ...asked, challenge: 'made up', decision: 'approve' };
    return layer.ask(`POST /v1/actions/${id}/approvals`, { key, body });
  },
  account_revoked: async (layer) => {
    const key = layer.operatorKey;
    await layer.ask('POST /v1/agents', { key, body: { name: 'gone' } });
    await layer.ask('DELETE /v1/agents/gone', { key });
    return layer.ask('POST /v1/agents', { key, body: { name: 'gone' } });
  },
  backup_exists: async (layer) => {
    const asked = { key: layer.operatorKey, body: { name: 'nightly' } };
    await layer.ask('POST /v1/backups', asked);
    return layer.ask('POST /v1/backups', asked);
  },
  account_exists: async (layer) => {
    await agent(layer);
    const body = { name: 'bot', roles: ['lead'] };
    return layer.ask('POST /v1/agents', { key: layer.operatorKey, body });
  },
  not_asked: async (layer) => {
    const key = layer.operatorKey;
    const body = { scope: { agent: 'halted-bot' }, reason: 'a look' };
    await layer.ask('POST /v1/halts', { key, body });
    const held = await layer.propose(await agent(layer, 'halted-bot'), ping('ok', 'halted'));
    assert.equal(held.body['state'], 'held', held.text);
    return layer.ask(`GET /v1/actions/${String(held.body['id'])}/consent`, {
      key: await lead(layer),
    });
  },
  already_answered: async () => {
    const two = await own({ policy: POLICY.replace('count: 1', 'count: 2') });
    const key = await lead(two);
    const id = await heldId(two);
    await two.approve(key, id);
    return two.approve(key, id);
  },
  payload_mismatch: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'exequatur-tampered-'));
    folders.push(folder);
    const before = await startBox({ folder });
    const id = await heldId(before);
    const key = await lead(before);
    const { path } = before.store;
    await before.close();
    const database = new DatabaseSync(path);
    database
      .prepare('UPDATE content SET bytes = CAST(replace(CAST(bytes AS TEXT), ?, ?) AS BLOB)')
      .run('"box"', '"bax"');
    database.close();
    const again = await own({ folder, background: 'asleep' });
    return again.ask(`GET /v1/actions/${id}/consent`, { key });
  },
  blob_digest_mismatch: (layer) => putABlob(layer, '0'.repeat(64)),
  blob_changed: async (layer) => {
    const { body } = await putABlob(layer);
    const name = String(body['blob']).slice('sha256:'.length);
    writeFileSync(join(layer.folder, 'data', 'blobs', 'test', name), 'b plan');
    return layer.ask(`GET /v1/blobs/${name}`, { key: await agent(layer) });
  },
  blob_missing: async (layer) => layer.propose(await agent(layer), print('0'.repeat(64))),
  idempotency_key_reused: async (layer) => {
    const key = await agent(layer);
    const headers = { 'idempotency-key': 'used' };
    await layer.propose(key, ping('ok', 'one'), headers);
    return layer.propose(key, ping('ok', 'two'), headers);
  },
  deadline_too_far: async (layer) =>
    layer.propose(await agent(layer), { ...ping(), deadline: '2099-01-01T00:00:00Z' }),
  not_before_after_deadline: async (layer) =>
    layer.propose(await agent(layer), { ...ping(), notBefore: '2099-01-01T00:00:00Z' }),
  delegator_unknown: (layer) =>
    layer.ask('POST /v1/agents', {
      key: layer.operatorKey,
      body: { name: 'helper', delegator: 'nobody' },
    }),
  reason_missing: async (layer) => {
    const key = await lead(layer);
    const id = await heldId(layer);
    const body = { ...(await opened(layer, key, id)), decision: 'reject' };
    return layer.ask(`POST /v1/actions/${id}/approvals`, { key, body });
  },
  configuration_invalid: (layer) => layer.ask('POST /v1/reload', { key: layer.operatorKey }),
  too_many_open: async () => {
    const full = await own({ storeLimits: { openPerAgentMax: 1 } });
    await heldId(full);
    return full.propose(await agent(full), freshDeploy());
  },
  too_many_denials: async () => {
    const strict = await own({ engineLimits: { denialsPerMinuteMax: 1 } });
    const body = { target: 'box', operation: 'nothing', args: {} };
    // A minute may end in between.
    await strict.propose(await agent(strict), body);
    await strict.propose(await agent(strict), body);
    return strict.propose(await agent(strict), body);
  },
  too_many_streams: async () => {
    const one = await own({ httpLimits: { streamsPerKeyMax: 1 } });
    const key = await agent(one);
    await one.app.fetch(streamRequest(key));
    return one.ask('GET /v1/events', { key });
  },
  too_many_uploads: async () => putABlob(await own({ blobLimits: { uploadsMax: 0 } })),
  blobs_of_agent_full: async () => putABlob(await own({ blobLimits: { bytesPerAgentMax: 5 } })),
  blobs_full: async () => putABlob(await own({ blobLimits: { bytesTotalMax: 5 } })),
  overloaded: async () => {
    const none = await own({ httpLimits: { requestsMax: 0 } });
    return none.ask('GET /healthz');
  },
  unsettled: async () => {
    const facts = new RestlessFacts();
    const restless = await own({ policy: factPolicy(0), facts });
    facts.layer = restless;
    return restless.propose(await agent(restless), ping());
  },
  draining: async () => {
    const stopping = await own({});
    const key = await agent(stopping);
    stopping.app.drain();
    return stopping.propose(key, ping());
  },
  store_full: async () => {
    const full = await own({});
    const key = await agent(full);
    full.store.boundBytes(4096);
    // What is allocated already is filled first.
    for (let round = 0; round < 200; round++) {
      const answer = await full.propose(key, { ...freshDeploy(), note: 'x'.repeat(2000) });
      if (answer.body['state'] !== 'held') return answer;
    }
    throw new Error('the disk never filled');
  },
  store_unavailable: async () => {
    const closed = await own({});
    const key = await agent(closed);
    await closed.store.close();
    return closed.ask('GET /v1/actions', { key });
  },
  clock_jumped: async () => {
    const clock = new LeapingClock();
    const leaping = await own({ clock });
    const key = await agent(leaping);
    clock.leapMs = -3_600_000;
    return leaping.propose(key, ping());
  },
};

/** A fact source that breaks its contract: it throws. */
const BROKEN_FACTS: FactSource = {
  fetch: () => Promise.reject(new Error('a defect')),
};

function streamRequest(key: string): Request {
  return new Request('http://localhost/v1/events', {
    headers: { host: 'localhost', authorization: `Bearer ${key}` },
  });
}

function assertProblem(answer: Answer, code: ErrorCode): void {
  assert.equal(answer.body['code'], code, answer.text);
  assert.equal(answer.status, ERROR_CODES[code].status);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  const problem = problemDetails.parse(answer.body);
  assert.equal(problem.type, `/errors/${code}`);
  assert.equal(problem.title, ERROR_CODES[code].title);
  assert.ok(problem.detail.length > 0);
}

describe('every error code of the API', () => {
  test('is provoked by exactly one test here', () => {
    const tested = [...Object.keys(PROVOKED), ...Object.keys(BODIES)].sort();
    assert.deepEqual(tested, Object.keys(ERROR_CODES).sort());
  });

  for (const [code, provoke] of Object.entries(PROVOKED)) {
    test(`${code} is answered as the table says, with the truth about execution`, async () => {
      shared ??= startBox();
      const answer = await provoke(await shared);
      assertProblem(answer, code as ErrorCode);
      const executed = code === 'not_held' ? 'yes' : 'no';
      assert.equal(answer.body['executed'], executed, answer.text);
      const { retryAfterSeconds } = ERROR_CODES[code as ErrorCode];
      assert.equal(answer.headers.get('retry-after'), retryAfterSeconds?.toString() ?? null);
    });
  }

  test('internal_error says `unknown` where a proposal was on its way already', async () => {
    const broken = await own({ policy: factPolicy(0), facts: BROKEN_FACTS });
    const answer = await broken.propose(await agent(broken), ping());
    assertProblem(answer, 'internal_error');
    assert.equal(answer.body['executed'], 'unknown');
    assert.ok(!answer.text.includes('a defect'));
  });

  for (const [code, [body, line, column]] of Object.entries(BODIES)) {
    test(`${code} tells line and column, and nothing is stored`, async () => {
      shared ??= startBox();
      const layer = await shared;
      const key = await agent(layer, 'malformed');
      const request = new Request('http://localhost/v1/actions', {
        method: 'POST',
        headers: {
          host: 'localhost',
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'idempotency-key': 'malformed',
        },
        body,
      });
      const answer = await readAnswer(await layer.app.fetch(request));
      assertProblem(answer, code as ErrorCode);
      const position = answer.body['position'];
      assert.ok(typeof position === 'object' && position !== null);
      assert.deepEqual({ ...position, offset: 0 }, { offset: 0, line, column });
      const listed = await layer.ask('GET /v1/actions', { key });
      assert.deepEqual(listed.body['actions'], []);
    });
  }

  for (const code of Object.keys(ERROR_CODES)) {
    test(`${code} is explained under its type`, async () => {
      shared ??= startBox();
      const answer = await (await shared).ask(`GET /errors/${code}`);
      assert.equal(answer.status, 200);
      assert.match(answer.text, new RegExp(`^${code} \\(\\d{3}\\) `, 'u'));
    });
  }
});
