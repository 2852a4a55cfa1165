import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { readConfiguration } from './configuration.ts';
import { init } from './init.ts';
import { loadEpoch } from './loading.ts';
import { STARTER_FILES } from './starter-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'exequatur-init-'));

after(() => rmSync(folder, { recursive: true, force: true }));

test('the files of an empty start load without a problem', async () => {
  assert.equal(init({ directory: 'empty', from: folder }).kind, 'written');
  const { configuration, problems } = await readConfiguration(
    join(folder, 'empty', 'exequatur.yaml'),
  );
  assert.deepEqual(problems, []);
  assert.ok(configuration !== undefined);
  const { epoch, problems: found } = await loadEpoch(configuration);
  assert.deepEqual(found, []);
  assert.equal(epoch?.policy.rules.length, 0);
});

test('what the comments say to write instead loads as well', async () => {
  init({ directory: 'example', from: folder });
  for (const name of Object.keys(STARTER_FILES)) {
    const path = join(folder, 'example', name);
    const text = readFileSync(path, 'utf8')
      .replace('targets: {}', '')
      .replace('rules: []', '')
      // A commented line of YAML; sentences have a full stop or no colon.
      .replaceAll(/^# ((?!yaml-language)(?:\s*- |\s*[\w.-]+:|\s+#).*)$/gmu, '$1');
    writeFileSync(path, text);
  }
  const { configuration, problems } = await readConfiguration(
    join(folder, 'example', 'exequatur.yaml'),
  );
  assert.deepEqual(problems, []);
  assert.ok(configuration !== undefined);
  const { epoch, problems: found } = await loadEpoch(configuration);
  assert.deepEqual(found, []);
  assert.equal(epoch?.policy.rules.length, 2);
  assert.equal(epoch.policy.inventory.targets.size, 1);
});

test('where one of the files is there already, none is written', () => {
  const path = join(folder, 'policy.yaml');
  writeFileSync(path, 'mine');
  const refused = init({ directory: '.', from: folder });
  assert.equal(refused.kind === 'refused' && refused.code, 'file_exists');
  assert.equal(readFileSync(path, 'utf8'), 'mine');
  assert.ok(!existsSync(join(folder, 'inventory.yaml')));
});
