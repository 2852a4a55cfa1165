/**
 * The contract of a store: what the engine rests on, whatever the database. Every store runs it whole.
 * Parts are in the files beside this one, one a concern.
 */
import { after, describe } from 'node:test';
import type { Clock, Store } from '../../src/engine/ports.ts';
import { Boundary, tenantName } from './boundary.ts';
import { HandClock } from './hand-clock.ts';
import { advanceContract } from './store-advance.ts';
import { answerContract } from './store-answer.ts';
import { directoryContract } from './store-directory.ts';
import { limitContract } from './store-limits.ts';
import { logContract } from './store-log.ts';
import { occupationContract } from './store-occupation.ts';
import { purgeContract } from './store-purge.ts';
import { readingContract } from './store-reading.ts';

/** What a store under test can do besides being a store. */
export interface StoreUnderTest {
  /** A place where nothing is stored yet. */
  place(): Promise<string>;
  /** Opens the store of a place; whatever was stored there is found. */
  open(
    place: string,
    options: { readonly clock: Clock; readonly openPerAgentMax?: number },
  ): Promise<Store>;
  /** Removes everything that `place` made. */
  remove(): Promise<void>;
}

/** One store, opened for one test. */
export interface Opened {
  readonly store: Store;
  readonly clock: HandClock;
  /** Tenant `acme`, with its people and its agent. */
  readonly boundary: Boundary;
  /** Another tenant with people and an agent of the same names. */
  readonly other: Boundary;
  /** Closes the store and opens it again. */
  readonly reopen: () => Promise<Opened>;
}

/** Opens a store for one test, and closes it afterwards. */
export type WithStore = (
  test: (opened: Opened) => Promise<void>,
  options?: { readonly openPerAgentMax?: number },
) => () => Promise<void>;

/** Runs the contract suite against a store. */
export function storeContract(name: string, underTest: StoreUnderTest): void {
  const withStore: WithStore = (test, options) => async () => {
    const clock = new HandClock();
    const place = await underTest.place();
    let current: Store | undefined;
    const open = async (): Promise<Opened> => {
      const store = await underTest.open(place, { clock, ...options });
      current = store;
      return {
        store,
        clock,
        boundary: new Boundary(store, clock),
        other: new Boundary(store, clock, tenantName('globex')),
        reopen: async () => {
          await store.close();
          return open();
        },
      };
    };
    const opened = await open();
    await opened.boundary.enrolAll();
    await opened.other.enrolAll();
    try {
      await test(opened);
    } finally {
      await current?.close();
    }
  };
  describe(`the store contract: ${name}`, () => {
    after(() => underTest.remove());
    advanceContract(withStore);
    answerContract(withStore);
    occupationContract(withStore);
    limitContract(withStore);
    logContract(withStore);
    directoryContract(withStore);
    readingContract(withStore);
    purgeContract(withStore);
  });
}
