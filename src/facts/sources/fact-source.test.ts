import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import type { Clock, FactSource } from '../../engine/ports.ts';
import type { Fact, Gathered } from '../../kernel/decision.ts';
import { instantOf } from '../../kernel/instant.ts';
import type { FactSpec, FactType } from '../../kernel/policy.ts';
import { createFactSource, FACT_BYTES_MAX } from './fact-source.ts';
import type { Lookup } from './http-get.ts';

const CLOCK: Clock = {
  now: () => instantOf(Date.now()),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await after(ms, undefined, signal === undefined ? { ref: false } : { signal, ref: false });
    } catch {
      // An aborted sleep is over, as the port says.
    }
  },
};

const NEVER = new AbortController().signal;
const STRING: FactType = { kind: 'string' };
const OPEN: FactType = { kind: 'object', fields: { status: { kind: 'string' } } };

function spec(source: FactSpec['source'], type: FactType = STRING, timeoutMs = 2000): FactSpec {
  const position = { file: 'policy.yaml', line: 1, column: 1 };
  return { name: 'ticket', type, source, timeoutMs, position };
}

function facts(lookup?: Lookup): FactSource {
  return createFactSource({ clock: CLOCK, ...(lookup === undefined ? {} : { lookup }) });
}

function failure(gathered: Gathered<Fact>): string {
  return gathered.kind === 'failed' ? gathered.code : gathered.kind;
}

async function folder(context: TestContext): Promise<(name: string) => string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'exequatur-facts-'));
  context.after(() => rm(directory, { recursive: true }));
  return (name) => path.join(directory, name);
}

async function serve(context: TestContext, listener: RequestListener): Promise<number> {
  const server: Server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  // A listening TCP server has such an address.
  return (server.address() as AddressInfo).port;
}

function http(
  port: number,
  pointer = '',
  allowed: readonly string[] = ['127.0.0.0/8'],
): FactSpec['source'] {
  const url = `http://127.0.0.1:${port}/ticket?key=s3cret`;
  return { kind: 'http', url, pointer, addressesAllowed: allowed };
}

// ---------------------------------------------------------------- files

test('a value is read from a file at its pointer, with the instant its reading began', async (context) => {
  const at = await folder(context);
  await writeFile(at('x.json'), '{"a/b":[{"m~n":"yes"}]}');
  const before = Date.now();
  const source = { kind: 'file', path: at('x.json'), pointer: '/a~1b/0/m~0n' } as const;
  const gathered = await facts().fetch(spec(source), NEVER);
  assert.ok(gathered.kind === 'known');
  assert.equal(gathered.value.value, 'yes');
  assert.equal(gathered.value.source, `file:${at('x.json')}`);
  assert.ok(gathered.value.observedAt >= before && gathered.value.observedAt <= Date.now());
  assert.ok(gathered.value.tookMs >= 0);
});

test('a relative path starts from the directory given', async (context) => {
  const at = await folder(context);
  await writeFile(at('x.json'), '"yes"');
  const source = createFactSource({ clock: CLOCK, baseDirectory: at('.') });
  const gathered = await source.fetch(spec({ kind: 'file', path: './x.json', pointer: '' }), NEVER);
  assert.equal(gathered.kind, 'known');
});

const FILES: readonly (readonly [what: string, content: string | Uint8Array, code: string])[] = [
  ['json with a key given twice', '{"a":1,"a":2}', 'fact_malformed'],
  ['no json', 'yes', 'fact_malformed'],
  ['nothing', '', 'fact_malformed'],
  ['bytes that are no utf-8', Uint8Array.of(0x22, 0xff, 0x22), 'fact_malformed'],
  ['a value of another type', '12', 'fact_malformed'],
  [
    'as many bytes as allowed',
    `"${'x'.repeat(200_000)}"${' '.repeat(FACT_BYTES_MAX - 200_002)}`,
    'known',
  ],
  ['one byte too many', `"x"${' '.repeat(FACT_BYTES_MAX - 2)}`, 'fact_too_large'],
];

for (const [what, content, code] of FILES) {
  test(`a file with ${what} gives ${code}`, async (context) => {
    const at = await folder(context);
    await writeFile(at('x.json'), content);
    const gathered = await facts().fetch(
      spec({ kind: 'file', path: at('x.json'), pointer: '' }),
      NEVER,
    );
    assert.equal(failure(gathered), code);
  });
}

test('a file that is not there, a folder and a pipe without a writer are unreachable', async (context) => {
  const at = await folder(context);
  execFileSync('sh', ['-c', 'mkfifo "$0"', at('pipe')]);
  for (const name of ['none.json', '.', 'pipe']) {
    const gathered = await facts().fetch(
      spec({ kind: 'file', path: at(name), pointer: '' }),
      NEVER,
    );
    assert.equal(failure(gathered), 'fact_unreachable', name);
  }
});

test('a pointer that leads nowhere is malformed, also over the members of every object', async (context) => {
  const at = await folder(context);
  await writeFile(at('x.json'), '{"a":["x"]}');
  for (const pointer of [
    '/b',
    '/a/1',
    '/a/-',
    '/a/00',
    '/a/0/length',
    '/constructor/name',
    '/__proto__',
  ]) {
    const gathered = await facts().fetch(
      spec({ kind: 'file', path: at('x.json'), pointer }),
      NEVER,
    );
    assert.equal(failure(gathered), 'fact_malformed', pointer);
  }
});

const TYPES: readonly (readonly [type: FactType, json: string, expected: unknown])[] = [
  [{ kind: 'boolean' }, 'true', true],
  [{ kind: 'boolean' }, '"true"', undefined],
  [{ kind: 'integer' }, '12', 12],
  [{ kind: 'integer' }, '1.5', undefined],
  [{ kind: 'integer' }, '"12"', undefined],
  [{ kind: 'decimal' }, '1.5', 1.5],
  [{ kind: 'decimal' }, '"12.50"', '12.50'],
  [{ kind: 'decimal' }, '"12,50"', undefined],
  [{ kind: 'instant' }, '"2026-11-22T04:12:00Z"', '2026-11-22T04:12:00Z'],
  [{ kind: 'instant' }, '"2026-02-30T04:12:00Z"', undefined],
  [{ kind: 'string' }, 'null', undefined],
  [{ kind: 'list', items: STRING }, '["a","b"]', ['a', 'b']],
  [{ kind: 'list', items: STRING }, '["a",1]', undefined],
  [{ kind: 'list', items: STRING }, '{}', undefined],
  [OPEN, '{"status":"open","secret":"x"}', { status: 'open' }],
  [OPEN, '{"state":"open"}', undefined],
  [OPEN, '["open"]', undefined],
];

for (const [type, json, expected] of TYPES) {
  const verb = expected === undefined ? 'refuses' : 'takes';
  test(`the type ${JSON.stringify(type)} ${verb} ${json}`, async (context) => {
    const at = await folder(context);
    await writeFile(at('x.json'), json);
    const gathered = await facts().fetch(
      spec({ kind: 'file', path: at('x.json'), pointer: '' }, type),
      NEVER,
    );
    if (expected === undefined) assert.equal(failure(gathered), 'fact_malformed');
    else
      assert.equal(
        JSON.stringify(gathered.kind === 'known' && gathered.value.value),
        JSON.stringify(expected),
      );
  });
}

// ---------------------------------------------------------------- http

test('a value is fetched by GET, and its source is told without the query', async (context) => {
  const asked: string[] = [];
  const port = await serve(context, (request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.accept ?? ''}`);
    response.end('{"data":{"status":"open","owner":"mei"}}');
  });
  const gathered = await facts().fetch(spec(http(port, '/data'), OPEN), NEVER);
  assert.ok(gathered.kind === 'known');
  assert.deepEqual({ ...(gathered.value.value as object) }, { status: 'open' });
  assert.equal(gathered.value.source, `http://127.0.0.1:${port}/ticket`);
  assert.deepEqual(asked, ['GET /ticket?key=s3cret application/json']);
});

test('each fetch asks anew, also while another one is under way', async (context) => {
  let count = 0;
  const port = await serve(context, (_request, response) => {
    count += 1;
    response.end(JSON.stringify(String(count)));
  });
  const source = facts();
  const gathered = await Promise.all([1, 2, 3].map(() => source.fetch(spec(http(port)), NEVER)));
  const values = gathered.map((one) => (one.kind === 'known' ? one.value.value : undefined));
  assert.deepEqual(new Set(values), new Set(['1', '2', '3']));
});

const ANSWERS: readonly (readonly [what: string, listener: RequestListener, code: string])[] = [
  ['an error', (_request, response) => response.writeHead(500).end('"x"'), 'fact_unreachable'],
  [
    'a redirect',
    (_request, response) => response.writeHead(302, { location: '/other' }).end(),
    'fact_unreachable',
  ],
  [
    'compressed bytes',
    (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('"x"'),
    'fact_malformed',
  ],
  ['html', (_request, response) => response.end('<html>'), 'fact_malformed'],
  [
    'more than allowed',
    (_request, response) => response.end(`"${'x'.repeat(FACT_BYTES_MAX)}"`),
    'fact_too_large',
  ],
  ['a broken connection', (request) => request.socket.destroy(), 'fact_unreachable'],
  [
    'half an answer',
    (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('"x', () => response.destroy());
    },
    'fact_unreachable',
  ],
];

for (const [what, listener, code] of ANSWERS) {
  test(`a source that answers with ${what} gives ${code}`, async (context) => {
    const port = await serve(context, listener);
    assert.equal(failure(await facts().fetch(spec(http(port)), NEVER)), code);
  });
}

test('no answer in time, and half an answer in time, are timeouts as soon as time is over', async (context) => {
  const silent = await serve(context, () => {});
  const slow = await serve(context, (_request, response) => {
    response.writeHead(200);
    response.write('"x');
  });
  for (const port of [silent, slow]) {
    const start = performance.now();
    const gathered = await facts().fetch(spec(http(port), STRING, 80), NEVER);
    assert.equal(failure(gathered), 'fact_timeout');
    assert.ok(performance.now() - start < 1500);
  }
});

test('an advance that ends takes its fetches along, before and while they run', async (context) => {
  const port = await serve(context, () => {});
  const ended = new AbortController();
  const running = facts().fetch(spec(http(port)), ended.signal);
  setTimeout(() => ended.abort(), 20);
  assert.equal(failure(await running), 'fact_timeout');
  assert.equal(failure(await facts().fetch(spec(http(port)), ended.signal)), 'fact_timeout');
});

test('a resolver that never answers ends with the timeout', async () => {
  const source = {
    kind: 'http',
    url: 'https://facts.example/',
    pointer: '',
    addressesAllowed: [],
  } as const;
  const gathered = await facts(() => new Promise(() => {})).fetch(spec(source, STRING, 30), NEVER);
  assert.equal(failure(gathered), 'fact_timeout');
});

test('an address that is not public is not asked unless the policy names it', async (context) => {
  let asked = 0;
  const port = await serve(context, (_request, response) => {
    asked += 1;
    response.end('"x"');
  });
  const refused: readonly (readonly [url: string, lookup: Lookup | undefined])[] = [
    [`http://127.0.0.1:${port}/`, undefined],
    [`http://2130706433:${port}/`, undefined],
    [`http://[::ffff:127.0.0.1]:${port}/`, undefined],
    [`http://facts.example:${port}/`, async () => [{ address: '127.0.0.1' }]],
    // One good address does not carry a bad one.
    [
      `https://facts.example:${port}/`,
      async () => [{ address: '93.184.216.34' }, { address: '10.0.0.1' }],
    ],
    [`https://facts.example:${port}/`, async () => []],
    // Public, but anybody on the way could answer.
    [`http://facts.example:${port}/`, async () => [{ address: '93.184.216.34' }]],
  ];
  for (const [url, lookup] of refused) {
    const source = { kind: 'http', url, pointer: '', addressesAllowed: ['192.0.2.0/24'] } as const;
    const gathered = await facts(lookup).fetch(spec(source), NEVER);
    assert.equal(failure(gathered), 'fact_unreachable', url);
  }
  assert.equal(asked, 0);
});

test('the connection goes to the address that was judged, not to one that is looked up again', async (context) => {
  const hosts: string[] = [];
  const port = await serve(context, (request, response) => {
    hosts.push(request.headers.host ?? '');
    response.end('"x"');
  });
  let lookups = 0;
  const lookup: Lookup = async () => {
    lookups += 1;
    return [{ address: lookups === 1 ? '127.0.0.1' : '203.0.113.1' }];
  };
  const url = `http://rebinding.example:${port}/`;
  const source = { kind: 'http', url, pointer: '', addressesAllowed: ['127.0.0.1/32'] } as const;
  assert.equal((await facts(lookup).fetch(spec(source), NEVER)).kind, 'known');
  assert.equal(lookups, 1);
  assert.deepEqual(hosts, [`rebinding.example:${port}`]);
});

test('a failure tells neither the query nor what the source said', async (context) => {
  const port = await serve(context, (_request, response) =>
    response.writeHead(403).end('"t0ps3cret"'),
  );
  const gathered = await facts().fetch(spec(http(port)), NEVER);
  assert.ok(gathered.kind === 'failed');
  assert.equal(gathered.message, 'the source answered with status 403');
});
