/**
 * Bounded waiting inside one engine: how many actions are under way at once, and one at a time for each
 * conflict key from preview to settlement (DESIGN section 3, step 5).
 */

/** Gives a place back. Safe to call twice. */
export type Release = () => void;

/** A counting gate with a bounded queue. */
export class Gate {
  readonly #placesMax: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(limits: { readonly placesMax: number; readonly waitingMax: number }) {
    this.#placesMax = limits.placesMax;
    this.#waitingMax = limits.waitingMax;
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** A place, at once or after others leave; `undefined` where too many wait already. */
  async enter(): Promise<Release | undefined> {
    if (this.#taken < this.#placesMax) {
      this.#taken++;
    } else if (this.#waiting.length < this.#waitingMax) {
      // The one who leaves hands its place over, so `taken` does not change.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      return undefined;
    }
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken--;
      else next();
    };
  }
}

/** One place for each key. */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * The place of `key`, once all who came before left it; `undefined` when `waitMs` passed first. Who
   * gave up waiting leaves no gap: the next in line still waits for the one before.
   */
  async enter(key: string, timeout: Promise<void>): Promise<Release | undefined> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    const tail = before.then(() => left);
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    const entered = await Promise.race([before.then(() => true), timeout.then(() => false)]);
    if (entered) return leave;
    leave();
    return undefined;
  }
}
