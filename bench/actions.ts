/**
 * Durable actions a second, in process: proposed, decided, crossed, sent to an executor that does
 * nothing, settled, each with its ledger entries; and beside it the raw limit, the same rows inserted
 * in batches into the same tables with the same indexes.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { Engine } from '../src/engine/engine.ts';
import { enrol } from '../src/engine/directory.ts';
import { controlEntry } from '../src/engine/entries.ts';
import { parseAgentName, parseTenantName } from '../src/kernel/id.ts';
import type { JsonObject } from '../src/kernel/json/value.ts';
import { digestOf } from '../src/kernel/digest.ts';
import type { CompiledPolicy } from '../src/kernel/policy/compiled.ts';
import { openSqliteStore } from '../src/stores/sqlite/open.ts';
import { SYSTEM_CLOCK, SYSTEM_RANDOMNESS } from '../src/server/system.ts';
import { noOpExecutor } from './setup.ts';

const IN_FLIGHT = 256;
/** Commands of one group commit, as the store takes them. */
const BATCH = 256;
const WARM_UP = 2000;

/** Runs `count` actions; answers how many a second, and the same for their rows inserted raw. */
export async function actionsPerSecond(
  policy: CompiledPolicy,
  count: number,
): Promise<{ readonly engine: number; readonly raw: number; readonly rowsPerAction: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-bench-'));
  try {
    const engine = await runEngine(policy, { directory: join(folder, 'engine'), count });
    const raw = insertRaw(databaseIn(join(folder, 'engine')), join(folder, 'raw.db'), count);
    return { engine, raw: raw.perSecond, rowsPerAction: raw.rows / count };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runEngine(
  policy: CompiledPolicy,
  { directory, count }: { readonly directory: string; readonly count: number },
): Promise<number> {
  const store = await openSqliteStore({ directory, clock: SYSTEM_CLOCK });
  const engine = new Engine({
    store,
    executors: { http: noOpExecutor(Date.now) },
    facts: { fetch: async () => ({ kind: 'absent' }) },
    calendars: { at: () => ({ open: true }) },
    clock: SYSTEM_CLOCK,
    randomness: SYSTEM_RANDOMNESS,
    name: 'bench',
    trouble: (code, message) => console.error(`bench: ${code}: ${message}`),
  });
  const tenant = parseTenantName('default');
  const agent = parseAgentName('bench-agent');
  if (tenant === undefined || agent === undefined) throw new Error('these are names');
  const epoch = await store.activate(tenant, policy.digest, (at) =>
    controlEntry('epoch', { tenant, at, by: 'operator', body: {}, salt: engine.life.salt }),
  );
  engine.configure({ tenant, epoch, policy });
  await enrol(engine.life, {
    tenant,
    kind: 'agent',
    name: agent,
    roles: [],
    owners: [],
    aliases: [],
    delegator: undefined,
    by: 'operator',
  });
  await engine.start();
  const one = async (index: number): Promise<void> => {
    const args: JsonObject = Object.freeze({
      charge: `ch_${String(index)}`,
      amount: '49.90',
      reason: 'x'.repeat(300),
    });
    const proposed = await engine.propose(
      { tenant, agent, delegator: undefined },
      {
        idempotencyKey: randomUUID(),
        requestDigest: digestOf('exequatur/action/v1', index),
        target: 'shop-0',
        operation: 'refund',
        args,
      },
    );
    if (proposed.kind !== 'record') throw new Error(proposed.message);
    const record = await engine.settledWithin(tenant, proposed.record.id, 10_000);
    if (record?.state !== 'succeeded') throw new Error(`not succeeded: ${String(record?.state)}`);
  };
  await inFlight(WARM_UP, (index) => one(-1 - index));
  const before = performance.now();
  await inFlight(count, one);
  const seconds = (performance.now() - before) / 1000;
  await engine.stop(1000);
  await store.close();
  return count / seconds;
}

/** Keeps `IN_FLIGHT` of `count` tasks running. */
async function inFlight(count: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

/** Inserts every row that the engine left, in its batches, into empty copies of its tables. */
function insertRaw(
  source: string,
  file: string,
  count: number,
): { readonly perSecond: number; readonly rows: number } {
  const from = new DatabaseSync(source, { readOnly: true });
  const to = new DatabaseSync(file);
  // References are not checked here, which only makes the raw limit higher.
  to.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF');
  const schema = from
    .prepare(
      "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC",
    )
    .all();
  for (const { sql } of schema) to.exec(String(sql));
  const tables = schema
    .filter(({ type }) => type === 'table')
    .map(({ name }) => {
      const rows = from.prepare(`SELECT * FROM "${String(name)}"`).all();
      const columns = Object.keys(rows[0] ?? {});
      return { name: String(name), columns, rows };
    });
  const filled = tables
    .filter(({ rows }) => rows.length > 0)
    .map((table) => ({
      ...table,
      insert: to.prepare(
        `INSERT INTO "${table.name}" (${table.columns.map((column) => `"${column}"`).join()}) VALUES (${table.columns.map(() => '?').join()})`,
      ),
    }));
  // The engine has two transactions an action: the crossing and the settlement.
  const batches = Math.ceil((2 * (count + WARM_UP)) / BATCH);
  const before = performance.now();
  for (let batch = 0; batch < batches; batch++) {
    to.exec('BEGIN IMMEDIATE');
    for (const { rows, insert, columns } of filled) {
      const end = Math.floor((rows.length * (batch + 1)) / batches);
      for (let index = Math.floor((rows.length * batch) / batches); index < end; index++) {
        const row = rows[index];
        if (row !== undefined)
          insert.run(...columns.map((column): SQLInputValue => row[column] ?? null));
      }
    }
    to.exec('COMMIT');
  }
  const seconds = (performance.now() - before) / 1000;
  const rows = filled.reduce((total, table) => total + table.rows.length, 0);
  from.close();
  to.close();
  return { perSecond: (count + WARM_UP) / seconds, rows: (rows * count) / (count + WARM_UP) };
}

function databaseIn(directory: string): string {
  const name = readdirSync(directory).find((each) => each.endsWith('.db'));
  if (name === undefined) throw new Error(`no database in ${directory}`);
  return join(directory, name);
}
