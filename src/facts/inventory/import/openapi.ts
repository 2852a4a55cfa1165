/**
 * Operations of an inventory from an OpenAPI document: where they go and which arguments they take as
 * the document says, their consequence as a guess. Nothing is fetched and nothing is followed out of it.
 */
import { RESERVED_HEADERS } from '../../../kernel/reserved-headers.ts';
import {
  IMPORT_LIMITS,
  importing,
  refuseImport,
  short,
  type DraftField,
  type DraftOperation,
  type DraftPlace,
  type DraftTarget,
  type Imported,
} from './draft.ts';
import { readOpenApi } from './document.ts';
import { guessKind } from './guess-kind.ts';
import { argumentName, isForbidden, plainName } from './names.ts';
import { isMembers, list, member, Schemas, text, type Members } from './schema.ts';
import { writeDraft } from './write-draft.ts';

/** What an import of a document is given. */
export interface OpenApiOptions {
  /** What comments call the document, such as its file name. */
  readonly origin: string;
  /** Where the document came from, for servers that are given relative to it. */
  readonly address?: string;
  /** The target's name; the document's title otherwise. */
  readonly target?: string;
}

/** An inventory with every operation of the document. Refusals: `IMPORT_CODES`. */
export function importOpenApi(source: string, options: OpenApiOptions): Imported {
  return importing(() => {
    const document = readOpenApi(source);
    const operations = new Reading(document).operations();
    if (operations.length === 0) {
      refuseImport('nothing_to_import', 'the document has no operation', '/paths');
    }
    const targets = targetsOf(document, operations, options);
    return { text: writeDraft(targets, options.origin), operations: operations.length };
  });
}

function targetsOf(
  document: Members,
  operations: readonly DraftOperation[],
  { address, target }: OpenApiOptions,
): readonly DraftTarget[] {
  const title = text(member(document, 'info'), 'title') ?? 'api';
  const base = target ?? plainName(title, new Set());
  const server = serverOf(document, address);
  const auth = authOf(document);
  const max = IMPORT_LIMITS.operationsPerTargetMax;
  const count = Math.ceil(operations.length / max);
  return Array.from({ length: count }, (_, index) => ({
    name: index === 0 ? base : `${base}-${String(index + 1)}`,
    url: server.url,
    auth: auth.auth,
    comments: [
      ...server.comments,
      ...auth.comments,
      ...(count > 1
        ? [
            `part ${String(index + 1)} of ${String(count)}: a target has at most ${String(max)} operations`,
          ]
        : []),
    ],
    operations: operations.slice(index * max, (index + 1) * max),
  }));
}

// ---------------------------------------------------------------- server and credentials

function serverOf(
  document: Members,
  address: string | undefined,
): { readonly url: string; readonly comments: readonly string[] } {
  const [first, ...others] = list(document, 'servers');
  const template = text(first, 'url') ?? '/';
  const variables = member(first, 'variables');
  const filled = template.replaceAll(
    /\{([^{}]*)\}/gu,
    (_, name: string) => text(member(variables, name), 'default') ?? name,
  );
  const url = URL.parse(filled, address ?? 'https://api.example.invalid/');
  const isUsable = url !== null && /^https?:$/u.test(url.protocol);
  const where = isUsable ? `${url.origin}${url.pathname.replace(/\/$/u, '')}` : PLACEHOLDER;
  return {
    url: where,
    comments: [
      ...(where.includes('.invalid')
        ? ['guessed: the document does not say where the system is']
        : []),
      ...(filled === template
        ? []
        : ['guessed: the address has variables, and their defaults stand here']),
      ...(others.length === 0
        ? []
        : [`other servers that the document names: ${String(others.length)}`]),
    ],
  };
}

const PLACEHOLDER = 'https://api.example.invalid';

function authOf(document: Members): Pick<DraftTarget, 'auth' | 'comments'> {
  const schemes = member(member(document, 'components'), 'securitySchemes');
  const found = Object.values(isMembers(schemes) ? schemes : {}).map((scheme) => {
    const type = text(scheme, 'type') ?? 'unknown';
    return type === 'http' ? (text(scheme, 'scheme') ?? type).toLowerCase() : type;
  });
  if (found.includes('bearer')) return { auth: 'bearer', comments: [] };
  if (found.includes('oauth2') || found.includes('openIdConnect')) {
    const comments = ['guessed: OAuth 2; `auth: oauth2` fetches the token itself where it can'];
    return { auth: 'bearer', comments };
  }
  if (found.includes('basic')) return { auth: 'basic', comments: [] };
  const [other] = found;
  if (other === undefined) return { auth: 'none', comments: [] };
  return {
    auth: 'none',
    comments: [`the document asks for \`${other}\`, which \`auth:\` has not`],
  };
}

// ---------------------------------------------------------------- operations

const METHODS = { get: 'GET', post: 'POST', put: 'PUT', patch: 'PATCH', delete: 'DELETE' } as const;
type MethodKey = keyof typeof METHODS;
const METHOD_KEYS: readonly MethodKey[] = ['get', 'post', 'put', 'patch', 'delete'];

/** One reading of one document. */
class Reading {
  readonly #document: Members;
  readonly #schemas: Schemas;
  readonly #names = new Set<string>();

  constructor(document: Members) {
    this.#document = document;
    this.#schemas = new Schemas(document);
  }

  operations(): readonly DraftOperation[] {
    const paths = member(this.#document, 'paths');
    const found: DraftOperation[] = [];
    for (const [path, each] of Object.entries(isMembers(paths) ? paths : {})) {
      const item = this.#schemas.follow(each) ?? {};
      for (const key of METHOD_KEYS) {
        const operation = member(item, key);
        if (!isMembers(operation)) continue;
        found.push(this.#operation({ path, key, operation, item }));
        if (found.length > IMPORT_LIMITS.operationsMax) {
          const limit = String(IMPORT_LIMITS.operationsMax);
          refuseImport(
            'too_many_operations',
            `the document has more than ${limit} operations`,
            '/paths',
          );
        }
      }
    }
    return found;
  }

  #operation(source: Source): DraftOperation {
    const { path, key, operation, item } = source;
    const method = METHODS[key];
    this.#schemas.begin();
    const id = text(operation, 'operationId') ?? `${key} ${path}`;
    const name = plainName(id, this.#names);
    this.#names.add(name);
    const draft = new Arguments(this.#schemas);
    draft.parameters([...list(item, 'parameters'), ...list(operation, 'parameters')], path);
    const body = method === 'GET' ? NO_BODY : draft.body(member(operation, 'requestBody'));
    const { kind, reason } = guessKind(method, [id, path]);
    const summary = text(operation, 'summary') ?? text(operation, 'description');
    return {
      name,
      kind,
      kindReason: reason,
      ...(summary === undefined ? {} : { summary }),
      method,
      path: draft.path(path),
      query: draft.query,
      headers: draft.headers,
      body,
      arguments: draft.fields,
      comments: [
        ...(member(operation, 'deprecated') === true ? ['deprecated'] : []),
        ...draft.comments,
      ],
    };
  }
}

interface Source {
  readonly path: string;
  readonly key: MethodKey;
  readonly operation: Members;
  readonly item: Members;
}

const NO_BODY = { kind: 'none' } as const;

/** The arguments of one operation, and where each of them goes. */
class Arguments {
  readonly fields: DraftField[] = [];
  readonly query: DraftPlace[] = [];
  readonly headers: DraftPlace[] = [];
  readonly comments: string[] = [];
  readonly #schemas: Schemas;
  readonly #taken = new Set<string>();
  readonly #inPath = new Map<string, string>();

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  /** An argument for a wire name; `undefined` where there are too many. */
  #add(
    wire: string,
    schema: unknown,
    rest: { optional: boolean; asText: boolean },
  ): string | undefined {
    if (isForbidden(wire)) return undefined;
    if (this.fields.length >= IMPORT_LIMITS.argumentsMax) {
      this.comments.push(`left out: ${wire}, for there are too many arguments`);
      return undefined;
    }
    const name = argumentName(wire, this.#taken);
    this.#taken.add(name);
    const typed = this.#schemas.typed(schema);
    const isText = typed.type.kind === 'short' || typed.type.kind === 'enum';
    const { type, comments } =
      rest.asText && !isText
        ? {
            type: short('string(1000)'),
            comments: ['guessed: a text, for a list has no place here'],
          }
        : typed;
    this.fields.push({ name, type, optional: rest.optional, comments });
    return name;
  }

  parameters(given: readonly unknown[], path: string): void {
    // An operation's parameter stands for one of the same place and name around it.
    const known = new Map<string, Members>();
    for (const each of given) {
      const parameter = this.#schemas.follow(each) ?? {};
      known.set(`${text(parameter, 'in') ?? ''} ${text(parameter, 'name') ?? ''}`, parameter);
    }
    for (const parameter of known.values()) this.#parameter(parameter);
    for (const [, wire = ''] of path.matchAll(/\{([^{}]+)\}/gu)) {
      if (!this.#inPath.has(wire)) this.#path(wire, {});
    }
  }

  #parameter(parameter: Members): void {
    const wire = text(parameter, 'name') ?? '';
    const content = Object.values(own(parameter, 'content'))[0];
    const schema = member(parameter, 'schema') ?? member(content, 'schema') ?? {};
    const optional = member(parameter, 'required') !== true;
    switch (text(parameter, 'in') ?? '') {
      case 'path':
        return this.#path(wire, schema);
      case 'query': {
        const name = this.#add(wire, schema, { optional, asText: true });
        if (name !== undefined && wire !== '') this.query.push([wire, `$${name}`]);
        return;
      }
      case 'header':
        return this.#header(wire, schema, optional);
      default:
        this.comments.push(`left out: ${wire}, for cookies are not sent`);
    }
  }

  #path(wire: string, schema: unknown): void {
    const name = this.#add(wire, schema, { optional: false, asText: true });
    if (name !== undefined) this.#inPath.set(wire, name);
  }

  #header(wire: string, schema: unknown, optional: boolean): void {
    const lower = wire.toLowerCase();
    if (RESERVED_HEADERS.has(lower) || !/^[!#$%&'*+.^_`|~0-9a-z-]+$/u.test(lower)) {
      this.comments.push(`left out: header ${wire}, which only the layer sets`);
      return;
    }
    const name = this.#add(wire, schema, { optional, asText: true });
    if (name !== undefined) this.headers.push([wire, `$${name}`]);
  }

  /** The path as the inventory has it: arguments by their names, the rest encoded as a URL has it. */
  path(path: string): string {
    const parts = path.split(/(\{[^{}]*\})/u).map((part) => {
      const wire = /^\{([^{}]*)\}$/u.exec(part)?.[1];
      const name = wire === undefined ? undefined : this.#inPath.get(wire);
      return name === undefined ? plainPath(part) : `{${name}}`;
    });
    const joined = parts.join('');
    return joined.startsWith('/') ? joined : `/${joined}`;
  }

  body(given: unknown): DraftOperation['body'] {
    const body = given === undefined ? undefined : this.#schemas.follow(given);
    const content = own(body ?? {}, 'content');
    const types = Object.keys(content);
    const json = types.find((type) => /^application\/(?:[\w.+-]+\+)?json\b/u.test(type));
    const form = types.find((type) => type.startsWith('application/x-www-form-urlencoded'));
    const type = json ?? form;
    if (type === undefined) {
      if (types.length > 0)
        this.comments.push(`left out: the body, which is ${types.join(' or ')}`);
      return NO_BODY;
    }
    const optional = member(body, 'required') !== true;
    return this.#members(member(content[type], 'schema') ?? {}, {
      kind: json === undefined ? 'form' : 'json',
      optional,
    });
  }

  #members(
    given: unknown,
    rest: { readonly kind: 'form' | 'json'; readonly optional: boolean },
  ): DraftOperation['body'] {
    const found = this.#schemas.follow(given) ?? {};
    const schema = this.#schemas.merged(found);
    const properties = this.#schemas.properties(schema);
    if (properties.length === 0) {
      const name =
        rest.kind === 'json'
          ? this.#add('body', given, { optional: false, asText: false })
          : undefined;
      return name === undefined ? NO_BODY : { kind: 'whole', argument: name };
    }
    const members = properties.flatMap((each) => {
      const optional = each.optional || rest.optional;
      const asText = rest.kind === 'form';
      const name = this.#add(each.name, each.schema, { optional, asText });
      return name === undefined || each.name === '' ? [] : [[each.name, `$${name}`] as const];
    });
    return { kind: rest.kind, members };
  }
}

function own(value: Members, name: string): Members {
  const found = member(value, name);
  return isMembers(found) ? found : {};
}

/** Literal text of a path as a URL parser writes it. */
function plainPath(part: string): string {
  const encoded = part.replaceAll(/[^\w/.~:@!$&'()*+,;=%-]/gu, (each) =>
    encodeURIComponent(each.isWellFormed() ? each : '-'),
  );
  return encoded
    .split('/')
    .filter((segment, index) => index === 0 || (segment !== '.' && segment !== '..'))
    .join('/')
    .replaceAll(/\/{2,}/gu, '/');
}
