/** Erasing one action: the bytes are gone from the file and its log, and every proof goes on holding. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after as afterAll, before as beforeAll, describe, test } from 'node:test';
import { addMs } from '../../src/kernel/instant.ts';
import { leafHash, verifyConsistency, verifyInclusion } from '../../src/ledger/merkle.ts';
import { replay } from '../../src/server/replay.ts';
import { systemClock } from '../fixtures/clock.ts';
import { startLayer, type Answer, type Layer } from '../fixtures/layer.ts';
import { startTarget, type RecordingTarget } from '../scenarios/recording-target.ts';

const POLICY = `version: 1
roles: [lead]
rules:
  - id: anyone
    match: {}
    allow: true
  - id: a-lead-signs
    match: { operation: sign }
    require: [{ approval: { from: role:lead, count: 1 } }]
  - id: never
    match: { operation: forbid }
    when: args.text != ""
    deny: no
`;

function inventoryOf(port: number): string {
  const text = 'args: { text: string(6000) }';
  return `version: 1
targets:
  bank:
    http: { url: "http://127.0.0.1:${String(port)}", allow: [127.0.0.0/8] }
    operations:
      send: { kind: message.send, ${text}, request: { POST: /send, json: { text: $text } } }
      sign: { kind: contract.commit, ${text}, request: { POST: /sign, json: { text: $text } } }
      forbid: { kind: data.write, ${text}, request: { POST: /forbid, json: { text: $text } } }
`;
}

let target: RecordingTarget;
let layer: Layer;
let key: string;
let mei: string;
let aheadMs = 0;

beforeAll(async () => {
  target = await startTarget();
  layer = await startLayer({
    policy: POLICY,
    inventory: inventoryOf(target.port),
    clock: {
      now: () => addMs(systemClock.now(), aheadMs),
      monotonicMs: () => systemClock.monotonicMs() + aheadMs,
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
    },
  });
  mei = await layer.personKey('mei', { roles: ['lead'] });
  await layer.personKey('dana');
  key = await layer.agentKey('bot', { owners: ['dana'] });
});
afterAll(async () => {
  await layer.close();
  await target.close();
});

interface Said {
  readonly id: string;
  readonly secret: string;
}

let said = 0;

/** Proposes an action that carries a text of its own, in arguments and note, short or over many pages. */
async function say(operation: string): Promise<Said> {
  said += 1;
  const secret = `tell-nobody-${String(said).padStart(4, '0')}-`;
  const text = secret.padEnd(40 + ((said * 977) % 5000), 'x');
  const body = { target: 'bank', operation, args: { text }, note: `${secret}note` };
  const answer = await layer.propose(key, body, { prefer: 'wait=5' });
  return { id: String(answer.body['id']), secret };
}

function erase(id: string, reason = 'they asked'): Promise<Answer> {
  return layer.ask(`POST /v1/actions/${id}/erase`, {
    key: layer.operatorKey,
    body: { reason },
  });
}

/** The secrets that stand in a file of the data directory: the database, or its log. */
function found(secrets: readonly Said[]): readonly string[] {
  const data = join(layer.folder, 'data');
  const files = readdirSync(data).filter((name) => name.startsWith('exequatur.db'));
  assert.ok(files.includes('exequatur.db-wal'), 'the log is looked at too');
  return files.flatMap((name) => {
    const bytes = readFileSync(join(data, name));
    return secrets.filter(({ secret }) => bytes.includes(secret)).map(({ secret }) => secret);
  });
}

describe('erase', () => {
  test('the text of an erased action stands nowhere in the file or its log, others stay', async () => {
    const all: Said[] = [];
    for (let index = 0; index < 120; index += 1) {
      const each = await say(['send', 'sign', 'forbid'][index % 3] ?? '');
      if (index % 3 === 1) assert.equal((await layer.approve(mei, each.id)).status, 200);
      all.push(each);
    }
    for (const { id } of all)
      await layer.engine.settledWithin(layer.tenant, (await layer.record(id)).id, 5000);
    assert.equal(new Set(found(all)).size, all.length, 'the search finds what is there');
    const gone = all.filter((_, index) => index % 5 < 2);
    for (const { id } of gone) assert.equal((await erase(id)).status, 200);
    assert.deepEqual(found(gone), []);
    const kept = all.filter((each) => !gone.includes(each));
    assert.equal(new Set(found(kept)).size, kept.length);
  });

  test('retention leaves nothing in the file either', async () => {
    const one = await say('send');
    aheadMs = 86_400_000 + 60_000;
    const body = { olderThanMs: 86_400_000 };
    await layer.ask('POST /v1/purge', { key: layer.operatorKey, body });
    assert.deepEqual(found([one]), []);
  });

  test('who erased it and why is an entry, and no other entry, and no proof, has changed', async () => {
    const { id } = await say('sign');
    await layer.approve(mei, id);
    await layer.engine.settledWithin(layer.tenant, (await layer.record(id)).id, 5000);
    const { store, tenant } = layer;
    const action = (await layer.record(id)).id;
    const entries = await store.history(tenant, action);
    const before = await store.tree(tenant);
    const answer = await erase(id, 'request 17');
    assert.deepEqual([answer.status, answer.body['before']], [200, false]);
    assert.ok(Number(answer.body['payloads']) >= 5, answer.text);
    const [last, ...earlier] = (await store.history(tenant, action)).toReversed();
    assert.deepEqual(earlier.toReversed(), entries);
    const { kind, body }: { readonly kind: string; readonly body: unknown } = JSON.parse(
      Buffer.from(last?.bytes ?? []).toString(),
    );
    assert.deepEqual([kind, body], ['erased', { by: 'operator', reason: 'request 17' }]);
    const now = await store.tree(tenant);
    const grown = await store.consistency(tenant, before.size, now.size);
    const roots = { earlierRoot: before.root, laterRoot: now.root };
    const sizes = { earlier: before.size, later: now.size };
    assert.ok(verifyConsistency({ ...sizes, ...roots, proof: grown }));
    for (const { sequence, bytes } of entries) {
      const proof = await store.inclusion(tenant, sequence, now.size);
      const [index, leaf] = [sequence - 1, leafHash(bytes)];
      assert.ok(verifyInclusion({ ...now, index, leaf, proof }));
      assert.deepEqual(await store.payloads(tenant, sequence), []);
    }
  });

  test('twice is once: nothing is left to erase, and nothing more is recorded', async () => {
    const { id } = await say('forbid');
    await erase(id);
    const { size } = await layer.store.tree(layer.tenant);
    const again = await erase(id, 'another reason');
    assert.deepEqual([again.body['before'], again.body['payloads']], [true, 0]);
    assert.equal((await layer.store.tree(layer.tenant)).size, size);
    assert.equal((await layer.record(id)).state, 'denied');
  });

  test('what is held, executing or unknown is not erased, and says what to do', async () => {
    const held = await say('sign');
    assert.equal((await erase(held.id)).body['code'], 'not_final');
    target.holdReplies();
    const executing = layer.propose(key, sending('in the middle'), { prefer: 'wait=0' });
    const id = String((await executing).body['id']);
    assert.equal((await layer.record(id)).state, 'executing');
    const refused = await erase(id);
    assert.deepEqual([refused.status, refused.body['code']], [409, 'not_final']);
    target.loseReplies();
    const lost = await layer.propose(key, sending('lost'), { prefer: 'wait=5' });
    assert.equal(lost.body['state'], 'unknown');
    assert.equal((await erase(String(lost.body['id']))).body['code'], 'not_final');
    target.releaseReplies();
    await layer.ask(`POST /v1/actions/${held.id}/withdraw`, { key });
    assert.equal((await erase(held.id)).status, 200);
    assert.deepEqual(found([held]), []);
  });

  test('only the operator erases, with a reason, what is there', async () => {
    const { id } = await say('send');
    const body = { reason: 'because' };
    for (const other of [key, mei]) {
      const refused = await layer.ask(`POST /v1/actions/${id}/erase`, { key: other, body });
      assert.equal(refused.body['code'], 'wrong_key_sort');
    }
    assert.equal((await erase(id, ' ')).body['code'], 'invalid_request');
    const unknown = await erase('01938d9f-0000-7000-8000-000000000000');
    assert.equal(unknown.body['code'], 'action_unknown');
  });

  test('a replay counts what was erased as such', async () => {
    const { path } = (await layer.store.backup('before-replay')) ?? assert.fail();
    const done = await replay({
      from: layer.folder,
      backup: path,
      data: undefined,
      action: undefined,
      progress: () => undefined,
    });
    assert.ok(done.kind === 'replayed', JSON.stringify(done));
    assert.equal(done.first, undefined, JSON.stringify(done.first));
    assert.ok(done.erased > 48 && done.same > 0, JSON.stringify(done));
  });
});

function sending(text: string): Readonly<Record<string, unknown>> {
  return { target: 'bank', operation: 'send', args: { text } };
}
