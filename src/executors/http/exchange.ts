/**
 * One request and its answer on a connection that is already there. The first byte is written in the
 * instant after `sending` said yes; from then on every error means that the effect may have happened.
 */
import { request as startRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import type { Clock } from '../../engine/ports.ts';
import type { CompiledRequest } from './compile.ts';

/** The largest head of an answer, in bytes. */
const HEAD_BYTES_MAX = 16_384;

/** What goes over the connection, and within which limits. */
export interface Exchange {
  readonly socket: Socket;
  readonly compiled: CompiledRequest;
  /** What only the layer adds: credential, idempotency key, precondition. */
  readonly added: Readonly<Record<string, string>>;
  readonly responseBytesMax: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The last question before the first byte. */
  readonly sending: () => boolean;
}

/** How an exchange ended. */
export type Exchanged =
  /** Provably no byte was written. */
  | { readonly kind: 'not_sent'; readonly code: string; readonly message: string }
  /** Bytes were written, and no whole answer came. */
  | { readonly kind: 'lost'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      /** Not masked. */
      readonly body: Buffer;
      /** `false`: the answer was longer than `responseBytesMax`. */
      readonly complete: boolean;
    };

/** Sends once and reads the answer. Never throws for what the other side does; ends the connection. */
export async function exchange(options: Exchange): Promise<Exchanged> {
  const { socket } = options;
  if (socket.readableLength > 0) {
    // An answer before the request would be read as the answer to it.
    socket.destroy();
    return { kind: 'not_sent', code: 'connection_lost', message: 'the system spoke first' };
  }
  const client = startRequest({
    createConnection: () => socket,
    method: options.compiled.method,
    path: `${options.compiled.url.pathname}${options.compiled.url.search}`,
    headers: requestHeaders(options.compiled, options.added),
    setHost: false,
    setDefaultHeaders: false,
    maxHeaderSize: HEAD_BYTES_MAX,
    insecureHTTPParser: false,
  });
  const answer = read(client, options.responseBytesMax);
  try {
    await attached(client);
    const objection = objectionOf(options, client);
    if (objection !== undefined) return objection;
    client.end(options.compiled.body?.text);
    return await ended(answer, options);
  } finally {
    client.destroy();
    socket.destroy();
  }
}

/** Every header of a request, as it goes over the connection. */
export function requestHeaders(
  compiled: CompiledRequest,
  added: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { body, method, url } = compiled;
  const length = Buffer.byteLength(body?.text ?? '', 'utf8');
  return {
    host: url.host,
    accept: 'application/json',
    'user-agent': 'exequatur',
    ...compiled.headers,
    // A compressed answer could hide a credential from the masker.
    'accept-encoding': 'identity',
    connection: 'close',
    ...(body === undefined ? {} : { 'content-type': body.type }),
    ...(method === 'GET' ? {} : { 'content-length': String(length) }),
    ...added,
  };
}

function attached(client: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    client.once('socket', () => {
      resolve();
    });
    client.once('close', () => {
      resolve();
    });
  });
}

/** INVARIANT: nothing is awaited between the last question and the first byte. */
function objectionOf(options: Exchange, client: ClientRequest): Exchanged | undefined {
  const { socket } = options;
  if (options.signal.aborted) {
    return { kind: 'not_sent', code: 'cancelled', message: 'cancelled before the first byte' };
  }
  if (client.destroyed || socket.destroyed || !socket.writable || socket.readableEnded) {
    const message = 'the system closed the connection before the first byte';
    return { kind: 'not_sent', code: 'connection_lost', message };
  }
  if (!options.sending()) {
    return { kind: 'not_sent', code: 'not_sent', message: 'stopped before the first byte' };
  }
  return undefined;
}

async function ended(answer: Promise<Exchanged>, options: Exchange): Promise<Exchanged> {
  const { signal, clock, timeoutMs } = options;
  const over = new AbortController();
  const wait = clock.sleep(timeoutMs, AbortSignal.any([over.signal, signal]));
  const result = await Promise.race([answer, wait.then(() => undefined)]);
  over.abort();
  if (result !== undefined) return result;
  return signal.aborted
    ? { kind: 'lost', code: 'cancelled', message: 'cancelled before the answer was whole' }
    : { kind: 'lost', code: 'timeout', message: 'the answer did not come in time' };
}

/** Reads the answer up to a limit. UNTRUSTED: everything in it is the target's word. */
function read(client: ClientRequest, bytesMax: number): Promise<Exchanged> {
  return new Promise((resolve) => {
    const lost = (error?: Error): void => {
      const reason = error !== undefined && 'code' in error ? String(error.code) : 'closed';
      const message = `the connection was lost after the first byte: ${reason}`;
      resolve({ kind: 'lost', code: 'connection_lost', message });
    };
    client.on('error', lost);
    client.once('close', () => {
      lost();
    });
    client.once('upgrade', (response) => {
      resolve(answered(response, Buffer.alloc(0), true));
    });
    client.once('response', (response) => {
      const parts: Buffer[] = [];
      let left = bytesMax;
      response.on('data', (chunk: Buffer) => {
        const kept = chunk.subarray(0, left);
        parts.push(kept);
        left -= kept.length;
        if (kept.length === chunk.length) return;
        resolve(answered(response, Buffer.concat(parts), false));
        response.destroy();
      });
      response.once('end', () => {
        if (response.complete) resolve(answered(response, Buffer.concat(parts), true));
        else lost();
      });
      response.on('error', lost);
      response.once('aborted', lost);
    });
  });
}

function answered(response: IncomingMessage, body: Buffer, complete: boolean): Exchanged {
  const headers = Object.entries(response.headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
  const status = response.statusCode ?? 0;
  return { kind: 'answered', status, headers: Object.fromEntries(headers), body, complete };
}
