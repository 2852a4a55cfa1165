/** The demonstration is a promise of the README: every scene ends as it should, judged at the target. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../architecture/source.ts';

test('every scene of the demonstration ends as it should', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'examples/demo/main.ts'), '--json'],
    { encoding: 'utf8', timeout: 150_000 },
  );
  const scenes = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Readonly<Record<string, unknown>> => JSON.parse(line));
  for (const scene of scenes) assert.equal(scene['got'], scene['expected'], JSON.stringify(scene));
  assert.equal(scenes.length, 10, stderr);
  assert.equal(status, 0, stderr);
});
