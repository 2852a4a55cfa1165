/**
 * Halts against crossings, thousands of them: each is asked for while payments are on their way. Nothing
 * in its scope arrives after its acknowledgement, but what the acknowledgement lists.
 */
import { randomUUID } from 'node:crypto';
import { inspect } from '../inspect.ts';
import { between, machineMs, pause } from '../machine.ts';
import type { FaultRow, Ran, RunAsked } from '../row.ts';
import { openShop, NO_LIMIT, type Payment, type Shop } from '../shop.ts';
import { inStores, type Place } from '../stores.ts';

const HALTS_PER_STORE = 500;
const PAYMENTS_PER_HALT = 3;
const SETTLE_MS = 5000;

/** The row. */
export const halts: FaultRow = {
  name: 'halts',
  title: 'halts against crossings that are on their way',
  quick: 30,
  long: 10_000,
  run,
};

async function run({ count, progress, flaw }: RunAsked): Promise<Ran> {
  const violations: string[] = [];
  let runs = 0;
  const stores = { count, perStore: HALTS_PER_STORE };
  await inStores(stores, { flaw, engineLimits: { retryMs: 3_600_000 } }, async (place, share) => {
    const shop = await openShop(place.parts);
    await shop.start();
    for (let halt = 0; halt < share; halt += 1) {
      await haltOnce(shop, place, halt);
      progress((runs += 1));
    }
    await shop.engine.stop(SETTLE_MS);
    const arrivals = await place.arrivals();
    violations.push(...(await inspect({ ...place, shop, arrivals, limitMax: NO_LIMIT })));
    await shop.close();
  });
  return { runs, violations };
}

async function haltOnce(shop: Shop, { journal }: Place, round: number): Promise<void> {
  const operation = round % 2 === 0 ? 'pay' : undefined;
  const underWay = Array.from({ length: PAYMENTS_PER_HALT }, (_, index) =>
    propose(shop, journal, index === 0 ? 'pay-blind' : 'pay'),
  );
  // Anywhere between the proposals and their outcomes.
  const turns = between(0, 12);
  for (let turn = 0; turn < turns; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  if (round % 5 === 0) await pause(between(0, 3));
  const { halt, sent } = await shop.halt(operation === undefined ? {} : { operation });
  const heard: Place['journal']['halts'][number] = {
    id: halt.id,
    operation,
    sent: new Set(sent),
    acknowledgedAt: machineMs(),
  };
  journal.halts.push(heard);
  underWay.push(propose(shop, journal, 'pay'));
  await Promise.all(underWay);
  heard.resumeAskedAt = machineMs();
  await shop.engine.resume(shop.caller.tenant, halt.id, 'operator');
  heard.resumed = true;
}

async function propose(
  shop: Shop,
  journal: Place['journal'],
  operation: Payment['operation'],
): Promise<void> {
  const key = randomUUID();
  const payment = { operation, to: key.slice(0, 13), amount: '1.00' };
  journal.asked(key, payment);
  const proposed = await shop.propose(key, payment);
  if (proposed.kind === 'refused') journal.refused(key, proposed.code);
  else journal.answered(key, proposed.record.id, proposed.record.state);
}
