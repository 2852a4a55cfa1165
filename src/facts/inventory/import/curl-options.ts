/** What a curl command line says, by its options. Nothing is fetched, run or read from a file. */
import { refuseImport } from './draft.ts';
import { shellWords, type ShellWord } from './shell-words.ts';

/** One part of a body: `raw` as it stands, `encode` as `name=value` still to be encoded. */
export interface CurlData {
  readonly how: 'raw' | 'encode' | 'json';
  readonly text: string;
}

/** A parsed command line. It may hold secrets; nothing of it but names goes on unseen. */
export interface CurlCommand {
  readonly url: string;
  readonly method: string | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly data: readonly CurlData[];
  readonly asQuery: boolean;
  readonly auth: 'none' | 'bearer' | 'basic';
  readonly comments: readonly string[];
}

/** What an option means here. */
type Meaning =
  | 'method'
  | 'header'
  | 'data'
  | 'data-raw'
  | 'data-encode'
  | 'json'
  | 'get'
  | 'url'
  | 'user'
  | 'bearer'
  | 'agent'
  | 'referer'
  | 'cookie'
  | 'head'
  | 'insecure'
  | 'ignored'
  | 'ignored-value'
  | 'file'
  | 'parts';

const LONG: Readonly<Record<string, Meaning>> = {
  request: 'method',
  header: 'header',
  data: 'data',
  'data-ascii': 'data',
  'data-binary': 'data',
  'data-raw': 'data-raw',
  'data-urlencode': 'data-encode',
  json: 'json',
  get: 'get',
  url: 'url',
  user: 'user',
  'oauth2-bearer': 'bearer',
  'user-agent': 'agent',
  referer: 'referer',
  cookie: 'cookie',
  head: 'head',
  insecure: 'insecure',
  ...valued('ignored', [
    'silent',
    'show-error',
    'location',
    'verbose',
    'include',
    'fail',
    'fail-with-body',
    'compressed',
    'globoff',
    'no-progress-meter',
    'progress-bar',
    'http1.1',
    'http2',
    'http3',
    'tlsv1.2',
    'tlsv1.3',
    'ipv4',
    'ipv6',
  ]),
  ...valued('ignored-value', [
    'output',
    'max-time',
    'connect-timeout',
    'retry',
    'write-out',
    'max-redirs',
  ]),
  ...valued('file', ['upload-file', 'config', 'cert', 'key', 'cacert', 'cookie-jar', 'netrc-file']),
  ...valued('parts', ['form', 'form-string']),
};

const SHORT: Readonly<Record<string, string>> = {
  X: 'request',
  H: 'header',
  d: 'data',
  G: 'get',
  u: 'user',
  A: 'user-agent',
  e: 'referer',
  b: 'cookie',
  I: 'head',
  k: 'insecure',
  s: 'silent',
  S: 'show-error',
  L: 'location',
  v: 'verbose',
  i: 'include',
  f: 'fail',
  g: 'globoff',
  o: 'output',
  m: 'max-time',
  w: 'write-out',
  T: 'upload-file',
  K: 'config',
  E: 'cert',
  c: 'cookie-jar',
  F: 'form',
  '4': 'ipv4',
  '6': 'ipv6',
};

function valued(meaning: Meaning, names: readonly string[]): Readonly<Record<string, Meaning>> {
  return Object.fromEntries(names.map((name) => [name, meaning]));
}

const FLAGS: ReadonlySet<Meaning> = new Set(['get', 'head', 'insecure', 'ignored']);

/** Parses the line. Refusals: those of `shellWords`, and what is said of options in `IMPORT_CODES`. */
export function parseCurl(line: string): CurlCommand {
  const [program, ...words] = shellWords(line.trim());
  if (program?.text !== 'curl') {
    refuseImport('not_curl', 'the line does not begin with `curl`', String(program?.at ?? 1));
  }
  return new Parsing(words).command();
}

class Parsing {
  readonly #words: readonly ShellWord[];
  #index = 0;
  readonly #headers: (readonly [string, string])[] = [];
  readonly #data: CurlData[] = [];
  readonly #comments: string[] = [];
  #url: string | undefined;
  #method: string | undefined;
  #asQuery = false;
  #auth: CurlCommand['auth'] = 'none';

  constructor(words: readonly ShellWord[]) {
    this.#words = words;
  }

  command(): CurlCommand {
    let onlyPlain = false;
    while (this.#index < this.#words.length) {
      const word = this.#words[this.#index];
      this.#index += 1;
      if (word === undefined) break;
      if (!onlyPlain && word.text === '--') onlyPlain = true;
      else if (!onlyPlain && word.text.startsWith('--')) this.#long(word);
      else if (!onlyPlain && word.text.startsWith('-') && word.text !== '-') this.#short(word);
      else this.#setUrl(word.text, word.at);
    }
    if (this.#url === undefined) refuseImport('url_missing', 'the line names no address');
    return {
      url: this.#url,
      method: this.#method,
      headers: this.#headers,
      data: this.#data,
      asQuery: this.#asQuery,
      auth: this.#auth,
      comments: this.#comments,
    };
  }

  #setUrl(text: string, at: number): void {
    if (this.#url !== undefined) {
      refuseImport('url_refused', 'the line names two addresses', String(at));
    }
    this.#url = text;
  }

  #long({ text, at }: ShellWord): void {
    const name = text.slice(2);
    const meaning = Object.hasOwn(LONG, name) ? LONG[name] : undefined;
    if (meaning === undefined) this.#unknown(`--${name}`, at);
    this.#option(meaning, FLAGS.has(meaning) ? '' : this.#value(`--${name}`, at), at);
  }

  /** `-sSL` is three flags; in `-XPOST` the rest is the value. */
  #short({ text, at }: ShellWord): void {
    for (let index = 1; index < text.length; index += 1) {
      const letter = text[index] ?? '';
      const name = Object.hasOwn(SHORT, letter) ? SHORT[letter] : undefined;
      const meaning = name === undefined ? undefined : LONG[name];
      if (meaning === undefined) this.#unknown(`-${letter}`, at);
      if (!FLAGS.has(meaning)) {
        const rest = text.slice(index + 1);
        return this.#option(meaning, rest === '' ? this.#value(`-${letter}`, at) : rest, at);
      }
      this.#option(meaning, '', at);
    }
  }

  #unknown(name: string, at: number): never {
    // What stands after the name may be a secret, so only the name is told.
    const plain = name.replace(/[^\w.-].*$/su, '').slice(0, 40);
    const message = `option \`${plain}\` is not one that is understood`;
    return refuseImport('option_unknown', message, String(at));
  }

  #value(name: string, at: number): string {
    const word = this.#words[this.#index];
    this.#index += 1;
    if (word !== undefined) return word.text;
    return refuseImport('option_without_value', `option \`${name}\` has no value`, String(at));
  }

  #option(meaning: Meaning, value: string, at: number): void {
    switch (meaning) {
      case 'method':
        this.#method = value.toUpperCase();
        return;
      case 'head':
        this.#method = 'HEAD';
        return;
      case 'get':
        this.#asQuery = true;
        return;
      case 'url':
        return this.#setUrl(value, at);
      case 'header':
        return this.#header(value, at);
      case 'data':
        this.#noFile(value.startsWith('@'), at);
        // As curl does: what stands in the line loses nothing, for only files do.
        this.#data.push({ how: 'raw', text: value });
        return;
      case 'data-raw':
        this.#data.push({ how: 'raw', text: value });
        return;
      case 'data-encode':
        this.#noFile(/^[^=]*@/u.test(value), at);
        this.#data.push({ how: 'encode', text: value });
        return;
      case 'json':
        this.#noFile(value.startsWith('@'), at);
        this.#data.push({ how: 'json', text: value });
        return;
      case 'user':
        this.#auth = 'basic';
        return;
      case 'bearer':
        this.#auth = 'bearer';
        return;
      case 'cookie':
        this.#comments.push('left out: cookies, which are not sent');
        return;
      case 'insecure':
        this.#comments.push('left out: -k, for certificates are always checked');
        return;
      case 'file':
        return this.#noFile(true, at);
      case 'parts':
        return refuseImport(
          'body_unsupported',
          'a form of several parts cannot be sent',
          String(at),
        );
      case 'agent':
      case 'referer':
      case 'ignored':
      case 'ignored-value':
        return;
      default:
        meaning satisfies never;
    }
  }

  #noFile(isFile: boolean, at: number): void {
    if (isFile) refuseImport('file_reference', 'a file would be read, and none is', String(at));
  }

  #header(value: string, at: number): void {
    this.#noFile(value.startsWith('@'), at);
    const mark = value.indexOf(':');
    const name = value.slice(0, mark === -1 ? value.length : mark).trim();
    const text = mark === -1 ? '' : value.slice(mark + 1).trim();
    if (name.toLowerCase() !== 'authorization') {
      this.#headers.push([name, text]);
      return;
    }
    const scheme = text.split(/\s/u)[0]?.toLowerCase();
    if (scheme === 'basic') this.#auth = 'basic';
    else {
      this.#auth = 'bearer';
      if (scheme !== 'bearer')
        this.#comments.push('guessed: `auth: bearer`, for the scheme is another');
    }
  }
}
