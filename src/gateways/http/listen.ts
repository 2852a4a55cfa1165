/** Listening: the app behind Node's own HTTP server, with every limit that belongs to a connection. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { ERROR_CODES, errorType, type ErrorCode } from '../../protocol/errors.ts';
import { MEDIA_TYPES } from '../../protocol/headers.ts';
import { ROUTES } from '../../protocol/routes.ts';
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
  // What it takes for no request, such as one without a host, it would answer with an empty 400.
  const listener = getRequestListener(app.fetch, { errorHandler: () => malformed() });
  const uploads = new WeakSet<Socket>();
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headerMsMax,
      requestTimeout: limits.headerMsMax + limits.bodyMsMax,
      keepAliveTimeout: limits.idleMsMax,
      connectionsCheckingInterval: 1000,
      noDelay: true,
      // Node's own answer to a request without a host is empty; it is refused as the others are.
      requireHostHeader: false,
    },
    (incoming, outgoing) => {
      if (isUpload(incoming)) {
        uploads.add(incoming.socket);
        incoming.once('close', () => uploads.delete(incoming.socket));
      }
      void listener(incoming, outgoing);
    },
  );
  // Node would answer an expectation that it does not know with an empty 417; RFC 9110 lets it be ignored.
  server.on('checkExpectation', (incoming, outgoing) => void listener(incoming, outgoing));
  server.maxConnections = limits.connectionsMax;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Its handler has a limit of its own, and bounds each pause.
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && uploads.has(socket)) return;
    if (!socket.writable || error.code === 'ECONNRESET') socket.destroy();
    else socket.end(rawProblem(codeOf(error.code)));
  });
  return server;
}

/** Bytes of any length may take longer than a request otherwise may. */
function isUpload({ method, url }: IncomingMessage): boolean {
  return method === 'PUT' && url?.startsWith(UPLOADS) === true;
}

const UPLOADS = ROUTES.putBlob.path.replace(/\{.*$/u, '');

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

function malformed(): Response {
  return new Response(problemText('request_malformed'), {
    status: ERROR_CODES.request_malformed.status,
    headers: {
      'content-type': MEDIA_TYPES.problem,
      'cache-control': 'no-store',
      connection: 'close',
    },
  });
}

function problemText(code: ErrorCode): string {
  const { status, title, doc } = ERROR_CODES[code];
  const problem = { type: errorType(code), title, status, code, detail: doc, executed: 'no' };
  return JSON.stringify(problem);
}

/** The answer to bytes that never became a request. */
function rawProblem(code: ErrorCode): string {
  const { status, title } = ERROR_CODES[code];
  const body = problemText(code);
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
