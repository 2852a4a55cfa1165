/**
 * Every error of the API in one table: code, HTTP status, and what to say about it. Problem details
 * (RFC 9457) are made from it, `/errors/{code}` is rendered from it, and a test holds that each code
 * can be provoked.
 */
import * as z from 'zod';
import { LATER_ERRORS, REQUEST_ERRORS, STATE_ERRORS } from './error-table.ts';
import { findingView, type FindingView } from './finding-view.ts';
import { BODY_ERRORS, type BodyErrorCode } from './json-errors.ts';
import { EXECUTED, ACTION_STATES, type ActionState, type Executed } from './words.ts';

/** What the table says of a code. */
export interface ErrorSpec {
  readonly status: number;
  /** The same for every occurrence of the code. */
  readonly title: string;
  /** One sentence: what happened. */
  readonly doc: string;
  /** What the caller can do. */
  readonly hint?: string;
  /** Seconds after which trying again makes sense. */
  readonly retryAfterSeconds?: number;
}

/** A stable error code of the API. */
export type ErrorCode =
  | BodyErrorCode
  | keyof typeof REQUEST_ERRORS
  | keyof typeof STATE_ERRORS
  | keyof typeof LATER_ERRORS;

/** Every error code with its status and words. */
export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorSpec>> = {
  ...BODY_ERRORS,
  ...REQUEST_ERRORS,
  ...STATE_ERRORS,
  ...LATER_ERRORS,
};

/** Whether the text is one of {@link ERROR_CODES}. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}

/** Where an error is explained, relative to the API's own address. */
export function errorType(code: ErrorCode): string {
  return `/errors/${code}`;
}

/** Where in the body the fault lies: a place for syntax, a JSON pointer (RFC 6901) for shape. */
export interface ProblemPosition {
  /** In bytes from 0. */
  readonly offset?: number;
  /** From 1. */
  readonly line?: number;
  /** From 1, in code points. */
  readonly column?: number;
  readonly pointer?: string;
}

/** A fault of a configuration document. */
export interface DocumentProblem {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly hint?: string;
}

/** Problem details (RFC 9457). `executed` says what became of the effect: `no`, wherever nothing else is told. */
export interface ProblemDetails {
  /** Relative to the API's address: `/errors/<code>`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  /** One line about this occurrence. */
  readonly detail: string;
  readonly hint?: string;
  /** Names this request in the log. */
  readonly requestId?: string;
  readonly executed: Executed;
  /** The action it is about, where there is one. */
  readonly id?: string;
  readonly state?: ActionState;
  readonly position?: ProblemPosition;
  readonly findings?: readonly FindingView[];
  readonly problems?: readonly DocumentProblem[];
}

/** {@link ProblemDetails} as sent; of an action that never runs, the whole action view stands beside. */
export const problemDetails: z.ZodType<ProblemDetails> = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string().refine(isErrorCode),
  detail: z.string(),
  hint: z.string().exactOptional(),
  requestId: z.string().exactOptional(),
  executed: z.enum(EXECUTED),
  id: z.string().exactOptional(),
  state: z.enum(ACTION_STATES).exactOptional(),
  position: z
    .object({
      offset: z.int().exactOptional(),
      line: z.int().exactOptional(),
      column: z.int().exactOptional(),
      pointer: z.string().exactOptional(),
    })
    .exactOptional(),
  findings: z.array(findingView).exactOptional(),
  problems: z
    .array(
      z.object({
        code: z.string(),
        severity: z.enum(['error', 'warning']),
        message: z.string(),
        file: z.string(),
        line: z.int(),
        column: z.int(),
        hint: z.string().exactOptional(),
      }),
    )
    .exactOptional(),
});
