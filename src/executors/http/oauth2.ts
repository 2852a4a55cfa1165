/**
 * Tokens by OAuth 2 client credentials (RFC 6749 section 4.4): asked for at lease over the same checked
 * and pinned way as the target, kept until shortly before they expire, and only for the very credential
 * they were given for: once that is rotated or withdrawn, no token of the old one is used.
 */
import { createHash } from 'node:crypto';

import type { Clock } from '../../engine/ports.ts';
import type { HttpAuth, HttpTarget } from '../../kernel/inventory.ts';
import { parseJson } from '../../kernel/json/parse.ts';
import type { JsonObject } from '../../kernel/json/value.ts';
import type { Lease } from '../credentials.ts';
import { SECRET_LENGTH_MIN } from '../mask.ts';
import { isJsonObject } from '../pointer.ts';
import { refuse } from '../refusal.ts';
import type { CompiledRequest } from './compile.ts';
import { checkClear, connectPinned, resolveAddresses } from './connect.ts';
import { exchange } from './exchange.ts';
import type { HttpTools } from './look.ts';
import { isEncoded } from './outcome.ts';

/** A token is not used in the last part of its life: it must still hold when it arrives. */
export const TOKEN_MARGIN_MS = 30_000;
const TOKEN_ANSWER_BYTES_MAX = 65_536;
const TOKEN_MS_MAX = 15_000;
const TOKENS_MAX = 256;

type Oauth2 = Extract<HttpAuth, { readonly kind: 'oauth2' }>;

/** Tokens that were given, by what they were given for. */
export interface TokenCache {
  /** A token that holds for {@link TOKEN_MARGIN_MS} more, if there is one. */
  readonly get: (key: string) => string | undefined;
  /** Keeps a token that was asked for at `since` and lives for `lifeMs` from then. */
  readonly keep: (key: string, token: string, life: TokenLife) => void;
  readonly forget: (key: string) => void;
  readonly reading: () => ClockReading;
}

interface ClockReading {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

interface TokenLife {
  readonly since: ClockReading;
  readonly lifeMs: number;
}

/** Makes the cache of one executor; it holds nothing that outlives the process. */
export function createTokenCache(clock: Clock): TokenCache {
  const tokens = new Map<string, TokenLife & { readonly token: string }>();
  const reading = (): ClockReading => ({
    wallMs: clock.now(),
    monotonicMs: clock.monotonicMs(),
  });
  return {
    reading,
    get(key) {
      const kept = tokens.get(key);
      if (kept === undefined) return undefined;
      const now = reading();
      // A machine that slept and a clock that was set back both make a token older, never younger.
      const ageMs = Math.max(
        now.wallMs - kept.since.wallMs,
        now.monotonicMs - kept.since.monotonicMs,
      );
      if (ageMs < kept.lifeMs - TOKEN_MARGIN_MS) return kept.token;
      tokens.delete(key);
      return undefined;
    },
    keep(key, token, life) {
      if (life.lifeMs <= TOKEN_MARGIN_MS) return;
      tokens.delete(key);
      tokens.set(key, { token, ...life });
      const [oldest] = tokens.keys();
      if (tokens.size > TOKENS_MAX && oldest !== undefined) tokens.delete(oldest);
    },
    forget(key) {
      tokens.delete(key);
    },
  };
}

/** A token for a while. */
interface LeasedToken {
  /** Throws once it is released. */
  readonly value: () => string;
  /** A token that the target answers with 401 is not given again. */
  readonly answered: (status: number) => void;
  readonly release: () => void;
}

interface TokenNeed {
  /** `client_id:client_secret`. */
  readonly leased: Lease;
  readonly auth: Oauth2;
  readonly executor: HttpTarget;
  readonly signal: AbortSignal;
}

/** A kept token or a fresh one, known to the masker. Refuses with `token_not_given`, or as connecting does. */
export async function leaseToken(need: TokenNeed, tools: HttpTools): Promise<LeasedToken> {
  const { auth, leased } = need;
  const place = [auth.tokenUrl, auth.scope ?? null, auth.audience ?? null, leased.value];
  const key = createHash('sha256').update(JSON.stringify(place)).digest('hex');
  let token = tools.tokens.get(key);
  if (token === undefined) {
    const since = tools.tokens.reading();
    const given = await askForToken(need, tools);
    token = given.token;
    if (given.lifeMs !== undefined) tools.tokens.keep(key, token, { since, lifeMs: given.lifeMs });
  }
  // Again for a kept one: the masker forgets what was registered longest ago.
  tools.masker.register(token);
  return {
    value() {
      if (token === undefined) throw new Error(`the lease of \`${leased.reference}\` is over`);
      return token;
    },
    answered(status) {
      if (status === 401) tools.tokens.forget(key);
    },
    release() {
      token = undefined;
    },
  };
}

interface Given {
  readonly token: string;
  /** Absent where the answer does not say how long the token lives; it is then used once. */
  readonly lifeMs: number | undefined;
}

async function askForToken(
  { leased, auth, executor, signal }: TokenNeed,
  tools: HttpTools,
): Promise<Given> {
  const url = new URL(auth.tokenUrl);
  const way: HttpTarget = { ...executor, url: auth.tokenUrl };
  const addresses = await resolveAddresses(way, tools, signal);
  checkClear(way, addresses);
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(auth.scope === undefined ? {} : { scope: auth.scope }),
    ...(auth.audience === undefined ? {} : { audience: auth.audience }),
  });
  const compiled: CompiledRequest = {
    method: 'POST',
    url,
    headers: {},
    body: { type: 'application/x-www-form-urlencoded', text: form.toString() },
  };
  const socket = await connectPinned(way, addresses, tools, signal);
  const exchanged = await exchange({
    socket,
    compiled,
    added: { authorization: clientBasic(leased.value) },
    responseBytesMax: TOKEN_ANSWER_BYTES_MAX,
    timeoutMs: TOKEN_MS_MAX,
    clock: tools.clock,
    signal,
    sending: () => true,
  });
  if (exchanged.kind !== 'answered') {
    const isEnd = exchanged.code === 'timeout' || exchanged.code === 'cancelled';
    return refuse(isEnd ? exchanged.code : 'token_not_given', exchanged.message);
  }
  const { status, body, complete } = exchanged;
  const parsed = complete && !isEncoded(exchanged) ? parseJson(body) : undefined;
  const answer = parsed?.ok === true && isJsonObject(parsed.value) ? parsed.value : {};
  if (status !== 200) {
    const message = `the token endpoint answered with status ${String(status)}${reasonOf(answer)}`;
    return refuse('token_not_given', message);
  }
  return givenIn(answer);
}

/** RFC 6749 section 2.3.1: both parts are form-encoded before they are joined. */
function clientBasic(pair: string): string {
  const colon = pair.indexOf(':');
  const encoded = [pair.slice(0, colon), pair.slice(colon + 1)].map((part) =>
    new URLSearchParams([['', part]]).toString().slice(1),
  );
  return `Basic ${Buffer.from(encoded.join(':'), 'latin1').toString('base64')}`;
}

/** RFC 6749 section 5.2. Nothing else of a refusal is shown: it may echo what was sent. */
const TOKEN_ERRORS: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
]);

function reasonOf(answer: JsonObject): string {
  const error = answer['error'];
  return typeof error === 'string' && TOKEN_ERRORS.has(error) ? `, \`${error}\`` : '';
}

/** RFC 6749 section 5.1. UNTRUSTED: the token goes into a header. */
function givenIn(answer: JsonObject): Given {
  const { access_token: token, token_type: type, expires_in: seconds } = answer;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/u.test(token)) {
    return refuse('token_not_given', 'the token endpoint answered without a token');
  }
  if (token.length < SECRET_LENGTH_MIN) {
    return refuse('token_not_given', 'the token is too short to be masked');
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    return refuse('token_not_given', 'the token is no bearer token');
  }
  const isLife = typeof seconds === 'number' && seconds > 0;
  return { token, lifeMs: isLife ? seconds * 1000 : undefined };
}
