/** The whole layer in this process: the same answers, the same doors, and no claim to isolate. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import {
  ApiError,
  createGate,
  GateError,
  type Gate,
  type GateOptions,
} from '../../src/server/gate.ts';
import type { ProposeRequest } from '../../src/sdk/main.ts';

const INVENTORY = `
version: 1
targets:
  box:
    environment: staging
    process: { cwd: . }
    operations:
      note:
        kind: data.write
        args: { text: string }
        run: [./note.sh, $text]
      deploy:
        kind: code.execute
        args: { text: string }
        run: [./note.sh, $text]
`;

const POLICY = `
version: 1
roles: [lead, writer]
rules:
  - id: writers-write
    match: { principal: { role: writer } }
    allow: true
  - id: deploys-need-a-lead
    match: { kind: code.execute }
    require:
      - approval: { from: role:lead, count: 1 }
`;

describe('createGate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-gate-'));
  const file = (name: string): string => join(folder, name);
  const options: GateOptions = {
    inventory: file('inventory.yaml'),
    policy: file('policy.yaml'),
    data: file('data'),
    environment: { PATH: process.env['PATH'] },
  };
  let gate: Gate;

  before(async () => {
    writeFileSync(file('inventory.yaml'), INVENTORY);
    writeFileSync(file('policy.yaml'), POLICY);
    writeFileSync(file('note.sh'), '#!/bin/sh\necho "$1" >> notes\necho "wrote $1"\n');
    chmodSync(file('note.sh'), 0o755);
    gate = await createGate(options);
  });
  after(async () => {
    await gate.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('says that its isolation is none', () => {
    assert.equal(gate.isolation, 'none');
    assert.match(gate.warning, /isolation: none/u);
  });

  test('acts like a client of a daemon', async () => {
    const writer = await gate.agent('writer', { roles: ['writer'] });
    const answer = await writer.act(proposal('note', 'one'));
    assert.deepEqual([answer.kind, answer.executed], ['done', 'yes']);
    assert.equal(readFileSync(file('notes'), 'utf8'), 'one\n');
    const stranger = await gate.agent('stranger');
    assert.equal((await stranger.act(proposal('note', 'two'))).kind, 'refused');
    assert.equal(readFileSync(file('notes'), 'utf8'), 'one\n');
  });

  test('a person approves exactly what was seen, and nobody approves their own', async () => {
    const writer = await gate.agent('owned', { roles: ['writer'], owners: ['dana'] });
    const dana = await gate.person('dana', { roles: ['lead'] });
    const mei = await gate.person('mei', { roles: ['lead'] });
    const { id, kind } = await writer.act(proposal('deploy', 'three'), { wait: 0 });
    assert.equal(kind, 'waiting');
    await assert.rejects(
      dana.consent(id).then((seen) => dana.approve(seen)),
      ApiError,
    );
    const seen = await mei.consent(id);
    assert.deepEqual(seen.action['args'], { text: 'three' });
    await assert.rejects(mei.approve({ ...seen, consent: '0'.repeat(64) }), {
      name: 'ApiError',
      code: 'consent_moved',
    });
    assert.match(await mei.explain(id), /HELD, not executed/u);
    await mei.approve(await mei.consent(id));
    assert.equal((await writer.action(id)).state, 'succeeded');
  });

  test('a halt holds what is in its scope', async () => {
    const writer = await gate.agent('halted', { roles: ['writer'] });
    const mei = await gate.person('mei', { roles: ['lead'] });
    const { halt } = await mei.halt({ scope: {}, reason: 'look first' });
    const answer = await writer.act(proposal('note', 'four'), { wait: 0 });
    assert.equal(answer.kind, 'waiting');
    await mei.resume(halt.id);
    assert.equal((await writer.action(answer.id)).state, 'succeeded');
  });

  test('one process owns the data', async () => {
    await assert.rejects(createGate(options), { name: 'GateError', code: 'store_locked' });
  });

  test('what it has is there again after a restart', async () => {
    const writer = await gate.agent('lasting', { roles: ['writer'] });
    const { id } = await writer.act(proposal('note', 'five'));
    await gate.close();
    gate = await createGate(options);
    const again = await gate.agent('lasting', { roles: ['writer'] });
    assert.equal((await again.action(id)).state, 'succeeded');
    await assert.rejects(gate.agent('lasting', { roles: [] }), { code: 'account_exists' });
  });

  test('a policy that changed holds from its reload on, for what is held too', async () => {
    const writer = await gate.agent('reloading', { roles: ['writer'] });
    const held = await writer.act(proposal('deploy', 'six'), { wait: 0 });
    assert.equal(held.kind, 'waiting');
    assert.equal((await gate.reload()).changed, false);
    const denying = `${POLICY}  - id: closed\n    match: { kind: data.write }\n    deny: Closed.\n`;
    writeFileSync(file('policy.yaml'), denying);
    const note = await writer.act(proposal('note', 'not yet'));
    assert.equal(note.kind, 'done');
    const { changed, epoch } = await gate.reload();
    assert.ok(changed);
    assert.equal((await writer.act(proposal('note', 'seven'))).kind, 'refused');
    writeFileSync(file('policy.yaml'), POLICY.replace(/ {2}- id: deploys-need[\s\S]*/u, ''));
    assert.equal((await gate.reload()).epoch.number, epoch.number + 1);
    assert.equal((await writer.action(held.id)).state, 'succeeded');
    writeFileSync(file('policy.yaml'), POLICY);
    await gate.reload();
  });

  test('a reload of what is not valid changes nothing, and names the place', async () => {
    const writer = await gate.agent('unchanged', { roles: ['writer'] });
    const active = await gate.reload();
    for (const [name, text, wrong] of [
      ['policy.yaml', POLICY, 'version: 1\nrules:\n  - id: x\n    alow: true\n'],
      ['inventory.yaml', INVENTORY, INVENTORY.replace('kind: data.write', 'kind: data.wrte')],
    ] as const) {
      writeFileSync(file(name), wrong);
      await assert.rejects(gate.reload(), (error) => {
        assert.ok(error instanceof GateError);
        assert.equal(error.code, 'configuration_invalid');
        assert.ok(error.message.includes(`${name}:`), error.message);
        return true;
      });
      assert.equal((await writer.act(proposal('note', name))).kind, 'done');
      writeFileSync(file(name), text);
    }
    assert.deepEqual(await gate.reload(), active);
  });

  test('a policy that is not valid makes no gate, and names the place', async () => {
    writeFileSync(file('wrong.yaml'), 'version: 1\nrules:\n  - id: x\n    alow: true\n');
    await assert.rejects(
      createGate({ ...options, policy: file('wrong.yaml'), data: file('none') }),
      (error) => {
        assert.ok(error instanceof GateError);
        assert.equal(error.code, 'configuration_invalid');
        assert.match(error.message, /wrong\.yaml:\d+:\d+: /u);
        assert.ok(error.problems.length > 0);
        return true;
      },
    );
  });
});

function proposal(operation: string, text: string): ProposeRequest {
  return { target: 'box', operation, args: { text } };
}
