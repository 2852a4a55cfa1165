/**
 * The Merkle tree of the ledger, as RFC 6962 section 2.1 defines it: the hash of a tree, the proofs that
 * an entry is in it and that a later tree only grew, and what checks them. Pure; the hashes of whole
 * subtrees come from whoever keeps them.
 */
import { sha256 } from '../kernel/sha256.ts';

/** A SHA-256 hash as 32 bytes. */
export type Hash = Uint8Array;

/** Length of a hash in bytes. */
export const HASH_BYTES = 32;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The hash of a tree without entries. */
export function emptyRoot(): Hash {
  return sha256('');
}

/** The hash of an entry. */
export function leafHash(entry: Uint8Array): Hash {
  return sha256(LEAF, entry);
}

/** The hash of two subtrees side by side. */
export function nodeHash(left: Hash, right: Hash): Hash {
  return sha256(NODE, left, right);
}

/**
 * The hash of a whole subtree: that of the 2^level entries from `index` · 2^level on. Level 0 are the
 * leaves.
 */
export type Nodes = (level: number, index: number) => Hash;

/** The right edge of a growing tree: one hash for each whole subtree, the largest first. */
export class Frontier {
  #size: number;
  readonly #subtrees: { readonly level: number; readonly hash: Hash }[];

  /** An empty tree, or the tree of a size whose whole subtrees `nodes` knows. */
  constructor(size = 0, nodes?: Nodes) {
    this.#size = size;
    this.#subtrees = nodes === undefined ? [] : wholeSubtrees(0, size).map(subtreeBy(nodes));
  }

  /** How many entries the tree has. */
  get size(): number {
    return this.#size;
  }

  /** Adds an entry by its hash; tells of every whole subtree that it completes, the leaf first. */
  append(leaf: Hash, completed?: (level: number, index: number, hash: Hash) => void): void {
    let level = 0;
    let hash = leaf;
    completed?.(level, this.#size, hash);
    for (;;) {
      const last = this.#subtrees.at(-1);
      if (last?.level !== level) break;
      this.#subtrees.pop();
      hash = nodeHash(last.hash, hash);
      level += 1;
      completed?.(level, Math.floor(this.#size / 2 ** level), hash);
    }
    this.#subtrees.push({ level, hash });
    this.#size += 1;
  }

  /** The hash of the tree as it is. */
  root(): Hash {
    const hashes = this.#subtrees.map(({ hash }) => hash);
    return hashes.length === 0 ? emptyRoot() : joined(hashes);
  }
}

/** The proof that the entry at `index` is in the tree of `size`: hashes from the leaf's sibling upwards. */
export function inclusionProof(index: number, size: number, nodes: Nodes): readonly Hash[] {
  if (!isPlace(index, size)) throw new RangeError(`no entry \`${index}\` in a tree of \`${size}\``);
  const proof: Hash[] = [];
  let begin = 0;
  let end = size;
  while (end - begin > 1) {
    const middle = begin + split(end - begin);
    const left = index < middle;
    proof.push(left ? hashOf(middle, end, nodes) : hashOf(begin, middle, nodes));
    if (left) end = middle;
    else begin = middle;
  }
  return proof.toReversed();
}

/** The proof that the tree of `later` entries begins with the tree of `earlier` ones; none where they are equal. */
export function consistencyProof(earlier: number, later: number, nodes: Nodes): readonly Hash[] {
  if (!(Number.isSafeInteger(later) && earlier > 0 && isPlace(earlier - 1, later))) {
    throw new RangeError(`no tree of \`${earlier}\` begins one of \`${later}\``);
  }
  const proof: Hash[] = [];
  let begin = 0;
  let end = later;
  // Until the earlier tree ends where this subtree ends.
  while (end !== earlier) {
    const middle = begin + split(end - begin);
    if (earlier <= middle) {
      proof.push(hashOf(middle, end, nodes));
      end = middle;
    } else {
      proof.push(hashOf(begin, middle, nodes));
      begin = middle;
    }
  }
  if (begin !== 0) proof.push(hashOf(begin, end, nodes));
  return proof.toReversed();
}

/** What {@link verifyInclusion} checks. */
export interface Inclusion {
  readonly index: number;
  readonly size: number;
  readonly leaf: Hash;
  readonly proof: readonly Hash[];
  readonly root: Hash;
}

/** Whether the proof shows that the entry is at its place in the tree of this root (RFC 9162, 2.1.3.2). */
export function verifyInclusion({ index, size, leaf, proof, root }: Inclusion): boolean {
  if (!isPlace(index, size) || ![leaf, root, ...proof].every(isHash)) return false;
  let place = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(place) || place === last) {
      hash = nodeHash(sibling, hash);
      // The right edge has no sibling on the levels that are skipped here.
      while (!isOdd(place) && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && sameHash(hash, root);
}

/** What {@link verifyConsistency} checks. */
export interface Consistency {
  readonly earlier: number;
  readonly later: number;
  readonly earlierRoot: Hash;
  readonly laterRoot: Hash;
  readonly proof: readonly Hash[];
}

/** Whether the proof shows that the later tree only grew (RFC 9162, 2.1.4.2). From size 0 nothing is proved. */
export function verifyConsistency(claim: Consistency): boolean {
  const { earlier, later, earlierRoot, laterRoot, proof } = claim;
  if (![earlierRoot, laterRoot, ...proof].every(isHash)) return false;
  if (!Number.isSafeInteger(later) || !isPlace(earlier - 1, later)) return false;
  if (earlier === later) return proof.length === 0 && sameHash(earlierRoot, laterRoot);
  // A whole first tree is its own first hash, which the proof leaves out.
  const [first, ...rest] = isPowerOfTwo(earlier) ? [earlierRoot, ...proof] : proof;
  if (first === undefined) return false;
  let [place, last] = [earlier - 1, later - 1];
  while (isOdd(place)) [place, last] = [half(place), half(last)];
  let [before, after] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (isOdd(place) || place === last) {
      before = nodeHash(sibling, before);
      after = nodeHash(sibling, after);
      while (!isOdd(place) && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      after = nodeHash(after, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && sameHash(before, earlierRoot) && sameHash(after, laterRoot);
}

/** Whether two hashes are the same; hashes are public, so that the time it takes tells nothing. */
export function sameHash(left: Hash, right: Hash): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** The hash of the entries from `begin` to `end`, where `begin` begins a subtree of at least that size. */
function hashOf(begin: number, end: number, nodes: Nodes): Hash {
  return joined(wholeSubtrees(begin, end).map((each) => subtreeBy(nodes)(each).hash));
}

/** Subtrees from the largest to the smallest make the tree from right to left. */
function joined(hashes: readonly Hash[]): Hash {
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** The whole subtrees that make up a range, the largest first. */
function wholeSubtrees(begin: number, end: number): readonly Subtree[] {
  const subtrees: Subtree[] = [];
  for (let from = begin; from < end;) {
    const level = Math.floor(Math.log2(end - from));
    subtrees.push({ level, index: from / 2 ** level });
    from += 2 ** level;
  }
  return subtrees;
}

function subtreeBy(nodes: Nodes): (subtree: Subtree) => { level: number; hash: Hash } {
  return ({ level, index }) => ({ level, hash: nodes(level, index) });
}

/** The largest power of two below `count`. */
function split(count: number): number {
  return 2 ** Math.floor(Math.log2(count - 1));
}

function isPlace(index: number, size: number): boolean {
  return Number.isSafeInteger(size) && Number.isSafeInteger(index) && index >= 0 && index < size;
}

function isHash(hash: Hash): boolean {
  return hash.length === HASH_BYTES;
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  return value === 2 ** Math.round(Math.log2(value));
}
