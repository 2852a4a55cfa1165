/**
 * The HTTP gateway: every route of the protocol's table registered in one place, each request taken
 * through the same doors in the same order: host and origin, a place, the key, its sort, draining,
 * query, body, handler. Whatever goes wrong on the way is one problem document.
 */
import { Hono } from 'hono';
import type { Engine } from '../../engine/engine.ts';
import type { BlobStore } from '../../engine/ports.ts';
import type { Digest } from '../../kernel/digest.ts';
import type { TenantName } from '../../kernel/id.ts';
import { ERROR_CODES } from '../../protocol/errors.ts';
import { HEADERS, MEDIA_TYPES } from '../../protocol/headers.ts';
import { readJson } from '../../protocol/read-json.ts';
import { ROUTES, type Route, type RouteName } from '../../protocol/routes.ts';
import type { ReasonView } from '../../protocol/status.ts';
import { ApiProblem, problemBody, problemHeaders, problemOf } from './api-problem.ts';
import { authenticate } from './authenticate.ts';
import type {
  BackUp,
  Call,
  Handlers,
  LayerFacts,
  LedgerDesk,
  OutgoingMask,
  PermitDesk,
  Reloaded,
  Reply,
  Served,
} from './call.ts';
import { checkDoor, type HostsAllowed } from './door.ts';
import { ACTION_HANDLERS } from './handle-actions.ts';
import { ANSWER_HANDLERS } from './handle-answers.ts';
import { BLOB_HANDLERS } from './handle-blobs.ts';
import { DIRECTORY_HANDLERS } from './handle-directory.ts';
import { EVENT_HANDLERS } from './handle-events.ts';
import { HALT_HANDLERS } from './handle-halts.ts';
import { LEDGER_HANDLERS } from './handle-ledger.ts';
import { PERMIT_HANDLERS } from './handle-permits.ts';
import { STATUS_HANDLERS } from './handle-status.ts';
import { HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { Places } from './places.ts';
import { readBody, readQuery, refuseBody } from './read-body.ts';

/** What a gateway is made of. */
export interface HttpAppParts {
  readonly engine: Engine;
  /** The operator's tenant. */
  readonly tenant: TenantName;
  /** SHA-256 of the operator's key, as 64 hex digits. */
  readonly operatorKeyHash: Digest;
  readonly masker: OutgoingMask;
  /** Host names that requests may be for: `LOOPBACK_HOSTS`, or those of a public name. */
  readonly hostsAllowed: HostsAllowed;
  readonly layer: LayerFacts;
  /** What is degraded now beside what the gateway sees itself, such as a failed reload. */
  readonly reasons: () => readonly ReasonView[];
  readonly reload: () => Promise<Reloaded>;
  readonly backup: BackUp;
  readonly blobs: BlobStore;
  /** Without it there are no permits. */
  readonly permits?: PermitDesk;
  /** Without it the ledger is neither signed nor shown. */
  readonly ledger?: LedgerDesk;
  readonly limits?: Partial<HttpLimits>;
}

/** The gateway as one function from request to answer. */
export interface HttpApp {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly limits: HttpLimits;
  /** Of this process by name: answers by error code, requests, places taken. */
  readonly counts: Readonly<Record<string, number>>;
  /** From now on everything that would change something is refused. */
  readonly drain: () => void;
  /** Ends waits and streams, so that connections can close. */
  readonly stop: () => void;
}

const HANDLERS: Handlers<RouteName> = {
  ...ACTION_HANDLERS,
  ...ANSWER_HANDLERS,
  ...HALT_HANDLERS,
  ...DIRECTORY_HANDLERS,
  ...BLOB_HANDLERS,
  ...EVENT_HANDLERS,
  ...PERMIT_HANDLERS,
  ...LEDGER_HANDLERS,
  ...STATUS_HANDLERS,
};

/** Makes the gateway. It listens nowhere yet: see `listen.ts`. */
export function createHttpApp(parts: HttpAppParts): HttpApp {
  const limits = { ...HTTP_LIMITS, ...parts.limits };
  const stopping = new AbortController();
  const counts: Record<string, number> = {};
  let draining = false;
  const { engine, tenant, operatorKeyHash, layer, reasons, reload, backup, blobs, masker } = parts;
  const served: Served = {
    engine,
    ring: { life: engine.life, tenant, operatorKeyHash },
    layer,
    reasons,
    reload,
    backup,
    blobs,
    permits: parts.permits,
    ledger: parts.ledger,
    limits,
    waiting: new Places(limits.waitingMax, limits.waitingPerKeyMax),
    streams: new Places(limits.streamsMax, limits.streamsPerKeyMax),
    counts,
    stopping: stopping.signal,
    isDraining: () => draining || engine.draining,
    masker,
  };
  const gateway = new Gateway(served, parts);
  return {
    fetch: (request) => gateway.fetch(request),
    limits,
    counts,
    drain: () => {
      draining = true;
    },
    stop: () => stopping.abort(),
  };
}

/** What one UTF-16 code unit takes at most. */
const UTF8_BYTES_MAX = 3;

type AnyHandler = (call: Call<never, never>) => Promise<Reply<unknown> | Response>;

/** One request as the gateway takes it along. */
interface Incoming {
  readonly request: Request;
  readonly requestId: string;
}

class Gateway {
  readonly #served: Served;
  readonly #parts: Pick<HttpAppParts, 'hostsAllowed'>;
  readonly #requests: Places;
  readonly #hono = new Hono<{ Bindings: Incoming }>();

  constructor(served: Served, parts: Pick<HttpAppParts, 'hostsAllowed'>) {
    this.#served = served;
    this.#parts = parts;
    this.#requests = new Places(served.limits.requestsMax);
    for (const name of Object.keys(ROUTES).filter(isRouteName)) {
      const { method, path } = ROUTES[name];
      const pattern = path.replace(/\{\+(\w+)\}/gu, ':$1{.+}').replace(/\{(\w+)\}/gu, ':$1');
      this.#hono.on(method, pattern, async (context) =>
        this.#answer(name, context.env, context.req.param()),
      );
    }
    this.#hono.notFound((context) => {
      throw noRoute(context.req.path);
    });
    this.#hono.onError((error, context) => this.#problem(error, context.env.requestId));
  }

  async fetch(request: Request): Promise<Response> {
    this.#count('requests');
    const requestId = `req_${Buffer.from(this.#served.engine.life.randomness.bytes(9)).toString('base64url')}`;
    try {
      checkDoor(request.headers, this.#parts.hostsAllowed);
      const leave = this.#requests.enter('');
      if (typeof leave === 'string') throw new ApiProblem('overloaded');
      try {
        return await this.#hono.fetch(request, { request, requestId });
      } finally {
        leave();
      }
    } catch (error) {
      return this.#problem(error, requestId);
    }
  }

  async #answer(
    name: RouteName,
    { request, requestId }: Incoming,
    parameters: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const route: Route<unknown, unknown, unknown> = ROUTES[name];
    const { headers, method, signal } = request;
    const served = this.#served;
    const isPublic = route.publishable === true && served.ledger?.isPublic === true;
    const isAnonymous = isPublic && !headers.has('authorization');
    const who =
      route.auth === 'none' || isAnonymous
        ? undefined
        : await authenticate(served.ring, headers.get('authorization'), route.auth);
    if (route.method !== 'GET' && served.isDraining()) {
      throw new ApiProblem('draining');
    }
    const query = readQuery(new URL(request.url), route.query);
    const stream = route.takes === undefined ? undefined : (request.body ?? undefined);
    if (route.body === undefined && route.takes === undefined) refuseBody(request);
    const read =
      route.body === undefined
        ? { json: undefined, body: undefined }
        : await readBody(request, route.body, served.limits);
    const call = { served, who, ...read, stream, query, parameters, headers, method, signal };
    const handler: AnyHandler = HANDLERS[name];
    // Body and query come from the route's own schemas, which the route table gives the handler's types.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const reply = await handler(call as Call<never, never>);
    if (reply instanceof Response) return reply;
    return this.#reply(route, reply, { requestId, accept: headers.get('accept') ?? '' });
  }

  #reply(
    route: Route<unknown, unknown, unknown>,
    { status, body, headers }: Reply<unknown>,
    { requestId, accept }: { readonly requestId: string; readonly accept: string },
  ): Response {
    const text = textOf(route, body, accept);
    return text === undefined
      ? this.#send(status, this.#json(body), { requestId, type: MEDIA_TYPES.json, headers })
      : this.#send(status, this.#served.masker.text(text.text), {
          requestId,
          type: text.type,
          headers,
        });
  }

  #problem(error: unknown, requestId: string): Response {
    const problem = problemOf(error);
    this.#count(problem.code);
    if (problem.code === 'internal_error') {
      const { cause } = problem.parts;
      const message = cause instanceof Error ? cause.message : 'unknown error';
      this.#served.engine.life.trouble(
        'internal_error',
        this.#served.masker.text(`${requestId}: ${message.replaceAll(/\s+/gu, ' ')}`),
      );
    }
    const { status } = ERROR_CODES[problem.code];
    return this.#send(status, this.#json(problemBody(problem, requestId)), {
      requestId,
      type: MEDIA_TYPES.problem,
      headers: problemHeaders(problem),
    });
  }

  /** JSON without secrets. Where one stands in it, the value is masked and not its text, so that it stays JSON. */
  #json(body: unknown): string {
    const { masker } = this.#served;
    const text = JSON.stringify(body);
    if (masker.text(text) === text) return text;
    const value = readJson(Buffer.from(text), text.length * UTF8_BYTES_MAX);
    // What the strict parser refuses is masked as text: whether it stays JSON matters less than a secret.
    return masker.text(value === undefined ? text : JSON.stringify(masker.json(value)));
  }

  #send(
    status: number,
    text: string,
    {
      requestId,
      type,
      headers,
    }: {
      readonly requestId: string;
      readonly type: string;
      readonly headers: Readonly<Record<string, string>> | undefined;
    },
  ): Response {
    return new Response(text, {
      status,
      headers: {
        'content-type': type.startsWith('text/') ? `${type}; charset=utf-8` : type,
        [HEADERS.requestId]: requestId,
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        ...headers,
      },
    });
  }

  #count(name: string): void {
    this.#served.counts[name] = (this.#served.counts[name] ?? 0) + 1;
  }
}

function isRouteName(name: string): name is RouteName {
  return Object.hasOwn(ROUTES, name);
}

function textOf(
  { produces }: Route<unknown, unknown, unknown>,
  body: unknown,
  accept: string,
): { readonly text: string; readonly type: string } | undefined {
  if (produces === 'html' || produces === 'text') {
    return { text: String(body), type: MEDIA_TYPES[produces] };
  }
  // JSON unless text is what is asked for first.
  if (produces !== 'explained' || !/^\s*text\/plain\b/iu.test(accept)) return undefined;
  const text = typeof body === 'object' && body !== null && 'text' in body ? body.text : '';
  return { text: `${String(text)}\n`, type: MEDIA_TYPES.text };
}

/** Nothing answers here; or something does, by another method. */
function noRoute(path: string): ApiProblem {
  const methods = Object.values(ROUTES)
    .filter((route) => patternOf(route.path).test(path))
    .map((route: { readonly method: string }) => route.method);
  if (methods.length === 0) return new ApiProblem('route_unknown');
  const allowed = [
    ...new Set(methods.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : each))),
  ];
  return new ApiProblem('method_not_allowed', { headers: { allow: allowed.join(', ') } });
}

function patternOf(path: string): RegExp {
  return new RegExp(
    `^${path
      .replaceAll('.', String.raw`\.`)
      .replace(/\{\+\w+\}/gu, '.+')
      .replace(/\{\w+\}/gu, '[^/]+')}$`,
    'u',
  );
}
