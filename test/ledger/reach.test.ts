/** What runs where the verifier runs: everything it imports, through every file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, resolveImport, sourceFiles } from '../architecture/source.ts';

/** The one file that the build for browsers swaps. */
const SWAPPED = 'src/kernel/sha256.ts';

test('`exequatur/verify` reaches no module of Node and no package but through the swapped file', () => {
  const files = new Map(sourceFiles('src').map((file) => [file.path, file]));
  const reached = new Set<string>();
  const outside: string[] = [];
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const specifier of files.get(path)?.imports ?? []) {
      const to = resolveImport(path, specifier);
      if (to.startsWith('src/')) visit(to);
      else if (path !== SWAPPED) outside.push(`${path}: ${specifier}`);
    }
  };
  visit('src/ledger/verify.ts');
  assert.ok(
    reached.size > 20 && reached.has(SWAPPED),
    `reached only ${String(reached.size)} files`,
  );
  assert.deepEqual(outside, []);
  assert.deepEqual(
    [...reached].filter(
      (path) => !path.startsWith('src/ledger/') && !path.startsWith('src/kernel/'),
    ),
    [],
  );
  // What stands for Node without being imported.
  for (const path of reached) {
    const { text = '' } = files.get(path) ?? {};
    if (path !== SWAPPED) assert.ok(!/\b(?:Buffer|process|require)\b[.(]/u.test(text), path);
  }
  assert.deepEqual(importsOf("import x from 'node:fs';"), ['node:fs']);
});
