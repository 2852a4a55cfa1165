/** One target: where the real system is, how it is asked who it is, and what can be done at it. */
import path from 'node:path';
import { parseAddressRange } from '../../kernel/address.ts';
import type { DocumentNode, MappingEntry } from '../../kernel/document.ts';
import type { Members } from '../../kernel/document-reader.ts';
import type {
  ExecutorBinding,
  HttpTarget,
  LockedTarget,
  Operation,
  ProcessTarget,
  Target,
} from '../../kernel/inventory.ts';
import { INVENTORY_DEFAULTS, INVENTORY_LIMITS } from './limits.ts';
import { readOperation } from './operation.ts';
import { readProbe } from './probe.ts';
import { bounded, boundedEntries, type InventoryReading, readPath, refuse } from './reading.ts';

const EXECUTORS = ['http', 'process'] as const;

/** Reads one target; `locked` is what the lock file knows of it. */
export function readTarget(
  reading: InventoryReading,
  { key, keyPosition, value }: MappingEntry,
  locked: LockedTarget | undefined,
): Target | undefined {
  const { reader } = reading;
  const named = reader.isName(key, keyPosition, 'target');
  const members = reader.mapping(value, {
    what: `target \`${key}\``,
    required: ['operations'],
    optional: ['environment', 'owner', 'labels', 'credentials', 'probe', ...EXECUTORS],
  });
  if (members === undefined) return undefined;
  const executor = readExecutor(reading, members);
  const credentials = readCredentials(reading, members.get('credentials'));
  const environment = readName(reading, members, 'environment');
  const owner = readName(reading, members, 'owner');
  const labels = readLabels(reading, members.get('labels'));
  if (executor === undefined || !named) return undefined;
  const probe = readProbe(reading, members.get('probe'), executor);
  const home = { name: key, executor, credentials, ...(probe === undefined ? {} : { probe }) };
  checkCredentials(reading, members, home);
  return {
    ...home,
    environment: environment ?? INVENTORY_DEFAULTS.environment,
    ...(owner === undefined ? {} : { owner }),
    labels,
    operations: readOperations(reading, members.get('operations'), home),
    ...(locked === undefined ? {} : { locked }),
  };
}

function readName(
  reading: InventoryReading,
  members: Members,
  key: 'environment' | 'owner',
): string | undefined {
  const node = members.get(key);
  return node === undefined ? undefined : reading.reader.name(node, key);
}

function readLabels(
  reading: InventoryReading,
  node: DocumentNode | undefined,
): Readonly<Record<string, string>> {
  const labels: Record<string, string> = Object.create(null);
  const limit = { what: 'labels', max: INVENTORY_LIMITS.labelsMax };
  for (const { key, keyPosition, value } of boundedEntries(reading, node, limit)) {
    const text = reading.reader.text(value, `label ${key}`);
    if (reading.reader.isName(key, keyPosition, 'label') && text !== undefined) labels[key] = text;
  }
  return labels;
}

function readOperations(
  reading: InventoryReading,
  node: DocumentNode | undefined,
  home: Parameters<typeof readOperation>[2],
): ReadonlyMap<string, Operation> {
  const operations = new Map<string, Operation>();
  const limit = { what: 'operations', max: INVENTORY_LIMITS.operationsPerTargetMax };
  for (const entry of boundedEntries(reading, node, limit)) {
    const operation = readOperation(reading, entry, home);
    if (operation !== undefined) operations.set(operation.name, operation);
  }
  return operations;
}

// ---------------------------------------------------------------- executors

function readExecutor(reading: InventoryReading, members: Members): ExecutorBinding | undefined {
  const given = EXECUTORS.filter((key) => members.get(key) !== undefined);
  const [kind] = given;
  const node = kind === undefined ? undefined : members.get(kind);
  if (kind === undefined || node === undefined || given.length > 1) {
    return refuse(reading, {
      code: 'bad_executor',
      position: members.position,
      message: 'a target is reached by one of `http` and `process`',
    });
  }
  switch (kind) {
    case 'http':
      return readHttp(reading, node);
    case 'process':
      return readProcess(reading, node);
    default:
      return kind satisfies never;
  }
}

function readHttp(reading: InventoryReading, node: DocumentNode): HttpTarget | undefined {
  const { reader } = reading;
  if (node.kind === 'scalar') {
    const url = readUrl(reading, node);
    return url === undefined
      ? undefined
      : { kind: 'http', url, auth: 'none', addressesAllowed: [] };
  }
  const members = reader.mapping(node, {
    what: 'http',
    required: ['url'],
    optional: ['auth', 'allow'],
  });
  const [urlNode, authNode] = [members?.get('url'), members?.get('auth')];
  const auth =
    authNode === undefined ? 'none' : reader.oneOf(authNode, 'auth', ['none', 'bearer'] as const);
  const limit = { what: 'allow', max: INVENTORY_LIMITS.rangesMax };
  const addressesAllowed = bounded(reading, members?.get('allow'), limit).flatMap(
    (item) => readRange(reading, item) ?? [],
  );
  const url = urlNode === undefined ? undefined : readUrl(reading, urlNode);
  if (url === undefined || auth === undefined) return undefined;
  return { kind: 'http', url, auth, addressesAllowed };
}

function readUrl(reading: InventoryReading, node: DocumentNode): string | undefined {
  const text = reading.reader.text(node, 'url');
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const isPlain =
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.username === '' &&
    url.password === '' &&
    !/[?#]/u.test(text);
  if (isPlain) return url.href.replace(/\/$/u, '');
  return refuse(reading, {
    code: 'bad_url',
    position: node.position,
    // The text itself may hold a password.
    message: 'the url is not http or https without user, query and fragment',
    hint: 'such as `https://api.example.com/v1`; secrets go under `credentials:`',
  });
}

function readRange(reading: InventoryReading, node: DocumentNode): string | undefined {
  const text = reading.reader.text(node, 'allow');
  if (text === undefined) return undefined;
  if (parseAddressRange(text) !== undefined) return text;
  return refuse(reading, {
    code: 'bad_range',
    position: node.position,
    message: `\`${text}\` is not a range of addresses`,
    hint: 'such as `127.0.0.0/8` or `10.20.0.7/32`',
  });
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/u;

function readProcess(reading: InventoryReading, node: DocumentNode): ProcessTarget | undefined {
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
    optional: ['environment', 'set', 'credential'],
  });
  const [cwd, credential] = [members?.get('cwd'), members?.get('credential')];
  const directory = cwd === undefined ? undefined : readPath(reading, cwd, place);
  const limit = { what: 'environment', max: INVENTORY_LIMITS.fieldsMax };
  const names = bounded(reading, members?.get('environment'), limit).flatMap(
    (item) => readVariable(reading, item) ?? [],
  );
  const environmentValues = readValues(reading, members?.get('set'));
  const variable = credential === undefined ? undefined : readVariable(reading, credential);
  if (directory === undefined) return undefined;
  return {
    kind: 'process',
    directory,
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

// ---------------------------------------------------------------- credentials

function readCredentials(
  reading: InventoryReading,
  node: DocumentNode | undefined,
): Target['credentials'] {
  if (node === undefined) return {};
  const members = reading.reader.mapping(node, { what: 'credentials', optional: ['act', 'look'] });
  const act = readCredential(reading, members?.get('act'));
  const look = readCredential(reading, members?.get('look'));
  return { ...(act === undefined ? {} : { act }), ...(look === undefined ? {} : { look }) };
}

function readCredential(
  reading: InventoryReading,
  node: DocumentNode | undefined,
): string | undefined {
  if (node === undefined) return undefined;
  const text = reading.reader.text(node, 'credential');
  if (text === undefined) return undefined;
  if (/^env:[A-Za-z_][A-Za-z0-9_]*$/u.test(text)) return text;
  const file = /^file:(.+)$/u.exec(text)?.[1];
  if (file !== undefined && !/\p{Cc}/u.test(file)) {
    return `file:${path.resolve(reading.baseDirectory, file)}`;
  }
  return refuse(reading, {
    code: 'bad_credential',
    position: node.position,
    // Whoever writes the secret itself here must not find it in a log.
    message: 'a credential is a reference, `env:NAME` or `file:/path`, never the secret itself',
  });
}

function checkCredentials(
  reading: InventoryReading,
  members: Members,
  { executor, credentials }: Pick<Target, 'executor' | 'credentials'>,
): void {
  const position = members.positionOf('credentials');
  const used =
    executor.kind === 'http'
      ? executor.auth === 'bearer'
      : executor.credentialVariable !== undefined;
  if (used && credentials.act === undefined) {
    const message = 'the target uses a credential and names none';
    const hint = 'add `credentials: { act: file:/run/secrets/… }`';
    refuse(reading, { code: 'credential_missing', position, message, hint });
  }
  if (!used && credentials.act !== undefined) {
    const hint = 'declare `auth: bearer` under `http`, or `credential: NAME` under `process`';
    const message = 'the target has a credential and nothing uses it';
    refuse(reading, { code: 'bad_credential', position, message, hint });
  }
  if (used && executor.kind === 'http' && credentials.look === undefined) {
    reading.reader.warning({
      code: 'look_missing',
      position,
      message:
        'without a `look` credential, previews and probes are made with the one that can write',
      hint: 'add a credential that cannot write: `look: file:/run/secrets/…`',
    });
  }
  if (used && executor.kind === 'http' && isClear(executor)) {
    reading.reader.warning({
      code: 'credential_in_clear',
      position,
      message: 'the credential travels over plain http',
      hint: 'use https',
    });
  }
}

/** Plain HTTP that leaves this machine. */
function isClear({ url }: HttpTarget): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u.test(hostname);
}
