/**
 * The five perils, for each of the seven kinds of consequence: an action that was perfect when it was
 * approved, and must not execute. Judged at the target: nothing may have happened there.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import type { ActionRecord } from '../../src/engine/ports.ts';
import { startLayer, type Layer } from '../fixtures/layer.ts';
import {
  inventoryOf,
  operationOf,
  SEVEN,
  startSystem,
  type SevenKind,
  type SystemUnderTest,
} from './kinds.ts';

/** `opens` is when the window begins, hours from now; `validFor` how long an approval is good. */
function policyOf(options: { readonly validFor: string; readonly window?: boolean }): string {
  const opens = new Date(Date.now() + 2 * 3_600_000).toISOString().slice(11, 16);
  const closes = new Date(Date.now() + 3 * 3_600_000).toISOString().slice(11, 16);
  const window = `
  - id: in-its-window
    match: {}
    require: [{ window: maintenance }]`;
  return `version: 1
roles: [worker, lead]
calendars:
  maintenance: { zone: Etc/UTC, open: [{ weekly: Mon-Sun ${opens}-${closes} }] }
rules:
  - id: workers-act
    match: { principal: { role: worker } }
    allow: true
  - id: with-consent
    match: {}
    require: [{ approval: { from: role:lead, count: 1, validFor: ${options.validFor} } }]${
      options.window === true ? window : ''
    }
`;
}

/** A layer with an agent and an approver, in front of the system. */
interface Stage {
  readonly layer: Layer;
  readonly agent: string;
  readonly lead: string;
}

let system: SystemUnderTest;
before(async () => {
  system = await startSystem();
});
after(() => system.close());

async function stageOf(policy: string, options: { readonly folder?: string } = {}): Promise<Stage> {
  system.mode = 'test';
  system.preview = 'as asked';
  system.effects.clear();
  const layer = await startLayer({ policy, inventory: inventoryOf(system.port), ...options });
  const agent = await layer.agentKey('bot', { roles: ['worker'], owners: ['dana'] });
  const lead = await layer.personKey('mei', { roles: ['lead'] });
  return { layer, agent, lead };
}

function proposal(kind: SevenKind, notBeforeMs?: number): Record<string, unknown> {
  return {
    target: 'system',
    operation: operationOf(kind),
    args: { what: 'exactly this' },
    deadline: new Date(Date.now() + 6 * 3_600_000).toISOString(),
    ...(notBeforeMs === undefined
      ? {}
      : { notBefore: new Date(Date.now() + notBeforeMs).toISOString() }),
  };
}

/** Proposes one action of each kind and has all of them approved. */
async function approveAll(stage: Stage, notBeforeMs?: number): Promise<Map<SevenKind, string>> {
  const ids = new Map<SevenKind, string>();
  for (const kind of SEVEN) {
    const { status, body, text } = await stage.layer.propose(
      stage.agent,
      proposal(kind, notBeforeMs),
    );
    assert.equal(status, 202, text);
    ids.set(kind, String(body['id']));
  }
  for (const id of ids.values()) {
    const { status, text } = await stage.layer.approve(stage.lead, id);
    assert.equal(status, 200, text);
  }
  return ids;
}

/** The record once it no longer waits for its not-before. */
async function lookedAt(layer: Layer, id: string): Promise<ActionRecord> {
  for (let tries = 0; tries < 200; tries++) {
    const record = await layer.record(id);
    const codes = record.decision?.findings.map((finding) => finding.code) ?? [];
    if (!codes.includes('not_before') && record.state !== 'executing') return record;
    await wait(50);
  }
  return layer.record(id);
}

function reasons(record: ActionRecord): string[] {
  const findings = record.decision?.findings ?? [];
  return findings.filter((finding) => finding.status !== 'met').map((finding) => finding.code);
}

function effectsOf(kind: SevenKind): readonly string[] {
  return system.effects.get(operationOf(kind)) ?? [];
}

const SOON_MS = 1200;

describe('without a peril', () => {
  test('an approved action of each kind happens exactly once', async () => {
    const stage = await stageOf(policyOf({ validFor: '1h' }));
    try {
      for (const [kind, id] of await approveAll(stage)) {
        await stage.layer.engine.settledWithin(
          stage.layer.tenant,
          (await stage.layer.record(id)).id,
          5000,
        );
        assert.equal((await stage.layer.record(id)).state, 'succeeded', kind);
        assert.deepEqual(effectsOf(kind), ['{"what":"exactly this"}'], kind);
      }
    } finally {
      await stage.layer.close();
    }
  });
});

describe('peril 1: the window has not started', () => {
  test('an approved action of each kind waits for its window, and says until when', async () => {
    const stage = await stageOf(policyOf({ validFor: '8h', window: true }));
    try {
      for (const [kind, id] of await approveAll(stage)) {
        const record = await stage.layer.record(id);
        assert.equal(record.state, 'held', kind);
        assert.deepEqual(reasons(record), ['window_closed'], kind);
        const at = record.decision?.findings.find(({ code }) => code === 'window_closed')?.at ?? 0;
        assert.ok(at > Date.now() + 3_600_000 && at <= Date.now() + 2 * 3_600_000, kind);
        assert.deepEqual(effectsOf(kind), [], kind);
      }
    } finally {
      await stage.layer.close();
    }
  });
});

describe('peril 2: the approval expired', () => {
  test('an action of each kind whose approval is over when its time comes is held', async () => {
    const stage = await stageOf(policyOf({ validFor: '1s' }));
    try {
      for (const [kind, id] of await approveAll(stage, 3 * SOON_MS)) {
        const record = await lookedAt(stage.layer, id);
        assert.equal(record.state, 'held', kind);
        assert.equal(reasons(record)[0], 'approval_expired', kind);
        assert.deepEqual(effectsOf(kind), [], kind);
      }
    } finally {
      await stage.layer.close();
    }
  });
});

describe('peril 3: the target is now production, and was staging', () => {
  test('law 6: an action of each kind that was approved for staging is held, and says what moved', async () => {
    const stage = await stageOf(policyOf({ validFor: '1h' }));
    try {
      const ids = await approveAll(stage, SOON_MS);
      system.mode = 'live';
      for (const [kind, id] of ids) {
        const record = await lookedAt(stage.layer, id);
        assert.equal(record.state, 'held', kind);
        assert.equal(reasons(record)[0], 'consent_moved', kind);
        const moved = record.decision?.findings.find(({ code }) => code === 'consent_moved');
        assert.match(moved?.message ?? '', /environment: staging → production/u, kind);
        assert.deepEqual(effectsOf(kind), [], kind);
      }
    } finally {
      await stage.layer.close();
    }
  });
});

describe('peril 4: the requester lost the permission', () => {
  test('an approved action of each kind is denied once the agent lost its role', async () => {
    const stage = await stageOf(policyOf({ validFor: '1h' }));
    try {
      const ids = await approveAll(stage, SOON_MS);
      const lost = await stage.layer.ask('POST /v1/agents/bot/roles', {
        key: stage.layer.operatorKey,
        body: { roles: [] },
      });
      assert.equal(lost.status, 200, lost.text);
      for (const [kind, id] of ids) {
        await settled(stage.layer, id);
        const record = await stage.layer.record(id);
        assert.equal(record.state, 'denied', kind);
        assert.deepEqual(reasons(record), ['no_rule_allows'], kind);
        assert.deepEqual(effectsOf(kind), [], kind);
      }
    } finally {
      await stage.layer.close();
    }
  });

  test('an approved action of each kind is denied once the agent is revoked', async () => {
    const stage = await stageOf(policyOf({ validFor: '1h' }));
    try {
      const ids = await approveAll(stage, SOON_MS);
      const revoked = await stage.layer.ask('DELETE /v1/agents/bot', {
        key: stage.layer.operatorKey,
      });
      assert.equal(revoked.status, 200, revoked.text);
      for (const [kind, id] of ids) {
        await settled(stage.layer, id);
        assert.equal((await stage.layer.record(id)).state, 'denied', kind);
        assert.deepEqual(effectsOf(kind), [], kind);
      }
    } finally {
      await stage.layer.close();
    }
  });
});

describe('peril 5: the payload is not the approved one', () => {
  test('the same key with another request is refused for each kind, and a new request is not approved', async () => {
    const stage = await stageOf(policyOf({ validFor: '1h' }));
    try {
      for (const kind of SEVEN) {
        const now = { ...proposal(kind), args: { what: 'something else' } };
        const body = proposal(kind, 600_000);
        const key = { 'idempotency-key': `key-${kind}` };
        const first = await stage.layer.propose(stage.agent, body, key);
        await stage.layer.approve(stage.lead, String(first.body['id']));
        const changed = { ...body, args: { what: 'something else' } };
        const again = await stage.layer.propose(stage.agent, changed, key);
        assert.equal(again.status, 422, kind);
        assert.equal(again.body['code'], 'idempotency_key_reused', kind);
        assert.equal(again.body['executed'], 'no', kind);
        const anew = await stage.layer.propose(stage.agent, now);
        assert.equal(anew.body['state'], 'held', kind);
        assert.deepEqual(effectsOf(kind), [], kind);
      }
    } finally {
      await stage.layer.close();
    }
  });

  test('law 2: bytes changed in the stopped database are found for each kind, and denied', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'exequatur-peril-'));
    const policy = policyOf({ validFor: '1h' });
    const stage = await stageOf(policy, { folder });
    const ids = await approveAll(stage, 3000);
    await stage.layer.close();
    const database = new DatabaseSync(join(folder, 'data', 'exequatur.db'));
    const { changes } = database
      .prepare(
        "UPDATE content SET bytes = CAST(replace(CAST(bytes AS TEXT), 'exactly this', 'another one!') AS BLOB)",
      )
      .run();
    database.close();
    assert.equal(Number(changes), SEVEN.length);
    const layer = await startLayer({ policy, inventory: inventoryOf(system.port), folder });
    try {
      for (const [kind, id] of ids) {
        await settled(layer, id);
        const record = await layer.record(id);
        assert.equal(record.state, 'denied', kind);
        assert.deepEqual(reasons(record), ['payload_mismatch'], kind);
        assert.deepEqual(effectsOf(kind), [], kind);
      }
    } finally {
      await layer.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('and a preview that drifted', () => {
  test('an approved action of each kind is held once it would do something else', async () => {
    const stage = await stageOf(policyOf({ validFor: '1h' }));
    try {
      const ids = await approveAll(stage, SOON_MS);
      system.preview = 'much more';
      for (const [kind, id] of ids) {
        const record = await lookedAt(stage.layer, id);
        assert.equal(reasons(record)[0], 'consent_moved', kind);
        const moved = record.decision?.findings.find(({ code }) => code === 'consent_moved');
        assert.match(moved?.message ?? '', /would: as asked → much more/u, kind);
        assert.deepEqual(effectsOf(kind), [], kind);
      }
    } finally {
      await stage.layer.close();
    }
  });
});

/** Waits until the action is no longer held, ten seconds at most. */
async function settled(layer: Layer, id: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await layer.record(id)).state !== 'held') return;
    await wait(50);
  }
}
