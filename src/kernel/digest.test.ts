import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { randomValue } from '../../test/fuzz/json-documents.ts';
import { seededRandom } from '../../test/fuzz/random.ts';
import {
  DIGEST_TAGS,
  digestBytes,
  digestOf,
  parseDigest,
  PAYLOAD_SALT_BYTES,
  saltedDigest,
} from './digest.ts';
import type { JsonObject, JsonValue } from './json/value.ts';
import { canonicalBytes } from './json/write.ts';

const TAGS = Object.values(DIGEST_TAGS);

describe('digests of values', () => {
  it('are SHA-256 of the tag, a zero byte and the canonical text', () => {
    const expected = createHash('sha256')
      .update(
        Buffer.concat([
          Buffer.from('exequatur/action/v1'),
          Buffer.of(0),
          Buffer.from('{"a":[1,"\u20ac"]}'),
        ]),
      )
      .digest('hex');
    assert.equal(digestOf('exequatur/action/v1', { a: [1, '\u20ac'] }), expected);
    assert.equal(
      digestBytes('exequatur/action/v1', canonicalBytes({ a: [1, '\u20ac'] })),
      expected,
    );
  });

  it('differ between any two domains, for the same value', () => {
    assert.equal(TAGS.length, 16);
    assert.equal(new Set(TAGS.map((tag) => digestOf(tag, { a: 1 }))).size, TAGS.length);
  });

  it('have tags of one form, none with a zero byte, each named as its key', () => {
    for (const [name, tag] of Object.entries(DIGEST_TAGS)) {
      const words = name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
      assert.equal(tag, `exequatur/${words}/v1`);
    }
  });

  it('law: a change of any single part changes the digest, and an equal value has the same', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, which) => {
        const value = randomValue(seededRandom(seed), 3);
        const mutants = mutantsOf(value);
        const mutant = mutants[which % mutants.length] ?? null;
        assert.notEqual(
          digestOf('exequatur/action/v1', mutant),
          digestOf('exequatur/action/v1', value),
        );
        assert.equal(
          digestOf('exequatur/action/v1', structuredClone(value)),
          digestOf('exequatur/action/v1', value),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('each field of an action moves its digest', () => {
    const action: JsonValue = {
      target: 'shop-payments',
      operation: 'refund',
      args: { charge: 'ch_3P', amount: '49.90', tags: ['a', 'b'], partial: false, note: null },
      deadline: 1_795_320_720_000,
    };
    const digests = [action, ...mutantsOf(action)].map((one) =>
      digestOf('exequatur/action/v1', one),
    );
    assert.equal(new Set(digests).size, digests.length);
    assert.ok(digests.length > 20);
  });
});

/** The value with one leaf changed, one member renamed or left out, one element added, and so on. */
function mutantsOf(value: JsonValue): readonly JsonValue[] {
  if (typeof value === 'string') return [`${value}x`, [value]];
  if (typeof value === 'number') return [value === 1 ? 2 : 1, String(value)];
  if (value === null || typeof value === 'boolean') return [value === true ? false : 0];
  if (isArray(value)) {
    const inner = value.flatMap((item, at) => mutantsOf(item).map((one) => value.with(at, one)));
    return [[...value, null], ...inner];
  }
  const added = Object.keys(value).reduce((longest, key) => longest + key, 'added');
  const inner = Object.entries(value).flatMap(([key, member]) => {
    const { [key]: _, ...rest } = value;
    const moved: JsonValue[] = [rest, replaced(rest, added, member)];
    return moved.concat(mutantsOf(member).map((one) => replaced(value, key, one)));
  });
  return [{ ...value, [added]: null }, ...inner];
}

function replaced(members: JsonObject, key: string, member: JsonValue): JsonObject {
  return { ...members, [key]: member };
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

describe('digests of payloads', () => {
  const bytes = new TextEncoder().encode('payload');

  it('are SHA-256 of the tag, a zero byte, the salt and the bytes', () => {
    const salt = new Uint8Array(PAYLOAD_SALT_BYTES).fill(7);
    const expected = createHash('sha256')
      .update(Buffer.concat([Buffer.from('exequatur/payload/v1\0'), salt, bytes]))
      .digest('hex');
    assert.equal(saltedDigest({ salt, bytes }), expected);
  });

  it('differ with the salt and with the bytes', () => {
    const digests = [0, 1].flatMap((fill) =>
      [bytes, bytes.subarray(1)].map((part) =>
        saltedDigest({ salt: new Uint8Array(PAYLOAD_SALT_BYTES).fill(fill), bytes: part }),
      ),
    );
    assert.equal(new Set(digests).size, 4);
  });

  it('take a salt of 32 bytes, and none of 31 or 33', () => {
    for (const length of [0, 31, 33]) {
      assert.throws(() => saltedDigest({ salt: new Uint8Array(length), bytes }), RangeError);
    }
  });
});

describe('the text of a digest', () => {
  it('is 64 lower-case hex digits and nothing else', () => {
    const digest = digestOf('exequatur/action/v1', null);
    assert.equal(parseDigest(digest), digest);
    for (const text of [
      '',
      digest.slice(1),
      `${digest}0`,
      digest.replace(/./u, 'A'),
      `${digest}\n`,
      ` ${digest}`,
    ]) {
      assert.equal(parseDigest(text), undefined);
    }
  });
});
