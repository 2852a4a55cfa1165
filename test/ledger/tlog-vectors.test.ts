/** The log of tessera's test data: what another implementation signed and laid out reads the same here. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readCheckpoint } from '../../src/ledger/checkpoint.ts';
import {
  consistencyProof,
  Frontier,
  inclusionProof,
  leafHash,
  verifyConsistency,
  verifyInclusion,
} from '../../src/ledger/merkle.ts';
import { readNote, readVerifierKey, verifyNote, writeNote } from '../../src/ledger/note.ts';
import { nodesOf, readBundle, tilePath, tileWidth, writeBundle } from '../../src/ledger/tile.ts';

const LOG = new URL('../vectors/tlog/testdata/log/', import.meta.url);
const KEY = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx';
const SIZES = Array.from({ length: 16 }, (_, size) => size);

function file(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, LOG)));
}

function noteOf(size: number): string {
  return readFileSync(new URL(`checkpoint.${String(size)}`, LOG), 'utf8');
}

function rootOf(size: number): Uint8Array {
  return readCheckpoint(readNote(noteOf(size)).text).root;
}

describe('the log of tessera', () => {
  const key = readVerifierKey(KEY);
  const entries = readBundle(file(tilePath({ level: 'entries', index: 0, width: 15 }))) ?? [];

  test('has 16 checkpoints, each signed by its key, none by it when changed', async () => {
    for (const size of SIZES) {
      const text = noteOf(size);
      const note = readNote(text);
      assert.equal(writeNote(note), text);
      assert.deepEqual(await verifyNote(note, key), { kind: 'valid' });
      assert.deepEqual(
        [readCheckpoint(note.text).size, key.name],
        [size, readCheckpoint(note.text).origin],
      );
      const moved = { ...note, text: note.text.replace(`\n${String(size)}\n`, '\n77\n') };
      assert.deepEqual(await verifyNote(moved, key), { kind: 'forged' });
    }
  });

  test('has the roots that its entries have here', () => {
    const frontier = new Frontier();
    for (const size of SIZES) {
      assert.deepEqual(
        new Uint8Array(frontier.root()),
        readCheckpoint(readNote(noteOf(size)).text).root,
      );
      const entry = entries[size];
      if (entry !== undefined) frontier.append(leafHash(entry));
    }
    assert.equal(entries.length, 15);
  });

  test('has tiles and bundles byte for byte as they are written here', () => {
    for (const width of SIZES.slice(1)) {
      const some = entries.slice(0, width);
      assert.deepEqual(writeBundle(some), file(tilePath({ level: 'entries', index: 0, width })));
      assert.deepEqual(
        new Uint8Array(Buffer.concat(some.map((entry) => leafHash(entry)))),
        file(tilePath({ level: 0, index: 0, width })),
      );
    }
  });

  test('proves by its tiles that each checkpoint continues those before, and holds its entries', () => {
    for (const later of SIZES.slice(1)) {
      const nodes = nodesOf((level, index) =>
        file(tilePath({ level, index, width: tileWidth(level, index, later) })),
      );
      for (const [index, entry] of entries.slice(0, later).entries()) {
        const proof = inclusionProof(index, later, nodes);
        const leaf = leafHash(entry);
        assert.ok(verifyInclusion({ index, size: later, leaf, proof, root: rootOf(later) }));
        const earlier = index + 1;
        assert.ok(
          verifyConsistency({
            earlier,
            later,
            earlierRoot: rootOf(earlier),
            laterRoot: rootOf(later),
            proof: consistencyProof(earlier, later, nodes),
          }),
        );
      }
    }
  });
});
