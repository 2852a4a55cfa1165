/**
 * The one connection: statements prepared once, values checked as they come out, and errors sorted
 * into those a command may survive and those the process must not.
 */
import {
  backup,
  type DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from 'node:sqlite';
import { StoreError } from '../../engine/ports.ts';

/** One row as it came out: nothing about it is known yet. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** What can be bound to a parameter. */
export type Value = SQLInputValue;

/** Pages that a copy takes at once: about a millisecond in which commands wait. */
const COPIED_PAGES = 256;

/** The database file, opened by this process alone. */
export class Connection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #writes = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Whether a transaction is open; SQLite ends one by itself where a disk is full. */
  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Grows with every write that was begun: where it stands still, there is nothing to undo. */
  get writesCount(): number {
    return this.#writes;
  }

  /** Says that something in memory changed that the next commit writes. */
  touch(): void {
    this.#writes += 1;
  }

  /** The first row, or none. */
  get(sql: string, ...values: readonly Value[]): Row | undefined {
    return this.#prepared(sql).get(...values);
  }

  /** All rows. */
  all(sql: string, ...values: readonly Value[]): readonly Row[] {
    return this.#prepared(sql).all(...values);
  }

  /** Runs a write and answers how many rows it changed. */
  run(sql: string, ...values: readonly Value[]): number {
    this.#writes += 1;
    return Number(this.#prepared(sql).run(...values).changes);
  }

  /** Inserts a row and answers its integer key. */
  insert(sql: string, ...values: readonly Value[]): number {
    this.#writes += 1;
    return Number(this.#prepared(sql).run(...values).lastInsertRowid);
  }

  /** Runs a write that must change exactly one row; anything else is a broken invariant. */
  one(sql: string, ...values: readonly Value[]): void {
    const changes = this.run(sql, ...values);
    if (changes !== 1) throw new Error(`a write changed ${String(changes)} rows instead of one`);
  }

  /** Runs statements that give no rows, such as a migration. */
  execute(sql: string): void {
    this.#database.exec(sql);
  }

  /** Copies the database to a file, some pages at a time, while this connection goes on. */
  async copyTo(path: string): Promise<void> {
    await backup(this.#database, path, { rate: COPIED_PAGES });
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** What an error of SQLite means for the store. */
export type Severity =
  /** This command is wrong; others are not concerned. */
  | 'command'
  /** The disk is full: nothing of the batch is written, and there may be room later. */
  | 'full'
  /** The file or the disk under it cannot be trusted any more. */
  | 'fatal';

const SQLITE_FULL = 13;
/** Result codes that speak of the statement, not of the file: ERROR, TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const STATEMENT_CODES: ReadonlySet<number> = new Set([1, 18, 19, 20, 25]);

/** Sorts an error; one that SQLite did not make concerns its command only. */
export function severityOf(error: unknown): Severity {
  const code = resultCode(error);
  if (code === undefined || STATEMENT_CODES.has(code)) return 'command';
  return code === SQLITE_FULL ? 'full' : 'fatal';
}

/** SQLite's primary result code, if SQLite made the error. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

/** A column that must be text. */
export function text(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : malformed(column);
}

/** A column that is text or nothing. */
export function textOrNone(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

/** A column that must be a whole number. */
export function integer(row: Row, column: string): number {
  const value = row[column];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : malformed(column);
}

/** A column that is a whole number or nothing. */
export function integerOrNone(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : integer(row, column);
}

/** A column that must be bytes. */
export function blob(row: Row, column: string): Uint8Array {
  const value = row[column];
  return value instanceof Uint8Array ? value : malformed(column);
}

/** A column that is bytes or nothing. */
export function blobOrNone(row: Row, column: string): Uint8Array | undefined {
  return row[column] === null ? undefined : blob(row, column);
}

/** Refuses a stored value that is not what was written; its content is never quoted. */
export function malformed(column: string): never {
  throw new StoreError('store_corrupt', `stored \`${column}\` is malformed`);
}
