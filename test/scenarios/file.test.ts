/** A target of files on a whole layer: consent to one file as it is, and not to the next one. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { after as afterAll, before as beforeAll, test } from 'node:test';
import { startLayer, type Layer } from '../fixtures/layer.ts';

const POLICY = `version: 1
roles: [lead]
rules:
  - id: writes
    match: { kind: data.write }
    allow: true
  - id: writes-need-consent
    match: { kind: data.write }
    require: [{ approval: { from: 'role:lead', count: 1, askFor: 1h, validFor: 1h } }]
  - id: reads
    match: { kind: data.read, class: read-then-act }
    allow: true
`;

let folder: string;
let site: string;
let layer: Layer;
let [bot, mei] = ['', ''];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'exequatur-file-scenario-'));
  site = join(folder, 'site');
  mkdirSync(site);
  layer = await startLayer({
    policy: POLICY,
    inventory: `version: 1
targets:
  site:
    file: { roots: [${site}] }
    operations:
      publish:
        kind: data.write
        args: { path: path(${site}), content: string }
        write: { path: $path, content: $content }
      show: { kind: data.read, args: { path: path(${site}) }, read: { path: $path } }
`,
  });
  await layer.personKey('dana');
  mei = await layer.personKey('mei', { roles: ['lead'] });
  bot = await layer.agentKey('bot', { owners: ['dana'] });
});
afterAll(async () => {
  await layer.close();
  rmSync(folder, { recursive: true, force: true });
});

async function publish(name: string): Promise<string> {
  const args = { path: join(site, name), content: 'new' };
  const { body } = await layer.propose(
    bot,
    { target: 'site', operation: 'publish', args },
    { prefer: 'wait=0' },
  );
  assert.equal(body['state'], 'held', JSON.stringify(body));
  return String(body['id']);
}

test('a write that is approved takes hold, and its content can be read', async () => {
  const id = await publish('page');
  const answer = await layer.approve(mei, id);
  assert.equal(answer.status, 200, answer.text);
  const { body } = await layer.ask(`GET /v1/actions/${id}?wait=10`, { key: bot });
  assert.equal(body['state'], 'succeeded', JSON.stringify(body));
  assert.equal(readFileSync(join(site, 'page'), 'utf8'), 'new');
  const read = { target: 'site', operation: 'show', args: { path: join(site, 'page') } };
  const shown = await layer.propose(bot, read);
  assert.equal(shown.body['state'], 'succeeded', shown.text);
  assert.match(shown.text, /"text":"new"/u);
});

test('a file that changed after it was shown is not written, whoever said yes', async () => {
  writeFileSync(join(site, 'moved'), 'old');
  const id = await publish('moved');
  const opened = await layer.ask(`GET /v1/actions/${id}/consent`, { key: mei });
  const { consent, challenge } = opened.body;
  writeFileSync(join(site, 'moved'), 'theirs');
  const body = { consent, challenge, decision: 'approve' };
  await layer.ask(`POST /v1/actions/${id}/approvals`, { key: mei, body });
  const moved = async (): Promise<boolean> =>
    (await layer.record(id)).decision?.findings.some(({ code }) => code === 'consent_moved') ??
    false;
  for (let tries = 0; tries < 100 && !(await moved()); tries += 1) await wait(20);
  assert.ok(await moved());
  assert.equal((await layer.record(id)).state, 'held');
  assert.equal(readFileSync(join(site, 'moved'), 'utf8'), 'theirs');
});
