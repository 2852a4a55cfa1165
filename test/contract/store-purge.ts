/** Erasing what old final actions carried, and what stays. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PurgeCommand } from '../../src/engine/ports.ts';
import { addMs } from '../../src/kernel/instant.ts';
import { writtenRecord, type Boundary } from './boundary.ts';
import { assertSame } from './same.ts';
import type { WithStore } from './store.ts';

const DAY_MS = 86_400_000;

export function purgeContract(withStore: WithStore): void {
  describe('purging', () => {
    test(
      'the content of old final actions is gone, and their row, digests, keys and entries stay',
      withStore(async ({ boundary, clock, store, reopen }) => {
        const { tenant } = boundary;
        const record = await boundary.proposed({ key: 'once' });
        const settled = writtenRecord(await boundary.settle(record, 'succeeded'));
        const entries = await store.history(tenant, record.id);
        clock.pass(DAY_MS + 1);
        const young = writtenRecord(await boundary.settle(await boundary.proposed(), 'succeeded'));
        const entry = boundary.entry('purged');
        const trial = await store.purge(allOf(boundary, { dryRun: true }), entry);
        assert.equal(trial.actions, 1);
        assertSame(await boundary.stored(record), settled);
        const purged = await store.purge(allOf(boundary), entry);
        assert.deepEqual(purged, { ...trial, next: undefined });
        assert.equal((await store.purge(allOf(boundary), entry)).actions, 0);
        const { store: again, boundary: now } = await reopen();
        const erased = await now.stored(record);
        assert.equal(erased.bytes.length, 0);
        assert.equal(erased.note, undefined);
        assert.equal(erased.decision, undefined);
        assert.equal(erased.execution?.outcome?.result, null);
        assert.equal(erased.execution.outcome.state, 'succeeded');
        assert.equal(erased.digest, settled.digest);
        assert.equal(erased.requestDigest, settled.requestDigest);
        assertSame(await again.history(tenant, record.id), entries);
        assert.equal((await again.proposed(tenant, record.agent, 'once'))?.id, record.id);
        assert.deepEqual(await again.approvals(tenant, record.id), []);
        assertSame(await now.stored(young), young);
      }),
    );

    test(
      'nothing that is open is touched, however old, and nothing of another tenant',
      withStore(async ({ boundary, other, clock, store }) => {
        const held = await boundary.proposed({ operation: 'sign' });
        const executing = await boundary.proposed();
        const unknown = writtenRecord(await boundary.settle(await boundary.proposed(), 'unknown'));
        const theirs = writtenRecord(await other.settle(await other.proposed(), 'failed'));
        clock.pass(100 * DAY_MS);
        const purged = await store.purge(allOf(boundary), boundary.entry('purged'));
        assert.deepEqual([purged.actions, purged.payloads], [0, 0]);
        for (const record of [held, executing, unknown]) {
          assertSame(await boundary.stored(record), record);
        }
        assertSame(await other.stored(theirs), theirs);
      }),
    );

    test(
      'settled actions and those that never ran have times of their own',
      withStore(async ({ boundary, clock, store }) => {
        const settled = await boundary.proposed();
        await boundary.settle(settled, 'failed');
        clock.pass(2 * DAY_MS);
        const entry = boundary.entry('purged');
        const denied = allOf(boundary, { settledBefore: undefined });
        assert.equal((await store.purge(denied, entry)).actions, 0);
        const both = allOf(boundary, { deniedBefore: undefined });
        assert.equal((await store.purge(both, entry)).actions, 1);
      }),
    );

    test(
      'many actions take several batches, each of which says where the next begins',
      withStore(async ({ boundary, clock, store }) => {
        for (let index = 0; index < 201; index += 1) {
          await boundary.settle(await boundary.proposed(), 'succeeded');
        }
        clock.pass(2 * DAY_MS);
        const entry = boundary.entry('purged');
        const first = await store.purge(allOf(boundary), entry);
        assert.equal(first.actions, 200);
        assert.ok(first.next !== undefined);
        const second = await store.purge(allOf(boundary, { after: first.next }), entry);
        assert.deepEqual([second.actions, second.next], [1, undefined]);
      }),
    );

    test(
      'one final action is erased at once, with its entry, and once more is nothing',
      withStore(async ({ boundary, store, reopen }) => {
        const { tenant } = boundary;
        const record = await boundary.proposed({ key: 'once' });
        const other = writtenRecord(await boundary.settle(await boundary.proposed(), 'failed'));
        const entry = boundary.entry('erased', record.id);
        assert.deepEqual((await store.erase(tenant, record.id, entry)).kind, 'not_final');
        await boundary.settle(record, 'succeeded');
        const erased = await store.erase(tenant, record.id, entry);
        assert.ok(erased.kind === 'erased');
        // One for each of the entries: proposed, crossed, settled.
        assert.equal(erased.payloads, 3);
        assert.equal(erased.record.bytes.length, 0);
        const entries = await store.history(tenant, record.id);
        assert.equal(entries.length, 4);
        const again = await store.erase(tenant, record.id, entry);
        assert.deepEqual([again.kind, 'payloads' in again && again.payloads], ['erased_before', 0]);
        const { store: later, boundary: now } = await reopen();
        assert.equal((await now.stored(record)).bytes.length, 0);
        assert.equal((await later.proposed(tenant, record.agent, 'once'))?.id, record.id);
        assertSame(await later.history(tenant, record.id), entries);
        assertSame(await now.stored(other), other);
      }),
    );

    test(
      'an action of another tenant is not erased, nor one that is not there',
      withStore(async ({ boundary, other, store }) => {
        const theirs = writtenRecord(await other.settle(await other.proposed(), 'succeeded'));
        const entry = boundary.entry('erased', theirs.id);
        const erased = await store.erase(boundary.tenant, theirs.id, entry);
        assert.equal(erased.kind, 'unknown_action');
        assertSame(await other.stored(theirs), theirs);
      }),
    );
  });
}

/** Everything final that is older than a day, unless changed. */
function allOf(boundary: Boundary, changes: Partial<PurgeCommand> = {}): PurgeCommand {
  const before = addMs(boundary.clock.now(), -DAY_MS);
  return {
    tenant: boundary.tenant,
    settledBefore: before,
    deniedBefore: before,
    after: 0,
    dryRun: false,
    ...changes,
  };
}
