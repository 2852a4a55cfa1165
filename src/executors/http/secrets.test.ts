import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import {
  codeOf,
  freshExecution,
  perform,
  secretTraces,
  valueOf,
} from '../../../test/contract/executor.ts';
import { literal, startHttpTarget, type HttpFixture } from '../../../test/fixtures/http-target.ts';
import type { EffectRequest } from '../../engine/ports.ts';
import type { HttpOperation, Template } from '../../kernel/inventory.ts';
import { createMasker } from '../mask.ts';
import { httpEffect } from './compile.ts';

const NEVER = new AbortController().signal;
const VALUE = `k3y "with"\\quotes/'and'+(ü)!`;
const KEY: Template = [{ kind: 'argument', path: ['key'] }];

let fixture: HttpFixture;
beforeEach(async () => {
  fixture = await startHttpTarget();
  fixture.environment['KEY_SOURCE'] = VALUE;
});
afterEach(async () => {
  await fixture.stop();
});

/** A request whose body has the secret that the action names. */
function request(name = 'deploy-key', reference = 'env:KEY_SOURCE'): EffectRequest {
  const made = fixture.send(
    {
      body: {
        kind: 'json',
        value: { kind: 'object', members: { key: { kind: 'template', template: KEY } } },
      },
    },
    {
      args: { key: name },
      whole: { credentials: { act: 'env:TOKEN_SOURCE', secrets: { 'deploy-key': reference } } },
    },
  );
  const type = { kind: 'secret', names: ['deploy-key'] } as const;
  return {
    ...made,
    operation: { ...made.operation, arguments: { key: { type, optional: false } } },
  };
}

async function prepareCode(made: EffectRequest): Promise<string> {
  const resolution = valueOf(await fixture.executor.resolve(made, NEVER));
  return codeOf(await fixture.executor.prepare(made, resolution, 'none', NEVER));
}

test('the value is sent where the name stood, and no answer gives it back', async () => {
  fixture.answer(({ body }, response) => {
    const key = body.slice('{"key":'.length, -1);
    const echo = { body, key: VALUE, [VALUE]: 1, base64: Buffer.from(VALUE).toString('base64') };
    response.end(JSON.stringify({ ...echo, url: encodeURIComponent(VALUE), raw: key }));
  });
  const { outcome } = await perform(fixture.executor, request());
  assert.equal(outcome.state, 'succeeded');
  assert.equal(fixture.seen[0]?.body, JSON.stringify({ key: VALUE }));
  assert.deepEqual(secretTraces(outcome, VALUE), []);
  assert.deepEqual(secretTraces(outcome, JSON.stringify(VALUE).slice(1, -1)), []);
  assert.match(JSON.stringify(outcome), /‹secret:/u);
});

test('the effect is of the reference: another value leaves it, another reference moves it', async () => {
  const resolution = valueOf(await fixture.executor.resolve(request(), NEVER));
  fixture.environment['KEY_SOURCE'] = 'rotated since then';
  assert.equal(httpEffect(request()), resolution.effect);
  assert.notEqual(httpEffect(request('deploy-key', 'env:OTHER_SOURCE')), resolution.effect);
  assert.deepEqual(secretTraces(resolution, VALUE), []);
});

test('a secret that cannot be had is refused when the request is prepared, and nothing is sent', async () => {
  delete fixture.environment['KEY_SOURCE'];
  assert.equal(await prepareCode(request()), 'credential_missing');
  fixture.environment['KEY_SOURCE'] = 'abc';
  assert.equal(await prepareCode(request()), 'credential_too_short');
  fixture.environment['KEY_SOURCE'] = 'x'.repeat(65_537);
  assert.equal(await prepareCode(request()), 'credential_too_large');
  assert.deepEqual(fixture.seen, []);
});

test('a look masks the secret although this process never sent it', async () => {
  fixture.answer((_, response) => response.end(JSON.stringify({ key: VALUE, id: 'k_1' })));
  const made = request();
  const { binding } = made.operation;
  assert.ok(binding.kind === 'http');
  const place = { path: literal('/keys'), query: {} };
  const operation = {
    ...made.operation,
    binding: {
      ...binding,
      preview: { ...place, material: ['/key'], context: [] },
      reconcile: { ...place, find: 'execution', absenceConclusive: false },
    },
  };
  const whole = { ...made, operation };
  const preview = valueOf(await fixture.executor.preview(whole, NEVER));
  assert.match(JSON.stringify(preview), /‹secret:/u);
  assert.deepEqual(secretTraces(preview, VALUE), []);

  const execution = freshExecution();
  const evidence = JSON.stringify({ execution, key: VALUE });
  fixture.answer((_, response) => response.end(evidence));
  const fresh = fixture.executorWith({ masker: createMasker() });
  const outcome = valueOf(await fresh.reconcile(whole, execution, NEVER));
  assert.equal(outcome?.state, 'succeeded');
  assert.deepEqual(secretTraces(outcome, VALUE), []);
});

test('a name without a reference has no effect', async () => {
  const attempt = await fixture.executor.resolve(request('root-key'), NEVER);
  assert.equal(codeOf(attempt), 'credential_missing');
});

/** The request with the secret in another place than its body. */
function elsewhere(place: Partial<HttpOperation>): EffectRequest {
  const made = request();
  const { binding } = made.operation;
  assert.ok(binding.kind === 'http');
  const other = { ...binding, body: { kind: 'none' } as const, ...place };
  return { ...made, operation: { ...made.operation, binding: other } };
}

const FORM = { body: { kind: 'form', fields: { key: KEY } } } as const;
const QUERY = { query: { key: KEY } };
const HEADER = { headers: { 'x-key': KEY } };

test('the value is sent in a form or a query, encoded for it, and no answer gives it back', async () => {
  fixture.answer(({ body, url }, response) => {
    const raw = { body, query: url.split('?')[1], encoded: encodeURIComponent(VALUE) };
    response.end(JSON.stringify({ ...raw, key: VALUE }));
  });
  const form = await perform(fixture.executor, elsewhere(FORM));
  assert.equal(new URLSearchParams(fixture.seen[0]?.body).get('key'), VALUE);
  const query = await perform(fixture.executor, elsewhere(QUERY));
  const [, search] = fixture.seen[1]?.url.split('?') ?? [];
  assert.equal(new URLSearchParams(search).get('key'), VALUE);
  for (const { outcome } of [form, query]) {
    assert.equal(outcome.state, 'succeeded');
    for (const spelled of [
      VALUE,
      String(fixture.seen[0]?.body.slice(4)),
      String(search?.slice(4)),
    ]) {
      assert.deepEqual(secretTraces(outcome, spelled), []);
    }
  }
});

test('the value is sent in a header, and no answer gives it back', async () => {
  const ascii = 'k3y "with"/and+=';
  fixture.environment['KEY_SOURCE'] = ascii;
  fixture.answer(({ headers }, response) => response.end(JSON.stringify(headers)));
  const { outcome } = await perform(fixture.executor, elsewhere(HEADER));
  assert.equal(fixture.seen[0]?.headers['x-key'], ascii);
  assert.equal(outcome.state, 'succeeded');
  assert.deepEqual(secretTraces(outcome, ascii), []);
  assert.match(JSON.stringify(outcome), /‹secret:/u);
});

test('what no header can hold is refused when the request is prepared, and nothing is sent', async () => {
  for (const [value, code] of [
    ['one\r\nx-other: two', 'argument_has_control_character'],
    ['not ascii ü', 'argument_not_header_text'],
    [' outer space', 'argument_not_header_text'],
    // What stands for a secret is no secret.
    ['‹secret argument env:KEY_SOURCE›', 'argument_not_header_text'],
  ] as const) {
    fixture.environment['KEY_SOURCE'] = value;
    assert.equal(await prepareCode(elsewhere(HEADER)), code, value);
  }
  assert.deepEqual(fixture.seen, []);
});

test('the effect of every place is of the reference', async () => {
  for (const place of [FORM, QUERY, HEADER]) {
    const resolution = valueOf(await fixture.executor.resolve(elsewhere(place), NEVER));
    fixture.environment['KEY_SOURCE'] = 'rotated since then';
    assert.equal(httpEffect(elsewhere(place)), resolution.effect);
    fixture.environment['KEY_SOURCE'] = VALUE;
    const { target } = request('deploy-key', 'env:OTHER_SOURCE');
    assert.notEqual(httpEffect({ ...elsewhere(place), target }), resolution.effect);
  }
});

test('a secret in a path or in part of a text has no effect', async () => {
  const part: Template = [{ kind: 'literal', text: 'key ' }, ...KEY];
  const json = { kind: 'json', value: { kind: 'template', template: part } } as const;
  const path: Template = [{ kind: 'literal', text: '/' }, ...KEY];
  const [headers, query] = [{ 'x-key': part }, { key: part }];
  for (const other of [{ headers }, { query }, { body: json }, { path }]) {
    const attempt = await fixture.executor.resolve(elsewhere(other), NEVER);
    assert.equal(codeOf(attempt), 'argument_not_text', JSON.stringify(other));
  }
});
