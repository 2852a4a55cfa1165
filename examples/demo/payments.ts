/**
 * The demonstration's payment service: a real HTTP server in a process of its own, with charges and
 * refunds in a file of JSON lines that survives it and that anybody can read. It knows nothing of the
 * layer, so what it says happened is the judge of what the layer did.
 *
 * `node payments.ts --state FILE [--port N] [--account ID] [--mode test|live] [--answer-after-ms N]`
 *
 * Bearer tokens come from `PAYMENTS_TOKEN` (may refund) and `PAYMENTS_LOOK_TOKEN` (may only read).
 * The first line on stdout is `{"port":N,"pid":N}`. It ends when its standard input ends, if that is a pipe.
 */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { appendFileSync, existsSync, fstatSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';

interface Charge {
  readonly type: 'charge';
  readonly id: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly customer: string;
  readonly description: string;
}

interface Refund {
  readonly type: 'refund';
  readonly id: string;
  readonly charge: string;
  readonly amount: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly idempotencyKey: string | undefined;
  readonly bodyDigest: string;
  readonly at: string;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const BODY_BYTES_MAX = 65_536;

const SEED: readonly Charge[] = [
  charge('ch_3P', 18_000, 'cus_9', 'Espresso machine, ordered twice'),
  charge('ch_4Q', 4_990, 'cus_9', 'Coffee grinder'),
  charge('ch_5R', 120_000, 'cus_2', 'Office chairs, eight'),
  charge('ch_6S', 2_450, 'cus_7', 'Filter paper, a year of it'),
];

const { values: options } = parseArgs({
  options: {
    state: { type: 'string' },
    port: { type: 'string', default: '0' },
    account: { type: 'string', default: 'acct_1N' },
    mode: { type: 'string', default: 'test' },
    'answer-after-ms': { type: 'string', default: '0' },
  },
});
const { state } = options;
const actToken = process.env['PAYMENTS_TOKEN'];
const lookToken = process.env['PAYMENTS_LOOK_TOKEN'];
if (state === undefined || actToken === undefined) {
  console.error('payments: needs `--state FILE`, and the token in `PAYMENTS_TOKEN`');
  process.exit(2);
}

const charges = new Map<string, Charge>();
const refunds: Refund[] = [];
load(state);

const server = createServer((request, response) => {
  answer(request).then(
    async (found) => {
      if (request.method === 'POST') await after(Number(options['answer-after-ms']));
      send(response, found);
    },
    () => send(response, problem(400, 'bad_request')),
  );
});
server.listen(Number(options.port), '127.0.0.1', () => {
  const { port } = addressOf();
  console.log(JSON.stringify({ port, pid: process.pid }));
});
process.on('SIGTERM', () => process.exit(0));
// A pipe is a parent that wants its child to end with it, even where it is killed.
if (fstatSync(0).isFIFO() || fstatSync(0).isSocket()) {
  process.stdin.on('end', () => process.exit(0)).resume();
}

// ---------------------------------------------------------------- routes

async function answer(request: IncomingMessage): Promise<Answer> {
  const right = rightOf(request.headers.authorization);
  if (right === undefined) return problem(401, 'token_unknown');
  // Read anew each time: the file is the truth, and the demonstration changes it.
  reload();
  const url = new URL(request.url ?? '/', 'http://payments.invalid');
  if (request.method === 'POST' && url.pathname === '/v1/refunds') {
    return right === 'act' ? refund(request) : problem(403, 'token_may_only_read');
  }
  if (request.method !== 'GET') return problem(405, 'method_not_allowed');
  if (url.pathname === '/v1/account') {
    return { status: 200, body: { id: options.account, mode: options.mode } };
  }
  if (url.pathname === '/v1/refunds') {
    const of = url.searchParams.get('charge');
    const data = refunds.filter((each) => of === null || each.charge === of).map(refundJson);
    return { status: 200, body: { data } };
  }
  const id = /^\/v1\/charges\/([^/]+)$/u.exec(url.pathname)?.[1];
  const found = id === undefined ? undefined : charges.get(decodeURIComponent(id));
  if (found === undefined) return problem(404, 'not_found');
  const { type: _type, ...shown } = found;
  return { status: 200, body: { ...shown, amount_refunded: refundedOf(found.id) } };
}

async function refund(request: IncomingMessage): Promise<Answer> {
  const body = await readBody(request);
  if (body === undefined) return problem(413, 'body_too_large');
  const form = new URLSearchParams(body);
  const idempotencyKey = headerOf(request, 'idempotency-key');
  const bodyDigest = createHash('sha256').update(body).digest('hex');
  const before = refunds.find(
    (each) => idempotencyKey !== undefined && each.idempotencyKey === idempotencyKey,
  );
  if (before !== undefined) {
    if (before.bodyDigest !== bodyDigest) return problem(409, 'idempotency_key_reused');
    const headers = { 'idempotent-replayed': 'true' };
    return { status: 201, body: refundJson(before), headers };
  }
  const of = charges.get(form.get('charge') ?? '');
  const text = form.get('amount') ?? '';
  if (of === undefined) return problem(404, 'charge_unknown');
  if (!/^[1-9]\d{0,11}$/u.test(text)) return problem(400, 'amount_not_minor_units');
  const amount = Number(text);
  if (amount > of.amount - refundedOf(of.id)) return problem(402, 'more_than_is_left');
  const metadata = Object.fromEntries(
    [...form].flatMap(([name, value]) => {
      const key = /^metadata\[([a-z_]+)\]$/u.exec(name)?.[1];
      return key === undefined ? [] : [[key, value]];
    }),
  );
  const made: Refund = {
    type: 'refund',
    id: `re_${randomUUID().slice(0, 8)}`,
    charge: of.id,
    amount,
    metadata,
    idempotencyKey,
    bodyDigest,
    at: new Date().toISOString(),
  };
  keep(made);
  refunds.push(made);
  return { status: 201, body: refundJson(made) };
}

function refundJson({ id, charge: of, amount, metadata }: Refund): unknown {
  return { id, charge: of, amount, metadata, status: 'succeeded' };
}

function refundedOf(id: string): number {
  return refunds
    .filter((each) => each.charge === id)
    .reduce((total, { amount }) => total + amount, 0);
}

// ---------------------------------------------------------------- state

function load(file: string): void {
  if (!existsSync(file)) for (const each of SEED) keep(each);
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    const kept: Charge | Refund = JSON.parse(line);
    if (kept.type === 'charge') charges.set(kept.id, kept);
    else refunds.push(kept);
  }
}

function reload(): void {
  if (state === undefined) return;
  charges.clear();
  refunds.length = 0;
  load(state);
}

/** One line an event, on disk before anybody is told. */
function keep(event: Charge | Refund): void {
  if (state === undefined) return;
  appendFileSync(state, `${JSON.stringify(event)}\n`, { mode: 0o600, flush: true });
}

function charge(id: string, amount: number, customer: string, description: string): Charge {
  return { type: 'charge', id, amount, currency: 'EUR', customer, description };
}

// ---------------------------------------------------------------- HTTP

function rightOf(authorization: string | undefined): 'act' | 'look' | undefined {
  const token = /^Bearer (.+)$/u.exec(authorization ?? '')?.[1];
  if (token === undefined) return undefined;
  if (actToken !== undefined && same(token, actToken)) return 'act';
  return lookToken !== undefined && same(token, lookToken) ? 'look' : undefined;
}

function same(left: string, right: string): boolean {
  const [a, b] = [left, right].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > BODY_BYTES_MAX) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function problem(status: number, code: string): Answer {
  return { status, body: { error: { code } } };
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

async function after(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

function addressOf(): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address;
}
