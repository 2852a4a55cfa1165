/** The effect of an HTTP operation: method, URL, headers and body, each value encoded for its place. */
import type { EffectRequest } from '../../engine/ports.ts';
import { digestOf, type Digest } from '../../kernel/digest.ts';
import type {
  HttpOperation,
  HttpTarget,
  Operation,
  Target,
  Template,
} from '../../kernel/inventory.ts';
import type { JsonValue } from '../../kernel/json/value.ts';
import { writeCanonical } from '../../kernel/json/write.ts';
import { RESERVED_HEADERS } from '../../kernel/reserved-headers.ts';
import { refuse } from '../refusal.ts';
import { secretPlaceholders } from '../secrets.ts';
import {
  EXECUTION_PLACEHOLDER,
  renderBody,
  renderFields,
  renderHeader,
  renderPath,
  type SecretTexts,
  type TemplateValues,
} from '../template.ts';

/** The version of what a compiled effect means; part of every resolution. */
export const HTTP_CONTRACT = 'http/1';
/** The largest body of a request, in bytes. */
const REQUEST_BYTES_MAX = 1_048_576;
/** The longest URL, in characters. */
const URL_LENGTH_MAX = 8192;

/** The parts of target and operation that this executor performs. */
export interface HttpBinding {
  readonly target: HttpTarget;
  readonly operation: HttpOperation;
}

/** Target and operation as this executor's, or a refusal. */
export function httpBinding(target: Target, operation: Operation): HttpBinding {
  if (target.executor.kind !== 'http' || operation.binding.kind !== 'http') {
    return refuse('binding_unsupported', `\`${operation.name}\` does not send a request`);
  }
  return { target: target.executor, operation: operation.binding };
}

/** A request without what only the layer adds: credential, idempotency key, precondition. */
export interface CompiledRequest {
  readonly method: HttpOperation['method'];
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: CompiledBody | undefined;
}

/** A body with its media type. */
interface CompiledBody {
  readonly type: string;
  readonly text: string;
}

/** The operation's request, with `execution` in the place of the execution's id, and values of secrets where they are given. */
export function compileRequest(
  request: EffectRequest,
  execution: string,
  secrets: SecretTexts = secretPlaceholders(request),
): CompiledRequest {
  const { target, operation } = httpBinding(request.target, request.operation);
  const values = { ...valuesOf(request, execution), secrets };
  const body = compileBody(operation.body, values);
  if (operation.method === 'GET' && body !== undefined) {
    refuse('binding_unsupported', `\`${request.operation.name}\` gives a body to a GET`);
  }
  if (Buffer.byteLength(body?.text ?? '', 'utf8') > REQUEST_BYTES_MAX) {
    refuse('request_too_large', `the body has over ${String(REQUEST_BYTES_MAX)} bytes`);
  }
  return {
    method: operation.method,
    url: compileUrl(target, operation, values),
    headers: compileHeaders(operation.headers, values),
    body,
  };
}

/** The values of the templates of an operation. */
export function valuesOf(request: EffectRequest, execution: string): TemplateValues {
  return { args: request.args, fields: request.operation.arguments, execution };
}

/** Digest of the compiled effect, with placeholders for what only the layer adds. */
export function httpEffect(request: EffectRequest): Digest {
  const { target, operation } = httpBinding(request.target, request.operation);
  const { method, url, headers, body } = compileRequest(request, EXECUTION_PLACEHOLDER);
  const compiled: JsonValue = {
    contract: HTTP_CONTRACT,
    method,
    url: url.href,
    headers,
    body: body === undefined ? null : { type: body.type, text: body.text },
    auth: target.auth,
    idempotencyKey: method === 'GET' ? null : EXECUTION_PLACEHOLDER,
    ifMatch: operation.ifMatch ?? null,
  };
  return digestOf('exequatur/effect/v1', compiled);
}

/** A URL below the target's: the parser must find in it exactly the path that was put together. */
export function compileUrl(
  target: HttpTarget,
  { path, query }: { readonly path: Template; readonly query: Readonly<Record<string, Template>> },
  values: TemplateValues,
): URL {
  const base = baseUrl(target);
  const whole = base.pathname.replace(/\/$/u, '') + renderPath(path, values);
  const fields = renderFields(query, values);
  const search = fields
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
  const url = URL.parse(`${base.origin}${whole}${search === '' ? '' : `?${search}`}`);
  if (url === null || url.origin !== base.origin || url.pathname !== whole) {
    return refuse('path_not_canonical', 'the path has parts that a url parser reads differently');
  }
  if (url.href.length > URL_LENGTH_MAX) refuse('request_too_large', 'the url is too long');
  return url;
}

/** The target's URL, which must name a system and nothing else. */
export function baseUrl(target: HttpTarget): URL {
  const url = URL.parse(target.url);
  if (url === null) return refuse('url_refused', 'the url of the target is not one');
  const isPlain =
    url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!isPlain || !['http:', 'https:'].includes(url.protocol)) {
    refuse('url_refused', 'a target url is http or https, without user, query or fragment');
  }
  return url;
}

function compileHeaders(
  templates: Readonly<Record<string, Template>>,
  values: TemplateValues,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [written, template] of Object.entries(templates)) {
    const name = written.toLowerCase();
    if (
      !/^[!#$%&'*+.^_`|~0-9a-z-]+$/u.test(name) ||
      RESERVED_HEADERS.has(name) ||
      name in headers
    ) {
      refuse('header_refused', `header \`${written}\` cannot be declared`);
    }
    const value = renderHeader(template, values);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

function compileBody(
  body: HttpOperation['body'],
  values: TemplateValues,
): CompiledBody | undefined {
  switch (body.kind) {
    case 'none':
      return undefined;
    case 'form': {
      const form = new URLSearchParams();
      for (const [name, value] of renderFields(body.fields, values)) form.append(name, value);
      const text = form.toString();
      return { type: 'application/x-www-form-urlencoded', text };
    }
    case 'json':
      return { type: 'application/json', text: writeCanonical(renderBody(body.value, values)) };
    default:
      return body satisfies never;
  }
}
