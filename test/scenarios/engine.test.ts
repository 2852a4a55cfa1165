/**
 * The engine's promises on a whole layer with a real store and a real system: halts, late sends,
 * crashes, effect keys, epochs, races. Judged at the target.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { after as afterAll, before as beforeAll, describe, test } from 'node:test';
import { resolve } from '../../src/engine/answers.ts';
import type { ActionRecord, Clock } from '../../src/engine/ports.ts';
import { parsePersonName } from '../../src/kernel/id.ts';
import { addMs } from '../../src/kernel/instant.ts';
import { systemClock } from '../fixtures/clock.ts';
import { startLayer, type Layer, type LayerParts } from '../fixtures/layer.ts';
import { startTarget, type RecordingTarget } from './recording-target.ts';

const POLICY = `version: 1
roles: [lead]
rules:
  - id: anyone
    match: {}
    allow: true
`;

function inventoryOf(port: number): string {
  return `version: 1
targets:
  bank:
    http: { url: "http://127.0.0.1:${String(port)}", allow: [127.0.0.0/8] }
    operations:
      pay:
        kind: money.transfer
        args: { to: string(40), amount: money(EUR) }
        request: { POST: /pay, json: { to: $to, amount: $amount, execution: $executionId } }
        measures: { amount: args.amount }
        reconcile: { GET: /payments, find: execution }
        timeout: 20s
      pay-once:
        kind: money.transfer
        args: { to: string(40) }
        request: { POST: /pay, json: { to: $to, execution: $executionId } }
        once: args.to
      stop:
        kind: device.control
        request: { POST: /stop }
        safing: true
`;
}

let target: RecordingTarget;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target.close());

async function withLayer(
  parts: Partial<LayerParts>,
  run: (layer: Layer, key: string) => Promise<void>,
): Promise<void> {
  target.reset();
  const layer = await startLayer({
    policy: POLICY,
    inventory: inventoryOf(target.port),
    ...parts,
  });
  try {
    await run(layer, await layer.agentKey('bot', { owners: ['dana'] }));
  } finally {
    await layer.close();
  }
}

function pay(to: string, amount = '10.00'): Record<string, unknown> {
  return { target: 'bank', operation: 'pay', args: { to, amount } };
}

async function eventually(
  layer: Layer,
  id: string,
  done: (record: ActionRecord) => boolean,
): Promise<ActionRecord> {
  for (let tries = 0; tries < 200; tries++) {
    const record = await layer.record(id);
    if (done(record)) return record;
    await wait(50);
  }
  return layer.record(id);
}

const NOT_WAITING = { prefer: 'wait=0' };

describe('halts', () => {
  test('law 7: a halt’s answer lists what was sent, and nothing in its scope is sent afterwards', async () => {
    await withLayer({}, async (layer, key) => {
      const lead = await layer.personKey('mei', { roles: ['lead'] });
      target.holdReplies();
      const sent = await layer.propose(key, pay('a'), NOT_WAITING);
      await target.arrived(1);
      const halted = await layer.ask('POST /v1/halts', {
        key: lead,
        body: { scope: { target: 'bank' }, reason: 'incident' },
      });
      assert.equal(halted.status, 201, halted.text);
      assert.deepEqual(halted.body['sent'], [sent.body['id']]);
      const held = await layer.propose(key, pay('b'), NOT_WAITING);
      assert.equal(held.body['state'], 'held');
      target.releaseReplies();
      const first = await eventually(
        layer,
        String(sent.body['id']),
        (r) => r.state === 'succeeded',
      );
      assert.equal(first.state, 'succeeded');
      assert.equal(target.effects.length, 1);

      const id = String((halted.body['halt'] as Record<string, unknown>)['id']);
      await layer.ask(`DELETE /v1/halts/${id}`, { key: lead });
      await eventually(layer, String(held.body['id']), (r) => r.state === 'succeeded');
      assert.equal(target.effects.length, 2);
    });
  });

  test('a safing operation runs under a halt of everything', async () => {
    await withLayer({}, async (layer, key) => {
      await layer.ask('POST /v1/halts', {
        key: layer.operatorKey,
        body: { scope: {}, reason: 'stop' },
      });
      const stopped = await layer.propose(key, { target: 'bank', operation: 'stop', args: {} });
      assert.equal(stopped.body['state'], 'succeeded', stopped.text);
      const paid = await layer.propose(key, pay('a'));
      assert.equal(paid.body['state'], 'held');
      assert.deepEqual(
        target.effects.map(({ path }) => path),
        ['/stop'],
      );
    });
  });

  test('law 7: in 300 races of a halt against crossings, nothing is sent after its answer', async () => {
    await withLayer({ engineLimits: { retryMs: 600_000 } }, async (layer, key) => {
      for (let round = 0; round < 30; round++) {
        const payments = Array.from({ length: 10 }, (_, index) =>
          layer.propose(key, pay(`r${String(round)}-${String(index)}`), NOT_WAITING),
        );
        await wait(round % 7);
        const halted = await layer.ask('POST /v1/halts', {
          key: layer.operatorKey,
          body: { scope: {}, reason: 'race' },
        });
        assert.equal(halted.status, 201, halted.text);
        const sentAtAnswer = new Set(halted.body['sent'] as string[]);
        const before = target.requests();
        const records = await Promise.all(
          (await Promise.all(payments)).map(({ body }) => layer.record(String(body['id']))),
        );
        await wait(20);
        const allowed = before + sentAtAnswer.size;
        assert.ok(
          target.requests() <= allowed,
          `${String(target.requests())} > ${String(allowed)}`,
        );
        for (const record of records) {
          const waits = record.state === 'held' || record.state === 'executing';
          assert.ok(waits || record.state === 'succeeded', record.state);
        }
        const id = String((halted.body['halt'] as Record<string, unknown>)['id']);
        for (const { body } of await Promise.all(payments)) {
          await layer.ask(`POST /v1/actions/${String(body['id'])}/withdraw`, { key });
        }
        await layer.ask(`DELETE /v1/halts/${id}`, { key: layer.operatorKey });
      }
    });
  });
});

describe('sending', () => {
  test('law 6: what would be sent too late after its crossing is barred, held again, and recorded', async () => {
    await withLayer(
      { engineLimits: { sendDelayMsMax: -1, retryMs: 600_000 } },
      async (layer, key) => {
        const { body } = await layer.propose(key, pay('late'), { prefer: 'wait=1' });
        const record = await eventually(layer, String(body['id']), (r) => r.state === 'held');
        assert.equal(record.state, 'held');
        const kinds = await historyOf(layer, record);
        assert.deepEqual(kinds.slice(0, 3), ['proposed', 'crossed', 'barred']);
        assert.equal(target.requests(), 0);
      },
    );
  });

  test('law 4: a reply that is lost leaves unknown, and nothing is sent again', async () => {
    await withLayer({ engineLimits: { reconcileMs: 600_000 } }, async (layer, key) => {
      target.loseReplies();
      const { body } = await layer.propose(key, pay('a'));
      assert.equal(body['state'], 'unknown');
      assert.equal(body['executed'], 'unknown');
      await wait(600);
      assert.equal(target.effects.length, 1);
    });
  });

  test('law 5: an unknown outcome is resolved by the target’s own record', async () => {
    await withLayer({ engineLimits: { reconcileMs: 50 } }, async (layer, key) => {
      target.loseReplies();
      const { body } = await layer.propose(key, pay('a'));
      const record = await eventually(layer, String(body['id']), (r) => r.state === 'succeeded');
      assert.equal(record.state, 'succeeded');
      assert.equal(record.execution?.resolvedBy, undefined);
      assert.equal(target.effects.length, 1);
    });
  });

  test('law 5: without evidence it stays unknown until a named person speaks, with a reason', async () => {
    await withLayer({}, async (layer, key) => {
      target.loseReplies();
      const { body } = await layer.propose(key, {
        target: 'bank',
        operation: 'pay-once',
        args: { to: 'x' },
      });
      assert.equal(body['state'], 'unknown');
      const record = await layer.record(String(body['id']));
      const person = parsePersonName('mei');
      assert.ok(person);
      const at = { tenant: layer.tenant, person, action: record.id, outcome: 'succeeded' } as const;
      const silent = await resolve(layer.engine, { ...at, reason: ' ' });
      assert.equal(silent.kind === 'refused' && silent.code, 'reason_missing');
      const spoken = await resolve(layer.engine, { ...at, reason: 'seen in the bank’s ledger' });
      assert.equal(spoken.kind, 'written');
      const after = await layer.record(String(body['id']));
      assert.deepEqual(
        [after.state, after.execution?.resolvedBy],
        ['succeeded', { person: 'mei', reason: 'seen in the bank’s ledger' }],
      );
    });
  });
});

describe('one effect', () => {
  test('law 3: of twenty equal proposals at once under one key, one effect happens', async () => {
    await withLayer({}, async (layer, key) => {
      const headers = { 'idempotency-key': 'one' };
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => layer.propose(key, pay('a'), headers)),
      );
      assert.equal(new Set(answers.map(({ body }) => body['id'])).size, 1);
      assert.equal(target.effects.length, 1);
    });
  });

  test('law 5: an engine that renews its leases under load calls none of its own work lost', async () => {
    await withLayer({ engineLimits: { leaseMs: 300 } }, async (layer, key) => {
      const until = Date.now() + 1500;
      const states = new Set<unknown>();
      const worker = async (number: number): Promise<void> => {
        for (let round = 0; Date.now() < until; round += 1) {
          const { body } = await layer.propose(key, pay(`${String(number)}-${String(round)}`));
          states.add(body['state']);
        }
      };
      await Promise.all(Array.from({ length: 64 }, (_, number) => worker(number)));
      assert.deepEqual([...states], ['succeeded']);
    });
  });

  test('law 3: an equal action waits behind an unknown one, and says so', async () => {
    await withLayer({ engineLimits: { reconcileMs: 600_000 } }, async (layer, key) => {
      target.loseReplies();
      const first = await layer.propose(key, pay('a'));
      assert.equal(first.body['state'], 'unknown');
      const second = await layer.propose(key, pay('a'), NOT_WAITING);
      assert.equal(second.body['state'], 'held');
      const record = await layer.record(String(second.body['id']));
      assert.ok(record.decision?.findings.some(({ code }) => code === 'effect_busy'));
      assert.equal(target.effects.length, 1);
    });
  });

  test('an effect that was declared to happen once is answered `already_done`', async () => {
    await withLayer({}, async (layer, key) => {
      const once = { target: 'bank', operation: 'pay-once', args: { to: 'x' } };
      const first = await layer.propose(key, once);
      assert.equal(first.body['state'], 'succeeded');
      const second = await layer.propose(key, once);
      assert.equal(second.status, 403);
      assert.equal(second.body['executed'], 'no');
      const record = await layer.record(String(second.body['id']));
      assert.equal(record.decision?.findings[0]?.code, 'already_done');
      assert.equal(target.effects.length, 1);
    });
  });
});

describe('epochs, time and trouble', () => {
  test('law 7: a new policy binds what is held, and what was gathered under the old one', async () => {
    await withLayer({}, async (layer, key) => {
      const soon = new Date(Date.now() + 800).toISOString();
      const { body } = await layer.propose(key, { ...pay('a'), notBefore: soon }, NOT_WAITING);
      assert.equal(body['state'], 'held');
      await layer.activate(
        `version: 1\nroles: [lead]\nrules:\n  - id: none\n    match: {}\n    deny: not any more\n`,
      );
      const record = await eventually(layer, String(body['id']), (r) => r.state !== 'held');
      assert.equal(record.state, 'denied');
      assert.equal(target.requests(), 0);
    });
  });

  test('law 8: an action whose deadline passes while it is held expires, and says so', async () => {
    await withLayer({}, async (layer, key) => {
      await layer.ask('POST /v1/halts', {
        key: layer.operatorKey,
        body: { scope: {}, reason: 'x' },
      });
      const deadline = new Date(Date.now() + 600).toISOString();
      const { body } = await layer.propose(key, { ...pay('a'), deadline }, NOT_WAITING);
      assert.equal(body['state'], 'held');
      const record = await eventually(layer, String(body['id']), (r) => r.state !== 'held');
      assert.equal(record.state, 'expired');
      assert.equal(target.requests(), 0);
    });
  });

  test('law 8: a clock that jumps stops crossings, and the answer says that nothing was executed', async () => {
    let aheadMs = 0;
    const clock: Clock = { ...systemClock, now: () => addMs(systemClock.now(), aheadMs) };
    await withLayer({ clock }, async (layer, key) => {
      assert.equal((await layer.propose(key, pay('a'))).body['state'], 'succeeded');
      aheadMs = -3_600_000;
      const jumped = await layer.propose(key, pay('b'));
      assert.equal(jumped.status, 503);
      assert.equal(jumped.body['executed'], 'no');
      assert.equal(target.effects.length, 1);
    });
  });

  test('a target that cannot be reached holds the action, and it runs once the target is back', async () => {
    await withLayer({ engineLimits: { retryMs: 200 } }, async (layer, key) => {
      await target.pause();
      const { body } = await layer.propose(key, pay('a'), { prefer: 'wait=1' });
      assert.equal(body['state'], 'held');
      assert.equal(body['executed'], 'no');
      await target.resume();
      const record = await eventually(layer, String(body['id']), (r) => r.state === 'succeeded');
      assert.equal(record.state, 'succeeded');
      assert.equal(target.effects.length, 1);
    });
  });
});

describe('rows that cannot be read', () => {
  test('keep nobody else waiting: a sound hold among forty damaged ones runs when its time comes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'exequatur-damaged-'));
    const inAnHour = new Date(Date.now() + 3_000_000).toISOString();
    await withLayer({ folder }, async (layer, key) => {
      for (let index = 0; index < 40; index++) {
        await layer.propose(key, { ...pay(`d${String(index)}`), notBefore: inAnHour }, NOT_WAITING);
      }
    });
    const database = new DatabaseSync(join(folder, 'data', 'exequatur.db'));
    database.exec("UPDATE content SET decision = '{'");
    database.close();
    await withLayer({ folder }, async (layer, key) => {
      const soon = new Date(Date.now() + 700).toISOString();
      const { body } = await layer.propose(key, { ...pay('sound'), notBefore: soon }, NOT_WAITING);
      const record = await eventually(layer, String(body['id']), (r) => r.state === 'succeeded');
      assert.equal(record.state, 'succeeded');
      assert.equal(target.effects.length, 1);
      assert.ok(layer.trouble.some((line) => line.startsWith('store_corrupt')));
    });
    rmSync(folder, { recursive: true, force: true });
  });
});

async function historyOf(layer: Layer, record: ActionRecord): Promise<string[]> {
  const rows = await layer.store.history(layer.tenant, record.id);
  return rows.map(({ bytes }) => String(JSON.parse(Buffer.from(bytes).toString('utf8')).kind));
}
