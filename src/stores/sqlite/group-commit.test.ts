/** One transaction for many commands, and one of them that fails. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, test } from 'node:test';
import { HandClock } from '../../../test/contract/hand-clock.ts';
import { Connection, integer } from './connection.ts';
import { GroupCommit } from './group-commit.ts';
import { StoreClock } from './store-clock.ts';

let db: Connection;
let commit: GroupCommit;
let commits: number[] = [];
let flushed: string[] = [];

beforeEach(() => {
  db = new Connection(new DatabaseSync(':memory:'));
  db.execute(
    'CREATE TABLE clock (id INTEGER PRIMARY KEY, mark INTEGER); INSERT INTO clock VALUES (1, 0);' +
      'CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)',
  );
  commits = [];
  flushed = [];
  const clock = new HandClock();
  commit = new GroupCommit({
    db,
    clock: new StoreClock(clock, clock.now()),
    monotonicMs: () => clock.monotonicMs(),
    flush: () => void flushed.push('flush'),
    forget: () => void flushed.push('forget'),
    committed: (_, count) => void commits.push(count),
    fatal: (error) => assert.fail(String(error)),
  });
});

const write = (text: string) => (): string => {
  db.run('INSERT INTO note (text) VALUES (?)', text);
  return text;
};

function notes(): readonly unknown[] {
  return db.all('SELECT text FROM note ORDER BY id').map((row) => row['text']);
}

describe('a batch', () => {
  test('is one transaction, and a command that fails before it writes leaves the others alone', async () => {
    const results = await Promise.allSettled([
      commit.submit(write('a')),
      commit.submit(() => {
        throw new Error('judged no');
      }),
      commit.submit(write('b')),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(notes(), ['a', 'b']);
    assert.deepEqual(commits, [3]);
    assert.deepEqual(flushed, ['flush']);
  });

  test('in which a command fails after it wrote is undone, and run again one by one', async () => {
    let runs = 0;
    const results = await Promise.allSettled([
      commit.submit(() => {
        runs += 1;
        return write('a')();
      }),
      commit.submit(() => {
        write('half')();
        throw new Error('broken');
      }),
      commit.submit(write('a')),
      commit.submit(write('b')),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    );
    const [, broken] = results;
    assert.match(String(broken?.status === 'rejected' && broken.reason), /broken/u);
    assert.equal(runs, 2);
    assert.deepEqual(notes(), ['a', 'b']);
    // Nothing in memory outlives the rollback, and each command was committed by itself.
    assert.equal(flushed[0], 'forget');
    assert.deepEqual(commits, [1, 1]);
    assert.equal(await commit.submit(write('c')), 'c');
    assert.equal(integer(db.get('SELECT count(*) AS count FROM note') ?? {}, 'count'), 3);
    assert.equal(db.inTransaction, false);
  });
});
