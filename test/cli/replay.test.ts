/** Erasing and replaying as an operator types it: `replay.txt`, on a layer that runs and its backups. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { enrolPeople, makeDirectory, POLICY, removeDirectory, serve } from './layer.ts';
import { openSession } from './transcript.ts';

const STRICTER = `${POLICY}  - id: staging-rests
    match: { target: { environment: staging } }
    deny: Staging is closed.
`;

test('erase and replay print what replay.txt says', async () => {
  const layer = await serve(await makeDirectory());
  const { directory } = layer;
  try {
    await enrolPeople(directory);
    await writeFile(join(directory, 'stricter.yaml'), STRICTER);
    await writeFile(join(directory, 'wrong.yaml'), STRICTER.replace('staging }', 'stagin }'));
    const session = openSession(directory);
    await session.play(fileURLToPath(new URL('replay.txt', import.meta.url)));
    const first = '--backup data/backups/first.db --json';
    const wrong = await session.type(`exequatur replay --policy wrong.yaml ${first}`);
    assert.match(wrong.stderr, /"code":"policy_invalid"/u);
    const stricter = await session.type(`exequatur replay --policy stricter.yaml ${first}`);
    const { changed, rows }: { readonly changed: number; readonly rows: readonly unknown[] } =
      JSON.parse(stricter.stdout);
    assert.deepEqual([stricter.code, changed, rows.length], [1, 1, 1]);
  } finally {
    await layer.end();
    await removeDirectory(directory);
  }
});
