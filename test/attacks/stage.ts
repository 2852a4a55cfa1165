/**
 * Where attacks are tried: a whole layer that listens, an agent and people who reach it only over a
 * socket, and a bank behind it that keeps whatever arrives. Judged at the bank.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import {
  readAnswer,
  startLayer,
  type Answer,
  type Layer,
  type LayerParts,
} from '../fixtures/layer.ts';

/** A request as it arrived at the bank. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** The system behind the layer. */
export interface Bank {
  readonly port: number;
  /** Whose system it says it is, and which one: `test` is staging, `live` is production. */
  identity: string;
  mode: 'test' | 'live';
  /** The customer that a charge belongs to, by its own word. */
  customer: string;
  /** Answers instead of the bank, where it gives `true`. */
  instead: ((request: Arrived, response: ServerResponse) => boolean) | undefined;
  /** Everything that arrived, looks included. */
  readonly arrived: readonly Arrived[];
  /** Bodies of what took hold. */
  readonly effects: () => readonly string[];
  reset(): void;
  close(): Promise<void>;
}

/** Starts a bank on loopback. */
export async function startBank(): Promise<Bank> {
  let arrived: Arrived[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const each = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') };
      arrived = [...arrived, each];
      if (bank.instead?.(each, response) !== true) reply(bank, each, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const bank: Bank = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    identity: 'acct_1',
    mode: 'test',
    customer: 'cus_9',
    instead: undefined,
    get arrived() {
      return arrived;
    },
    effects: () => arrived.filter(({ method }) => method !== 'GET').map(({ body }) => body),
    reset: () => {
      arrived = [];
      Object.assign(bank, { identity: 'acct_1', mode: 'test', customer: 'cus_9' });
      bank.instead = undefined;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return bank;
}

function reply(bank: Bank, { method, path }: Arrived, response: ServerResponse): void {
  response.setHeader('content-type', 'application/json');
  if (path === '/who') response.end(JSON.stringify({ id: bank.identity, mode: bank.mode }));
  else if (method === 'GET') response.end(JSON.stringify({ customer: bank.customer }));
  else response.writeHead(201).end('{"done":true}');
}

/** Refunds that a lead approves, and small calls that nobody is asked about. */
export const POLICY = `version: 1
roles: [lead]
rules:
  - id: anything
    match: {}
    allow: true
  - id: refunds-need-a-lead
    match: { operation: refund }
    require: [{ approval: { from: role:lead, count: 1, validFor: 1h } }]
`;

/** The bank as people write it; the act credential is `env:ACT`. */
export function inventoryOf(port: number, target = 'bank'): string {
  return `version: 1
targets:
  ${target}:
    http: { url: "http://127.0.0.1:${String(port)}", auth: bearer, allow: [127.0.0.0/8] }
    probe: { GET: /who, field: /id, environment: { field: /mode, values: { test: staging, live: production } } }
    credentials: { act: env:ACT, look: env:LOOK }
    operations:
      refund:
        kind: money.transfer
        args: { charge: string(40), amount: money(EUR), tags: 'list(string)?' }
        request: { POST: /refunds, json: { charge: $charge, amount: $amount, tags: $tags } }
        preview: { GET: "/charges/{charge}", material: [/customer] }
        measures: { amount: args.amount, payee: preview.customer }
        visible: [amount]
      ping:
        kind: api.call
        args: { text: string(200) }
        request: { POST: /ping, json: { text: $text } }
`;
}

/** The credentials of the bank. */
export const SECRETS: Readonly<Record<string, string>> = {
  ACT: 'act-credential-0123456789',
  LOOK: 'look-credential-0123456789',
};

/** Everybody on one stage. */
export interface Stage {
  readonly layer: Layer;
  readonly bank: Bank;
  /** Where the layer listens. */
  readonly url: string;
  readonly bot: string;
  readonly mei: string;
  /** A request over a socket, as `METHOD /path`. */
  call(route: string, key: string, asked?: Called): Promise<Answer>;
  /** Proposes over a socket and does not wait. */
  propose(body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Opens a hold and says yes, over a socket. */
  approve(id: string, key?: string): Promise<Answer>;
  close(): Promise<void>;
}

/** What a request carries. */
export interface Called {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Sets the stage. `parts` replaces what a test declares otherwise. */
export async function setStage(bank: Bank, parts: Partial<LayerParts> = {}): Promise<Stage> {
  bank.reset();
  const layer = await startLayer({
    policy: POLICY,
    inventory: inventoryOf(bank.port),
    environment: SECRETS,
    engineLimits: { retryMs: 100 },
    ...parts,
  });
  const url = (await layer.listen()).replace('localhost', '127.0.0.1');
  await layer.personKey('dana');
  const bot = await layer.agentKey('bot', { owners: ['dana'] });
  const mei = await layer.personKey('mei', { roles: ['lead'] });
  const call: Stage['call'] = async (route, key, { headers, body } = {}) => {
    const [method = 'GET', path = '/'] = route.split(' ');
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return readAnswer(response);
  };
  return {
    layer,
    bank,
    url,
    bot,
    mei,
    call,
    propose: (body, headers = {}) =>
      call('POST /v1/actions', bot, {
        body,
        headers: {
          'idempotency-key': randomBytes(8).toString('hex'),
          prefer: 'wait=0',
          ...headers,
        },
      }),
    approve: async (id, key = mei) => {
      const { body } = await call(`GET /v1/actions/${id}/consent`, key);
      const { consent, challenge } = body;
      return call(`POST /v1/actions/${id}/approvals`, key, {
        body: { consent, challenge, decision: 'approve' },
      });
    },
    close: () => layer.close(),
  };
}

/** Sets a stage for one attack and takes it down afterwards. */
export async function onStage(
  bank: Bank,
  parts: Partial<LayerParts>,
  attack: (stage: Stage) => Promise<void>,
): Promise<void> {
  const stage = await setStage(bank, parts);
  try {
    await attack(stage);
  } finally {
    await stage.close();
  }
}

/** A refund. */
export function refund(amount = '25.00', charge = 'ch_1'): Record<string, unknown> {
  return { target: 'bank', operation: 'refund', args: { charge, amount } };
}

/** A call that nobody is asked about. */
export function ping(text: string): Record<string, unknown> {
  return { target: 'bank', operation: 'ping', args: { text } };
}

/** Proposes something that has to wait for people, and gives its id. */
export async function held(stage: Stage, body: unknown = refund()): Promise<string> {
  const answer = await stage.propose(body);
  assert.equal(answer.body['state'], 'held', answer.text);
  return String(answer.body['id']);
}

/** The state of an action once it is none of `passing`, five seconds at most. */
export async function stateAfter(
  stage: Stage,
  id: string,
  passing: readonly string[] = ['held', 'executing'],
): Promise<string> {
  let state = '';
  for (let tries = 0; tries < 100; tries += 1) {
    ({ state } = await stage.layer.record(id));
    if (!passing.includes(state)) return state;
    await wait(50);
  }
  return state;
}

/** Codes of what stands against an action now. */
export async function against(stage: Stage, id: string): Promise<readonly string[]> {
  const { decision } = await stage.layer.record(id);
  return (decision?.findings ?? [])
    .filter(({ status }) => status !== 'met')
    .map(({ code }) => code);
}

/** Waits until this code stands against the action, five seconds at most. */
export async function heldBy(stage: Stage, id: string, code: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await against(stage, id)).includes(code)) return;
    await wait(50);
  }
  assert.fail(`nothing says \`${code}\`: ${(await against(stage, id)).join(', ')}`);
}
