/**
 * Daylight saving: payments under a window around every clock change of several zones, 2024 to 2030,
 * crossed by the whole layer and held against a real clock that is read minute by minute.
 */
import { randomUUID } from 'node:crypto';
import { Temporal } from 'temporal-polyfill';
import { MINUTE, minuteOf, ZONES } from '../../fixtures/facts/calendars.ts';
import { clockTable, oracleOpen, type ClockTable } from '../../fixtures/facts/clock-table.ts';
import { inspect } from '../inspect.ts';
import { between, oneOf, spread } from '../machine.ts';
import type { FaultRow, Ran, RunAsked } from '../row.ts';
import { SetClock } from '../set-clock.ts';
import { openShop, type Shop } from '../shop.ts';
import { inStore, sharesOf, type Place } from '../stores.ts';

const INSTANTS_PER_CHANGE = 6;
const INSTANTS_PER_STORE = 60;
const AROUND_MINUTES = 4 * 60;
const SETTLE_MS = 5000;
/** Right before a window closes: its operation takes up to five seconds and no longer fits. */
const TOO_LATE_MS = 3000;

/** Windows around every hour that clock changes touch. */
const WINDOWS = [
  ['00:30', '01:15'],
  ['01:30', '02:30'],
  ['02:00', '03:00'],
  ['02:30', '04:00'],
  ['23:30', '01:30'],
] as const;

/** The row. */
export const daylightSaving: FaultRow = {
  name: 'daylight-saving',
  title: 'crossings under a window around every clock change, 2024 to 2030',
  quick: 24,
  long: 2000,
  run,
};

async function run({ count, progress, flaw }: RunAsked): Promise<Ran> {
  const violations: string[] = [];
  let runs = 0;
  const first = between(0, ZONES.length);
  for (const [store, share] of sharesOf(count, INSTANTS_PER_STORE).entries()) {
    const zone = ZONES[(first + store) % ZONES.length] ?? 'UTC';
    const [start, end] = oneOf(WINDOWS);
    const calendars = `calendars:
  night:
    zone: ${zone}
    open: [{ weekly: 'Mon,Tue,Wed,Thu,Fri,Sat,Sun ${start}-${end}' }]
`;
    const rules = `  - id: at-night
    match: { operation: pay-blind }
    require: [{ window: night }]
`;
    const daily = { startMinute: minuteOf(start), endMinute: minuteOf(end) };
    await inStore({ flaw, calendars, rules }, async (place) => {
      let shop: Shop | undefined;
      let clock: SetClock | undefined;
      for (const { table, atMs } of spread(instantsOf(zone), share)) {
        clock ??= new SetClock(atMs);
        shop ??= await openShop(place.parts, { clock });
        clock.pass(atMs - clock.wall);
        const crossed = await crosses(shop, place, clock);
        const minuteMs = Math.floor(atMs / MINUTE) * MINUTE;
        const fits = atMs === minuteMs || oracleOpen(table, daily, minuteMs + MINUTE, 'every');
        const expected = oracleOpen(table, daily, minuteMs, 'every') && fits;
        if (crossed !== expected) {
          const at = new Date(atMs).toISOString();
          violations.push(`${zone} ${start}-${end} at ${at}: crossed is ${String(crossed)}`);
        }
        progress((runs += 1));
      }
      if (shop !== undefined) violations.push(...(await closed(shop, place)));
    });
  }
  return { runs, violations };
}

/** Instants around every change of a zone, in order. */
function instantsOf(
  zone: string,
): readonly { readonly table: ClockTable; readonly atMs: number }[] {
  const found: { readonly table: ClockTable; readonly atMs: number }[] = [];
  let at = Temporal.Instant.from('2024-01-01T00:00Z').toZonedDateTimeISO(zone);
  for (;;) {
    const next = at.getTimeZoneTransition('next');
    if (next === null || next.year > 2030) return found;
    const table = clockTable(zone, next.epochMilliseconds);
    const instants = Array.from({ length: INSTANTS_PER_CHANGE }, () => {
      const minute = table.changeMs + between(-AROUND_MINUTES, AROUND_MINUTES) * MINUTE;
      return between(0, 3) === 0 ? minute - TOO_LATE_MS : minute;
    });
    for (const atMs of instants.sort((left, right) => left - right)) found.push({ table, atMs });
    at = next;
  }
}

/** Whether a payment under the window crosses now. */
async function crosses(shop: Shop, { journal }: Place, clock: SetClock): Promise<boolean> {
  const key = randomUUID();
  const payment = { operation: 'pay-blind', to: key.slice(0, 13), amount: '1.00' } as const;
  journal.asked(key, payment);
  const proposed = await shop.propose(key, payment, clock.wall + MINUTE);
  if (proposed.kind === 'refused') throw new Error(`refused: ${proposed.code}`);
  const { id, state } = proposed.record;
  journal.answered(key, id, state);
  const settled = await shop.engine.settledWithin(shop.caller.tenant, id, SETTLE_MS);
  return settled?.execution !== undefined;
}

async function closed(shop: Shop, { journal, arrivals }: Place): Promise<readonly string[]> {
  await shop.engine.stop(SETTLE_MS);
  const seen = (await arrivals()).map((arrival) => ({
    ...arrival,
    // Times at the bank are of another clock than the one that was set.
    wallMs: Number.POSITIVE_INFINITY,
  }));
  const found = await inspect({ shop, journal, arrivals: seen, limitMax: undefined });
  await shop.close();
  return found;
}
