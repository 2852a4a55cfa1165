/**
 * Writes expressions of a statement anew from the parser's tree: what reaches a database is what was
 * understood, never what was typed. Columns, constants, parameters, comparisons, arithmetic, a few
 * functions without effects, and casts to simple types; nothing else.
 */
import { StatementRefusal } from './sql-parameters.ts';
import {
  fieldsOf,
  listOf,
  locationOf,
  namesOf,
  nodeOf,
  only,
  textOf,
  type TreeFields,
  unproved,
} from './sql-tree.ts';

/** What is written for, and which parameters were used so far. */
export interface StatementWriting {
  readonly engine: 'sqlite' | 'postgres';
  /** Names by the number in the tree, from 1. */
  readonly names: readonly string[];
  /** Names in the order in which they were first written; their place is their number. */
  readonly used: string[];
  readonly aggregates: 'allowed' | 'refused';
  /** Names of the arguments that are lists: each is one parameter, and stands only after `IN` or in `ANY`. */
  readonly lists: ReadonlySet<string>;
}

/** How deep expressions may lie within each other. */
const DEPTH_MAX = 64;

/** An identifier, quoted. */
export function identifier(name: string): string {
  if (name === '' || name.includes('\0')) throw new StatementRefusal('sql_unproved', 'a name', -1);
  return `"${name.replaceAll('"', '""')}"`;
}

/** An expression, in brackets where it has parts. */
export function writeExpression(writing: StatementWriting, value: unknown, depth = 0): string {
  const { tag, fields } = nodeOf(value);
  if (depth > DEPTH_MAX) unproved('an expression this deep', fields);
  const inner = (part: unknown): string => writeExpression(writing, part, depth + 1);
  switch (tag) {
    case 'ColumnRef':
      return writeColumn(fields);
    case 'ParamRef':
      return writeParameter(writing, fields);
    case 'A_Const':
      return writeConstant(writing, fields);
    case 'A_Expr':
      return writeList(writing, fields, inner) ?? writeOperator(fields, inner);
    case 'BoolExpr':
      return writeBoolean(fields, inner);
    case 'NullTest':
      return writeNullTest(fields, inner);
    case 'CoalesceExpr':
      only(fields, 'coalesce', ['args']);
      return `coalesce(${listOf(fields['args']).map(inner).join(', ')})`;
    case 'FuncCall':
      return writeFunction(writing, fields, inner);
    case 'TypeCast':
      return writeCast(writing, fields, inner);
    case 'SubLink':
      throw new StatementRefusal('sql_subquery', 'a statement has no subquery', locationOf(fields));
    case 'SQLValueFunction':
      throw new StatementRefusal(
        'sql_function',
        'the time and the user of the database are no arguments; pass them as such',
        locationOf(fields),
      );
    default:
      return unproved(`\`${tag}\``, fields);
  }
}

type Inner = (part: unknown) => string;

/** A plain column. With a dot before it, PostgreSQL would also call a function of that name. */
function writeColumn(fields: TreeFields): string {
  only(fields, 'a column', ['fields']);
  const [first, more] = listOf(fields['fields']);
  if (more !== undefined) {
    const message = 'columns are named without their table';
    throw new StatementRefusal('sql_unproved', message, locationOf(fields));
  }
  const { tag, fields: name } = nodeOf(first);
  return tag === 'String' ? identifier(textOf(name['sval'])) : unproved('`*`', fields);
}

function writeParameter(writing: StatementWriting, fields: TreeFields): string {
  const name = parameterName(writing, fields);
  if (!writing.lists.has(name)) return placeOf(writing, name);
  const message = `argument \`${name}\` is a list and stands only as \`IN (:${name})\``;
  throw new StatementRefusal('argument_without_text', message, locationOf(fields));
}

function parameterName(writing: StatementWriting, fields: TreeFields): string {
  only(fields, 'a parameter', ['number']);
  const number = fields['number'];
  const name = typeof number === 'number' ? writing.names[number - 1] : undefined;
  return name ?? unproved('a parameter', fields);
}

function placeOf(writing: StatementWriting, name: string): string {
  if (!writing.used.includes(name)) writing.used.push(name);
  const place = writing.used.indexOf(name) + 1;
  return writing.engine === 'postgres' ? `$${place}` : `?${place}`;
}

function writeConstant(writing: StatementWriting, fields: TreeFields): string {
  only(fields, 'a constant', ['ival', 'fval', 'sval', 'boolval', 'isnull']);
  const { ival, fval, sval, boolval, isnull } = fields;
  if (isnull === true) return 'NULL';
  if (ival !== undefined) return integer(fieldsOf(ival)['ival'] ?? 0, fields);
  if (boolval !== undefined) {
    const value = fieldsOf(boolval)['boolval'] === true;
    if (writing.engine === 'sqlite') return value ? '1' : '0';
    return value ? 'TRUE' : 'FALSE';
  }
  if (fval !== undefined) {
    const text = textOf(fieldsOf(fval)['fval']);
    return /^-?(?:\d+\.?\d*|\.\d+)$/u.test(text) ? `(${text})` : unproved('the number', fields);
  }
  const text = sval === undefined ? unproved('a constant', fields) : fieldsOf(sval)['sval'];
  const string = textOf(text ?? '');
  // Whether a backslash escapes depends on a setting of the server.
  if (/[\\\0]/u.test(string)) return unproved('a text with a backslash', fields);
  return `'${string.replaceAll("'", "''")}'`;
}

function integer(value: unknown, fields: TreeFields): string {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    return unproved('a number', fields);
  return value < 0 ? `(${value})` : String(value);
}

const OPERATORS = new Set(['=', '<>', '<', '<=', '>', '>=', '+', '-', '*', '/', '%', '||']);

function writeOperator(fields: TreeFields, inner: Inner): string {
  only(fields, 'an operator', [
    'kind',
    'name',
    'lexpr',
    'rexpr',
    'rexpr_list_start',
    'rexpr_list_end',
  ]);
  const [name = '', schema] = namesOf(fields['name']);
  if (schema !== undefined) return unproved('an operator of a schema', fields);
  const { kind, lexpr, rexpr } = fields;
  switch (kind) {
    case 'AEXPR_OP':
      if (!OPERATORS.has(name)) return unproved(`\`${name}\``, fields);
      if (lexpr !== undefined) return `(${inner(lexpr)} ${name} ${inner(rexpr)})`;
      return name === '-' ? `(- ${inner(rexpr)})` : unproved(`\`${name}\``, fields);
    case 'AEXPR_IN':
      return `(${inner(lexpr)} ${name === '=' ? 'IN' : 'NOT IN'} (${items(rexpr).map(inner).join(', ')}))`;
    case 'AEXPR_LIKE':
      return `(${inner(lexpr)} ${name === '~~' ? 'LIKE' : 'NOT LIKE'} ${inner(rexpr)})`;
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN': {
      const [low, high] = items(rexpr).map(inner);
      const word = kind === 'AEXPR_BETWEEN' ? 'BETWEEN' : 'NOT BETWEEN';
      return `(${inner(lexpr)} ${word} ${low ?? ''} AND ${high ?? ''})`;
    }
    default:
      return unproved(`\`${name}\``, fields);
  }
}

/** `IN (:list)`, `NOT IN (:list)`, `= ANY (:list)` or `<> ALL (:list)`, of which the first and third are one. */
function writeList(
  writing: StatementWriting,
  fields: TreeFields,
  inner: Inner,
): string | undefined {
  const { kind, lexpr, rexpr } = fields;
  const [list, more] = kind === 'AEXPR_IN' ? items(rexpr) : [rexpr];
  const isArray = kind === 'AEXPR_OP_ANY' || kind === 'AEXPR_OP_ALL';
  if (list === undefined || more !== undefined || !(isArray || kind === 'AEXPR_IN')) {
    return undefined;
  }
  const { tag, fields: parameter } = nodeOf(list);
  const name = tag === 'ParamRef' ? parameterName(writing, parameter) : undefined;
  if (name === undefined || !writing.lists.has(name)) {
    return isArray ? unproved('`ANY` or `ALL` of no list argument', fields) : undefined;
  }
  const [operator] = namesOf(fields['name']);
  const isIn = kind !== 'AEXPR_OP_ALL' && operator === '=';
  const isOut = kind !== 'AEXPR_OP_ANY' && operator === '<>';
  if (!isIn && !isOut) return unproved(`\`${operator ?? ''}\` with a list`, fields);
  only(fields, 'a list', ['kind', 'name', 'lexpr', 'rexpr', 'rexpr_list_start', 'rexpr_list_end']);
  const left = inner(lexpr);
  const place = placeOf(writing, name);
  if (writing.engine === 'postgres') {
    return `(${left} ${isIn ? '= ANY' : '<> ALL'} (${place}))`;
  }
  return `(${left} ${isIn ? 'IN' : 'NOT IN'} (SELECT value FROM json_each(${place})))`;
}

function items(value: unknown): readonly unknown[] {
  const { tag, fields } = nodeOf(value);
  return tag === 'List' ? listOf(fields['items']) : unproved('a list', fields);
}

function writeBoolean(fields: TreeFields, inner: Inner): string {
  only(fields, 'a condition', ['boolop', 'args']);
  const parts = listOf(fields['args']).map(inner);
  switch (fields['boolop']) {
    case 'AND_EXPR':
      return `(${parts.join(' AND ')})`;
    case 'OR_EXPR':
      return `(${parts.join(' OR ')})`;
    case 'NOT_EXPR':
      return `(NOT ${parts.join('')})`;
    default:
      return unproved('a condition', fields);
  }
}

function writeNullTest(fields: TreeFields, inner: Inner): string {
  only(fields, 'a test', ['arg', 'nulltesttype']);
  const word = fields['nulltesttype'] === 'IS_NULL' ? 'IS NULL' : 'IS NOT NULL';
  return `(${inner(fields['arg'])} ${word})`;
}

/** Functions that read nothing but their arguments, by what each engine calls them. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  abs: 'abs',
  btrim: 'trim',
  length: 'length',
  lower: 'lower',
  replace: 'replace',
  substr: 'substr',
  trim: 'trim',
  upper: 'upper',
};
const AGGREGATES = new Set(['avg', 'count', 'max', 'min', 'sum']);

function writeFunction(writing: StatementWriting, fields: TreeFields, inner: Inner): string {
  const names = namesOf(fields['funcname']);
  const name = names.at(-1) ?? '';
  const isPlain = names.length === 1 || (names.length === 2 && names[0] === 'pg_catalog');
  const isAggregate = writing.aggregates === 'allowed' && AGGREGATES.has(name);
  if (!isPlain || (!Object.hasOwn(FUNCTIONS, name) && !isAggregate)) {
    const message = `function \`${name}\` is not one of ${Object.keys(FUNCTIONS).join(', ')}, coalesce`;
    throw new StatementRefusal('sql_function', message, locationOf(fields));
  }
  only(fields, `\`${name}\``, ['funcname', 'args', 'agg_star', 'funcformat']);
  const args =
    fields['agg_star'] === true && isAggregate ? '*' : listOf(fields['args']).map(inner).join(', ');
  if (writing.engine === 'sqlite') return `${FUNCTIONS[name] ?? name}(${args})`;
  // INVARIANT: the database's own function, whatever else its search path has of that name.
  return `pg_catalog.${name === 'trim' ? 'btrim' : name}(${args})`;
}

/** Types that are cast to, by the parser's name, as each engine writes them. */
const TYPES: Readonly<Record<'sqlite' | 'postgres', Readonly<Record<string, string>>>> = {
  postgres: {
    bool: 'bool',
    date: 'date',
    float8: 'float8',
    int4: 'int4',
    int8: 'int8',
    numeric: 'numeric',
    text: 'text',
    timestamp: 'timestamp',
    timestamptz: 'timestamptz',
    uuid: 'uuid',
  },
  sqlite: { float8: 'REAL', int4: 'INTEGER', int8: 'INTEGER', numeric: 'NUMERIC', text: 'TEXT' },
};

function writeCast(writing: StatementWriting, fields: TreeFields, inner: Inner): string {
  only(fields, 'a cast', ['arg', 'typeName']);
  const typeName = fieldsOf(fields['typeName']);
  const names = namesOf(typeName['names']);
  const name = names.at(-1) ?? '';
  const isPlain = names.length === 1 || (names.length === 2 && names[0] === 'pg_catalog');
  const type = TYPES[writing.engine][name];
  const isBare = typeName['typmods'] === undefined && typeName['arrayBounds'] === undefined;
  if (!isPlain || type === undefined || !isBare || !Object.hasOwn(TYPES[writing.engine], name)) {
    const known = Object.keys(TYPES[writing.engine]).join(', ');
    const message = `a cast to \`${name}\` is not one to ${known}`;
    throw new StatementRefusal('sql_cast', message, locationOf(typeName));
  }
  only(typeName, 'a type', ['names', 'typemod']);
  const schema = writing.engine === 'postgres' ? 'pg_catalog.' : '';
  return `CAST(${inner(fields['arg'])} AS ${schema}${type})`;
}
