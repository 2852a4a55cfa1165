/**
 * Runs docs/first-hour.md as it stands: its files are written, its commands are typed, and what they
 * print is compared, against a real PostgreSQL and the demonstration's payment service.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { ROOT } from '../architecture/source.ts';
import { hasPostgres, startPostgres, type PostgresServer } from '../fixtures/postgres-server.ts';

const BIN = join(ROOT, 'bin/exequatur.js');

/** A block of the page: a file to write, or commands with what they print. */
type Block =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: 'console'; readonly text: string };

function blocksOf(page: string): Block[] {
  const blocks = page.matchAll(/^```(yaml title=(\S+)|console)\n([\s\S]*?)^```/gmu);
  return [...blocks].map(([, , name, text = '']) =>
    name === undefined ? { kind: 'console', text } : { kind: 'file', name, text },
  );
}

/** Each command with the lines below it. */
function commandsOf(text: string): { readonly command: string; readonly printed: string[] }[] {
  const commands: { command: string; printed: string[] }[] = [];
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2), printed: [] });
    else commands.at(-1)?.printed.push(line);
  }
  return commands;
}

/** The expected lines as one expression: `…` is anything in a line, alone it is any lines. */
function expressionOf(printed: readonly string[], known: ReadonlyMap<string, string>): RegExp {
  const source = printed.map((line) => {
    if (line === '…') return '(?:.*\\n)*?';
    const escaped = line.replaceAll(/[.*+?^${}()|[\]\\]/gu, '\\$&');
    const named = escaped.replaceAll(
      /<([a-z]+)>/gu,
      (_, name: string) => known.get(name) ?? `(?<${name}>\\S+)`,
    );
    return `${named.replaceAll('…', '.*')}\\n`;
  });
  return new RegExp(`^${source.join('')}$`, 'u');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

if (!hasPostgres)
  console.error('SKIPPED: docs/first-hour.md needs PostgreSQL: npm ci in test/real');

describe('the first hour', { skip: !hasPostgres }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-first-hour-'));
  const ports = { payments: 0, layer: 0 };
  const known = new Map<string, string>();
  let postgres: PostgresServer;
  let payments: ChildProcess;
  let daemon: ChildProcess | undefined;

  before(async () => {
    ports.layer = await freePort();
    postgres = await startPostgres();
    await query(`CREATE TABLE customers (id int PRIMARY KEY, name text, closed_at date);
      INSERT INTO customers VALUES (11, 'Ann', NULL), (12, 'Bob', '2024-02-01'),
        (13, 'Cid', '2024-03-01'), (14, 'Dee', '2025-06-30');
      CREATE USER cleaner PASSWORD 'cleaner-secret'; GRANT SELECT, UPDATE, DELETE ON customers TO cleaner;
      CREATE USER reader PASSWORD 'reader-secret'; GRANT SELECT ON customers TO reader;
      GRANT EXECUTE ON FUNCTION pg_control_system() TO cleaner, reader`);
    mkdirSync(join(folder, 'secrets'));
    const secrets = {
      cleaner: 'cleaner-secret',
      reader: `postgres://reader:reader-secret@127.0.0.1:${String(postgres.port)}/shop`,
      pay: 'pay-secret-1',
      'pay-look': 'pay-secret-2',
    };
    for (const [name, secret] of Object.entries(secrets)) {
      writeFileSync(join(folder, 'secrets', name), secret, { mode: 0o600 });
    }
    payments = spawn(
      process.execPath,
      [join(ROOT, 'examples/demo/payments.ts'), '--state', join(folder, 'payments.jsonl')],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: {
          ...process.env,
          PAYMENTS_TOKEN: secrets.pay,
          PAYMENTS_LOOK_TOKEN: secrets['pay-look'],
        },
      },
    );
    const line = await new Promise<string>((resolve) => {
      payments.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    });
    ports.payments = Number(JSON.parse(line).port);
  });

  after(async () => {
    for (const child of [daemon, payments]) {
      if (child === undefined || child.exitCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function query(sql: string): Promise<readonly unknown[]> {
    const { port, user, password } = postgres;
    const client = new Client({ host: '127.0.0.1', port, user, password, database: 'shop' });
    await client.connect();
    const { rows } = await client.query(sql);
    await client.end();
    return rows;
  }

  function own(text: string): string {
    return text
      .replaceAll('127.0.0.1:5432', `127.0.0.1:${String(postgres.port)}`)
      .replaceAll('127.0.0.1:8900', `127.0.0.1:${String(ports.payments)}`);
  }

  async function serve(): Promise<void> {
    daemon = spawn(process.execPath, [BIN, 'serve'], { cwd: folder, stdio: 'ignore' });
    for (let tries = 0; tries < 300; tries++) {
      const ready = await fetch(`http://127.0.0.1:${String(ports.layer)}/readyz`).catch(
        () => undefined,
      );
      if (ready?.ok === true) return;
      await wait(50);
    }
    assert.fail('the layer did not start');
  }

  function type(command: string, printed: readonly string[]): void {
    const line = command.replaceAll(/<([a-z]+)>/gu, (_, name: string) => known.get(name) ?? name);
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', `exequatur() { "${process.execPath}" "${BIN}" "$@"; }; ${line}`],
      {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], NO_COLOR: '1' },
      },
    );
    const matched = expressionOf(printed, known).exec(stdout);
    assert.ok(
      matched,
      `${command}\n--- printed\n${stdout}${stderr}--- expected\n${printed.join('\n')}`,
    );
    for (const [name, value] of Object.entries(matched.groups ?? {})) known.set(name, value);
  }

  test('happens as docs/first-hour.md says', async () => {
    const blocks = blocksOf(readFileSync(join(ROOT, 'docs/first-hour.md'), 'utf8'));
    let commands = 0;
    for (const block of blocks) {
      if (block.kind === 'file') {
        const listen =
          block.name === 'exequatur.yaml' ? `listen: { port: ${String(ports.layer)} }\n` : '';
        writeFileSync(join(folder, block.name), own(block.text) + listen);
        continue;
      }
      for (const { command, printed } of commandsOf(block.text)) {
        commands++;
        if (command === 'exequatur serve &') await serve();
        else type(command, printed);
      }
    }
    assert.ok(commands > 10, `only ${String(commands)} commands were found`);
    const left = await query('SELECT id FROM customers ORDER BY id');
    assert.deepEqual(left, [{ id: 11 }, { id: 14 }]);
  });
});
