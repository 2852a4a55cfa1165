/** Attacks on secrets and places: what a program, a page of the target or a link can reach. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { heldBy, onStage, startBank, type Bank, type Stage } from './stage.ts';

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

const POLICY = 'version: 1\nroles: []\nrules:\n  - { id: anything, match: {}, allow: true }\n';
const CANARY = 'canary-of-the-layer-0123456789';
const OTHER = 'credential-of-another-target-0123456789';

/** Reads what a thief would read, and says it. */
const THIEF = `#!/bin/sh
cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'
head -c 100 "$1" 2>/dev/null
exit 0
`;
/** Says what stands in its own environment. */
const OWN = '#!/bin/sh\nenv\n';

function inventoryOf(confinement: string): string {
  return `version: 1
targets:
  machine:
    environment: staging
    process: { cwd: "{folder}/work", ${confinement} }
    operations:
      look:
        kind: code.execute
        args: { path: string(200) }
        run: ["{folder}/thief.sh", $path]
        timeout: 20s
  other:
    environment: staging
    process: { cwd: "{folder}/work", ${confinement}, credential: TOKEN }
    credentials: { act: env:OTHER }
    operations:
      act:
        kind: code.execute
        run: ["{folder}/own.sh"]
`;
}

/** Runs the thief in this confinement, with a secret in the layer's own environment and one in its store. */
async function steal(
  confinement: string,
  attack: (stage: Stage, said: string) => Promise<void>,
): Promise<void> {
  const home = mkdtempSync(join(folder, 'home-'));
  mkdirSync(join(home, 'work'));
  process.env['EXEQUATUR_CANARY'] = CANARY;
  try {
    const parts = {
      policy: POLICY,
      inventory: inventoryOf(confinement),
      environment: { OTHER },
      files: { 'thief.sh': THIEF, 'own.sh': OWN },
      folder: home,
    };
    await onStage(bank, parts, async (stage) => {
      const path = join(home, 'data', 'exequatur.db');
      const answer = await stage.propose(
        { target: 'machine', operation: 'look', args: { path } },
        { prefer: 'wait=20' },
      );
      assert.equal(answer.body['state'], 'succeeded', answer.text);
      await attack(stage, answer.text);
    });
  } finally {
    delete process.env['EXEQUATUR_CANARY'];
    rmSync(home, { recursive: true, force: true });
  }
}

describe('a program reads what its parent knows', () => {
  // NousResearch/hermes-agent#4427: variables were kept from the child’s environment and stood in
  // `/proc/<ppid>/environ`, which a process of the same user may read.
  test('in a sandbox it finds neither the layer’s processes nor its files', async (context) => {
    if (!existsSync('/usr/bin/bwrap')) return context.skip('bwrap is not installed');
    await steal('sandbox: bwrap', (_, said) => {
      assert.ok(!said.includes(CANARY), 'the environment of the layer was read');
      assert.ok(!said.includes('SQLite format'), 'the store was read');
      return Promise.resolve();
    });
  });

  test('the thief does find both where nothing stands between', async () => {
    await steal('user: same-as-layer', (_, said) => {
      assert.ok(said.includes(process.execPath) && said.includes('SQLite format'));
      return Promise.resolve();
    });
  });

  // anomalyco/opencode#31778: every MCP server was started with the whole environment of its parent.
  test('even unconfined, nothing of the layer’s environment is in its own', async () => {
    await steal('user: same-as-layer', async (stage) => {
      const act = { target: 'other', operation: 'act', args: {} };
      const { body } = await stage.propose(act, { prefer: 'wait=20' });
      const { execution } = await stage.layer.record(String(body['id']));
      const said = JSON.stringify(execution?.outcome);
      assert.match(said, /TOKEN=/u);
      // Its own credential is in its hands; in what it says, it is masked.
      for (const secret of [CANARY, 'EXEQUATUR_CANARY', OTHER, process.env['PATH'] ?? '']) {
        assert.ok(!said.includes(secret), said);
      }
    });
  });
});

describe('a way that leads elsewhere', () => {
  // MCP filesystem server GHSA-q66q-fx2p-7w4m: a link inside the allowed directory led out of it.
  test('a directory that became a link between the yes and the write is not followed', async () => {
    const home = mkdtempSync(join(folder, 'site-'));
    const site = join(home, 'site');
    mkdirSync(join(site, 'pages'), { recursive: true });
    mkdirSync(join(home, 'elsewhere'));
    writeFileSync(join(home, 'elsewhere', 'index'), 'mine');
    const parts = {
      policy: `version: 1
roles: [lead]
rules:
  - { id: writes, match: {}, allow: true }
  - { id: with-consent, match: {}, require: [{ approval: { from: role:lead, count: 1 } }] }
`,
      inventory: `version: 1
targets:
  site:
    file: { roots: [${site}] }
    operations:
      publish:
        kind: data.write
        args: { path: path(${site}), content: string }
        write: { path: $path, content: $content }
`,
    };
    await onStage(bank, parts, async (stage) => {
      const args = { path: join(site, 'pages', 'index'), content: 'overwritten' };
      const { body } = await stage.propose({ target: 'site', operation: 'publish', args });
      const id = String(body['id']);
      renameSync(join(site, 'pages'), join(home, 'pages'));
      symlinkSync(join(home, 'elsewhere'), join(site, 'pages'));
      await stage.approve(id);
      await heldBy(stage, id, 'preview_failed');
      assert.equal(readFileSync(join(home, 'elsewhere', 'index'), 'utf8'), 'mine');
    });
  });

  test('law 6: a working directory that became a link to another one runs nothing there', async () => {
    const home = mkdtempSync(join(folder, 'cwd-'));
    mkdirSync(join(home, 'work'));
    mkdirSync(join(home, 'elsewhere'));
    const parts = {
      folder: home,
      policy: `version: 1
roles: [lead]
rules:
  - { id: runs, match: {}, allow: true }
  - { id: with-consent, match: {}, require: [{ approval: { from: role:lead, count: 1 } }] }
`,
      inventory: `version: 1
targets:
  machine:
    process: { cwd: "{folder}/work" }
    operations:
      mark: { kind: code.execute, run: [/usr/bin/touch, marked] }
`,
    };
    await onStage(bank, parts, async (stage) => {
      const { body } = await stage.propose({ target: 'machine', operation: 'mark', args: {} });
      const id = String(body['id']);
      assert.equal(body['state'], 'held', JSON.stringify(body));
      renameSync(join(home, 'work'), join(home, 'before'));
      symlinkSync(join(home, 'elsewhere'), join(home, 'work'));
      await stage.approve(id);
      await heldBy(stage, id, 'consent_moved');
      assert.ok(!existsSync(join(home, 'elsewhere', 'marked')), 'it ran in another directory');
    });
  });
});
