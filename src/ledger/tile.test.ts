import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ENTRY_BYTES_MAX } from './entry.ts';
import { Frontier, inclusionProof, leafHash, verifyInclusion } from './merkle.ts';
import {
  nodesOf,
  readBundle,
  readTilePath,
  TILE_WIDTH,
  tilePath,
  tileWidth,
  writeBundle,
} from './tile.ts';

test('paths are written as tlog-tiles says, and read back', () => {
  for (const [path, level, index, width] of [
    ['tile/0/000', 0, 0, 256],
    ['tile/3/x001/x234/067.p/1', 3, 1_234_067, 1],
    ['tile/0/x001/234', 0, 1234, 256],
    ['tile/entries/999.p/255', 'entries', 999, 255],
    ['tile/63/x123/456', 63, 123_456, 256],
  ] as const) {
    assert.equal(tilePath({ level, index, width }), path);
    assert.deepEqual(readTilePath(path), { level, index, width });
  }
});

for (const path of [
  '',
  'tile/0/0',
  'tile/0/0000',
  'tile/00/000',
  'tile/64/000',
  'tile/-1/000',
  'tile/0/x000/001',
  'tile/0/001/234',
  'tile/0/x001/x234',
  'tile/0/000.p/0',
  'tile/0/000.p/256',
  'tile/0/000.p/01',
  'tile/0/000.p/',
  'tile/0/000/',
  '/tile/0/000',
  'tile/data/000',
  'tile/0/x999/x999/x999/x999/x999/999',
  'tile/0/../000',
  'tile/0/000\n',
]) {
  test(`\`${JSON.stringify(path)}\` is no tile’s path`, () => {
    assert.equal(readTilePath(path), undefined);
  });
}

test('any place has a path that says just that', () => {
  const place = fc.record(
    {
      level: fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const)),
      index: fc.integer({ min: 0, max: 2 ** 40 }),
      width: fc.integer({ min: 1, max: 256 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(fc.property(place, (given) => assert.deepEqual(readTilePath(tilePath(given)), given)));
});

test('a tile is as wide as its tree makes it', () => {
  for (const [level, index, size, width] of [
    [0, 0, 0, 0],
    [0, 0, 255, 255],
    [0, 0, 256, 256],
    [0, 0, 257, 256],
    [0, 1, 257, 1],
    [1, 0, 255, 0],
    [1, 0, 513, 2],
    [1, 0, 65_536, 256],
    [2, 0, 65_536, 1],
    ['entries', 1, 300, 44],
    ['entries', 2, 300, 0],
  ] as const) {
    assert.equal(tileWidth(level, index, size), width);
  }
});

test('entries come back from their bundle, and what ends within one does not', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }), (entries) => {
      const bundle = writeBundle(entries);
      assert.deepEqual(readBundle(bundle), entries);
      const whole = new Set<number>([0]);
      let at = 0;
      for (const { length } of entries) whole.add((at += 2 + length));
      for (let end = 0; end < bundle.length; end += 1) {
        assert.equal(readBundle(bundle.subarray(0, end)) === undefined, !whole.has(end));
      }
    }),
  );
});

test('an entry of 65,535 bytes fits a bundle, and one byte more does not', () => {
  const longest = new Uint8Array(ENTRY_BYTES_MAX);
  assert.deepEqual(readBundle(writeBundle([longest]))?.[0]?.length, ENTRY_BYTES_MAX);
  assert.throws(() => writeBundle([new Uint8Array(ENTRY_BYTES_MAX + 1)]), RangeError);
});

test('proofs are made from tiles alone, over more than one level of them', () => {
  const size = 66_000;
  const tiles = new Map<string, Uint8Array>();
  const frontier = new Frontier();
  const leaf = new Uint8Array(4);
  for (let index = 0; index < size; index += 1) {
    new DataView(leaf.buffer).setUint32(0, index);
    frontier.append(leafHash(leaf), (level, place, hash) => {
      if (level % 8 !== 0) return;
      const name = `${String(level / 8)} ${String(Math.floor(place / TILE_WIDTH))}`;
      const tile = tiles.get(name) ?? new Uint8Array(TILE_WIDTH * 32);
      tile.set(hash, (place % TILE_WIDTH) * 32);
      tiles.set(name, tile);
    });
  }
  const nodes = nodesOf((level, index) => {
    const width = tileWidth(level, index, size);
    const tile = tiles.get(`${String(level)} ${String(index)}`) ?? new Uint8Array();
    return tile.subarray(0, width * 32);
  });
  const root = frontier.root();
  assert.deepEqual(new Frontier(size, nodes).root(), root);
  for (const index of [0, 255, 256, 257, 40_000, 65_535, 65_536, 65_999]) {
    new DataView(leaf.buffer).setUint32(0, index);
    const proof = inclusionProof(index, size, nodes);
    assert.ok(verifyInclusion({ index, size, leaf: leafHash(leaf), proof, root }));
  }
});

test('a tile with fewer hashes than its tree is an error, not a proof', () => {
  const nodes = nodesOf(() => new Uint8Array(31));
  assert.throws(() => inclusionProof(0, 2, nodes), RangeError);
});
