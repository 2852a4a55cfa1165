/** A target reached by HTTP: where it is, which addresses are meant, how requests authenticate. */
import { parseAddressRange } from '../../kernel/address.ts';
import type { DocumentNode } from '../../kernel/document.ts';
import type { Members } from '../../kernel/document-reader.ts';
import type { HttpAuth, HttpTarget } from '../../kernel/inventory.ts';
import { INVENTORY_LIMITS } from './limits.ts';
import { bounded, type InventoryReading, refuse } from './reading.ts';

/** Reads a URL alone, or `{ url, auth, allow }`. */
export function readHttp(reading: InventoryReading, node: DocumentNode): HttpTarget | undefined {
  const { reader } = reading;
  if (node.kind === 'scalar') {
    const url = readBase(reading, node);
    return url === undefined
      ? undefined
      : { kind: 'http', url, auth: 'none', addressesAllowed: [] };
  }
  const members = reader.mapping(node, {
    what: 'http',
    required: ['url'],
    optional: ['auth', 'allow'],
  });
  const [urlNode, authNode] = [members?.get('url'), members?.get('auth')];
  const auth = authNode === undefined ? 'none' : readAuth(reading, authNode);
  const limit = { what: 'allow', max: INVENTORY_LIMITS.rangesMax };
  const addressesAllowed = bounded(reading, members?.get('allow'), limit).flatMap(
    (item) => readRange(reading, item) ?? [],
  );
  const url = urlNode === undefined ? undefined : readBase(reading, urlNode);
  if (url === undefined || auth === undefined) return undefined;
  if (auth === 'mtls' && !url.startsWith('https:')) {
    const message = 'a client certificate is shown over https only';
    return refuse(reading, { code: 'bad_auth', position: node.position, message });
  }
  return { kind: 'http', url, auth, addressesAllowed };
}

/** What the paths of operations are appended to. */
function readBase(reading: InventoryReading, node: DocumentNode): string | undefined {
  return readUrl(reading, node)?.replace(/\/$/u, '');
}

/** An http or https URL that names a system or a place in it, and nothing else. */
function readUrl(reading: InventoryReading, node: DocumentNode): string | undefined {
  const text = reading.reader.text(node, 'url');
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const isPlain =
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.username === '' &&
    url.password === '' &&
    !/[?#]/u.test(text);
  if (isPlain) return url.href;
  return refuse(reading, {
    code: 'bad_url',
    position: node.position,
    // The text itself may hold a password.
    message: 'the url is not http or https without user, query and fragment',
    hint: 'such as `https://api.example.com/v1`; secrets go under `credentials:`',
  });
}

function readRange(reading: InventoryReading, node: DocumentNode): string | undefined {
  const text = reading.reader.text(node, 'allow');
  if (text === undefined) return undefined;
  if (parseAddressRange(text) !== undefined) return text;
  return refuse(reading, {
    code: 'bad_range',
    position: node.position,
    message: `\`${text}\` is not a range of addresses`,
    hint: 'such as `127.0.0.0/8` or `10.20.0.7/32`',
  });
}

// ---------------------------------------------------------------- auth

const PLAIN_AUTHS = ['none', 'bearer', 'basic', 'mtls'] as const;

/** A word, or `{ oauth2: { tokenUrl, scope, audience } }`, or `{ sigv4: { region, service } }`. */
function readAuth(reading: InventoryReading, node: DocumentNode): HttpAuth | undefined {
  const { reader } = reading;
  if (node.kind === 'scalar') return reader.oneOf(node, 'auth', PLAIN_AUTHS);
  const members = reader.mapping(node, { what: 'auth', optional: ['oauth2', 'sigv4'] });
  if (members === undefined) return undefined;
  const [oauth2, sigv4] = [members.get('oauth2'), members.get('sigv4')];
  if (oauth2 !== undefined && sigv4 === undefined) return readOauth2(reading, oauth2);
  if (sigv4 !== undefined && oauth2 === undefined) return readSigv4(reading, sigv4);
  const message = 'an auth that takes settings is one of `oauth2` and `sigv4`';
  return refuse(reading, { code: 'bad_auth', position: node.position, message });
}

function readOauth2(reading: InventoryReading, node: DocumentNode): HttpAuth | undefined {
  const members = reading.reader.mapping(node, {
    what: 'oauth2',
    required: ['tokenUrl'],
    optional: ['scope', 'audience'],
  });
  const urlNode = members?.get('tokenUrl');
  if (members === undefined || urlNode === undefined) return undefined;
  const tokenUrl = readUrl(reading, urlNode);
  const scope = readSetting(
    reading,
    members,
    'scope',
    /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/u,
  );
  const audience = readSetting(reading, members, 'audience', /^\P{Cc}+$/u);
  if (tokenUrl === undefined || scope === null || audience === null) return undefined;
  return {
    kind: 'oauth2',
    tokenUrl,
    ...(scope === undefined ? {} : { scope }),
    ...(audience === undefined ? {} : { audience }),
  };
}

function readSigv4(reading: InventoryReading, node: DocumentNode): HttpAuth | undefined {
  const required = ['region', 'service'] as const;
  const members = reading.reader.mapping(node, { what: 'sigv4', required });
  if (members === undefined) return undefined;
  const region = readSetting(reading, members, 'region', /^[a-z0-9-]{1,64}$/u);
  const service = readSetting(reading, members, 'service', /^[A-Za-z0-9-]{1,64}$/u);
  if (typeof region !== 'string' || typeof service !== 'string') return undefined;
  return { kind: 'sigv4', region, service };
}

/** A text of a form; `undefined` where it is absent, `null` where it was refused. */
function readSetting(
  reading: InventoryReading,
  members: Members,
  what: 'scope' | 'audience' | 'region' | 'service',
  form: RegExp,
): string | null | undefined {
  const node = members.get(what);
  if (node === undefined) return undefined;
  const text = reading.reader.text(node, what);
  if (text === undefined) return null;
  if (text.length <= SETTING_LENGTH_MAX && form.test(text)) return text;
  const message = `\`${text}\` is no ${what}`;
  refuse(reading, { code: 'bad_auth', position: node.position, message });
  return null;
}

const SETTING_LENGTH_MAX = 1024;

/** Plain HTTP that leaves this machine, on the way to the target or to where its tokens come from. */
export function isClear({ url, auth }: HttpTarget): boolean {
  const tokens = typeof auth === 'object' && auth.kind === 'oauth2' ? [auth.tokenUrl] : [];
  return [url, ...tokens].some(leavesInClear);
}

function leavesInClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u.test(hostname);
}
