import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { compareJson } from '../../../test/fuzz/json-documents.ts';
import { seededRandom } from '../../../test/fuzz/random.ts';
import { JSON_DEPTH_CEILING } from './cursor.ts';
import { parseJson } from './parse.ts';
import type { JsonValue } from './value.ts';
import { canonicalBytes, JsonWriteError, writeCanonical } from './write.ts';

const JCS = new URL('../../../test/vectors/jcs/testdata/', import.meta.url);

describe('RFC 8785 vectors', () => {
  const names = readdirSync(new URL('input/', JCS));

  it('are the six of the reference repository', () => {
    assert.equal(names.length, 6);
  });

  for (const name of names) {
    it(`${name} is written as its output and its hex say`, () => {
      const parsed = parseJson(readFileSync(new URL(`input/${name}`, JCS)));
      assert.ok(parsed.ok);
      const hex = readFileSync(new URL(`outhex/${name.replace('.json', '.txt')}`, JCS), 'utf8');
      assert.equal(
        writeCanonical(parsed.value),
        readFileSync(new URL(`output/${name}`, JCS), 'utf8'),
      );
      assert.deepEqual(
        Buffer.from(canonicalBytes(parsed.value)),
        Buffer.from(hex.replaceAll(/\s/gu, ''), 'hex'),
      );
    });
  }

  it('number test: the first 1,000 and 10,000 lines have the published hashes', () => {
    const published: readonly (readonly [count: number, hash: string])[] = [
      [1_000, 'be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687'],
      [10_000, 'b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892'],
    ];
    const numbers = numberTestValues(10_000);
    for (const [count, hash] of published) {
      const lines = numbers.slice(0, count).map((bits) => `${hexOf(bits)},${formOf(bits)}\n`);
      assert.equal(createHash('sha256').update(lines.join('')).digest('hex'), hash);
    }
  });
});

/** The sequence of doubles, as their 64 bits, that the vectors' README describes. */
function numberTestValues(count: number): readonly bigint[] {
  const readme = readFileSync(new URL('README.md', JCS), 'utf8');
  const bits = Array.from(readme.matchAll(/0x[0-9a-f]{16}(?=n[,\s\]])/gu), ([text]) =>
    BigInt(text),
  );
  // The last match is the base of the serial numbers, which follow the listed ones.
  const serialBase = bits.pop();
  assert.equal(serialBase, 0x0010000000000000n);
  for (let serial = 0n; serial < 2_000n; serial += 1n) bits.push(serialBase + serial);
  let block: Buffer = Buffer.alloc(32);
  while (bits.length < count) {
    block = createHash('sha256').update(block).digest();
    for (let at = 0; at < 32; at += 8) {
      const value = block.readDoubleLE(at);
      if (value !== 0 && Number.isFinite(value)) bits.push(block.readBigUInt64LE(at));
    }
  }
  return bits.slice(0, count);
}

function hexOf(bits: bigint): string {
  return bits.toString(16);
}

function formOf(bits: bigint): string {
  return writeCanonical(new Float64Array(BigUint64Array.of(bits).buffer)[0] ?? null);
}

describe('canonical text', () => {
  it('of 20,000 random documents is that of another implementation, and a fixed point', () => {
    const random = seededRandom(20_000);
    let mutantsAccepted = 0;
    for (let document = 1; document <= 20_000; document += 1) {
      const compared = compareJson(random);
      assert.ok(compared.ok, compared.ok ? '' : `document ${document}: ${compared.difference}`);
      if (compared.mutantAccepted) mutantsAccepted += 1;
    }
    // Fewer would mean that the mutants no longer reach what parsers may read differently.
    assert.ok(mutantsAccepted > 1_000);
  });

  it('sorts keys by UTF-16 code units, not by code points', () => {
    assert.equal(writeCanonical({ '\ufb33': 1, '\u{1f600}': 2 }), '{"\u{1f600}":2,"\ufb33":1}');
  });

  it('does not depend on the order in which members were added', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.integer()), (members) => {
        const entries = Object.entries(members).filter(([key]) => key !== '__proto__');
        assert.equal(
          writeCanonical(Object.fromEntries(entries)),
          writeCanonical(Object.fromEntries(entries.toReversed())),
        );
      }),
    );
  });

  it('writes zero without its sign, as RFC 8785 asks', () => {
    assert.equal(writeCanonical([-0, 0]), '[0,0]');
  });

  it('never asks a value or a prototype for another form', () => {
    const asked: string[] = [];
    const toJSON = (): string => {
      asked.push('toJSON');
      return 'other';
    };
    for (const prototype of [String.prototype, Number.prototype, Object.prototype]) {
      Reflect.defineProperty(prototype, 'toJSON', { value: toJSON, configurable: true });
    }
    try {
      assert.equal(writeCanonical({ a: ['b\n', 1, { c: null }] }), '{"a":["b\\n",1,{"c":null}]}');
    } finally {
      for (const prototype of [String.prototype, Number.prototype, Object.prototype]) {
        Reflect.deleteProperty(prototype, 'toJSON');
      }
    }
    assert.deepEqual(asked, []);
  });
});

describe('values that have no canonical form', () => {
  class Exotic {
    readonly a = 1;
  }
  class ExoticArray extends Array<number> {}
  const holes: unknown[] = [1];
  holes[2] = 3;
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const cases: Readonly<Record<string, unknown>> = {
    undefined: undefined,
    'an undefined member': { a: undefined },
    'a hole': holes,
    'a function': () => 1,
    'a toJSON method': { toJSON: () => 1 },
    'a symbol': Symbol('a'),
    'a bigint': 1n,
    NaN: Number.NaN,
    Infinity: Infinity,
    '-Infinity': -Infinity,
    'a lone surrogate': '\ud800',
    'a lone surrogate in a key': { '\udc00': 1 },
    'a Map': new Map([['a', 1]]),
    'a Date': new Date(0),
    'a boxed string': Object('a'),
    bytes: Uint8Array.of(1),
    'an instance of a class': new Exotic(),
    'an inherited object': Object.create({ a: 1 }),
    'an array of another class': new ExoticArray(1, 2),
    'a cycle': cycle,
  };
  for (const [name, value] of Object.entries(cases)) {
    it(`${name} is a defect that stops at the writer`, () => {
      assert.throws(() => writeCanonical(unchecked(value)), JsonWriteError);
      assert.throws(() => canonicalBytes(unchecked({ a: [value] })), JsonWriteError);
    });
  }

  it('nesting is written up to the ceiling and not past it', () => {
    assert.equal(writeCanonical(nested(JSON_DEPTH_CEILING)).length, 2 * JSON_DEPTH_CEILING);
    assert.throws(() => writeCanonical(nested(JSON_DEPTH_CEILING + 1)), JsonWriteError);
  });
});

function nested(depth: number): JsonValue {
  let value: JsonValue = [];
  for (let level = 1; level < depth; level += 1) value = [value];
  return value;
}

/** Hands the writer what the types would keep from it. */
function unchecked(value: unknown): JsonValue {
  const box: { readonly value: JsonValue } = Object.assign(Object.create(null), { value });
  return box.value;
}
