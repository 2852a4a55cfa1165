/** Checkpoints over real stores: how often they are signed, and what is never signed. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { ping, startBox } from '../../test/api/box.ts';
import type { Layer } from '../../test/fixtures/layer.ts';
import { createTestSigner } from '../../test/fixtures/signer.ts';
import { readCheckpoint } from '../ledger/checkpoint.ts';
import { NoteError, readNote } from '../ledger/note.ts';
import {
  CHECKPOINT_EVERY_MS,
  Checkpoints,
  type CheckpointMarks,
  type Witnesses,
} from './checkpoints.ts';
import type { LogStore, Signer } from './ports.ts';

/** Marks in memory, and every note that was written. */
class Marks implements CheckpointMarks {
  readonly written: string[] = [];
  read(): string | undefined {
    return this.written.at(-1);
  }
  async write(_tenant: unknown, note: string): Promise<void> {
    this.written.push(note);
  }
}

interface Signed {
  readonly checkpoints: Checkpoints;
  readonly marks: Marks;
  readonly trouble: readonly string[];
}

function checkpointsOver(
  store: LogStore,
  parts: {
    readonly marks?: Marks;
    readonly signer?: Signer;
    readonly witnesses?: Witnesses;
  } = {},
): Signed {
  const { marks = new Marks(), signer = createTestSigner(), witnesses } = parts;
  const trouble: string[] = [];
  const checkpoints = new Checkpoints({
    store,
    signer,
    marks,
    origin: 'log.example',
    trouble: (code) => trouble.push(code),
    ...(witnesses === undefined ? {} : { witnesses }),
  });
  return { checkpoints, marks, trouble };
}

function sizeOf(note: string): number {
  return readCheckpoint(readNote(note).text).size;
}

/** A store that becomes another one under the feet of whoever holds it. */
function switching(stores: { current: LogStore }): LogStore {
  return {
    tree: (...given) => stores.current.tree(...given),
    tile: (...given) => stores.current.tile(...given),
    inclusion: (...given) => stores.current.inclusion(...given),
    consistency: (...given) => stores.current.consistency(...given),
    log: (...given) => stores.current.log(...given),
    keepCheckpoint: (...given) => stores.current.keepCheckpoint(...given),
    payloads: (...given) => stores.current.payloads(...given),
  };
}

describe('checkpoints', () => {
  let layer: Layer;
  let other: Layer;
  let agent: string;
  before(async () => {
    layer = await startBox();
    other = await startBox();
    agent = await layer.agentKey();
    const stranger = await other.agentKey();
    for (let round = 0; round < 20; round += 1) await other.propose(stranger, ping());
  });
  after(async () => {
    await layer.close();
    await other.close();
  });

  test('however often a log grows, it is signed at most every 200 ms, and once more at the end', async () => {
    const { checkpoints, marks } = checkpointsOver(layer.store);
    const startMs = performance.now();
    while (performance.now() - startMs < 2.5 * CHECKPOINT_EVERY_MS) {
      await layer.propose(agent, ping());
      checkpoints.grown(layer.tenant);
    }
    const tookMs = performance.now() - startMs;
    assert.ok(marks.written.length >= 1);
    assert.ok(marks.written.length <= Math.ceil(tookMs / CHECKPOINT_EVERY_MS));
    await checkpoints.close();
    const { size } = await layer.store.tree(layer.tenant);
    assert.equal(sizeOf(marks.written.at(-1) ?? ''), size);
    assert.equal((await layer.store.log(layer.tenant)).checkpoint, marks.written.at(-1));
  });

  test('a receipt that waits is signed at once, and many that wait by one signature', async () => {
    const { checkpoints, marks } = checkpointsOver(layer.store);
    await layer.propose(agent, ping());
    const { size } = await layer.store.tree(layer.tenant);
    const startMs = performance.now();
    const all = await Promise.all(
      Array.from({ length: 50 }, () => checkpoints.covering(layer.tenant, size)),
    );
    assert.ok(performance.now() - startMs < CHECKPOINT_EVERY_MS);
    assert.equal(marks.written.length, 1);
    assert.ok(all.every(({ checkpoint }) => checkpoint.size === size));
    await assert.rejects(checkpoints.covering(layer.tenant, size + 1), /the log is behind/u);
    await checkpoints.close();
  });

  test('the newest is not older than the log by more than the time between two', async () => {
    const { checkpoints } = checkpointsOver(layer.store);
    await checkpoints.newest(layer.tenant);
    await layer.propose(agent, ping());
    const { size } = await layer.store.tree(layer.tenant);
    assert.ok(sizeOf(await checkpoints.newest(layer.tenant)) < size);
    await wait(CHECKPOINT_EVERY_MS);
    assert.equal(sizeOf(await checkpoints.newest(layer.tenant)), size);
    await checkpoints.close();
  });

  test('what is written while witnesses are asked is signed afterwards, without being told of again', async () => {
    const slow: Witnesses = {
      lacking: () => true,
      cosign: async () => {
        await wait(2 * CHECKPOINT_EVERY_MS);
        return [];
      },
    };
    const { checkpoints, marks } = checkpointsOver(layer.store, { witnesses: slow });
    checkpoints.grown(layer.tenant);
    await wait(1.5 * CHECKPOINT_EVERY_MS);
    await layer.propose(agent, ping());
    checkpoints.grown(layer.tenant);
    const { size } = await layer.store.tree(layer.tenant);
    assert.ok(sizeOf(marks.written.at(-1) ?? '') < size);
    const untilMs = performance.now() + 5000;
    while (sizeOf(marks.written.at(-1) ?? '') < size && performance.now() < untilMs) await wait(20);
    assert.equal(sizeOf(marks.written.at(-1) ?? ''), size);
    await checkpoints.close();
  });

  test('after a rotation the same tree is signed again, by every key that signs now', async () => {
    const [older, newer] = [createTestSigner(), createTestSigner()];
    const marks = new Marks();
    const first = checkpointsOver(layer.store, { marks, signer: older });
    await first.checkpoints.newest(layer.tenant);
    const both: Signer = {
      publicKeys: [...newer.publicKeys, ...older.publicKeys],
      sign: (bytes) => [...newer.sign(bytes), ...older.sign(bytes)],
    };
    const second = checkpointsOver(layer.store, { marks, signer: both });
    assert.equal(await second.checkpoints.open(layer.tenant), undefined);
    const { size } = await layer.store.tree(layer.tenant);
    const { note } = await second.checkpoints.covering(layer.tenant, size);
    assert.equal(sizeOf(note), size);
    assert.equal(readNote(note).signatures.length, 2);
    assert.equal(marks.written.at(-1), note);
    await second.checkpoints.close();
  });

  test('law 13: a store that is older than the newest mark is not started on', async () => {
    const { checkpoints, marks } = checkpointsOver(other.store);
    await checkpoints.newest(other.tenant);
    const fresh = await startBox();
    try {
      const refused = await checkpointsOver(fresh.store, { marks }).checkpoints.open(fresh.tenant);
      assert.equal(refused?.code, 'ledger_rolled_back');
      assert.match(refused.message, /of 6\d entries and has 1$/u);
      assert.match(refused.hint, /exequatur restore/u);
    } finally {
      await fresh.close();
    }
  });

  test('law 13: a store of the same length with another history is not started on', async () => {
    const { checkpoints, marks } = checkpointsOver(layer.store);
    await checkpoints.newest(layer.tenant);
    while ((await other.store.tree(other.tenant)).size < sizeOf(marks.written.at(-1) ?? '')) {
      await other.propose(await other.agentKey(), ping());
    }
    const refused = await checkpointsOver(other.store, { marks }).checkpoints.open(other.tenant);
    assert.equal(refused?.code, 'ledger_diverged');
  });

  test('law 13: a log that did not only grow is never signed again, and says so once', async () => {
    const stores: { current: LogStore } = { current: layer.store };
    const { checkpoints, marks, trouble } = checkpointsOver(switching(stores));
    const { size } = await layer.store.tree(layer.tenant);
    await checkpoints.covering(layer.tenant, size);
    const signed = marks.written.length;
    stores.current = other.store;
    const stranger = await other.agentKey();
    while ((await other.store.tree(other.tenant)).size <= size) {
      await other.propose(stranger, ping());
    }
    await assert.rejects(checkpoints.covering(layer.tenant, size + 1), NoteError);
    assert.deepEqual(trouble, ['ledger_diverged']);
    assert.deepEqual(checkpoints.diverged, [layer.tenant]);
    checkpoints.grown(layer.tenant);
    await assert.rejects(checkpoints.covering(layer.tenant, size + 1), NoteError);
    await checkpoints.close();
    assert.equal(marks.written.length, signed);
    assert.deepEqual(trouble, ['ledger_diverged']);
  });

  test('law 13: a log that became shorter is never signed again', async () => {
    const fresh = await startBox();
    try {
      const stores: { current: LogStore } = { current: layer.store };
      const { checkpoints, trouble } = checkpointsOver(switching(stores));
      await checkpoints.newest(layer.tenant);
      await wait(CHECKPOINT_EVERY_MS);
      stores.current = fresh.store;
      await assert.rejects(checkpoints.newest(layer.tenant), NoteError);
      assert.deepEqual(trouble, ['ledger_diverged']);
    } finally {
      await fresh.close();
    }
  });
});
