/**
 * Loads what an epoch is made of: policy, inventory and calendars, read once, checked together, with
 * every problem at once. Nothing is active yet.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { checkCalendar } from '../facts/calendar/calendars.ts';
import { compileInventory } from '../facts/inventory/compile.ts';
import { DIGEST_TAGS, digestOf, type Digest } from '../kernel/digest.ts';
import type { Problem } from '../kernel/document.ts';
import type { Inventory } from '../kernel/inventory.ts';
import { compilePolicy } from '../kernel/policy/compile.ts';
import type { CompiledPolicy } from '../kernel/policy/compiled.ts';
import { hasErrors } from './problems.ts';
import { lockFileOf, readSource, type SourceFile } from './source-file.ts';

/** Which files an epoch is loaded from. */
export interface EpochFiles {
  readonly inventory: string;
  readonly policies: readonly string[];
}

/** A policy with the inventory it was checked against, and the texts both came from. */
export interface LoadedEpoch {
  readonly policy: CompiledPolicy;
  readonly digest: Digest;
  /** By path. */
  readonly sources: Readonly<Record<string, string>>;
}

/** What was loaded; warnings come with an epoch. */
export interface EpochRead {
  readonly epoch: LoadedEpoch | undefined;
  readonly problems: readonly Problem[];
}

/** Loads policy and inventory from their files. */
export async function loadEpoch(files: EpochFiles): Promise<EpochRead> {
  const { inventory, sources, problems } = await loadInventory(files.inventory);
  const policies = await Promise.all(files.policies.map(readSource));
  const found = [...problems, ...policies.flatMap((source) => source.problems)];
  const documents = policies.flatMap(({ document }) => document ?? []);
  if (inventory === undefined || documents.length < policies.length) {
    return { epoch: undefined, problems: found };
  }
  const compiled = compilePolicy({ documents, inventory });
  found.push(...compiled.problems);
  if (compiled.policy === undefined) return { epoch: undefined, problems: found };
  for (const calendar of compiled.policy.calendars.values()) found.push(...checkCalendar(calendar));
  if (hasErrors(found)) return { epoch: undefined, problems: found };
  const digest = digestOf(DIGEST_TAGS.epoch, {
    inventory: inventory.digest,
    policy: compiled.policy.digest,
  });
  const texts = [...sources, ...policies].flatMap(({ path, text }) =>
    text === undefined ? [] : [[path, text] as const],
  );
  return {
    epoch: { policy: compiled.policy, digest, sources: Object.fromEntries(texts) },
    problems: found,
  };
}

/** An inventory with its lock file, where there is one. */
export interface InventoryLoaded {
  readonly inventory: Inventory | undefined;
  readonly sources: readonly SourceFile[];
  readonly problems: readonly Problem[];
}

/** Loads an inventory. */
export async function loadInventory(path: string): Promise<InventoryLoaded> {
  const source = await readSource(path);
  const lockFile = lockFileOf(path);
  const lock = existsSync(lockFile) ? await readSource(lockFile) : undefined;
  const sources = lock === undefined ? [source] : [source, lock];
  const problems = sources.flatMap((each) => each.problems);
  if (source.document === undefined || (lock !== undefined && lock.document === undefined)) {
    return { inventory: undefined, sources, problems };
  }
  const read = compileInventory({
    document: source.document,
    baseDirectory: dirname(path),
    ...(lock?.document === undefined ? {} : { lock: lock.document }),
  });
  return { inventory: read.inventory, sources, problems: [...problems, ...read.problems] };
}
