/** What holds of the command whatever layer it talks to. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { DOCS_FILE, docsOfCommand } from '../../scripts/docs-cli.ts';
import { COMMANDS } from '../../src/cli/command-table.ts';
import { runBin } from './layer.ts';

test('docs/cli.md is what the command table says', async () => {
  assert.equal(
    readFileSync(DOCS_FILE, 'utf8'),
    await docsOfCommand(),
    'run `node scripts/docs-cli.ts`',
  );
});

test('every command has help with examples and exit codes', async () => {
  const { code, stdout } = await runBin('.', ['--help']);
  assert.equal(code, 0);
  for (const { name, examples } of COMMANDS) {
    assert.match(stdout, new RegExp(`^  ${name.split(' ')[0] ?? ''} `, 'mu'));
    assert.ok(
      examples.every((example) => example.startsWith(`exequatur ${name}`)),
      name,
    );
  }
  const help = await runBin('.', ['propose', '--help']);
  assert.match(help.stdout, /\$ exequatur propose shop-payments refund/u);
  assert.match(help.stdout, /^  5  unknown: /mu);
});

test('the version is that of the package', async () => {
  const { stdout } = await runBin('.', ['--version']);
  const { version }: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  assert.equal(stdout, `${version}\n`);
});

test('an older Node says in one line what is missing', async (context) => {
  const old = ['/usr/bin/node', '/usr/local/bin/node'].find(isOld);
  if (old === undefined) {
    context.skip('SKIPPED: there is no older Node on this machine');
    return;
  }
  const { code, stdout, stderr } = await runBin('.', ['status'], [old]);
  assert.match(stderr, /^exequatur: needs Node 24\.15 or newer, and this is \d+\.\d+\.\d+\n$/u);
  assert.deepEqual([code, stdout], [1, '']);
});

function isOld(program: string): boolean {
  try {
    const version = execFileSync(program, ['--version'], { encoding: 'utf8' });
    const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
    return major < 24 || (major === 24 && minor < 15);
  } catch {
    // There is none here.
    return false;
  }
}
