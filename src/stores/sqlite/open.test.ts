import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Boundary } from '../../../test/contract/boundary.ts';
import { HandClock } from '../../../test/contract/hand-clock.ts';
import { parseActionId } from '../../kernel/id.ts';
import { DATABASE_FILE } from './files.ts';
import { APPLICATION_ID, migrations } from './migrate.ts';
import { openDatabase, requireVersion } from './open-database.ts';
import { openSqliteStore, type SqliteStore } from './open.ts';

const WRITER = fileURLToPath(new URL('../../../test/contract/sqlite-writer.ts', import.meta.url));

let directory = '';
let file = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'exequatur-open-'));
  file = join(directory, DATABASE_FILE);
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function open(): Promise<SqliteStore> {
  return openSqliteStore({ directory, clock: new HandClock() });
}

async function makeStore(): Promise<void> {
  const store = await open();
  await new Boundary(store, new HandClock()).enrolAll();
  await store.close();
}

/** Starts the writer and waits until it owns the store. */
async function startOwner(mode: 'own' | 'write'): Promise<{
  readonly child: ChildProcess;
  readonly pid: number;
  readonly lines: AsyncIterator<string>;
}> {
  const child = spawn(process.execPath, [WRITER, directory, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.ok(child.pid !== undefined && child.stdout !== null);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  assert.equal(first.value, 'ready');
  return { child, pid: child.pid, lines };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

test('law 12: commits are durable: synchronous is FULL also when an existing database is opened again', async () => {
  await makeStore();
  const database = openDatabase(directory);
  try {
    const pragma = (name: string): unknown =>
      Object.values(database.db.get(`PRAGMA ${name}`) ?? {})[0];
    assert.equal(pragma('synchronous'), 2);
    assert.equal(pragma('journal_mode'), 'wal');
    assert.equal(pragma('locking_mode'), 'exclusive');
    assert.equal(pragma('foreign_keys'), 1);
    assert.equal(pragma('trusted_schema'), 0);
    assert.equal(pragma('application_id'), APPLICATION_ID);
    assert.equal(pragma('user_version'), migrations().length);
  } finally {
    database.close();
  }
});

test('directory and files are the owner’s alone', async () => {
  const nested = join(directory, 'a', 'b');
  const store = await openSqliteStore({ directory: nested, clock: new HandClock() });
  try {
    assert.equal(statSync(nested).mode & 0o777, 0o700);
    for (const name of readdirSync(nested)) {
      assert.equal(statSync(join(nested, name)).mode & 0o777, 0o600, name);
    }
    assert.ok(readdirSync(nested).includes(`${DATABASE_FILE}-wal`));
  } finally {
    await store.close();
  }
  chmodSync(join(nested, DATABASE_FILE), 0o644);
  const again = await openSqliteStore({ directory: nested, clock: new HandClock() });
  assert.equal(statSync(join(nested, DATABASE_FILE)).mode & 0o777, 0o600);
  await again.close();
});

test('a directory that others may write to is refused', async () => {
  const shared = join(directory, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o770);
  await assert.rejects(openSqliteStore({ directory: shared, clock: new HandClock() }), {
    code: 'store_unsafe',
  });
  assert.deepEqual(readdirSync(shared), []);
});

test('a database of a later version is refused, and not a byte of it changes', async () => {
  await makeStore();
  const later = new DatabaseSync(file);
  later.exec(`PRAGMA user_version = ${String(migrations().length + 1)}`);
  later.close();
  const before = readFileSync(file);
  await assert.rejects(open(), {
    code: 'store_newer',
    message: /start the version that wrote it/u,
  });
  assert.ok(readFileSync(file).equals(before));
});

test('a later version that stands in the log alone is refused, and neither file changes', async () => {
  await makeStore();
  const { child } = await startOwner('own');
  await kill(child);
  const later = new DatabaseSync(file);
  later.exec('PRAGMA wal_autocheckpoint = 0');
  later.exec(`PRAGMA user_version = ${String(migrations().length + 1)}`);
  const copy = join(directory, 'copy');
  mkdirSync(copy, { mode: 0o700 });
  for (const name of [DATABASE_FILE, `${DATABASE_FILE}-wal`]) {
    writeFileSync(join(copy, name), readFileSync(join(directory, name)));
  }
  later.close();
  const bytes = (): readonly Buffer[] =>
    [DATABASE_FILE, `${DATABASE_FILE}-wal`].map((name) => readFileSync(join(copy, name)));
  const before = bytes();
  assert.equal(before[0]?.readInt32BE(60), migrations().length);
  await assert.rejects(openSqliteStore({ directory: copy, clock: new HandClock() }), {
    code: 'store_newer',
  });
  for (const [index, now] of bytes().entries()) assert.ok(before[index]?.equals(now));
});

test('a file that is not a store of ours is refused, and not a byte of it changes', async () => {
  const foreign = new DatabaseSync(file);
  foreign.exec('CREATE TABLE notes (text)');
  foreign.close();
  const contents = [
    readFileSync(file),
    Buffer.alloc(4096, 'x'),
    Buffer.from('short'),
    Buffer.alloc(0),
  ];
  for (const content of contents) {
    writeFileSync(file, content);
    await assert.rejects(open(), { code: 'store_foreign' });
    assert.ok(readFileSync(file).equals(content));
  }
});

test('a store that was being made when the process died is made anew', async () => {
  writeFileSync(`${file}.new`, 'half of a database');
  const store = await open();
  await store.close();
  assert.equal(readdirSync(directory).includes(`${DATABASE_FILE}.new`), false);
});

test('law 13: a ledger in which entries are missing is refused at once, however many', async () => {
  await makeStore();
  const database = new DatabaseSync(file);
  database.exec('UPDATE ledger SET id = id + 4194304 WHERE id = (SELECT max(id) FROM ledger)');
  database.close();
  await assert.rejects(open(), { code: 'store_corrupt' });
});

test('a second process is refused and told who owns the store', async () => {
  const { child, pid } = await startOwner('own');
  try {
    await assert.rejects(open(), {
      code: 'store_locked',
      message: new RegExp(`\`${String(pid)}\``, 'u'),
    });
  } finally {
    await kill(child);
  }
  const store = await openSqliteStore({ directory, clock: new HandClock(Date.now()) });
  await store.close();
});

test('a second opening by the same process is refused, and the first one keeps its lock', async () => {
  const store = await open();
  try {
    await assert.rejects(open(), { code: 'store_locked' });
    const child = spawn(process.execPath, [WRITER, directory, 'own'], { stdio: 'ignore' });
    const [code] = await once(child, 'exit');
    assert.notEqual(code, 0);
  } finally {
    await store.close();
  }
});

test('law 12: what was acknowledged before kill -9 is there afterwards, whole, and its executions are lost ones', async () => {
  for (let round = 0; round < 3; round += 1) {
    const { child, lines } = await startOwner('write');
    const acknowledged: string[] = [];
    const stopAt = 150 + round * 137;
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      acknowledged.push(line.value);
      if (acknowledged.length === stopAt) child.kill('SIGKILL');
    }
    assert.ok(acknowledged.length >= stopAt);
    await checkAfterKill(acknowledged);
    rmSync(directory, { recursive: true });
    mkdirSync(directory, { mode: 0o700 });
  }
});

async function checkAfterKill(acknowledged: readonly string[]): Promise<void> {
  const clock = new HandClock(Date.now() + 1000);
  const store = await openSqliteStore({ directory, clock });
  try {
    const { tenant } = new Boundary(store, clock);
    for (const text of acknowledged) {
      const id = parseActionId(text);
      assert.ok(id !== undefined);
      assert.equal((await store.action(tenant, id))?.state, 'executing', text);
    }
    const lost = await store.lost('engine-a', clock.now());
    assert.ok(lost.length >= acknowledged.length);
    // Four people and agents, and two entries an action: rows and ledger were committed together.
    assert.equal((await store.ledger(tenant, 0, 10_000)).length, 4 + 2 * lost.length);
    const database = new Boundary(store, clock);
    await database.settle(await database.stored({ id: lost[0]?.id ?? assert.fail() }), 'unknown');
  } finally {
    await store.close();
  }
}

test('a SQLite older than 3.51.3 is refused', () => {
  for (const version of ['3.51.2', '3.50.9', '2.99.99', '3.51', '']) {
    assert.throws(() => requireVersion(version), { code: 'store_unsafe' }, version);
  }
  for (const version of ['3.51.3', '3.51.10', '3.52.0', '4.0.0']) requireVersion(version);
});
