/** The embedded store keeps the contract of a store. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/stores/sqlite/open.ts';
import { storeContract } from './store.ts';

const places: string[] = [];

storeContract('sqlite', {
  place: async () => {
    const place = await mkdtemp(join(tmpdir(), 'exequatur-store-'));
    places.push(place);
    return place;
  },
  open: (directory, { clock, openPerAgentMax }) =>
    openSqliteStore({
      directory,
      clock,
      ...(openPerAgentMax === undefined ? {} : { limits: { openPerAgentMax } }),
    }),
  remove: async () => {
    for (const place of places) await rm(place, { recursive: true, force: true });
  },
});
