/**
 * The gateway of a whole layer: requests through its one function, with mutated paths, queries, headers
 * and bodies, and bytes on a socket. Every refusal is a problem document with a known code that says
 * that nothing was executed; none tells where the code stands.
 */
import { connect } from 'node:net';
import { ERROR_CODES } from '../../../src/protocol/errors.ts';
import { readAnswer, startLayer, type Layer } from '../../fixtures/layer.ts';
import { onMutants } from '../mutate.ts';
import type { Subject, Taken } from '../subject.ts';

const ID = '0193b2a0-0000-7000-8000-000000000001';

const BODY = JSON.stringify({
  target: 'box',
  operation: 'deploy',
  args: { text: 'x', count: 3 },
  notBefore: '2026-11-22T04:12:00.5Z',
  note: 'why',
});
const REQUESTS = [
  `POST /v1/actions\nidempotency-key: k1\nprefer: wait=0\ncontent-type: application/json\n\n${BODY}`,
  `POST /v1/actions\nidempotency-key: k2\ncontent-type: application/json\n\n{"target":"box","operation":"deploy","deadline":"2026-11-22T04:12:00Z"}`,
  `POST /v1/decisions\ncontent-type: application/json\n\n${BODY}`,
  `POST /v1/actions/${ID}/approvals\ncontent-type: application/json\n\n{"consent":"${'a'.repeat(64)}","challenge":"abc","decision":"approve"}`,
  `POST /v1/actions/${ID}/resolution\ncontent-type: application/json\n\n{"outcome":"succeeded","reason":"seen"}`,
  'POST /v1/halts\ncontent-type: application/json\n\n{"scope":{"target":"nowhere"},"reason":"a drill"}',
  'POST /v1/people/mei/roles\ncontent-type: application/json\n\n{"roles":["lead"]}',
  'POST /v1/agents\ncontent-type: application/json\n\n{"name":"bot-2","roles":["lead"],"owners":["dana"]}',
  'POST /v1/purge\ncontent-type: application/json\n\n{"olderThanMs":86400000,"dryRun":true}',
  'GET /v1/actions?state=held&agent=bot&count=20&before=0193b2a0-0000-7000-8000-000000000001\n\n',
  `GET /v1/actions/${ID}?wait=0\naccept: text/plain\n\n`,
  `GET /v1/actions/${ID}/explain\naccept: text/plain\n\n`,
  'GET /v1/events?after=3\nlast-event-id: 2\naccept: text/event-stream\n\n',
  'GET /errors/denied\n\n',
  'GET /metrics\n\n',
  'DELETE /v1/agents/nobody/keys/00000000\n\n',
];
const WORDS = [
  [
    'GET',
    'POST',
    'DELETE',
    'HEAD',
    'OPTIONS',
    '/v1/actions',
    '/v1/events',
    '?wait=1',
    '&count=',
    '%00',
    '%2e%2e',
  ],
  [
    'authorization: Bearer x',
    'content-length: 5',
    'transfer-encoding: chunked',
    'host: evil.example',
    'cookie: a=b',
  ],
  [
    'origin: null',
    'content-encoding: gzip',
    'last-event-id: 99999999999999999999',
    'prefer: wait=99',
    'expect: 100-continue',
  ],
  [
    '"args"',
    '"target"',
    '"note"',
    '"deadline"',
    '"__proto__"',
    '1e400',
    '"\\u0000"',
    '"\\ud800"',
    '{"a":1,"a":2}',
  ],
  [
    'state=held,denied',
    'after=-1',
    'before=x',
    '%f0%28',
    'idempotency-key: a, b',
    'x-forwarded-for: 127.0.0.1',
  ],
].flat();

const POLICY = `version: 1
roles: [lead]
rules:
  - id: deploys-wait
    match: { operation: deploy }
    require: [{ approval: { from: 'role:lead', count: 1 } }]
  - id: anything
    match: {}
    allow: true
`;
const INVENTORY = `version: 1
targets:
  box:
    process: { cwd: "{folder}" }
    operations:
      deploy:
        kind: code.execute
        args: { text: string, count: integer }
        run: [/bin/true, $text]
`;

function openLayer(): Promise<Layer> {
  return startLayer({
    policy: POLICY,
    inventory: INVENTORY,
    // A stream says nothing for so long as a case takes.
    httpLimits: { heartbeatMs: 600_000, bodyMsMax: 500, headerMsMax: 500 },
    engineLimits: { denialsPerMinuteMax: 1_000_000 },
  });
}

const CODES: ReadonlySet<string> = new Set(Object.keys(ERROR_CODES));
/** Waits and streams end with their caller, who goes away after so long. */
const PATIENCE_MS = 60;

/** Requests through the gateway's function, in turn with the key of an agent, a person and the operator. */
export const HTTP: Subject = {
  name: 'http',
  codes: CODES,
  open: async () => {
    const layer = await openLayer();
    const keys = [
      await layer.agentKey('bot', { owners: ['dana'] }),
      await layer.personKey('mei', { roles: ['lead'] }),
      layer.operatorKey,
    ];
    const mutants = onMutants({ documents: REQUESTS, words: WORDS }, async (input) => {
      const asked = input.toString('utf8');
      const request = requestOf(asked, keys[sortOf(asked)] ?? '');
      if (request === undefined) return { refusedWith: ['request_malformed'] };
      const response = await layer.app.fetch(request);
      if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) {
        await response.body?.cancel();
        return 'accepted';
      }
      const { status, text } = await readAnswer(response);
      return judged(status, text, request.method);
    });
    return { ...mutants, close: () => layer.close() };
  },
};

/** Whose key a request needs: an agent’s, a person’s or the operator’s. */
function sortOf(text: string): number {
  if (/^\S+ \/(?:v1\/(?:agents|people|purge)|metrics)/u.test(text)) return 2;
  return /^\S+ \/v1\/(?:halts|actions\/[^/\s]+\/(?:approvals|resolution))/u.test(text) ? 1 : 0;
}

/** A line with method and path, headers, an empty line, a body. `undefined`: no client could send it. */
function requestOf(text: string, key: string): Request | undefined {
  const [head = '', body = ''] = text.split(/\n\n(.*)/su);
  const [line = '', ...headerLines] = head.split('\n');
  const [method = '', ...rest] = line.split(' ');
  const headers = new Headers({ host: 'localhost', authorization: `Bearer ${key}` });
  for (const each of headerLines) {
    const [name = '', value = ''] = each.split(/:(.*)/su);
    try {
      if (/^authorization$/iu.test(name.trim())) headers.set(name.trim(), value.trim());
      else headers.append(name.trim(), value.trim());
    } catch {
      // No client sends such a header.
    }
  }
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const parts = { method, headers, signal, ...(body === '' ? {} : { body }) };
    return new Request(`http://localhost${rest.join(' ')}`, parts);
  } catch {
    return undefined;
  }
}

function judged(status: number, text: string, method: string): Taken {
  if (/\bat \S+ \(|\.ts:\d+|node_modules/u.test(text))
    throw new Error(`a stack in the answer: ${text}`);
  if (status >= 200 && status < 400) return 'accepted';
  if (method === 'HEAD') return 'accepted';
  const problem = problemOf(text);
  const { code, executed, status: said } = problem;
  if (code === 'internal_error' || said !== status || executed !== 'no') {
    throw new Error(`status ${String(status)} with ${text.slice(0, 500)}`);
  }
  return { refusedWith: [String(code)] };
}

function problemOf(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

const HEADERS = 'Host: localhost\r\nAuthorization: Bearer KEY\r\nConnection: close\r\n';
const BYTES = [
  `POST /v1/actions HTTP/1.1\r\n${HEADERS}Content-Type: application/json\r\nIdempotency-Key: k\r\nPrefer: wait=0\r\nContent-Length: ${String(BODY.length)}\r\n\r\n${BODY}`,
  `GET /v1/actions?count=5 HTTP/1.1\r\n${HEADERS}\r\n`,
  `GET /healthz HTTP/1.0\r\n${HEADERS}\r\n`,
  `POST /v1/decisions HTTP/1.1\r\n${HEADERS}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /readyz HTTP/1.1\r\n${HEADERS}\r\n`,
];
const BYTE_WORDS = [
  [
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    ' ',
    '\t',
    ':',
    'HTTP/1.1',
    'HTTP/2.0',
    'PRI * HTTP/2.0',
    '0\r\n\r\n',
  ],
  [
    'Content-Length: 0',
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: identity',
    'Host: evil.example',
  ],
  [
    'Connection: Upgrade\r\nUpgrade: websocket',
    'Expect: 100-continue',
    'GET http://evil.example/ HTTP/1.1',
    '\x16\x03\x01',
  ],
  ['Idempotency-Key: k', 'ffffffff', '-1', '%', '..', '//', '\0', 'é', ' HTTP/1.1\r\nX: '],
].flat();

/** Bytes on a socket. */
export const SOCKET: Subject = {
  name: 'sockets',
  codes: CODES,
  open: async () => {
    const layer = await openLayer();
    const key = await layer.agentKey('bot', { owners: ['dana'] });
    const port = Number(new URL(await layer.listen()).port);
    const documents = BYTES.map((text) => text.replace('KEY', key));
    const mutants = onMutants({ documents, words: BYTE_WORDS }, async (input) => {
      const answers = (await exchange(port, input)).split(/(?=HTTP\/1\.1 \d{3} )/u);
      // Whoever says nothing that ends is told nothing.
      if (answers[0] === '') return { refusedWith: ['request_malformed'] };
      return answers.map(takenFrom).find((taken) => taken !== 'accepted') ?? 'accepted';
    });
    return { ...mutants, close: () => layer.close() };
  },
};

function takenFrom(answer: string): Taken {
  const parts = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n[\s\S]*?\r\n\r\n([\s\S]*)$/u.exec(answer);
  if (parts === null) throw new Error(`not an answer: ${answer.slice(0, 200)}`);
  const [, status = '', body = ''] = parts;
  return Number(status) < 400 ? 'accepted' : judged(Number(status), body, '');
}

/** Says this, ends, and hears the other side out. */
function exchange(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => socket.destroy(), 2000);
    socket.on('data', (chunk) => chunks.push(chunk));
    // A refused sender may find the connection reset: what came before is the answer.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    socket.end(bytes);
  });
}
