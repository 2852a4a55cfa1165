/**
 * A store with one of everything in it, and a story that goes on from there: what must be sent, what must
 * not, and what is told. The same story on a store that somebody changed says what the change did.
 */
import { randomUUID } from 'node:crypto';
import { answer, ask, type Asked } from '../../src/engine/answers.ts';
import { addKey, enrol, holderOf } from '../../src/engine/directory.ts';
import type { ActionId } from '../../src/kernel/id.ts';
import { StoreError } from '../../src/engine/ports.ts';
import { parseAgentName } from '../../src/kernel/id.ts';
import { digestOf, parseDigest } from '../../src/kernel/digest.ts';
import type { Bank } from './bank.ts';
import { SetClock } from './set-clock.ts';
import { openShop, personOf, type Payment, type Shop, type ShopParts } from './shop.ts';

const START_MS = Date.UTC(2026, 10, 22, 8);
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** An outcome comes at once here, or never. */
const SETTLE_MS = 1500;
/** When the story goes on: the first yeses have expired by then, the later ones have not. */
const STORY_MS = START_MS + HOUR_MS + 2 * MINUTE_MS;

/** Two yeses for one action, and a limit that the story reaches to the cent. */
export const STORY_OPTIONS: Pick<ShopParts, 'rules' | 'limitMax' | 'engineLimits'> = {
  limitMax: '20.00',
  engineLimits: { retryMs: HOUR_MS, reconcileMs: HOUR_MS },
  rules: `  - id: two
    match: { operation: pay-asked }
    require:
      - approval: { from: role:lead, count: 2, askFor: 8h, validFor: 1h }
`,
};

/** What the story has to know of the store it goes on from. */
export interface Prepared {
  readonly held: Asked;
  readonly stale: Asked;
  readonly late: ActionId;
  readonly halted: ActionId;
  readonly lost: ActionId;
  readonly unknown: ActionId;
  readonly doneKey: string;
  readonly doneId: ActionId;
  readonly agentKey: string;
}

/** Fills an empty store with one of everything, and leaves it as a crash would. */
export async function prepare(parts: ShopParts): Promise<Prepared> {
  const clock = new SetClock(START_MS);
  const shop = await openShop(parts, { clock });
  const { tenant } = shop.caller;
  const life = shop.engine.life;
  await enrol(life, {
    tenant,
    kind: 'agent',
    name: 'aide',
    roles: [],
    owners: [personOf('dana')],
    aliases: [],
    delegator: personOf('dana'),
    by: 'operator',
  });
  const agent = {
    tenant,
    kind: 'agent',
    name: 'bot',
    delegator: undefined,
    by: 'operator',
  } as const;
  const added = await addKey(life, agent);
  if (added.kind !== 'enrolled') throw new Error('no key');

  const stale = await heldWithOneYes(shop, 'stale');
  const late = await proposed(shop, asked('late'), START_MS + HOUR_MS / 2);
  clock.pass(HOUR_MS + MINUTE_MS);

  const doneKey = randomUUID();
  const done = await shop.propose(doneKey, { operation: 'pay', to: 'done', amount: '3.00' });
  if (done.kind === 'refused') throw new Error(done.code);
  await shop.engine.settledWithin(tenant, done.record.id, 5000);
  await proposed(shop, { operation: 'pay-once', to: 'once', amount: '2.00' });
  const unknown = await proposed(shop, {
    operation: 'pay-blind',
    to: 'unknown!fail',
    amount: '5.00',
  });
  const held = await heldWithOneYes(shop, 'held');
  const { halt } = await shop.halt({ operation: 'pay' });
  await shop.engine.resume(tenant, halt.id, 'operator');
  await shop.halt({ operation: 'pay-blind' });
  const halted = await proposed(shop, { operation: 'pay-blind', to: 'halted', amount: '0.10' });
  // Last, and closed under its hands: it crossed, and its outcome finds no store.
  const lost = await shop.propose(randomUUID(), {
    operation: 'pay-after',
    to: 'lost!slow',
    amount: '4.00',
  });
  await shop.store.close();
  await shop.engine.stop(2000);
  if (lost.kind === 'refused') throw new Error(lost.code);
  return {
    held,
    stale,
    late,
    halted,
    lost: lost.record.id,
    unknown,
    doneKey,
    doneId: done.record.id,
    agentKey: added.key,
  };
}

function asked(to: string): Payment {
  return { operation: 'pay-asked', to, amount: '1.00' };
}

async function proposed(shop: Shop, payment: Payment, deadline?: number): Promise<ActionId> {
  const given = await shop.propose(randomUUID(), payment, deadline);
  if (given.kind === 'refused') throw new Error(given.code);
  await shop.engine.settledWithin(shop.caller.tenant, given.record.id, 5000);
  return given.record.id;
}

/** Held, with kim's yes, and mei asked. */
async function heldWithOneYes(shop: Shop, to: string): Promise<Asked> {
  const action = await proposed(shop, asked(to), START_MS + 8 * HOUR_MS);
  const at = { tenant: shop.caller.tenant, action };
  const first = await ask(shop.engine, { ...at, person: personOf('kim') });
  if (first.kind === 'refused') throw new Error(first.code);
  const { consent, challenge } = first;
  const given = { ...at, person: personOf('kim'), consent, challenge } as const;
  const answered = await answer(shop.engine, { ...given, decision: 'approve' });
  if (answered.kind === 'refused') throw new Error(answered.code);
  const second = await ask(shop.engine, { ...at, person: personOf('mei') });
  if (second.kind === 'refused') throw new Error(second.code);
  return second;
}

/** What the story came to. */
export interface Told {
  /** What each step came to, by its name: a state, or the code of a refusal. */
  readonly steps: Readonly<Record<string, string>>;
  /** What arrived, as operation, payee and amount, in order. */
  readonly arrived: readonly string[];
  /** Everything that people are shown, before the story goes on. */
  readonly shown: string;
}

/**
 * Goes on with a store as it lies there; without `steps` it is only looked at. Never throws for what it
 * finds in it.
 */
export async function goOn(
  parts: ShopParts,
  { prepared, bank, steps: goes }: { prepared: Prepared; bank: Bank; steps: boolean },
): Promise<Told> {
  await bank.forget();
  const steps: Record<string, string> = {};
  let fatal: string | undefined;
  const clock = new SetClock(STORY_MS);
  let shop: Shop;
  try {
    shop = await openShop(parts, { clock, fatal: (error) => (fatal = codeOf(error)) });
  } catch (error) {
    return { steps: { open: codeOf(error) }, arrived: [], shown: '' };
  }
  const shown = await attempt(() => shownBy(shop));
  for (const [name, step] of goes ? Object.entries(STEPS) : []) {
    steps[name] = fatal ?? (await attempt(() => step(shop, prepared)));
  }
  await shop.close().catch(() => undefined);
  const arrived = (await bank.arrivals())
    .map(({ operation, to, amount }) => `${operation} ${to} ${amount}`)
    .sort();
  return { steps, arrived, shown };
}

type Step = (shop: Shop, prepared: Prepared) => Promise<string>;

/** In order: each goes on from the one before. */
const STEPS: Readonly<Record<string, Step>> = {
  recover: async (shop) => String((await shop.engine.start()).length),
  // 3 + 2 + 5 + 4 were used before: one cent too much, whatever becomes of the rest.
  over: (shop) => fresh(shop, { operation: 'pay', to: 'over', amount: '6.01' }),
  lost: (shop, { lost }) => stateOf(shop, lost),
  unknown: (shop, { unknown }) => stateOf(shop, unknown),
  late: (shop, { late }) => advanced(shop, late),
  halted: (shop, { halted }) => advanced(shop, halted),
  stale: (shop, { stale }) => yes(shop, stale),
  // Asked anew, and yet the first yes is too old.
  staleAgain: async (shop, { stale }) => {
    const { tenant, id } = stale.record;
    const again = await ask(shop.engine, { tenant, action: id, person: personOf('mei') });
    return again.kind === 'refused' ? again.code : yes(shop, again);
  },
  held: (shop, { held }) => yes(shop, held),
  key: async ({ engine }, { agentKey }) => {
    const holder = await holderOf(engine.life, 'agent', agentKey);
    return holder === undefined ? 'refused' : `${holder.name} ${holder.delegator ?? ''}`;
  },
  again: async (shop, { doneKey, doneId }) => {
    const payment = { operation: 'pay', to: 'done', amount: '3.00' } as const;
    const given = await shop.propose(doneKey, payment);
    if (given.kind === 'refused') return given.code;
    return given.record.id === doneId ? given.record.state : 'another action';
  },
  once: (shop) => fresh(shop, { operation: 'pay-once', to: 'once', amount: '0.01' }),
  after: (shop) => fresh(shop, { operation: 'pay-after', to: 'after', amount: '0.50' }),
  blind: (shop) => fresh(shop, { operation: 'pay-blind', to: 'blind', amount: '0.10' }),
  aide: async (shop) => {
    const agent = parseAgentName('aide');
    if (agent === undefined) return 'no name';
    const { tenant } = shop.caller;
    const given = await shop.engine.propose(
      { tenant, agent, delegator: personOf('dana') },
      {
        idempotencyKey: randomUUID(),
        requestDigest: digestOf('exequatur/action/v1', 'aide'),
        target: 'bank',
        operation: 'pay',
        args: Object.freeze({ to: 'aide', amount: '0.50' }),
      },
    );
    return given.kind === 'refused' ? given.code : settled(shop, given.record.id);
  },
  // With 1.00 + 0.50 + 0.50 in the story, this is all that is left.
  fits: (shop) => fresh(shop, { operation: 'pay', to: 'fits', amount: '4.00' }),
};

async function fresh(shop: Shop, payment: Payment): Promise<string> {
  const given = await shop.propose(randomUUID(), payment);
  return given.kind === 'refused' ? given.code : settled(shop, given.record.id);
}

async function settled(shop: Shop, id: ActionId): Promise<string> {
  const record = await shop.engine.settledWithin(shop.caller.tenant, id, SETTLE_MS);
  return record?.state ?? 'gone';
}

async function stateOf(shop: Shop, id: ActionId): Promise<string> {
  return (await shop.store.action(shop.caller.tenant, id))?.state ?? 'gone';
}

async function advanced(shop: Shop, id: ActionId): Promise<string> {
  await shop.engine.advance(shop.caller.tenant, id);
  return settled(shop, id);
}

async function yes(shop: Shop, { record, consent, challenge }: Asked): Promise<string> {
  const { tenant, id } = record;
  const given = { tenant, action: id, person: personOf('mei'), consent, challenge } as const;
  const answered = await answer(shop.engine, { ...given, decision: 'approve' });
  return answered.kind === 'refused' ? answered.code : settled(shop, id);
}

/** Everything a person can be shown of what the store holds. */
async function shownBy({ store, caller: { tenant } }: Shop): Promise<string> {
  const actions = await store.actions({ tenant, count: 1000 });
  const approvals = await Promise.all(actions.map(({ id }) => store.approvals(tenant, id)));
  const accounts = await store.accounts(tenant);
  const keys = await Promise.all(accounts.map((account) => store.keys(tenant, account)));
  const halts = await store.halts(tenant);
  const ledger = await store.ledger(tenant, 0, 1000);
  const payloads: unknown[] = [];
  for (const { sequence, bytes } of ledger) {
    for (const digest of text(bytes).match(/(?<=":")[0-9a-f]{64}(?=")/gu) ?? []) {
      const payload = await store.payload(tenant, sequence, digestFrom(digest));
      if (payload !== undefined) payloads.push(text(payload));
    }
  }
  const histories = await Promise.all(actions.map(({ id }) => store.history(tenant, id)));
  return JSON.stringify(
    { actions, approvals, accounts, keys, halts, ledger, histories, payloads },
    plain,
  );
}

function plain(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? text(value) : value;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function digestFrom(hex: string): Parameters<Shop['store']['payload']>[2] {
  const digest = parseDigest(hex);
  if (digest === undefined) throw new Error('a digest has its form');
  return digest;
}

async function attempt(step: () => Promise<string>): Promise<string> {
  try {
    return await step();
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof StoreError) return error.code;
  return error instanceof Error ? `error: ${error.message}` : String(error);
}
