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

test('a secret stands as one whole value of a body, a header or a query', () => {
  for (const [request, expected] of [
    ['{ POST: /x, json: { k: $k } }', []],
    ['{ POST: /x, form: { k: $k } }', []],
    ['{ POST: /x, headers: { x-k: $k } }', []],
    // A URL is written to logs on the way.
    ['{ POST: /x, query: { k: $k } }', ['secret_in_url']],
  ] as const) {
    assert.deepEqual(codes(withSecrets(http(`request: ${request}`, ARGS))), expected, request);
  }
});

test('a secret stands in no path, not in part of a text, and in no look', () => {
  for (const request of [
    '{ POST: "/x/{k}" }',
    '{ POST: "/x?k={k}" }',
    '{ POST: /x, query: { k: "key $k" } }',
    '{ POST: /x, headers: { x-k: "key $k" } }',
    '{ POST: /x, form: { k: "$k$k" } }',
    '{ POST: /x, json: { k: "key $k" } }',
    '{ POST: /x }\npreview: { GET: /x, query: { k: $k }, material: /a }',
    '{ POST: /x }\nreconcile: { GET: /x, query: { k: $k }, find: a }',
  ]) {
    assert.deepEqual(
      codes(withSecrets(http(`request: ${request}`, ARGS))),
      ['misplaced_secret'],
      request,
    );
  }
});

test('a secret stands as one whole variable of a program, and never in its words', () => {
  for (const [operation, expected] of [
    ['run: [/bin/true]\nenv: { KEY: $k }', []],
    ['run: [/bin/true]\nenv: { KEY: "key $k" }', ['misplaced_secret']],
    ['run: [/bin/true, $k]', ['misplaced_secret']],
    ['run: [/bin/true, "--key=$k"]', ['misplaced_secret']],
    ['run: [/bin/true]\npreview: { run: [/bin/true, $k], material: /a }', ['misplaced_secret']],
    ['run: [/bin/true]\nreconcile: { run: [/bin/true, $k], exits: {} }', ['misplaced_secret']],
  ] as const) {
    assert.deepEqual(codes(withSecrets(process(operation, ARGS))), expected, operation);
  }
});

test('no action gives a variable that is set already, or that decides which code runs', () => {
  for (const name of ['PATH', 'LD_PRELOAD', 'BASH_ENV', 'NODE_OPTIONS', 'EXEQUATUR_EXECUTION_ID']) {
    const text = process(`run: [/bin/true]\nenv: { ${name}: fixed }`);
    assert.deepEqual(codes(text), ['bad_variable'], name);
  }
  assert.deepEqual(codes(process('run: [/bin/true]\nenv: { "A-B": x }')), ['bad_variable']);
  const taken = process('run: [/bin/true]\nenv: { A: x, B: x, C: x, D: x }').replace(
    /process: .*/u,
    'process: { cwd: /srv, environment: A, set: { B: b }, credential: C }\n    credentials: { act: env:X }',
  );
  assert.deepEqual(told(compile(taken)).length, 3);
});

test('a secret is not in a list or an object, and not at a database', () => {
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
  const files = withSecrets(process('delete: { path: /srv/a }', '{ k: secret(deploy-key) }'));
  assert.deepEqual(codes(files.replace(/process: .*/u, 'file: { roots: /srv }')), [
    'misplaced_secret',
  ]);
});
