/** The log of a daemon: which keys and stores it starts on, and what it is called. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { createMasker } from '../executors/mask.ts';
import { parseTenantName } from '../kernel/id.ts';
import { readCheckpoint } from '../ledger/checkpoint.ts';
import { readNote } from '../ledger/note.ts';
import { LISTEN_DEFAULT, readConfiguration } from './configuration.ts';
import { startDaemon, type Daemon, type Started } from './daemon.ts';
import type { LedgerSettings } from './ledger-settings.ts';

const INVENTORY = `
version: 1
targets:
  box:
    environment: staging
    process: { cwd: /, user: same-as-layer }
    operations:
      echo: { kind: api.call, args: { text: string }, run: [/bin/echo, $text] }
`;
const POLICY = `
version: 1
rules:
  - { id: all, match: { kind: api.call }, allow: true }
`;
const TENANT = parseTenantName('default');

let folder: string;
let keys: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'exequatur-log-'));
  keys = join(folder, 'data', 'keys');
  writeFileSync(join(folder, 'inventory.yaml'), INVENTORY);
  writeFileSync(join(folder, 'policy.yaml'), POLICY);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function start(ledger?: LedgerSettings, policy = POLICY): Promise<Started> {
  assert.ok(TENANT !== undefined);
  writeFileSync(join(folder, 'policy.yaml'), policy);
  const configuration = {
    file: join(folder, 'exequatur.yaml'),
    tenant: TENANT,
    listen: LISTEN_DEFAULT,
    data: join(folder, 'data'),
    inventory: join(folder, 'inventory.yaml'),
    policies: [join(folder, 'policy.yaml')],
    limits: {},
    isolation: 'none',
    ...(ledger === undefined ? {} : { ledger }),
  } as const;
  return startDaemon({
    configuration,
    asRead: configuration,
    mode: 'development',
    version: '0.0.0',
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    masker: createMasker(),
    environment: {},
    directory: folder,
    door: 'in_process',
  });
}

/** Starts, does something, and stops in order. */
async function ran(ledger?: LedgerSettings, policy?: string): Promise<string> {
  const started = await start(ledger, policy);
  assert.ok(started.kind === 'started', JSON.stringify(started));
  const key = readFileSync(join(folder, 'data', 'operator.key'), 'utf8').trim();
  const response = await started.daemon.fetch(
    new Request('http://localhost/v1/ledger/checkpoint', {
      headers: { host: 'localhost', authorization: `Bearer ${key}` },
    }),
  );
  const note = await response.text();
  await started.daemon.stop(100);
  return note;
}

/** What a start is refused with. */
async function refused(ledger?: LedgerSettings): Promise<string> {
  const started = await start(ledger);
  if (started.kind === 'started') await started.daemon.stop(100);
  assert.equal(started.kind, 'refused');
  assert.ok('hint' in started && started.hint !== undefined);
  return started.code;
}

async function ask(daemon: Daemon, path: string, asked: RequestInit = {}): Promise<string> {
  const request = new Request(`http://localhost${path}`, asked);
  request.headers.set('host', 'localhost');
  return (await daemon.fetch(request)).text();
}

async function denied(daemon: Daemon, key: string, number: number): Promise<string> {
  return ask(daemon, '/v1/actions', {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'idempotency-key': `k${String(number)}`,
    },
    body: '{"target":"box","operation":"unheard-of"}',
  });
}

async function problemsOf(section: string): Promise<readonly string[]> {
  const file = join(folder, 'exequatur.yaml');
  writeFileSync(file, `version: 1\nledger:\n${section}`);
  const { problems } = await readConfiguration(file);
  return problems.map(
    ({ message, position }) => `${String(position.line)}:${String(position.column)} ${message}`,
  );
}

/** Each is another epoch, and so an entry. */
function policyOf(number: number): string {
  return `${POLICY}  - { id: more-${String(number)}, match: { kind: data.delete }, deny: No. }\n`;
}

describe('the keys of a daemon', () => {
  test('a first start makes a key that only its owner reads, and a name that stays', async () => {
    const first = await ran();
    assert.equal(statSync(join(keys, 'signing-0001.pem')).mode & 0o777, 0o600);
    const { origin } = readCheckpoint(readNote(first).text);
    assert.match(origin, /^exequatur\.invalid\/[0-9a-f]{16}\/default$/u);
    const again = await ran();
    assert.equal(readCheckpoint(readNote(again).text).origin, origin);
  });

  test('a name and a directory that are configured are used', async () => {
    const elsewhere = join(folder, 'elsewhere');
    const settings = {
      origin: 'log.example.com/payments',
      keys: elsewhere,
      public: false,
      witnesses: [],
    };
    const note = await ran(settings);
    assert.equal(readCheckpoint(readNote(note).text).origin, 'log.example.com/payments/default');
    assert.ok(existsSync(join(elsewhere, 'signing-0001.pem')));
    assert.ok(existsSync(join(elsewhere, 'default.checkpoint')));
    assert.equal(existsSync(keys), false);
  });

  test('a key that its group may read is taken, and one that others may read or change is not', async () => {
    await ran();
    const file = join(keys, 'signing-0001.pem');
    chmodSync(file, 0o640);
    await ran();
    for (const mode of [0o644, 0o660, 0o602]) {
      chmodSync(file, mode);
      assert.equal(await refused(), 'signing_key_exposed');
    }
  });

  test('a directory in which no key can be made is told, with what to put there', async () => {
    writeFileSync(join(folder, 'file'), '');
    const settings = { keys: join(folder, 'file', 'keys'), public: false, witnesses: [] };
    assert.equal(await refused(settings), 'signing_key_missing');
  });

  test('what is no ed25519 private key is refused and not quoted, and so are three keys', async () => {
    await ran();
    const file = join(keys, 'signing-0001.pem');
    const good = readFileSync(file);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (const bytes of ['', 'secret words', privateKey.export({ type: 'pkcs8', format: 'pem' })]) {
      writeFileSync(file, bytes);
      const started = await start();
      assert.ok(started.kind === 'refused' && started.code === 'signing_key_malformed');
      assert.equal(JSON.stringify(started).includes('secret words'), false);
    }
    for (const number of ['1', '2', '3']) {
      writeFileSync(join(keys, `signing-000${number}.pem`), good, { mode: 0o600 });
    }
    assert.equal(await refused(), 'signing_keys_many');
  });
});

describe('law 13: the store that a daemon starts on', () => {
  test('an older copy of the database is refused, and nothing is written to it', async () => {
    await ran();
    const database = join(folder, 'data', 'exequatur.db');
    const copy = join(folder, 'copy.db');
    cpSync(database, copy);
    await ran(undefined, policyOf(1));
    rmSync(`${database}-wal`, { force: true });
    cpSync(copy, database);
    assert.equal(await refused(), 'ledger_rolled_back');
    assert.equal(await refused(), 'ledger_rolled_back');
  });

  test('a database whose newest entries were changed is refused', async () => {
    await ran();
    await ran(undefined, policyOf(1));
    const database = new DatabaseSync(join(folder, 'data', 'exequatur.db'));
    const { changes } = database
      .prepare(
        `UPDATE ledger SET bytes = CAST(replace(CAST(bytes AS TEXT), '"operator"', '"operatos"') AS BLOB)`,
      )
      .run();
    assert.ok(Number(changes) > 0);
    database.close();
    assert.equal(await refused(), 'ledger_diverged');
  });

  test('a crash before the newest entries are signed is no rollback', async () => {
    await ran();
    const mark = readFileSync(join(keys, 'default.checkpoint'));
    await ran(undefined, policyOf(1));
    writeFileSync(join(keys, 'default.checkpoint'), mark, { mode: 0o600 });
    const note = await ran(undefined, policyOf(2));
    assert.ok(readCheckpoint(readNote(note).text).size >= 3);
  });
});

test('law 13: a layer whose log did not only grow goes on, signs no more, and is degraded', async () => {
  const first = await start();
  assert.ok(first.kind === 'started');
  const operator = readFileSync(join(folder, 'data', 'operator.key'), 'utf8').trim();
  const enrolled = await ask(first.daemon, '/v1/agents', {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
    body: '{"name":"bot"}',
  });
  const [key = ''] = /exq_agent_[\w-]{43}/u.exec(enrolled) ?? [];
  await Promise.all(Array.from({ length: 140 }, (_, number) => denied(first.daemon, key, number)));
  assert.doesNotMatch(await ask(first.daemon, '/readyz'), /ledger_diverged/u);
  await first.daemon.stop(100);
  const database = new DatabaseSync(join(folder, 'data', 'exequatur.db'));
  const { changes } = database
    .prepare('UPDATE tile SET hashes = CAST(zeroblob(32) || substr(hashes, 33) AS BLOB)')
    .run();
  assert.equal(Number(changes), 1);
  database.close();
  // With the mark, it would not even start.
  assert.equal(await refused(), 'ledger_diverged');
  rmSync(join(keys, 'default.checkpoint'));
  const second = await start();
  assert.ok(second.kind === 'started');
  try {
    assert.match(await denied(second.daemon, key, 1000), /"state":"denied"/u);
    const deadline = performance.now() + 5000;
    let ready = '';
    while (!ready.includes('ledger_diverged') && performance.now() < deadline) {
      await wait(50);
      ready = await ask(second.daemon, '/readyz');
    }
    assert.match(ready, /"status":"degraded".*"code":"ledger_diverged"/u);
    const headers = { authorization: `Bearer ${operator}` };
    assert.match(
      await ask(second.daemon, '/v1/ledger/checkpoint', { headers }),
      /"code":"ledger_unsigned"/u,
    );
    assert.match(await denied(second.daemon, key, 1001), /"state":"denied"/u);
  } finally {
    await second.daemon.stop(100);
  }
});

describe('the section `ledger` of a configuration', () => {
  const WITNESS = 'witness.example/w1+dd2bd84c+BJ1rCJkQ1a7oGqPXcnBhqsEJbs6hWEXYYk4fXlT8h6eR';

  test('is read strictly: each mistake is told with its place', async () => {
    assert.deepEqual(await problemsOf('  orgin: x\n'), ['3:3 unknown key `orgin` in ledger']);
    assert.deepEqual(await problemsOf('  origin: https://log.example\n'), [
      '3:11 `https://log.example` is no name of a log',
    ]);
    assert.deepEqual(
      await problemsOf('  witnesses:\n    - { key: x, url: "https://w.example" }\n'),
      ['4:14 `key` is no key of a witness'],
    );
    const told = await problemsOf(
      `  witnesses:\n    - { key: "${WITNESS}", url: "file:///etc" }\n`,
    );
    assert.match(told.join('\n'), /`url` is no address of a witness/u);
    assert.deepEqual(await problemsOf('  public: yes please\n'), [
      '3:11 public must be true or false, not `yes please`',
    ]);
  });

  test('says nothing by default: a random name, keys in the data directory, for those of the layer', async () => {
    mkdirSync(join(folder, 'x'));
    assert.deepEqual(await problemsOf('  public: true\n'), []);
    const { configuration } = await readConfiguration(join(folder, 'exequatur.yaml'));
    assert.deepEqual(configuration?.ledger, { public: true, witnesses: [] });
  });
});
