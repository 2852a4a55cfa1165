import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  parseActionId,
  parseAgentName,
  parseApprovalId,
  parseExecutionId,
  parseHaltId,
  parsePersonName,
  parseTenantName,
  uuidV7,
} from './id.ts';

const ID = '01930000-0000-7000-8000-00000000000a';

describe('a name', () => {
  const names = ['a', '9', 'a-b', 'a.b_c-9', 'x'.repeat(64)];
  const others = ['', '-a', 'a-', 'A', 'a b', ' a', 'a\n', 'é', 'x'.repeat(65)];
  for (const parse of [parseTenantName, parseAgentName, parsePersonName]) {
    test(`${parse.name} takes what is one and nothing else`, () => {
      for (const name of names) assert.equal(parse(name), name);
      for (const other of others) assert.equal(parse(other), undefined, other);
    });
  }
});

describe('an id', () => {
  const others = [
    '',
    `x${ID}`,
    `${ID}x`,
    ID.toUpperCase(),
    ID.replace('7000', '4000'),
    ID.replace('8000', 'c000'),
    ID.slice(1),
    ID.replaceAll('-', ''),
  ];
  for (const parse of [parseActionId, parseExecutionId, parseApprovalId, parseHaltId]) {
    test(`${parse.name} takes its one spelling and nothing else`, () => {
      for (const variant of ['8', '9', 'a', 'b']) {
        const id = ID.replace('8000', `${variant}000`);
        assert.equal(parse(id), id);
      }
      for (const other of others) assert.equal(parse(other), undefined, other);
    });
  }
});

describe('a UUIDv7', () => {
  test('is time, version, variant and what is random, as RFC 9562 has them', () => {
    const random = Uint8Array.from([0xff, 0x01, 0xff, 0x02, 3, 4, 5, 6, 7, 8]);
    assert.equal(uuidV7(0x0193_4567_89ab, random), '01934567-89ab-7f01-bf02-030405060708');
    assert.equal(uuidV7(1, new Uint8Array(10)), '00000000-0001-7000-8000-000000000000');
  });

  test('takes no more than ten random bytes, and not fewer', () => {
    assert.equal(uuidV7(1, new Uint8Array(16).fill(0xff)), '00000000-0001-7fff-bfff-ffffffffffff');
    assert.throws(() => uuidV7(1, new Uint8Array(9)), RangeError);
  });
});
