import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Operation } from '../../kernel/inventory.ts';
import { readYaml } from '../document/yaml.ts';
import { compileInventory, type InventoryCompiled } from './compile.ts';

function compile(operations: string, roots = '[/srv/site]'): InventoryCompiled {
  const text = `version: 1
targets:
  site:
    file: { roots: ${roots} }
    operations:
${operations}`;
  const { document, problems } = readYaml(text, 'inventory.yaml');
  assert.ok(document !== undefined, JSON.stringify(problems));
  return compileInventory({ document, baseDirectory: '/etc/exequatur' });
}

function operation({ inventory, problems }: InventoryCompiled, name: string): Operation {
  assert.deepEqual(problems, []);
  const found = inventory?.targets.get('site')?.operations.get(name);
  assert.ok(found !== undefined);
  return found;
}

function codes({ problems }: InventoryCompiled): readonly string[] {
  return problems.map(({ code }) => code);
}

test('a target of files has operations that write, move, delete and read', () => {
  const compiled = compile(`
      publish:
        kind: data.write
        args: { path: path(/srv/site), content: string(60000) }
        write: { path: $path, content: $content }
        size: 64KiB
        measures: {}
      rename: { kind: data.write, args: { a: path(/srv/site), b: path(/srv/site) }, move: { from: $a, to: $b } }
      remove: { kind: data.delete, args: { page: string }, delete: { path: '/srv/site/\${page}.html' } }
      show: { kind: data.read, args: { path: path(/srv/site) }, read: { path: $path } }`);
  const { binding, precondition } = operation(compiled, 'publish');
  assert.equal(precondition, 'read-then-act');
  assert.deepEqual(binding, {
    kind: 'file',
    action: {
      kind: 'write',
      path: [{ kind: 'argument', path: ['path'] }],
      content: [{ kind: 'argument', path: ['content'] }],
    },
    bytesMax: 65_536,
    preview: 'before-and-after',
  });
  const remove = operation(compiled, 'remove').binding;
  assert.ok(remove.kind === 'file' && remove.action.kind === 'delete');
  assert.equal(remove.action.path.length, 3);
  assert.ok(operation(compiled, 'rename').digest !== operation(compiled, 'show').digest);
});

test('the digest of an operation covers the roots of its target', () => {
  const text = '      show: { kind: data.read, args: { p: path(/srv) }, read: { path: $p } }';
  const one = operation(compile(text), 'show');
  const other = operation(compile(text, '[/srv]'), 'show');
  assert.notEqual(one.digest, other.digest);
});

test('what an operation on a file cannot be is refused by name', () => {
  const show = 'kind: data.read, args: { p: path(/srv/site), q: string? }';
  const cases: readonly (readonly [string, string, string?])[] = [
    [`{ ${show} }`, 'bad_operation'],
    [`{ ${show}, read: { path: $p }, delete: { path: $p } }`, 'bad_operation'],
    [`{ ${show}, read: { path: site/index.html } }`, 'bad_path'],
    [`{ ${show}, read: { path: $q } }`, 'optional_argument'],
    [`{ ${show}, read: { path: /srv/site/$executionId } }`, 'bad_template'],
    [`{ ${show}, read: { path: $r } }`, 'unknown_argument'],
    [`{ ${show}, read: { path: $p }, size: 65MiB }`, 'bad_size'],
    [`{ ${show}, read: { path: $p } }`, 'bad_path', '[/]'],
    [`{ ${show}, read: { path: $p } }`, 'empty', '[]'],
  ];
  for (const [text, code, roots] of cases) {
    assert.deepEqual(codes(compile(`      show: ${text}`, roots)), [code], text);
  }
});
