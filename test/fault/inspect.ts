/**
 * What must be true of a store after any fault, held against the driver's own journal and against what
 * the bank saw. Read through the store's port after recovery; each sentence is one broken promise.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ActionRecord } from '../../src/engine/ports.ts';
import { isFinal } from '../../src/engine/transition.ts';
import { DATABASE_FILE } from '../../src/stores/sqlite/files.ts';
import type { Arrival } from './bank.ts';
import type { Journal } from './journal.ts';
import { inspectActions } from './inspect-actions.ts';
import { inspectArrivals } from './inspect-arrivals.ts';
import { inspectLimits } from './inspect-limits.ts';
import { argumentsOf, objectFrom, objectOf, textOf } from './stored-json.ts';
import type { JsonObject } from '../../src/kernel/json/value.ts';
import { NO_LIMIT, openShop, type Shop, type ShopParts } from './shop.ts';

/** One entry of the ledger. */
export interface Entry {
  readonly sequence: number;
  readonly kind: string;
  readonly at: number;
  readonly action: string | undefined;
  readonly body: JsonObject;
}

/** Everything that is looked at. */
export interface Evidence {
  readonly shop: Pick<Shop, 'store' | 'caller'>;
  readonly journal: Journal;
  readonly arrivals: readonly Arrival[];
  readonly records: ReadonlyMap<string, ActionRecord>;
  readonly entries: readonly Entry[];
  /** Entries by action, in order. */
  readonly histories: ReadonlyMap<string, readonly Entry[]>;
  /** `undefined` where time was set: what is used then ages out. */
  readonly limitMax: string | undefined;
}

const PAGE = 5000;
/** A sentence is enough for each sort; a broken promise is often broken many times. */
const SENTENCES_MAX = 50;

/** Reopens the store, lets recovery run, closes everything, and says what is not as promised. */
export async function recoverAndInspect(
  parts: ShopParts,
  seen: { readonly journal: Journal; readonly arrivals: () => Promise<readonly Arrival[]> },
): Promise<readonly string[]> {
  let shop: Shop;
  try {
    shop = await openShop(parts, { fatal: () => undefined });
  } catch (error) {
    return [`the store cannot be opened again: ${String(error)}`];
  }
  let found: readonly string[];
  try {
    await shop.start();
    await shop.engine.stop(5000);
    found = await inspect({
      shop,
      journal: seen.journal,
      arrivals: await seen.arrivals(),
      limitMax: parts.limitMax ?? NO_LIMIT,
    });
  } finally {
    await shop.close();
  }
  return [...found, ...damageOf(parts.directory)];
}

/** Says what is not as promised in a store whose engine rests. */
export async function inspect(
  parts: Pick<Evidence, 'shop' | 'journal' | 'arrivals' | 'limitMax'>,
): Promise<readonly string[]> {
  const entries = await entriesOf(parts.shop);
  const evidence: Evidence = {
    ...parts,
    records: await recordsOf(parts.shop),
    entries,
    histories: historiesOf(entries),
  };
  const found = [
    ...inspectLedger(evidence),
    ...inspectActions(evidence),
    ...(await inspectAnswers(evidence)),
    ...inspectArrivals(evidence),
    ...(await inspectLimits(evidence)),
  ];
  return found.slice(0, SENTENCES_MAX);
}

async function recordsOf({
  store,
  caller,
}: Evidence['shop']): Promise<ReadonlyMap<string, ActionRecord>> {
  const records = new Map<string, ActionRecord>();
  let before: ActionRecord['id'] | undefined;
  for (;;) {
    const page = await store.actions({
      tenant: caller.tenant,
      count: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    for (const record of page) records.set(record.id, record);
    before = page.at(-1)?.id;
    if (page.length < PAGE) return records;
  }
}

async function entriesOf({ store, caller }: Evidence['shop']): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const after = entries.at(-1)?.sequence ?? 0;
    const rows = await store.ledger(caller.tenant, after, PAGE);
    for (const { sequence, bytes } of rows) {
      const { kind, at, action, body } = objectFrom(bytes);
      entries.push({
        sequence,
        kind: textOf(kind),
        at: typeof at === 'number' ? at : Number.NaN,
        action: typeof action === 'string' ? action : undefined,
        body: objectOf(body),
      });
    }
    if (rows.length < PAGE) return entries;
  }
}

function historiesOf(entries: readonly Entry[]): ReadonlyMap<string, readonly Entry[]> {
  const histories = new Map<string, Entry[]>();
  for (const entry of entries) {
    if (entry.action === undefined) continue;
    const history = histories.get(entry.action) ?? [];
    histories.set(entry.action, history);
    history.push(entry);
  }
  return histories;
}

function inspectLedger({ entries }: Evidence): readonly string[] {
  const found: string[] = [];
  for (const [index, { sequence }] of entries.entries()) {
    if (sequence === index + 1) continue;
    found.push(`the ledger has entry ${String(sequence)} in place ${String(index + 1)}`);
    break;
  }
  return found;
}

/** Every acknowledged answer is still true, and what was refused is not there. */
async function inspectAnswers({ shop, journal, records }: Evidence): Promise<readonly string[]> {
  const found: string[] = [];
  const { tenant, agent } = shop.caller;
  for (const { key, id, states, refusals, payment } of journal.all()) {
    const stored = await shop.store.proposed(tenant, agent, key);
    if (id === undefined) {
      if (refusals.length > 0 && stored !== undefined) {
        found.push(`\`${key}\` was refused (${refusals.join(', ')}) and is ${stored.state}`);
      }
      continue;
    }
    const record = records.get(id);
    if (record === undefined || stored?.id !== id) {
      found.push(`\`${id}\` was answered as ${states.join(', ')} and is not stored`);
      continue;
    }
    const args = argumentsOf(record.bytes);
    if (args.to !== payment.to || args.amount !== payment.amount) {
      found.push(`\`${id}\` is not what was proposed`);
    }
    for (const state of states) {
      if (!mayBecome(state, record.state)) {
        found.push(`\`${id}\` was answered as ${state} and is ${record.state}`);
        break;
      }
    }
  }
  const standing = new Set((await shop.store.halts(tenant)).map((halt): string => halt.id));
  for (const halt of journal.halts) {
    if (halt.resumeAskedAt === undefined && !standing.has(halt.id)) {
      found.push(`halt \`${halt.id}\` was acknowledged and does not stand`);
    }
    if (halt.resumed === true && standing.has(halt.id)) {
      found.push(`halt \`${halt.id}\` was ended and stands`);
    }
  }
  return found;
}

const AFTER_CROSSING: ReadonlySet<string> = new Set([
  'unknown',
  'succeeded',
  'failed',
  'not_executed',
]);

/** Whether an action that was answered in one state can honestly be in the other later. */
function mayBecome(answered: string, state: ActionRecord['state']): boolean {
  if (answered === state) return true;
  if (answered === 'held') return true;
  // Barred, it is held again, and from there anything; that nothing was sent is checked at the bank.
  if (answered === 'executing') return true;
  if (answered === 'unknown') return AFTER_CROSSING.has(state) && isFinal(state);
  return false;
}

/** What SQLite itself finds wrong with the closed file. */
export function damageOf(directory: string): readonly string[] {
  const database = new DatabaseSync(join(directory, DATABASE_FILE), { readOnly: true });
  try {
    const rows = database.prepare('PRAGMA integrity_check').all();
    const broken = database.prepare('PRAGMA foreign_key_check').all();
    const told = rows.map((row) => String(Object.values(row)[0])).filter((text) => text !== 'ok');
    return [
      ...told.map((text) => `the file is damaged: ${text}`),
      ...broken.slice(0, 1).map(() => 'a row refers to one that is not there'),
    ];
  } finally {
    database.close();
  }
}
