/**
 * How a request shows who sends it: the credential leased, checked for its scheme, and put where the
 * scheme wants it, in the instant of sending. Nothing of it is in a compiled effect but the scheme.
 */
import { createSecureContext } from 'node:tls';

import type { CredentialReference, HttpAuth, HttpTarget, Target } from '../../kernel/inventory.ts';
import { leaseCredential, type Lease } from '../credentials.ts';
import { SECRET_LENGTH_MIN } from '../mask.ts';
import { refuse } from '../refusal.ts';
import type { CompiledRequest } from './compile.ts';
import type { ClientCertificate } from './connect.ts';
import { requestHeaders } from './exchange.ts';
import type { HttpTools } from './look.ts';
import { leaseToken } from './oauth2.ts';
import { contentDigest, signRequest, signingTime } from './sigv4.ts';

/** A leased credential in the form that its scheme sends. */
export interface Authentication {
  /** What is added to this very request beside `added`; where it is signed, over these bytes. */
  readonly headers: (
    compiled: CompiledRequest,
    added: Readonly<Record<string, string>>,
  ) => Readonly<Record<string, string>>;
  /** What TLS shows, under `mtls`. */
  readonly client: ClientCertificate | undefined;
  /** Told the status of each answer: a token that was refused is not used again. */
  readonly answered: (status: number) => void;
  /** Ends the lease; safe to call twice. */
  readonly release: () => void;
}

const NOTHING: Authentication = {
  headers: () => ({}),
  client: undefined,
  answered: () => undefined,
  release: () => undefined,
};

/** What a target authenticates with: one credential, or under `mtls` a key and its certificate apart. */
export interface HttpCredential {
  readonly reference: CredentialReference;
  readonly certificate?: CredentialReference;
}

/** The credential that acts or looks, if the target has one. */
export function httpCredential(
  { credentials }: Target,
  which: 'act' | 'look',
): HttpCredential | undefined {
  const [reference, certificate] = [credentials[which], credentials.certificates?.[which]];
  if (reference === undefined) return undefined;
  return { reference, ...(certificate === undefined ? {} : { certificate }) };
}

/**
 * Leases what the target's scheme needs; under `oauth2` that asks the token endpoint. Refuses with the
 * `credential_…` codes, with `token_not_given`, and as connecting does.
 */
export async function leaseAuthentication(
  credential: HttpCredential | undefined,
  executor: HttpTarget,
  tools: HttpTools,
  signal: AbortSignal,
): Promise<Authentication> {
  if (executor.auth === 'none') return NOTHING;
  if (credential === undefined) return refuse('credential_missing', 'the target has no credential');
  const leased = await leaseCredential(credential.reference, tools);
  try {
    if (executor.auth === 'mtls') return await clientOf(leased, credential.certificate, tools);
    return await authenticationOf(leased, executor, tools, signal);
  } catch (error) {
    leased.release();
    throw error;
  }
}

async function authenticationOf(
  leased: Lease,
  executor: HttpTarget,
  tools: HttpTools,
  signal: AbortSignal,
): Promise<Authentication> {
  const { auth } = executor;
  const held = { ...NOTHING, release: leased.release.bind(leased) };
  if (auth === 'none' || auth === 'mtls') return held;
  if (auth === 'bearer') {
    if (!/^[\x21-\x7e]+$/u.test(leased.value)) notSendable(leased, 'is no bearer token');
    return { ...held, headers: () => ({ authorization: `Bearer ${leased.value}` }) };
  }
  if (auth === 'basic') {
    checkPair(leased, tools);
    return { ...held, headers: () => ({ authorization: basic(leased.value) }) };
  }
  if (auth.kind === 'oauth2') {
    checkPair(leased, tools);
    const token = await leaseToken({ leased, auth, executor, signal }, tools);
    leased.release();
    return {
      ...token,
      client: undefined,
      headers: () => ({ authorization: `Bearer ${token.value()}` }),
    };
  }
  return { ...held, headers: signer(leased, auth, tools) };
}

function notSendable(leased: Lease, what: string): never {
  return refuse('credential_not_sendable', `credential \`${leased.reference}\` ${what}`);
}

/** RFC 7617: the user has no colon, neither has control characters; the password is masked alone too. */
function checkPair(leased: Lease, { masker }: HttpTools): void {
  const colon = leased.value.indexOf(':');
  if (colon === -1 || /\p{Cc}/u.test(leased.value)) {
    notSendable(leased, 'is no pair with a colon between');
  }
  const secret = leased.value.slice(colon + 1);
  if (secret.length < SECRET_LENGTH_MIN) {
    const message = `the secret in credential \`${leased.reference}\` is too short to be masked`;
    refuse('credential_too_short', message);
  }
  masker.register(secret);
}

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}

/** The certificate and its key, from one PEM or from two. */
async function clientOf(
  leased: Lease,
  reference: CredentialReference | undefined,
  tools: HttpTools,
): Promise<Authentication> {
  const other = reference === undefined ? leased : await leaseCredential(reference, tools);
  const client = { certificate: other.value, key: leased.value };
  // A certificate on its own is no secret that has to be let go later.
  if (other !== leased) other.release();
  checkClient(client, leased);
  return { ...NOTHING, client, release: leased.release.bind(leased) };
}

function checkClient({ certificate, key }: ClientCertificate, leased: Lease): void {
  const [isCertificate, isKey] = [
    /-----BEGIN CERTIFICATE-----/u,
    /-----BEGIN [A-Z ]*PRIVATE KEY-----/u,
  ];
  try {
    // OpenSSL takes an absent certificate for none, and a key that does not fit for an error.
    if (!isCertificate.test(certificate) || !isKey.test(key))
      throw new TypeError('a part is missing');
    createSecureContext({ cert: certificate, key });
  } catch {
    // OpenSSL's words are not shown: they may quote what they could not read.
    notSendable(leased, 'is no private key as pem with a certificate that fits it');
  }
}

// ---------------------------------------------------------------- AWS Signature Version 4

const SIGNING_CREDENTIAL =
  /^(?<id>\w{4,128}):(?<secret>[\x21-\x39\x3b-\x7e]{4,})(?::(?<session>[\x21-\x7e]{4,}))?$/u;
/** What only the signature may set. */
const SIGNATURE_HEADERS = ['x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token'];

function signer(
  leased: Lease,
  auth: Extract<HttpAuth, { readonly kind: 'sigv4' }>,
  { clock, masker }: HttpTools,
): Authentication['headers'] {
  const read = (): Readonly<Record<string, string | undefined>> =>
    SIGNING_CREDENTIAL.exec(leased.value)?.groups ??
    notSendable(leased, 'is no access key id and secret with a colon between');
  const { secret, session } = read();
  for (const part of [secret, session]) if (part !== undefined) masker.register(part);
  return (compiled, added) => {
    const taken = SIGNATURE_HEADERS.find((name) => name in compiled.headers);
    if (taken !== undefined) refuse('header_refused', `header \`${taken}\` is the signature's`);
    const parts = read();
    // A request that is held up between here and the target's clock is refused there, not repeated.
    const time = signingTime(clock.now());
    const amazon = {
      'x-amz-date': time,
      'x-amz-content-sha256': contentDigest(compiled.body?.text ?? ''),
      ...(parts['session'] === undefined ? {} : { 'x-amz-security-token': parts['session'] }),
    };
    const authorization = signRequest(
      {
        method: compiled.method,
        path: compiled.url.pathname,
        query: compiled.url.search.slice(1),
        headers: signed(requestHeaders(compiled, { ...added, ...amazon })),
        body: compiled.body?.text ?? '',
      },
      { ...auth, accessKeyId: parts['id'] ?? '', secret: parts['secret'] ?? '', time },
    );
    return { ...amazon, authorization };
  };
}

/** What every hop may change is not signed. */
function signed(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const kept = Object.entries(headers).filter(([name]) => !UNSIGNED.has(name));
  return Object.fromEntries(kept);
}

const UNSIGNED: ReadonlySet<string> = new Set(['connection', 'user-agent', 'accept-encoding']);
