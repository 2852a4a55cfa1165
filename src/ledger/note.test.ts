import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { noteSignature, signingKey } from '../../test/ledger/sample-log.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import {
  NoteError,
  readNote,
  readVerifierKey,
  verifierKey,
  verifyEd25519,
  verifyNote,
  writeNote,
  writeVerifierKey,
} from './note.ts';

const EXAMPLE_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const EXAMPLE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;

describe('signed notes', () => {
  test('the example of the specification verifies by its key', async () => {
    const key = readVerifierKey(EXAMPLE_KEY);
    assert.equal(writeVerifierKey(key), EXAMPLE_KEY);
    assert.deepEqual(await verifyNote(readNote(EXAMPLE), key), { kind: 'valid' });
    const changed = readNote(EXAMPLE.replace('an example', 'no example'));
    assert.deepEqual(await verifyNote(changed, key), { kind: 'forged' });
    assert.equal(writeNote(readNote(EXAMPLE)), EXAMPLE);
  });

  test('a text comes back with its signatures, empty lines and all', async () => {
    const key = signingKey('ledger.example/é');
    const line = fc.string({ maxLength: 5 }).map((text) => text.replaceAll(/[\p{Cc}\p{Cs}]/gu, ''));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 4 }), async (lines) => {
        const text = `${lines.join('\n')}\n`;
        const note = { text, signatures: [noteSignature(key, text)] };
        const read = readNote(writeNote(note));
        assert.deepEqual(read, note);
        assert.deepEqual(await verifyNote(read, key), { kind: 'valid' });
      }),
      { numRuns: 30 },
    );
  });

  test('a key that did not sign is absent, also one of the same name', async () => {
    const text = 'hello\n';
    const note = { text, signatures: [noteSignature(signingKey('a'), text)] };
    assert.deepEqual(await verifyNote(note, signingKey('a')), { kind: 'absent' });
    assert.deepEqual(await verifyNote(note, signingKey('b')), { kind: 'absent' });
  });

  test('of two lines of one key both have to be good', async () => {
    const key = signingKey('a');
    const good = noteSignature(key, 'hello\n');
    const bad = noteSignature(key, 'other\n');
    for (const signatures of [
      [good, bad],
      [bad, good],
    ]) {
      assert.deepEqual(await verifyNote({ text: 'hello\n', signatures }, key), { kind: 'forged' });
    }
  });

  test('a cosignature is over the time that it tells, and is no log’s signature', async () => {
    const witness = signingKey('w', 'cosignature');
    const text = 'hello\n';
    const signature = noteSignature(witness, text, 1_679_315_147n);
    const note = { text, signatures: [signature] };
    assert.deepEqual(await verifyNote(note, witness), { kind: 'valid', time: 1_679_315_147 });
    const later = Uint8Array.from(signature.bytes);
    later[7] = (later[7] ?? 0) + 1;
    const moved = { text, signatures: [{ ...signature, bytes: later }] };
    assert.deepEqual(await verifyNote(moved, witness), { kind: 'forged' });
    const short = { text, signatures: [{ ...signature, bytes: signature.bytes.subarray(0, 7) }] };
    assert.deepEqual(await verifyNote(short, witness), { kind: 'forged' });
    const asLog = verifierKey('w', 'log', witness.publicKey);
    assert.notEqual(asLog.id, witness.id);
    assert.deepEqual(await verifyNote(note, asLog), { kind: 'absent' });
  });

  for (const [bad, why] of [
    ['', 'nothing'],
    ['hello\n', 'no signature'],
    ['hello\n\n', 'an empty signature block'],
    [EXAMPLE.slice(0, -1), 'no line end'],
    [EXAMPLE.replace('— ', '- '), 'another dash'],
    [EXAMPLE.replace('message.', 'message.\t'), 'a tab'],
    [EXAMPLE.replace('message.', 'message.\r'), 'a carriage return'],
    [EXAMPLE.replace('message.', 'message.\ud800'), 'half a surrogate pair'],
    [EXAMPLE.replace('yaQM=', 'yaQN='), 'base64 with bits left over'],
    [EXAMPLE.replace('yaQM=', 'yaQM'), 'base64 without padding'],
    [EXAMPLE.replace('example.com/foo', 'example.com/ foo'), 'a space in a name'],
    [EXAMPLE.replace('example.com/foo', 'example.com/+foo'), 'a plus in a name'],
    [`${EXAMPLE}more\n`, 'a line behind'],
    ['hello\n\n— a AAAAAA==\n', 'a signature of no bytes'],
  ] as const) {
    test(`with ${why} it is no note`, () => {
      assert.throws(() => readNote(bad), NoteError);
    });
  }

  test('sixty-four signatures are read, and one more are not', () => {
    const [line = ''] = EXAMPLE.split('\n').slice(2);
    assert.equal(readNote(`a\n\n${`${line}\n`.repeat(64)}`).signatures.length, 64);
    assert.throws(() => readNote(`a\n\n${`${line}\n`.repeat(65)}`), NoteError);
  });

  for (const [bad, why] of [
    [EXAMPLE_KEY.replace('530d903a', '530d903b'), 'another key id'],
    [EXAMPLE_KEY.replace('530d903a', '530D903A'), 'a key id in capitals'],
    [EXAMPLE_KEY.replace('example.com/foo', 'example.com/bar'), 'another name'],
    [EXAMPLE_KEY.replace('+Aek', '+Auk'), 'another type'],
    [EXAMPLE_KEY.slice(0, -4), 'fewer bytes'],
    [EXAMPLE_KEY.replace('example.com/foo', ''), 'no name'],
    ['example.com/foo', 'nothing but a name'],
  ] as const) {
    test(`a verifier key with ${why} is refused`, () => {
      assert.throws(() => readVerifierKey(bad), NoteError);
    });
  }
});

describe('checkpoints', () => {
  const root = new Uint8Array(32).fill(9);

  test('come back from their text', () => {
    for (const size of [0, 1, 20_852_163, Number.MAX_SAFE_INTEGER]) {
      const checkpoint = { origin: 'example.com/log', size, root };
      assert.deepEqual(readCheckpoint(writeCheckpoint(checkpoint)), checkpoint);
    }
  });

  const text = writeCheckpoint({ origin: 'example.com/log', size: 12, root });
  for (const [bad, why] of [
    ['', 'nothing'],
    [text.replace('example.com/log', ''), 'no origin'],
    [text.replace('12', '012'), 'a leading zero'],
    [text.replace('12', '-1'), 'a sign'],
    [text.replace('12', '9007199254740993'), 'a size that is not exact'],
    [text.replace('12', ''), 'no size'],
    [text.slice(0, -1), 'no line end'],
    [`${text}extension\n`, 'an extension line'],
    [text.replace('CQkJ', 'CQ=='), 'a shorter root'],
  ] as const) {
    test(`with ${why} it is no checkpoint`, () => {
      assert.throws(() => readCheckpoint(bad), NoteError);
    });
  }
});

describe('Ed25519', () => {
  test('Wycheproof: 151 signatures', async () => {
    const file = new URL('../../test/vectors/jose/ed25519_test.json', import.meta.url);
    const {
      testGroups,
    }: {
      readonly testGroups: readonly {
        readonly publicKey: { readonly pk: string };
        readonly tests: readonly {
          readonly tcId: number;
          readonly comment: string;
          readonly msg: string;
          readonly sig: string;
          readonly result: 'valid' | 'invalid';
        }[];
      }[];
    } = JSON.parse(readFileSync(file, 'utf8'));
    let count = 0;
    for (const { publicKey, tests } of testGroups) {
      for (const { tcId, comment, msg, sig, result } of tests) {
        count += 1;
        const good = await verifyEd25519(unhex(publicKey.pk), unhex(sig), unhex(msg));
        assert.equal(good, result === 'valid', `${String(tcId)}: ${comment}`);
      }
    }
    assert.equal(count, 151);
  });

  test('bytes that are no key verify nothing', async () => {
    const nothing = new Uint8Array(64);
    assert.equal(await verifyEd25519(new Uint8Array(32).fill(0xff), nothing, nothing), false);
    assert.equal(await verifyEd25519(new Uint8Array(31), nothing, nothing), false);
  });
});

function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
