import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseAgentName, parseTenantName } from '../kernel/id.ts';
import type { Operation } from '../kernel/inventory.ts';
import { keepNamed, type BlobStore } from './blobs.ts';

const NAME = `sha256:${'0a'.repeat(32)}`;
const OWNER = {
  tenant: parseTenantName('test') ?? assert.fail(),
  agent: parseAgentName('bot') ?? assert.fail(),
};
const OPERATION: Pick<Operation, 'arguments'> = {
  arguments: {
    plan: { type: { kind: 'blob' }, optional: true },
    image: { type: { kind: 'oci-digest' }, optional: true },
  },
};

function storeWith(there: readonly string[]): Pick<BlobStore, 'keep'> {
  return { keep: ({ digest }) => there.includes(`sha256:${digest}`) };
}

test('every blob that an action names must be there, and a layer without blobs has none', () => {
  const table: readonly (readonly [Pick<BlobStore, 'keep'> | undefined, object, boolean])[] = [
    [storeWith([NAME]), { plan: NAME }, true],
    [storeWith([]), { plan: NAME }, false],
    [undefined, { plan: NAME }, false],
    [undefined, {}, true],
    [undefined, { image: NAME }, true],
    // What is no name is denied later, with the other errors of the arguments.
    [undefined, { plan: 'latest' }, true],
  ];
  for (const [blobs, args, expected] of table) {
    const named = { operation: OPERATION, args: { ...args } };
    assert.equal(keepNamed(blobs, OWNER, named), expected, JSON.stringify(args));
  }
});
