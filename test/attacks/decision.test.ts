/** Attacks on the decision: errors that let through, counters that forget, names that only look right. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createFactSource } from '../../src/facts/sources/fact-source.ts';
import { systemClock } from '../fixtures/clock.ts';
import { against, onStage, ping, refund, startBank, stateAfter, type Bank } from './stage.ts';

let bank: Bank;
let folder: string;
before(async () => {
  bank = await startBank();
  folder = mkdtempSync(join(tmpdir(), 'exequatur-attack-'));
});
after(async () => {
  await bank.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('an error lets through', () => {
  const policy = `version: 1
roles: [lead]
facts:
  incident: { type: { object: { open: boolean, level: integer } }, source: { file: ./incident.json, pointer: "" }, timeout: 500ms }
rules:
  - id: anything
    match: {}
    allow: true
  - id: not-in-an-incident
    match: {}
    when: preview.customer == "cus_blocked" || 10 / facts.incident.level == 3
    deny: there is an incident
  - id: only-when-quiet
    match: {}
    require: [{ fact: { name: incident, is: "!fact.open && 10 / fact.level > 0", maxAge: 0s } }]
`;

  // Kyverno CVE-2025-46342: a swallowed error made a policy not match, and the request passed.
  // microsoft/agent-governance-toolkit#2992: the evaluator skipped a backend’s fail-closed deny.
  test('law 9: a rule that cannot be evaluated is not a rule that does not match', async () => {
    const facts = createFactSource({ clock: systemClock, baseDirectory: folder });
    await onStage(bank, { policy, facts }, async (stage) => {
      for (const text of [
        undefined,
        '{',
        '[]',
        '{"open":false}',
        '{"open":false,"level":0}',
        '{"open":false,"level":"0"}',
        '{"open":false,"level":1,"level":2}',
      ]) {
        rmSync(join(folder, 'incident.json'), { force: true });
        if (text !== undefined) writeFileSync(join(folder, 'incident.json'), text);
        const { body } = await stage.propose(ping(String(text)));
        const id = String(body['id']);
        assert.ok(
          ['held', 'denied'].includes(String(body['state'])),
          `${String(text)}: ${String(body['state'])}`,
        );
        assert.ok((await against(stage, id)).length > 0);
        await stage.call(`POST /v1/actions/${id}/withdraw`, stage.bot);
      }
      assert.deepEqual(bank.effects(), []);
    });
  });

  // Cursor and Claude Code hooks: a hook that was killed, or took too long, was a yes (anthropics/claude-code#84302).
  test('law 9: a system that fails or stalls while it is asked is no yes', async () => {
    await onStage(bank, { engineLimits: { gatherMsMax: 400, retryMs: 60_000 } }, async (stage) => {
      for (const behaviour of ['hang', 'break', 'error', 'nonsense']) {
        bank.instead = ({ method }, response) => {
          if (method !== 'GET') return false;
          if (behaviour === 'break') response.destroy();
          else if (behaviour === 'error') response.writeHead(500).end('{}');
          else if (behaviour === 'nonsense') response.end('{"id":"a","id":"b"}');
          return true;
        };
        const { body } = await stage.propose(ping(behaviour));
        assert.deepEqual([body['state'], body['executed']], ['held', 'no'], behaviour);
      }
      assert.deepEqual(bank.effects(), []);
    });
  });
});

describe('a counter forgets', () => {
  // CVE-2026-35597: the lock-out was written in the transaction that the failure rolled back.
  // Cacti/cacti#7683: read, add one, write back, so that guesses in parallel counted once.
  test('law 12: denials that come all at once are counted one by one, and stay recorded', async () => {
    const policy = 'version: 1\nroles: []\nrules:\n  - { id: none, match: {}, deny: never }\n';
    const engineLimits = { denialsPerMinuteMax: 5 };
    const kept = mkdtempSync(join(tmpdir(), 'exequatur-attack-'));
    try {
      await onStage(bank, { policy, engineLimits, folder: kept }, async (stage) => {
        const guesses = Array.from({ length: 20 }, (_, index) =>
          stage.propose(ping(String(index))),
        );
        const codes = (await Promise.all(guesses)).map(({ body }) => String(body['code']));
        assert.equal(codes.filter((code) => code === 'denied').length, 5);
        assert.equal(codes.filter((code) => code === 'too_many_denials').length, 15);
      });
      // Of the refused ones nothing is stored; of the denied ones nothing is lost.
      await onStage(bank, { policy, engineLimits, folder: kept }, async (stage) => {
        const rows = await stage.layer.store.ledger(stage.layer.tenant, 0, 1000);
        const texts = rows.map(({ bytes }) => Buffer.from(bytes).toString());
        assert.equal(texts.filter((text) => text.includes('"kind":"decided"')).length, 5);
      });
    } finally {
      rmSync(kept, { recursive: true, force: true });
    }
  });

  // Read-then-write races: Gitea CVE-2026-20779 checked and then marked a passcode as used.
  test('law 11: sixty spenders at once spend no more than the limit, whoever of them fails', async () => {
    const policy = `version: 1
roles: [lead]
rules:
  - id: within-a-budget
    match: { operation: refund }
    allow: [{ limit: { name: spend, by: principal.agent, sum: measures.amount, max: "100.00", per: 1h } }]
`;
    await onStage(bank, { policy }, async (stage) => {
      let number = 0;
      bank.instead = ({ method }, response) => {
        number += method === 'GET' ? 0 : 1;
        if (method === 'GET' || number % 3 > 0) return false;
        response.writeHead(402).end('{"refused":true}');
        return true;
      };
      const proposals = Array.from({ length: 60 }, (_, index) =>
        stage.propose(refund('10.00', `ch_${String(index)}`), { prefer: 'wait=3' }),
      );
      const states = (await Promise.all(proposals)).map(({ body }) => String(body['state']));
      const spent = states.filter((state) => state === 'succeeded').length;
      assert.ok(spent <= 10, `${String(spent)} of 10.00 were spent`);
      assert.ok(spent >= 5, states.join());
      assert.ok(bank.effects().length >= spent);
    });
  });
});

describe('a name only looks right', () => {
  // modelcontextprotocol/python-sdk#3141: tool names with letters of another script were accepted and looked the same.
  test('a target or an operation with look-alike letters is unknown, and nothing is asked', async () => {
    await onStage(bank, {}, async (stage) => {
      const looked = bank.arrived.length;
      for (const [target, operation] of [
        ['b\u0430nk', 'ping'],
        ['bank\u200b', 'ping'],
        ['BANK', 'ping'],
        ['bank ', 'ping'],
        ['bank', 'p\u0456ng'],
        ['bank', 'refund\u202e'],
        ['constructor', 'ping'],
        ['__proto__', 'ping'],
        ['bank', 'toString'],
      ] as const) {
        const answer = await stage.propose({ target, operation, args: { text: 'x' } });
        assert.ok(answer.status === 403 || answer.status === 400, answer.text);
        assert.equal(answer.body['executed'], 'no', answer.text);
      }
      assert.equal(bank.arrived.length, looked);
    });
  });

  test('an inventory with a name of another script does not load', async () => {
    const { startLayer } = await import('../fixtures/layer.ts');
    const inventory =
      'version: 1\ntargets:\n  b\u0430nk:\n    http: { url: https://x.example }\n    operations: {}\n';
    await assert.rejects(startLayer({ policy: 'version: 1\nrules: []\n', inventory }), /bad_name/u);
  });

  test('an argument with look-alike or hidden characters is shown as what it is', async () => {
    await onStage(bank, {}, async (stage) => {
      const { body } = await stage.propose(refund('25.00', 'ch_\u0430\u202e1\u200b'));
      const id = String(body['id']);
      assert.equal(await stateAfter(stage, id, []), 'held');
      const explained = await stage.call(`GET /v1/actions/${id}/explain`, stage.mei, {
        headers: { accept: 'text/plain' },
      });
      assert.doesNotMatch(explained.text, /[\p{Cc}--\n]|\p{Cf}/v);
    });
  });
});
