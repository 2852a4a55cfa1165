/**
 * AWS Signature Version 4 over one request, as the "Create a signed AWS API request" pages of AWS's
 * documentation define it. Pure: time and every byte that is signed are arguments.
 */
import { createHash, createHmac } from 'node:crypto';

import type { Instant } from '../../kernel/instant.ts';
import { refuse } from '../refusal.ts';

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** What is signed, exactly as it goes over the connection. */
export interface SigningRequest {
  readonly method: string;
  /** The path of the request line, percent-encoded as it is sent. */
  readonly path: string;
  /** The query of the request line without its question mark, percent-encoded as it is sent. */
  readonly query: string;
  /** Headers with names in lower case; all of them are signed, and `host` must be among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** With what it is signed, for where, and when. */
export interface SigningKey {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly region: string;
  readonly service: string;
  /** As {@link signingTime} gives it; the same as the header `x-amz-date`. */
  readonly time: string;
}

/** An instant as `20150830T123600Z`. */
export function signingTime(instant: Instant): string {
  return new Date(instant).toISOString().replaceAll(/[-:]|\.\d{3}/gu, '');
}

/** The SHA-256 of a body, in hex. */
export function contentDigest(body: string): string {
  return createHash('sha256').update(body, 'utf8').digest('hex');
}

/** The value of the `authorization` header. Refuses a path that cannot be decoded, under `s3`. */
export function signRequest(request: SigningRequest, key: SigningKey): string {
  const date = key.time.slice(0, 8);
  const scope = `${date}/${key.region}/${key.service}/aws4_request`;
  const { canonical, signedHeaders } = canonicalRequest(request, key.service);
  const toSign = [ALGORITHM, key.time, scope, contentDigest(canonical)].join('\n');
  let signingKey = Buffer.from(`AWS4${key.secret}`, 'utf8');
  for (const part of scope.split('/')) signingKey = hmac(signingKey, part);
  const signature = hmac(signingKey, toSign).toString('hex');
  const credential = `${key.accessKeyId}/${scope}`;
  return `${ALGORITHM} Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}

function hmac(key: Uint8Array, text: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHmac('sha256', key).update(text, 'utf8').digest());
}

function canonicalRequest(
  { method, path, query, headers, body }: SigningRequest,
  service: string,
): { readonly canonical: string; readonly signedHeaders: string } {
  const names = Object.keys(headers).toSorted();
  const lines = names.map(
    (name) => `${name}:${(headers[name] ?? '').trim().replaceAll(/ +/gu, ' ')}\n`,
  );
  const signedHeaders = names.join(';');
  const canonical = [
    method,
    canonicalPath(path, service),
    canonicalQuery(query),
    lines.join(''),
    signedHeaders,
    contentDigest(body),
  ].join('\n');
  return { canonical, signedHeaders };
}

/** S3 takes the path encoded once and as it stands; every other service normal, and encoded once more. */
function canonicalPath(path: string, service: string): string {
  if (service === 's3')
    return path
      .split('/')
      .map((part) => encode(decode(part)))
      .join('/');
  return path
    .replaceAll(/\/{2,}/gu, '/')
    .split('/')
    .map(encode)
    .join('/');
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const fields = query.split('&').map((field) => {
    const equals = field.indexOf('=');
    const [name, value] =
      equals === -1 ? [field, ''] : [field.slice(0, equals), field.slice(equals + 1)];
    return [encode(decode(name)), encode(decode(value))] as const;
  });
  // Names first: `a=` sorts before `a-b=`, although `-` sorts before `=`.
  const sorted = fields.toSorted(([a, x], [b, y]) => compareAscii(a, b) || compareAscii(x, y));
  return sorted.map(([name, value]) => `${name}=${value}`).join('&');
}

function compareAscii(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Everything but the unreserved characters of RFC 3986 as `%XX`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/gu, escapeOne);
}

function escapeOne(mark: string): string {
  return `%${mark.charCodeAt(0).toString(16).toUpperCase()}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The decoder says no more than that.
    return refuse('path_not_canonical', 'the url has a percent sign that encodes nothing');
  }
}
