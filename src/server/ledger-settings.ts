/** The `ledger:` section of a configuration: what the log is called, where its keys lie, who cosigns. */
import type { DocumentNode } from '../kernel/document.ts';
import type { DocumentReader } from '../kernel/document-reader.ts';
import { NoteError, readVerifierKey, type VerifierKey } from '../ledger/note.ts';

/** A witness that is asked for cosignatures. */
export interface WitnessSettings {
  readonly key: VerifierKey;
  /** The submission prefix. */
  readonly url: URL;
}

/** What a configuration says of the ledger. */
export interface LedgerSettings {
  /** What the origins of all tenants' logs begin with; a random one, made once, if absent. */
  readonly origin?: string;
  /** The directory of the signing keys, absolute; `keys` in the data directory if absent. */
  readonly keys?: string;
  /** Checkpoint and tiles are for everybody. */
  readonly public: boolean;
  readonly witnesses: readonly WitnessSettings[];
}

/** The settings where a configuration says nothing. */
export const LEDGER_DEFAULT: LedgerSettings = { public: false, witnesses: [] };

/** The keys of the section. */
export const LEDGER_KEYS: readonly string[] = ['origin', 'keys', 'public', 'witnesses'];

const WITNESS_KEYS: readonly string[] = ['key', 'url'];
/** A receipt waits for each of them, and a note has room for no more than sixty-four signatures. */
const WITNESSES_MAX = 16;
/** A schema-less URL: a name of a host, and what follows it. */
const ORIGIN = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?(?:\/[A-Za-z0-9._~-]+)*$/u;
const ORIGIN_LENGTH_MAX = 200;

/** Reads the section. */
export function ledgerOf(
  reader: DocumentReader,
  node: DocumentNode,
  at: (path: string) => string,
): LedgerSettings {
  const members = reader.mapping(node, { what: 'ledger', optional: LEDGER_KEYS });
  const [origin, keys, open, witnesses] = LEDGER_KEYS.map((key) => members?.get(key));
  const name = origin && originOf(reader, origin);
  const directory = keys && reader.text(keys, 'keys');
  return {
    ...(name === undefined ? {} : { origin: name }),
    ...(directory === undefined ? {} : { keys: at(directory) }),
    public: (open && reader.boolean(open, 'public')) ?? false,
    witnesses: witnesses === undefined ? [] : witnessesOf(reader, witnesses),
  };
}

function originOf(reader: DocumentReader, node: DocumentNode): string | undefined {
  const text = reader.text(node, 'origin');
  if (text === undefined) return undefined;
  if (ORIGIN.test(text) && text.length <= ORIGIN_LENGTH_MAX) return text;
  return reader.error({
    code: 'wrong_type',
    position: node.position,
    message: `\`${text}\` is no name of a log`,
    hint: 'a host and a path without a scheme, such as `log.example.com/payments`',
  });
}

function witnessesOf(reader: DocumentReader, node: DocumentNode): readonly WitnessSettings[] {
  const items = reader.list(node, 'witnesses') ?? [];
  if (items.length > WITNESSES_MAX) {
    reader.error({
      code: 'wrong_type',
      position: node.position,
      message: `there are more than ${String(WITNESSES_MAX)} witnesses`,
    });
  }
  return items.flatMap((item) => witnessOf(reader, item) ?? []);
}

function witnessOf(reader: DocumentReader, node: DocumentNode): WitnessSettings | undefined {
  const members = reader.mapping(node, { what: 'witness', required: WITNESS_KEYS });
  const key = members?.get('key');
  const url = members?.get('url');
  if (key === undefined || url === undefined) return undefined;
  const read = keyOf(reader, key);
  const address = urlOf(reader, url);
  return read === undefined || address === undefined ? undefined : { key: read, url: address };
}

function keyOf(reader: DocumentReader, node: DocumentNode): VerifierKey | undefined {
  const text = reader.text(node, 'key');
  if (text === undefined) return undefined;
  try {
    const key = readVerifierKey(text);
    if (key.kind === 'cosignature') return key;
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
  }
  return reader.error({
    code: 'wrong_type',
    position: node.position,
    message: '`key` is no key of a witness',
    hint: 'its verifier key as it publishes it: a name, 8 hex digits and base64, joined by plus signs',
  });
}

function urlOf(reader: DocumentReader, node: DocumentNode): URL | undefined {
  const text = reader.text(node, 'url');
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url !== null && isHttp && url.username === '' && url.search === '' && url.hash === '') {
    return url;
  }
  return reader.error({
    code: 'wrong_type',
    position: node.position,
    message: '`url` is no address of a witness',
    hint: 'an `https:` address without a query: its submission prefix',
  });
}
