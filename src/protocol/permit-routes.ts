/** The routes of permits; part of the one table in `routes.ts`. */
import { actionView, permitRequest, type ActionView, type PermitRequest } from './actions.ts';
import {
  keySetView,
  permitQuery,
  redeemedView,
  redeemRequest,
  settledView,
  settleRequest,
  type KeySetView,
  type PermitQuery,
  type RedeemedView,
  type RedeemRequest,
  type SettledView,
  type SettleRequest,
} from './permits.ts';
import { noQuery, type NoQuery } from './query.ts';
import type { Route } from './routes.ts';

/** The routes with the types of what they take and give. */
export interface PermitRouteTable {
  readonly issuePermit: Route<PermitRequest, NoQuery, ActionView>;
  readonly permit: Route<undefined, PermitQuery, ActionView>;
  readonly redeemPermit: Route<RedeemRequest, NoQuery, RedeemedView>;
  readonly settlePermit: Route<SettleRequest, NoQuery, SettledView>;
  readonly permitKeys: Route<undefined, NoQuery, KeySetView>;
}

const READ = { method: 'GET', body: undefined, query: noQuery, statuses: [200] } as const;
const WRITE = { method: 'POST', query: noQuery, statuses: [200] } as const;

/** Every route of permits by name. */
export const PERMIT_ROUTES: PermitRouteTable = {
  issuePermit: {
    ...WRITE,
    path: '/v1/permits',
    auth: ['agent'],
    summary: 'Propose an action whose executor lies elsewhere; answers a claim where that may go',
    body: permitRequest,
    answer: actionView,
    statuses: [200, 202],
    idempotent: true,
  },
  permit: {
    ...READ,
    path: '/v1/permits/{id}',
    auth: ['agent'],
    summary: 'A fresh claim for an action that waits for its executor, or the action as it is',
    query: permitQuery,
    answer: actionView,
  },
  redeemPermit: {
    ...WRITE,
    path: '/v1/permits/redeem',
    auth: ['executor'],
    summary: 'Redeem a permit: the action is decided anew, and crosses at most once',
    body: redeemRequest,
    answer: redeemedView,
  },
  settlePermit: {
    ...WRITE,
    path: '/v1/permits/{id}/settle',
    auth: ['executor'],
    summary: 'Say how a redeemed action ended; only who redeemed it can',
    body: settleRequest,
    answer: settledView,
  },
  permitKeys: {
    ...READ,
    path: '/.well-known/jwks.json',
    auth: 'none',
    summary: 'The keys that permits are signed with (RFC 7517)',
    answer: keySetView,
  },
};
