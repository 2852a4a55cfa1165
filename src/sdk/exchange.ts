/** One request to a layer and its answer, with every way in which it can fail told apart. */
import type { Executed } from '../protocol/words.ts';
import { isRecord } from './answer.ts';
import { ApiError, UnansweredError, UsageError } from './errors.ts';

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Where a layer answers, and as whom it is asked. */
export interface Place {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string;
  readonly fetch: Fetch;
}

/** One request. */
export interface Asked {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From `/v1` on. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as they are, instead of a body. */
  readonly bytes?: Blob;
  /** Milliseconds that the layer may wait before it answers. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** An answer: JSON with its status. */
export interface Answered {
  readonly status: number;
  readonly document: unknown;
}

/** Milliseconds that an answer may take beyond what the layer was asked to wait. */
const ANSWER_MS_MAX = 30_000;

/** A place from what the caller gave. Throws {@link UsageError} `url_invalid` or `key_invalid`. */
export function placeOf({
  url,
  key,
  sort,
  fetch,
}: {
  readonly url: string | URL;
  readonly key: string;
  /** Whose key it has to be. */
  readonly sort: 'agent' | 'executor';
  readonly fetch: Fetch;
}): Place {
  const parsed = URL.parse(String(url));
  const isHttp = parsed?.protocol === 'http:' || parsed?.protocol === 'https:';
  if (parsed === null || !isHttp || parsed.username !== '' || parsed.password !== '') {
    throw new UsageError('url_invalid', '`url` must be the http or https address of a layer');
  }
  // Whatever is no key would stand in error messages of `fetch`, and may be a secret of something else.
  if (!key.startsWith(`exq_${sort}_`) || !/^exq_[a-z]+_[A-Za-z0-9_-]{43}$/u.test(key)) {
    throw new UsageError('key_invalid', `\`key\` must be the key of an ${sort}: \`exq_${sort}_…\``);
  }
  return { url: `${parsed.origin}${parsed.pathname}`.replace(/\/+$/u, ''), key, fetch };
}

/**
 * Asks once. Throws {@link ApiError} for an error that the layer tells, {@link UnansweredError} where
 * its answer did not come whole, and the signal's reason where the caller aborted.
 */
export async function exchange(place: Place, asked: Asked): Promise<Answered> {
  const { signal, waitMs = 0 } = asked;
  signal?.throwIfAborted();
  const ending = new AbortController();
  const end = (): void => ending.abort();
  let tooSlow = false;
  const timer = setTimeout(() => {
    tooSlow = true;
    end();
  }, waitMs + ANSWER_MS_MAX);
  signal?.addEventListener('abort', end);
  try {
    const response = await send(place, asked, ending.signal);
    return read(response, await response.text());
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ApiError || error instanceof UnansweredError) throw error;
    throw tooSlow
      ? new UnansweredError('too_slow', `\`${place.url}\` did not answer in time`, { cause: error })
      : new UnansweredError('connection_lost', `no answer from \`${place.url}\``, { cause: error });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

/** Sends a request; the answer's body is not read yet. A redirect is an error: it would carry the key elsewhere. */
export function send(place: Place, asked: Asked, signal: AbortSignal): Promise<Response> {
  const { method, path, headers, body, bytes } = asked;
  return place.fetch(`${place.url}${path}`, {
    method,
    redirect: 'error',
    signal,
    headers: {
      accept: 'application/json, application/problem+json',
      authorization: `Bearer ${place.key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(bytes === undefined ? {} : { 'content-type': 'application/octet-stream' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(bytes === undefined ? {} : { body: bytes }),
  });
}

/** Reads an answer. Throws what {@link exchange} throws for it. */
export function read(
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  text: string,
): Answered {
  const document = parse(text);
  if (!isRecord(document)) {
    throw new UnansweredError(
      'not_a_layer',
      `what answers with status ${String(status)} is not a layer`,
      {},
    );
  }
  if (status < 400) return { status, document };
  const { code, detail, executed, hint, requestId } = document;
  if (typeof code !== 'string' || !isExecuted(executed)) {
    throw new UnansweredError(
      'not_a_layer',
      `what answers with status ${String(status)} is not a layer`,
      {},
    );
  }
  // That an action never runs is told as an error with its state for a code; to its agent it is an answer.
  if (document['state'] === code) return { status, document };
  const message = typeof detail === 'string' ? detail : code;
  if (status >= 500 && executed !== 'no') throw new UnansweredError(code, message, {});
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN);
  throw new ApiError({
    code,
    message,
    status,
    executed,
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(typeof requestId === 'string' ? { requestId } : {}),
    ...(retryAfter >= 0 ? { retryAfterMs: retryAfter * 1000 } : {}),
  });
}

function isExecuted(value: unknown): value is Executed {
  return value === 'yes' || value === 'no' || value === 'partly' || value === 'unknown';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON is no answer of a layer, which is what its reader says.
    return undefined;
  }
}

/** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => resolve();
  const timer = setTimeout(end, ms);
  signal?.addEventListener('abort', end);
  await promise;
  clearTimeout(timer);
  signal?.removeEventListener('abort', end);
  signal?.throwIfAborted();
}
