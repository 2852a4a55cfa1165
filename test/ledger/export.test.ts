/** Ledger exports, whole and tampered with, and against checkpoints that were kept elsewhere. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { writeBundle } from '../../src/ledger/tile.ts';
import { readTrustPolicy, verifyExport } from '../../src/ledger/verify.ts';
import { assertBoth, firstWord, type Case } from './both.ts';
import { sampleLife } from './sample-life.ts';
import { policyFile, SampleLog, signingKey } from './sample-log.ts';

function sampleLog(lives = 3): SampleLog {
  const log = new SampleLog();
  for (let life = 0; life < lives; life += 1) log.add(...sampleLife({ id: String(life) }));
  return log;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** An export of a checkpoint and entries that may not be its own. */
function put(checkpoint: string, entries: readonly Uint8Array[]): Uint8Array {
  const note = bytesOf(checkpoint);
  const head = bytesOf(`exequatur-ledger/v1\n${String(note.length)}\n`);
  return new Uint8Array(Buffer.concat([head, note, writeBundle(entries)]));
}

describe('a ledger export', () => {
  test('is genuine, whatever pieces it comes in, and says what it proves', async () => {
    const log = sampleLog();
    const file = await log.exported();
    const policy = readTrustPolicy(policyFile(log.keys));
    for (const length of [1, 7, 1000, file.length]) {
      const pieces = Array.from({ length: Math.ceil(file.length / length) }, (_, index) =>
        file.subarray(index * length, (index + 1) * length),
      );
      const told = await verifyExport(pieces, { policy });
      assert.equal(told.status, 'genuine');
      assert.equal(told.summary, 'ledger of 15 entries');
    }
    const empty = new SampleLog();
    await assertBoth(
      [
        { name: 'whole', file, expected: 'genuine' },
        { name: 'of the beginning', file: await log.exported(7), expected: 'genuine' },
      ],
      { policy: policyFile(log.keys) },
    );
    await assertBoth([{ name: 'empty', file: await empty.exported(), expected: 'genuine' }], {
      policy: policyFile(empty.keys),
    });
  });

  test('is caught whichever byte of it was flipped', async () => {
    const log = new SampleLog();
    log.add(...sampleLife({ until: 2 }));
    const file = await log.exported();
    const given = { policy: policyFile(log.keys) };
    const missed: number[] = [];
    const cases: Case[] = [];
    for (let place = 0; place < file.length; place += 1) {
      const bad = Uint8Array.from(file);
      bad[place] = (bad[place] ?? 0) ^ (1 << (place % 8));
      const expected = await firstWord(bad, given);
      if (expected === 'genuine') missed.push(place);
      if (place % 23 === 0 && bad[0] !== 0x7b)
        cases.push({ name: String(place), file: bad, expected });
    }
    assert.deepEqual(missed, []);
    await assertBoth(cases, given);
  });

  test('is caught when it is cut off at any byte', async () => {
    const log = new SampleLog();
    log.add(...sampleLife({ until: 2 }));
    const file = await log.exported();
    const given = { policy: policyFile(log.keys) };
    for (let length = 0; length < file.length; length += 1) {
      const word = await firstWord(file.subarray(0, length), given);
      assert.equal(['truncated', 'unknown_version', 'malformed'].includes(word), true, word);
    }
    const cases = [5, 21, 40, 150, 200, file.length - 1].map((length) => ({
      name: String(length),
      file: file.subarray(0, length),
    }));
    const expected = await Promise.all(cases.map(async (each) => firstWord(each.file, given)));
    await assertBoth(
      cases.map((each, index) => ({ ...each, expected: expected[index] ?? '' })),
      given,
    );
  });

  test('is caught when entries are deleted, reordered, repeated, inserted or put in from elsewhere', async () => {
    const log = sampleLog();
    const entries = log.drafts.map(({ bytes }) => bytes);
    const [first = bytesOf('')] = entries;
    const checkpoint = log.checkpoint();
    const other = new SampleLog();
    other.add(...sampleLife());
    const cases: readonly Case[] = [
      { name: 'first away', file: put(checkpoint, entries.slice(1)), expected: 'truncated' },
      { name: 'one away', file: put(checkpoint, entries.toSpliced(6, 1)), expected: 'truncated' },
      { name: 'last away', file: put(checkpoint, entries.slice(0, -1)), expected: 'truncated' },
      { name: 'one more', file: put(checkpoint, [...entries, first]), expected: 'extra_entries' },
      {
        name: 'one put in',
        file: put(checkpoint, entries.toSpliced(6, 0, first)),
        expected: 'extra_entries',
      },
      {
        name: 'one for another',
        file: put(checkpoint, entries.toSpliced(6, 1, first)),
        expected: 'root_mismatch',
      },
      {
        name: 'a byte more',
        file: new Uint8Array([...put(checkpoint, entries), 0]),
        expected: 'truncated',
      },
      { name: 'reversed', file: put(checkpoint, entries.toReversed()), expected: 'root_mismatch' },
      {
        name: 'two joined',
        file: put(
          checkpoint,
          entries.toSpliced(3, 2, new Uint8Array(Buffer.concat(entries.slice(3, 5))), bytesOf('')),
        ),
        expected: 'root_mismatch',
      },
      {
        name: 'an older checkpoint',
        file: put(log.checkpoint(9), entries),
        expected: 'extra_entries',
      },
      { name: 'of another log', file: put(other.checkpoint(), entries), expected: 'no_key' },
      {
        name: 'another version',
        file: bytesOf('exequatur-ledger/v2\n1\n'),
        expected: 'unknown_version',
      },
      { name: 'no length', file: bytesOf('exequatur-ledger/v1\n\n'), expected: 'malformed' },
      {
        name: 'a long length',
        file: bytesOf('exequatur-ledger/v1\n99999\n'),
        expected: 'malformed',
      },
      {
        name: 'nothing',
        file: bytesOf('hello, this is something else\n'),
        expected: 'unknown_version',
      },
    ];
    await assertBoth(cases, { policy: policyFile(log.keys) });
  });

  test('that is an older copy is caught against a newer checkpoint kept elsewhere', async () => {
    const log = sampleLog();
    const policy = policyFile(log.keys);
    const older = await log.exported(9);
    const whole = await log.exported();
    await assertBoth([{ name: 'nobody kept any', file: older, expected: 'genuine' }], { policy });
    for (const [since, file, expected] of [
      [[log.checkpoint()], older, 'older_than_checkpoint'],
      [[log.checkpoint(10)], older, 'older_than_checkpoint'],
      [[log.checkpoint(9)], older, 'genuine'],
      [[log.checkpoint(0), log.checkpoint(4), log.checkpoint(9)], older, 'genuine'],
      [[log.checkpoint(4), log.checkpoint(15)], whole, 'genuine'],
    ] as const) {
      await assertBoth([{ name: String(since.length), file, expected }], { policy, since });
    }
  });

  test('of a fork that the real key signed is caught against a checkpoint kept elsewhere', async () => {
    const log = sampleLog();
    const fork = new SampleLog(log.origin, log.keys);
    fork.add(...log.drafts.slice(0, 6), ...sampleLife({ id: '77' }), ...sampleLife({ id: '78' }));
    const policy = policyFile(log.keys);
    const file = await fork.exported();
    for (const [since, expected] of [
      [[log.checkpoint()], 'forked'],
      [[log.checkpoint(7)], 'forked'],
      [[log.checkpoint(6)], 'genuine'],
    ] as const) {
      await assertBoth([{ name: 'fork', file, expected }], { policy, since });
    }
  });

  test('is compared only with good checkpoints of its own log', async () => {
    const log = sampleLog();
    const other = new SampleLog('ledger.example/other');
    other.add(...sampleLife());
    const policy = policyFile([...log.keys, ...other.keys]);
    const file = await log.exported();
    const key = log.keys[0] ?? signingKey('x');
    const stranger = new SampleLog(log.origin, [signingKey(log.origin)]);
    for (const [since, expected] of [
      [other.checkpoint(), 'other_log'],
      [stranger.checkpoint(), 'no_key'],
      [log.checkpoint().replace('\n15\n', '\n14\n'), 'forged_signature'],
      ['', 'malformed'],
      [`${key.name}\n`, 'malformed'],
    ] as const) {
      await assertBoth([{ name: since, file, expected }], { policy, since: [since] });
    }
  });
});
