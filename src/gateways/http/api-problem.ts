/** Errors as answers: thrown anywhere in a request, written once as problem details (RFC 9457). */
import { StoreError } from '../../engine/ports.ts';
import {
  ERROR_CODES,
  errorType,
  isErrorCode,
  type DocumentProblem,
  type ErrorCode,
  type ProblemDetails,
  type ProblemPosition,
} from '../../protocol/errors.ts';
import type { ActionView } from '../../protocol/actions.ts';
import type { Executed } from '../../protocol/words.ts';

/** What an error says beside its code. */
export interface ProblemParts {
  /** One line about this occurrence; the code's own sentence if absent. */
  readonly detail?: string;
  readonly hint?: string;
  readonly position?: ProblemPosition;
  /** `no` if absent: nothing was executed. */
  readonly executed?: Executed;
  /** The action it is about; stands beside the problem's own members. */
  readonly action?: ActionView;
  readonly id?: string;
  readonly problems?: readonly DocumentProblem[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer that is an error. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly code: ErrorCode;
  readonly parts: ProblemParts;

  constructor(code: ErrorCode, parts: ProblemParts = {}) {
    super(parts.detail ?? ERROR_CODES[code].doc, { cause: parts.cause });
    this.code = code;
    this.parts = parts;
  }
}

/** The body of a problem. */
export function problemBody(problem: ApiProblem, requestId: string): ProblemDetails {
  const { code, parts } = problem;
  const { status, title, ...spec } = ERROR_CODES[code];
  const hint = parts.hint ?? spec.hint;
  const { action, id, position, problems } = parts;
  return {
    type: errorType(code),
    title,
    status,
    code,
    detail: problem.message,
    ...(hint === undefined ? {} : { hint }),
    requestId,
    executed: parts.executed ?? 'no',
    ...(id === undefined ? {} : { id }),
    ...(position === undefined ? {} : { position }),
    ...(problems === undefined ? {} : { problems }),
    ...action,
  };
}

/** Headers that a problem is sent with. */
export function problemHeaders({ code, parts }: ApiProblem): Readonly<Record<string, string>> {
  const { retryAfterSeconds } = ERROR_CODES[code];
  return {
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    ...(code === 'unauthenticated' ? { 'www-authenticate': 'Bearer realm="exequatur"' } : {}),
    // What is left of a body that was not read must not be taken for the next request.
    ...(code === 'request_timeout' || code === 'body_too_large' ? { connection: 'close' } : {}),
    ...parts.headers,
  };
}

/** The problem that a refusal of the engine or the store is. */
export function refusedProblem(refused: {
  readonly code: string;
  readonly message: string;
}): ApiProblem {
  const code = RENAMED[refused.code] ?? refused.code;
  if (isErrorCode(code)) return new ApiProblem(code, { detail: refused.message });
  return new ApiProblem('internal_error', {
    cause: new Error(`unexpected refusal \`${refused.code}\`: ${refused.message}`),
  });
}

const RENAMED: Readonly<Partial<Record<string, ErrorCode>>> = {
  already_final: 'not_held',
  already_executing: 'not_held',
  not_executing: 'not_held',
};

/** The problem that any error is. What nobody expected says nothing but that. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof StoreError) {
    const code = OF_STORE[error.code];
    if (code !== undefined) return new ApiProblem(code, { cause: error });
  }
  return new ApiProblem('internal_error', { cause: error });
}

const OF_STORE: Readonly<Partial<Record<StoreError['code'], ErrorCode>>> = {
  store_full: 'store_full',
  store_overloaded: 'overloaded',
  store_closed: 'store_unavailable',
  clock_jumped: 'clock_jumped',
};
