/**
 * One action and a thousand calls at once, through the gateway: the same proposal again and with another
 * body, yeses of many people, looks, withdrawals, advances. It is sent at most once, exactly once where
 * it succeeded, and every call is answered.
 */
import { randomUUID } from 'node:crypto';
import { inspect } from '../inspect.ts';
import { oneOf, pause } from '../machine.ts';
import { startLayer, type Answer, type Layer } from '../../fixtures/layer.ts';
import { isFinal } from '../../../src/engine/transition.ts';
import { parseActionId, parseAgentName } from '../../../src/kernel/id.ts';
import type { FaultRow, Ran, RunAsked } from '../row.ts';
import { inventoryText, NO_LIMIT, policyText } from '../shop.ts';
import { inStore, type Place } from '../stores.ts';

const CALLS = 1000;
const LEADS_COUNT = 12;
const SETTLE_MS = 15_000;

/** The row. */
export const racingCalls: FaultRow = {
  name: 'racing-calls',
  title: '1 action × 1,000 racing calls through the gateway',
  quick: 2,
  long: 100,
  run,
};

async function run({ count, progress, flaw }: RunAsked): Promise<Ran> {
  const violations: string[] = [];
  let runs = 0;
  await inStore({ flaw }, async (place) => {
    const layer = await startLayer({
      folder: place.parts.directory,
      policy: policyText(place.parts),
      inventory: inventoryText(place.bank.port),
    });
    const keys: Keys = { agent: await layer.agentKey('bot', { owners: ['dana'] }), leads: [] };
    for (let lead = 0; lead < LEADS_COUNT; lead += 1) {
      keys.leads.push(await layer.personKey(`lead-${String(lead)}`, { roles: ['lead'] }));
    }
    for (; runs < count; progress((runs += 1))) {
      violations.push(...(await race(layer, keys, { place, withdrawn: runs % 2 === 1 })));
    }
    await layer.engine.stop(SETTLE_MS);
    const agent = parseAgentName('bot');
    if (agent === undefined) throw new Error('the agent has a name');
    const caller = { tenant: layer.tenant, agent, delegator: undefined };
    violations.push(
      ...(await inspect({
        shop: { store: layer.store, caller },
        journal: place.journal,
        arrivals: await place.arrivals(),
        limitMax: NO_LIMIT,
      })),
    );
    await layer.close();
  });
  return { runs, violations };
}

interface Keys {
  readonly agent: string;
  readonly leads: string[];
}

interface Race {
  readonly place: Place;
  /** Whether withdrawals run with the rest. */
  readonly withdrawn: boolean;
}

async function race(
  layer: Layer,
  keys: Keys,
  { place, withdrawn }: Race,
): Promise<readonly string[]> {
  const key = randomUUID();
  const payment = { operation: 'pay-asked', to: key.slice(0, 13), amount: '1.00' } as const;
  const { to, amount } = payment;
  const body = { target: 'bank', operation: 'pay-asked', args: { to, amount } };
  const headers = { 'idempotency-key': key, prefer: 'wait=0' };
  place.journal.asked(key, payment);
  const proposed = await layer.propose(keys.agent, body, headers);
  const id = String(proposed.body['id']);
  place.journal.answered(key, id, String(proposed.body['state']));

  const calls: Readonly<Record<string, () => Promise<Answer>>> = {
    again: () => layer.propose(keys.agent, body, headers),
    other: () => layer.propose(keys.agent, { ...body, args: { to, amount: '9.00' } }, headers),
    approve: () => layer.approve(oneOf(keys.leads), id),
    look: () => layer.ask(`GET /v1/actions/${id}`, { key: keys.agent }),
    withdraw: () => layer.ask(`POST /v1/actions/${id}/withdraw`, { key: keys.agent }),
    advance: async () => {
      const action = parseActionId(id);
      if (action !== undefined) await layer.engine.advance(layer.tenant, action);
      return layer.ask(`GET /v1/actions/${id}`, { key: keys.agent });
    },
  };
  const sorts = ['again', 'again', 'other', 'approve', 'approve', 'look', 'advance'];
  if (withdrawn) sorts.push('withdraw');
  const answers = await Promise.all(
    Array.from({ length: CALLS }, async () => {
      const sort = oneOf(sorts);
      return { sort, answer: await calls[sort]?.() };
    }),
  );
  const found: string[] = [];
  for (const { sort, answer } of answers) {
    const { status = 0, body: told = {} } = answer ?? {};
    if (status === 0 || status >= 500)
      found.push(`\`${sort}\` was answered with ${String(status)}`);
    if (sort === 'other' && status < 400) found.push('another body was taken under the same key');
    if (sort === 'again' && status < 300 && told['id'] !== id)
      found.push('a second action was made');
    if (sort === 'again' && status < 300) place.journal.answered(key, id, String(told['state']));
  }
  const state = await endOf(layer, id);
  const arrivals = (await place.arrivals()).filter((arrival) => arrival.to === to);
  const expected = state === 'succeeded' ? 1 : 0;
  if (arrivals.length !== expected) {
    found.push(`\`${id}\` is ${state}, and ${String(arrivals.length)} arrived`);
  }
  if (!withdrawn && state !== 'succeeded') found.push(`\`${id}\` was approved and is ${state}`);
  return found;
}

/** Its state once it is final; what was answered while an advance ran is looked at again in the background. */
async function endOf(layer: Layer, id: string): Promise<string> {
  const untilMs = performance.now() + SETTLE_MS;
  for (;;) {
    const { state } = await layer.record(id);
    if (isFinal(state) || performance.now() > untilMs) return state;
    await pause(10);
  }
}
