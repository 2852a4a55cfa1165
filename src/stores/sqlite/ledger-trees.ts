/**
 * The Merkle trees of the tenants' ledgers: they grow with the entries, in the same transaction. Whole
 * tiles lie in the file; the right edge is kept in memory, and made again from the file when it is
 * first asked for, and after a rollback.
 */
import { Frontier, HASH_BYTES, leafHash, type Hash, type Nodes } from '../../ledger/merkle.ts';
import { nodesOf, TILE_LEVEL_HEIGHT, TILE_WIDTH, tileRoot } from '../../ledger/tile.ts';
import { StoreError } from '../../engine/ports.ts';
import { blob, type Connection } from './connection.ts';

const LEVELS_MAX = 8;
const TILES_MAX = 2 ** 28;

/** Where entries are read from, to make the right edge. */
export interface LeafSource {
  readonly lastOf: (tenant: number) => number;
  /** The bytes of exactly so many entries after a sequence number; throws where some are missing. */
  readonly entries: (tenant: number, after: number, count: number) => readonly Uint8Array[];
}

/** The tree of one tenant: its whole subtrees, and the tiles that are not whole yet, by level. */
interface Tree {
  readonly frontier: Frontier;
  readonly edges: Edge[];
}

/** The last tile of a level while it fills. */
interface Edge {
  readonly hashes: Uint8Array;
  count: number;
}

/** The trees of all tenants. */
export class LedgerTrees {
  readonly #db: Connection;
  readonly #source: LeafSource;
  readonly #trees = new Map<number, Tree>();

  constructor(db: Connection, source: LeafSource) {
    this.#db = db;
    this.#source = source;
  }

  /** Adds an entry: only inside its transaction, after the ones before it. */
  append(tenant: number, entry: Uint8Array): void {
    this.#grow(tenant, this.#of(tenant), leafHash(entry));
  }

  /** The tree as it is. */
  head(tenant: number): { readonly size: number; readonly root: Hash } {
    const { frontier } = this.#of(tenant);
    return { size: frontier.size, root: frontier.root() };
  }

  /** The hashes of whole subtrees. */
  nodes(tenant: number): Nodes {
    return nodesOf((level, index) => this.tile(tenant, level, index));
  }

  /** The hashes of a tile, side by side: as many as there are. */
  tile(tenant: number, level: number, index: number): Uint8Array {
    const { frontier, edges } = this.#of(tenant);
    const whole = Math.floor(frontier.size / TILE_WIDTH ** (level + 1));
    if (index < whole) return this.#stored(tenant, level, index);
    const edge = edges[level];
    if (index > whole || edge === undefined) return new Uint8Array();
    return edge.hashes.slice(0, edge.count * HASH_BYTES);
  }

  /** Writes the tiles of entries that an earlier version stored without them: only inside a transaction. */
  complete(tenant: number): void {
    const last = this.#source.lastOf(tenant);
    if (last < TILE_WIDTH || this.#find(tenant, 0, Math.floor(last / TILE_WIDTH) - 1)) return;
    const tree: Tree = { frontier: new Frontier(), edges: [] };
    while (tree.frontier.size < last) {
      const { size } = tree.frontier;
      for (const entry of this.#source.entries(tenant, size, Math.min(TILE_WIDTH, last - size))) {
        this.#grow(tenant, tree, leafHash(entry));
      }
    }
    this.#trees.set(tenant, tree);
  }

  /** After a rollback. */
  forget(): void {
    this.#trees.clear();
  }

  #of(tenant: number): Tree {
    const known = this.#trees.get(tenant);
    if (known !== undefined) return known;
    const tree = this.#read(tenant);
    this.#trees.set(tenant, tree);
    return tree;
  }

  #grow(tenant: number, { frontier, edges }: Tree, leaf: Hash): void {
    frontier.append(leaf, (level, _, hash) => {
      if (level % TILE_LEVEL_HEIGHT !== 0) return;
      const place = level / TILE_LEVEL_HEIGHT;
      const edge = (edges[place] ??= newEdge());
      edge.hashes.set(hash, edge.count * HASH_BYTES);
      edge.count += 1;
      if (edge.count < TILE_WIDTH) return;
      const size = frontier.size + 1;
      this.#store(tenant, place, size / TILE_WIDTH ** (place + 1) - 1, edge.hashes);
      edge.count = 0;
    });
  }

  /** The right edge: leaves from the entries, every level above from the whole tiles below it. */
  #read(tenant: number): Tree {
    const size = this.#source.lastOf(tenant);
    const edges: Edge[] = [];
    for (let level = 0; TILE_WIDTH ** level <= size; level += 1) {
      const count = Math.floor(size / TILE_WIDTH ** level);
      const first = count - (count % TILE_WIDTH);
      const edge = newEdge();
      edges.push(edge);
      const hashes =
        level === 0
          ? this.#source.entries(tenant, first, count - first).map(leafHash)
          : range(first, count).map((index) => tileRoot(this.#stored(tenant, level - 1, index)));
      for (const hash of hashes) {
        edge.hashes.set(hash, edge.count * HASH_BYTES);
        edge.count += 1;
      }
    }
    const nodes = nodesOf((level, index) => {
      const edge = edges[level];
      const whole = Math.floor(size / TILE_WIDTH ** (level + 1));
      return index < whole || edge === undefined ? this.#stored(tenant, level, index) : edge.hashes;
    });
    return { frontier: new Frontier(size, nodes), edges };
  }

  #find(tenant: number, level: number, index: number): Uint8Array | undefined {
    const row = this.#db.get('SELECT hashes FROM tile WHERE id = ?', keyOf(tenant, level, index));
    return row && blob(row, 'hashes');
  }

  #stored(tenant: number, level: number, index: number): Uint8Array {
    const tile = this.#find(tenant, level, index);
    if (tile?.length !== TILE_WIDTH * HASH_BYTES) {
      throw new StoreError('store_corrupt', 'a tile of the ledger is not there, or not whole');
    }
    return tile;
  }

  #store(tenant: number, level: number, index: number, hashes: Uint8Array): void {
    const key = keyOf(tenant, level, index);
    this.#db.insert('INSERT INTO tile (id, hashes) VALUES (?, ?)', key, hashes);
  }
}

function keyOf(tenant: number, level: number, index: number): number {
  return (tenant * LEVELS_MAX + level) * TILES_MAX + index;
}

function newEdge(): Edge {
  return { hashes: new Uint8Array(TILE_WIDTH * HASH_BYTES), count: 0 };
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
