/** Each requirement of the policy on a whole layer: what it holds back, what it says, and what meets it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { after as afterAll, before as beforeAll, describe, test } from 'node:test';
import type { ActionRecord } from '../../src/engine/ports.ts';
import { createFactSource } from '../../src/facts/sources/fact-source.ts';
import { systemClock } from '../fixtures/clock.ts';
import { startLayer, type Layer } from '../fixtures/layer.ts';
import { startTarget, type RecordingTarget } from './recording-target.ts';

let target: RecordingTarget;
let folder: string;
beforeAll(async () => {
  target = await startTarget();
  folder = mkdtempSync(join(tmpdir(), 'exequatur-requirements-'));
});
afterAll(async () => {
  await target.close();
  rmSync(folder, { recursive: true, force: true });
});

function inventoryOf(port: number): string {
  return `version: 1
targets:
  bank:
    http: { url: "http://127.0.0.1:${String(port)}", allow: [127.0.0.0/8] }
    operations:
      pay:
        kind: money.transfer
        args: { to: string(40), amount: money(EUR) }
        request: { POST: /pay, json: { to: $to } }
        measures: { amount: args.amount }
      backup:
        kind: data.write
        request: { POST: /backup }
`;
}

async function withLayer(
  rules: string,
  run: (layer: Layer, key: string) => Promise<void>,
): Promise<void> {
  target.reset();
  const layer = await startLayer({
    policy: `version: 1\nroles: [lead]\n${rules}`,
    inventory: inventoryOf(target.port),
    facts: createFactSource({ clock: systemClock, baseDirectory: folder }),
    engineLimits: { retryMs: 200 },
  });
  try {
    await layer.personKey('dana');
    await run(layer, await layer.agentKey('bot', { owners: ['dana'] }));
  } finally {
    await layer.close();
  }
}

function pay(to: string, amount = '10.00'): Record<string, unknown> {
  return { target: 'bank', operation: 'pay', args: { to, amount } };
}

function countOf(records: readonly ActionRecord[], state: string): number {
  return records.filter((record) => record.state === state).length;
}

function reasons(record: ActionRecord): string[] {
  const findings = record.decision?.findings ?? [];
  return findings.filter((finding) => finding.status !== 'met').map((finding) => finding.code);
}

async function settled(layer: Layer, id: string): Promise<ActionRecord> {
  for (let tries = 0; tries < 100; tries++) {
    const record = await layer.record(id);
    if (record.state !== 'held' && record.state !== 'executing') return record;
    await wait(50);
  }
  return layer.record(id);
}

const AT_ONCE = { prefer: 'wait=0' };

describe('limit', () => {
  const rules = `rules:
  - id: within-a-budget
    match: { kind: money.transfer }
    allow: [{ limit: { name: spend, by: principal.agent, sum: measures.amount, max: "25.00", per: 1h } }]
`;

  test('law 11: twenty payments at once spend no more than the limit, also split into small ones', async () => {
    await withLayer(rules, async (layer, key) => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          layer.propose(key, pay(`p${String(index)}`, '2.50'), AT_ONCE),
        ),
      );
      const read = async (): Promise<readonly ActionRecord[]> =>
        Promise.all(answers.map(({ body }) => layer.record(String(body['id']))));
      let records = await read();
      for (let round = 0; round < 100 && countOf(records, 'succeeded') < 10; round += 1) {
        await wait(100);
        records = await read();
      }
      // What is held could still run, if the limit let it.
      await wait(300);
      records = await read();
      assert.equal(countOf(records, 'succeeded'), 10);
      assert.equal(target.effects.length, 10);
      const held = records.find(({ state }) => state === 'held');
      assert.ok(held);
      assert.deepEqual(reasons(held), ['over_limit']);
    });
  });

  test('an amount that no waiting makes fit is denied, and the change that would fit is named', async () => {
    await withLayer(rules, async (layer, key) => {
      const { body } = await layer.propose(key, pay('a', '25.01'), AT_ONCE);
      const record = await layer.record(String(body['id']));
      assert.equal(record.state, 'denied');
      assert.equal(record.decision?.findings[0]?.change, 'amount <= 25.00');
      assert.equal(target.requests(), 0);
    });
  });

  test('law 11: what an unknown outcome may have spent stays reserved', async () => {
    await withLayer(rules, async (layer, key) => {
      target.loseReplies();
      const first = await layer.propose(key, pay('a', '20.00'));
      assert.equal(first.body['state'], 'unknown');
      const second = await layer.propose(key, pay('b', '6.00'), AT_ONCE);
      assert.equal(second.body['state'], 'held');
      assert.equal(target.requests(), 1);
    });
  });
});

describe('fact', () => {
  const rules = `facts:
  incident: { type: { object: { open: boolean } }, source: { file: ./incident.json, pointer: "" }, timeout: 500ms }
rules:
  - id: anyone
    match: {}
    allow: true
  - id: not-during-an-incident
    match: {}
    require: [{ fact: { name: incident, is: "!fact.open", maxAge: 0s } }]
`;

  test('law 6: a live value holds an action until it says otherwise', async () => {
    await withLayer(rules, async (layer, key) => {
      writeFileSync(join(folder, 'incident.json'), '{"open":true}');
      const { body } = await layer.propose(key, pay('a'), AT_ONCE);
      const held = await layer.record(String(body['id']));
      assert.deepEqual([held.state, reasons(held)], ['held', ['fact_unmet']]);
      writeFileSync(join(folder, 'incident.json'), '{"open":false}');
      await layer.store.wake(layer.tenant, 'all');
      assert.equal((await settled(layer, String(body['id']))).state, 'succeeded');
    });
  });

  test('law 9: a value that is missing, malformed or ambiguous admits nothing', async () => {
    for (const text of [undefined, '{', '{"open":"no"}', '{"open":true,"open":false}']) {
      await withLayer(rules, async (layer, key) => {
        rmSync(join(folder, 'incident.json'), { force: true });
        if (text !== undefined) writeFileSync(join(folder, 'incident.json'), text);
        const { body } = await layer.propose(key, pay('a'), AT_ONCE);
        const held = await layer.record(String(body['id']));
        assert.equal(held.state, 'held', text);
        assert.equal(held.decision?.findings[0]?.status, 'undetermined', text);
        assert.equal(target.requests(), 0);
      });
    }
  });
});

describe('after', () => {
  const rules = `rules:
  - id: anyone
    match: {}
    allow: true
  - id: only-after-a-backup
    match: { operation: pay }
    require: [{ after: { operation: backup, within: 1h } }]
`;

  test('an action waits for something else to succeed, and runs when it did', async () => {
    await withLayer(rules, async (layer, key) => {
      const { body } = await layer.propose(key, pay('a'), AT_ONCE);
      const held = await layer.record(String(body['id']));
      assert.deepEqual([held.state, reasons(held)], ['held', ['after_missing']]);
      await layer.propose(key, { target: 'bank', operation: 'backup', args: {} });
      assert.equal((await settled(layer, String(body['id']))).state, 'succeeded');
      assert.deepEqual(
        target.effects.map(({ path }) => path),
        ['/backup', '/pay'],
      );
    });
  });
});

describe('approval and confirmation', () => {
  const rules = `rules:
  - id: anyone
    match: {}
    allow: true
  - id: two-leads
    match: {}
    require: [{ approval: { from: role:lead, count: 2 } }]
  - id: and-the-owner
    match: {}
    require: [{ confirmation: true }]
`;

  test('law 10: two people, told apart from their aliases, and the owner’s own yes, which is no approval', async () => {
    await withLayer(rules, async (layer, key) => {
      const lead = { roles: ['lead'] };
      const mei = await layer.personKey('mei', lead);
      const alias = await layer.personKey('mei-at-home', { ...lead, aliases: ['mei'] });
      const tom = await layer.personKey('tom', lead);
      const dana = await layer.personKey('dana');
      const { body } = await layer.propose(key, pay('a'), AT_ONCE);
      const id = String(body['id']);
      assert.equal((await layer.approve(mei, id)).status, 200);
      assert.equal((await layer.approve(alias, id)).body['executed'], 'no');
      assert.deepEqual(reasons(await layer.record(id)), [
        'approval_missing',
        'confirmation_missing',
      ]);
      assert.equal((await layer.approve(tom, id)).status, 200);
      assert.deepEqual(reasons(await layer.record(id)), ['confirmation_missing']);
      assert.equal((await layer.approve(dana, id)).status, 200);
      assert.equal((await settled(layer, id)).state, 'succeeded');
      assert.equal(target.effects.length, 1);
    });
  });

  test('a rejection ends it, and its reason reaches the agent', async () => {
    await withLayer(rules, async (layer, key) => {
      const mei = await layer.personKey('mei', { roles: ['lead'] });
      const { body } = await layer.propose(key, pay('a'), AT_ONCE);
      const id = String(body['id']);
      const asked = await layer.ask(`GET /v1/actions/${id}/consent`, { key: mei });
      const { consent, challenge } = asked.body;
      await layer.ask(`POST /v1/actions/${id}/approvals`, {
        key: mei,
        body: { consent, challenge, decision: 'reject', reason: 'wrong payee' },
      });
      const seen = await layer.ask(`GET /v1/actions/${id}`, { key });
      assert.equal(seen.body['state'], 'rejected');
      assert.match(String(seen.body['message']), /wrong payee/u);
      assert.equal(target.requests(), 0);
    });
  });
});

describe('what later versions bring', () => {
  test('evidence and authorization may be declared, and are undetermined', async () => {
    const rules = `rules:
  - id: anyone
    match: {}
    allow: true
  - id: tested
    match: {}
    require: [{ evidence: { type: test-result } }, { authorized: { by: openfga } }]
`;
    await withLayer(rules, async (layer, key) => {
      const { body } = await layer.propose(key, pay('a'), AT_ONCE);
      const held = await layer.record(String(body['id']));
      assert.equal(held.state, 'held');
      assert.deepEqual(reasons(held), ['requirement_unsupported', 'requirement_unsupported']);
    });
  });
});
