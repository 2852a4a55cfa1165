/** The raw limit: every row that an engine left, inserted in its batches into empty copies of its tables. */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

/** Commands of one group commit, as the store takes them. */
const BATCH = 256;

/** Inserts the rows of `actions` actions; answers actions a second, and rows an action. */
export function insertRaw(
  source: string,
  file: string,
  actions: number,
): { readonly perSecond: number; readonly rowsPerAction: number } {
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
    })
    .filter(({ rows }) => rows.length > 0)
    .map((table) => {
      const columns = table.columns.map((column) => `"${column}"`).join();
      const places = table.columns.map(() => '?').join();
      const sql = `INSERT INTO "${table.name}" (${columns}) VALUES (${places})`;
      return { ...table, insert: to.prepare(sql) };
    });
  // The engine has two transactions an action: the crossing and the settlement.
  const batches = Math.ceil((2 * actions) / BATCH);
  const before = performance.now();
  for (let batch = 0; batch < batches; batch++) {
    to.exec('BEGIN IMMEDIATE');
    for (const { rows, insert, columns } of tables) {
      const end = Math.floor((rows.length * (batch + 1)) / batches);
      for (let index = Math.floor((rows.length * batch) / batches); index < end; index++) {
        const row = rows[index] ?? {};
        insert.run(...columns.map((column): SQLInputValue => row[column] ?? null));
      }
    }
    to.exec('COMMIT');
  }
  const seconds = (performance.now() - before) / 1000;
  const rows = tables.reduce((total, table) => total + table.rows.length, 0);
  from.close();
  to.close();
  return { perSecond: actions / seconds, rowsPerAction: rows / actions };
}
