/** Holds the table of DESIGN section 8: imports point inward. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { importsOf, resolveImport, sourceFiles, type SourceFile } from './source.ts';

const RING_0 = ['src/kernel/', 'src/approval/', 'src/ledger/'];
const PORTS = ['src/engine/ports.ts', 'src/engine/execution.ts', 'src/engine/transition.ts'];

/** Folder → what its files may import besides themselves and packages. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'src/kernel/': [],
  'src/approval/': ['src/kernel/'],
  'src/ledger/': ['src/kernel/'],
  'src/engine/': RING_0,
  'src/protocol/': RING_0,
  'src/stores/': [...RING_0, ...PORTS],
  'src/facts/': [...RING_0, ...PORTS],
  'src/executors/': [...RING_0, ...PORTS],
  'src/gateways/': [...RING_0, 'src/engine/', 'src/protocol/'],
  'src/notify/': [...RING_0, 'src/engine/', 'src/protocol/'],
  'src/console/': ['src/protocol/', 'src/ledger/'],
  'src/cli/': ['src/protocol/', 'src/ledger/'],
  'src/sdk/': ['src/protocol/', 'src/ledger/'],
  'src/server/': ['src/'],
};

/** Packages and Node modules that pure folders may import, each in the one file named. */
const PURE_EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  'src/kernel/sha256.ts': ['node:crypto'],
  'src/kernel/sha256-browser.ts': ['@noble/hashes/sha2.js'],
  'src/kernel/expression.ts': ['@marcbachmann/cel-js', 're2js'],
};

/** Only a store's crossing may make an execution. */
const MINT_USERS = ['src/stores/'];

function violations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const folder = Object.keys(ALLOWED).find((each) => file.path.startsWith(each));
    if (folder === undefined) return [`${file.path}: stands in no folder of the table`];
    return file.imports.flatMap((specifier) => {
      const path = resolveImport(file.path, specifier);
      const isSource = path.startsWith('src/');
      if (!isSource)
        return isAllowedPackage(file.path, specifier) ? [] : [`${file.path}: ${specifier}`];
      const allowed = [folder, ...(ALLOWED[folder] ?? [])].some((each) => path.startsWith(each));
      return allowed ? [] : [`${file.path}: ${path}`];
    });
  });
}

function isAllowedPackage(path: string, specifier: string): boolean {
  if (specifier.startsWith('.'))
    return path.startsWith('src/server/') || path.startsWith('src/cli/');
  const pure = RING_0.some((folder) => path.startsWith(folder));
  return !pure || (PURE_EXCEPTIONS[path]?.includes(specifier) ?? false);
}

describe('the structure of the source', () => {
  const files = sourceFiles('src');

  test('imports point inward, as the table of the design says', () => {
    assert.ok(files.length > 60, `scanned only ${String(files.length)} files`);
    assert.deepEqual(violations(files), []);
  });

  test('the check finds a pure file that imports outward, and one that imports a package', () => {
    const outward: SourceFile = {
      path: 'src/kernel/bad.ts',
      text: '',
      imports: importsOf(
        "import { a } from '../engine/ports.ts';\nexport type { B } from 'yaml';\nawait import('node:fs');",
      ),
    };
    assert.deepEqual(violations([outward]), [
      'src/kernel/bad.ts: src/engine/ports.ts',
      'src/kernel/bad.ts: yaml',
      'src/kernel/bad.ts: node:fs',
    ]);
  });

  test('executors, stores and facts never import each other', () => {
    const crossing: SourceFile = {
      path: 'src/executors/bad.ts',
      text: '',
      imports: ['../facts/calendar/calendars.ts', '../stores/sqlite/store.ts'],
    };
    assert.equal(violations([crossing]).length, 2);
  });

  test('law 1: only a store makes executions', () => {
    const users = files.filter(
      (file) => /\bmintExecution\b/u.test(file.text) && file.path !== 'src/engine/execution.ts',
    );
    assert.ok(users.length > 0, 'nobody makes executions: the check scanned nothing');
    assert.deepEqual(
      users
        .filter((file) => !MINT_USERS.some((folder) => file.path.startsWith(folder)))
        .map((f) => f.path),
      [],
    );
  });

  test('nobody imports the server', () => {
    const importers = files.filter(
      (file) =>
        !file.path.startsWith('src/server/') &&
        file.imports.some((each) => resolveImport(file.path, each).startsWith('src/server/')),
    );
    assert.deepEqual(
      importers.map((file) => file.path),
      [],
    );
  });

  test('files stay short, have no default export, and no name that says nothing', () => {
    const long = files.filter((file) => file.text.split('\n').length > 501);
    assert.deepEqual(
      long.map((file) => file.path),
      [],
    );
    const defaults = files.filter((file) => /^export default\b/mu.test(file.text));
    assert.deepEqual(
      defaults.map((file) => file.path),
      [],
    );
    const vague = /(?:^|\/)(?:utils?|common|helpers?|misc|managers?|services?)(?:\.|\/)/u;
    assert.deepEqual(
      files.filter((file) => vague.test(file.path)).map((file) => file.path),
      [],
    );
  });

  test('no source holds `any`, a non-null assertion, or something left undone', () => {
    const loose = /(?:: any\b|<any>|as any\b|\b(?:TODO|FIXME|XXX)\b)/u;
    assert.deepEqual(
      files.filter((file) => loose.test(file.text)).map((file) => file.path),
      [],
    );
  });
});
