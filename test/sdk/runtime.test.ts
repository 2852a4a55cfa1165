/**
 * The SDK needs nothing of Node: it imports no `node:*` module and no package, and acts in a context
 * that has only what every runtime with `fetch` has. `runtimes.test.ts` runs it in those runtimes.
 */
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { stripTypeScriptTypes } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { createContext, runInContext } from 'node:vm';

import { importsOf, resolveImport, sourceFiles, type SourceFile } from '../architecture/source.ts';
import { startBox } from '../api/box.ts';
import type { Layer } from '../fixtures/layer.ts';

const SOURCES = new Map(sourceFiles('src').map((file) => [file.path, file]));

/** The text that runs: types are gone, and what is only a type is not imported. */
function running({ text }: SourceFile): string {
  return stripTypeScriptTypes(text);
}

/** Every file that is loaded with `entry`, what it imports first, and every import that is no file. */
function loadedWith(entry: string): { readonly files: string[]; readonly others: string[] } {
  const files: string[] = [];
  const others: string[] = [];
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const source = SOURCES.get(path);
    if (source === undefined) {
      others.push(path);
      return;
    }
    for (const specifier of importsOf(running(source))) visit(resolveImport(path, specifier));
    files.push(path);
  };
  visit(entry);
  return { files, others };
}

/** Modules as one script, for a context that has no loader: each becomes a function of its imports. */
function scriptOf(files: readonly string[]): string {
  const modules = files.map((path) => {
    const source = SOURCES.get(path);
    assert.ok(source);
    const names: string[] = [];
    const at = (specifier: string): string =>
      `modules[${JSON.stringify(posix.join(posix.dirname(path), specifier))}]`;
    const body = running(source)
      .replace(/^import \{([^}]*)\} from '([^']+)';/gmu, (_all, list: string, from: string) => {
        return `const {${list.replaceAll(/\bas\b/gu, ':')}} = ${at(from)};`;
      })
      .replace(/^export \{([^}]*)\} from '([^']+)';/gmu, (_all, list: string, from: string) => {
        const given = list.split(',').flatMap((name) => name.trim() || []);
        return `Object.assign(exported, { ${given.map((name) => `${name}: ${at(from)}.${name}`).join(', ')} });`;
      })
      .replace(
        /^export ((?:async )?function\*?|class|const|async function\*) ?(\w+)/gmu,
        (_all, what: string, name: string) => {
          names.push(name);
          return `${what} ${name}`;
        },
      );
    return `modules[${JSON.stringify(path)}] = (() => { const exported = {}; ${body}\nreturn Object.assign(exported, { ${names.join(', ')} }); })();`;
  });
  return `'use strict'; const modules = {}; ${modules.join('\n')}; modules['src/sdk/main.ts'];`;
}

describe('exequatur/sdk', () => {
  let layer: Layer;
  before(async () => {
    layer = await startBox();
  });
  after(() => layer.close());

  const { files, others } = loadedWith('src/sdk/main.ts');

  test('loads its own files and nothing else', () => {
    assert.ok(files.length >= 6, 'the check scanned nothing');
    assert.deepEqual(others, []);
    assert.deepEqual(
      files.filter((path) => !path.startsWith('src/sdk/')),
      [],
    );
  });

  test('the check finds a module of Node behind an import', () => {
    assert.ok(loadedWith('src/server/gate.ts').others.includes('node:path'));
  });

  test('names nothing that only Node has', () => {
    const names = /\b(?:process|Buffer|require|__dirname|setImmediate|global)\b(?!:)/u;
    const text = files.map((path) => {
      const source = SOURCES.get(path);
      assert.ok(source);
      return running(source).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gmu, '');
    });
    assert.deepEqual(
      text.flatMap((each) => names.exec(each)?.[0] ?? []),
      [],
    );
  });

  test('acts in a context that has only what every runtime has', async () => {
    const context = createContext({
      fetch,
      URL,
      AbortController,
      TextDecoder,
      crypto,
      performance,
      setTimeout,
      clearTimeout,
      place: { url: await layer.listen(), key: await layer.agentKey() },
      proposal: { target: 'box', operation: 'ping', args: { mode: 'ok', text: 'elsewhere' } },
    });
    assert.equal(
      runInContext('typeof process + typeof Buffer + typeof require', context),
      'undefined'.repeat(3),
    );
    const sdk: unknown = runInContext(
      `globalThis.sdk = (() => { ${scriptOf(files).replace(/modules\['src\/sdk\/main\.ts'\];$/u, "return modules['src/sdk/main.ts'];")} })()`,
      context,
    );
    assert.ok(typeof sdk === 'object' && sdk !== null && 'createClient' in sdk);
    const told: unknown = await runInContext(
      `(async () => {
        const client = sdk.createClient(place);
        const ending = new AbortController();
        const events = client.events({ after: 0, signal: ending.signal });
        const answer = await client.act(proposal);
        const kinds = [];
        for await (const { kind } of events) {
          kinds.push(kind);
          if (kind === 'settled') ending.abort();
        }
        return [answer.kind, answer.state, kinds.at(-1)].join(' ');
      })()`,
      context,
    );
    assert.equal(told, 'done succeeded settled');
  });
});
