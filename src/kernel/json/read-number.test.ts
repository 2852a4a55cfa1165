import assert from 'node:assert/strict';
import { it } from 'node:test';

import { parseJson } from './parse.ts';

it('no letter but e begins an exponent', () => {
  for (const text of ['1d5', '1D5', '1f5', '1.5d5']) {
    const parsed = parseJson(new TextEncoder().encode(text));
    assert.equal(parsed.ok ? 'accepted' : parsed.error.code, 'json_trailing_content', text);
  }
  const parsed = parseJson(new TextEncoder().encode('[15e2,15E2,15e+2,15e-1]'));
  assert.deepEqual(parsed.ok && parsed.value, [1500, 1500, 1500, 1.5]);
});
