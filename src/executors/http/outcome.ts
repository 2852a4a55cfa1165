/**
 * What the answer to a request says about its effect: 2xx succeeded, 4xx failed, 5xx unknown, unless
 * the operation declares otherwise. A redirect is not followed: for a GET, and for a method that was
 * told to go elsewhere as it is (307, 308), nothing was done here and it failed; after any other
 * method a redirect is also the usual answer to success, so it is unknown. A 412 to an `If-Match` that
 * the layer sent is the target's own proof that nothing happened.
 */
import type { Outcome } from '../../engine/ports.ts';
import type { OutcomeState } from '../../engine/transition.ts';
import type { HttpOperation } from '../../kernel/inventory.ts';
import type { JsonObject, JsonValue } from '../../kernel/json/value.ts';
import { maskBytes, outputResult, parseAnswer, RESULT_JSON_BYTES_MAX } from '../answer.ts';
import type { Masker } from '../mask.ts';
import { notSent } from '../prepared.ts';
import type { Exchanged } from './exchange.ts';

/** An answer, whole or cut. */
export type Answered = Extract<Exchanged, { readonly kind: 'answered' }>;

/** The outcome of an effect from what came back. */
export function exchangeOutcome(
  exchanged: Exchanged,
  operation: HttpOperation,
  masker: Masker,
): Outcome {
  switch (exchanged.kind) {
    case 'not_sent':
      return notSent(exchanged.code, exchanged.message);
    case 'lost': {
      const { code, message } = exchanged;
      return { state: 'unknown', sent: true, code, message, result: null };
    }
    case 'answered':
      return answeredOutcome(exchanged, operation, masker);
    default:
      return exchanged satisfies never;
  }
}

function answeredOutcome(answer: Answered, operation: HttpOperation, masker: Masker): Outcome {
  const status = String(answer.status);
  const result = answerResult(answer, masker);
  const { statuses, ifMatch, method } = operation;
  const declared = Object.hasOwn(statuses, status) ? statuses[status] : undefined;
  if (answer.status === 412 && ifMatch !== undefined) {
    const message = 'the target is not as it was previewed and refused the request';
    return {
      state: declared ?? 'not_executed',
      sent: true,
      code: 'precondition_failed',
      message,
      result,
    };
  }
  const isRedirect = answer.status >= 300 && answer.status < 400;
  const message = isRedirect
    ? `the system answered with status ${status}, which is not followed`
    : `the system answered with status ${status}`;
  const state = declared ?? stateOf(answer.status, method);
  return { state, sent: true, code: `status_${status}`, message, result };
}

function stateOf(status: number, method: HttpOperation['method']): OutcomeState {
  if (status >= 200 && status < 300) return 'succeeded';
  if (status >= 400 && status < 500) return 'failed';
  if (status === 307 || status === 308) return 'failed';
  return status >= 300 && status < 400 && method === 'GET' ? 'failed' : 'unknown';
}

/** Headers that help people to find the request at the target. */
const KEPT_HEADERS = ['etag', 'location', 'request-id', 'retry-after', 'x-request-id'];

/** The kept part of an answer: status, some headers, and the masked body as JSON or as bounded text. */
function answerResult(answer: Answered, masker: Masker): JsonObject {
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = answer.headers[name];
    return value === undefined ? [] : [[name, masker.text(value).toWellFormed()] as const];
  });
  return {
    status: answer.status,
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
    body: bodyResult(answer, masker),
    ...(answer.complete ? {} : { truncated: true }),
  };
}

function bodyResult(answer: Answered, masker: Masker): JsonValue {
  const { body, complete } = answer;
  // What cannot be read cannot be masked.
  if (isEncoded(answer)) return { bytes: body.length, omitted: 'encoded' };
  if (body.length === 0) return null;
  const parsed =
    complete && body.length <= RESULT_JSON_BYTES_MAX ? parseAnswer(body, masker) : undefined;
  return parsed === undefined ? outputResult(maskBytes(body, masker, complete)) : parsed;
}

/** Whether the body came in a content coding although none was asked for. */
export function isEncoded({ headers }: Answered): boolean {
  const coding = headers['content-encoding'];
  return coding !== undefined && coding.toLowerCase() !== 'identity';
}
