/**
 * The client of one agent: it proposes, waits, and says what became of the action. It never decides
 * anything, and holds no credential but the agent's key.
 */
import type {
  ActionView,
  ForecastView,
  ForecastRequest,
  ProposeRequest,
} from '../protocol/actions.ts';
import type { EventView } from '../protocol/events.ts';
import { answerOf, isActionView, isRecord, type Answer } from './answer.ts';
import { putBlob, type PutBlobOptions } from './blobs.ts';
import { ApiError, UnansweredError, UsageError } from './errors.ts';
import { events, type EventsOptions } from './events.ts';
import {
  exchange,
  pause,
  placeOf,
  type Answered,
  type Asked,
  type Fetch,
  type Place,
} from './exchange.ts';

/** How a layer is reached. */
export interface ClientOptions {
  /** Such as `http://localhost:7373`. */
  readonly url: string | URL;
  /** The agent's key, `exq_agent_…`. */
  readonly key: string;
  /** Instead of the runtime's own `fetch`. */
  readonly fetch?: Fetch;
}

/** How long to wait for an answer. */
export interface WaitOptions {
  /**
   * Seconds; 10 if absent. 0 does not wait, and `Infinity` waits until the action is settled, which
   * its deadline bounds.
   */
  readonly wait?: number;
  /** Ends the waiting, not the action: it stays proposed. */
  readonly signal?: AbortSignal;
}

/** How to act. */
export interface ActOptions extends WaitOptions {
  /** The same key with the same proposal is the same action; a fresh one if absent. */
  readonly idempotencyKey?: string;
}

/** What an agent can do at a layer. */
export interface Client {
  /**
   * Proposes one action, waits for what comes of it, and answers one of `done`, `waiting`, `refused`
   * and `unknown`. A try that certainly had no effect, or whose connection was lost, is repeated with
   * the same idempotency key, which never executes twice. Throws {@link ApiError} where the layer took
   * no action, and {@link UnansweredError} where nobody says what became of it.
   */
  act(proposal: ProposeRequest, options?: ActOptions): Promise<Answer>;
  /** What has become of an action, after waiting for it. Throws {@link ApiError} `action_unknown`. */
  action(id: string, options?: WaitOptions): Promise<Answer>;
  /** Takes back a held action. Throws {@link ApiError} `not_held` where it is not held any more. */
  withdraw(id: string): Promise<Answer>;
  /** What would happen now. Nothing is stored or executed. */
  forecast(proposal: ForecastRequest): Promise<ForecastView>;
  /**
   * Puts a large input, such as a plan or a script, and gives the name that stands for it in arguments
   * of the type `blob`. Putting it again keeps it longer. Throws {@link ApiError}, such as
   * `blob_too_large`, `blobs_full` and `blob_digest_mismatch`.
   */
  putBlob(
    content: Blob | Uint8Array<ArrayBuffer> | string,
    options?: PutBlobOptions,
  ): Promise<string>;
  /** What happens to this agent's actions, from now on or after a sequence, until the signal aborts. */
  events(options?: EventsOptions): AsyncGenerator<EventView, void, undefined>;
}

const WAIT_SECONDS_DEFAULT = 10;
/** Seconds that the layer waits in one request at most. */
const WAIT_SECONDS_MAX = 60;
/** How often a proposal is repeated after its first try. */
const RETRIES_MAX = 4;
/** How many questions in a row may go wrong while waiting: about a minute and a half. */
const FAILURES_MAX = 12;
const BACKOFF_MS_MIN = 250;
const BACKOFF_MS_MAX = 10_000;

/** A client for the agent whose key it is. Throws {@link UsageError} `url_invalid` or `key_invalid`. */
export function createClient(options: ClientOptions): Client {
  const { url, key, fetch = fetchOfRuntime } = options;
  const place = placeOf({ url, key, sort: 'agent', fetch });
  return {
    act: (proposal, how) => act(place, proposal, how),
    action: (id, how) => follow(place, id, how),
    withdraw: async (id) =>
      viewOf(await exchange(place, { method: 'POST', path: `${pathOf(id)}/withdraw` })),
    forecast: (proposal) => forecast(place, proposal),
    putBlob: (content, how) => putBlob(place, content, how),
    events: (where) => events(place, where),
  };
}

/** The runtime's own, looked up at each call: some runtimes refuse it as a method of another object. */
const fetchOfRuntime: Fetch = (url, init) => fetch(url, init);

async function act(
  place: Place,
  proposal: ProposeRequest,
  options: ActOptions = {},
): Promise<Answer> {
  const { signal } = options;
  const wait = new Wait(options.wait);
  const idempotencyKey = options.idempotencyKey ?? freshKey();
  const answer = await propose(place, proposal, { idempotencyKey, wait, signal });
  if (answer.kind !== 'waiting' || wait.isOver) return answer;
  try {
    return await settle(place, answer, wait, signal);
  } catch (error) {
    signal?.throwIfAborted();
    // Whatever the layer said to the question, it said nothing about the action.
    throw unanswered(error, { idempotencyKey, id: answer.id });
  }
}

/** Proposes, and repeats with the same key what certainly had no effect or got no answer. */
async function propose(
  place: Place,
  proposal: ProposeRequest,
  { idempotencyKey, wait, signal }: Proposing,
): Promise<Answer> {
  let isLost = false;
  for (let retries = 0; ; retries += 1) {
    const seconds = wait.seconds;
    try {
      return viewOf(
        await exchange(place, {
          method: 'POST',
          path: '/v1/actions',
          headers: { 'idempotency-key': idempotencyKey, prefer: `wait=${String(seconds)}` },
          body: proposal,
          waitMs: seconds * 1000,
          signal,
        }),
      );
    } catch (error) {
      signal?.throwIfAborted();
      isLost ||= error instanceof UnansweredError;
      if (retries < RETRIES_MAX && isRepeatable(error)) {
        await pause(backoffMs(retries, error), signal);
        continue;
      }
      // A try that got no answer may have been executed, whatever was answered to a later one.
      throw isLost ? unanswered(error, { idempotencyKey }) : error;
    }
  }
}

interface Proposing {
  readonly idempotencyKey: string;
  readonly wait: Wait;
  readonly signal: AbortSignal | undefined;
}

/** Only what certainly had no effect and may go well later, or what the idempotency key makes harmless. */
function isRepeatable(error: unknown): boolean {
  if (error instanceof UnansweredError) return error.code === 'connection_lost';
  return error instanceof ApiError && error.status === 503;
}

async function follow(place: Place, id: string, options: WaitOptions = {}): Promise<Answer> {
  const answer = viewOf(await exchange(place, lookAt(id, 0, options.signal)));
  return settle(place, answer, new Wait(options.wait), options.signal);
}

/** Asks again until the action is settled or the wait is over. */
async function settle(
  place: Place,
  first: Answer,
  wait: Wait,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  let answer = first;
  let failures = 0;
  for (let idle = 0; answer.kind === 'waiting' && !wait.isOver; idle += 1) {
    const seconds = wait.seconds;
    const startedMs = performance.now();
    try {
      answer = viewOf(await exchange(place, lookAt(first.id, seconds, signal)));
      failures = 0;
    } catch (error) {
      signal?.throwIfAborted();
      failures += 1;
      if (!isPassing(error) || failures > FAILURES_MAX || wait.isOver) throw error;
    }
    // An answer that came at once although the layer was asked to wait: it has no place for waiting.
    if (performance.now() - startedMs >= seconds * 500) idle = -1;
    else if (answer.kind === 'waiting') await pause(wait.within(backoffMs(idle)), signal);
  }
  return answer;
}

/** A question changes nothing, so it is asked again wherever a later one may be answered. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.status === 503 || error.status === 429;
  return error instanceof UnansweredError && error.code !== 'not_a_layer';
}

function lookAt(id: string, seconds: number, signal: AbortSignal | undefined): Asked {
  const path = `${pathOf(id)}?wait=${String(seconds)}`;
  return { method: 'GET', path, waitMs: seconds * 1000, signal };
}

async function forecast(place: Place, proposal: ForecastRequest): Promise<ForecastView> {
  const answered = await exchange(place, {
    method: 'POST',
    path: '/v1/decisions',
    body: proposal,
  });
  if (isForecast(answered.document)) return answered.document;
  throw new UnansweredError('not_a_layer', 'what answers is not a layer', {});
}

function isForecast(value: unknown): value is ForecastView {
  return (
    isRecord(value) && typeof value['verdict'] === 'string' && Array.isArray(value['findings'])
  );
}

function viewOf({ document }: Answered): Answer {
  const view: ActionView | undefined = isActionView(document) ? document : undefined;
  if (view !== undefined) return answerOf(view);
  throw new UnansweredError('not_a_layer', 'what answers is not a layer of this version', {});
}

function unanswered(
  error: unknown,
  known: { readonly idempotencyKey: string; readonly id?: string },
): unknown {
  const isOurs = error instanceof ApiError || error instanceof UnansweredError;
  return isOurs
    ? new UnansweredError(error.code, error.message, { ...known, cause: error })
    : error;
}

/** How long is left of what the caller wants to wait. */
class Wait {
  readonly #untilMs: number;

  constructor(wait: number = WAIT_SECONDS_DEFAULT) {
    if (Number.isNaN(wait) || wait < 0) {
      throw new UsageError('wait_invalid', '`wait` is a number of seconds, 0 or more');
    }
    this.#untilMs = performance.now() + wait * 1000;
  }

  get isOver(): boolean {
    return performance.now() >= this.#untilMs;
  }

  /** Whole seconds that the layer is asked to wait in the next request. */
  get seconds(): number {
    const leftMs = Math.max(0, this.#untilMs - performance.now());
    return Math.min(WAIT_SECONDS_MAX, Math.ceil(leftMs / 1000));
  }

  /** At most `ms`, and not longer than is left. */
  within(ms: number): number {
    return Math.max(0, Math.min(ms, this.#untilMs - performance.now()));
  }
}

/** Doubles each time, with up to a quarter more so that many clients do not come back together. */
function backoffMs(count: number, error?: unknown): number {
  const usualMs = BACKOFF_MS_MIN * 2 ** Math.min(count, 10) * (1 + Math.random() / 4);
  const askedMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(BACKOFF_MS_MAX, Math.max(usualMs, askedMs));
}

function pathOf(id: string): string {
  return `/v1/actions/${encodeURIComponent(id)}`;
}

/** 128 random bits in hex. */
function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
