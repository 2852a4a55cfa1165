/** A rule in shadow on a whole layer: it records what it would have done, people see it, and it does nothing. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { enrolPeople, makeDirectory, POLICY, removeDirectory, serve } from './layer.ts';
import { openSession } from './transcript.ts';

const SHADOWED = `${POLICY}  - id: not-on-staging
    match: { target: staging }
    deny: Staging is closed.
    shadow: true
  - id: two-leads
    match: { target: production }
    require:
      - approval: { from: role:lead, count: 2 }
    shadow: true
  - id: everybody
    match: { kind: code.execute }
    allow: true
    shadow: true
`;

test('the command prints what shadow.txt says of rules in shadow', async () => {
  const directory = await makeDirectory();
  await writeFile(join(directory, 'policy.yaml'), SHADOWED);
  const layer = await serve(directory);
  try {
    await enrolPeople(directory);
    await openSession(directory).play(fileURLToPath(new URL('shadow.txt', import.meta.url)));
  } finally {
    await layer.end();
    await removeDirectory(directory);
  }
});
