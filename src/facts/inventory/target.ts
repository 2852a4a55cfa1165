/** One target: where the real system is, how it is asked who it is, and what can be done at it. */
import path from 'node:path';
import type { DocumentNode, MappingEntry } from '../../kernel/document.ts';
import type { Members } from '../../kernel/document-reader.ts';
import { readCredentialCommand } from '../../kernel/credential-command.ts';
import type { ExecutorBinding, LockedTarget, Operation, Target } from '../../kernel/inventory.ts';
import { isClear, readHttp } from './http-target.ts';
import { readFileTarget } from './file.ts';
import { INVENTORY_DEFAULTS, INVENTORY_LIMITS } from './limits.ts';
import { readOperation } from './operation.ts';
import { readPermitTarget } from './permit.ts';
import { readProcess } from './process-target.ts';
import { readProbe } from './probe.ts';
import { boundedEntries, type InventoryReading, refuse } from './reading.ts';
import { readPostgresTarget, readSqliteTarget } from './sql.ts';

const EXECUTORS = ['http', 'process', 'postgres', 'sqlite', 'file', 'permit'] as const;

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
      message: `a target is reached by one of ${EXECUTORS.map((key) => `\`${key}\``).join(', ')}`,
    });
  }
  switch (kind) {
    case 'http':
      return readHttp(reading, node);
    case 'process':
      return readProcess(reading, node);
    case 'postgres':
      return readPostgresTarget(reading, node);
    case 'sqlite':
      return readSqliteTarget(reading, node);
    case 'file':
      return readFileTarget(reading, node);
    case 'permit':
      return readPermitTarget(reading, node);
    default:
      return kind satisfies never;
  }
}

// ---------------------------------------------------------------- credentials

function readCredentials(
  reading: InventoryReading,
  node: DocumentNode | undefined,
): Target['credentials'] {
  if (node === undefined) return {};
  const members = reading.reader.mapping(node, {
    what: 'credentials',
    optional: ['act', 'look', 'rollback', 'secrets'],
  });
  const act = readKey(reading, members?.get('act'), 'act');
  const look = readKey(reading, members?.get('look'), 'look');
  const rollback = readCredential(reading, members?.get('rollback'));
  const secrets = readSecrets(reading, members?.get('secrets'));
  return {
    ...(act.key === undefined ? {} : { act: act.key }),
    ...(look.key === undefined ? {} : { look: look.key }),
    ...certificatesOf(act.certificate, look.certificate),
    ...(rollback === undefined ? {} : { rollback }),
    ...(secrets === undefined ? {} : { secrets }),
  };
}

interface KeyRead {
  readonly key?: string | undefined;
  readonly certificate?: string | undefined;
}

/** A reference, or `{ certificate, key }` with one each. */
function readKey(
  reading: InventoryReading,
  node: DocumentNode | undefined,
  what: 'act' | 'look',
): KeyRead {
  if (node?.kind !== 'mapping') return { key: readCredential(reading, node) };
  const members = reading.reader.mapping(node, { what, required: ['certificate', 'key'] });
  return {
    key: readCredential(reading, members?.get('key')),
    certificate: readCredential(reading, members?.get('certificate')),
  };
}

function certificatesOf(
  act: string | undefined,
  look: string | undefined,
): Pick<Target['credentials'], 'certificates'> {
  if (act === undefined && look === undefined) return {};
  const certificates = {
    ...(act === undefined ? {} : { act }),
    ...(look === undefined ? {} : { look }),
  };
  return { certificates };
}

function readSecrets(
  reading: InventoryReading,
  node: DocumentNode | undefined,
): Target['credentials']['secrets'] {
  if (node === undefined) return undefined;
  const secrets: Record<string, string> = Object.create(null);
  const limit = { what: 'secrets', max: INVENTORY_LIMITS.fieldsMax };
  for (const { key, keyPosition, value } of boundedEntries(reading, node, limit)) {
    const reference = readCredential(reading, value);
    const isNamed = reading.reader.isName(key, keyPosition, 'secret');
    if (isNamed && reference !== undefined) secrets[key] = reference;
  }
  return secrets;
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
  if (text.startsWith('exec:')) return readCommand(reading, node, text);
  return refuse(reading, {
    code: 'bad_credential',
    position: node.position,
    // Whoever writes the secret itself here must not find it in a log.
    message:
      'a credential is a reference, `env:NAME`, `file:/path` or `exec:/path`, never the secret itself',
  });
}

/** A program that prints the secret; what is wrong with it is said with its place in the reference. */
function readCommand(
  reading: InventoryReading,
  node: DocumentNode,
  text: string,
): string | undefined {
  const read = readCredentialCommand(text);
  if (read.ok) return text;
  return refuse(reading, {
    code: 'bad_credential',
    position: node.position,
    // The words are not repeated: somebody may have written the secret among them.
    message: `${read.message}, at character ${read.offset + 1} of the credential`,
    hint: "such as `exec:/usr/bin/vault kv get -field=token secret/pay`, quoted with ' where needed",
  });
}

function checkCredentials(
  reading: InventoryReading,
  members: Members,
  { executor, credentials }: Pick<Target, 'executor' | 'credentials'>,
): void {
  const position = members.positionOf('credentials');
  const used = usesCredential(executor);
  if (used && credentials.act === undefined) {
    const message = 'the target uses a credential and names none';
    const hint = 'add `credentials: { act: file:/run/secrets/… }`';
    refuse(reading, { code: 'credential_missing', position, message, hint });
  }
  if (!used && credentials.act !== undefined) {
    const hint =
      'declare `auth:` under `http`, such as `auth: bearer`, or `credential: NAME` under `process`';
    const message = 'the target has a credential and nothing uses it';
    refuse(reading, { code: 'bad_credential', position, message, hint });
  }
  const isMtls = executor.kind === 'http' && executor.auth === 'mtls';
  if (credentials.certificates !== undefined && !isMtls) {
    const message = 'only a target with `auth: mtls` has a certificate beside its key';
    refuse(reading, { code: 'bad_credential', position, message });
  }
  if (credentials.rollback !== undefined && !(used && executor.kind === 'sql')) {
    const message = 'only a PostgreSQL target has a credential for previews that are rolled back';
    refuse(reading, { code: 'bad_credential', position, message });
  }
  if (used && executor.kind !== 'process' && credentials.look === undefined) {
    reading.reader.warning({
      code: 'look_missing',
      position,
      message:
        'without a `look` credential, previews and probes are made with the one that can write',
      hint: 'add a credential that cannot write: `look: file:/run/secrets/…`',
    });
  }
  const sends = used || credentials.secrets !== undefined;
  if (sends && executor.kind === 'http' && isClear(executor)) {
    reading.reader.warning({
      code: 'credential_in_clear',
      position,
      message: 'the credential travels over plain http',
      hint: 'use https',
    });
  }
}

function usesCredential(executor: ExecutorBinding): boolean {
  switch (executor.kind) {
    case 'http':
      return executor.auth !== 'none';
    case 'process':
      return executor.credentialVariable !== undefined;
    case 'sql':
      return executor.engine === 'postgres';
    case 'file':
    case 'permit':
      return false;
    default:
      return executor satisfies never;
  }
}
