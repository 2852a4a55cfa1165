/** A store that an earlier version wrote, brought up to date by opening it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, test } from 'node:test';
import { Boundary, writtenRecord } from '../../../test/contract/boundary.ts';
import { HandClock } from '../../../test/contract/hand-clock.ts';
import { parseDigest } from '../../kernel/digest.ts';
import { parseJson } from '../../kernel/json/parse.ts';
import { DATABASE_FILE } from './files.ts';
import { openSqliteStore } from './open.ts';

/** Written by schema 2: three payments, of which one succeeded, one is unknown and one executes, a hold and a denial. */
const SCHEMA_2 = new URL('../../../test/fixtures/stores/schema-2.db.gz', import.meta.url);

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'exequatur-migrate-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a store of schema 2 keeps its actions, executions, reservations, ledger and payloads', async () => {
  writeFileSync(join(directory, DATABASE_FILE), gunzipSync(readFileSync(SCHEMA_2)), {
    mode: 0o600,
  });
  const clock = new HandClock();
  const store = await openSqliteStore({ directory, clock });
  const boundary = new Boundary(store, clock);
  const records = await store.actions({ tenant: boundary.tenant, count: 100 });
  assert.deepEqual(
    records.map(({ state }) => state),
    ['denied', 'held', 'executing', 'unknown', 'succeeded'],
  );
  const [, , executing, unknown, succeeded] = records;
  assert.ok(executing && unknown && succeeded);
  assert.equal(succeeded.execution?.outcome?.state, 'succeeded');
  assert.equal(unknown.execution?.outcome?.state, 'unknown');
  assert.equal(executing.execution?.outcome, undefined);
  assert.equal((await store.lost('nobody else', clock.now())).length, 0);

  const rows = await store.ledger(boundary.tenant, 0, 1000);
  assert.deepEqual(
    rows.map(({ sequence }) => sequence),
    rows.map((_, index) => index + 1),
  );
  let payloads = 0;
  for (const row of rows) {
    const parsed = parseJson(row.bytes);
    assert.ok(parsed.ok);
    const named: unknown = Object(parsed.value).payloads;
    for (const text of Object.values(Object(named))) {
      const digest = parseDigest(String(text));
      assert.ok(digest && (await store.payload(boundary.tenant, row.sequence, digest)));
      payloads += 1;
    }
  }
  assert.ok(rows.length >= 10 && payloads >= 10);
  assert.equal((await store.history(boundary.tenant, succeeded.id)).length, 3);

  // 10 posted, 20 unknown and 30 reserved leave 40 of the hour's 100.
  const used = async (): Promise<string | undefined> => {
    const asked = boundary.proposal({
      operation: 'pay',
      args: { name: 'till', amount: '1', serial: 10 },
    });
    const { local } = await store.look(asked.query);
    return Object.values(local.limits)[0]?.used;
  };
  assert.equal(await used(), '60');
  await boundary.settle(executing, 'not_executed');
  assert.equal(await used(), '30');
  const more = await boundary.propose({
    key: 'after',
    operation: 'pay',
    args: { name: 'till', amount: '70', serial: 11 },
  });
  assert.equal(writtenRecord(more).state, 'executing');
  await store.close();
});
