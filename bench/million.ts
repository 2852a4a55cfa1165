/**
 * A store with very many actions, made in minutes: a thousand real ones, whose rows are copied with
 * other ids, keys and places in the ledger. Only ids differ, so that tables and indexes are as large and
 * as spread as real ones.
 */
import { DatabaseSync } from 'node:sqlite';
import type { CompiledPolicy } from '../src/kernel/policy/compiled.ts';
import { databaseIn } from './actions.ts';
import { IN_FLIGHT, openLayer } from './layer.ts';
import { perSecond } from './measure.ts';

const TEMPLATE = 1000;
const PAYLOADS = 64;

/** Fills a directory's store with `count` actions, in whole thousands. */
export async function fillStore(
  policy: CompiledPolicy,
  directory: string,
  { count, progress }: { readonly count: number; readonly progress: (done: number) => void },
): Promise<void> {
  const layer = await openLayer(policy, directory);
  await perSecond({ count: TEMPLATE, width: IN_FLIGHT }, layer.act);
  await layer.close();
  const db = new DatabaseSync(databaseIn(directory));
  // Only while it is filled: what is measured afterwards opens it as always.
  db.exec('PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -262144');
  const number = (sql: string): number => Number(Object.values(db.prepare(sql).get() ?? {})[0]);
  const entries = number('SELECT count(*) FROM ledger');
  const last = number('SELECT max(id) FROM ledger');
  const columns = db
    .prepare('PRAGMA table_info(action)')
    .all()
    .map(({ name }) => String(name))
    .filter((name) => name !== 'id' && name !== 'uuid');
  const copies = [
    `INSERT INTO action (id, uuid, ${columns.join()}) SELECT id + :k * ${String(TEMPLATE)},
       CAST(unhex(printf('%012x', :time)) || substr(uuid, 7) AS BLOB), ${columns.join()}
     FROM action WHERE id <= ${String(TEMPLATE)}`,
    `INSERT INTO content SELECT action + :k * ${String(TEMPLATE)}, request_digest, digest, nonce, note,
       bytes, decision, subject FROM content WHERE action <= ${String(TEMPLATE)} AND :time > 0`,
    `INSERT INTO idempotency SELECT tenant, randomblob(16), action + :k * ${String(TEMPLATE)}
     FROM idempotency WHERE action <= ${String(TEMPLATE)} AND :time > 0`,
    `INSERT INTO ledger SELECT id + :k * ${String(entries)}, kind,
       CAST(unhex(printf('%012x', :time)) || substr(action, 7) AS BLOB), bytes
     FROM ledger WHERE id <= ${String(last)}`,
    `INSERT INTO payload SELECT id + :k * ${String(entries * PAYLOADS)}, digest, salt, bytes
     FROM payload WHERE id < ${String((last + 1) * PAYLOADS)} AND :time > 0`,
  ].map((sql) => db.prepare(sql));
  const time = Date.now() - 86_400_000;
  for (let k = 1; k < count / TEMPLATE; k++) {
    db.exec('BEGIN');
    for (const copy of copies) copy.run({ k, time: time + k });
    db.exec('COMMIT');
    if (k % 50 === 0) progress(k * TEMPLATE);
  }
  // The tiles of the copied entries are made when the store is opened the next time.
  db.exec('DELETE FROM tile; PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
}
