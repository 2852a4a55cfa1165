/**
 * SIGSTOP for longer than the leases, under load. Nobody else gets the store meanwhile; what the layer
 * finds when it goes on is settled honestly; and what had crossed before is not sent long after.
 */
import type { Bank } from '../bank.ts';
import { recoverAndInspect } from '../inspect.ts';
import { Layer } from '../layer.ts';
import { Load } from '../load.ts';
import { between, machineMs, pause } from '../machine.ts';
import { openShop, type ShopParts } from '../shop.ts';
import type { FaultRow, Ran, RunAsked } from '../row.ts';
import { inStores } from '../stores.ts';

const STOPS_PER_STORE = 5;
const IN_FLIGHT = 16;
const LEASE_MS = 300;
const SEND_DELAY_MS_MAX = 100;
const STOPPED_MS = 500;
const GOING_ON_MS = 150;
const ENGINE_LIMITS = {
  leaseMs: LEASE_MS,
  sendDelayMsMax: SEND_DELAY_MS_MAX,
  // What is barred waits until the end, so that a late arrival is none that crossed again.
  retryMs: 3_600_000,
};

/** The row. */
export const stopBeyondLease: FaultRow = {
  name: 'stop-beyond-lease',
  title: 'SIGSTOP longer than the leases, under load',
  quick: 2,
  long: 200,
  run,
};

async function run({ count, progress, flaw }: RunAsked): Promise<Ran> {
  const violations: string[] = [];
  let runs = 0;
  const options = { flaw, engineLimits: ENGINE_LIMITS };
  await inStores({ count, perStore: STOPS_PER_STORE }, options, async (place, stops) => {
    const { journal, parts } = place;
    const layer = new Layer(parts);
    await layer.opened;
    const load = new Load(layer, { journal, inFlight: IN_FLIGHT });
    const stretches: Stretch[] = [];
    for (let stop = 0; stop < stops; stop += 1) {
      await pause(between(20, GOING_ON_MS));
      const { stretch, refusal } = await stopOnce(layer, parts);
      stretches.push(stretch);
      if (refusal !== 'store_locked') {
        violations.push(`while it was stopped, the store said ${refusal} to another process`);
      }
      progress((runs += 1));
    }
    await pause(GOING_ON_MS);
    load.stop();
    await layer.kill();
    violations.push(...(await recoverAndInspect(parts, place)));
    violations.push(...(await lateArrivals(parts, place.bank, stretches)));
  });
  return { runs, violations };
}

/** From when to when it was stopped, on both clocks. */
interface Stretch {
  readonly fromWallMs: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

async function stopOnce(
  layer: Layer,
  parts: ShopParts,
): Promise<{ readonly stretch: Stretch; readonly refusal: string }> {
  layer.signal('SIGSTOP');
  const from = { fromWallMs: Date.now(), fromMs: machineMs() };
  await pause(STOPPED_MS);
  const refusal = await tryToOpen(parts);
  const untilMs = machineMs();
  layer.signal('SIGCONT');
  return { stretch: { ...from, untilMs }, refusal };
}

async function tryToOpen(parts: ShopParts): Promise<string> {
  try {
    const shop = await openShop(parts);
    await shop.close();
    return 'welcome';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

/**
 * What crossed before a stop and arrived after it. The process can be stopped between its last question
 * and the first byte, where nothing is awaited: that is one send of a stop at most, and no layer can
 * prevent it. Two are a defect.
 */
async function lateArrivals(
  parts: ShopParts,
  bank: Bank,
  stretches: readonly Stretch[],
): Promise<readonly string[]> {
  const shop = await openShop(parts);
  try {
    const found: string[] = [];
    const { tenant } = shop.caller;
    const records = await shop.store.actions({ tenant, count: 10_000 });
    const arrivals = new Map(bank.told.map((arrival) => [arrival.execution, arrival]));
    for (const { fromWallMs, fromMs, untilMs } of stretches) {
      const late = records.filter(({ execution }) => {
        const arrival = execution && arrivals.get(execution.id);
        if (execution === undefined || arrival === undefined) return false;
        const crossedBefore = execution.crossedAt < fromWallMs - 1;
        return crossedBefore && arrival.machineMs > untilMs && untilMs - fromMs > SEND_DELAY_MS_MAX;
      });
      if (late.length > 1) found.push(`${String(late.length)} actions were sent after one stop`);
    }
    return found;
  } finally {
    await shop.close();
  }
}
