/**
 * The claim of a permit: a JWT (RFC 7519) signed with EdDSA over Ed25519, which says what the layer would
 * admit now, and for whom. One function writes it and one verifies it, for layer and executors alike.
 *
 * UNTRUSTED: a claim comes from whoever presents it. A JWT library reads one leniently (padding and blanks
 * in base64url, the last of two equal members, members in any order), so that many texts pass for one. A
 * claim has one text: header and payload are canonical JSON in base64url without padding, or it is none.
 */
import { base64url, calculateJwkThumbprint, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { JsonArray, JsonObject, JsonValue } from '../kernel/json/value.ts';
import { canonicalBytes } from '../kernel/json/write.ts';
import { readJson } from './read-json.ts';

/** The type in the header: nothing else that a layer or an identity provider signs has it. */
export const PERMIT_TYPE = 'exequatur-permit+jwt';
/** The type of its one authorization detail (RFC 9396). */
export const PERMIT_DETAIL_TYPE = 'exequatur_action';
/** The longest claim, in characters. */
export const PERMIT_LENGTH_MAX = 131_072;
/** The longest that a claim is good. */
const PERMIT_SECONDS_MAX = 900;
const ALGORITHM = 'EdDSA';

/** What a claim says. Seconds are those since 1970. */
export interface PermitClaim {
  readonly issuer: string;
  /** The account of the executor. */
  readonly audience: string;
  /** On whose behalf: `person:NAME`, or the agent itself. */
  readonly subject: string;
  /** The agent, as `agent:NAME`. */
  readonly actor: string;
  /** The id of the permit, which is that of its action. */
  readonly id: string;
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  /** Thumbprint (RFC 7638) of the key that whoever presents it must prove to hold. */
  readonly keyThumbprint?: string;
  readonly kind: string;
  readonly environment: string;
  readonly target: string;
  readonly operation: string;
  /** The action as it was proposed. */
  readonly action: JsonObject;
  readonly digests: PermitDigests;
}

/** SHA-256 of the action's canonical bytes, the operation's definition and the effect, as 64 hex digits. */
export interface PermitDigests {
  readonly action: string;
  readonly operation: string;
  readonly effect: string;
}

/** A public key as a JWKS lists it. */
export interface PermitKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  /** Its thumbprint (RFC 7638). */
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
}

/** An Ed25519 public key of 32 bytes, as a JWKS lists it. */
export async function permitKey(publicKey: Uint8Array): Promise<PermitKey> {
  const key = { kty: 'OKP', crv: 'Ed25519', x: base64url.encode(publicKey) } as const;
  const kid = await calculateJwkThumbprint(key, 'sha256');
  return { ...key, kid, use: 'sig', alg: ALGORITHM };
}

/** Writes a claim. `sign` gives the Ed25519 signature of the key that `kid` names. */
export function writePermit(
  claim: PermitClaim,
  { kid, sign }: { readonly kid: string; readonly sign: (bytes: Uint8Array) => Uint8Array },
): string {
  const header = base64url.encode(canonicalBytes({ alg: ALGORITHM, kid, typ: PERMIT_TYPE }));
  const signed = `${header}.${base64url.encode(canonicalBytes(payloadOf(claim)))}`;
  return `${signed}.${base64url.encode(sign(new TextEncoder().encode(signed)))}`;
}

function payloadOf(claim: PermitClaim): JsonObject {
  const { keyThumbprint, digests } = claim;
  return {
    iss: claim.issuer,
    aud: claim.audience,
    sub: claim.subject,
    act: { sub: claim.actor },
    jti: claim.id,
    iat: claim.issuedAtSeconds,
    exp: claim.expiresAtSeconds,
    ...(keyThumbprint === undefined ? {} : { cnf: { jkt: keyThumbprint } }),
    authorization_details: [
      {
        type: PERMIT_DETAIL_TYPE,
        identifier: claim.id,
        locations: [claim.target],
        actions: [claim.operation],
        kind: claim.kind,
        environment: claim.environment,
        action: claim.action,
        digests: { ...digests },
      },
    ],
  };
}

/** Why a claim is refused, in order of precedence. */
export type PermitRefusalCode =
  /** Not a claim in its one form. */
  | 'permit_malformed'
  /** Of another type, algorithm or issuer, or not signed by a key of this layer. */
  | 'permit_not_genuine'
  /** For another audience. */
  | 'permit_for_another'
  /** At or after its expiry, or before its beginning. */
  | 'permit_expired'
  /** The issuer's keys could not be had. */
  | 'keys_unavailable';

/** A claim that may be believed, or why not. */
export type PermitVerified =
  | { readonly kind: 'genuine'; readonly claim: PermitClaim }
  | { readonly kind: 'refused'; readonly code: PermitRefusalCode; readonly message: string };

/** What a claim is verified against; none of it comes from the claim. */
export interface PermitTrust {
  readonly keys: JWTVerifyGetKey;
  readonly issuer: string;
  readonly audience: string;
  readonly nowMs: number;
}

/** Verifies a claim: form, type, algorithm, issuer, audience, time, signature. Never throws for what it is given. */
export async function verifyPermitClaim(text: string, trust: PermitTrust): Promise<PermitVerified> {
  const compact = readCompact(text);
  const claim = compact && readClaim(compact);
  if (claim === undefined) return refused('permit_malformed', 'this is no permit in its one form');
  try {
    await jwtVerify(text, trust.keys, {
      algorithms: [ALGORITHM],
      typ: PERMIT_TYPE,
      issuer: trust.issuer,
      audience: trust.audience,
      currentDate: new Date(trust.nowMs),
      clockTolerance: 0,
      requiredClaims: ['iss', 'aud', 'sub', 'jti', 'iat', 'exp'],
    });
  } catch (error) {
    return refusalOf(error);
  }
  // Past its expiry to the second is past it: RFC 7519 section 4.1.4, "on or after".
  return trust.nowMs >= claim.expiresAtSeconds * 1000 ? EXPIRED : { kind: 'genuine', claim };
}

function refusalOf(error: unknown): PermitVerified {
  if (error instanceof errors.JWTExpired) return EXPIRED;
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return refused('permit_for_another', 'it is for another audience');
    if (error.claim === 'nbf') return EXPIRED;
  }
  const isAbout =
    error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && !isFetch(error);
  return isAbout
    ? refused('permit_not_genuine', 'it is not signed by the layer that is trusted')
    : refused('keys_unavailable', 'the keys of the layer could not be had');
}

/** What `createRemoteJWKSet` throws where the answer is no JWKS: nothing is said about the claim. */
function isFetch(error: Error): boolean {
  return error.constructor === errors.JOSEError || error instanceof errors.JWKSInvalid;
}

const EXPIRED: PermitVerified = refused('permit_expired', 'its time is over, or has not come');

function refused(code: PermitRefusalCode, message: string): PermitVerified {
  return { kind: 'refused', code, message };
}

// ---------------------------------------------------------------- the one form

/** The parts of a compact JWS (RFC 7515 section 7.1) that is written in exactly one way. */
export interface Compact {
  readonly header: JsonObject;
  readonly headerBytes: Uint8Array;
  readonly payloadBytes: Uint8Array;
}

/** Takes a compact JWS apart; `undefined` where it has another form, or more members than one of a name. */
export function readCompact(text: string): Compact | undefined {
  if (text.length > PERMIT_LENGTH_MAX) return undefined;
  const parts = text.split('.', 4);
  const [headerBytes, payloadBytes, signature] = parts.map(decoded);
  if (parts.length !== 3 || !headerBytes || !payloadBytes || !signature) return undefined;
  const header = readJson(headerBytes, PERMIT_LENGTH_MAX);
  return isObject(header) ? { header, headerBytes, payloadBytes } : undefined;
}

/** Base64url without padding; the bits that the last character has too many of are zero (RFC 4648 section 3.5). */
function decoded(part: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]+$/u.test(part)) return undefined;
  try {
    const bytes = base64url.decode(part);
    return base64url.encode(bytes) === part ? bytes : undefined;
  } catch {
    // A length that no bytes have.
    return undefined;
  }
}

/** The claim, where every member that it needs is there, of its type, and nothing stands twice. */
function readClaim({ header, headerBytes, payloadBytes }: Compact): PermitClaim | undefined {
  const payload = readJson(payloadBytes, PERMIT_LENGTH_MAX);
  if (!isObject(payload)) return undefined;
  if (!isCanonical(header, headerBytes) || !isCanonical(payload, payloadBytes)) return undefined;
  const actor = object(payload, 'act');
  const details = payload['authorization_details'];
  const [detail, ...others] = isArray(details) ? details : [];
  if (actor === undefined || !isObject(detail) || others.length > 0) return undefined;
  if (detail['type'] !== PERMIT_DETAIL_TYPE || detail['identifier'] !== payload['jti']) {
    return undefined;
  }
  const cnf = Object.hasOwn(payload, 'cnf') ? thumbprintOf(payload) : {};
  const times = timesOf(payload);
  const digests = digestsOf(detail);
  const action = object(detail, 'action');
  const texts = {
    issuer: string(payload, 'iss'),
    audience: string(payload, 'aud'),
    subject: string(payload, 'sub'),
    actor: string(actor, 'sub'),
    id: string(payload, 'jti'),
    kind: string(detail, 'kind'),
    environment: string(detail, 'environment'),
    target: only(detail, 'locations'),
    operation: only(detail, 'actions'),
  };
  if (!areAllTexts(texts) || !times || !digests || !action || !cnf) return undefined;
  return { ...texts, ...times, ...cnf, digests, action };
}

function isCanonical(value: JsonObject, bytes: Uint8Array): boolean {
  const canonical = canonicalBytes(value);
  return (
    canonical.length === bytes.length && canonical.every((byte, index) => byte === bytes[index])
  );
}

function timesOf(
  payload: JsonObject,
): Pick<PermitClaim, 'issuedAtSeconds' | 'expiresAtSeconds'> | undefined {
  const { iat, exp } = payload;
  if (typeof iat !== 'number' || typeof exp !== 'number') return undefined;
  const isWhole = Number.isSafeInteger(iat) && Number.isSafeInteger(exp);
  const isShort = exp > iat && exp - iat <= PERMIT_SECONDS_MAX;
  return isWhole && isShort ? { issuedAtSeconds: iat, expiresAtSeconds: exp } : undefined;
}

/** A `cnf` of another sort binds to something that nobody here could check: such a claim is none of ours. */
function thumbprintOf(payload: JsonObject): Pick<PermitClaim, 'keyThumbprint'> | undefined {
  const cnf = object(payload, 'cnf');
  const jkt = cnf && string(cnf, 'jkt');
  return jkt === undefined || Object.keys(cnf ?? {}).length !== 1
    ? undefined
    : { keyThumbprint: jkt };
}

function digestsOf(detail: JsonObject): PermitDigests | undefined {
  const digests = object(detail, 'digests');
  const [action, operation, effect] = ['action', 'operation', 'effect'].map((name) => {
    const text = digests && string(digests, name);
    return text !== undefined && /^[0-9a-f]{64}$/u.test(text) ? text : undefined;
  });
  return action === undefined || operation === undefined || effect === undefined
    ? undefined
    : { action, operation, effect };
}

function areAllTexts<Name extends string>(
  texts: Readonly<Record<Name, string | undefined>>,
): texts is Readonly<Record<Name, string>> {
  return Object.values(texts).every((text) => text !== undefined && text !== '');
}

/** The one text of a list. */
function only(value: JsonObject, name: string): string | undefined {
  const list = value[name];
  const [first, ...others] = isArray(list) ? list : [];
  return typeof first === 'string' && others.length === 0 ? first : undefined;
}

function string(value: JsonObject, name: string): string | undefined {
  const member = value[name];
  return typeof member === 'string' ? member : undefined;
}

function object(value: JsonObject, name: string): JsonObject | undefined {
  const member = value[name];
  return isObject(member) ? member : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isArray(value);
}

function isArray(value: JsonValue | undefined): value is JsonArray {
  return Array.isArray(value);
}
