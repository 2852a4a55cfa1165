/** The routes of the ledger, for whoever checks it elsewhere; part of the one table in `routes.ts`. */
import * as z from 'zod';
import { noQuery, type NoQuery } from './query.ts';
import type { Route } from './routes.ts';

/** The routes with the types of what they give. */
export interface LedgerRouteTable {
  readonly receipt: Route<undefined, NoQuery, unknown>;
  readonly checkpoint: Route<undefined, NoQuery, string>;
  readonly tile: Route<undefined, NoQuery, unknown>;
}

const READ = { method: 'GET', body: undefined, query: noQuery, statuses: [200] } as const;
const STEERING = ['person', 'operator'] as const;

/** Every route of the ledger by name. */
export const LEDGER_ROUTES: LedgerRouteTable = {
  receipt: {
    ...READ,
    path: '/v1/receipts/{id}',
    auth: ['agent', 'person', 'operator'],
    summary:
      'Everything that proves one action, to be verified offline; agents get their own, once final',
    answer: z.unknown(),
    produces: 'receipt',
  },
  checkpoint: {
    ...READ,
    path: '/v1/ledger/checkpoint',
    auth: STEERING,
    publishable: true,
    summary: 'The newest signed checkpoint of the ledger, as C2SP tlog-tiles has it',
    answer: z.string(),
    produces: 'text',
  },
  tile: {
    ...READ,
    path: '/v1/ledger/tile/{+tile}',
    auth: STEERING,
    publishable: true,
    summary: 'A tile of hashes, such as `0/x001/234`, or a bundle such as `entries/000.p/17`',
    answer: z.unknown(),
    produces: 'bytes',
  },
};
