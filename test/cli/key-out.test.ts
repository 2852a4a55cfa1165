/** `--key-out`: a fresh key goes into a new file and nowhere else, or nothing is enrolled. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeDirectory, removeDirectory, runBin, serve, type Layer } from './layer.ts';

describe('--key-out', () => {
  let layer: Layer;
  const run = (...words: string[]): ReturnType<typeof runBin> => runBin(layer.directory, words);
  before(async () => {
    layer = await serve(await makeDirectory());
    await run('person', 'add', 'dana', '--key-out', 'dana.key');
  });
  after(async () => {
    await layer.end();
    await removeDirectory(layer.directory);
  });

  test('the key works, is in a file for its owner only, and is not printed', async () => {
    const added = await run('agent', 'add', 'courier', '--owner', 'dana', '--key-out', 'bot.key');
    const file = join(layer.directory, 'bot.key');
    const key = readFileSync(file, 'utf8').trim();
    assert.match(key, /^exq_agent_[\w-]{43}$/u);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(!`${added.stdout}${added.stderr}`.includes(key));
    assert.equal((await run('actions', '--key-file', 'bot.key')).code, 0);
  });

  test('a file that is there already is left alone, and nothing is enrolled', async () => {
    const kept = readFileSync(join(layer.directory, 'dana.key'), 'utf8');
    const refused = await run('agent', 'add', 'thief', '--owner', 'dana', '--key-out', 'dana.key');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /`dana\.key` is there already\nhint: /u);
    assert.equal(readFileSync(join(layer.directory, 'dana.key'), 'utf8'), kept);
    assert.ok(!(await run('agent', 'list')).stdout.includes('thief'));
  });

  test('a folder that is not there is told before anything is enrolled', async () => {
    const refused = await run('person', 'add', 'ann', '--key-out', 'nowhere/ann.key');
    assert.equal(refused.code, 1);
    assert.ok(!(await run('person', 'list')).stdout.includes('ann'));
  });

  test('where the layer refuses, no empty file is left', async () => {
    const refused = await run(
      'agent',
      'add',
      'Not-A-Name',
      '--owner',
      'dana',
      '--key-out',
      'x.key',
    );
    assert.notEqual(refused.code, 0);
    assert.throws(() => statSync(join(layer.directory, 'x.key')), /ENOENT/u);
  });
});
