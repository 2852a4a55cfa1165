/**
 * The API as commands call it: one request a call, paths and shapes from the protocol's route table,
 * and every way in which it can fail turned into one error with an exit code.
 */
import { problemDetails, type ProblemDetails } from '../protocol/errors.ts';
import { MEDIA_TYPES } from '../protocol/headers.ts';
import { readJson } from '../protocol/read-json.ts';
import { pathOf, ROUTES, type Route, type RouteName, type RouteTable } from '../protocol/routes.ts';
import type { KeySort } from '../protocol/keys.ts';
import { CliError } from './cli-error.ts';
import { findDaemon, findKey, notReachable, type Wanted } from './find-daemon.ts';
import { errorOf } from './problem.ts';
import type { Terminal } from './terminal.ts';

/** Which keys a command may use, the first one by default; none at all where it is empty. */
export type KeyWish = readonly KeySort[];

/** What a route takes. */
export interface Call<Body> {
  readonly parameters?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** A body that is JSON text already and is sent as it is, so that nothing in it is lost. */
  readonly bodyText?: string;
  /** The body of a route that takes bytes. */
  readonly bytes?: Blob;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the answer may take, in milliseconds. */
  readonly timeoutMs?: number;
}

type BodyOf<Name extends RouteName> =
  RouteTable[Name] extends Route<infer Body, infer _Query, infer _Answer> ? Body : never;
type AnswerOf<Name extends RouteName> =
  RouteTable[Name] extends Route<infer _Body, infer _Query, infer Answer> ? Answer : never;

/** The daemon's API with one key. */
export interface Api {
  readonly url: string;
  /** Throws {@link CliError} for every answer that is an error. */
  call<Name extends RouteName>(name: Name, call?: Call<BodyOf<Name>>): Promise<AnswerOf<Name>>;
  /** The same, with problem details as a value: for routes where an error is an answer. */
  ask<Name extends RouteName>(
    name: Name,
    call?: Call<BodyOf<Name>>,
  ): Promise<
    | { readonly kind: 'answer'; readonly answer: AnswerOf<Name> }
    | { readonly kind: 'problem'; readonly problem: ProblemDetails; readonly document: unknown }
  >;
  /** The bytes that a route answers with, as they come. Throws {@link CliError} for an error. */
  download(name: RouteName, call: Call<undefined>): Promise<AsyncIterable<Uint8Array>>;
}

const TIMEOUT_MS = 75_000;
/** Bytes of an answer; a page of 200 actions with their results stays far below. */
const ANSWER_BYTES_MAX = 67_108_864;

/** Finds the daemon and a key for it. */
export function connect(terminal: Terminal, wanted: Wanted, wish: KeyWish): Api {
  const found = findDaemon(terminal, wanted);
  const key = findKey(terminal, wanted, found, wish);
  const api: Api = {
    url: found.url,
    async ask(name, call = {}) {
      const { status, document } = await request(found.url, key, name, call);
      if (status >= 400) {
        const problem = problemDetails.safeParse(document);
        // A route may answer in its own words with an error's status, such as `/readyz`.
        if (problem.success) return { kind: 'problem', problem: problem.data, document };
      }
      const answer = ROUTES[name].answer.safeParse(document);
      const expected = ROUTES[name].statuses.includes(status);
      if (!answer.success || !expected) throw notOurs(found.url, status);
      // The schema is the route's own, so what it parsed is the route's answer.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return { kind: 'answer', answer: answer.data as AnswerOf<typeof name> };
    },
    async call(name, call) {
      const asked = await api.ask(name, call);
      if (asked.kind === 'answer') return asked.answer;
      throw errorOf(asked.problem, found.url);
    },
    async download(name, call) {
      const response = await send(found.url, key, name, call);
      if (response.status === 200 && response.body !== null) return response.body;
      const { document } = await documentOf(found.url, response);
      const problem = problemDetails.safeParse(document);
      throw problem.success
        ? errorOf(problem.data, found.url)
        : notOurs(found.url, response.status);
    },
  };
  return api;
}

async function request<Name extends RouteName>(
  url: string,
  key: string | undefined,
  name: Name,
  call: Call<BodyOf<Name>>,
): Promise<{ readonly status: number; readonly document: unknown }> {
  return documentOf(url, await send(url, key, name, call));
}

async function documentOf(
  url: string,
  response: Response,
): Promise<{ readonly status: number; readonly document: unknown }> {
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(response);
  } catch (error) {
    throw unanswered(url, error);
  }
  const document = readJson(bytes, ANSWER_BYTES_MAX);
  if (document === undefined) throw notOurs(url, response.status);
  return { status: response.status, document };
}

async function send(
  url: string,
  key: string | undefined,
  name: RouteName,
  call: Call<unknown>,
): Promise<Response> {
  const route = ROUTES[name];
  const text = call.bodyText ?? (call.body === undefined ? undefined : JSON.stringify(call.body));
  const body = call.bytes ?? text;
  const type = call.bytes === undefined ? MEDIA_TYPES.json : MEDIA_TYPES.bytes;
  const address = new URL(pathOf(name, call.parameters), url);
  for (const [parameter, value] of Object.entries(call.query ?? {})) {
    address.searchParams.set(parameter, value);
  }
  try {
    return await fetch(address, {
      method: route.method,
      redirect: 'manual',
      signal: AbortSignal.timeout(call.timeoutMs ?? TIMEOUT_MS),
      headers: {
        accept: 'application/json, application/problem+json',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': type }),
        ...call.headers,
      },
      ...(body === undefined ? {} : { body }),
    });
  } catch (error) {
    throw unanswered(url, error);
  }
}

function unanswered(url: string, error: unknown): CliError {
  const isLate = error instanceof Error && error.name === 'TimeoutError';
  return isLate ? tooSlow(url, error) : notReachable(url, error);
}

async function readBytes(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new RangeError('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooSlow(url: string, cause: unknown): CliError {
  return new CliError({
    exit: 6,
    code: 'daemon_too_slow',
    message: `\`${url}\` did not answer in time`,
    hint: 'look with `exequatur status`; a proposal repeated with the same `--key` never executes twice',
    cause,
  });
}

function notOurs(url: string, status: number): CliError {
  return new CliError({
    exit: 6,
    code: 'not_a_daemon',
    message: `what answers at \`${url}\` (with status ${String(status)}) is no exequatur of this version`,
    hint: 'check `--url`, and that command and daemon are of the same version',
  });
}
