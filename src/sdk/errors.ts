/**
 * What the SDK throws. What became of an action is never thrown: it is one of the four answers. Each
 * error has a stable `code`; where several apply, the more careful one is thrown.
 */
import type { Executed } from '../protocol/words.ts';
import type { Answer } from './answer.ts';

/** Everything that the SDK throws, but the reason of a signal that the caller aborted. */
export class ExequaturError extends Error {
  override readonly name: string = 'ExequaturError';
  /** Stable; see each class. */
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

/** It cannot work as it was called; nothing was sent. Codes: `url_invalid`, `key_invalid`, `wait_invalid`, `sha256_invalid`. */
export class UsageError extends ExequaturError {
  override readonly name: string = 'UsageError';
}

/** What an answer with an error says. */
export interface ApiErrorParts {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly executed: Executed;
  readonly hint?: string;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
}

/** The layer answered with an error, and this request had no effect. `code` is one of the API’s error codes. */
export class ApiError extends ExequaturError {
  override readonly name: string = 'ApiError';
  /** The HTTP status. */
  readonly status: number;
  /** What became of the effect, as the layer says. */
  readonly executed: Executed;
  /** What the caller can do. */
  readonly hint: string | undefined;
  /** Names the request in the layer's log. */
  readonly requestId: string | undefined;
  /** Milliseconds after which trying again makes sense. */
  readonly retryAfterMs: number | undefined;

  constructor(parts: ApiErrorParts) {
    super(parts.code, parts.message);
    this.status = parts.status;
    this.executed = parts.executed;
    this.hint = parts.hint;
    this.requestId = parts.requestId;
    this.retryAfterMs = parts.retryAfterMs;
  }
}

/** What is known where an answer is missing. */
export interface Unanswered {
  readonly idempotencyKey?: string;
  readonly id?: string;
}

/**
 * No answer that says what became of the action: it may have been executed. Acting again with the same
 * proposal and the same `idempotencyKey` never executes it twice, and answers what became of it.
 * Codes: `connection_lost`, `too_slow`, `not_a_layer`, or the API's own where the layer could not tell.
 */
export class UnansweredError extends ExequaturError {
  override readonly name: string = 'UnansweredError';
  readonly executed: 'unknown' = 'unknown' as const;
  /** The key to act again with; absent where nothing was proposed. */
  readonly idempotencyKey: string | undefined;
  /** The action, where it is known. */
  readonly id: string | undefined;

  constructor(code: string, message: string, parts: Unanswered & { readonly cause?: unknown }) {
    super(code, message, parts.cause);
    this.idempotencyKey = parts.idempotencyKey;
    this.id = parts.id;
  }
}

/**
 * A guarded function's action did not succeed. Codes: `failed`, `not_executed`, `waiting`, `refused`,
 * `unknown`.
 */
export class NotDoneError extends ExequaturError {
  override readonly name: string = 'NotDoneError';
  /** What became of the action. */
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(answer.kind === 'done' ? answer.state : answer.kind, answer.message);
    this.answer = answer;
  }
}
