/**
 * Seeded randomness. Every user has a stream of its own name, so that a step left out of a plan changes
 * little of what the others draw.
 */

/** One stream: the same seed and name give the same numbers, on every machine. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream: string) {
    [this.#a, this.#b, this.#c] = hashed(`${String(seed)}/${stream}`);
    for (let round = 0; round < 12; round++) this.#next();
  }

  /** A whole number from 0 up to, and without, `count`. */
  below(count: number): number {
    return Math.floor((this.#next() / 2 ** 32) * count);
  }

  /** Whether something happens that does so `percent` times of a hundred. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** One of them. */
  pick<Item>(items: readonly [Item, ...(readonly Item[])]): Item {
    return items[this.below(items.length)] ?? items[0];
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let index = 0; index < count; index++) bytes[index] = this.#next() & 0xff;
    return bytes;
  }

  /** The generator sfc32 by Chris Doty-Humphrey, 32 bits at a time. */
  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}

/** Three numbers of a text, by the multiplicative hash FNV-1a with three starts. */
export function hashed(text: string): [number, number, number] {
  let [first, second, third] = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    first = Math.imul(first ^ code, 0x01000193);
    second = Math.imul(second ^ code, 0x85ebca6b);
    third = Math.imul(third ^ code, 0xc2b2ae35);
  }
  return [first | 0, second | 0, third | 0];
}
