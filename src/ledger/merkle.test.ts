import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { sha256 } from '../kernel/sha256.ts';
import { readBase64 } from './base64.ts';
import {
  consistencyProof,
  emptyRoot,
  Frontier,
  HASH_BYTES,
  inclusionProof,
  leafHash,
  nodeHash,
  sameHash,
  verifyConsistency,
  verifyInclusion,
  type Hash,
  type Nodes,
} from './merkle.ts';

const SIZE_MAX = 300;

function leafOf(index: number): Hash {
  return leafHash(new TextEncoder().encode(`entry ${String(index)}`));
}

/** RFC 6962 section 2.1, word for word. */
function definedRoot(leaves: readonly Hash[]): Hash {
  const [first] = leaves;
  if (first === undefined) return sha256('');
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(definedRoot(leaves.slice(0, split)), definedRoot(leaves.slice(split)));
}

function grown(size: number): { readonly roots: readonly Hash[]; readonly nodes: Nodes } {
  const frontier = new Frontier();
  const hashes = new Map<string, Hash>();
  const roots = [frontier.root()];
  for (let index = 0; index < size; index += 1) {
    frontier.append(leafOf(index), (level, place, hash) => {
      hashes.set(`${String(level)} ${String(place)}`, hash);
    });
    roots.push(frontier.root());
  }
  return {
    roots,
    nodes: (level, index) => {
      const hash = hashes.get(`${String(level)} ${String(index)}`);
      if (hash === undefined) throw new Error('asked for a subtree that is not whole');
      return hash;
    },
  };
}

describe('the tree of the ledger', () => {
  const { roots, nodes } = grown(SIZE_MAX);
  const rootOf = (size: number): Hash => roots[size] ?? emptyRoot();

  test('has the root that RFC 6962 defines, at every size to 300', () => {
    const leaves: Hash[] = [];
    for (const [size, root] of roots.entries()) {
      assert.deepEqual(root, definedRoot(leaves), `size ${String(size)}`);
      leaves.push(leafOf(size));
    }
  });

  test('begins again from whole subtrees as if it had grown', () => {
    for (let size = 0; size <= SIZE_MAX; size += 1) {
      const again = new Frontier(size, nodes);
      assert.deepEqual(again.root(), rootOf(size));
      again.append(leafOf(size));
      if (size < SIZE_MAX) assert.deepEqual(again.root(), rootOf(size + 1));
    }
  });

  test('proves every entry at every size to 300, and for no other place, leaf or root', () => {
    for (let size = 1; size <= SIZE_MAX; size += 1) {
      const root = rootOf(size);
      for (let index = 0; index < size; index += 1) {
        const leaf = nodes(0, index);
        const proof = inclusionProof(index, size, nodes);
        assert.ok(verifyInclusion({ index, size, leaf, proof, root }));
        // One lie for each proof, another one each time.
        const lies = [
          { index: (index + 1) % size, size, leaf, proof, root },
          { index, size, leaf: root, proof, root },
          { index, size, leaf, proof: [...proof, root], root },
          { index, size, leaf, proof: proof.slice(1), root },
          { index, size, leaf, proof, root: leaf },
        ];
        const lie = lies[(size + index) % lies.length];
        if (lie !== undefined && size > 1) assert.equal(verifyInclusion(lie), false);
      }
    }
  });

  test('proves that it only grew between sizes to 300, and between no other trees', () => {
    for (let later = 1; later <= SIZE_MAX; later += 1) {
      for (let earlier = 1; earlier <= later; earlier += 1) {
        // Of the larger trees every third pair, other ones at each size.
        if (later > 140 && (earlier + later) % 3 !== 0) continue;
        const proof = consistencyProof(earlier, later, nodes);
        const claim = {
          earlier,
          later,
          earlierRoot: rootOf(earlier),
          laterRoot: rootOf(later),
          proof,
        };
        assert.ok(verifyConsistency(claim));
        const lies = [
          { ...claim, earlierRoot: rootOf(earlier - 1) },
          { ...claim, laterRoot: rootOf(later - 1) },
          { ...claim, proof: [...proof, claim.laterRoot] },
          { ...claim, earlier: earlier - 1 },
        ];
        const lie = lies[(earlier + later) % lies.length];
        if (lie !== undefined) assert.equal(verifyConsistency(lie), false);
      }
    }
  });

  test('refuses to prove what is not in it', () => {
    for (const [index, size] of [
      [0, 0],
      [3, 3],
      [-1, 3],
      [0.5, 3],
      [0, Number.MAX_SAFE_INTEGER + 1],
    ] as const) {
      assert.throws(() => inclusionProof(index, size, nodes), RangeError);
    }
    assert.throws(() => consistencyProof(0, 3, nodes), RangeError);
    assert.throws(() => consistencyProof(4, 3, nodes), RangeError);
  });

  test('a hash of another length is never the same', () => {
    assert.equal(sameHash(rootOf(1), rootOf(1).subarray(1)), false);
    const { nodes: one } = grown(1);
    const claim = { index: 0, size: 1, leaf: one(0, 0), proof: [], root: one(0, 0) };
    assert.ok(verifyInclusion(claim));
    assert.equal(verifyInclusion({ ...claim, proof: [new Uint8Array(31)] }), false);
  });
});

interface Vector {
  readonly desc: string;
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
}

describe('the vectors of transparency-dev/merkle', () => {
  test('inclusion: 98 cases', () => {
    const cases: readonly (Vector & {
      readonly leafIdx: number;
      readonly treeSize: number;
      readonly root: string;
      readonly leafHash: string;
    })[] = JSON.parse(vectors('inclusion'));
    assert.equal(cases.length, 98);
    for (const { leafIdx, treeSize, root, leafHash: leaf, proof, desc, wantErr } of cases) {
      const good = verifyInclusion({
        index: leafIdx,
        size: treeSize,
        leaf: bytesOf(leaf),
        proof: (proof ?? []).map(bytesOf),
        root: bytesOf(root),
      });
      assert.equal(good, !wantErr, `${String(leafIdx)} of ${String(treeSize)}: ${desc}`);
    }
  });

  test('consistency: 98 cases', () => {
    const cases: readonly (Vector & {
      readonly size1: number;
      readonly size2: number;
      readonly root1: string;
      readonly root2: string;
    })[] = JSON.parse(vectors('consistency'));
    assert.equal(cases.length, 98);
    for (const { size1, size2, root1, root2, proof, desc, wantErr } of cases) {
      const good = verifyConsistency({
        earlier: size1,
        later: size2,
        earlierRoot: statedRoot(root1),
        laterRoot: statedRoot(root2),
        proof: (proof ?? []).map(bytesOf),
      });
      assert.equal(good, !wantErr, `${String(size1)} to ${String(size2)}: ${desc}`);
    }
  });
});

function vectors(name: string): string {
  const file = new URL(`../../test/vectors/merkle/${name}.json`, import.meta.url);
  return readFileSync(file, 'utf8');
}

/** Some roots of the vectors are words that only have to be the same. */
function statedRoot(text: string): Hash {
  const bytes = bytesOf(text);
  return bytes.length === HASH_BYTES ? bytes : sha256(bytes);
}

/** What is no hash in a vector is one that nothing has. */
function bytesOf(text: string): Hash {
  return readBase64(text) ?? new Uint8Array();
}
