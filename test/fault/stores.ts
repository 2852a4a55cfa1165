/** Stores for a row: each in an empty folder, with a bank and a journal of its own. */
import { Bank, type Arrival } from './bank.ts';
import { Journal } from './journal.ts';
import { inFolder, inLanes } from './machine.ts';
import type { Flaw } from './row.ts';
import type { ShopParts } from './shop.ts';

/** Where one store's runs take place. */
export interface Place {
  readonly bank: Bank;
  readonly journal: Journal;
  readonly parts: ShopParts;
  /** What the bank saw, for whoever inspects. */
  readonly arrivals: () => Promise<readonly Arrival[]>;
}

/** What a row gives to every shop of its stores. */
export type PlaceOptions = Omit<ShopParts, 'directory' | 'targetPort' | 'flaw'> & {
  readonly flaw: Flaw | undefined;
};

/** Works in an empty store. */
export async function inStore<Value>(
  { flaw, ...options }: PlaceOptions,
  work: (place: Place) => Promise<Value>,
): Promise<Value> {
  const bank = await Bank.start();
  try {
    return await inFolder((directory) =>
      work({
        bank,
        journal: new Journal(),
        parts: {
          ...options,
          ...(flaw === undefined ? {} : { flaw }),
          directory,
          targetPort: bank.port,
        },
        arrivals: () => bank.arrivals(),
      }),
    );
  } finally {
    await bank.close();
  }
}

/** How many runs each store gets. */
export function sharesOf(count: number, perStore: number): readonly number[] {
  return Array.from({ length: Math.ceil(count / perStore) }, (_, store) =>
    Math.min(perStore, count - store * perStore),
  );
}

/** Spreads `count` runs over stores, `perStore` in each, some stores at once. */
export async function inStores(
  { count, perStore }: { readonly count: number; readonly perStore: number },
  options: PlaceOptions,
  work: (place: Place, runs: number) => Promise<void>,
): Promise<void> {
  await inLanes(sharesOf(count, perStore), (runs) =>
    inStore(options, (place) => work(place, runs)),
  );
}
