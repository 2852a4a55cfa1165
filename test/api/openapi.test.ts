/** The OpenAPI document against the gateway: every operation in it is called as it says, and answers as it says. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { sha256Hex } from '../../src/kernel/sha256.ts';
import { pathOf } from '../../src/protocol/routes.ts';
import type { Answer, Layer } from '../fixtures/layer.ts';
import { deploy, ping, startBox } from './box.ts';
import { faultsOf, objectOf, resolveRef, type Json } from './json-schema.ts';

let layer: Layer;
let document: Json;
let keys: Readonly<Record<string, string>>;
const called = new Set<string>();

before(async () => {
  const epoch = { number: 1, digest: 'a'.repeat(64), at: '2026-01-01T00:00:00.000Z' };
  layer = await startBox({
    reload: () => Promise.resolve({ kind: 'active', changed: false, epoch }),
  });
  document = objectOf((await layer.ask('GET /v1/openapi.json')).body);
  keys = {
    agent: await layer.agentKey('bot', { owners: ['olga'] }),
    person: await layer.personKey('mei', { roles: ['lead'] }),
    executor: '',
    operator: layer.operatorKey,
  };
});

after(() => layer.close());

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operation: Json;
}

function operations(): readonly (readonly [name: string, Operation])[] {
  return Object.entries(objectOf(document['paths'])).flatMap(([path, methods]) =>
    Object.entries(objectOf(methods)).map(([method, operation]): [string, Operation] => {
      const read = objectOf(operation);
      return [String(read['operationId']), { method, path, operation: read }];
    }),
  );
}

interface Asked {
  readonly parameters?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: Json;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly accept?: string;
}

/** Calls an operation by what the document says of it, and holds the answer against that. */
async function call(name: string, asked: Asked = {}): Promise<Answer> {
  const found = operations().find(([id]) => id === name)?.[1];
  assert.ok(found !== undefined, `the document has no ${name}`);
  const { method, path, operation } = found;
  const parameters = listOf(operation['parameters']).map(objectOf);
  const filled = path.replaceAll(/\{(\w+)\}/gu, (_, parameter: string) => {
    assert.ok(parameters.some((each) => each['in'] === 'path' && each['name'] === parameter));
    return encodeURIComponent(asked.parameters?.[parameter] ?? '');
  });
  for (const [parameter, value] of new URLSearchParams(asked.query)) {
    const described = parameters.find((each) => each['name'] === parameter);
    assert.deepEqual(faultsOf(value, described?.['schema'], document), [], parameter);
  }
  if (asked.body !== undefined) {
    const content = objectOf(objectOf(operation['requestBody'])['content']);
    const { schema } = objectOf(content['application/json']);
    assert.deepEqual(faultsOf(asked.body, schema, document), [], name);
  }
  if (asked.bytes !== undefined) {
    const content = objectOf(objectOf(operation['requestBody'])['content']);
    assert.ok('application/octet-stream' in content, name);
  }
  const [security] = listOf(operation['security']).map(objectOf);
  const sort = Object.keys(security ?? {})[0];
  const key = sort === undefined ? undefined : keys[sort];
  const idempotent = parameters.some((each) => each['name'] === 'Idempotency-Key');
  const query = asked.query === undefined ? '' : `?${asked.query}`;
  const signal = name === 'events' ? AbortSignal.timeout(200) : undefined;
  const answer = await layer.ask(`${method.toUpperCase()} ${filled}${query}`, {
    ...(key === undefined ? {} : { key }),
    ...(asked.body === undefined ? {} : { body: asked.body }),
    ...(asked.bytes === undefined ? {} : { bytes: asked.bytes }),
    ...(signal === undefined ? {} : { signal }),
    headers: {
      ...(idempotent ? { 'idempotency-key': `${name}-${String(called.size)}` } : {}),
      ...(asked.accept === undefined ? {} : { accept: asked.accept }),
    },
  });
  holdAgainst(operation, answer, name);
  if (answer.status < 400 || answer.status === 503) called.add(name);
  return answer;
}

function holdAgainst(operation: Json, answer: Answer, name: string): void {
  const responses = objectOf(operation['responses']);
  const response = objectOf(responses[String(answer.status)] ?? responses['default']);
  const type = (answer.headers.get('content-type') ?? '').replace(/;.*$/u, '');
  const content = objectOf(objectOf(response['content'])[type]);
  const body = type.endsWith('json') ? answer.body : answer.text;
  const about = `${name} ${String(answer.status)} ${answer.text.slice(0, 200)}`;
  if (type === 'application/problem+json') {
    // Of an action that never runs, the action stands beside the problem.
    const problem = resolveRef('#/components/schemas/Problem', document);
    for (const member of listOf(problem['required']))
      assert.ok(String(member) in answer.body, about);
    return;
  }
  assert.deepEqual(faultsOf(body, content['schema'], document), [], about);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

describe('the document', () => {
  test('is OpenAPI 3.1, every reference in it leads somewhere, and names are given once', () => {
    assert.match(String(document['openapi']), /^3\.1\./u);
    const references = JSON.stringify(document).match(/"#\/components\/schemas\/\w+"/gu) ?? [];
    assert.ok(references.length > 20);
    for (const reference of new Set(references)) resolveRef(JSON.parse(reference), document);
    const names = operations().map(([name]) => name);
    assert.equal(new Set(names).size, names.length);
  });

  test('says where a body is wrong as the gateway does', async () => {
    const answer = await layer.ask('POST /v1/halts', {
      key: layer.operatorKey,
      body: { reason: 'x' },
    });
    assert.equal(answer.body['code'], 'invalid_request');
    const { requestBody } = objectOf(objectOf(objectOf(document['paths'])['/v1/halts'])['post']);
    const content = objectOf(objectOf(objectOf(requestBody)['content'])['application/json']);
    assert.deepEqual(faultsOf({ reason: 'x' }, content['schema'], document), [
      ': scope is missing',
    ]);
  });
});

describe('the checker', () => {
  test('finds what a schema does not describe, forbids and requires', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'integer', maximum: 3 } },
      required: ['b'],
    };
    assert.deepEqual(faultsOf({ a: 4, c: 1 }, schema, {}), [
      ': b is missing',
      '/a: out of range',
      ': c is not described',
    ]);
    assert.deepEqual(faultsOf(1, { oneOf: [] }, {}), [': the schema has oneOf']);
  });
});

test('every operation of the document can be called as it says, and answers as it says', async () => {
  const settled = await call('propose', { body: ping() });
  assert.equal(settled.status, 200);
  const held = await call('propose', { body: { ...deploy(), note: 'please' } });
  assert.equal(held.status, 202);
  const id = String(held.body['id']);
  await call('propose', { body: { target: 'box', operation: 'erase', args: { rows: 2000 } } });
  await call('actions', { query: 'state=held,succeeded&count=2' });
  await call('action', { parameters: { id }, query: 'wait=0' });
  await call('explain', { parameters: { id } });
  await call('explain', { parameters: { id }, accept: 'text/plain' });
  await call('history', { parameters: { id } });
  await call('receipt', { parameters: { id: String(settled.body['id']) } });
  await call('checkpoint');
  await call('tile', { parameters: { tile: 'entries/000.p/1' } });
  await call('forecast', { body: { ...deploy('v2'), touch: true } });
  const opened = await call('consent', { parameters: { id } });
  const { consent, challenge } = opened.body;
  const yes = { consent, challenge, decision: 'approve' };
  assert.equal((await call('answer', { parameters: { id }, body: yes })).status, 200);
  const lost = await call('propose', { body: ping('lose') });
  assert.equal(lost.body['state'], 'unknown');
  await call('resolve', {
    parameters: { id: String(lost.body['id']) },
    body: { outcome: 'succeeded', reason: 'the line is there' },
  });
  const again = await call('propose', { body: deploy('v3') });
  await call('withdraw', { parameters: { id: String(again.body['id']) } });
  await call('erase', { parameters: { id: String(again.body['id']) }, body: { reason: 'asked' } });
  const halted = await call('halt', { body: { scope: { target: 'box' }, reason: 'drill' } });
  await call('halts');
  await call('resume', { parameters: { id: String(objectOf(halted.body['halt'])['id']) } });
  await call('enrolAgent', { body: { name: 'helper', roles: ['lead'], owners: ['mei'] } });
  await call('agentRoles', { parameters: { name: 'helper' }, body: { roles: [] } });
  await call('agents');
  const added = await call('addAgentKey', { parameters: { name: 'helper' }, body: {} });
  const mine = { name: 'helper', key: String(added.body['keyId']) };
  await call('revokeAgentKey', { parameters: mine });
  await call('agentKeys', { parameters: mine });
  await call('revokeAgent', { parameters: { name: 'helper' } });
  await call('enrolPerson', { body: { name: 'tomas', aliases: ['tom'] } });
  await call('personRoles', { parameters: { name: 'tomas' }, body: { roles: ['lead'] } });
  await call('people');
  const theirs = await call('addPersonKey', { parameters: { name: 'tomas' }, body: {} });
  const tomas = { name: 'tomas', key: String(theirs.body['keyId']) };
  await call('revokePersonKey', { parameters: tomas });
  await call('personKeys', { parameters: tomas });
  await call('revokePerson', { parameters: { name: 'tomas' } });
  for (const name of ['status', 'reload', 'health', 'ready', 'openApi', 'metrics', 'page']) {
    await call(name);
  }
  const executor = { name: 'cell' };
  const enrolled = await call('enrolExecutor', { body: executor });
  keys = { ...keys, executor: String(enrolled.body['key']) };
  const more = await call('addExecutorKey', { parameters: executor });
  await call('revokeExecutorKey', {
    parameters: { name: 'cell', key: String(more.body['keyId']) },
  });
  await call('executorKeys', { parameters: executor });
  await call('executors');
  await call('permitKeys');
  const waved = { target: 'arm', operation: 'wave', args: {} };
  const permitted = await call('issuePermit', { body: { ...waved, cnf: { jkt: 'A'.repeat(43) } } });
  const permitId = { id: String(permitted.body['id']) };
  const { permit } = (await call('permit', { parameters: permitId })).body;
  const { claim } = objectOf(permit);
  const redeemed = await call('redeemPermit', { body: { permit: claim } });
  const { execution } = redeemed.body;
  await call('settlePermit', { parameters: permitId, body: { execution, outcome: 'succeeded' } });
  await call('revokeExecutor', { parameters: executor });
  await call('purge', { body: { olderThanMs: 86_400_000, dryRun: true } });
  await call('backup', { body: {} });
  await call('error', { parameters: { code: 'denied' } });
  await call('events', { query: 'after=0' });
  const bytes = new TextEncoder().encode('a plan');
  const sha256 = sha256Hex(bytes);
  await call('putBlob', { parameters: { sha256 }, bytes });
  assert.equal((await call('blob', { parameters: { sha256 } })).text, 'a plan');
  const all = operations().map(([name]) => name);
  assert.deepEqual(
    all.filter((name) => !called.has(name)),
    [],
    'operations of the document that this test does not call',
  );
  assert.equal(pathOf('openApi'), '/v1/openapi.json');
});
