import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { decodeUtf8, findInvalidUtf8 } from './utf8.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function platformAccepts(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    // The refusal is the answer that is asked for.
    return false;
  }
}

describe('UTF-8', () => {
  it('our table and the platform agree on every pair of bytes, alone and completed', () => {
    const wrong: string[] = [];
    for (let pair = 0; pair < 0x10000; pair += 1) {
      const start = [pair >> 8, pair & 0xff];
      for (const tail of [[], [0x80], [0xbf, 0x80], [0x80, 0x41], [0x41]]) {
        const bytes = Uint8Array.from([...start, ...tail]);
        if (platformAccepts(bytes) !== (findInvalidUtf8(bytes) === undefined)) {
          wrong.push(Buffer.from(bytes).toString('hex'));
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('every code point but the surrogates is well formed', () => {
    for (let point = 0; point <= 0x10ffff; point += 61) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const bytes = new TextEncoder().encode(String.fromCodePoint(point));
      assert.equal(findInvalidUtf8(bytes), undefined);
    }
  });

  const faults: readonly (readonly [hex: string, offset: number])[] = [
    ['61c0af', 1],
    ['61e08080', 1],
    ['61f0808080', 1],
    ['c3a9eda080', 2],
    ['f4908080', 0],
    ['f5', 0],
    ['f5808080', 0],
    ['f0908041', 0],
    ['c3c0', 0],
    ['c3', 0],
    ['61c341', 1],
    ['61e282', 1],
    ['6180', 1],
    ['e28241', 0],
  ];
  for (const [hex, offset] of faults) {
    it(`${hex} stops being well formed at byte ${offset}`, () => {
      assert.deepEqual(decodeUtf8(Buffer.from(hex, 'hex')), { ok: false, offset });
    });
  }

  it('two bytes are well formed whatever stands behind them', () => {
    assert.equal(findInvalidUtf8(Buffer.from('c3a941', 'hex')), undefined);
    assert.equal(findInvalidUtf8(Buffer.from('c3a9c3a9', 'hex')), undefined);
  });

  it('keeps U+FEFF wherever it stands', () => {
    assert.deepEqual(decodeUtf8(Buffer.from('efbbbf61', 'hex')), { ok: true, text: '\ufeffa' });
  });
});
