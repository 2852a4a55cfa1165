/** The variables that an operation gives to its program, secrets among them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import {
  codeOf,
  makeReady,
  perform,
  secretTraces,
  valueOf,
} from '../../../test/contract/executor.ts';
import { argument, startProcessTarget, word } from '../../../test/fixtures/process-target.ts';
import type { ProcessFixture } from '../../../test/fixtures/process-target.ts';
import type { EffectRequest } from '../../engine/ports.ts';
import type { ProcessOperation, Template } from '../../kernel/inventory.ts';

const NEVER = new AbortController().signal;
const VALUE = `k3y "with"\\quotes/'and'+(ü)!\nand a second line`;

let fixture: ProcessFixture;
beforeEach(() => {
  fixture = startProcessTarget();
  fixture.environment['KEY_SOURCE'] = VALUE;
});
afterEach(() => fixture.stop());

/** Runs a script with the secret in `$KEY`, and what else is declared. */
function request(
  script: string,
  operation: Partial<ProcessOperation> = {},
  reference = 'env:KEY_SOURCE',
): EffectRequest {
  const act = fixture.script('run.sh', `#!/bin/sh\n${script}\n`);
  const made = fixture.run([word(act)], {
    args: { key: 'deploy-key', text: 'hello' },
    operation: { environment: { KEY: argument('key') }, ...operation },
    timeoutMs: 3000,
    whole: { credentials: { act: 'env:TOKEN_SOURCE', secrets: { 'deploy-key': reference } } },
  });
  const type = { kind: 'secret', names: ['deploy-key'] } as const;
  const { text } = made.operation.arguments;
  assert.ok(text !== undefined);
  const fields = { key: { type, optional: false }, text, more: { ...text, optional: true } };
  return { ...made, operation: { ...made.operation, arguments: fields } };
}

test('a program sees the secret that the action names, and no output gives it back', async () => {
  const script =
    'printf %s "$KEY" > seen; env; printf %s "$KEY" | base64 >&2; cat /proc/$$/cmdline';
  const { outcome } = await perform(fixture.executor, request(script));
  assert.equal(outcome.state, 'succeeded');
  assert.equal(readFileSync(join(fixture.folder, 'seen'), 'utf8'), VALUE);
  assert.deepEqual(secretTraces(outcome, VALUE), []);
  assert.match(JSON.stringify(outcome), /KEY=‹secret:/u);
});

test('a variable holds text, arguments and the id of the execution; one without its argument is not there', async () => {
  const environment: Readonly<Record<string, Template>> = {
    GREETING: [{ kind: 'literal', text: 'say ' }, ...argument('text')],
    EXECUTION: [{ kind: 'execution' }],
    MORE: [{ kind: 'literal', text: 'and ' }, ...argument('more')],
  };
  const made = request('echo "$GREETING|$EXECUTION|${MORE-none}"', { environment });
  const { outcome, execution } = await perform(fixture.executor, made);
  assert.ok(JSON.stringify(outcome.result).includes(`say hello|${execution.id}|none\\n`));
});

test('the effect is of the reference: another value leaves it, another reference or variable moves it', async () => {
  const effectOf = async (made: EffectRequest): Promise<string> =>
    valueOf(await fixture.executor.resolve(made, NEVER)).effect;
  const effect = await effectOf(request('true'));
  fixture.environment['KEY_SOURCE'] = 'rotated since then';
  assert.equal(await effectOf(request('true')), effect);
  assert.notEqual(await effectOf(request('true', {}, 'env:OTHER_SOURCE')), effect);
  assert.notEqual(await effectOf(request('true', { environment: {} })), effect);
});

test('what cannot be had, or what no variable can hold, is refused before anything is started', async () => {
  const made = request('touch started');
  const resolution = valueOf(await fixture.executor.resolve(made, NEVER));
  for (const [value, code] of [
    [undefined, 'credential_missing'],
    ['abc', 'credential_too_short'],
    ['zero\0character', 'argument_has_control_character'],
  ] as const) {
    if (value === undefined) delete fixture.environment['KEY_SOURCE'];
    else fixture.environment['KEY_SOURCE'] = value;
    assert.equal(codeOf(await fixture.executor.prepare(made, resolution, 'none', NEVER)), code);
  }
  assert.throws(() => readFileSync(join(fixture.folder, 'started')));
});

test('a secret in a word or in part of a variable has no effect', async () => {
  const part: Template = [{ kind: 'literal', text: 'key ' }, ...argument('key')];
  const made = request('true');
  const { binding } = made.operation;
  assert.ok(binding.kind === 'process');
  for (const other of [{ run: [...binding.run, part] }, { environment: { KEY: part } }]) {
    const operation = { ...made.operation, binding: { ...binding, ...other } };
    const attempt = await fixture.executor.resolve({ ...made, operation }, NEVER);
    assert.equal(codeOf(attempt), 'argument_not_text');
  }
});

test('a look is given no secret, and masks one that it finds', async () => {
  const fill = 'test -z "$KEY" && printf \'{"key":"%s"}\' "$(cat stored)"';
  const look = fixture.script('look.sh', `#!/bin/sh\n${fill}\n`);
  const plain = 'k3y-that-is-stored';
  fixture.environment['KEY_SOURCE'] = plain;
  const preview = { run: [word(look)], material: ['/key'], context: [] };
  fixture.script('stored', plain);
  const ready = await makeReady(fixture.executor, request('true', { preview }));
  assert.match(JSON.stringify(ready.preview), /‹secret:/u);
  assert.deepEqual(secretTraces(ready.preview, plain), []);
  await ready.prepared.discard();
});

test('a blob that only a variable names is needed like one that a word names', async () => {
  const made = fixture.run([word('/bin/true')], {
    args: { plan: `sha256:${'0'.repeat(64)}` },
    operation: { environment: { PLAN: argument('plan') } },
  });
  const fields = { plan: { type: { kind: 'blob' }, optional: false } } as const;
  const operation = { ...made.operation, arguments: fields };
  const attempt = await fixture.executor.resolve({ ...made, operation }, NEVER);
  assert.equal(codeOf(attempt), 'blob_missing');
});
