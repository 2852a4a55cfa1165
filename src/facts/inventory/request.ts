/** The HTTP side of an operation: request, preview, evidence, and what statuses mean. */
import type { DocumentNode, MappingEntry } from '../../kernel/document.ts';
import type { Members } from '../../kernel/document-reader.ts';
import type { HttpOperation, Template } from '../../kernel/inventory.ts';
import { RESERVED_HEADERS } from '../../kernel/reserved-headers.ts';
import { INVENTORY_DEFAULTS, INVENTORY_LIMITS } from './limits.ts';
import { readOutcomes } from './outcomes.ts';
import { type InventoryReading, readPointers, readSize, refuse } from './reading.ts';
import {
  isSecret,
  parsePathTemplate,
  readBody,
  readTemplates,
  type TemplateReading,
} from './template.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
type Method = HttpOperation['method'];

/** Reads the binding of an operation whose target is reached by HTTP. */
export function readHttpOperation(
  reading: TemplateReading,
  members: Members,
): HttpOperation | undefined {
  const node = members.get('request');
  const request = node === undefined ? undefined : readRequest(reading, node);
  const preview = readPreview(reading, members.get('preview'));
  const reconcile = readReconcile(reading, members.get('reconcile'));
  const ifMatch = readIfMatch(reading, members);
  const limit = { what: 'output', max: INVENTORY_LIMITS.outputBytesMax };
  const responseBytesMax = readSize(reading, members.get('output'), limit);
  const statuses = readOutcomes(reading, members.get('statuses'), STATUSES);
  if (request === undefined) return undefined;
  return {
    kind: 'http',
    ...request,
    statuses,
    responseBytesMax: responseBytesMax ?? INVENTORY_DEFAULTS.outputBytesMax,
    ...(preview === undefined ? {} : { preview }),
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(reconcile === undefined ? {} : { reconcile }),
  };
}

const STATUSES = {
  what: 'statuses',
  pattern: /^[2-5]\d\d$/u,
  hint: 'a status from 200 to 599',
} as const;

// ---------------------------------------------------------------- the request

type Request = Pick<HttpOperation, 'method' | 'path' | 'query' | 'headers' | 'body'>;

function readRequest(reading: TemplateReading, node: DocumentNode): Request | undefined {
  const { reader } = reading;
  const members = reader.mapping(node, {
    what: 'request',
    optional: [...METHODS, 'query', 'headers', 'form', 'json'],
  });
  if (members === undefined) return undefined;
  const given = METHODS.filter((method) => members.get(method) !== undefined);
  const [method] = given;
  const pathNode = method === undefined ? undefined : members.get(method);
  if (method === undefined || pathNode === undefined || given.length > 1) {
    return refuse(reading, {
      code: 'bad_request',
      position: node.position,
      message: 'a request has one method with its path',
      hint: 'such as `POST: /v1/refunds`',
    });
  }
  const place = readPlace(reading, pathNode, members.get('query'));
  for (const [name, template] of Object.entries(place?.query ?? {})) {
    if (isSecret(reading, template)) warnSecretInUrl(reading, name, members);
  }
  const headers = readHeaders(reading, members.get('headers'));
  const body = readRequestBody(reading, members, method);
  return place === undefined ? undefined : { method, ...place, headers, body };
}

function warnSecretInUrl(reading: TemplateReading, name: string, members: Members): void {
  reading.reader.warning({
    code: 'secret_in_url',
    position: members.positionOf('query'),
    message: `the secret \`${name}\` stands in the url, which servers and proxies write to their logs`,
    hint: 'send it in `headers`, `form` or `json` where the system takes it there',
  });
}

function readRequestBody(
  reading: TemplateReading,
  members: Members,
  method: Method,
): HttpOperation['body'] {
  const [form, json] = [members.get('form'), members.get('json')];
  const second = form === undefined ? undefined : json;
  const wrong = second ?? (method === 'GET' ? (form ?? json) : undefined);
  if (wrong !== undefined) {
    const message = second === undefined ? 'a GET has no body' : 'a request has one body';
    refuse(reading, { code: 'bad_request', position: wrong.position, message });
  }
  if (form !== undefined) {
    const limit = { what: 'form', max: INVENTORY_LIMITS.fieldsMax };
    return { kind: 'form', fields: readTemplates(reading, form, limit) };
  }
  const value = json === undefined ? undefined : readBody(reading, json);
  return value === undefined ? { kind: 'none' } : { kind: 'json', value };
}

function readHeaders(
  reading: TemplateReading,
  node: DocumentNode | undefined,
): Readonly<Record<string, Template>> {
  const headers = readTemplates(reading, node, {
    what: 'headers',
    max: INVENTORY_LIMITS.headersMax,
  });
  const seen = new Set<string>();
  for (const entry of node?.kind === 'mapping' ? node.entries : []) {
    checkHeader(reading, entry, seen);
    seen.add(entry.key.toLowerCase());
  }
  return headers;
}

function checkHeader(
  reading: TemplateReading,
  { key, keyPosition }: MappingEntry,
  seen: ReadonlySet<string>,
): void {
  const name = key.toLowerCase();
  const note = (message: string, hint?: string): undefined =>
    refuse(reading, { code: 'bad_header', position: keyPosition, message, hint });
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/u.test(name)) return note(`\`${key}\` is not a header's name`);
  if (RESERVED_HEADERS.has(name)) {
    const hint =
      name === 'authorization' ? 'declare `auth` and `credentials` at the target' : undefined;
    return note(`only the layer sets the header \`${key}\``, hint);
  }
  if (seen.has(name)) note(`the header \`${key}\` is given twice`);
}

// ---------------------------------------------------------------- paths and queries

interface Place {
  readonly path: Template;
  readonly query: Readonly<Record<string, Template>>;
}

/** A path, with a query in it (`/v1/refunds?charge={charge}`) or beside it. */
function readPlace(
  reading: TemplateReading,
  pathNode: DocumentNode,
  queryNode: DocumentNode | undefined,
): Place | undefined {
  const text = reading.reader.text(pathNode, 'path');
  if (text === undefined) return undefined;
  const mark = text.indexOf('?');
  const pathText = mark === -1 ? text : text.slice(0, mark);
  const path = parsePathTemplate(reading, pathText, pathNode);
  if (path === undefined || !isPlainPath(reading, pathNode, path)) return undefined;
  const query: Record<string, Template> = Object.create(null);
  if (mark !== -1) addQuery(reading, text.slice(mark + 1), { query, node: pathNode });
  const limit = { what: 'query', max: INVENTORY_LIMITS.fieldsMax };
  for (const [name, template] of Object.entries(readTemplates(reading, queryNode, limit))) {
    if (Object.hasOwn(query, name)) duplicate(reading, name, queryNode ?? pathNode);
    query[name] = template;
  }
  return { path, query };
}

function duplicate(reading: TemplateReading, name: string, { position }: DocumentNode): void {
  refuse(reading, { code: 'bad_path', position, message: `the query has \`${name}\` twice` });
}

function addQuery(
  reading: TemplateReading,
  text: string,
  into: { readonly query: Record<string, Template>; readonly node: DocumentNode },
): void {
  const { query, node } = into;
  for (const pair of text.split('&')) {
    const mark = pair.indexOf('=');
    const name = decoded(mark === -1 ? pair : pair.slice(0, mark));
    const value = mark === -1 ? '' : pair.slice(mark + 1);
    if (name === undefined || name === '' || /[{}]/u.test(name)) {
      const message = `\`${pair}\` is not \`name=value\``;
      refuse(reading, { code: 'bad_path', position: node.position, message });
      continue;
    }
    if (Object.hasOwn(query, name)) duplicate(reading, name, node);
    const template = parsePathTemplate(reading, value, node);
    if (template === undefined) continue;
    // What people wrote between references is encoded already; values are encoded when they are sent.
    query[name] = template.map((part) =>
      part.kind === 'literal' ? { kind: 'literal', text: decoded(part.text) ?? part.text } : part,
    );
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // A stray percent sign: it is no encoding of anything.
    return undefined;
  }
}

/** Whether a URL parser reads the path as it is written: no `..`, no `//`, nothing that would be encoded. */
function isPlainPath(reading: InventoryReading, node: DocumentNode, path: Template): boolean {
  const sample = path.map((part) => (part.kind === 'literal' ? part.text : 'x')).join('');
  const url = URL.parse(`https://host.invalid${sample}`);
  if (sample.startsWith('/') && !sample.startsWith('//') && url?.pathname === sample) return true;
  refuse(reading, {
    code: 'bad_path',
    position: node.position,
    message: 'the path is not one that a URL has',
    hint: 'begin with one slash, without `.` and `..`, and encode what is not plain ASCII',
  });
  return false;
}

/** A path without any reference, for probes. */
export function readPlainPath(reading: InventoryReading, node: DocumentNode): string | undefined {
  const text = reading.reader.text(node, 'path');
  if (text === undefined) return undefined;
  return isPlainPath(reading, node, [{ kind: 'literal', text }]) ? text : undefined;
}

// ---------------------------------------------------------------- preview and evidence

function readPreview(
  reading: TemplateReading,
  node: DocumentNode | undefined,
): HttpOperation['preview'] | undefined {
  if (node === undefined) return undefined;
  const members = reading.reader.mapping(node, {
    what: 'preview',
    required: ['GET'],
    optional: ['query', 'material', 'context'],
  });
  const pathNode = members?.get('GET');
  if (members === undefined || pathNode === undefined) return undefined;
  const look = { ...reading, execution: 'refused', secrets: 'refused' } as const;
  const place = readPlace(look, pathNode, members.get('query'));
  const material = readPointers(reading, members.get('material'), 'material');
  const context = readPointers(reading, members.get('context'), 'context');
  if (members.get('material') === undefined) warnEmptyPreview(reading, node);
  return place === undefined ? undefined : { ...place, material, context };
}

/** A preview that no consent digest covers is shown and can then change without anybody noticing. */
export function warnEmptyPreview(reading: TemplateReading, { position }: DocumentNode): void {
  reading.reader.warning({
    code: 'preview_empty',
    position,
    message: 'the preview has no `material` part, so a change of it goes unnoticed',
    hint: 'list what must not change under `material:`',
  });
}

function readReconcile(
  reading: TemplateReading,
  node: DocumentNode | undefined,
): HttpOperation['reconcile'] | undefined {
  if (node === undefined) return undefined;
  const { reader } = reading;
  const members = reader.mapping(node, {
    what: 'reconcile',
    required: ['GET', 'find'],
    optional: ['query', 'absence'],
  });
  const [pathNode, findNode, absenceNode] = [
    members?.get('GET'),
    members?.get('find'),
    members?.get('absence'),
  ];
  if (members === undefined || pathNode === undefined || findNode === undefined) return undefined;
  const look = { ...reading, secrets: 'refused' } as const;
  const place = readPlace(look, pathNode, members.get('query'));
  const find = readFind(reading, findNode);
  const absence =
    absenceNode === undefined
      ? 'inconclusive'
      : reader.oneOf(absenceNode, 'absence', ['conclusive', 'inconclusive']);
  if (place === undefined || find === undefined) return undefined;
  return { ...place, find, absenceConclusive: absence === 'conclusive' };
}

function readFind(reading: TemplateReading, node: DocumentNode): string | undefined {
  const text = reading.reader.text(node, 'find');
  if (text === undefined || text.split('.').every((part) => part !== '')) return text;
  const message = `\`${text}\` is not a dotted path`;
  const hint = 'such as `metadata.exequatur`';
  return refuse(reading, { code: 'bad_pointer', position: node.position, message, hint });
}

function readIfMatch(reading: TemplateReading, members: Members): 'preview' | undefined {
  const node = members.get('ifMatch');
  if (node === undefined) return undefined;
  const ifMatch = reading.reader.oneOf(node, 'ifMatch', ['preview']);
  if (ifMatch === undefined || members.get('preview') !== undefined) return ifMatch;
  return refuse(reading, {
    code: 'no_preview',
    position: node.position,
    message: '`ifMatch: preview` sends the ETag of a preview, and there is none',
    hint: 'add `preview:`',
  });
}
