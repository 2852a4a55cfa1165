/** The examples in curl and Python print what their pages say; the one in TypeScript runs with the package. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import type { Layer } from '../fixtures/layer.ts';
import { AGENTS, promisedBy, startNotebook } from './agents.ts';

const run = promisify(execFile);

describe('the agents of the examples', () => {
  let layer: Layer;
  before(async () => {
    layer = await startNotebook();
  });
  after(() => layer.close());

  for (const [example, command, ...words] of [
    ['curl', 'curl', 'sh', join(AGENTS, 'curl/agent.sh')],
    ['python', 'python3', 'python3', join(AGENTS, 'python/agent.py')],
  ] as const) {
    const isThere = spawnSync(command, ['--version']).status === 0;
    const skip = isThere ? false : `NOT RUN: there is no ${command} on this machine`;
    test(`the one in ${example} prints what its page says`, { skip }, async () => {
      const [program, ...rest] = words;
      const { stdout, stderr } = await run(program, rest, {
        timeout: 60_000,
        env: {
          PATH: process.env['PATH'],
          EXEQUATUR_URL: await layer.listen(),
          EXEQUATUR_KEY: await layer.agentKey(`scribe-${example}`),
        },
      });
      assert.equal(stdout, promisedBy(example));
      assert.equal(stderr, '');
    });
  }

  test('the one in Python has at most 60 lines, and imports nothing but the standard library', () => {
    const text = readFileSync(join(AGENTS, 'python/agent.py'), 'utf8');
    assert.ok(text.split('\n').length <= 61);
    const imports = [...text.matchAll(/^(?:import|from) (\w+)/gmu)].map((match) => match[1]);
    assert.deepEqual(imports, ['json', 'os', 'secrets', 'time', 'urllib', 'urllib']);
  });

  test('effects happened once for each example that ran, and for nothing that was held or denied', () => {
    const lines = readFileSync(join(layer.folder, 'notebook.txt'), 'utf8').trim().split('\n');
    assert.deepEqual([...new Set(lines)], ['append hello']);
  });
});
