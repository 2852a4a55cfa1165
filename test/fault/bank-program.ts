/**
 * The bank: a recording target in a process of its own, so that it outlives every layer. Each arrival is
 * told on standard output in the instant it is read, before anything is answered. How it answers is
 * named by the end of the payee: `…!lose`, `…!slow`, `…!refuse`, `…!fail`; it obeys at once otherwise.
 */
import { writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { machineMs } from './machine.ts';

const SLOW_MS = 120;
const ANSWERS: Readonly<Record<string, number>> = { refuse: 409, fail: 503 };

const executionsByPayee = new Map<string, { readonly execution: string }[]>();
let count = 0;

const server = createServer((request, response) => {
  // A bank lives long: the wall clock itself, and not one that was set by it at the start.
  const at = { machineMs: machineMs(), wallMs: Date.now() };
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('error', () => undefined);
  request.on('end', () => {
    if (request.method === 'GET') look(request, response);
    else act(request, response, { at, text: Buffer.concat(chunks).toString() });
  });
});

function look(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://bank');
  const found =
    url.pathname === '/count'
      ? count
      : (executionsByPayee.get(url.searchParams.get('to') ?? '') ?? []);
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found));
}

function act(
  request: IncomingMessage,
  response: ServerResponse,
  { at, text }: { readonly at: { machineMs: number; wallMs: number }; readonly text: string },
): void {
  const { to, amount, execution }: Record<string, string> = JSON.parse(text);
  const operation = (request.url ?? '/').slice(1);
  count += 1;
  writeSync(1, `${JSON.stringify({ operation, to, amount, execution, ...at })}\n`);
  const [, behaviour = ''] = (to ?? '').split('!');
  const status = ANSWERS[behaviour] ?? 201;
  if (status < 400 && to !== undefined && execution !== undefined) {
    executionsByPayee.set(to, [...(executionsByPayee.get(to) ?? []), { execution }]);
  }
  if (behaviour === 'lose') {
    request.socket.destroy();
    return;
  }
  const answer = (): void => {
    if (response.destroyed) return;
    response.writeHead(status, { 'content-type': 'application/json' }).end('{"done":true}');
  };
  if (behaviour === 'slow') setTimeout(answer, SLOW_MS);
  else answer();
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  writeSync(1, `${JSON.stringify({ port })}\n`);
});
// The driver holds the other end: when it is gone, so is the bank.
process.stdin.resume().on('end', () => process.exit(0));
