/** What every store promises about its log: a tree that grows with the entries, and proofs from it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  emptyRoot,
  Frontier,
  leafHash,
  verifyConsistency,
  verifyInclusion,
  HASH_BYTES,
} from '../../src/ledger/merkle.ts';
import { TILE_WIDTH } from '../../src/ledger/tile.ts';
import { tenantName, type Boundary } from './boundary.ts';
import { assertSame } from './same.ts';
import type { WithStore } from './store.ts';

/** Entries enough for more than two whole tiles. */
const ACTIONS = 300;

export function logContract(withStore: WithStore): void {
  describe('the log', () => {
    test(
      'an empty ledger is the empty tree',
      withStore(async ({ boundary }) => {
        const { size, root } = await boundary.store.tree(tenantName('nobody'));
        assert.equal(size, 0);
        assertSame(root, emptyRoot());
      }),
    );

    test(
      'law 13: the tree is that of the entries, at every size, and every proof holds',
      withStore(async ({ boundary, reopen }) => {
        await Promise.all(Array.from({ length: ACTIONS }, () => boundary.proposed()));
        const { store, tenant } = boundary;
        const leaves = await leavesOf(boundary);
        assert.ok(leaves.length > 2 * TILE_WIDTH);
        const head = await store.tree(tenant);
        assert.equal(head.size, leaves.length);
        const frontier = new Frontier();
        const sizes = new Set([1, 2, 255, 256, 257, 511, 512, 513, leaves.length]);
        for (const [index, leaf] of leaves.entries()) {
          frontier.append(leaf);
          const size = index + 1;
          if (!sizes.has(size)) continue;
          const root = frontier.root();
          assertSame(await store.tree(tenant, size), { size, root });
          const proof = await store.inclusion(tenant, Math.ceil(size / 2), size);
          const place = Math.ceil(size / 2) - 1;
          const claim = { index: place, size, leaf: leaves[place] ?? assert.fail(), proof, root };
          assert.equal(verifyInclusion(claim), true);
          assert.equal(verifyInclusion({ ...claim, leaf: leafHash(Buffer.from('other')) }), false);
          const grown = await store.consistency(tenant, size, head.size);
          const growth = { earlier: size, later: head.size, laterRoot: head.root, proof: grown };
          assert.equal(verifyConsistency({ ...growth, earlierRoot: root }), true);
        }
        assertSame(head.root, frontier.root());
        // What was in memory is made again from what is stored.
        const { boundary: again } = await reopen();
        assertSame(await again.store.tree(tenant), head);
        await again.proposed();
        frontier.append((await leavesOf(again)).at(-2) ?? assert.fail());
        frontier.append((await leavesOf(again)).at(-1) ?? assert.fail());
        assertSame((await again.store.tree(tenant)).root, frontier.root());
      }),
    );

    test(
      'tiles hold the leaves, and above them the roots of whole tiles',
      withStore(async ({ boundary }) => {
        await Promise.all(Array.from({ length: ACTIONS }, () => boundary.proposed()));
        const { store, tenant } = boundary;
        const leaves = await leavesOf(boundary);
        const first = await store.tile(tenant, 0, 0);
        assertSame(first, Buffer.concat(leaves.slice(0, TILE_WIDTH)));
        const whole = Math.floor(leaves.length / TILE_WIDTH);
        const last = await store.tile(tenant, 0, whole);
        assertSame(Buffer.from(last), Buffer.concat(leaves.slice(whole * TILE_WIDTH)));
        const above = await store.tile(tenant, 1, 0);
        assert.equal(above.length, whole * HASH_BYTES);
        const frontier = new Frontier();
        for (const leaf of leaves.slice(0, TILE_WIDTH)) frontier.append(leaf);
        assertSame(above.slice(0, HASH_BYTES), frontier.root());
        assert.equal((await store.tile(tenant, 1, 1)).length, 0);
        assert.equal((await store.tile(tenant, 2, 0)).length, 0);
      }),
    );

    test(
      'sizes and entries beyond the tree are refused',
      withStore(async ({ boundary }) => {
        const { store, tenant } = boundary;
        const { size } = await store.tree(tenant);
        await assert.rejects(store.tree(tenant, size + 1), RangeError);
        await assert.rejects(store.inclusion(tenant, size + 1, size), RangeError);
        await assert.rejects(store.inclusion(tenant, 0, size), RangeError);
        await assert.rejects(store.inclusion(tenant, 1, size + 1), RangeError);
        await assert.rejects(store.consistency(tenant, 0, size), RangeError);
        await assert.rejects(store.consistency(tenant, 1, size + 1), RangeError);
      }),
    );

    test(
      'the newest checkpoint is kept, and the payloads of an entry with their salts',
      withStore(async ({ boundary }) => {
        const { store, tenant } = boundary;
        assert.deepEqual(await store.log(tenant), { generation: 1, checkpoint: undefined });
        await store.keepCheckpoint(tenant, 'one');
        await store.keepCheckpoint(tenant, 'two');
        assert.deepEqual(await store.log(tenant), { generation: 1, checkpoint: 'two' });
        const record = await boundary.proposed();
        const rows = await store.history(tenant, record.id);
        for (const { sequence } of rows) {
          const payloads = await store.payloads(tenant, sequence);
          assert.equal(payloads.length, 1);
          for (const { digest, salt, bytes } of payloads) {
            assert.equal(salt.length, 32);
            assertSame(await store.payload(tenant, sequence, digest), bytes);
          }
        }
      }),
    );
  });
}

async function leavesOf({ store, tenant }: Boundary): Promise<Uint8Array[]> {
  const rows = await store.ledger(tenant, 0, 10_000);
  return rows.map(({ bytes }) => leafHash(bytes));
}
