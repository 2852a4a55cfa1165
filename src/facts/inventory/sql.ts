/** The database side of an inventory: where a database is, and which one statement an operation performs. */
import type { DocumentNode, Position, ScalarNode } from '../../kernel/document.ts';
import type { Members } from '../../kernel/document-reader.ts';
import type { ArgumentFields, SqlOperation, SqlTarget } from '../../kernel/inventory.ts';
import type { Kind } from '../../kernel/kind.ts';
import { didYouMean } from '../../kernel/did-you-mean.ts';
import { INVENTORY_DEFAULTS, INVENTORY_LIMITS } from './limits.ts';
import { type InventoryReading, readPath, refuse } from './reading.ts';
import { StatementRefusal } from './sql-parameters.ts';
import {
  type CompiledStatement,
  compileStatement,
  type StatementOptions,
} from './sql-statement.ts';
import type { TemplateReading } from './template.ts';

// ---------------------------------------------------------------- the target

/** Reads `sqlite: ./shop.db`. */
export function readSqliteTarget(
  reading: InventoryReading,
  node: DocumentNode,
): SqlTarget | undefined {
  const location = readPath(reading, node, { what: 'sqlite', from: reading.baseDirectory });
  return location === undefined ? undefined : { kind: 'sql', engine: 'sqlite', location };
}

/** Reads `postgres: postgres://user@host:5432/database?sslmode=verify-full`. */
export function readPostgresTarget(
  reading: InventoryReading,
  node: DocumentNode,
): SqlTarget | undefined {
  const text = reading.reader.text(node, 'postgres');
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const isPlain =
    url !== null &&
    /^postgres(?:ql)?:$/u.test(url.protocol) &&
    url.hostname !== '' &&
    url.password === '' &&
    url.hash === '' &&
    /^\/[^/]+$/u.test(url.pathname) &&
    /^(?:|\?sslmode=(?:disable|verify-full))$/u.test(url.search);
  if (isPlain) return { kind: 'sql', engine: 'postgres', location: url.href };
  return refuse(reading, {
    code: 'bad_url',
    position: node.position,
    // The text itself may hold a password.
    message: 'the url is not `postgres://user@host:port/database` without a password',
    hint: 'the only option is `?sslmode=disable` or `verify-full`; secrets go under `credentials:`',
  });
}

/** Reads the statement of a probe: one SELECT without arguments. */
export function readProbeStatement(
  reading: InventoryReading,
  node: DocumentNode,
  executor: SqlTarget,
): string | undefined {
  const compiled = readStatement(reading, node, {
    engine: executor.engine,
    key: [],
    rowsMax: 1,
    preview: 'select',
    lists: new Set(),
    what: 'sql',
  });
  if (compiled === undefined) return undefined;
  if (compiled.sort === 'select' && compiled.parameters.length === 0) return compiled.statement;
  const message = 'a probe is a SELECT without arguments';
  return refuse(reading, { code: 'bad_probe', position: node.position, message });
}

// ---------------------------------------------------------------- the operation

/** Reads the binding of an operation whose target is a database. */
export function readSqlOperation(
  reading: TemplateReading & { readonly engine: SqlTarget['engine'] },
  members: Members,
): SqlOperation | undefined {
  const node = members.get('sql');
  const key = readKey(reading, members.get('key'));
  const rowsMax = readMax(reading, members.get('max'));
  const preview = readPreview(reading, members);
  const lockTimeoutMs = readLockTimeout(reading, members, preview);
  const marker = readMarker(reading, members.get('reconcile'));
  if (node === undefined || rowsMax === undefined || key === undefined) return undefined;
  const lists = new Set(
    Object.entries(reading.fields).flatMap(([name, { type }]) =>
      type.kind === 'array' ? [name] : [],
    ),
  );
  const { engine } = reading;
  const options = { engine, key, rowsMax, preview: preview ?? 'select', lists } as const;
  const compiled = readStatement(reading, node, { ...options, what: 'sql' });
  if (compiled === undefined || !checkSort(reading, members, compiled)) return undefined;
  if (marker !== undefined && compiled.sort === 'select') {
    const message = 'a read has no `reconcile`; it may be sent again';
    return refuse(reading, {
      code: 'bad_operation',
      position: members.positionOf('reconcile'),
      message,
    });
  }
  const parameters = compiled.parameters.flatMap((name) => readParameter(reading, node, name));
  if (parameters.length < compiled.parameters.length) return undefined;
  return {
    kind: 'sql',
    ...compiled,
    parameters,
    rowsMax,
    lockTimeoutMs: lockTimeoutMs ?? INVENTORY_DEFAULTS.lockTimeoutMs,
    ...(marker === undefined ? {} : { marker }),
  };
}

/** The measure `rows` that a statement has by itself. */
export function rowsMeasure({ preview, rowsInserted }: SqlOperation): string | undefined {
  if (preview !== undefined) return 'preview.rows';
  return rowsInserted === undefined ? undefined : String(rowsInserted);
}

/** One column, or a list of those that only together name a row. */
function readKey(
  reading: InventoryReading,
  node: DocumentNode | undefined,
): readonly string[] | undefined {
  if (node === undefined) return [];
  const { keyColumnsMax } = INVENTORY_LIMITS;
  const nodes = reading.reader.oneOrMore(node, 'key');
  if (nodes === undefined) return undefined;
  if (nodes.length > keyColumnsMax) {
    const message = `a key has at most ${keyColumnsMax} columns`;
    return refuse(reading, { code: 'too_many', position: node.position, message });
  }
  const columns = nodes.flatMap((each) => reading.reader.text(each, 'key') ?? []);
  if (columns.length < nodes.length) return undefined;
  if (new Set(columns).size === columns.length) return columns;
  const message = 'a key has each of its columns once';
  return refuse(reading, { code: 'sql_key', position: node.position, message });
}

/** Only `preview: rollback` is written; the SELECT is what there is without it. */
function readPreview(reading: InventoryReading, members: Members): 'rollback' | undefined {
  const node = members.get('preview');
  const text = node === undefined ? undefined : reading.reader.text(node, 'preview');
  if (text === undefined || text === 'rollback') return text;
  return refuse(reading, {
    code: 'bad_operation',
    position: members.positionOf('preview'),
    message: `\`${text}\` is not a preview of a statement`,
    hint: 'the only one that is written is `preview: rollback`; else `key:` makes it a SELECT',
  });
}

/** A preview that writes holds locks that others wait for, so whoever wants it says how long it may wait. */
function readLockTimeout(
  reading: InventoryReading,
  members: Members,
  preview: 'rollback' | undefined,
): number | undefined {
  const node = members.get('lockTimeout');
  const range = { min: 1, max: INVENTORY_LIMITS.timeoutMsMax };
  const lockTimeoutMs =
    node === undefined ? undefined : reading.reader.duration(node, 'lockTimeout', range);
  const max = INVENTORY_LIMITS.rollbackLockTimeoutMsMax;
  if (preview === undefined || (node !== undefined && (lockTimeoutMs ?? 0) <= max)) {
    return lockTimeoutMs;
  }
  return refuse(reading, {
    code: 'rollback_unbounded',
    position: node?.position ?? members.positionOf('preview'),
    message: `\`preview: rollback\` needs a \`lockTimeout\` of at most ${max / 1000}s`,
    hint: 'such as `lockTimeout: 500ms`; while it waits, others may have to wait behind it',
  });
}

/** INVARIANT: rules by kind see what a statement does; a deletion cannot call itself a write. */
const SORTS_OF: Readonly<Partial<Record<Kind, readonly SqlOperation['sort'][]>>> = {
  'data.read': ['select'],
  'data.delete': ['delete', 'update'],
  'data.write': ['insert', 'update'],
};

function checkSort(
  reading: InventoryReading,
  members: Members,
  { sort }: CompiledStatement,
): boolean {
  const node = members.get('kind');
  const kind = node?.kind === 'scalar' ? node.text : '';
  const allowed = Object.entries(SORTS_OF).find(([name]) => name === kind)?.[1] ?? [
    'insert',
    'update',
    'delete',
  ];
  if (allowed.includes(sort)) return true;
  refuse(reading, {
    code: 'sql_sort',
    position: members.get('sql')?.position ?? members.position,
    message: `${sort.toUpperCase()} is not a statement of the kind \`${kind}\``,
    hint: `such a statement is ${allowed.map((word) => word.toUpperCase()).join(' or ')}`,
  });
  return false;
}

function readMax(reading: InventoryReading, node: DocumentNode | undefined): number | undefined {
  if (node === undefined) return INVENTORY_DEFAULTS.rowsMax;
  const rows = reading.reader.mapping(node, { what: 'max', required: ['rows'] })?.get('rows');
  const range = { min: 1, max: INVENTORY_LIMITS.rowsMax };
  return rows === undefined ? undefined : reading.reader.integer(rows, 'rows', range);
}

function readMarker(reading: InventoryReading, node: DocumentNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  const marker = reading.reader
    .mapping(node, { what: 'reconcile', required: ['marker'] })
    ?.get('marker');
  const text = marker === undefined ? undefined : reading.reader.text(marker, 'marker');
  if (text === undefined || marker === undefined) return undefined;
  if (/^[a-z_][a-z0-9_]{0,62}(?:\.[a-z_][a-z0-9_]{0,62})?$/u.test(text)) {
    return text.replaceAll(/[^.]+/gu, '"$&"');
  }
  return refuse(reading, {
    code: 'bad_operation',
    position: marker.position,
    message: `marker \`${text}\` is not the name of a table`,
    hint: 'CREATE TABLE exequatur_executions (execution TEXT PRIMARY KEY, state TEXT NOT NULL)',
  });
}

/** A parameter is one declared argument that is always there, and is no object or list of such. */
function readParameter(
  reading: TemplateReading,
  node: DocumentNode,
  name: string,
): SqlOperation['parameters'] {
  const fields: ArgumentFields = reading.fields;
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  const position =
    node.kind === 'scalar' ? positionIn(node, node.text.search(`:${name}\\b`)) : node.position;
  if (field === undefined) {
    // An argument that is declared and could not be read is noted already.
    if (reading.declared.has(name)) return [];
    const hint = didYouMean(name, [...reading.declared]);
    const message = `there is no argument \`${name}\``;
    refuse(reading, { code: 'unknown_argument', position, message, hint });
    return [];
  }
  if (field.optional) {
    const message = `argument \`${name}\` may be left out and stands in a statement`;
    refuse(reading, { code: 'optional_argument', position, message });
    return [];
  }
  // Where a list may stand at all was judged with the statement.
  const item = field.type.kind === 'array' ? field.type.items : field.type;
  if (item.kind === 'array' || item.kind === 'object') {
    const message = `argument \`${name}\` holds ${item.kind === 'array' ? 'lists' : 'objects'} and cannot be one parameter`;
    refuse(reading, { code: 'argument_without_text', position, message });
    return [];
  }
  return [{ name, type: field.type }];
}

// ---------------------------------------------------------------- the statement

function readStatement(
  reading: InventoryReading,
  node: DocumentNode,
  { what, ...options }: StatementOptions & { readonly what: string },
): CompiledStatement | undefined {
  const text = reading.reader.text(node, what);
  if (text === undefined || node.kind !== 'scalar') return undefined;
  if (text.length > INVENTORY_LIMITS.statementLengthMax) {
    const message = `the statement is longer than ${INVENTORY_LIMITS.statementLengthMax} characters`;
    return refuse(reading, { code: 'too_many', position: node.position, message });
  }
  try {
    return compileStatement(text, options);
  } catch (error) {
    if (!(error instanceof StatementRefusal)) throw error;
    const { code, message, offset } = error;
    return refuse(reading, { code, message, position: positionIn(node, offset) });
  }
}

/** Where a character of a statement stands; of a text that the source spells otherwise, its beginning. */
function positionIn(node: ScalarNode, offset: number): Position {
  const at = node.contentAt ?? node.position;
  const before = node.text.slice(0, Math.max(0, offset)).split('\n');
  const isOfLines = before.length > 1 && node.contentAt === undefined;
  if (node.respelled || isOfLines) return at;
  const { length } = before.at(-1) ?? '';
  // Lines of a block all begin in the same column.
  return { ...at, line: at.line + before.length - 1, column: at.column + length };
}
