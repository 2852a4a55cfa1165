/**
 * Compiles the inventory when an epoch is loaded: people's YAML and the reviewed lock file become the
 * targets and operations that actions name. An action can name nothing that is not in here.
 */
import { DIGEST_TAGS, type Digest, digestOf } from '../../kernel/digest.ts';
import type { DocumentNode, MappingEntry, Problem } from '../../kernel/document.ts';
import { DocumentReader } from '../../kernel/document-reader.ts';
import type { Inventory, Target } from '../../kernel/inventory.ts';
import { toJsonValue } from '../../kernel/json/to-json-value.ts';
import type { JsonValue } from '../../kernel/json/value.ts';
import { INVENTORY_LIMITS } from './limits.ts';
import { type Lock, readLock } from './lock.ts';
import { boundedEntries, type InventoryReading, refuse } from './reading.ts';
import { readTarget } from './target.ts';
import { readVersion } from './version.ts';

/** What an inventory is compiled from. */
export interface InventoryParts {
  readonly document: DocumentNode;
  readonly lock?: DocumentNode;
  /** Absolute; relative paths of the inventory start here. */
  readonly baseDirectory: string;
}

/** The inventory, unless any problem is an error; all problems by file, line and column. */
export interface InventoryCompiled {
  readonly inventory: Inventory | undefined;
  readonly problems: readonly Problem[];
}

/** Compiles an inventory with its lock file. Problem codes: `INVENTORY_CODES`, `DOCUMENT_CODES`, those of expressions. */
export function compileInventory(parts: InventoryParts): InventoryCompiled {
  const reader = new DocumentReader();
  const reading: InventoryReading = { reader, baseDirectory: parts.baseDirectory };
  const members = reader.mapping(parts.document, {
    what: 'inventory',
    required: ['version', 'targets'],
  });
  readVersion(reading, members?.get('version'));
  const lock: Lock = parts.lock === undefined ? new Map() : readLock(reading, parts.lock);
  const targets = new Map<string, Target>();
  const limit = { what: 'targets', max: INVENTORY_LIMITS.targetsMax };
  const entries = boundedEntries(reading, members?.get('targets'), limit);
  for (const entry of entries) {
    const target = readTarget(reading, entry, lock.get(entry.key));
    if (target === undefined) continue;
    checkLocked(reading, target, entry);
    targets.set(target.name, target);
  }
  if (parts.lock !== undefined) checkLockedNames(reading, parts.lock, entries);
  const inventory = { targets, digest: inventoryDigest(targets) };
  return { inventory: reader.errorCount === 0 ? inventory : undefined, problems: reader.problems };
}

/** INVARIANT: where the system itself said what it is, the inventory cannot say otherwise. */
function checkLocked(
  reading: InventoryReading,
  target: Target,
  { keyPosition }: MappingEntry,
): void {
  const found = target.locked?.environment;
  if (found === undefined || found === target.environment) return;
  refuse(reading, {
    code: 'environment_differs',
    position: keyPosition,
    message: `\`${target.name}\` is \`${target.environment}\` here and said \`${found}\` when it was probed`,
    hint: `write \`environment: ${found}\`, or probe again if it has moved`,
  });
}

function checkLockedNames(
  reading: InventoryReading,
  lock: DocumentNode,
  entries: readonly MappingEntry[],
): void {
  const known = new Set(entries.map(({ key }) => key));
  const node =
    lock.kind === 'mapping' ? lock.entries.find(({ key }) => key === 'targets') : undefined;
  for (const { key, keyPosition } of node?.value.kind === 'mapping' ? node.value.entries : []) {
    if (known.has(key)) continue;
    reading.reader.warning({
      code: 'unknown_target',
      position: keyPosition,
      message: `the lock file knows \`${key}\`, and the inventory does not`,
      hint: 'run `exequatur inventory probe` to write it anew',
    });
  }
}

function inventoryDigest(targets: ReadonlyMap<string, Target>): Digest {
  const members = [...targets.values()].map(
    (target) => [target.name, targetValue(target)] as const,
  );
  return digestOf(DIGEST_TAGS.inventory, Object.fromEntries(members));
}

function targetValue({ operations, ...target }: Target): JsonValue {
  const digests = [...operations.values()].map(({ name, digest }) => [name, digest] as const);
  return toJsonValue({ ...target, operations: Object.fromEntries(digests) });
}
