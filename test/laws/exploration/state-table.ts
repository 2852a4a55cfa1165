/** The states that a search has found, in order, each kept whole with the one it was reached from. */

/** A growing table of states of equal width, with an index by content. `capacity` is a power of two. */
export class StateTable {
  readonly #width: number;
  #states: Uint32Array;
  #parents: Uint32Array;
  /** State number plus one, by hash; 0 is an empty place. At most half of the places are taken. */
  #places: Uint32Array;
  #mask: number;
  #size = 0;

  constructor(width: number, capacity: number = 1 << 16) {
    this.#width = width;
    this.#states = new Uint32Array(capacity * width);
    this.#parents = new Uint32Array(capacity);
    this.#places = new Uint32Array(capacity * 2);
    this.#mask = this.#places.length - 1;
  }

  /** How many states there are. */
  get size(): number {
    return this.#size;
  }

  /** The number of this state, added as the next one if it is new. */
  add(words: readonly number[], parent: number): number {
    let place = this.#placeOf(words);
    for (;;) {
      const found = this.#places[place] ?? 0;
      if (found === 0) break;
      if (this.#equals(found - 1, words)) return found - 1;
      place = (place + 1) & this.#mask;
    }
    if (this.#size === this.#parents.length) {
      this.#grow();
      return this.add(words, parent);
    }
    const index = this.#size++;
    this.#states.set(words, index * this.#width);
    this.#parents[index] = parent;
    this.#places[place] = index + 1;
    return index;
  }

  /** The words of a state. */
  words(index: number): Uint32Array {
    return this.#states.subarray(index * this.#width, (index + 1) * this.#width);
  }

  /** The state it was reached from; the first one is its own. */
  parent(index: number): number {
    return this.#parents[index] ?? 0;
  }

  #equals(index: number, words: readonly number[]): boolean {
    const start = index * this.#width;
    for (let at = 0; at < this.#width; at++) {
      if (this.#states[start + at] !== words[at]) return false;
    }
    return true;
  }

  #placeOf(words: ArrayLike<number>): number {
    let hash = 0x9e3779b9;
    for (let at = 0; at < this.#width; at++) {
      hash = Math.imul(hash ^ (words[at] ?? 0), 0x85ebca6b);
      hash ^= hash >>> 15;
      hash = Math.imul(hash, 0xc2b2ae35);
      hash ^= hash >>> 13;
    }
    return hash & this.#mask;
  }

  #grow(): void {
    const capacity = this.#parents.length * 2;
    const states = new Uint32Array(capacity * this.#width);
    states.set(this.#states);
    const parents = new Uint32Array(capacity);
    parents.set(this.#parents);
    this.#states = states;
    this.#parents = parents;
    this.#places = new Uint32Array(capacity * 2);
    this.#mask = this.#places.length - 1;
    for (let index = 0; index < this.#size; index++) {
      let place = this.#placeOf(this.words(index));
      while (this.#places[place] !== 0) place = (place + 1) & this.#mask;
      this.#places[place] = index + 1;
    }
  }
}
