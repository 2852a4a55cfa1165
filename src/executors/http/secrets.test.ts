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
import type { Template } from '../../kernel/inventory.ts';
import { createMasker } from '../mask.ts';
import { httpEffect } from './compile.ts';

const NEVER = new AbortController().signal;
const VALUE = 'k3y "with"\\quotes/and+ü';
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

test('a secret in a header or in part of a text has no effect', async () => {
  const made = request();
  const { binding } = made.operation;
  assert.ok(binding.kind === 'http');
  const part: Template = [{ kind: 'literal', text: 'key ' }, ...KEY];
  const json = { kind: 'json', value: { kind: 'template', template: part } } as const;
  for (const other of [{ headers: { 'x-key': KEY } }, { query: { key: KEY } }, { body: json }]) {
    const operation = { ...made.operation, binding: { ...binding, ...other } };
    const attempt = await fixture.executor.resolve({ ...made, operation }, NEVER);
    assert.equal(codeOf(attempt), 'argument_not_text', JSON.stringify(other));
  }
});
