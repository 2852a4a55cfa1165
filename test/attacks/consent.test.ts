/** Attacks on consent: what was approved is one thing, and something else should execute. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import {
  against,
  held,
  heldBy,
  inventoryOf,
  onStage,
  POLICY,
  refund,
  setStage,
  startBank,
  stateAfter,
  type Bank,
} from './stage.ts';

let bank: Bank;
before(async () => {
  bank = await startBank();
});
after(() => bank.close());

describe('one payload is approved and another one sent', () => {
  // microsoft/agent-governance-toolkit: `govern()` compared a binding with itself, so the mutated
  // object ran. The same gap: pydantic/pydantic-ai#6968, extra-org/extra#139, anthropics/claude-cookbooks#701.
  test('law 2: an object that changes in the agent’s hands while it waits changes nothing', async () => {
    await onStage(bank, {}, async (stage) => {
      const payload = refund('25.00');
      const id = await held(stage, payload);
      Object.assign(Object(payload['args']), { amount: '250000.00', charge: 'ch_mallory' });
      assert.equal((await stage.approve(id)).status, 200);
      assert.equal(await stateAfter(stage, id), 'succeeded');
      assert.deepEqual(bank.effects(), ['{"amount":"25.00","charge":"ch_1"}']);
    });
  });

  // EMILIA Gate: raw `gate.run` took the action from its caller again, and 999,999 went under a receipt for 40,000.
  test('proposing another amount under the approved one’s key is refused, approved or not', async () => {
    await onStage(bank, {}, async (stage) => {
      const key = { 'idempotency-key': 'the-approved-one' };
      const first = await stage.propose(refund('25.00'), key);
      const id = String(first.body['id']);
      const early = await stage.propose(refund('999999.00'), key);
      assert.deepEqual([early.status, early.body['code']], [422, 'idempotency_key_reused']);
      await stage.approve(id);
      await stateAfter(stage, id);
      const late = await stage.propose(refund('999999.00'), key);
      assert.deepEqual([late.status, late.body['executed']], [422, 'no']);
      assert.equal(bank.effects().length, 1);
    });
  });

  // microsoft/agent-governance-toolkit: positional arguments were outside the digest, so 1 and 999,999 had the same one.
  test('law 2: every argument is in the digest, by place in a list too', async () => {
    await onStage(bank, {}, async (stage) => {
      const one = refund('25.00');
      const other = { ...one, args: { ...Object(one['args']), tags: ['b', 'a'] } };
      const first = { ...one, args: { ...Object(one['args']), tags: ['a', 'b'] } };
      const key = { 'idempotency-key': 'in-order' };
      const id = String((await stage.propose(first, key)).body['id']);
      assert.equal((await stage.propose(other, key)).body['code'], 'idempotency_key_reused');
      const second = await held(stage, other);
      const [a, b] = [await stage.layer.record(id), await stage.layer.record(second)];
      assert.notEqual(a.digest, b.digest);
      const opened = await stage.call(`GET /v1/actions/${id}/consent`, stage.mei);
      assert.deepEqual(Object(opened.body['action'])['args'], first.args);
      assert.equal((await stage.approve(id)).status, 200);
      assert.equal(await stateAfter(stage, id), 'succeeded');
      assert.equal((await stage.layer.record(second)).state, 'held');
      assert.deepEqual(bank.effects(), ['{"amount":"25.00","charge":"ch_1","tags":["a","b"]}']);
    });
  });
});

describe('a yes is used again', () => {
  // faramesh/faramesh-core: `validateResumeApproval` never consumed an approval; google AP2#346: a mandate that
  // was never consumed; librefang#3561: one code answered any other pending approval.
  test('law 3: twenty uses of one yes at once have one effect', async () => {
    await onStage(bank, {}, async (stage) => {
      const id = await held(stage);
      const opened = await stage.call(`GET /v1/actions/${id}/consent`, stage.mei);
      const { consent, challenge } = opened.body;
      const body = { consent, challenge, decision: 'approve' };
      const answers = await Promise.all(
        Array.from({ length: 20 }, () =>
          stage.call(`POST /v1/actions/${id}/approvals`, stage.mei, { body }),
        ),
      );
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
      await stateAfter(stage, id);
      assert.equal(bank.effects().length, 1);
    });
  });

  test('a yes to one action answers no other one, not even an equal one', async () => {
    await onStage(bank, {}, async (stage) => {
      const [id, equal] = [await held(stage), await held(stage)];
      const opened = await stage.call(`GET /v1/actions/${id}/consent`, stage.mei);
      const other = await stage.call(`GET /v1/actions/${equal}/consent`, stage.mei);
      for (const [consent, challenge] of [
        [opened.body['consent'], other.body['challenge']],
        [other.body['consent'], opened.body['challenge']],
        [opened.body['consent'], opened.body['challenge']],
      ]) {
        const answer = await stage.call(`POST /v1/actions/${equal}/approvals`, stage.mei, {
          body: { consent, challenge, decision: 'approve' },
        });
        assert.notEqual(answer.status, 200);
      }
      assert.equal((await stage.layer.record(equal)).state, 'held');
      assert.deepEqual(bank.effects(), []);
    });
  });
});

describe('stored state is edited between the yes and the effect', () => {
  // Vercel AI SDK: client-supplied messages forged approvals (vercel/ai#15947); there the state travels
  // through the client. Here it never leaves the store, and what stands in the store is checked again.
  test('law 2: bytes that changed in the store are found, and an approval written into it is worth nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'exequatur-attack-'));
    const soon = new Date(Date.now() + 4000).toISOString();
    try {
      const stage = await setStage(bank, { folder });
      const approved = await held(stage, { ...refund('25.00'), notBefore: soon });
      const forged = await held(stage, { ...refund('26.00'), notBefore: soon });
      await stage.approve(approved);
      await stage.close();
      const database = new DatabaseSync(join(folder, 'data', 'exequatur.db'));
      const edited = database
        .prepare(
          "UPDATE content SET bytes = CAST(replace(CAST(bytes AS TEXT), '25.00', '99.00') AS BLOB)",
        )
        .run();
      assert.ok(Number(edited.changes) > 0);
      // The yes to the one is given to the other.
      const { changes } = database
        .prepare('UPDATE approval SET action = (SELECT max(id) FROM action)')
        .run();
      assert.equal(Number(changes), 1);
      database.close();
      const again = await setStage(bank, { folder });
      try {
        await stateAfter(again, approved);
        assert.deepEqual(await against(again, approved), ['payload_mismatch']);
        await wait(3000);
        assert.notEqual((await again.layer.record(forged)).state, 'succeeded');
        assert.deepEqual(bank.effects(), []);
      } finally {
        await again.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a name that was approved points elsewhere when its time comes', () => {
  // Cursor approved the name of an MCP server and not what it runs (CVE-2025-54136); Atlantis#1508 approved a
  // pull request, and another plan was applied.
  test('law 6: the same target name over another system is not what was approved', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'exequatur-attack-'));
    const elsewhere = await startBank();
    try {
      elsewhere.identity = 'acct_mallory';
      const notBefore = new Date(Date.now() + 3000).toISOString();
      const stage = await setStage(bank, { folder });
      const id = await held(stage, { ...refund(), notBefore });
      assert.equal((await stage.approve(id)).status, 200);
      await stage.close();
      const again = await setStage(bank, { folder, inventory: inventoryOf(elsewhere.port) });
      try {
        await heldBy(again, id, 'consent_moved');
        assert.deepEqual([...bank.effects(), ...elsewhere.effects()], []);
      } finally {
        await again.close();
      }
    } finally {
      await elsewhere.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  // CTRLRun’s study of GitHub’s merge race: an approved merge landed on another head than the reviewed one.
  test('law 6: the same system with another payee behind the approved name is not what was approved', async () => {
    await onStage(bank, {}, async (stage) => {
      const notBefore = new Date(Date.now() + 1200).toISOString();
      const id = await held(stage, { ...refund(), notBefore });
      assert.equal((await stage.approve(id)).status, 200);
      bank.customer = 'cus_mallory';
      await heldBy(stage, id, 'consent_moved');
      assert.deepEqual(bank.effects(), []);
    });
  });

  test('law 6: a reviewed name that became production while it waited is held', async () => {
    await onStage(bank, {}, async (stage) => {
      const notBefore = new Date(Date.now() + 1200).toISOString();
      const id = await held(stage, { ...refund(), notBefore });
      assert.equal((await stage.approve(id)).status, 200);
      bank.mode = 'live';
      await heldBy(stage, id, 'consent_moved');
      assert.deepEqual(bank.effects(), []);
    });
  });
});

describe('what carried the decision is lost during the wait', () => {
  // openclaw/openclaw#103515 (revocation races of approvals), xorbitsai/xagent#2106 (an approved call skipped
  // the check of who may), SpiceDB’s default consistency (a check on old permissions).
  test('law 6: an agent that lost what let it act does not act, approved or not', async () => {
    const policy = POLICY.replace('match: {}', 'match: { principal: { role: payer } }').replace(
      'roles: [lead]',
      'roles: [lead, payer]',
    );
    await onStage(bank, { policy }, async (stage) => {
      const payer = await stage.layer.agentKey('payer', { roles: ['payer'], owners: ['dana'] });
      const notBefore = new Date(Date.now() + 1200).toISOString();
      const proposed = await stage.call('POST /v1/actions', payer, {
        body: { ...refund(), notBefore },
        headers: { 'idempotency-key': 'k', prefer: 'wait=0' },
      });
      const id = String(proposed.body['id']);
      assert.equal((await stage.approve(id)).status, 200);
      const { status } = await stage.call('POST /v1/agents/payer/roles', stage.layer.operatorKey, {
        body: { roles: [] },
      });
      assert.equal(status, 200);
      assert.equal(await stateAfter(stage, id), 'denied');
      assert.deepEqual(bank.effects(), []);
    });
  });

  test('law 10: a yes of somebody who lost the right to say it no longer counts', async () => {
    await onStage(bank, {}, async (stage) => {
      const notBefore = new Date(Date.now() + 1200).toISOString();
      const id = await held(stage, { ...refund(), notBefore });
      assert.equal((await stage.approve(id)).status, 200);
      await stage.call('DELETE /v1/people/mei', stage.layer.operatorKey);
      await wait(2000);
      assert.equal((await stage.layer.record(id)).state, 'held');
      assert.deepEqual(bank.effects(), []);
    });
  });
});
