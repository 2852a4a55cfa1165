/** docs/configuration.md against the reader: the same keys, and the defaults it says. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { ENGINE_LIMITS } from '../../src/engine/limits.ts';
import {
  CONFIGURATION_KEYS,
  readConfiguration,
  type ServerConfiguration,
} from '../../src/server/configuration.ts';
import { ROOT } from '../architecture/source.ts';

const PAGE = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
const ROWS = [...PAGE.matchAll(/^\| `([\w.]+)` *\| (.*?) *\| .* \|$/gmu)].map(
  ([, key = '', fallback = '']) => ({ key, fallback: fallback.replaceAll('`', '') }),
);
const folder = mkdtempSync(join(tmpdir(), 'exequatur-configuration-'));

after(() => rmSync(folder, { recursive: true, force: true }));

async function read(text: string): Promise<ServerConfiguration> {
  const file = join(folder, 'exequatur.yaml');
  writeFileSync(file, text);
  const { configuration, problems } = await readConfiguration(file);
  assert.deepEqual(problems, []);
  assert.ok(configuration !== undefined);
  return configuration;
}

test('the page has every key that the reader takes, once, and no other', () => {
  assert.deepEqual(ROWS.map(({ key }) => key).toSorted(), [...CONFIGURATION_KEYS].toSorted());
});

test('the block with the defaults reads as a file that says nothing', async () => {
  const block = /^```yaml\n([\s\S]*?)^```/mu.exec(PAGE)?.[1] ?? '';
  assert.deepEqual(await read(block), await read('version: 1\n'));
});

test('the limits that the page says are the defaults', async () => {
  const lines = ROWS.filter(({ key }) => key.startsWith('limits.')).map(
    ({ key, fallback }) => `  ${key.slice('limits.'.length)}: ${fallback}`,
  );
  const { limits } = await read(`version: 1\nlimits:\n${lines.join('\n')}\n`);
  assert.deepEqual(limits, ENGINE_LIMITS);
});
