import assert from 'node:assert/strict';
import { it } from 'node:test';

import { JSON_DEPTH_CEILING, JSON_LIMITS } from './cursor.ts';

it('the limits are those that are told, and nobody can change them', () => {
  assert.deepEqual(JSON_LIMITS, {
    bytesMax: 1_048_576,
    depthMax: 64,
    keysMax: 10_000,
    itemsMax: 100_000,
    stringLengthMax: 262_144,
    keyLengthMax: 1_024,
  });
  assert.ok(Object.isFrozen(JSON_LIMITS));
  assert.equal(JSON_DEPTH_CEILING, 1_000);
});
