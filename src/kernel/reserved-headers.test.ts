import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RESERVED_HEADERS } from './reserved-headers.ts';

test('no operation declares what frames a message, routes it, or is the layer’s to add', () => {
  const framing = 'connection content-length expect host keep-alive te trailer transfer-encoding';
  const routing = 'proxy-authorization proxy-connection upgrade';
  const ours = 'accept-encoding authorization content-type cookie idempotency-key if-match';
  assert.deepEqual([...RESERVED_HEADERS].sort(), `${framing} ${routing} ${ours}`.split(' ').sort());
});
