/** Run time grows with the size of a document and not with its square, whatever the document is. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseJson, type JsonLimits } from './parse.ts';
import { canonicalBytes } from './write.ts';

const encoder = new TextEncoder();

const LIMITS: JsonLimits = {
  bytesMax: 1e8,
  depthMax: 1_000,
  keysMax: 1e7,
  itemsMax: 1e7,
  stringLengthMax: 1e8,
  keyLengthMax: 1e8,
};

/** Eight times the size may take 24 times the time; work that grows with the square takes 64. */
const SIZES_RATIO = 8;
const TIME_RATIO_MAX = 24;
const TRIES = 7;
const ATTEMPTS = 4;
/** Short runs are measured several together, so that the timer does not decide. */
const SAMPLE_MS = 2;

type Shape = {
  readonly name: string;
  /** Size of the smaller document: enough that a run takes about a millisecond. */
  readonly size: number;
  readonly document: (size: number) => string;
  /** Whether it is refused, and thus never written. */
  readonly refused?: boolean;
};

function repeated(size: number, separator: string, part: (index: number) => string): string {
  return Array.from({ length: size }, (_, index) => part(index)).join(separator);
}

const SHAPES: readonly Shape[] = [
  {
    name: 'towers of nested arrays',
    size: 15,
    document: (size) => `[${repeated(size, ',', () => '['.repeat(900) + ']'.repeat(900))}]`,
  },
  {
    name: 'many keys',
    size: 2_000,
    document: (size) => `{${repeated(size, ',', (index) => `"key${index}":1`)}}`,
  },
  {
    name: 'many keys that are numbers far apart',
    size: 2_000,
    document: (size) => `{${repeated(size, ',', (index) => `"${index * 7919}":1`)}}`,
  },
  {
    name: 'a string of escapes',
    // Both sizes are past what the engine allocates as a small object.
    size: 30_000,
    document: (size) => `"${'\\n\\u00e9a\\ud83d\\ude00'.repeat(size)}"`,
  },
  {
    name: 'a key of escapes',
    // Both sizes are past what the engine allocates as a small object.
    size: 60_000,
    document: (size) => `{"${'\\n\\u00e9a'.repeat(size)}":1}`,
  },
  {
    name: 'many keys and duplicates at the end',
    refused: true,
    size: 2_000,
    document: (size) =>
      `{${repeated(size, ',', (index) => `"key${index}":1`)},"key0":1,"key1":1,"key2":1}`,
  },
  {
    name: 'many objects and a duplicate in the last',
    refused: true,
    size: 2_000,
    document: (size) => `[${repeated(size, ',', () => '{"a":1,"b":{"a":1}}')},{"a":1,"a":1}]`,
  },
  {
    name: 'one long number',
    refused: true,
    size: 200_000,
    document: (size) => `[0.${'1'.repeat(size)}]`,
  },
  {
    name: 'blanks and a late error',
    refused: true,
    size: 200_000,
    document: (size) => `${' \n'.repeat(size)}x`,
  },
  {
    name: 'raw text outside ASCII and a late error',
    refused: true,
    size: 50_000,
    document: (size) => `["${'\u00e9\u{1f600}'.repeat(size)}",]`,
  },
];

describe('growth', () => {
  for (const { name, size, document, refused = false } of SHAPES) {
    const [small, large] = [
      encoder.encode(document(size)),
      encoder.encode(document(size * SIZES_RATIO)),
    ];

    it(`parsing ${name} takes time in proportion to the size`, () => {
      assert.equal(parseJson(small, LIMITS).ok, !refused);
      assertLinear({
        small: () => parseJson(small, LIMITS),
        large: () => parseJson(large, LIMITS),
      });
    });

    if (refused) continue;
    it(`writing ${name} takes time in proportion to the size`, () => {
      const [one, other] = [parseJson(small, LIMITS), parseJson(large, LIMITS)];
      assert.ok(one.ok && other.ok);
      // Encoding reads the text, which joining alone would leave for later.
      assertLinear({
        small: () => canonicalBytes(one.value),
        large: () => canonicalBytes(other.value),
      });
    });
  }

  it('the bound itself finds work that grows with the square', () => {
    assert.throws(() => assertLinear({ small: square(300), large: square(300 * SIZES_RATIO) }));
  });
});

/** The large run may take at most the ratio of the small one; a noisy machine gets other attempts. */
function assertLinear({ small, large }: Runs): void {
  const ratios: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const ratio = timeRatio({ small, large });
    ratios.push(ratio);
    if (ratio < TIME_RATIO_MAX) return;
  }
  assert.fail(`times grew by ${ratios.map((ratio) => ratio.toFixed(1)).join(', ')}`);
}

type Runs = { readonly small: () => unknown; readonly large: () => unknown };

/**
 * How many times as long the large run takes. Both are repeated until they take equally long and are
 * tried in turn, so that pauses hit both alike; the fastest tries are compared, since whatever else
 * the machine does only ever adds to them.
 */
function timeRatio({ small, large }: Runs): number {
  const largeMs = elapsedMs(large, 1);
  const sampleMs = Math.max(largeMs, SAMPLE_MS);
  const largeRepeats = Math.ceil(sampleMs / largeMs);
  const smallRepeats = Math.ceil((sampleMs * 2) / elapsedMs(small, 2));
  let smallFastestMs = Infinity;
  let largeFastestMs = Infinity;
  for (let count = 0; count < TRIES; count += 1) {
    smallFastestMs = Math.min(smallFastestMs, elapsedMs(small, smallRepeats) / smallRepeats);
    largeFastestMs = Math.min(largeFastestMs, elapsedMs(large, largeRepeats) / largeRepeats);
  }
  return largeFastestMs / smallFastestMs;
}

function elapsedMs(run: () => unknown, repeats: number): number {
  const startedAt = performance.now();
  for (let count = 0; count < repeats; count += 1) run();
  return performance.now() - startedAt;
}

/** Work that grows with the square of the size. */
function square(size: number): () => void {
  return () => {
    let sum = 0;
    for (let one = 0; one < size; one += 1) {
      for (let other = 0; other < size; other += 1) sum = (sum + one * other) % 1_000_003;
    }
    assert.ok(sum >= 0);
  };
}
