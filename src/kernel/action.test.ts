import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  actionDigest,
  actionJson,
  consentDigest,
  consentDigests,
  previewDigest,
  resolutionDigest,
  type Action,
  type ConsentSubject,
} from './action.ts';
import { digestBytes, digestOf } from './digest.ts';
import { parseActionId, parseAgentName, parsePersonName, parseTenantName } from './id.ts';
import { instantOf } from './instant.ts';
import { readAction } from './read-action.ts';
import { canonicalBytes, writeCanonical } from './json/write.ts';
import type { JsonObject } from './json/value.ts';

function must<Value>(value: Value | undefined): Value {
  assert.ok(value !== undefined);
  return value;
}

const ACTION: Action = {
  tenant: must(parseTenantName('shop')),
  principal: { agent: must(parseAgentName('bot')) },
  target: 'pay',
  operation: 'refund',
  args: { amount: '49.90' },
  deadline: instantOf(1000),
};
const WHOLE: Action = {
  ...ACTION,
  principal: { ...ACTION.principal, delegator: must(parsePersonName('dana')) },
  notBefore: instantOf(500),
};
const PLAIN: JsonObject = {
  args: { amount: '49.90' },
  deadline: 1000,
  operation: 'refund',
  principal: { agent: 'bot' },
  target: 'pay',
  tenant: 'shop',
};
const FULL: JsonObject = {
  ...PLAIN,
  notBefore: 500,
  principal: { agent: 'bot', delegator: 'dana' },
};

const digest = (text: string): ReturnType<typeof digestOf> => digestOf('exequatur/effect/v1', text);

const SUBJECT: ConsentSubject = {
  tenant: ACTION.tenant,
  action: must(parseActionId('01930000-0000-7000-8000-000000000001')),
  nonce: '00',
  actionDigest: actionDigest(ACTION),
  resolution: {
    identity: 'acct_1',
    environment: 'staging',
    operation: digest('operation'),
    effect: digest('effect'),
    credential: 'env:TOKEN',
    executor: 'http/1',
    files: {},
    recorded: { ip: '192.0.2.1' },
    observedAt: instantOf(1),
  },
  preview: { material: { rows: 1 }, context: { age: 2 }, observedAt: instantOf(1) },
};

test('an action is stored with what it has, and nothing where it has none', () => {
  assert.deepEqual(actionJson(ACTION), PLAIN);
  assert.deepEqual(actionJson(WHOLE), FULL);
});

test('each digest is of its own words, so that none is ever taken for another', () => {
  assert.equal(actionDigest(WHOLE), digestOf('exequatur/action/v1', FULL));
  const { observedAt: _observed, recorded: _recorded, ...resolved } = SUBJECT.resolution;
  assert.equal(resolutionDigest(SUBJECT.resolution), digestOf('exequatur/resolution/v1', resolved));
  assert.equal(previewDigest(SUBJECT.preview), digestOf('exequatur/preview/v1', { rows: 1 }));
  assert.equal(previewDigest(null), digestOf('exequatur/preview/v1', null));
  const { consent, preview, resolution } = consentDigests(SUBJECT);
  assert.equal(preview, previewDigest(SUBJECT.preview));
  assert.equal(resolution, resolutionDigest(SUBJECT.resolution));
  assert.equal(consent, consentDigest(SUBJECT));
  const { tenant, action, nonce } = SUBJECT;
  assert.equal(
    consent,
    digestOf('exequatur/consent/v1', {
      tenant,
      action,
      nonce,
      actionDigest: SUBJECT.actionDigest,
      preview,
      resolution,
    }),
  );
});

test('an action is read back from its bytes, and from no others', () => {
  for (const action of [ACTION, WHOLE]) {
    const bytes = canonicalBytes(actionJson(action));
    const read = readAction(bytes, actionDigest(action));
    assert.deepEqual(writeCanonical(actionJson(must(read))), writeCanonical(actionJson(action)));
    assert.equal(readAction(bytes, digest('other')), undefined);
  }
  const plain = must(readAction(canonicalBytes(PLAIN), actionDigest(ACTION)));
  assert.ok(!('notBefore' in plain));
  assert.ok(!('delegator' in plain.principal));
});

test('bytes that are no action are none, although their digest is right', () => {
  const changed: readonly unknown[] = [
    [],
    null,
    'text',
    { ...PLAIN, principal: undefined },
    { ...PLAIN, principal: [] },
    { ...PLAIN, principal: null },
    { ...PLAIN, principal: {} },
    { ...PLAIN, principal: { agent: 'no name' } },
    { ...PLAIN, principal: { agent: 7 } },
    { ...PLAIN, tenant: 'no name' },
    { ...PLAIN, target: 7 },
    { ...PLAIN, operation: 7 },
    { ...PLAIN, args: undefined },
    { ...PLAIN, args: [] },
    { ...PLAIN, args: 'text' },
    { ...PLAIN, principal: 'text' },
    { ...PLAIN, deadline: '1000' },
  ];
  for (const value of changed) {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    const read = readAction(bytes, digestBytes('exequatur/action/v1', bytes));
    assert.equal(read, undefined, JSON.stringify(value));
  }
  const broken = new TextEncoder().encode('{"args":');
  assert.equal(readAction(broken, digestBytes('exequatur/action/v1', broken)), undefined);
});
