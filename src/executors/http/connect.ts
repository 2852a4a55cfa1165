/**
 * The way to a target: its name resolved once, every answer checked, one connection to an address that
 * was checked. Nothing of any request is sent here.
 */
import { lookup as systemLookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import type { Clock } from '../../engine/ports.ts';
import { isSameAddress } from '../../kernel/address.ts';
import type { HttpTarget } from '../../kernel/inventory.ts';
import { refuse } from '../refusal.ts';
import { checkAddress, parseRanges, type CheckedAddress } from './address.ts';
import { baseUrl } from './compile.ts';

/** All addresses of a name, as text. Rejects where it has none. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

/** What TLS shows of the client: a certificate with its chain, and its private key; both PEM. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** What a connection needs beside the target. */
export interface Network {
  readonly clock: Clock;
  readonly lookup: Lookup;
  /** PEM certificates to trust instead of Node's own. */
  readonly certificateAuthorities: readonly string[] | undefined;
  /** For when TLS asks who the client is. */
  readonly client?: ClientCertificate | undefined;
}

/** A name with more addresses than this is not reached at all. */
const ADDRESSES_MAX = 64;
/** How many of them are tried. */
const ATTEMPTS_MAX = 4;
/** How long resolving and connecting may take together. */
const CONNECT_MS_MAX = 10_000;

/** The system's resolver: the hosts file and DNS, in the order they answer. */
export async function lookUpAll(hostname: string): Promise<readonly string[]> {
  const answers = await systemLookup(hostname, { all: true, verbatim: true });
  return answers.map(({ address }) => address);
}

/**
 * Every address of the target, checked. One that may not be reached refuses all of them: whoever can
 * answer with one such address can answer with it again when it counts.
 */
export async function resolveAddresses(
  target: HttpTarget,
  { lookup, clock }: Network,
  signal: AbortSignal,
): Promise<readonly CheckedAddress[]> {
  const { hostname } = baseUrl(target);
  const host = bareHost(hostname);
  const ranges = parseRanges(target.addressesAllowed);
  const found = isIP(host) === 0 ? await within(lookup(host), clock, signal) : [host];
  if (found.length === 0 || found.length > ADDRESSES_MAX) {
    refuse('address_unresolved', `\`${host}\` has no address, or too many`);
  }
  return found.map((text) => {
    const checked = checkAddress(text, ranges);
    if (checked !== undefined) return checked;
    return refuse('address_refused', `\`${host}\` leads to an address that is not allowed`);
  });
}

async function within(
  answer: Promise<readonly string[]>,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const over = new AbortController();
  const late = clock.sleep(CONNECT_MS_MAX, AbortSignal.any([over.signal, signal]));
  // The resolver cannot be stopped; what it says after the end is not heard.
  const found = await Promise.race([
    answer.catch((): readonly string[] => []),
    late.then(() => undefined),
  ]);
  over.abort();
  if (signal.aborted) refuse('cancelled', 'cancelled while the name was resolved');
  return found ?? refuse('timeout', 'resolving the name took too long');
}

/** The host without the brackets of an IPv6 literal. */
function bareHost(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/** The port that a URL leads to. */
function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

/**
 * Connects to the first checked address that answers, with TLS where the URL says so, and proves that
 * the socket ended where it was meant to. The caller destroys the socket.
 */
export async function connectPinned(
  target: HttpTarget,
  addresses: readonly CheckedAddress[],
  network: Network,
  signal: AbortSignal,
): Promise<Socket> {
  const until = network.clock.monotonicMs() + CONNECT_MS_MAX;
  let failure = 'no address';
  for (const address of addresses.slice(0, ATTEMPTS_MAX)) {
    const left = until - network.clock.monotonicMs();
    if (left <= 0) refuse('timeout', 'connecting took too long');
    const tried = await connectOnce(target, address, { ...network, left }, signal);
    if (typeof tried !== 'string') return tried;
    failure = tried;
  }
  return refuse('connection_failed', `no connection: ${failure}`);
}

/** A socket, or the code of the system's error. */
async function connectOnce(
  target: HttpTarget,
  { address }: CheckedAddress,
  network: Network & { readonly left: number },
  signal: AbortSignal,
): Promise<Socket | string> {
  const url = baseUrl(target);
  const socket = openSocket(url, address, network);
  const over = new AbortController();
  const ended = AbortSignal.any([over.signal, signal]);
  const result = await Promise.race([
    connected(socket, url.protocol === 'https:' ? 'secureConnect' : 'connect'),
    network.clock.sleep(network.left, ended).then(() => 'timeout'),
  ]);
  over.abort();
  const { remoteAddress } = socket;
  if (result === 'connected' && !signal.aborted) {
    if (remoteAddress !== undefined && isSameAddress(remoteAddress, address)) return socket;
    socket.destroy();
    refuse('connection_not_pinned', 'the connection does not end at the checked address');
  }
  socket.destroy();
  if (signal.aborted) refuse('cancelled', 'cancelled while connecting');
  if (result === 'timeout') refuse('timeout', 'connecting took too long');
  return result;
}

function openSocket(
  url: URL,
  address: string,
  { certificateAuthorities, client }: Network,
): Socket {
  const place = { host: address, port: portOf(url), autoSelectFamily: false };
  if (url.protocol === 'http:') return connectTcp(place);
  const host = bareHost(url.hostname);
  return connectTls({
    ...place,
    // The name is checked against the certificate, also where the address was pinned.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    ...(certificateAuthorities === undefined ? {} : { ca: [...certificateAuthorities] }),
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
  });
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<string> {
  return new Promise((resolve) => {
    socket.once(event, () => {
      resolve('connected');
    });
    // Stays for the life of the socket: whoever uses it looks at its state, and nothing is thrown.
    socket.on('error', (error) => {
      resolve('code' in error ? String(error.code) : 'error');
    });
    socket.once('close', () => {
      resolve('closed');
    });
  });
}

/** A credential, and what was made with one, goes in the clear only to addresses that the operator named. */
export function checkClear(target: HttpTarget, addresses: readonly CheckedAddress[]): void {
  const isClear = baseUrl(target).protocol === 'http:' && target.auth !== 'none';
  if (isClear && addresses.some(({ allowedByName }) => !allowedByName)) {
    refuse(
      'credential_in_clear',
      'a credential over plain http needs the address in addressesAllowed',
    );
  }
}
