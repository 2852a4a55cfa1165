/** The plan of DESIGN section 6 on a whole layer: put, seen, approved, and applied as it was approved. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { blobsInUse } from '../../src/engine/blobs.ts';
import { instantOf } from '../../src/kernel/instant.ts';
import { systemClock } from '../fixtures/clock.ts';
import { startLayer, type Answer, type Layer } from '../fixtures/layer.ts';

/** Stands in for the real one: a plan is what `show -json` prints of it. */
const TERRAFORM = `#!/bin/sh
[ -d broken ] && exit 1
case "$1" in
  show) cat "$3";;
  apply) cat "$3" >> applied; echo "$3" >> paths;;
esac
`;

const INVENTORY = `version: 1
targets:
  shop-infra:
    process: { cwd: "{folder}", user: same-as-layer }
    operations:
      apply:
        kind: infra.change
        args: { plan: blob }
        run: ["{folder}/terraform", apply, -input=false, $plan]
        preview: { run: ["{folder}/terraform", show, -json, $plan], as: terraform-plan }
        timeout: 5s
`;

const POLICY = `version: 1
roles: [lead]
rules:
  - id: nothing-is-destroyed
    match: { kind: infra.change }
    when: measures.destroys > 0
    deny: Take it apart by hand.
  - id: changes-need-a-lead
    match: { kind: infra.change }
    require: [{ approval: { from: 'role:lead', count: 1, askFor: 1h, validFor: 1h } }]
  - id: the-agent-applies
    match: { kind: infra.change }
    allow: true
`;

const KEEP_MS = 3_600_000;
let aheadMs = 0;
let layer: Layer;
let [bot, mei] = ['', ''];

before(async () => {
  layer = await startLayer({
    policy: POLICY,
    inventory: INVENTORY,
    files: { terraform: TERRAFORM },
    engineLimits: { retryMs: 200 },
    blobLimits: { keepMs: KEEP_MS },
    clock: { ...systemClock, now: () => instantOf(systemClock.now() + aheadMs) },
  });
  mei = await layer.personKey('mei', { roles: ['lead'] });
  await layer.personKey('dana');
  bot = await layer.agentKey('bot', { owners: ['dana'] });
});
after(() => layer.close());

let plans = 0;
let text: string;
let sha256: string;
beforeEach(() => {
  plans += 1;
  text = planOf(`aws_instance.web${String(plans)}`, 'create');
  sha256 = sha256Of(text);
});

function planOf(address: string, ...actions: readonly string[]): string {
  const change = { actions, after: { password: 'in the plan' } };
  return JSON.stringify({ format_version: '1.2', resource_changes: [{ address, change }] });
}

function sha256Of(of: string): string {
  return createHash('sha256').update(of).digest('hex');
}

function put(of = text): Promise<Answer> {
  return layer.ask(`PUT /v1/blobs/${sha256Of(of)}`, {
    key: bot,
    bytes: new TextEncoder().encode(of),
  });
}

function propose(of = sha256): Promise<Answer> {
  const args = { plan: `sha256:${of}` };
  return layer.propose(
    bot,
    { target: 'shop-infra', operation: 'apply', args },
    { prefer: 'wait=0' },
  );
}

async function held(): Promise<string> {
  await put();
  const { body } = await propose();
  assert.equal(body['state'], 'held', JSON.stringify(body));
  return String(body['id']);
}

async function stateSoon(id: string, state: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await layer.record(id)).state === state) return;
    await wait(50);
  }
  assert.equal((await layer.record(id)).state, state);
}

function lines(name: string): string {
  const path = join(layer.folder, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function storedPath(): string {
  return join(layer.folder, 'data', 'blobs', 'test', sha256);
}

async function expire(): Promise<void> {
  await layer.blobs.expire(await blobsInUse(layer.store, layer.tenant));
}

describe('a plan', () => {
  test('is seen before it is approved, applied as it was seen, and leaves no copy', async () => {
    const id = await held();
    const consent = await layer.ask(`GET /v1/actions/${id}/consent`, { key: mei });
    assert.ok(consent.text.includes(`aws_instance.web${String(plans)}`), consent.text);
    assert.ok(!consent.text.includes('in the plan'), 'values are no part of what is shown');
    assert.equal((await layer.ask(`GET /v1/blobs/${sha256}`, { key: mei })).text, text);
    assert.equal((await layer.approve(mei, id)).status, 200);
    await stateSoon(id, 'succeeded');
    assert.ok(lines('applied').endsWith(text));
    const path = lines('paths').trim().split('\n').at(-1) ?? '';
    assert.ok(path.startsWith(join(layer.folder, 'copies')) && !existsSync(path), path);
    assert.deepEqual(readdirSync(join(layer.folder, 'copies')), []);
  });

  test('has one consent digest however often it is looked at, though each look has a copy of its own', async () => {
    const id = await held();
    const first = await layer.ask(`GET /v1/actions/${id}/consent`, { key: mei });
    await layer.engine.advance(layer.tenant, (await layer.record(id)).id);
    const second = await layer.ask(`GET /v1/actions/${id}/consent`, { key: mei });
    assert.equal(first.body['consent'], second.body['consent']);
  });

  test('is measured by what it would do', async () => {
    const destroying = planOf('aws_instance.db', 'delete', 'create');
    await put(destroying);
    const denied = await propose(sha256Of(destroying));
    assert.equal(denied.body['state'], 'denied', denied.text);
  });

  test('that is none is not applied', async () => {
    await put('{"format_version":"1.2","errored":true}');
    const { body } = await propose(sha256Of('{"format_version":"1.2","errored":true}'));
    const record = await layer.record(String(body['id']));
    const codes = record.decision?.findings.map(({ status }) => status) ?? [];
    assert.ok(codes.includes('undetermined'), JSON.stringify(record.decision));
    assert.equal(body['executed'], 'no');
  });
});

describe('between approval and execution', () => {
  test('a swapped file fails closed, and the approval is good again once the bytes are', async () => {
    const id = await held();
    const before_ = lines('applied');
    writeFileSync(storedPath(), planOf('aws_instance.evil', 'create').padEnd(text.length));
    const answer = await layer.approve(mei, id);
    assert.deepEqual([answer.body['state'], answer.body['executed']], ['held', 'no'], answer.text);
    await wait(500);
    assert.equal((await layer.record(id)).state, 'held');
    assert.equal(lines('applied'), before_);
    await put();
    await stateSoon(id, 'succeeded');
    assert.ok(lines('applied').endsWith(text));
  });
});

describe('expiry', () => {
  test('a blob stays for an action that is open, whatever its age, and for a while after it', async () => {
    const id = await held();
    try {
      await expire();
      aheadMs += KEEP_MS * 0.9;
      await expire();
      assert.ok(existsSync(storedPath()));
      await layer.ask(`POST /v1/actions/${id}/withdraw`, { key: bot });
      await expire();
      aheadMs += KEEP_MS * 0.9;
      await expire();
      assert.ok(existsSync(storedPath()));
      aheadMs += KEEP_MS * 0.2;
      await expire();
      assert.ok(!existsSync(storedPath()));
      assert.equal((await propose()).body['code'], 'blob_missing');
    } finally {
      aheadMs = 0;
    }
  });
});
