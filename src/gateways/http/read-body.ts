/**
 * A request's body on its way in: bounded in bytes and time, parsed by the strict parser and nothing
 * else, then held against the route's shape. Every refusal says where.
 */
import type * as z from 'zod';
import { parseJson } from '../../kernel/json/parse.ts';
import type { JsonValue } from '../../kernel/json/value.ts';
import { isErrorCode } from '../../protocol/errors.ts';
import { ApiProblem } from './api-problem.ts';
import type { HttpLimits } from './limits.ts';

/** A body as parsed, and as the route's schema gives it. */
export interface ReadBody<Body> {
  readonly json: JsonValue;
  readonly body: Body;
}

/** Reads and checks a body. Throws {@link ApiProblem}. */
export async function readBody<Body>(
  request: Request,
  schema: z.ZodType<Body>,
  limits: HttpLimits,
): Promise<ReadBody<Body>> {
  requireJson(request.headers);
  // UNTRUSTED: until the schema has seen it.
  const bytes = await readBytes(request, limits);
  const parsed = parseJson(bytes, { bytesMax: limits.bodyBytesMax });
  if (!parsed.ok) {
    const { code, message, offset, line, column } = parsed.error;
    if (!isErrorCode(code)) throw new ApiProblem('body_too_large');
    throw new ApiProblem(code, { detail: message, position: { offset, line, column } });
  }
  return { json: parsed.value, body: checked(schema, parsed.value) };
}

/** Refuses any body on a route that takes none. */
export function refuseBody(request: Request): void {
  const { headers } = request;
  const length = headers.get('content-length');
  if (headers.has('transfer-encoding') || (length !== null && length !== '0')) {
    throw new ApiProblem('invalid_request', { detail: 'this route takes no body' });
  }
}

function requireJson(headers: Headers): void {
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new ApiProblem('encoding_unsupported');
  }
  const type = headers.get('content-type') ?? '';
  if (!/^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/iu.test(type)) {
    throw new ApiProblem('media_type_unsupported');
  }
}

async function readBytes(request: Request, limits: HttpLimits): Promise<Uint8Array> {
  const { bodyBytesMax, bodyMsMax } = limits;
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > bodyBytesMax) throw new ApiProblem('body_too_large');
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void reader.cancel().catch(() => undefined);
  }, bodyMsMax);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (late) throw new ApiProblem('request_timeout');
      if (done) break;
      length += value.length;
      if (length > bodyBytesMax) throw new ApiProblem('body_too_large');
      chunks.push(value);
    }
  } catch (error) {
    if (error instanceof ApiProblem) throw error;
    // The caller went away; whoever reads this answer was late.
    throw new ApiProblem('request_timeout', { cause: error });
  } finally {
    clearTimeout(timer);
    if (length > bodyBytesMax) void reader.cancel().catch(() => undefined);
  }
  return Buffer.concat(chunks);
}

function checked<Body>(schema: z.ZodType<Body>, value: JsonValue): Body {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue === undefined ? [] : [...issue.path, ...unknownKey(issue)];
  const pointer = path.map((part) => `/${escapePointer(String(part))}`).join('');
  throw new ApiProblem('invalid_request', {
    detail: `\`${pointer}\`: ${lowerFirst(issue?.message ?? 'not of the right shape')}`,
    position: { pointer },
  });
}

function unknownKey(issue: z.core.$ZodIssue): readonly string[] {
  return issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
}

function escapePointer(part: string): string {
  return part.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
}

function lowerFirst(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1, 200)}`;
}

/** A request's query, each parameter at most once, as the route's schema gives it. */
export function readQuery<Query>(url: URL, schema: z.ZodType<Query>): Query {
  const given: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    if (Object.hasOwn(given, name)) {
      throw new ApiProblem('query_invalid', { detail: `\`${name.slice(0, 100)}\` is given twice` });
    }
    Object.defineProperty(given, name, { value, enumerable: true });
  }
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = issue === undefined ? '' : [...issue.path, ...unknownKey(issue)][0];
  const why = issue?.code === 'unrecognized_keys' ? 'is not known here' : issue?.message;
  throw new ApiProblem('query_invalid', {
    detail: `\`${String(name).slice(0, 100)}\` ${lowerFirst(why ?? 'is not valid')}`,
  });
}
