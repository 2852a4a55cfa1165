/**
 * The lock file: what `inventory probe` found, written next to the inventory and reviewed like code.
 * With it, a system that is another one, or a program that is another one, is refused until a person
 * has looked at the difference.
 */
import { DIGEST_TAGS, type Digest, digestOf, parseDigest } from '../../kernel/digest.ts';
import type { DocumentNode, MappingEntry } from '../../kernel/document.ts';
import type { LockedTarget } from '../../kernel/inventory.ts';
import { toJsonValue } from '../../kernel/json/to-json-value.ts';
import { schemaLine } from '../document/schema-line.ts';
import { INVENTORY_LIMITS } from './limits.ts';
import { boundedEntries, type InventoryReading, refuse } from './reading.ts';
import { readVersion } from './version.ts';

/** What is locked, by target. */
export type Lock = ReadonlyMap<string, LockedTarget>;

/** What a probe of one target found. */
export interface ProbeResult extends LockedTarget {
  readonly target: string;
}

/** One difference between what is locked and what was found; `undefined` is nothing. */
export interface LockDifference {
  readonly target: string;
  readonly what: 'identity' | 'environment' | 'file';
  /** Of a file. */
  readonly path?: string;
  readonly before: string | undefined;
  readonly found: string | undefined;
}

/** The lock after probing: targets that were not probed keep what `before` says of them. */
export function lockOf(results: readonly ProbeResult[], before: Lock = new Map()): Lock {
  const lock = new Map(before);
  for (const { target, identity, environment, files } of results) {
    lock.set(target, {
      ...(identity === undefined ? {} : { identity }),
      ...(environment === undefined ? {} : { environment }),
      files,
    });
  }
  return lock;
}

const HEADER = `${schemaLine('inventory-lock')}
# Written by \`exequatur inventory probe\`: which systems and programs the inventory means.
# Review every change like code. What differs from this file is not executed.
`;

/** The lock file's text: the same bytes for the same lock, in whatever order it was found. */
export function writeLock(lock: Lock): string {
  const lines = [HEADER, 'version: 1\n', lock.size === 0 ? 'targets: {}\n' : 'targets:\n'];
  for (const [name, { identity, environment, files }] of sorted(lock)) {
    const paths = sorted(Object.entries(files));
    const empty = identity === undefined && environment === undefined && paths.length === 0;
    lines.push(`  ${quoted(name)}:${empty ? ' {}' : ''}\n`);
    if (identity !== undefined) lines.push(`    identity: ${quoted(identity)}\n`);
    if (environment !== undefined) lines.push(`    environment: ${quoted(environment)}\n`);
    if (paths.length > 0) lines.push('    files:\n');
    for (const [file, digest] of paths) lines.push(`      ${quoted(file)}: ${quoted(digest)}\n`);
  }
  return lines.join('');
}

/** Quoted as JSON, which YAML reads as a text and nothing else; what JSON leaves raw is escaped too. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(
    /\p{Cc}|\u2028|\u2029/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sorted<Value>(
  entries: Iterable<readonly [string, Value]>,
): readonly (readonly [string, Value])[] {
  return [...entries].toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}

/** What a person reviews before the found lock becomes the lock, by target, identity first. */
export function diffLock(before: Lock, found: Lock): readonly LockDifference[] {
  const targets = new Set([...before.keys(), ...found.keys()]);
  return [...targets].toSorted().flatMap((target) => {
    const [old, now] = [before.get(target), found.get(target)];
    const differences: LockDifference[] = [];
    for (const what of ['identity', 'environment'] as const) {
      differences.push({ target, what, before: old?.[what], found: now?.[what] });
    }
    const paths = new Set([...Object.keys(old?.files ?? {}), ...Object.keys(now?.files ?? {})]);
    for (const path of [...paths].toSorted()) {
      const [beforeFile, foundFile] = [fileOf(old, path), fileOf(now, path)];
      differences.push({ target, what: 'file', path, before: beforeFile, found: foundFile });
    }
    return differences.filter((difference) => difference.before !== difference.found);
  });
}

function fileOf(locked: LockedTarget | undefined, path: string): Digest | undefined {
  return locked !== undefined && Object.hasOwn(locked.files, path) ? locked.files[path] : undefined;
}

/** A digest of the whole lock, to tell whether anything changed. */
export function lockDigest(lock: Lock): Digest {
  const members = Object.fromEntries(sorted(lock));
  return digestOf(DIGEST_TAGS.inventory, toJsonValue({ lock: members }));
}

// ---------------------------------------------------------------- reading

/** Reads a lock file's document. */
export function readLock(reading: InventoryReading, node: DocumentNode): Lock {
  const lock = new Map<string, LockedTarget>();
  const members = reading.reader.mapping(node, {
    what: 'lock file',
    required: ['version', 'targets'],
  });
  readVersion(reading, members?.get('version'));
  const limit = { what: 'targets', max: INVENTORY_LIMITS.targetsMax };
  for (const entry of boundedEntries(reading, members?.get('targets'), limit)) {
    const locked = readLocked(reading, entry);
    if (locked !== undefined) lock.set(entry.key, locked);
  }
  return lock;
}

function readLocked(
  reading: InventoryReading,
  { key, value }: MappingEntry,
): LockedTarget | undefined {
  const { reader } = reading;
  const members = reader.mapping(value, {
    what: `locked target \`${key}\``,
    optional: ['identity', 'environment', 'files'],
  });
  if (members === undefined) return undefined;
  const [identityNode, environmentNode] = [members.get('identity'), members.get('environment')];
  const identity = identityNode === undefined ? undefined : reader.text(identityNode, 'identity');
  const environment =
    environmentNode === undefined ? undefined : reader.name(environmentNode, 'environment');
  const files: Record<string, Digest> = Object.create(null);
  const limit = { what: 'files', max: INVENTORY_LIMITS.filesMax * INVENTORY_LIMITS.fieldsMax };
  for (const entry of boundedEntries(reading, members.get('files'), limit)) {
    const digest = readDigest(reading, entry);
    if (digest !== undefined) files[entry.key] = digest;
  }
  return {
    ...(identity === undefined ? {} : { identity }),
    ...(environment === undefined ? {} : { environment }),
    files,
  };
}

function readDigest(reading: InventoryReading, { key, value }: MappingEntry): Digest | undefined {
  const text = reading.reader.text(value, `digest of \`${key}\``);
  const digest = text === undefined ? undefined : parseDigest(text);
  if (text === undefined || digest !== undefined) return digest;
  return refuse(reading, {
    code: 'bad_digest',
    position: value.position,
    message: `\`${text}\` is not a digest`,
    hint: 'run `exequatur inventory probe` again instead of editing this file',
  });
}
