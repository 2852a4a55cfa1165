/** Random numbers that a seed repeats: what every fuzzed input is made from. */

/** A source of random numbers. */
export interface Random {
  /** An integer from 0 to below `bound`. */
  readonly below: (bound: number) => number;
}

/** Mulberry32: 32 bits of state are enough to vary documents, and a seed repeats them. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    below: (bound) => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
    },
  };
}

/** The numbers of one case: a case can be played again without those before it. */
export function randomOfCase(seed: number, name: string, index: number): Random {
  let mixed = seed >>> 0;
  for (const character of `${name} ${String(index)}`) {
    mixed = Math.imul(mixed ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return seededRandom(mixed);
}

/** One of the items; `otherwise` where there are none. */
export function pick<Item>(random: Random, items: readonly Item[], otherwise: Item): Item {
  return items[random.below(items.length)] ?? otherwise;
}
