/**
 * Proves, when an inventory is loaded, that a statement is exactly one DELETE, UPDATE, INSERT or
 * SELECT on one table, and writes it anew from what was understood, with the SELECT of the rows that
 * it acts on. Both engines are read with the parser of PostgreSQL; what differs between them is not
 * among what is understood.
 */
import { loadModule, parseSync } from 'libpg-query';
import type { SqlOperation, SqlPreview } from '../../kernel/inventory.ts';
import { identifier, type StatementWriting, writeExpression } from './sql-expression.ts';
import { numberParameters, StatementRefusal } from './sql-parameters.ts';
import {
  fieldsOf,
  listOf,
  locationOf,
  nodeOf,
  only,
  textOf,
  type TreeFields,
  type TreeNode,
  unproved,
} from './sql-tree.ts';

// The parser is WebAssembly; loaded with this module, it can be asked synchronously from then on.
await loadModule();

/** What a statement is compiled for. */
export interface StatementOptions {
  readonly engine: 'sqlite' | 'postgres';
  /** The columns that together name a row; none where nothing is compared by row. */
  readonly key: readonly string[];
  readonly rowsMax: number;
  /** How its rows are seen beforehand: by a SELECT where the statement allows one, or by itself, rolled back. */
  readonly preview: SqlPreview['kind'];
  /** Names of the arguments that are lists. */
  readonly lists: ReadonlySet<string>;
}

/** A statement that was proved; `parameters` are names. */
export type CompiledStatement = Pick<
  SqlOperation,
  'sort' | 'table' | 'statement' | 'preview' | 'rowsInserted'
> & { readonly parameters: readonly string[] };

/** Compiles a statement. Throws {@link StatementRefusal} with the place in `source`. */
export function compileStatement(source: string, options: StatementOptions): CompiledStatement {
  const numbered = numberParameters(source);
  try {
    return compileTree(parseOne(numbered.text), numbered.names, options);
  } catch (error) {
    if (!(error instanceof StatementRefusal)) throw error;
    const { code, message, offset } = error;
    const isIn = offset >= 0;
    throw new StatementRefusal(code, message, isIn ? numbered.sourceOffset(offset) : 0);
  }
}

function parseOne(text: string): TreeNode {
  let parsed: unknown;
  try {
    parsed = parseSync(text);
  } catch (error) {
    throw new StatementRefusal('sql_syntax', syntaxMessage(error), syntaxOffset(error, text));
  }
  const [first, second] = listOf(fieldsOf(parsed)['stmts']);
  if (first === undefined) throw new StatementRefusal('sql_not_one', 'there is no statement', 0);
  if (second !== undefined) {
    const location = fieldsOf(second)['stmt_location'];
    const message = 'an operation is one statement';
    throw new StatementRefusal('sql_not_one', message, typeof location === 'number' ? location : 0);
  }
  return nodeOf(fieldsOf(first)['stmt']);
}

function syntaxMessage(error: unknown): string {
  return error instanceof Error ? error.message.split('\n', 1).join('') : 'not a statement';
}

/** The parser counts characters; the places of its tree are bytes. */
function syntaxOffset(error: unknown, text: string): number {
  if (!(error instanceof Error) || !('sqlDetails' in error)) return 0;
  const position = fieldsOf(error.sqlDetails)['cursorPosition'];
  return Buffer.byteLength(text.slice(0, typeof position === 'number' ? position : 0), 'utf8');
}

interface Compiling {
  readonly writing: StatementWriting;
  readonly options: StatementOptions;
}

function compileTree(
  { tag, fields }: TreeNode,
  names: readonly string[],
  options: StatementOptions,
): CompiledStatement {
  const writing: StatementWriting = {
    engine: options.engine,
    names,
    used: [],
    aggregates: tag === 'SelectStmt' ? 'allowed' : 'refused',
    lists: options.lists,
  };
  if (fields['withClause'] !== undefined) {
    const at = locationOf(fieldsOf(fields['withClause']));
    throw new StatementRefusal('sql_with', 'a statement has no `WITH`', at);
  }
  if (listOf(fields['returningList']).length > 0 || fields['returningClause'] !== undefined) {
    throw new StatementRefusal('sql_returning', 'a statement has no `RETURNING`', 0);
  }
  const compiling = { writing, options };
  switch (tag) {
    case 'DeleteStmt':
      return compileDelete(compiling, fields);
    case 'UpdateStmt':
      return compileUpdate(compiling, fields);
    case 'InsertStmt':
      return compileInsert(compiling, fields);
    case 'SelectStmt':
      return compileSelect(compiling, fields);
    default:
      throw new StatementRefusal(
        'sql_sort',
        `\`${tag}\` is not one of DELETE, UPDATE, INSERT and SELECT`,
        0,
      );
  }
}

// ---------------------------------------------------------------- writes

function compileDelete(compiling: Compiling, fields: TreeFields): CompiledStatement {
  joined(fields['usingClause'], 'USING');
  only(fields, 'DELETE', ['relation', 'whereClause']);
  const table = tableOf(fields['relation']);
  const affected = affectedRows(compiling, table, fields['whereClause']);
  return {
    sort: 'delete',
    table,
    statement: affected.returning(`DELETE FROM ${table}${affected.where}`),
    preview: affected.preview,
    parameters: compiling.writing.used,
  };
}

function compileUpdate(compiling: Compiling, fields: TreeFields): CompiledStatement {
  joined(fields['fromClause'], 'FROM');
  only(fields, 'UPDATE', ['relation', 'targetList', 'whereClause']);
  const table = tableOf(fields['relation']);
  const affected = affectedRows(compiling, table, fields['whereClause']);
  const changes = listOf(fields['targetList']).map((item) => {
    const target = resTarget(item);
    const column = textOf(target['name']);
    if (isKey(compiling.options, column)) {
      const message = `an update does not change its key \`${column}\``;
      throw new StatementRefusal('sql_key', message, locationOf(target));
    }
    return `${identifier(column)} = ${writeExpression(compiling.writing, target['val'])}`;
  });
  return {
    sort: 'update',
    table,
    statement: affected.returning(`UPDATE ${table} SET ${changes.join(', ')}${affected.where}`),
    preview: affected.preview,
    parameters: compiling.writing.used,
  };
}

/** Before it is rolled back, an update may give a row another key; a SELECT would not see that one. */
function isKey({ key, preview }: StatementOptions, column: string): boolean {
  if (preview === 'rollback') return false;
  return key.some((name) => name.toLowerCase() === column.toLowerCase());
}

interface AffectedRows {
  readonly where: string;
  /** Adds to a statement that it returns its keys. */
  readonly returning: (statement: string) => string;
  readonly preview: SqlPreview;
}

/** The rows of a WHERE by key. It is written first, so that its parameters have the first numbers. */
function affectedRows(compiling: Compiling, table: string, whereClause: unknown): AffectedRows {
  const { writing, options } = compiling;
  const { key, rowsMax } = options;
  const where = whereOf(writing, whereClause);
  const columns = keyColumns(options);
  const returning = (statement: string): string => returningKeys(statement, options);
  if (options.preview === 'rollback') {
    return { where, returning, preview: { kind: 'rollback', key } };
  }
  if (key.length === 0) {
    const message = 'an update or a delete needs `key:`, the columns that name a row';
    throw new StatementRefusal('sql_key', message, 0);
  }
  const order = columns.map((_, index) => index + 1).join(', ');
  // One more than is allowed shows that there are more.
  const look = `SELECT ${columns.join(', ')} FROM ${table}${where} ORDER BY ${order} LIMIT ${rowsMax + 1}`;
  const lock = writing.engine === 'postgres' ? `${look} FOR UPDATE` : look;
  const parametersCount = writing.used.length;
  return { where, returning, preview: { kind: 'select', key, look, lock, parametersCount } };
}

/** The columns of the key as they are given: as texts, so that what is compared is what is shown. */
function keyColumns({ key, engine }: StatementOptions): readonly string[] {
  const columns = key.map(identifier);
  return engine === 'postgres'
    ? columns.map((column) => `CAST(${column} AS pg_catalog.text)`)
    : columns;
}

/**
 * A statement that returns the keys of its rows. Whatever a SELECT did not bound beforehand is bounded
 * here: the rows are all written, and at most one more is given than is allowed. The session with
 * SQLite, which has no such form, stops by itself.
 */
function returningKeys(statement: string, options: StatementOptions): string {
  const columns = keyColumns(options);
  if (columns.length === 0) return statement;
  const isBounded = options.preview === 'select' || options.engine === 'sqlite';
  if (isBounded) return `${statement} RETURNING ${columns.join(', ')}`;
  const named = columns.map((column, index) => `${column} AS "key${index + 1}"`).join(', ');
  const limit = options.rowsMax + 1;
  return `WITH "touched" AS (${statement} RETURNING ${named}) SELECT * FROM "touched" LIMIT ${limit}`;
}

function compileInsert(compiling: Compiling, fields: TreeFields): CompiledStatement {
  const { writing, options } = compiling;
  only(fields, 'INSERT', ['relation', 'cols', 'selectStmt', 'override']);
  if (fields['override'] !== 'OVERRIDING_NOT_SET') unproved('OVERRIDING', fields);
  if (options.key.length > 0 && options.preview === 'select') {
    const message = 'an insert has a `key:` only with `preview: rollback`; its rows are new';
    throw new StatementRefusal('sql_key', message, 0);
  }
  const table = tableOf(fields['relation']);
  const columns = listOf(fields['cols']).map((item) => {
    const target = resTarget(item);
    return identifier(textOf(target['name']));
  });
  const source = nodeOf(fields['selectStmt'] ?? { DefaultValues: {} });
  const isValues = source.tag === 'SelectStmt' && source.fields['valuesLists'] !== undefined;
  if (!isValues || columns.length === 0) {
    throw new StatementRefusal('sql_join', 'an insert names its columns and its VALUES', 0);
  }
  only(source.fields, 'VALUES', ['valuesLists', 'limitOption', 'op']);
  const rows = listOf(source.fields['valuesLists']).map((item) => {
    const { tag, fields: list } = nodeOf(item);
    const values = tag === 'List' ? listOf(list['items']) : [];
    if (values.length !== columns.length) unproved('a row of another length', list);
    return `(${values.map((value) => writeExpression(writing, value)).join(', ')})`;
  });
  if (rows.length > options.rowsMax) {
    throw new StatementRefusal('sql_rows', `more than ${options.rowsMax} rows`, 0);
  }
  const statement = `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${rows.join(', ')}`;
  const shared = { sort: 'insert', table, parameters: writing.used } as const;
  if (options.preview === 'select') return { ...shared, statement, rowsInserted: rows.length };
  return {
    ...shared,
    statement: returningKeys(statement, options),
    preview: { kind: 'rollback', key: options.key },
  };
}

// ---------------------------------------------------------------- reads

/** Compiles the SELECT of a probe or a read; it gives at most `rowsMax` + 1 rows. */
function compileSelect(compiling: Compiling, fields: TreeFields): CompiledStatement {
  const { writing, options } = compiling;
  only(fields, 'SELECT', [
    'targetList',
    'fromClause',
    'whereClause',
    'sortClause',
    'limitCount',
    'limitOption',
    'op',
  ]);
  if (fields['op'] !== 'SETOP_NONE') unproved('a union of SELECTs', fields);
  if (options.key.length > 0 || options.preview === 'rollback') {
    const message = 'a read has neither `key:` nor `preview:`; it changes no rows';
    throw new StatementRefusal('sql_key', message, 0);
  }
  const [from, more] = listOf(fields['fromClause']);
  if (more !== undefined) joined(fields['fromClause'], 'FROM');
  const source = from === undefined ? unproved('a SELECT without FROM', fields) : nodeOf(from);
  if (source.tag !== 'RangeVar') {
    const isJoin = source.tag === 'JoinExpr' || source.tag === 'RangeSubselect';
    const message = 'a SELECT reads one table, and nothing else';
    throw new StatementRefusal(isJoin ? 'sql_join' : 'sql_function', message, 0);
  }
  const table = tableOf(source.fields);
  const columns = listOf(fields['targetList']).map((item) => writeColumn(writing, item));
  const where = whereOf(writing, fields['whereClause']);
  const order = listOf(fields['sortClause']).map((item) => writeOrder(writing, item));
  const limit = limitOf(fields, options.rowsMax);
  const ordered = order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`;
  return {
    sort: 'select',
    table,
    statement: `SELECT ${columns.join(', ')} FROM ${table}${where}${ordered} LIMIT ${limit}`,
    parameters: writing.used,
  };
}

function writeColumn(writing: StatementWriting, item: unknown): string {
  const target = resTarget(item);
  const value = nodeOf(target['val']);
  const [first] = value.tag === 'ColumnRef' ? listOf(value.fields['fields']) : [];
  const isAll =
    first !== undefined &&
    nodeOf(first).tag === 'A_Star' &&
    listOf(value.fields['fields']).length === 1;
  if (isAll) return '*';
  const written = writeExpression(writing, target['val']);
  return target['name'] === undefined
    ? written
    : `${written} AS ${identifier(textOf(target['name']))}`;
}

function writeOrder(writing: StatementWriting, item: unknown): string {
  const { tag, fields } = nodeOf(item);
  if (tag !== 'SortBy') unproved('an order', fields);
  only(fields, 'an order', ['node', 'sortby_dir', 'sortby_nulls']);
  if (fields['sortby_nulls'] !== 'SORTBY_NULLS_DEFAULT') unproved('the order of nulls', fields);
  const isDescending = fields['sortby_dir'] === 'SORTBY_DESC';
  return `${writeExpression(writing, fields['node'])}${isDescending ? ' DESC' : ''}`;
}

function limitOf(fields: TreeFields, rowsMax: number): number {
  const { limitCount, limitOption } = fields;
  if (limitCount === undefined) return rowsMax + 1;
  const { tag, fields: constant } = nodeOf(limitCount);
  const count = tag === 'A_Const' ? fieldsOf(constant['ival'] ?? {})['ival'] : undefined;
  if (limitOption !== 'LIMIT_OPTION_COUNT' || typeof count !== 'number' || count < 1) {
    return unproved('a LIMIT that is no number', constant);
  }
  if (count > rowsMax) {
    const message = `the LIMIT is more than ${rowsMax} rows`;
    throw new StatementRefusal('sql_rows', message, locationOf(constant));
  }
  return count;
}

// ---------------------------------------------------------------- parts

function tableOf(value: unknown): string {
  const fields = fieldsOf(value);
  only(fields, 'a table', ['schemaname', 'relname', 'inh', 'relpersistence']);
  if (fields['inh'] !== true) unproved('ONLY', fields);
  const name = textOf(fields['relname']);
  const schema = fields['schemaname'] === undefined ? [] : [textOf(fields['schemaname'])];
  const path = [...schema, name];
  if (path.some((part) => /^(?:pg_|sqlite_|information_schema$)/iu.test(part))) {
    unproved(`\`${path.join('.')}\`, a table of the database itself,`, fields);
  }
  return path.map(identifier).join('.');
}

function whereOf(writing: StatementWriting, whereClause: unknown): string {
  return whereClause === undefined ? '' : ` WHERE ${writeExpression(writing, whereClause)}`;
}

function resTarget(item: unknown): TreeFields {
  const { tag, fields } = nodeOf(item);
  if (tag !== 'ResTarget') return unproved(`\`${tag}\``, fields);
  only(fields, 'a column', ['name', 'val']);
  return fields;
}

function joined(clause: unknown, word: string): void {
  const [, second] = listOf(clause);
  const [first] = listOf(clause);
  const part = second ?? first;
  if (part === undefined) return;
  const at = locationOf(nodeOf(part).fields);
  throw new StatementRefusal('sql_join', `\`${word}\` brings in another table`, at);
}
