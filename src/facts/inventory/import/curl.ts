/**
 * One operation of an inventory from one curl command line. What the line holds as examples becomes
 * arguments by name and type; none of its values is written down but those of plain headers, for any
 * of them may be a secret.
 */
import type { HttpOperation } from '../../../kernel/inventory.ts';
import { RESERVED_HEADERS } from '../../../kernel/reserved-headers.ts';
import { parseCurl, type CurlCommand } from './curl-options.ts';
import {
  IMPORT_LIMITS,
  importing,
  refuseImport,
  type DraftField,
  type DraftOperation,
  type DraftPlace,
  type Imported,
} from './draft.ts';
import { guessKind } from './guess-kind.ts';
import { argumentName, isForbidden, plainName } from './names.ts';
import { typeOfField, typeOfSample, typeOfText } from './sample.ts';
import { isMembers, type Typed } from './schema.ts';
import { writeDraft } from './write-draft.ts';

/** An inventory with the one operation of the line. Refusals: `IMPORT_CODES`. */
export function importCurl(line: string, options: { readonly target?: string } = {}): Imported {
  return importing(() => {
    const command = parseCurl(line);
    const url = urlOf(command);
    const auth = url.username === '' && url.password === '' ? command.auth : 'basic';
    const target = {
      name: options.target ?? plainName(url.hostname, new Set()),
      url: url.origin,
      auth,
      comments: [],
      operations: [new Drafting(command, url).operation()],
    };
    return { text: writeDraft([target], 'a curl command'), operations: 1 };
  });
}

function urlOf({ url }: CurlCommand): URL {
  const parsed = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//iu.test(url) ? url : `http://${url}`);
  if (parsed === null || !/^https?:$/u.test(parsed.protocol)) {
    return refuseImport('url_refused', 'the address is not http or https');
  }
  // curl itself makes many addresses out of these.
  if (/[{}[\]]/u.test(parsed.pathname + parsed.search) || /[{}]/u.test(url)) {
    return refuseImport('url_refused', 'the address has braces or brackets');
  }
  if (parsed.pathname.includes('//')) {
    refuseImport('url_refused', 'the address has an empty part between two slashes');
  }
  return parsed;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Names of what is secret as often as not. */
const SECRET = /key|token|secret|passw|pwd|auth|signature|credential|session|cookie|bearer/iu;

class Drafting {
  readonly #command: CurlCommand;
  readonly #url: URL;
  readonly #fields: DraftField[] = [];
  readonly #query: DraftPlace[] = [];
  readonly #headers: DraftPlace[] = [];
  readonly #comments: string[];
  readonly #taken = new Set<string>();

  constructor(command: CurlCommand, url: URL) {
    this.#command = command;
    this.#url = url;
    this.#comments = [...command.comments];
  }

  operation(): DraftOperation {
    const { data, asQuery } = this.#command;
    const method = this.#method();
    const path = this.#path();
    for (const [name, value] of this.#url.searchParams) this.#addQuery(name, value);
    if (asQuery) {
      for (const [name, value] of formOf(this.#command)) this.#addQuery(name, value);
    }
    for (const [name, value] of this.#command.headers) this.#header(name, value);
    const body = asQuery || data.length === 0 ? ({ kind: 'none' } as const) : this.#body();
    if (method === 'GET' && body.kind !== 'none') {
      refuseImport('body_unsupported', 'a GET has no body; use `-G` to send it as a query');
    }
    const words = path.replaceAll(/\{[^{}]*\}/gu, ' ');
    const { kind, reason } = guessKind(method, [words]);
    return {
      name: plainName(`${method} ${words}`, new Set()),
      kind,
      kindReason: reason,
      method,
      path,
      query: this.#query,
      headers: this.#headers,
      body,
      arguments: this.#fields,
      comments: this.#comments,
    };
  }

  #method(): HttpOperation['method'] {
    const { method, data, asQuery } = this.#command;
    const wanted = method ?? (data.length > 0 && !asQuery ? 'POST' : 'GET');
    const known = METHODS.find((each) => each === wanted);
    return (
      known ?? refuseImport('method_unsupported', 'the method is not one an operation can have')
    );
  }

  /** An argument; `undefined` where it is left out. */
  #add(wire: string, { type, comments }: Typed): string | undefined {
    if (isForbidden(wire)) return undefined;
    const why = SECRET.test(wire) ? 'which may be a secret' : 'for there are too many arguments';
    if (SECRET.test(wire) || this.#fields.length >= IMPORT_LIMITS.argumentsMax) {
      this.#comments.push(`left out: ${wire}, ${why}`);
      return undefined;
    }
    const name = argumentName(wire, this.#taken);
    this.#taken.add(name);
    this.#fields.push({ name, type, optional: false, comments });
    return name;
  }

  /** What looks like somebody's id becomes an argument, named by what stands before it. */
  #path(): string {
    const segments = this.#url.pathname.split('/');
    return segments
      .map((segment, index) => {
        if (!looksLikeId(segment)) return segment;
        const before = (segments[index - 1] ?? '').replace(/s$/u, '');
        const isWord =
          /^[a-z][a-z-]*$/iu.test(before) && before.length < 20 && !SECRET.test(before);
        const wire = isWord ? before : 'id';
        const { type } = typeOfText(segment);
        const name = this.#add(wire, {
          type,
          comments: ['guessed: what stood here looks like an id'],
        });
        return name === undefined ? segment : `{${name}}`;
      })
      .join('/');
  }

  #addQuery(name: string, value: string): void {
    if (name === '' || this.#query.some(([known]) => known === name)) {
      this.#comments.push(`left out: ${name} in the query, once more`);
      return;
    }
    const added = this.#add(name, typeOfField(value));
    if (added !== undefined) this.#query.push([name, `$${added}`]);
  }

  #header(name: string, value: string): void {
    const lower = name.toLowerCase();
    if (lower === 'content-type') return;
    const isName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/u.test(lower) && !isForbidden(lower);
    if (RESERVED_HEADERS.has(lower) || !isName) {
      this.#comments.push(`left out: header ${name}, which only the layer sets`);
      return;
    }
    // A long run of letters and digits is a secret more often than a word.
    if (
      SECRET.test(lower) ||
      /[A-Za-z0-9+/=_-]{20}/u.test(value) ||
      !/^[\x20-\x7e]*$/u.test(value)
    ) {
      this.#comments.push(`left out: header ${name}, which may be a secret`);
      return;
    }
    if (!this.#headers.some(([known]) => known.toLowerCase() === lower)) {
      this.#headers.push([name, value.replaceAll('$', '$$$$')]);
    }
  }

  #body(): DraftOperation['body'] {
    const { data, headers } = this.#command;
    const declared = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1];
    const whole = data.map(({ text }) => text).join('');
    const isJson =
      data.some(({ how }) => how === 'json') ||
      /^application\/(?:[\w.+-]+\+)?json\b/iu.test(declared ?? '');
    if (isJson || (declared === undefined && /^\s*[[{]/u.test(whole))) {
      if (!isJson) this.#comments.push('guessed: a JSON body, for it looks like one');
      return this.#json(whole);
    }
    if (declared !== undefined && !/^application\/x-www-form-urlencoded\b/iu.test(declared)) {
      refuseImport('body_unsupported', 'the body is neither JSON nor a form');
    }
    const members = formOf(this.#command).flatMap(([name, value]) => {
      const added = name === '' ? undefined : this.#add(name, typeOfField(value));
      return added === undefined ? [] : [[name, `$${added}`] as const];
    });
    return { kind: 'form', members: distinct(members) };
  }

  #json(source: string): DraftOperation['body'] {
    let value: unknown;
    try {
      value = JSON.parse(source);
    } catch {
      // The parser's message repeats the text, which may be a secret.
      return refuseImport('body_unsupported', 'the body says it is JSON and is not');
    }
    if (!isMembers(value)) {
      const name = this.#add('body', typeOfSample(value));
      return name === undefined ? { kind: 'none' } : { kind: 'whole', argument: name };
    }
    const members = Object.entries(value).flatMap(([wire, each]) => {
      const name = wire === '' ? undefined : this.#add(wire, typeOfSample(each));
      return name === undefined ? [] : [[wire, `$${name}`] as const];
    });
    return { kind: 'json', members };
  }
}

function distinct(members: readonly DraftPlace[]): readonly DraftPlace[] {
  return [...new Map(members).entries()];
}

/** Names and values of a form, from all parts of the body. */
function formOf({ data }: CurlCommand): readonly (readonly [string, string])[] {
  return data.flatMap(({ how, text }) => {
    if (how !== 'encode') return [...new URLSearchParams(text)];
    const mark = text.indexOf('=');
    return mark === -1 ? [] : [[text.slice(0, mark), text.slice(mark + 1)] as const];
  });
}

/** Digits, a UUID, or a prefixed id such as `ch_3P`. */
function looksLikeId(segment: string): boolean {
  return (
    /^\d+$/u.test(segment) ||
    /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/iu.test(segment) ||
    /^[a-z]{2,8}_(?=\w*\d)\w{2,}$/iu.test(segment) ||
    /^(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9]{16,}$/u.test(segment)
  );
}
