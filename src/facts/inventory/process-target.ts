/** A target whose operations are programs on this machine: where they run, as whom, with what. */
import type { DocumentNode } from '../../kernel/document.ts';
import type { Members } from '../../kernel/document-reader.ts';
import type { ProcessIsolation, ProcessTarget } from '../../kernel/inventory.ts';
import { INVENTORY_LIMITS } from './limits.ts';
import { bounded, boundedEntries, type InventoryReading, readPath, refuse } from './reading.ts';
import { VARIABLE } from './variables.ts';

/** Reads a working directory alone, or with environment, credential and isolation. */
export function readProcess(
  reading: InventoryReading,
  node: DocumentNode,
): ProcessTarget | undefined {
  const { reader } = reading;
  const place = { what: 'cwd', from: reading.baseDirectory };
  if (node.kind === 'scalar') {
    const directory = readPath(reading, node, place);
    if (directory === undefined) return undefined;
    return { kind: 'process', directory, environmentNames: [], environmentValues: {} };
  }
  const members = reader.mapping(node, {
    what: 'process',
    required: ['cwd'],
    optional: ['environment', 'set', 'credential', 'user', 'sandbox'],
  });
  const [cwd, credential] = [members?.get('cwd'), members?.get('credential')];
  const directory = cwd === undefined ? undefined : readPath(reading, cwd, place);
  const limit = { what: 'environment', max: INVENTORY_LIMITS.fieldsMax };
  const names = bounded(reading, members?.get('environment'), limit).flatMap(
    (item) => readVariable(reading, item) ?? [],
  );
  const environmentValues = readValues(reading, members?.get('set'));
  const variable = credential === undefined ? undefined : readVariable(reading, credential);
  const isolation = members === undefined ? undefined : readIsolation(reading, members);
  if (directory === undefined) return undefined;
  return {
    kind: 'process',
    directory,
    ...(isolation === undefined ? {} : { isolation }),
    environmentNames: [...new Set(names)].toSorted(),
    environmentValues,
    ...(variable === undefined ? {} : { credentialVariable: variable }),
  };
}

function readVariable(reading: InventoryReading, node: DocumentNode): string | undefined {
  const name = reading.reader.text(node, 'variable');
  if (name === undefined || VARIABLE.test(name)) return name;
  const message = `\`${name}\` is not the name of a variable`;
  return refuse(reading, { code: 'bad_executor', position: node.position, message });
}

function readValues(
  reading: InventoryReading,
  node: DocumentNode | undefined,
): Readonly<Record<string, string>> {
  const values: Record<string, string> = Object.create(null);
  const limit = { what: 'set', max: INVENTORY_LIMITS.fieldsMax };
  for (const { key, keyPosition, value } of boundedEntries(reading, node, limit)) {
    const text = reading.reader.string(value, key);
    if (!VARIABLE.test(key)) {
      const message = `\`${key}\` is not the name of a variable`;
      refuse(reading, { code: 'bad_executor', position: keyPosition, message });
    } else if (text !== undefined) values[key] = text;
  }
  return values;
}

/** The system's user names as `useradd` takes them. */
const USER = /^[a-z_][a-z0-9_-]{0,31}$/u;

/** `user: NAME`, `user: same-as-layer`, or `sandbox: bwrap` with what it shows; not two of them. */
function readIsolation(reading: InventoryReading, members: Members): ProcessIsolation | undefined {
  const [user, sandbox] = [members.get('user'), members.get('sandbox')];
  if (sandbox !== undefined && user !== undefined) {
    const message = 'a program runs under another `user` or in a `sandbox`';
    return refuse(reading, { code: 'bad_executor', position: sandbox.position, message });
  }
  if (sandbox !== undefined) return readSandbox(reading, sandbox);
  if (user === undefined) return undefined;
  const name = reading.reader.text(user, 'user');
  if (name === undefined) return undefined;
  if (name === 'same-as-layer') return { kind: 'same-as-layer' };
  if (USER.test(name)) return { kind: 'user', name };
  const message = `\`${name}\` is not the name of a user`;
  return refuse(reading, { code: 'bad_executor', position: user.position, message });
}

function readSandbox(reading: InventoryReading, node: DocumentNode): ProcessIsolation | undefined {
  const { reader } = reading;
  const nothing = { kind: 'bwrap', readOnly: [], writable: [], network: false } as const;
  if (node.kind === 'scalar') {
    return reader.oneOf(node, 'sandbox', ['bwrap'] as const) === undefined ? undefined : nothing;
  }
  const inner = reader.mapping(node, { what: 'sandbox', required: ['bwrap'] })?.get('bwrap');
  if (inner === undefined) return undefined;
  const members = reader.mapping(inner, {
    what: 'bwrap',
    optional: ['readOnly', 'writable', 'network'],
  });
  if (members === undefined) return undefined;
  const network = members.get('network');
  return {
    kind: 'bwrap',
    readOnly: readBinds(reading, members, 'readOnly'),
    writable: readBinds(reading, members, 'writable'),
    network: (network === undefined ? undefined : reader.boolean(network, 'network')) ?? false,
  };
}

function readBinds(
  reading: InventoryReading,
  members: Members,
  what: 'readOnly' | 'writable',
): readonly string[] {
  const limit = { what, max: INVENTORY_LIMITS.filesMax };
  const paths = bounded(reading, members.get(what), limit).flatMap(
    (item) => readPath(reading, item, { what, from: reading.baseDirectory }) ?? [],
  );
  return [...new Set(paths)].toSorted();
}
