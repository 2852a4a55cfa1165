import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { signingKey, signWith } from '../../test/ledger/sample-log.ts';
import { canonicalBytes } from '../kernel/json/write.ts';
import { Doubt } from './doubt.ts';
import {
  envelopeBytes,
  envelopeJson,
  envelopeSigners,
  readEnvelope,
  verifyEnvelope,
  type Envelope,
} from './dsse.ts';
import type { VerifierKey } from './note.ts';

const encoder = new TextEncoder();
const KEY = signingKey('ledger.example/shop');
const PAYLOAD = { type: 'text/plain', bytes: encoder.encode('hello world') };
const SIGNED = { keyId: KEY.id, signature: signWith(KEY, envelopeBytes(PAYLOAD)) };
const ENVELOPE = { payload: PAYLOAD, signatures: [SIGNED] };

async function signersOf(
  envelope: Envelope,
  keys: readonly VerifierKey[],
): Promise<readonly VerifierKey[]> {
  return envelopeSigners(await verifyEnvelope(envelope, keys));
}

function vectors(path: string): string {
  return readFileSync(new URL(`../../test/vectors/${path}`, import.meta.url), 'utf8');
}

test('the encoding that is signed is the one of the DSSE specification', () => {
  const vector: {
    readonly payloadUtf8: string;
    readonly payloadType: string;
    readonly pae: string;
    readonly envelope: { readonly payload: string; readonly payloadType: string };
  } = JSON.parse(vectors('dsse/test-vector.json'));
  const payload = { type: vector.payloadType, bytes: encoder.encode(vector.payloadUtf8) };
  assert.deepEqual(envelopeBytes(payload), encoder.encode(vector.pae));
  const { payload: encoded, payloadType } = envelopeJson({ payload, signatures: [] });
  assert.deepEqual(
    { payload: encoded, payloadType },
    { payload: vector.envelope.payload, payloadType: vector.envelope.payloadType },
  );
});

test('lengths are counted in bytes, so that no two payloads are encoded alike', () => {
  const bytes = envelopeBytes({ type: 'é', bytes: encoder.encode('1 x') });
  assert.equal(new TextDecoder().decode(bytes), 'DSSEv1 2 é 3 1 x');
});

test('every in-toto example comes back from its envelope, verified', async () => {
  const examples: readonly { readonly statement: unknown }[] = JSON.parse(
    vectors('intoto/example-statements.json'),
  );
  assert.equal(examples.length, 4);
  for (const { statement } of examples) {
    const payload = { type: 'application/vnd.in-toto+json', bytes: canonicalBytes(statement) };
    const signatures = [{ keyId: KEY.id, signature: signWith(KEY, envelopeBytes(payload)) }];
    const read = readEnvelope(envelopeJson({ payload, signatures }));
    assert.deepEqual(read, { payload, signatures });
    assert.deepEqual(await signersOf(read, [KEY]), [KEY]);
  }
});

test('a signature is over type and payload both', async () => {
  for (const payload of [
    { ...PAYLOAD, type: 'text/html' },
    { ...PAYLOAD, bytes: encoder.encode('hello w0rld') },
  ]) {
    await assert.rejects(
      signersOf({ ...ENVELOPE, payload }, [KEY]),
      (error) => error instanceof Doubt && error.code === 'forged_signature',
    );
  }
});

test('a key id only says which key to try', async () => {
  const other = signingKey('ledger.example/shop');
  const refused = async (keys: readonly (typeof KEY)[], code: string): Promise<void> =>
    assert.rejects(
      signersOf(ENVELOPE, keys),
      (error) => error instanceof Doubt && error.code === code,
    );
  await refused([other], 'no_key');
  await refused([], 'no_key');
  await refused([{ ...other, id: KEY.id }], 'forged_signature');
});

test('a good signature beside a forged one proves nothing', async () => {
  const forged = { keyId: KEY.id, signature: new Uint8Array(64) };
  await assert.rejects(
    signersOf({ ...ENVELOPE, signatures: [SIGNED, forged] }, [KEY]),
    (error) => error instanceof Doubt && error.code === 'forged_signature',
  );
});

for (const [bad, why] of [
  [null, 'nothing'],
  [[], 'a list'],
  [{ ...envelopeJson(ENVELOPE), more: 1 }, 'a member more'],
  [{ ...envelopeJson(ENVELOPE), payload: 'aGVsbG8' }, 'lax base64'],
  [{ ...envelopeJson(ENVELOPE), payload: 'aGVsbG8gd29ybGQ_' }, 'the alphabet of base64url'],
  [{ ...envelopeJson(ENVELOPE), payloadType: 1 }, 'a type that is no text'],
  [{ ...envelopeJson(ENVELOPE), signatures: {} }, 'no list of signatures'],
  [{ ...envelopeJson(ENVELOPE), signatures: [{ sig: 'AAAA' }] }, 'a signature without key id'],
  [
    {
      ...envelopeJson(ENVELOPE),
      signatures: Array.from({ length: 17 }, () => ({ keyid: 'a', sig: 'AAAA' })),
    },
    'seventeen signatures',
  ],
] as const) {
  test(`with ${why} it is no envelope`, () => {
    assert.throws(
      () => readEnvelope(bad),
      (error) => error instanceof Doubt && error.code === 'malformed',
    );
  });
}
