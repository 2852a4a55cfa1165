/** Checks of what is on disk, without a daemon and without a store. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type {
  InventoryProbed,
  InventoryProbeOptions,
  PolicyChecked,
  PolicyCheckOptions,
} from '../cli/server-door.ts';
import { createFileExecutor } from '../executors/file/executor.ts';
import { createHttpExecutor } from '../executors/http/executor.ts';
import { createMasker } from '../executors/mask.ts';
import { createPermitExecutor } from '../executors/permit/executor.ts';
import { createProcessExecutor } from '../executors/process/executor.ts';
import { createSqlExecutor } from '../executors/sql/executor.ts';
import type { ProbingExecutor } from '../executors/probing-executor.ts';
import { compileInventory } from '../facts/inventory/compile.ts';
import { diffLock, lockOf, readLock, writeLock, type Lock } from '../facts/inventory/lock.ts';
import type { Problem } from '../kernel/document.ts';
import { DocumentReader } from '../kernel/document-reader.ts';
import type { ExecutorBinding, Inventory } from '../kernel/inventory.ts';
import { unreachedRules } from '../kernel/policy/reach.ts';
import { readConfiguration } from './configuration.ts';
import { isolationProblems } from './isolation.ts';
import { loadEpoch } from './loading.ts';
import { documentProblem, hasErrors, nearPath } from './problems.ts';
import { dirname } from 'node:path';
import { lockFileOf, readSource } from './source-file.ts';
import { SYSTEM_CLOCK } from './system.ts';
import { existsSync } from 'node:fs';

/** How long all probes together may take. */
const PROBE_MS_MAX = 60_000;

/** Checks policies as a start would. */
export async function policyCheck(options: PolicyCheckOptions): Promise<PolicyChecked> {
  const { directory } = options;
  const named = options.files.map((file) => resolve(directory, file));
  let inventory =
    options.inventory === undefined ? undefined : resolve(directory, options.inventory);
  let policies: readonly string[] = named;
  if (inventory === undefined || named.length === 0) {
    const { configuration, problems } = await readConfiguration(resolve(directory, options.config));
    if (configuration === undefined)
      return checked({ files: named, rules: 0, problems, directory });
    inventory ??= configuration.inventory;
    if (named.length === 0) policies = configuration.policies;
  }
  const { epoch, problems } = await loadEpoch({ inventory, policies });
  const unstated = epoch === undefined ? [] : isolationProblems(epoch, inventory);
  return checked({
    files: policies,
    rules: epoch?.policy.rules.length ?? 0,
    digest: epoch?.policy.digest,
    problems: [...problems, ...unstated, ...unreachedRules(epoch?.policy.rules ?? [])],
    directory,
  });
}

function checked(parts: {
  readonly files: readonly string[];
  readonly rules: number;
  readonly digest?: string | undefined;
  readonly problems: readonly Problem[];
  readonly directory: string;
}): PolicyChecked {
  const { files, rules, digest, problems, directory } = parts;
  return {
    files: files.map((file) => nearPath(file, directory)),
    rules,
    digest,
    problems: problems.map((problem) => documentProblem(problem, directory)),
  };
}

/** Asks every system of the inventory who it is, and compares with the lock file. */
export async function inventoryProbe(options: InventoryProbeOptions): Promise<InventoryProbed> {
  const directory = process.cwd();
  const { configuration, problems } = await readConfiguration(options.config);
  if (configuration === undefined) return unread('', problems, directory);
  const path = configuration.inventory;
  const lockFile = lockFileOf(path);
  // The lock may be what is out of date, so the inventory is read without it.
  const source = await readSource(path);
  const compiled =
    source.document === undefined
      ? { inventory: undefined, problems: [] }
      : compileInventory({ document: source.document, baseDirectory: dirname(path) });
  const before = await lockBefore(lockFile, dirname(path));
  const found = [...source.problems, ...compiled.problems, ...before.problems];
  if (compiled.inventory === undefined || hasErrors(found)) {
    return unread(nearPath(lockFile, directory), found, directory);
  }
  const probed = await probeAll(compiled.inventory);
  const { targets } = compiled.inventory;
  const kept = new Map([...before.lock].filter(([name]) => targets.has(name)));
  const lock = lockOf(probed.results, kept);
  const differences = diffLock(before.lock, lock);
  const written = options.write && probed.failures.length === 0 && differences.length > 0;
  if (written) writeFileSync(lockFile, writeLock(lock));
  return {
    lockFile: nearPath(lockFile, directory),
    problems: found.map((problem) => documentProblem(problem, directory)),
    changes: differences.flatMap((difference) => {
      const what = [difference.target, difference.what, difference.path].join(' ').trim();
      return [
        ...(difference.before === undefined
          ? []
          : [{ sign: '-' as const, text: `${what}: ${difference.before}` }]),
        ...(difference.found === undefined
          ? []
          : [{ sign: '+' as const, text: `${what}: ${difference.found}` }]),
      ];
    }),
    failures: probed.failures,
    written,
  };
}

function unread(
  lockFile: string,
  problems: readonly Problem[],
  directory: string,
): InventoryProbed {
  const told = problems.map((problem) => documentProblem(problem, directory));
  return { lockFile, problems: told, changes: [], failures: [], written: false };
}

async function lockBefore(
  file: string,
  baseDirectory: string,
): Promise<{ readonly lock: Lock; readonly problems: readonly Problem[] }> {
  if (!existsSync(file)) return { lock: new Map(), problems: [] };
  const { document, problems } = await readSource(file);
  if (document === undefined) return { lock: new Map(), problems };
  const reader = new DocumentReader();
  const lock = readLock({ reader, baseDirectory }, document);
  return { lock, problems: [...problems, ...reader.problems] };
}

async function probeAll(inventory: Inventory): Promise<{
  readonly results: Parameters<typeof lockOf>[0];
  readonly failures: InventoryProbed['failures'];
}> {
  const tools = { masker: createMasker(), environment: process.env, clock: SYSTEM_CLOCK };
  const executors: Readonly<Record<ExecutorBinding['kind'], ProbingExecutor>> = {
    http: createHttpExecutor(tools),
    process: createProcessExecutor(tools),
    sql: createSqlExecutor(tools),
    file: createFileExecutor(tools),
    permit: createPermitExecutor(tools),
  };
  const signal = AbortSignal.timeout(PROBE_MS_MAX);
  const answers = await Promise.all(
    [...inventory.targets.values()].map(async (target) => ({
      target: target.name,
      found: await executors[target.executor.kind].probe(target, signal),
    })),
  );
  return {
    results: answers.flatMap(({ target, found }) => (found.ok ? [{ target, ...found.value }] : [])),
    failures: answers.flatMap(({ target, found }) =>
      found.ok ? [] : [{ target, message: `${found.message} (${found.code})` }],
    ),
  };
}
