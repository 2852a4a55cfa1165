/**
 * Loads what an epoch is made of: policy, inventory and calendars, read once, checked together, with
 * every problem at once. Nothing is active yet.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { checkCalendar } from '../facts/calendar/calendars.ts';
import { compileInventory } from '../facts/inventory/compile.ts';
import type { EpochSource, EpochSources } from '../engine/epochs.ts';
import type { Problem } from '../kernel/document.ts';
import type { Inventory } from '../kernel/inventory.ts';
import { compilePolicy } from '../kernel/policy/compile.ts';
import type { CompiledPolicy } from '../kernel/policy/compiled.ts';
import { hasErrors } from './problems.ts';
import { lockFileOf, readSource, sourceOf, type SourceFile } from './source-file.ts';

/** Which files an epoch is loaded from. */
export interface EpochFiles {
  readonly inventory: string;
  readonly policies: readonly string[];
}

/** A policy with the inventory it was checked against, and the documents both came from. */
export interface LoadedEpoch {
  readonly policy: CompiledPolicy;
  readonly sources: EpochSources;
}

/** What was loaded; warnings come with an epoch. */
export interface EpochRead {
  readonly epoch: LoadedEpoch | undefined;
  readonly problems: readonly Problem[];
}

/** Loads policy and inventory from their files. */
export async function loadEpoch(files: EpochFiles): Promise<EpochRead> {
  const [inventory, ...policies] = await Promise.all([
    readInventory(files.inventory),
    ...files.policies.map(readSource),
  ]);
  return compileEpoch({ ...inventory, policies });
}

/** Compiles an epoch from the documents that were kept of it: nothing is read. */
export function epochOf({ inventory, lock, policies }: EpochSources): EpochRead {
  return compileEpoch({
    inventory: sourceOf(inventory),
    lock: lock && sourceOf(lock),
    policies: policies.map(sourceOf),
  });
}

function compileEpoch(
  files: InventoryFiles & { readonly policies: readonly SourceFile[] },
): EpochRead {
  const { policies } = files;
  const { inventory, problems } = compile(files);
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
  const sources: EpochSources = {
    inventory: textOf(files.inventory),
    ...(files.lock === undefined ? {} : { lock: textOf(files.lock) }),
    policies: policies.map(textOf),
  };
  return { epoch: { policy: compiled.policy, sources }, problems: found };
}

/** A document that was read has a text. */
function textOf({ path, text }: SourceFile): EpochSource {
  if (text === undefined) throw new Error('a document without a text was compiled');
  return { path, text };
}

/** An inventory with its lock file, where there is one. */
export interface InventoryLoaded {
  readonly inventory: Inventory | undefined;
  readonly problems: readonly Problem[];
}

/** Loads an inventory. */
export async function loadInventory(path: string): Promise<InventoryLoaded> {
  return compile(await readInventory(path));
}

interface InventoryFiles {
  readonly inventory: SourceFile;
  readonly lock: SourceFile | undefined;
}

async function readInventory(path: string): Promise<InventoryFiles> {
  const lockFile = lockFileOf(path);
  return {
    inventory: await readSource(path),
    lock: existsSync(lockFile) ? await readSource(lockFile) : undefined,
  };
}

function compile({ inventory, lock }: InventoryFiles): InventoryLoaded {
  const problems = [...inventory.problems, ...(lock?.problems ?? [])];
  if (inventory.document === undefined || (lock !== undefined && lock.document === undefined)) {
    return { inventory: undefined, problems };
  }
  const read = compileInventory({
    document: inventory.document,
    baseDirectory: dirname(inventory.path),
    ...(lock?.document === undefined ? {} : { lock: lock.document }),
  });
  return { inventory: read.inventory, problems: [...problems, ...read.problems] };
}
