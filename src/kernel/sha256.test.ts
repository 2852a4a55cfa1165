import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { sha256, sha256Hex } from './sha256.ts';

describe('SHA-256', () => {
  const vectors: readonly (readonly [message: string, hex: string])[] = [
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ];
  for (const [message, hex] of vectors) {
    it(`of \`${message}\` is that of FIPS 180-4`, () => {
      assert.equal(sha256Hex(message), hex);
      assert.equal(Buffer.from(sha256(message)).toString('hex'), hex);
    });
  }

  it('of nothing is that of the empty message', () => {
    assert.equal(sha256Hex(), sha256Hex(''));
  });

  it('of parts is that of the parts joined, be they text or bytes', () => {
    const b = new TextEncoder().encode('b');
    for (const parts of [['abc'], ['a', b, 'c'], ['a', 'bc'], ['', 'abc'], ['ab', 'c', '']]) {
      assert.equal(sha256Hex(...parts), sha256Hex('abc'));
      assert.deepEqual(sha256(...parts), sha256('abc'));
    }
    assert.equal(sha256Hex(b), sha256Hex('b'));
  });

  it('does not depend on where the parts are cut, nor on text or bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (parts) => {
        const wellFormed = parts.map((part) => part.toWellFormed());
        const joined = new TextEncoder().encode(wellFormed.join(''));
        assert.equal(sha256Hex(...wellFormed), sha256Hex(joined));
        assert.equal(Buffer.from(sha256(...wellFormed)).toString('hex'), sha256Hex(joined));
      }),
    );
  });
});
