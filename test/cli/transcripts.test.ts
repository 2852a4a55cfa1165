/** The command against a real layer: each file in `transcripts/` is typed and compared line by line. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { enrolPeople, makeDirectory, removeDirectory, serve } from './layer.ts';
import { openSession } from './transcript.ts';

const TRANSCRIPTS = fileURLToPath(new URL('transcripts', import.meta.url));

for (const name of readdirSync(TRANSCRIPTS)) {
  test(`the command prints what transcripts/${name} says`, async () => {
    const layer = await serve(await makeDirectory());
    try {
      await enrolPeople(layer.directory);
      await openSession(layer.directory).play(join(TRANSCRIPTS, name));
    } finally {
      await layer.end();
      await removeDirectory(layer.directory);
    }
  });
}
