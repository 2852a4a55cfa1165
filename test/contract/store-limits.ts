/** Limits conserve (law 11): posted, reserved and unknown together never exceed the bound. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { ActionRecord } from '../../src/engine/ports.ts';
import type { LimitState } from '../../src/kernel/decision.ts';
import { PERIOD_MS, SPEND_MAX, TICKS_MAX, writtenRecord, type Boundary } from './boundary.ts';
import type { Opened, WithStore } from './store.ts';

const BUCKET_MS = PERIOD_MS / 60;

export function limitContract(withStore: WithStore): void {
  describe('limits', () => {
    test(
      'a count is reached exactly, and one past it waits',
      withStore(async ({ boundary }) => {
        for (let index = 0; index < TICKS_MAX; index += 1) {
          const record = await boundary.proposed({ operation: 'tick', args: tick(index) });
          assert.equal(record.state, 'executing');
        }
        const past = await boundary.proposed({ operation: 'tick', args: tick(TICKS_MAX) });
        assert.equal(past.state, 'held');
        assert.equal(past.decision?.findings[0]?.code, 'over_limit');
        const elsewhere = { name: 'Door', amount: '0' };
        assert.equal(
          (await boundary.proposed({ operation: 'tick', args: elsewhere })).state,
          'executing',
        );
      }),
    );

    test(
      'a sum is exact: the last cent fits, one past it waits, and proposals that race share one bound',
      withStore(async ({ boundary, other }) => {
        const results = await Promise.all(
          Array.from({ length: 1002 }, () => pay(boundary, 'race', '0.1')),
        );
        const crossed = results.filter(({ state }) => state === 'executing');
        const used = crossed.reduce((sum, { bytes }) => sum + cents(bytes), 0n);
        assert.ok(used <= BigInt(SPEND_MAX) * CENT, String(used));
        assert.equal(crossed.length, 1000);
        assert.equal((await pay(other, 'race', '100')).state, 'executing');
        await pay(boundary, 'exact', '99.99');
        assert.equal((await pay(boundary, 'exact', '0.011')).state, 'held');
        assert.equal((await pay(boundary, 'exact', '0.01')).state, 'executing');
        assert.equal(
          (await pay(boundary, 'exact', '0.0000000000000000000000000001')).state,
          'held',
        );
      }),
    );

    test(
      'what did not happen is given back and wakes who waited; what may have happened is not',
      withStore(async ({ boundary, reopen }) => {
        const first = await pay(boundary, 'till', '60');
        const second = await pay(boundary, 'till', '40');
        const waiting = await pay(boundary, 'till', '1');
        assert.equal(waiting.state, 'held');
        await boundary.settle(second, 'unknown');
        assert.equal((await spent(boundary, waiting)).used, '100');
        assert.deepEqual(await boundary.due(), []);
        await boundary.settle(first, 'not_executed');
        assert.ok((await boundary.due()).includes(waiting.id));
        const again = (await reopen()).boundary;
        assert.equal((await spent(again, waiting)).used, '40');
        assert.equal(writtenRecord(await again.advance(waiting)).state, 'executing');
        assert.equal((await spent(again, waiting)).used, '41');
        await again.bar(await again.stored(waiting));
        assert.equal((await spent(again, waiting)).used, '40');
      }),
    );

    test(
      'what was posted counts until a whole period after the end of its bucket',
      withStore(async ({ boundary, clock, reopen }) => {
        const inBucket = clock.now() % BUCKET_MS;
        const endsAt = clock.now() - inBucket + BUCKET_MS;
        const record = await pay(boundary, 'age', '30');
        clock.pass(10);
        await boundary.settle(record, 'failed');
        const state = await spent(boundary, record);
        assert.deepEqual(state, { used: '30', frees: [{ at: endsAt + PERIOD_MS, used: '0' }] });
        clock.pass(endsAt + PERIOD_MS - clock.now() - 1);
        assert.equal((await spent(boundary, record)).used, '30');
        const again = (await reopen()).boundary;
        clock.pass(1);
        assert.deepEqual(await spent(again, record), { used: '0', frees: [] });
      }),
    );

    test(
      'what is posted counts from its crossing, however late the outcome; unknown never ages',
      withStore(async ({ boundary, clock }) => {
        const late = await pay(boundary, 'late', '10');
        const unknown = await pay(boundary, 'late', '5');
        await boundary.settle(unknown, 'unknown');
        clock.pass(PERIOD_MS / 2);
        await boundary.settle(late, 'succeeded');
        assert.equal((await spent(boundary, late)).used, '15');
        clock.pass(PERIOD_MS / 2 + BUCKET_MS);
        assert.equal((await spent(boundary, late)).used, '5');
        clock.pass(100 * PERIOD_MS);
        assert.deepEqual(await spent(boundary, late), { used: '5', frees: [] });
      }),
    );

    test(
      'law 11: whatever is reserved, posted, voided and lost in whatever order, use is what a naive count says',
      withStore(async (opened) => {
        let run = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(step(), { minLength: 5, maxLength: 40 }), async (steps) => {
            run += 1;
            await compareWithModel(opened, `counter-${String(run)}`, steps);
          }),
          { numRuns: 40 },
        );
      }),
    );
  });
}

/** Amounts are counted in steps of 10^-28. */
const CENT = 10n ** 28n;

function tick(index: number): { readonly name: string; readonly amount: string } {
  return { name: 'door', amount: String(index) };
}

let serial = 0;

async function pay(boundary: Boundary, name: string, amount: string): Promise<ActionRecord> {
  serial += 1;
  return boundary.proposed({ operation: 'pay', args: { name, amount, serial } });
}

function cents(bytes: Uint8Array): bigint {
  const text = Buffer.from(bytes).toString('utf8');
  const [, whole = '0', fraction = ''] = /"amount":"(\d+)(?:\.(\d+))?"/u.exec(text) ?? [];
  return BigInt(whole) * CENT + BigInt(fraction.padEnd(28, '0'));
}

/** The state of the one counter that this action is under. */
async function spent(boundary: Boundary, record: ActionRecord): Promise<LimitState> {
  const [state] = Object.values((await boundary.look(record)).limits);
  assert.ok(state !== undefined);
  return { used: state.used, frees: state.frees.map(({ at, used }) => ({ at, used })) };
}

type Step =
  | { readonly kind: 'pay'; readonly amount: number }
  | { readonly kind: 'end'; readonly index: number; readonly how: End }
  | { readonly kind: 'pass'; readonly ms: number };
type End = 'succeeded' | 'failed' | 'not_executed' | 'unknown' | 'barred';

function step(): fc.Arbitrary<Step> {
  return fc.oneof(
    fc.record({ kind: fc.constant('pay' as const), amount: fc.integer({ min: 1, max: 6000 }) }),
    fc.record({
      kind: fc.constant('end' as const),
      index: fc.nat(10),
      how: fc.constantFrom<End>('succeeded', 'failed', 'not_executed', 'unknown', 'barred'),
    }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(PERIOD_MS) }),
  );
}

/** One use in the model: open until it is posted, which says when it stops to count. */
interface Use {
  readonly amount: number;
  readonly endsAt: number;
  posted: boolean;
  unknown: boolean;
  record: ActionRecord;
}

async function compareWithModel(
  { boundary, clock }: Opened,
  name: string,
  steps: readonly Step[],
): Promise<void> {
  let uses: Use[] = [];
  const counted = (): number =>
    uses
      .filter((use) => !use.posted || clock.now() < use.endsAt + PERIOD_MS)
      .reduce((sum, use) => sum + use.amount, 0);
  const probe = await pay(boundary, name, '0.01');
  await boundary.settle(probe, 'not_executed');
  for (const each of steps) {
    if (each.kind === 'pass') clock.pass(each.ms);
    if (each.kind === 'pay') {
      const record = await pay(boundary, name, amountText(each.amount));
      const fits = counted() + each.amount <= SPEND_MAX * 100;
      assert.equal(record.state, fits ? 'executing' : 'held');
      const endsAt = (Math.floor(clock.now() / BUCKET_MS) + 1) * BUCKET_MS;
      if (fits) uses.push({ amount: each.amount, endsAt, posted: false, unknown: false, record });
      else await boundary.withdraw(record);
    }
    if (each.kind === 'end') {
      const open = uses.filter((use) => !use.posted && !use.unknown);
      const use = open[each.index % Math.max(1, open.length)];
      if (use === undefined) continue;
      if (each.how === 'barred')
        await boundary.withdraw(writtenRecord(await boundary.bar(use.record)));
      else await boundary.settle(use.record, each.how);
      if (each.how === 'barred' || each.how === 'not_executed')
        uses = uses.filter((one) => one !== use);
      else if (each.how === 'unknown') use.unknown = true;
      else use.posted = true;
    }
    const { used, frees } = await spent(boundary, probe);
    assert.equal(Math.round(Number(used) * 100), counted());
    assert.ok(counted() <= SPEND_MAX * 100);
    assert.ok(frees.every(({ at }) => at > clock.now()));
  }
}

function amountText(hundredths: number): string {
  return String(hundredths / 100);
}
