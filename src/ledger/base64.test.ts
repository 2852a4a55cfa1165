import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readBase64, writeBase64 } from './base64.ts';

test('any bytes come back from their text, which is the platform’s', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = writeBase64(bytes);
      assert.equal(text, Buffer.from(bytes).toString('base64'));
      assert.deepEqual(readBase64(text), bytes);
    }),
  );
});

test('a text that is read is the one text of its bytes', () => {
  const piece = fc.constantFrom('A', 'B', 'Q', 'g', 'w', '+', '/', '-', '_', '=', ' ', '\n', 'é');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
      const text = pieces.join('');
      const bytes = readBase64(text);
      if (bytes !== undefined) assert.equal(writeBase64(bytes), text);
    }),
    { numRuns: 2000 },
  );
});

for (const [lax, why] of [
  ['QQ', 'no padding'],
  ['QQ=', 'too little padding'],
  ['QQ===', 'too much padding'],
  ['QR==', 'bits left over'],
  ['QUF=', 'bits left over'],
  ['Q===', 'a digit alone'],
  ['====', 'only padding'],
  ['QQ==QQ==', 'padding in the middle'],
  ['_-A=', 'the alphabet of base64url'],
  ['QUFB\n', 'a line end'],
  [' QUFB', 'a space'],
  ['QUF\u0141', 'a character whose low byte is a digit'],
] as const) {
  test(`base64 with ${why} is refused`, () => {
    assert.equal(readBase64(lax), undefined);
  });
}

test('a text of millions of characters is read in little time', () => {
  const bytes = new Uint8Array(6_000_000).fill(7);
  const begun = performance.now();
  assert.equal(readBase64(writeBase64(bytes))?.length, bytes.length);
  assert.ok(performance.now() - begun < 10_000);
});
