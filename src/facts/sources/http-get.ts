/**
 * Fetches the JSON of a fact: one GET, no redirects, no credentials, no cookies. Every address that
 * the host has is judged before anything is sent, and the connection goes to a judged address only.
 */
import { lookup as systemLookup } from 'node:dns/promises';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { parseAddress, parseAddressRange, reachOf } from '../../kernel/address.ts';
import type { FactSource } from '../../kernel/policy.ts';
import { FactRefusal, systemCodeOf } from './refusal.ts';

/** All addresses of a host, as `node:dns` gives them. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>;

/** Asks the system's resolver. */
export const SYSTEM_LOOKUP: Lookup = (host) => systemLookup(host, { all: true, order: 'verbatim' });

/** Addresses of one host that are judged; a host with more is refused. */
const ADDRESSES_MAX = 64;

type HttpSource = Extract<FactSource, { readonly kind: 'http' }>;

/** How a fact is fetched over HTTP. */
export interface GetOptions {
  readonly lookup: Lookup;
  readonly bytesMax: number;
  readonly signal: AbortSignal;
}

/** The body of a 200 answer; throws `FactRefusal`. */
export async function httpGet(source: HttpSource, options: GetOptions): Promise<Uint8Array> {
  const url = URL.parse(source.url);
  if (url === null) throw new FactRefusal('fact_unreachable', 'the url is not one');
  const pinned = await judgedAddress(url, source, options);
  options.signal.throwIfAborted();
  const answer = await send(url, pinned, options.signal);
  if (answer.statusCode !== 200) {
    answer.destroy();
    const message = `the source answered with status ${answer.statusCode ?? 'none'}`;
    throw new FactRefusal('fact_unreachable', message);
  }
  if ((answer.headers['content-encoding'] ?? 'identity') !== 'identity') {
    answer.destroy();
    throw new FactRefusal('fact_malformed', 'the answer is compressed, which was not asked for');
  }
  return readBody(answer, options.bytesMax);
}

interface Pinned {
  readonly address: string;
  readonly family: 4 | 6;
}

/** UNTRUSTED: a name resolves to whatever its owner says, so each address of it must be allowed. */
async function judgedAddress(url: URL, source: HttpSource, options: GetOptions): Promise<Pinned> {
  const host = url.hostname.replace(/^\[|\]$/gu, '');
  const isLiteral = parseAddress(host) !== undefined;
  const found = isLiteral ? [{ address: host }] : await resolve(host, options);
  const ranges = source.addressesAllowed.flatMap((text) => parseAddressRange(text) ?? []);
  const judged = found.map(({ address }) => {
    const bytes = parseAddress(address);
    const reach = bytes === undefined ? 'refused' : reachOf(bytes, ranges);
    return { address, family: bytes?.length === 4 ? (4 as const) : (6 as const), reach };
  });
  const [first] = judged;
  if (first === undefined || judged.length > ADDRESSES_MAX) {
    throw new FactRefusal('fact_unreachable', `\`${host}\` has no usable address`);
  }
  if (judged.some(({ reach }) => reach === 'refused')) {
    const message = `\`${host}\` has an address that is not public and not allowed by name`;
    throw new FactRefusal('fact_unreachable', message);
  }
  // Over plain HTTP anybody on the way can say what the fact is; inside a network the operator
  // named, that is the operator's choice.
  if (url.protocol !== 'https:' && judged.some(({ reach }) => reach !== 'named')) {
    const message = `\`${host}\` is asked over plain http and is not allowed by name`;
    throw new FactRefusal('fact_unreachable', message);
  }
  return first;
}

async function resolve(
  host: string,
  { lookup }: GetOptions,
): Promise<readonly { readonly address: string }[]> {
  try {
    return await lookup(host);
  } catch (error) {
    const message = `\`${host}\` has no address: ${systemCodeOf(error)}`;
    throw new FactRefusal('fact_unreachable', message, { cause: error });
  }
}

function send(
  url: URL,
  { address, family }: Pinned,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((answered, failed) => {
    const sent = request(url, {
      method: 'GET',
      headers: { accept: 'application/json', 'accept-encoding': 'identity' },
      // A connection of its own: one that is kept alive may have been judged for another fact.
      agent: false,
      signal,
      maxHeaderSize: 16_384,
      lookup: (_host, options, done) => {
        if (options.all === true) done(null, [{ address, family }]);
        else done(null, address, family);
      },
    });
    sent.once('response', answered);
    sent.once('error', (cause) => {
      const message = `\`${url.host}\` cannot be asked: ${systemCodeOf(cause)}`;
      failed(new FactRefusal('fact_unreachable', message, { cause }));
    });
    sent.end();
  });
}

async function readBody(answer: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of answer) {
      const bytes: Uint8Array = chunk;
      length += bytes.length;
      if (length > bytesMax) {
        throw new FactRefusal('fact_too_large', `the answer has more than ${bytesMax} bytes`);
      }
      chunks.push(bytes);
    }
  } catch (cause) {
    if (cause instanceof FactRefusal) throw cause;
    const message = `the answer broke off: ${systemCodeOf(cause)}`;
    throw new FactRefusal('fact_unreachable', message, { cause });
  }
  return Buffer.concat(chunks, length);
}
