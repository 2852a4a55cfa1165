/** Listening: the app behind Node's own HTTP server, with every limit that belongs to a connection. */
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { ERROR_CODES, errorType, type ErrorCode } from '../../protocol/errors.ts';
import type { HttpApp } from './app.ts';

/** A gateway that listens. */
export interface Listening {
  /** Where it listens, as bound. */
  readonly host: string;
  readonly port: number;
  /**
   * Ends waits and streams, lets answers go out for `graceMs`, then cuts off what is left. Connections
   * close as soon as nothing is asked on them. Safe to call twice.
   */
  close(graceMs: number): Promise<void>;
}

/** How often, while closing, connections are looked at that became idle; Node itself looks once. */
const IDLE_LOOK_MS = 20;

/** Listens at one address; port 0 is any free one. Rejects with Node's own error, such as `EADDRINUSE`. */
export async function listen(
  app: HttpApp,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listening> {
  const server = serverOf(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  let closing: Promise<void> | undefined;
  return {
    host: address.address,
    port: address.port,
    close: async (graceMs) => {
      closing ??= close(app, server, graceMs);
      return closing;
    },
  };
}

function serverOf(app: HttpApp): Server {
  const { limits } = app;
  // The library's own `Request` and `Response` take the place of Node's: twice as many answers a second.
  const listener = getRequestListener(app.fetch);
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headerMsMax,
      requestTimeout: limits.headerMsMax + limits.bodyMsMax,
      keepAliveTimeout: limits.idleMsMax,
      connectionsCheckingInterval: 1000,
      noDelay: true,
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  server.maxConnections = limits.connectionsMax;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') socket.destroy();
    else socket.end(rawProblem(codeOf(error.code)));
  });
  return server;
}

async function close(app: HttpApp, server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  // Whoever asks again on a connection that was kept is told to let go of it.
  server.prependListener('request', (_, outgoing) => outgoing.setHeader('Connection', 'close'));
  app.stop();
  server.closeIdleConnections();
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}

function codeOf(cause: string | undefined): ErrorCode {
  if (cause === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  return cause === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'request_malformed';
}

/** The answer to bytes that never became a request. */
function rawProblem(code: ErrorCode): string {
  const { status, title, doc } = ERROR_CODES[code];
  const problem = { type: errorType(code), title, status, code, detail: doc, executed: 'no' };
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${String(status)} ${title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Cache-Control: no-store',
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
