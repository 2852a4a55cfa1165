/** How a system is asked who it is, so that a name that leads elsewhere is noticed. */
import type { DocumentNode } from '../../kernel/document.ts';
import type { Members } from '../../kernel/document-reader.ts';
import type {
  ExecutorBinding,
  Probe,
  ProbeEnvironment,
  SqlTarget,
} from '../../kernel/inventory.ts';
import { INVENTORY_LIMITS } from './limits.ts';
import { boundedEntries, type InventoryReading, readPath, readPointer, refuse } from './reading.ts';
import { readPlainPath } from './request.ts';
import { readProbeStatement } from './sql.ts';

/** Reads `{ GET: /v1/account, field: /id, environment: … }` or the same with `file:`. */
export function readProbe(
  reading: InventoryReading,
  node: DocumentNode | undefined,
  executor: ExecutorBinding,
): Probe | undefined {
  if (node === undefined) return undefined;
  if (executor.kind === 'permit') {
    const message = 'nobody here can ask a target whose executor lies elsewhere';
    return refuse(reading, { code: 'bad_probe', position: node.position, message });
  }
  // A target is probed the way it is reached: a file says nothing about a remote system.
  const place = placeOf(executor);
  const entries = reading.reader.entries(node, 'probe') ?? [];
  const wrong = entries.find(({ key }) => PLACES.has(key) && key !== place);
  if (wrong !== undefined) {
    return refuse(reading, {
      code: 'bad_probe',
      position: wrong.keyPosition,
      message: `a target reached by \`${executor.kind}\` is not probed by \`${wrong.key}\``,
      hint: `use \`${place}:\``,
    });
  }
  const members = reading.reader.mapping(node, {
    what: 'probe',
    required: [place, 'field'],
    optional: ['environment'],
  });
  const placeNode = members?.get(place);
  if (members === undefined || placeNode === undefined) return undefined;
  if (executor.kind === 'sql') return readSqlProbe(reading, members, placeNode, executor);
  const path = readPlace(reading, placeNode, executor);
  const identity = readPointer(reading, members.get('field'), 'field');
  const environment = readEnvironment(reading, members.get('environment'));
  if (path === undefined || identity === undefined) return undefined;
  return {
    kind: executor.kind === 'http' ? 'http' : 'file',
    path,
    identity,
    ...(environment === undefined ? {} : { environment }),
  };
}

const PLACES = new Set(['GET', 'file', 'sql']);

function placeOf({ kind }: ExecutorBinding): 'GET' | 'file' | 'sql' {
  if (kind === 'sql') return 'sql';
  return kind === 'http' ? 'GET' : 'file';
}

function readSqlProbe(
  reading: InventoryReading,
  members: Members,
  node: DocumentNode,
  executor: SqlTarget,
): Probe | undefined {
  const statement = readProbeStatement(reading, node, executor);
  const identity = readPointer(reading, members.get('field'), 'field');
  const environment = readEnvironment(reading, members.get('environment'));
  if (statement === undefined || identity === undefined) return undefined;
  const marked = environment === undefined ? {} : { environment };
  return { kind: 'sql', statement, identity, ...marked };
}

function readPlace(
  reading: InventoryReading,
  node: DocumentNode,
  executor: ExecutorBinding,
): string | undefined {
  if (executor.kind === 'process') {
    return readPath(reading, node, { what: 'file', from: executor.directory });
  }
  if (executor.kind === 'file') {
    return readPath(reading, node, { what: 'file', from: reading.baseDirectory });
  }
  return readPlainPath(reading, node);
}

function readEnvironment(
  reading: InventoryReading,
  node: DocumentNode | undefined,
): ProbeEnvironment | undefined {
  if (node === undefined) return undefined;
  const { reader } = reading;
  const members = reader.mapping(node, { what: 'environment', required: ['field', 'values'] });
  const pointer = readPointer(reading, members?.get('field'), 'field');
  const values: Record<string, string> = Object.create(null);
  const limit = { what: 'values', max: INVENTORY_LIMITS.fieldsMax };
  for (const { key, value } of boundedEntries(reading, members?.get('values'), limit)) {
    const name = reader.name(value, 'environment');
    if (name !== undefined) values[key] = name;
  }
  return pointer === undefined ? undefined : { pointer, values };
}
