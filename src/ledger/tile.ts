/**
 * Tiles (C2SP tlog-tiles): the tree cut into pieces of 256 hashes, static and cacheable, from which
 * every proof can be made. A tile of level 0 holds leaves; above, each hash is that of a whole tile of
 * the level below. Beside them lie the entries themselves, in bundles of 256.
 */
import { ENTRY_BYTES_MAX } from './entry.ts';
import { HASH_BYTES, nodeHash, type Hash, type Nodes } from './merkle.ts';

/** Hashes of a whole tile, and entries of a whole bundle. */
export const TILE_WIDTH = 256;
/** Levels of the tree that one level of tiles spans. */
export const TILE_LEVEL_HEIGHT = 8;

/** Which tile. `width` is how many hashes it has; 256 unless it is the last of its level. */
export interface TilePlace {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/** The path of a tile below the log's prefix, such as `tile/0/x001/234.p/17`. */
export function tilePath({ level, index, width }: TilePlace): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const parts = digits.match(/\d{3}/gu) ?? [];
  const path = parts.map((part, place) => (place < parts.length - 1 ? `x${part}` : part));
  const partial = width === TILE_WIDTH ? '' : `.p/${String(width)}`;
  return `tile/${String(level)}/${path.join('/')}${partial}`;
}

/** The tile of a path; `undefined` for a path that is not written exactly so. */
export function readTilePath(path: string): TilePlace | undefined {
  const [, level = '', index = '', partial] = TILE_PATH.exec(path) ?? [];
  if (level === '') return undefined;
  const place: TilePlace = {
    level: level === 'entries' ? level : Number(level),
    index: Number(index.replaceAll(/[x/]/gu, '')),
    width: partial === undefined ? TILE_WIDTH : Number(partial),
  };
  const exact = Number.isSafeInteger(place.index) && place.width > 0;
  return exact && tilePath(place) === path ? place : undefined;
}

/** How many hashes the tile has in a tree of this size: 0 where the tree has no such tile. */
export function tileWidth(level: number | 'entries', index: number, size: number): number {
  const height = level === 'entries' ? 0 : level * TILE_LEVEL_HEIGHT;
  const hashes = Math.floor(size / 2 ** height);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** Entries as a bundle: each behind its length in two bytes. */
export function writeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((sum, { length }) => sum + 2 + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const entry of entries) {
    if (entry.length > ENTRY_BYTES_MAX) throw new RangeError('an entry is too long for a bundle');
    view.setUint16(at, entry.length);
    bytes.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return bytes;
}

/** The entries of a bundle; `undefined` where its bytes end within one. */
export function readBundle(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 2 > bytes.length) return undefined;
    const end = at + 2 + view.getUint16(at);
    if (end > bytes.length) return undefined;
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return entries;
}

/** The hashes of a tile by level and index, side by side; whatever is there of it. */
export type Tiles = (level: number, index: number) => Uint8Array;

/** The hashes of whole subtrees, from tiles. A tile is read once. */
export function nodesOf(tiles: Tiles): Nodes {
  const read = new Map<string, Uint8Array>();
  return (level, index) => {
    const above = level % TILE_LEVEL_HEIGHT;
    const tileLevel = (level - above) / TILE_LEVEL_HEIGHT;
    // The subtree's hashes on the tile's own level lie side by side in one tile.
    const first = index * 2 ** above;
    const tileIndex = Math.floor(first / TILE_WIDTH);
    const name = `${String(tileLevel)} ${String(tileIndex)}`;
    const tile = read.get(name) ?? tiles(tileLevel, tileIndex);
    read.set(name, tile);
    return subtree(tile, first % TILE_WIDTH, 2 ** above);
  };
}

/** The hash of a whole tile, as it stands in the tile above. */
export function tileRoot(tile: Uint8Array): Hash {
  return subtree(tile, 0, TILE_WIDTH);
}

function subtree(tile: Uint8Array, first: number, count: number): Hash {
  if (count === 1) {
    const hash = tile.subarray(first * HASH_BYTES, (first + 1) * HASH_BYTES);
    if (hash.length !== HASH_BYTES) throw new RangeError('a tile has fewer hashes than its tree');
    return hash;
  }
  return nodeHash(subtree(tile, first, count / 2), subtree(tile, first + count / 2, count / 2));
}

const TILE_PATH =
  /^tile\/([0-9]|[1-5][0-9]|6[0-3]|entries)\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/u;
