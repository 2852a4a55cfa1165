/** Counted places: for requests, waits and streams, in all and for one key. */

/** Gives a place back. Safe to call twice. */
export type Leave = () => void;

/** So many at once, and of these so many for one key. */
export class Places {
  readonly #max: number;
  readonly #perKeyMax: number;
  readonly #byKey = new Map<string, number>();
  #taken = 0;

  constructor(max: number, perKeyMax: number = max) {
    this.#max = max;
    this.#perKeyMax = perKeyMax;
  }

  /** Takes a place, or says which bound is reached. */
  enter(key: string): Leave | 'full' | 'full_for_key' {
    if (this.#taken >= this.#max) return 'full';
    const count = this.#byKey.get(key) ?? 0;
    if (count >= this.#perKeyMax) return 'full_for_key';
    this.#taken += 1;
    this.#byKey.set(key, count + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#taken -= 1;
      const rest = (this.#byKey.get(key) ?? 1) - 1;
      if (rest === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, rest);
    };
  }

  get taken(): number {
    return this.#taken;
  }
}
