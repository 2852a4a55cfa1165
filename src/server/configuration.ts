/**
 * `exequatur.yaml`: where the layer listens, where its data lies, and which policy and inventory it
 * loads. Read once at start and again at each reload, strictly: what is unknown is refused, with file,
 * line and column.
 */
import { dirname, isAbsolute, resolve } from 'node:path';
import { KEPT_MS_MIN, type Retention } from '../engine/purging.ts';
import { ENGINE_LIMITS, type EngineLimits } from '../engine/limits.ts';
import { readDocument } from '../facts/document/read-document.ts';
import { readSize } from '../facts/inventory/reading.ts';
import type { DocumentNode, Problem } from '../kernel/document.ts';
import { DocumentReader, type Members } from '../kernel/document-reader.ts';
import { parseTenantName, type TenantName } from '../kernel/id.ts';
import { BLOB_LIMITS, type BlobLimits } from '../stores/blobs/limits.ts';
import { LEDGER_KEYS, ledgerOf, type LedgerSettings } from './ledger-settings.ts';

/** How the layer is kept apart from the agents: nothing but the operator's word, told wherever it matters. */
export const ISOLATIONS = ['none', 'separate-user', 'separate-host'] as const;

/** One of {@link ISOLATIONS}. */
export type Isolation = (typeof ISOLATIONS)[number];

/** The configuration of one layer. All paths are absolute. */
export interface ServerConfiguration {
  /** The file it was read from. */
  readonly file: string;
  readonly tenant: TenantName;
  readonly listen: Listen;
  readonly data: string;
  readonly inventory: string;
  readonly policies: readonly string[];
  readonly limits: Partial<EngineLimits>;
  readonly isolation: Isolation;
  /** How long content is kept; for ever where it is absent. */
  readonly retention?: Retention;
  /** What is not said here is as `BLOB_LIMITS` has it. */
  readonly blobs?: BlobSettings;
  /** What is not said here is as `LEDGER_DEFAULT` has it. */
  readonly ledger?: LedgerSettings;
}

/** How much of blobs is kept, and where programs find copies of them. */
export interface BlobSettings {
  readonly limits: Partial<BlobLimits>;
  /** Absolute; a directory below the system's temporary one if absent. */
  readonly copies?: string;
}

/** The address. Port 0 is any free one; `hosts` are names by which the layer may be reached besides it. */
export interface Listen {
  readonly host: string;
  readonly port: number;
  readonly hosts: readonly string[];
}

/** What was read, and everything that is wrong with it. */
export interface ConfigurationRead {
  readonly configuration: ServerConfiguration | undefined;
  readonly problems: readonly Problem[];
}

/** Where the layer listens unless told otherwise. */
export const LISTEN_DEFAULT: Listen = { host: '127.0.0.1', port: 7373, hosts: [] };

/** The limits that a configuration may set, by the name it has there: durations have no unit in theirs. */
const LIMIT_NAMES: ReadonlyMap<string, keyof EngineLimits> = new Map(
  Object.keys(ENGINE_LIMITS)
    .filter(isLimit)
    .map((name) => [name.replace(/Ms(?=[A-Z]|$)/u, ''), name]),
);

function isLimit(name: string): name is keyof EngineLimits {
  return Object.hasOwn(ENGINE_LIMITS, name);
}

const TOP_KEYS: readonly string[] = [
  'version',
  'tenant',
  'listen',
  'data',
  'inventory',
  'policy',
  'limits',
  'isolation',
  'retention',
  'blobs',
  'ledger',
];
const LISTEN_KEYS: readonly string[] = ['host', 'port', 'hosts'];
const RETENTION_KEYS: readonly string[] = ['settled', 'denied'];
/** The limits of blobs by the name they have there; the duration has no unit in its name. */
const BLOB_NAMES: ReadonlyMap<string, keyof BlobLimits> = new Map(
  Object.keys(BLOB_LIMITS)
    .filter(isBlobLimit)
    .map((name) => [name.replace(/Ms$/u, ''), name]),
);
const BLOB_KEYS: readonly string[] = [...BLOB_NAMES.keys(), 'copies'];

function isBlobLimit(name: string): name is keyof BlobLimits {
  return Object.hasOwn(BLOB_LIMITS, name);
}

/** Every key that a configuration may have, with a dot where one stands in another. */
export const CONFIGURATION_KEYS: readonly string[] = [
  ...TOP_KEYS,
  ...LISTEN_KEYS.map((key) => `listen.${key}`),
  ...RETENTION_KEYS.map((key) => `retention.${key}`),
  ...BLOB_KEYS.map((key) => `blobs.${key}`),
  ...LEDGER_KEYS.map((key) => `ledger.${key}`),
  ...[...LIMIT_NAMES.keys()].map((key) => `limits.${key}`),
];

/** Content may be kept for a hundred years; for ever is the default. */
const RETENTION_MS_MAX = 36_600 * 86_400_000;

/** A blob is kept at least for so long, or it could go between being put and being named. */
const KEEP_MS_MIN = 60_000;
const BLOB_BYTES_MAX = 1_099_511_627_776;
const UPLOADS_MAX = 1000;

/** The furthest away that any configured duration may be: a year. */
const DURATION_MS_MAX = 366 * 86_400_000;

/** Reads a configuration file. */
export async function readConfiguration(file: string): Promise<ConfigurationRead> {
  const path = resolve(file);
  const { document, problems } = await readDocument(path);
  if (document === undefined) return { configuration: undefined, problems };
  const reader = new DocumentReader();
  reader.add(problems);
  const read = configurationOf(reader, document, path);
  return {
    configuration: reader.errorCount === 0 ? read : undefined,
    problems: reader.problems,
  };
}

function configurationOf(
  reader: DocumentReader,
  document: DocumentNode,
  file: string,
): ServerConfiguration | undefined {
  const members = reader.mapping(document, {
    what: 'configuration',
    required: ['version'],
    optional: TOP_KEYS.filter((key) => key !== 'version'),
  });
  if (members === undefined) return undefined;
  const version = members.get('version');
  if (version !== undefined) reader.integer(version, 'version', { min: 1, max: 1 });
  const at = (path: string): string => (isAbsolute(path) ? path : resolve(dirname(file), path));
  const path = (key: string, fallback: string): string => {
    const node = members.get(key);
    return at((node === undefined ? undefined : reader.text(node, key)) ?? fallback);
  };
  const isolation = members.get('isolation');
  const retention = members.get('retention');
  const blobs = members.get('blobs');
  const ledger = members.get('ledger');
  return {
    file,
    tenant: tenantOf(reader, members),
    listen: listenOf(reader, members.get('listen')),
    data: path('data', 'data'),
    inventory: path('inventory', 'inventory.yaml'),
    policies: policiesOf(reader, members.get('policy')).map(at),
    limits: limitsOf(reader, members.get('limits')),
    isolation:
      (isolation === undefined ? undefined : reader.oneOf(isolation, 'isolation', ISOLATIONS)) ??
      'none',
    ...(retention === undefined ? {} : { retention: retentionOf(reader, retention) }),
    ...(blobs === undefined ? {} : { blobs: blobsOf(reader, blobs, at) }),
    ...(ledger === undefined ? {} : { ledger: ledgerOf(reader, ledger, at) }),
  };
}

function tenantOf(reader: DocumentReader, members: Members): TenantName {
  const node = members.get('tenant');
  const name = (node === undefined ? undefined : reader.name(node, 'tenant')) ?? 'default';
  const tenant = parseTenantName(name);
  if (tenant === undefined) throw new Error('a name was checked to be one');
  return tenant;
}

function listenOf(reader: DocumentReader, node: DocumentNode | undefined): Listen {
  if (node === undefined) return LISTEN_DEFAULT;
  const members = reader.mapping(node, { what: 'listen', optional: LISTEN_KEYS });
  const host = members?.get('host');
  const port = members?.get('port');
  const hosts = members?.get('hosts');
  return {
    host: (host === undefined ? undefined : reader.text(host, 'host')) ?? LISTEN_DEFAULT.host,
    port:
      (port === undefined ? undefined : reader.integer(port, 'port', { min: 0, max: 65_535 })) ??
      LISTEN_DEFAULT.port,
    hosts: hosts === undefined ? [] : textsOf(reader, hosts, 'hosts'),
  };
}

function retentionOf(reader: DocumentReader, node: DocumentNode): Retention {
  const members = reader.mapping(node, { what: 'retention', optional: RETENTION_KEYS });
  const durationOf = (key: string): number | undefined => {
    const value = members?.get(key);
    if (value === undefined) return undefined;
    return reader.duration(value, key, { min: KEPT_MS_MIN, max: RETENTION_MS_MAX });
  };
  const [settledMs, deniedMs] = [durationOf('settled'), durationOf('denied')];
  return {
    ...(settledMs === undefined ? {} : { settledMs }),
    ...(deniedMs === undefined ? {} : { deniedMs }),
  };
}

function blobsOf(
  reader: DocumentReader,
  node: DocumentNode,
  at: (path: string) => string,
): BlobSettings {
  const members = reader.mapping(node, { what: 'blobs', optional: BLOB_KEYS });
  const limits: Partial<Record<keyof BlobLimits, number>> = {};
  for (const [key, name] of BLOB_NAMES) {
    const value = members?.get(key);
    const limit = value === undefined ? undefined : blobLimitOf(reader, value, name);
    if (limit !== undefined) limits[name] = limit;
  }
  const copies = members?.get('copies');
  const path = copies === undefined ? undefined : reader.text(copies, 'copies');
  return { limits, ...(path === undefined ? {} : { copies: at(path) }) };
}

function blobLimitOf(
  reader: DocumentReader,
  node: DocumentNode,
  name: keyof BlobLimits,
): number | undefined {
  if (name === 'keepMs') {
    return reader.duration(node, 'keep', { min: KEEP_MS_MIN, max: DURATION_MS_MAX });
  }
  if (name === 'uploadsMax' || name === 'uploadsPerAgentMax') {
    return reader.integer(node, name, { min: 1, max: UPLOADS_MAX });
  }
  return readSize({ reader, baseDirectory: '' }, node, { what: name, max: BLOB_BYTES_MAX });
}

function policiesOf(reader: DocumentReader, node: DocumentNode | undefined): readonly string[] {
  return node === undefined ? ['policy.yaml'] : textsOf(reader, node, 'policy');
}

function textsOf(reader: DocumentReader, node: DocumentNode, what: string): readonly string[] {
  return (reader.oneOrMore(node, what) ?? []).flatMap((item) => reader.text(item, what) ?? []);
}

function limitsOf(reader: DocumentReader, node: DocumentNode | undefined): Partial<EngineLimits> {
  if (node === undefined) return {};
  const members = reader.mapping(node, { what: 'limits', optional: [...LIMIT_NAMES.keys()] });
  const limits: Partial<Record<keyof EngineLimits, number>> = {};
  for (const [key, name] of LIMIT_NAMES) {
    const value = members?.get(key);
    if (value === undefined) continue;
    const limit =
      key === name
        ? reader.integer(value, key, { min: 1, max: 1_000_000 })
        : reader.duration(value, key, { min: 1, max: DURATION_MS_MAX });
    if (limit !== undefined) limits[name] = limit;
  }
  return limits;
}
