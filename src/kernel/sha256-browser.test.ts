import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import * as browsers from './sha256-browser.ts';
import { sha256, sha256Hex } from './sha256.ts';

test('browsers hash as Node does, parts, texts and all', () => {
  const part = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
      assert.deepEqual(browsers.sha256(...parts), new Uint8Array(sha256(...parts)));
      assert.equal(browsers.sha256Hex(...parts), sha256Hex(...parts));
    }),
  );
});
