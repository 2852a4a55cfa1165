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
  const options = { engine: executor.engine, key: undefined, rowsMax: 1 };
  const compiled = readStatement(reading, node, { ...options, what: 'sql' });
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
  const { reader } = reading;
  const node = members.get('sql');
  const keyNode = members.get('key');
  const key = keyNode === undefined ? undefined : reader.text(keyNode, 'key');
  const rowsMax = readMax(reading, members.get('max'));
  const lockNode = members.get('lockTimeout');
  const range = { min: 1, max: INVENTORY_LIMITS.timeoutMsMax };
  const lockTimeoutMs =
    lockNode === undefined ? undefined : reader.duration(lockNode, 'lockTimeout', range);
  const marker = readMarker(reading, members.get('reconcile'));
  if (node === undefined || rowsMax === undefined) return undefined;
  const options = { engine: reading.engine, key, rowsMax, what: 'sql' };
  const compiled = readStatement(reading, node, options);
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

/** A parameter is one declared argument that is always there and is no list or object. */
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
  if (field.type.kind === 'array' || field.type.kind === 'object') {
    const message = `argument \`${name}\` is a ${field.type.kind} and cannot be one parameter`;
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
