/**
 * `exequatur/permit`: what an executor outside of the layer goes by. It verifies a claim against the very
 * bytes it is about to execute, redeems it, executes, and says how that ended. It runs wherever there are
 * `fetch` and WebCrypto with Ed25519, and imports no `node:*` module.
 *
 * A claim that verifies admits nothing: only redeeming does, at that instant and once. Verifying first
 * keeps what is not for this executor, or not these bytes, from spending the permit.
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose';
import {
  verifyPermitClaim,
  type PermitClaim,
  type PermitRefusalCode,
} from '../protocol/permit-claim.ts';
import { readJson } from '../protocol/read-json.ts';
import { isRecord, type JsonObject, type JsonValue } from './answer.ts';
import { ApiError, ExequaturError, UnansweredError } from './errors.ts';
import { exchange, pause, placeOf, type Fetch, type Place } from './exchange.ts';

export { ApiError, ExequaturError, UnansweredError, UsageError } from './errors.ts';

/** Whom an executor believes. */
export type PermitTrust = PermitKeys & {
  /** Who the layer is in its claims. */
  readonly issuer: string;
  /** The account of this executor. */
  readonly audience: string;
  /**
   * Thumbprint (RFC 7638) of the key whose possession the presenter has proved, such as by DPoP. A claim
   * that is bound to a key is refused without it.
   */
  readonly presenter?: string;
};

/** The layer's keys, or where it shows them: `/.well-known/jwks.json`, fetched once and again when they rotate. */
export type PermitKeys =
  | { readonly jwks: JSONWebKeySet; readonly jwksUrl?: undefined }
  | { readonly jwks?: undefined; readonly jwksUrl: string | URL };

/** What came with an order. UNTRUSTED until {@link verifyPermit} has seen it. */
export interface PresentedPermit {
  /** The claim, a JWT. */
  readonly claim: string;
  /** What is about to be executed: the action's canonical JSON, as it came. */
  readonly bytes: Uint8Array;
  /** See {@link PermitTrust}. */
  readonly presenter?: string;
}

/** A claim that holds for exactly these bytes. Only {@link verifyPermit} makes one. */
export interface VerifiedPermit {
  readonly id: string;
  readonly claim: string;
  readonly target: string;
  readonly operation: string;
  readonly kind: string;
  readonly environment: string;
  /** Read from the verified bytes. */
  readonly args: JsonObject;
  /** The agent, and on whose behalf it acts: `agent:NAME` or `person:NAME`. */
  readonly agent: string;
  readonly subject: string;
  readonly expiresAtMs: number;
  /** SHA-256 of the action, as 64 hex digits. */
  readonly digest: string;
}

/** A redeemed permit: this execution is this executor's, once. */
export interface RedeemedPermit extends VerifiedPermit {
  /** Give it to the target as idempotency key, where it takes one. */
  readonly execution: string;
  /** Milliseconds since 1970; settled later than this, the outcome was unknown meanwhile. */
  readonly settleByMs: number;
}

/** Why a permit is refused; nothing was redeemed. */
export type PermitErrorCode =
  | PermitRefusalCode
  /** The bytes are not the action that the claim is about. */
  | 'bytes_differ'
  /** The claim is bound to a key, and the presenter has not proved that one. */
  | 'presenter_unproved';

/** A permit is not to be executed by this executor, or not with these bytes. */
export class PermitError extends ExequaturError {
  override readonly name: string = 'PermitError';
  declare readonly code: PermitErrorCode;
}

function refuse(code: PermitErrorCode, message: string): never {
  throw new PermitError(code, message);
}

const verified = new WeakSet<VerifiedPermit>();

/**
 * Verifies a claim offline, against the very bytes about to be executed. Throws {@link PermitError} with
 * the first of its codes that applies; `keys_unavailable` alone may go well later.
 */
export async function verifyPermit(
  text: string,
  trust: PermitTrust,
  bytes: Uint8Array,
): Promise<VerifiedPermit> {
  const { issuer, audience, presenter } = trust;
  // A copy: what is verified cannot be changed behind it.
  const copy = new Uint8Array(bytes);
  const result = await verifyPermitClaim(text, {
    keys: keysOf(trust),
    issuer,
    audience,
    nowMs: Date.now(),
  });
  if (result.kind === 'refused') return refuse(result.code, result.message);
  const { claim } = result;
  if (claim.keyThumbprint !== undefined && claim.keyThumbprint !== presenter) {
    refuse('presenter_unproved', 'it is bound to a key that is not proved');
  }
  const digest = await digestOf(copy);
  const action = readJson(copy, Math.max(copy.length, 1));
  if (digest !== claim.digests.action || !isRecord(action) || !isRecord(action['args'])) {
    return refuse('bytes_differ', 'the bytes are not the action that the claim is about');
  }
  const permit = Object.freeze(permitOf(text, claim, argsOf(action['args'])));
  verified.add(permit);
  return permit;
}

function argsOf(value: Readonly<Record<string, unknown>>): JsonObject {
  // The strict parser made it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as JsonObject;
}

function permitOf(text: string, claim: PermitClaim, args: JsonObject): VerifiedPermit {
  const { id, target, operation, kind, environment, actor, subject, digests } = claim;
  return {
    id,
    claim: text,
    target,
    operation,
    kind,
    environment,
    args,
    agent: actor,
    subject,
    expiresAtMs: claim.expiresAtSeconds * 1000,
    digest: digests.action,
  };
}

/** SHA-256("exequatur/action/v1" ‖ 0x00 ‖ bytes). */
async function digestOf(bytes: Uint8Array): Promise<string> {
  const tag = new TextEncoder().encode('exequatur/action/v1\0');
  const hash = await crypto.subtle.digest('SHA-256', Uint8Array.of(...tag, ...bytes));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** By address, so that keys are fetched once and not for each claim; the oldest gives way. */
const fetched = new Map<string, JWTVerifyGetKey>();
const FETCHED_MAX = 16;

function keysOf({ jwks, jwksUrl }: PermitKeys): JWTVerifyGetKey {
  if (jwks !== undefined) return createLocalJWKSet(jwks);
  const address = String(jwksUrl);
  const known = fetched.get(address);
  if (known !== undefined) return known;
  const keys = createRemoteJWKSet(new URL(address), { timeoutDuration: 5000 });
  for (const oldest of fetched.keys()) {
    if (fetched.size < FETCHED_MAX) break;
    fetched.delete(oldest);
  }
  fetched.set(address, keys);
  return keys;
}

// ---------------------------------------------------------------- redeem, settle

/** The layer, as this executor reaches it. */
export interface PermitLayer {
  /** Such as `http://localhost:7373`. */
  readonly url: string | URL;
  /** The executor's key, `exq_executor_…`. */
  readonly key: string;
  /** The global one if absent. */
  readonly fetch?: Fetch;
}

/**
 * Redeems a verified permit. When this resolves the action has crossed, and is to be executed now; when it
 * rejects, it must not be. Throws {@link ApiError}, such as `permit_redeemed`, `permit_not_admitted` and
 * `permit_expired`: nothing was handed over. Throws {@link UnansweredError} where no answer came: it may
 * have been redeemed, and its outcome is then unknown once its time is over.
 */
export async function redeem(layer: PermitLayer, permit: VerifiedPermit): Promise<RedeemedPermit> {
  if (!verified.has(permit)) throw new TypeError('a permit is redeemed after verifyPermit');
  const { document } = await exchange(placeAt(layer), {
    method: 'POST',
    path: '/v1/permits/redeem',
    body: { permit: permit.claim },
  });
  const { id, execution, settleBy, digest } = isRecord(document) ? document : {};
  const isOurs = id === permit.id && digest === permit.digest;
  if (!isOurs || typeof execution !== 'string' || typeof settleBy !== 'string') {
    throw new UnansweredError('not_a_layer', 'what answers is not a layer of this version', {
      id: permit.id,
    });
  }
  return Object.freeze({ ...permit, execution, settleByMs: Date.parse(settleBy) });
}

/** How an execution ended. */
export type ExecutionEnd =
  | { readonly outcome: 'succeeded'; readonly message?: string; readonly result?: JsonValue }
  /** It conclusively ran and reported failure; the effect may be partial. */
  | { readonly outcome: 'failed'; readonly message?: string; readonly result?: JsonValue }
  /** It provably did not happen, and this is why. */
  | {
      readonly outcome: 'not_executed';
      readonly evidence: JsonValue;
      readonly message?: string;
      readonly result?: JsonValue;
    }
  /** It may have happened. */
  | { readonly outcome: 'unknown'; readonly message?: string; readonly result?: JsonValue };

const SETTLE_TRIES_MAX = 6;
const SETTLE_PAUSE_MS = 250;

/**
 * Says how a redeemed permit's execution ended. What gets no answer, or one that says to come back, is
 * said again for about eight seconds: the same word twice changes nothing. Throws {@link ApiError}, such
 * as `permit_settled`, and {@link UnansweredError}; after either the layer calls the outcome unknown in
 * time, and the same call made later is evidence.
 */
export async function settle(
  layer: PermitLayer,
  { id, execution }: Pick<RedeemedPermit, 'id' | 'execution'>,
  end: ExecutionEnd,
): Promise<void> {
  const place = placeAt(layer);
  const path = `/v1/permits/${encodeURIComponent(id)}/settle`;
  for (let tries = 1; ; tries += 1) {
    try {
      await exchange(place, { method: 'POST', path, body: { execution, ...end } });
      return;
    } catch (error) {
      if (tries >= SETTLE_TRIES_MAX || !isPassing(error)) throw error;
      await pause(SETTLE_PAUSE_MS * 2 ** (tries - 1), undefined);
    }
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.status === 503;
  return error instanceof UnansweredError;
}

function placeAt({ url, key, fetch }: PermitLayer): Place {
  return placeOf({ url, key, sort: 'executor', fetch: fetch ?? globalThis.fetch.bind(globalThis) });
}

/** What {@link withPermit} goes by. */
export interface PermitDesk {
  readonly layer: PermitLayer;
  readonly trust: PermitTrust;
}

/**
 * Verifies, redeems, executes and settles, in that order. `execute` runs at most once, and only after the
 * redemption was answered. Where it throws, what it did is not known: `unknown` is settled, and its error
 * is thrown on. Throws what {@link verifyPermit}, {@link redeem} and {@link settle} throw.
 */
export async function withPermit(
  { layer, trust }: PermitDesk,
  presented: PresentedPermit,
  execute: (permit: RedeemedPermit) => Promise<ExecutionEnd>,
): Promise<ExecutionEnd> {
  const { claim, bytes, presenter } = presented;
  const believed = presenter === undefined ? trust : { ...trust, presenter };
  const permit = await redeem(layer, await verifyPermit(claim, believed, bytes));
  let end: ExecutionEnd;
  try {
    end = await execute(permit);
  } catch (error) {
    await settleUnknown(layer, permit);
    throw error;
  }
  await settle(layer, permit, end);
  return end;
}

async function settleUnknown(layer: PermitLayer, permit: RedeemedPermit): Promise<void> {
  try {
    const message = 'its executor failed after it had begun';
    await settle(layer, permit, { outcome: 'unknown', message });
  } catch {
    // Unsaid it becomes unknown all the same, once its time is over; the first error counts.
  }
}
