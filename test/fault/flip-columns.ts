/** One stored field after the other, and what a flipped bit makes of it. */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';

/** One bit of one field of one row. */
export interface Flip {
  readonly table: string;
  readonly column: string;
  /** Place of the row in its table. */
  readonly row: number;
  readonly value: SQLInputValue;
  /** What was done, for people. */
  readonly how: string;
}

/** Every field of a closed store once for each of some bits, with the tables that hold nothing to flip. */
export function flipsOf(path: string): {
  readonly flips: readonly Flip[];
  readonly emptyTables: readonly string[];
} {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const flips: Flip[] = [];
    const emptyTables: string[] = [];
    for (const table of tablesOf(database)) {
      const rows = database.prepare(`SELECT * FROM "${table}"`).all();
      if (rows.length === 0) emptyTables.push(table);
      for (const [row, fields] of rows.entries()) {
        for (const [column, value] of Object.entries(fields)) {
          for (const flipped of flippedValues(value))
            flips.push({ table, column, row, ...flipped });
        }
      }
    }
    return { flips, emptyTables };
  } finally {
    database.close();
  }
}

function tablesOf(database: DatabaseSync): readonly string[] {
  const rows = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all();
  return rows.map((row) => String(row['name']));
}

/** The field with one bit turned, at several places. What is null has no bits. */
function flippedValues(value: SQLOutputValue | undefined): readonly Pick<Flip, 'value' | 'how'>[] {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return [0n, 22n, 40n, 41n].map((bit) => ({
      value: BigInt(value) ^ (1n << bit),
      how: `bit ${String(bit)}`,
    }));
  }
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    return placesIn(bytes.length).map((place) => {
      const copy = Buffer.from(bytes);
      // The lowest bit leaves text what it is: text.
      copy[place] = (copy[place] ?? 0) ^ 1;
      return { value: copy.toString(), how: `byte ${String(place)}` };
    });
  }
  if (value instanceof Uint8Array) {
    return placesIn(value.length).map((place) => {
      const copy = new Uint8Array(value);
      copy[place] = (copy[place] ?? 0) ^ 1;
      return { value: copy, how: `byte ${String(place)}` };
    });
  }
  return [];
}

/** The beginning, the end and what lies between, by quarters. */
function placesIn(length: number): readonly number[] {
  if (length === 0) return [];
  const places = [0, 1, 2, 3, 4].map((quarter) => Math.floor(((length - 1) * quarter) / 4));
  return [...new Set(places)];
}

/** Writes a flip behind the layer's back; `false` where the file itself refuses it. */
export function write(path: string, { table, column, row, value }: Flip): boolean {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;');
    const keys = database
      .prepare('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk')
      .all(table)
      .map(({ name }) => String(name));
    const fields = database.prepare(`SELECT * FROM "${table}"`).all()[row];
    if (fields === undefined) throw new Error(`no row ${String(row)} in \`${table}\``);
    const where = keys.map((key) => `"${key}" IS ?`).join(' AND ');
    const statement = `UPDATE "${table}" SET "${column}" = ? WHERE ${where}`;
    const place = keys.map((key) => fields[key] ?? null);
    return database.prepare(statement).run(value, ...place).changes === 1n || true;
  } catch (error) {
    // A key that is there already: no byte of the file could have been flipped into this.
    if (error instanceof Error && /UNIQUE|constraint/u.test(error.message)) return false;
    throw error;
  } finally {
    database.close();
  }
}
