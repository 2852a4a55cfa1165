/**
 * Durable actions a second, in process: proposed, decided, crossed, sent to an executor that does
 * nothing, settled, each with its ledger entries; and beside it the raw limit in the same run.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CompiledPolicy } from '../src/kernel/policy/compiled.ts';
import { IN_FLIGHT, openLayer } from './layer.ts';
import { perSecond } from './measure.ts';
import { insertRaw } from './raw.ts';

const WARM_UP = 2000;

/** What a run of actions came to, and the same for their rows inserted raw. */
export interface ActionRates {
  readonly engine: number;
  readonly raw: number;
  readonly rowsPerAction: number;
  readonly rssMib: number;
}

/** Runs `count` actions in an empty store. */
export async function actionsPerSecond(
  policy: CompiledPolicy,
  count: number,
): Promise<ActionRates> {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-bench-'));
  try {
    const directory = join(folder, 'engine');
    const layer = await openLayer(policy, directory);
    await perSecond({ count: WARM_UP, width: IN_FLIGHT }, (index) => layer.act(-1 - index));
    const engine = await perSecond({ count, width: IN_FLIGHT }, layer.act);
    const rssMib = process.memoryUsage.rss() / 2 ** 20;
    await layer.close();
    const raw = insertRaw(databaseIn(directory), join(folder, 'raw.db'), count + WARM_UP);
    return { engine, raw: raw.perSecond, rowsPerAction: raw.rowsPerAction, rssMib };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The database of a store's directory. */
export function databaseIn(directory: string): string {
  const name = readdirSync(directory).find((each) => each.endsWith('.db'));
  if (name === undefined) throw new Error(`no database in ${directory}`);
  return join(directory, name);
}
