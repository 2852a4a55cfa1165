import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compile, http, process, told } from '../../../test/fixtures/facts/inventory-texts.ts';

const ARGS = '{ k: "secret(deploy-key,backup-key)" }';

function withSecrets(text: string): string {
  const secrets = 'secrets: { deploy-key: file:/run/k, backup-key: env:B }';
  return text.replace('operations:', `credentials: { ${secrets} }\n    operations:`);
}

function codes(text: string): readonly string[] {
  return compile(text).problems.map(({ code }) => code);
}

test('a name that no reference stands for is an error at the argument', () => {
  const text = http('request: { POST: /x, json: { k: $k } }', ARGS);
  assert.deepEqual(told(compile(text)), ['unknown_secret 8:20', 'unknown_secret 8:20']);
  assert.deepEqual(codes(withSecrets(text).replace('backup-key:', 'back-key:')), [
    'unknown_secret',
  ]);
  assert.deepEqual(codes(withSecrets(text)), []);
});

test('a value in the place of a reference is refused and not repeated', () => {
  const text = http('request: { POST: /x, json: { k: $k } }', ARGS);
  const { problems } = compile(withSecrets(text).replace('env:B', 'hunter2'));
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['bad_credential', 'unknown_secret'],
  );
  assert.ok(!JSON.stringify(problems).includes('hunter2'));
});

test('a secret stands only as one whole value of a json body', () => {
  for (const request of [
    '{ POST: "/x/{k}" }',
    '{ POST: "/x?k={k}" }',
    '{ POST: /x, query: { k: $k } }',
    '{ POST: /x, headers: { x-k: $k } }',
    '{ POST: /x, form: { k: $k } }',
    '{ POST: /x, json: { k: "key $k" } }',
  ]) {
    assert.deepEqual(
      codes(withSecrets(http(`request: ${request}`, ARGS))),
      ['misplaced_secret'],
      request,
    );
  }
});

test('a secret is not in a list or an object, and only at a target that is reached by http', () => {
  const request = 'request: { POST: /x }';
  for (const type of [
    '"list(secret(deploy-key))"',
    '{ list: secret(deploy-key) }',
    '{ object: { k: secret(deploy-key) } }',
    'secret()',
    '"secret(deploy-key,deploy-key)"',
  ]) {
    assert.deepEqual(codes(withSecrets(http(request, `{ k: ${type} }`))), ['bad_type'], type);
  }
  const program = withSecrets(process('run: [/bin/true]', '{ k: secret(deploy-key) }'));
  assert.deepEqual(codes(program), ['misplaced_secret']);
});
