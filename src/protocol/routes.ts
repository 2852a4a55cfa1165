/**
 * Every route of the API, once: the gateway registers them from this table, clients build their paths
 * from it, and the OpenAPI document is generated from it.
 */
import * as z from 'zod';
import {
  actionList,
  actionsQuery,
  actionView,
  explanationView,
  forecastRequest,
  forecastView,
  proposeRequest,
  type ActionList,
  type ActionsQuery,
  type ActionView,
  type ExplanationView,
  type ForecastRequest,
  type ForecastView,
  type ProposeRequest,
} from './actions.ts';
import {
  answerRequest,
  consentView,
  resolutionRequest,
  type AnswerRequest,
  type ConsentView,
  type ResolutionRequest,
} from './answers.ts';
import { blobView, type BlobView } from './blobs.ts';
import { DIRECTORY_ROUTES, type DirectoryRouteTable } from './directory-routes.ts';
import { eventsQuery, history, type EventsQuery, type History } from './events.ts';
import {
  haltedView,
  haltList,
  haltRequest,
  haltView,
  type HaltedView,
  type HaltList,
  type HaltRequest,
  type HaltView,
} from './halts.ts';
import type { JsonObject } from '../kernel/json/value.ts';
import type { KeySort } from './keys.ts';
import { LEDGER_ROUTES, type LedgerRouteTable } from './ledger-routes.ts';
import { PERMIT_ROUTES, type PermitRouteTable } from './permit-routes.ts';
import { noQuery, waitQuery, type NoQuery, type WaitQuery } from './query.ts';
import {
  backupRequest,
  backupView,
  healthView,
  eraseRequest,
  eraseView,
  purgeRequest,
  purgeView,
  readyView,
  reloadView,
  statusView,
  type BackupRequest,
  type BackupView,
  type HealthView,
  type EraseRequest,
  type EraseView,
  type PurgeRequest,
  type PurgeView,
  type ReadyView,
  type ReloadView,
  type StatusView,
} from './status.ts';
import { jsonObject } from './words.ts';

/** One route. Errors are problem details on every route; see `errors.ts`. */
export interface Route<Body, Query, Answer> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With parameters in braces; one that begins with a plus takes several segments. */
  readonly path: `/${string}`;
  /** Sorts of keys that may call it; `none` takes no key at all. */
  readonly auth: readonly KeySort[] | 'none';
  /** Answers without a key, too, where the configuration makes the ledger public. */
  readonly publishable?: true;
  readonly summary: string;
  /** `undefined`: the route takes no body, or bytes. */
  readonly body: z.ZodType<Body> | undefined;
  /** It takes bytes of any sort, which no schema sees. */
  readonly takes?: 'bytes';
  readonly query: z.ZodType<Query>;
  readonly answer: z.ZodType<Answer>;
  /** The statuses of answers that are no errors. */
  readonly statuses: readonly number[];
  /** What it answers with, `json` if absent; `explained` is JSON, or plain text if asked by `Accept`. */
  readonly produces?: 'events' | 'html' | 'explained' | 'text' | 'bytes' | 'receipt';
  /** Whether it reads an `Idempotency-Key`. */
  readonly idempotent?: true;
}

/** A route without a body. */
type Read<Query, Answer> = Route<undefined, Query, Answer>;
/** A route that writes. */
type Write<Body, Answer> = Route<Body, NoQuery, Answer>;

/** The routes with the types of what they take and give. */
export interface RouteTable extends PermitRouteTable, LedgerRouteTable, DirectoryRouteTable {
  readonly propose: Write<ProposeRequest, ActionView>;
  readonly actions: Read<ActionsQuery, ActionList>;
  readonly action: Read<WaitQuery, ActionView>;
  readonly explain: Read<NoQuery, ExplanationView>;
  readonly history: Read<NoQuery, History>;
  readonly withdraw: Write<undefined, ActionView>;
  readonly consent: Read<NoQuery, ConsentView>;
  readonly answer: Write<AnswerRequest, ActionView>;
  readonly resolve: Write<ResolutionRequest, ActionView>;
  readonly forecast: Write<ForecastRequest, ForecastView>;
  readonly putBlob: Write<undefined, BlobView>;
  readonly blob: Read<NoQuery, unknown>;
  readonly events: Read<EventsQuery, unknown>;
  readonly halt: Write<HaltRequest, HaltedView>;
  readonly halts: Read<NoQuery, HaltList>;
  readonly resume: Write<undefined, HaltView>;
  readonly status: Read<NoQuery, StatusView>;
  readonly reload: Write<undefined, ReloadView>;
  readonly purge: Write<PurgeRequest, PurgeView>;
  readonly erase: Write<EraseRequest, EraseView>;
  readonly backup: Write<BackupRequest, BackupView>;
  readonly health: Read<NoQuery, HealthView>;
  readonly ready: Read<NoQuery, ReadyView>;
  readonly openApi: Read<NoQuery, JsonObject>;
  readonly metrics: Read<NoQuery, string>;
  readonly error: Read<NoQuery, string>;
  readonly page: Read<NoQuery, string>;
}

/** The name of a route. */
export type RouteName = keyof RouteTable;

const AGENT = ['agent'] as const;
const PERSON = ['person'] as const;
const OPERATOR = ['operator'] as const;
const STEERING = ['person', 'operator'] as const;
const READING = ['agent', 'person'] as const;
const ANY = ['agent', 'person', 'operator'] as const;

const READ = { method: 'GET', body: undefined, query: noQuery, statuses: [200] } as const;
const WRITE = { method: 'POST', query: noQuery, statuses: [200] } as const;
const END = { method: 'DELETE', body: undefined, query: noQuery, statuses: [200] } as const;

/** Every route by name. */
export const ROUTES: RouteTable = {
  propose: {
    ...WRITE,
    path: '/v1/actions',
    auth: AGENT,
    summary: 'Propose one action, and wait for what comes of it',
    body: proposeRequest,
    answer: actionView,
    statuses: [200, 202],
    idempotent: true,
  },
  actions: {
    ...READ,
    path: '/v1/actions',
    auth: ANY,
    summary: 'List actions, newest first; agents see their own',
    query: actionsQuery,
    answer: actionList,
  },
  action: {
    ...READ,
    path: '/v1/actions/{id}',
    auth: ANY,
    summary: 'One action as it is now, or once it settled',
    query: waitQuery,
    answer: actionView,
  },
  explain: {
    ...READ,
    path: '/v1/actions/{id}/explain',
    auth: ANY,
    summary: 'Why an action is as it is, and what would admit it',
    answer: explanationView,
    produces: 'explained',
  },
  history: {
    ...READ,
    path: '/v1/actions/{id}/history',
    auth: STEERING,
    summary: 'What the ledger says of an action, oldest first',
    answer: history,
  },
  withdraw: {
    ...WRITE,
    path: '/v1/actions/{id}/withdraw',
    auth: AGENT,
    summary: 'Withdraw a held action',
    body: undefined,
    answer: actionView,
  },
  consent: {
    ...READ,
    path: '/v1/actions/{id}/consent',
    auth: PERSON,
    summary: 'What is asked of this person, with a single-use challenge to answer it',
    answer: consentView,
  },
  answer: {
    ...WRITE,
    path: '/v1/actions/{id}/approvals',
    auth: PERSON,
    summary: 'Say yes or no to exactly what was shown',
    body: answerRequest,
    answer: actionView,
  },
  resolve: {
    ...WRITE,
    path: '/v1/actions/{id}/resolution',
    auth: PERSON,
    summary: 'Say what became of an unknown outcome, with a reason',
    body: resolutionRequest,
    answer: actionView,
  },
  forecast: {
    ...WRITE,
    path: '/v1/decisions',
    auth: AGENT,
    summary: 'What would happen now; nothing is stored or executed',
    body: forecastRequest,
    answer: forecastView,
  },
  putBlob: {
    ...WRITE,
    method: 'PUT',
    path: '/v1/blobs/{sha256}',
    auth: AGENT,
    summary: 'Put a large input under its SHA-256, for actions to name',
    body: undefined,
    takes: 'bytes',
    answer: blobView,
  },
  blob: {
    ...READ,
    path: '/v1/blobs/{sha256}',
    auth: READING,
    summary: 'The bytes of a blob, for people and for agents that put it',
    answer: z.unknown(),
    produces: 'bytes',
  },
  events: {
    ...READ,
    path: '/v1/events',
    auth: ANY,
    summary: 'The ledger as it grows, as server-sent events; agents see their own actions',
    query: eventsQuery,
    answer: z.unknown(),
    produces: 'events',
  },
  halt: {
    ...WRITE,
    path: '/v1/halts',
    auth: STEERING,
    summary: 'Stop everything in scope; answered once nothing in it can be sent any more',
    body: haltRequest,
    answer: haltedView,
    statuses: [201],
  },
  halts: {
    ...READ,
    path: '/v1/halts',
    auth: ANY,
    summary: 'The halts that stand',
    answer: haltList,
  },
  resume: {
    ...END,
    path: '/v1/halts/{id}',
    auth: STEERING,
    summary: 'End a halt',
    answer: haltView,
  },
  ...PERMIT_ROUTES,
  ...LEDGER_ROUTES,
  ...DIRECTORY_ROUTES,
  status: {
    ...READ,
    path: '/v1/status',
    auth: STEERING,
    summary: 'What is open, which epoch is active, and what is wrong',
    answer: statusView,
  },
  reload: {
    ...WRITE,
    path: '/v1/reload',
    auth: OPERATOR,
    summary: 'Read policy, inventory and configuration again',
    body: undefined,
    answer: reloadView,
  },
  purge: {
    ...WRITE,
    path: '/v1/purge',
    auth: OPERATOR,
    summary: 'Erase what old final actions carried; rows and ledger entries stay',
    body: purgeRequest,
    answer: purgeView,
  },
  erase: {
    ...WRITE,
    path: '/v1/actions/{id}/erase',
    auth: OPERATOR,
    summary: 'Erase what one final action carried; its row and ledger entries stay',
    body: eraseRequest,
    answer: eraseView,
  },
  backup: {
    ...WRITE,
    path: '/v1/backups',
    auth: OPERATOR,
    summary: 'Copy the store into the data directory while it goes on',
    body: backupRequest,
    answer: backupView,
    statuses: [201],
  },
  health: {
    ...READ,
    path: '/healthz',
    auth: 'none',
    summary: 'The process is alive',
    answer: healthView,
  },
  ready: {
    ...READ,
    path: '/readyz',
    auth: 'none',
    summary: 'Whether proposals are taken, and what is degraded',
    answer: readyView,
    statuses: [200, 503],
  },
  openApi: {
    ...READ,
    path: '/v1/openapi.json',
    auth: 'none',
    summary: 'This API as an OpenAPI 3.1 document',
    answer: jsonObject,
  },
  metrics: {
    ...READ,
    path: '/metrics',
    auth: OPERATOR,
    summary: 'Numbers of this process and its store, in the text format of Prometheus',
    answer: z.string(),
    produces: 'text',
  },
  error: {
    ...READ,
    path: '/errors/{code}',
    auth: 'none',
    summary: 'What an error code means',
    answer: z.string(),
    produces: 'text',
  },
  page: {
    ...READ,
    path: '/',
    auth: 'none',
    summary: 'The status page',
    answer: z.string(),
    produces: 'html',
  },
};

/** A route's path with its parameters filled in, each encoded as one segment. */
export function pathOf(name: RouteName, parameters: Readonly<Record<string, string>> = {}): string {
  return ROUTES[name].path.replace(/\{(\+?)(\w+)\}/gu, (_, plus: string, parameter: string) => {
    const value = parameters[parameter];
    if (value === undefined) throw new TypeError(`path of \`${name}\` needs \`${parameter}\``);
    const segments = plus === '' ? [value] : value.split('/');
    return segments.map(encodeURIComponent).join('/');
  });
}
