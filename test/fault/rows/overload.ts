/**
 * Ten times more than the layer takes at once. What is refused is refused before the crossing, with a
 * code that says so, and is nowhere; what is taken is done once; afterwards everything is as before.
 */
import { randomUUID } from 'node:crypto';
import { inspect } from '../inspect.ts';
import type { FaultRow, Ran, RunAsked } from '../row.ts';
import { NO_LIMIT, openShop, type Shop } from '../shop.ts';
import { inStores, type Place } from '../stores.ts';

const ENGINE_LIMITS = { actionsMax: 8, waitingMax: 16 };
const OFFERED = 10 * (ENGINE_LIMITS.actionsMax + ENGINE_LIMITS.waitingMax);
const BURSTS_PER_STORE = 10;
const SETTLE_MS = 10_000;

/** The row. */
export const overload: FaultRow = {
  name: 'overload',
  title: 'ten times more proposals at once than are taken',
  quick: 2,
  long: 100,
  run,
};

async function run({ count, progress, flaw }: RunAsked): Promise<Ran> {
  const violations: string[] = [];
  let runs = 0;
  const stores = { count, perStore: BURSTS_PER_STORE };
  await inStores(stores, { flaw, engineLimits: ENGINE_LIMITS }, async (place, share) => {
    const shop = await openShop(place.parts);
    await shop.start();
    for (let burst = 0; burst < share; burst += 1) {
      violations.push(...(await burstOnce(shop, place)));
      progress((runs += 1));
    }
    await shop.engine.stop(SETTLE_MS);
    const arrivals = await place.arrivals();
    violations.push(...(await inspect({ ...place, shop, arrivals, limitMax: NO_LIMIT })));
    await shop.close();
  });
  return { runs, violations };
}

async function burstOnce(shop: Shop, { journal }: Place): Promise<readonly string[]> {
  const codes = await Promise.all(
    Array.from({ length: OFFERED }, () => propose(shop, journal, randomUUID())),
  );
  const refused = codes.filter((code) => code !== undefined);
  const others = refused.filter((code) => code !== 'overloaded');
  const taken = OFFERED - refused.length;
  const afterwards = await propose(shop, journal, randomUUID());
  return [
    ...(refused.length === 0 ? ['nothing of ten times too much was refused'] : []),
    ...(taken === 0 ? ['nothing was taken under overload'] : []),
    ...others.slice(0, 1).map((code) => `a proposal was refused as ${code}`),
    ...(afterwards === undefined ? [] : [`after an overload it refuses: ${afterwards}`]),
  ];
}

/** The code of its refusal, if it was refused. */
async function propose(
  shop: Shop,
  journal: Place['journal'],
  key: string,
): Promise<string | undefined> {
  const payment = { operation: 'pay', to: `${key.slice(0, 13)}!slow`, amount: '1.00' } as const;
  journal.asked(key, payment);
  const proposed = await shop.propose(key, payment);
  if (proposed.kind === 'refused') {
    journal.refused(key, proposed.code);
    return proposed.code;
  }
  journal.answered(key, proposed.record.id, proposed.record.state);
  return undefined;
}
