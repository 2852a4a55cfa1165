/** Header names, media types and limits of the HTTP API that clients need to know. */

/** Names of headers with a meaning of their own here; lower case, as HTTP/2 writes them. */
export const HEADERS = {
  /** Required to propose: the same key with the same body is the same action. */
  idempotencyKey: 'idempotency-key',
  /** `wait=N`: answer when settled, or after N seconds. */
  prefer: 'prefer',
  preferenceApplied: 'preference-applied',
  /** Names one request in answers and logs; never part of an action. */
  requestId: 'x-request-id',
  /** `true` where an answer tells an action that was proposed before with this idempotency key. */
  idempotencyReplayed: 'idempotency-replayed',
  /** Resumes events after this sequence. */
  lastEventId: 'last-event-id',
  retryAfter: 'retry-after',
} as const;

/** Media types of answers. */
export const MEDIA_TYPES = {
  json: 'application/json',
  problem: 'application/problem+json',
  events: 'text/event-stream',
  text: 'text/plain',
  html: 'text/html',
  bytes: 'application/octet-stream',
  receipt: 'application/vnd.exequatur.receipt+json',
} as const;

/** Bytes of a request body. */
export const BODY_BYTES_MAX = 1_048_576;
/** Characters of an idempotency key, all of them visible ASCII. */
export const IDEMPOTENCY_KEY_LENGTH_MAX = 255;
/** Seconds that a proposal waits for its outcome where `Prefer: wait=N` does not say otherwise. */
export const WAIT_SECONDS_DEFAULT = 10;
/** Seconds that a request waits at most; a longer wish is cut to it. */
export const WAIT_SECONDS_MAX = 60;
/** Actions in one list, if not asked otherwise and at most. */
export const LIST_COUNT_DEFAULT = 50;
export const LIST_COUNT_MAX = 200;
/** Characters of a reason that a person gives, and of an agent's note. */
export const REASON_LENGTH_MAX = 1000;
export const NOTE_LENGTH_MAX = 2000;
