import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NoteError } from './note.ts';
import { readTlogProof, writeTlogProof } from './tlog-proof.ts';

const HASH = new Uint8Array(32).fill(1);
const CHECKPOINT = 'example.com/log\n3\nroot\n\n— example.com/log AAAA\n';
const PROOF = { index: 1, hashes: [HASH, HASH], checkpoint: CHECKPOINT };
const TEXT = writeTlogProof(PROOF);

test('a proof comes back from its text, with extra data and without', () => {
  assert.deepEqual(readTlogProof(TEXT), PROOF);
  assert.deepEqual(readTlogProof(writeTlogProof({ ...PROOF, hashes: [] })), {
    ...PROOF,
    hashes: [],
  });
  const extra = { ...PROOF, extra: Uint8Array.of(1, 2) };
  assert.deepEqual(readTlogProof(writeTlogProof(extra)), extra);
  assert.match(TEXT, /^c2sp\.org\/tlog-proof@v1\nindex 1\nAQEB/u);
});

for (const [bad, why] of [
  ['', 'nothing'],
  [TEXT.replace('@v1', '@v2'), 'another version'],
  [TEXT.replace('index 1', 'index 01'), 'a leading zero'],
  [TEXT.replace('index 1', 'index -1'), 'a sign'],
  [TEXT.replace('index 1', 'index 9007199254740993'), 'an index that is not exact'],
  [TEXT.replace('index 1\n', ''), 'no index'],
  [TEXT.replace('index 1', 'extra !\nindex 1'), 'extra data that is no base64'],
  [TEXT.replace('index 1\n', 'index 1\nAQEB\n'), 'a hash that is short'],
  [TEXT.replace('AQE=', 'AQF='), 'a hash with bits left over'],
  [TEXT.split('\n\n')[0] ?? '', 'no checkpoint'],
  [writeTlogProof({ ...PROOF, hashes: Array.from({ length: 54 }, () => HASH) }), '54 hashes'],
] as const) {
  test(`with ${why} it is no proof`, () => {
    assert.throws(() => readTlogProof(bad), NoteError);
  });
}
