/** When the disk is full, the file is damaged, the clock jumps or too much is asked at once. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Boundary, writtenRecord } from '../../../test/contract/boundary.ts';
import { HandClock } from '../../../test/contract/hand-clock.ts';
import type { StoreError } from '../../engine/ports.ts';
import { DATABASE_FILE } from './files.ts';
import { BATCH_COMMANDS_MAX, QUEUE_COMMANDS_MAX } from './group-commit.ts';
import { openSqliteStore, type SqliteOptions, type SqliteStore } from './open.ts';
import { resetClockMark } from './reset-clock-mark.ts';
import { CLOCK_BACK_MS_MAX, CLOCK_FORWARD_MS_MAX } from './store-clock.ts';

let directory = '';
let clock = new HandClock();
let store: SqliteStore | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'exequatur-trouble-'));
  clock = new HandClock();
});

afterEach(async () => {
  await store?.close();
  store = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function open(options: Partial<SqliteOptions> = {}): Promise<Boundary> {
  store = await openSqliteStore({ directory, clock, ...options });
  return new Boundary(store, clock);
}

async function openNew(options: Partial<SqliteOptions> = {}): Promise<Boundary> {
  return (await open(options)).enrolAll();
}

describe('a full disk', () => {
  test('law 9: nothing of the batch is written, and the store comes back when there is room', async () => {
    const boundary = await openNew();
    assert.ok(store !== undefined);
    const kept = await boundary.proposed();
    store.boundBytes(statSync(store.path).size + 400_000);
    const written: string[] = [];
    const refused: string[] = [];
    for (let round = 0; round < 40; round += 1) {
      const commands = Array.from({ length: 50 }, () => boundary.proposal());
      const results = await Promise.allSettled(
        commands.map((command) => boundary.store.advance(command)),
      );
      for (const [index, result] of results.entries()) {
        const id = commands[index]?.propose.id ?? assert.fail();
        if (result.status === 'fulfilled') written.push(id);
        else assert.equal(codeOf(result.reason), 'store_full');
        if (result.status === 'rejected') refused.push(id);
      }
    }
    assert.ok(written.length > 0 && refused.length > 0);
    const executing = (await boundary.store.executing(boundary.tenant)).map(({ id }) => id);
    assert.deepEqual(executing, [kept.id, ...written]);
    store.boundBytes(2 ** 40);
    const after = await boundary.proposed();
    assert.equal(after.state, 'executing');
    const entries = await boundary.store.ledger(boundary.tenant, 0, 10_000);
    assert.deepEqual(
      entries.map(({ sequence }) => sequence),
      entries.map((_, index) => index + 1),
    );
    assert.equal(entries.length, 4 + 2 * (written.length + 2));
  });

  test(
    'a file system without room refuses in the same way, and what was acknowledged is there',
    { skip: mountable() ? false : 'needs the right to mount' },
    async () => {
      const mount = join(directory, 'small');
      execFileSync('mkdir', ['-m', '700', mount]);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=700', 'tmpfs', mount]);
      try {
        const boundary = await openNew({ directory: mount });
        const written: string[] = [];
        let refusal: unknown;
        while (refusal === undefined) {
          try {
            written.push((await boundary.proposed()).id);
          } catch (error) {
            refusal = error;
          }
        }
        assert.equal(codeOf(refusal), 'store_full');
        await assert.rejects(boundary.propose(), { code: 'store_full' });
        execFileSync('mount', ['-o', 'remount,size=16m', mount]);
        written.push((await boundary.proposed()).id);
        await store?.close();
        const again = await open({ directory: mount });
        const found = (await again.store.executing(again.tenant)).map(({ id }) => id);
        assert.deepEqual(found, written);
        await store?.close();
      } finally {
        execFileSync('umount', [mount]);
      }
    },
  );
});

function mountable(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const place = mkdtempSync(join(tmpdir(), 'exequatur-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', place]).status === 0;
  if (mounted) spawnSync('umount', [place]);
  rmSync(place, { recursive: true, force: true });
  return mounted;
}

describe('a damaged file', () => {
  test('a damaged page ends the process: everything is refused, and the reason is handed over', async () => {
    const boundary = await openNew();
    for (let index = 0; index < 100; index += 1) await boundary.proposed();
    await store?.close();
    damagePages();
    const errors: unknown[] = [];
    const damaged = await open({ fatal: (error) => errors.push(error) });
    await assert.rejects(damaged.store.executing(damaged.tenant));
    assert.equal(errors.length, 1);
    await assert.rejects(damaged.propose(), { code: 'store_closed' });
    await assert.rejects(damaged.store.executing(damaged.tenant), { code: 'store_closed' });
  });

  test('unless told otherwise the process exits with 70, and says why in one line', async () => {
    const boundary = await openNew();
    for (let index = 0; index < 100; index += 1) await boundary.proposed();
    await store?.close();
    damagePages();
    const script = `
      import { openSqliteStore } from ${JSON.stringify(new URL('open.ts', import.meta.url).href)};
      const clock = { now: () => ${String(clock.now())}, monotonicMs: () => 0 };
      const store = await openSqliteStore({ directory: ${JSON.stringify(directory)}, clock });
      await store.executing('acme').catch(() => undefined);
      console.log('went on');`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    assert.equal(ended.status, 70);
    assert.equal(ended.stdout, '');
    assert.match(ended.stderr, /^the store failed and the process ends: [^\n]+\n$/u);
  });

  test('a column that is not as it was written refuses that action alone, and is told', async () => {
    const boundary = await openNew();
    const [good, bad, raw] = [
      await boundary.proposed(),
      await boundary.proposed(),
      await boundary.proposed(),
    ];
    await store?.close();
    const stopped = new DatabaseSync(join(directory, DATABASE_FILE));
    const set = (column: string, value: string | Uint8Array, id: string): void => {
      stopped
        .prepare(
          `UPDATE content SET ${column} = ? WHERE action = (SELECT id FROM action WHERE uuid = ?)`,
        )
        .run(value, Buffer.from(id.replaceAll('-', ''), 'hex'));
    };
    set('decision', '{"verdict":"admit"}', bad.id);
    set('bytes', Buffer.from('not the action'), raw.id);
    stopped.close();
    const told: StoreError[] = [];
    const again = await open({ corrupt: (error) => told.push(error) });
    await assert.rejects(again.stored(bad), { code: 'store_corrupt', message: /decision/u });
    await assert.rejects(again.settle(bad, 'succeeded'), { code: 'store_corrupt' });
    assert.equal((await again.stored(good)).id, good.id);
    const { bytes } = await again.stored(raw);
    assert.equal(Buffer.from(bytes).toString(), 'not the action');
    const listed = await again.store.executing(again.tenant);
    assert.deepEqual(
      listed.map(({ id }) => id),
      [good.id, raw.id],
    );
    assert.deepEqual(
      told.map(({ code }) => code),
      ['store_corrupt'],
    );
  });
});

/** Overwrites all pages of actions, from the forty-sixth on, and leaves what opening reads. */
function damagePages(): void {
  const path = join(directory, DATABASE_FILE);
  const pages = Math.floor(statSync(path).size / 4096);
  const handle = openSync(path, 'r+');
  // The schema lies before these, and behind them what is read at the start: the end of the ledger.
  for (let page = 50; page < pages - 30; page += 1) {
    writeSync(handle, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
  }
  closeSync(handle);
}

describe('the clock', () => {
  test('a small step back waits: time stands still, and crossings go on', async () => {
    const boundary = await openNew();
    const first = await boundary.proposed();
    clock.jump(-CLOCK_BACK_MS_MAX);
    const second = await boundary.proposed();
    assert.equal(second.execution?.crossedAt, first.execution?.crossedAt);
    clock.pass(CLOCK_BACK_MS_MAX + 1);
    const third = await boundary.proposed();
    assert.equal(third.execution?.crossedAt, clock.now());
  });

  test('law 8: a longer step back stops crossings until it is caught up; halts and outcomes are still stored', async () => {
    const boundary = await openNew();
    const record = await boundary.proposed();
    clock.jump(-CLOCK_BACK_MS_MAX - 1);
    await assert.rejects(boundary.propose(), { code: 'clock_jumped', message: /set it right/u });
    assert.equal(writtenRecord(await boundary.settle(record, 'succeeded')).state, 'succeeded');
    const { enrol } = { enrol: await boundary.enrol('person', 'nina') };
    assert.equal(enrol.kind, 'written');
    clock.jump(1);
    assert.equal((await boundary.proposed()).state, 'executing');
  });

  test('a jump ahead stops crossings once it is beyond its limit, and a restart goes on', async () => {
    const boundary = await openNew();
    await boundary.proposed();
    clock.jump(CLOCK_FORWARD_MS_MAX);
    assert.equal((await boundary.proposed()).state, 'executing');
    clock.jump(CLOCK_FORWARD_MS_MAX + 1);
    await assert.rejects(boundary.propose(), { code: 'clock_jumped', message: /restart/u });
    clock.pass(1000);
    await assert.rejects(boundary.propose(), { code: 'clock_jumped' });
    await store?.close();
    assert.equal((await (await open()).proposed()).state, 'executing');
  });

  test('time that goes by on both clocks is no jump', async () => {
    const boundary = await openNew();
    await boundary.proposed();
    clock.pass(10 * CLOCK_FORWARD_MS_MAX);
    assert.equal((await boundary.proposed()).state, 'executing');
  });

  test('a store is not opened at an earlier time than it has seen, until the mark is reset', async () => {
    await openNew();
    await store?.close();
    clock.jump(-CLOCK_BACK_MS_MAX - 1);
    await assert.rejects(open(), { code: 'clock_jumped', message: /reset the mark/u });
    resetClockMark({ directory, clock });
    const boundary = await open();
    assert.equal((await boundary.proposed()).execution?.crossedAt, clock.now());
  });
});

describe('overload', () => {
  test('law 15: the queue takes as many as its limit, and refuses one past it', async () => {
    const boundary = await openNew();
    const command = boundary.proposal();
    const results = await Promise.allSettled(
      Array.from({ length: QUEUE_COMMANDS_MAX + 1 }, () => boundary.store.advance(command)),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    assert.deepEqual(
      refused.map(({ reason }) => codeOf(reason)),
      ['store_overloaded'],
    );
    assert.equal((await boundary.proposed()).state, 'executing');
  });

  test('other work runs between two transactions', async () => {
    const boundary = await openNew();
    let turns = 0;
    const count = setInterval(() => {
      turns += 1;
    }, 0);
    await Promise.all(Array.from({ length: 4 * BATCH_COMMANDS_MAX }, () => boundary.propose()));
    clearInterval(count);
    assert.ok(turns >= 2, String(turns));
  });
});

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : error;
}
