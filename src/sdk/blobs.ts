/** Large inputs of actions: put once, then named in arguments by their SHA-256. */
import { isRecord } from './answer.ts';
import { UnansweredError, UsageError } from './errors.ts';
import { exchange, type Place } from './exchange.ts';

/** How to put a blob. */
export interface PutBlobOptions {
  /**
   * The SHA-256 of the bytes, 64 hex digits in lower case, where it is known. Without it the content
   * is read into memory once to find it out, which is not for files of gigabytes.
   */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
}

/** Milliseconds that an upload may take. */
const UPLOAD_MS_MAX = 3_600_000;

/** Puts the content, and gives its name. Throws what {@link exchange} throws, and {@link UsageError}. */
export async function putBlob(
  place: Place,
  content: Blob | Uint8Array<ArrayBuffer> | string,
  { sha256, signal }: PutBlobOptions = {},
): Promise<string> {
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/u.test(sha256)) {
    throw new UsageError('sha256_invalid', '`sha256` is 64 hex digits in lower case');
  }
  const bytes = content instanceof Blob ? content : new Blob([content]);
  const digest = sha256 ?? (await digestOf(bytes));
  const { document } = await exchange(place, {
    method: 'PUT',
    path: `/v1/blobs/${digest}`,
    bytes,
    waitMs: UPLOAD_MS_MAX,
    signal,
  });
  const name = isRecord(document) ? document['blob'] : undefined;
  if (name === `sha256:${digest}`) return name;
  throw new UnansweredError('not_a_layer', 'what answers is not a layer of this version', {});
}

async function digestOf(bytes: Blob): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await bytes.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
