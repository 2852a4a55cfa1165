/** Codes with which commands end before they reach a layer: each is provoked by the command a person would type. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../bin/exequatur.js', import.meta.url));
const KEY = `exq_agent_${'A'.repeat(43)}`;

let folder: string;
let strangerUrl: string;
const stranger = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html').end('<p>hello</p>');
});

interface Case {
  readonly line: string;
  readonly code: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly key?: string;
  readonly input?: string;
}

const POLICY = 'version: 1\nrules:\n  - { id: all, match: {}, allow: [] }\n';
const INVENTORY = `version: 1
targets:
  box:
    process: { cwd: / }
    operations: { ping: { kind: api.call, run: [/bin/true] } }
`;
const CASES = `version: 1
now: 2026-11-24T12:00:00Z
agents: { bot: {} }
cases:
  - name: everything is denied
    action: { agent: bot, target: box, operation: ping }
    expect: deny
`;

/** Nobody has this process id: it is beyond what a system gives. */
const GONE =
  '{"url":"http://localhost:7373","pid":2147483647,"started":"2026-11-22T04:12:00.000Z"}';

const TABLE: readonly Case[] = [
  { line: 'status', code: 'daemon_not_found' },
  { line: 'status', code: 'daemon_gone', files: { 'data/daemon.json': GONE } },
  { line: 'actions --url http://localhost:1', code: 'daemon_not_reachable', key: KEY },
  { line: 'actions --url {stranger}', code: 'not_a_daemon', key: KEY },
  { line: 'actions --url http://192.0.2.1', code: 'url_not_safe', key: KEY },
  { line: 'actions --url http://localhost:1', code: 'key_missing' },
  { line: 'actions --url http://localhost:1', code: 'key_malformed', key: 'secret' },
  { line: 'actions --url http://localhost:1 --key-file none.key', code: 'key_unreadable' },
  { line: 'actions --url nowhere', code: 'usage', key: KEY },
  { line: 'signing show --data none', code: 'keys_missing' },
  { line: 'signing rotate', code: 'keys_missing' },
  { line: 'signing retire --config none.yaml', code: 'configuration_invalid' },
  { line: 'policy test none.yaml', code: 'cases_invalid', files: { 'none.yaml': 'version: 2\n' } },
  { line: 'policy test --name nobody', code: 'no_cases', files: { 'policy.test.yaml': CASES } },
  { line: 'policy test', code: 'cases_failed', files: { 'policy.test.yaml': CASES } },
  { line: 'policy print none.ts', code: 'file_not_found' },
  { line: 'policy print bad.ts', code: 'policy_not_loaded', files: { 'bad.ts': 'throw 1;\n' } },
  { line: 'policy print no.ts', code: 'policy_not_exported', files: { 'no.ts': 'export {};\n' } },
  {
    line: 'policy print odd.ts',
    code: 'policy_not_plain',
    files: { 'odd.ts': 'export const policy = { rules: () => 1 };\n' },
  },
  {
    line: 'inventory types',
    code: 'inventory_invalid',
    files: { 'inventory.yaml': 'version: 1\ntargets: { x: {} }\n' },
  },
  {
    line: 'propose box ping --args - --url http://localhost:1',
    code: 'input_too_large',
    key: KEY,
    input: 'x'.repeat(2_000_000),
  },
];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'exequatur-codes-'));
  await new Promise<void>((resolve) => {
    stranger.listen(0, '127.0.0.1', resolve);
  });
  const address = stranger.address();
  assert.ok(typeof address === 'object' && address !== null);
  strangerUrl = `http://localhost:${String(address.port)}`;
});

after(() => {
  stranger.close();
  rmSync(folder, { recursive: true, force: true });
});

function ended(directory: string, each: Case): Promise<string> {
  const words = each.line.replace('{stranger}', strangerUrl).split(' ');
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [PROGRAM, ...words, '--json'],
      {
        cwd: directory,
        timeout: 20_000,
        env: { PATH: process.env['PATH'], EXEQUATUR_KEY: each.key ?? '' },
      },
      (_error, stdout, stderr) => {
        resolve(`${stdout}\n${stderr}`);
      },
    );
    child.stdin?.on('error', () => {
      // The command ends before it read everything: that is what is tested.
    });
    child.stdin?.end(each.input ?? '');
  });
}

describe('a command ends', { concurrency: 2 }, () => {
  for (const [index, each] of TABLE.entries()) {
    test(`with ${each.code}: ${each.line}`, async () => {
      const directory = join(folder, String(index));
      mkdirSync(join(directory, 'data'), { recursive: true });
      const files = {
        'exequatur.yaml': 'version: 1\n',
        'policy.yaml': POLICY,
        'inventory.yaml': INVENTORY,
        ...each.files,
      };
      for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
      const text = await ended(directory, each);
      assert.ok(text.includes(`"code":"${each.code}"`), text);
    });
  }
});
