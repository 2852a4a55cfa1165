/**
 * What the driver knows by itself: what it asked, and what it was answered. Nothing in it comes from the
 * store, so that the store can be held against it.
 */
import type { Payment } from './shop.ts';

/** One payment as it was asked for, and everything that was said about it. */
export interface Asked {
  readonly key: string;
  readonly payment: Payment;
  id: string | undefined;
  /** States in the order they were answered. */
  readonly states: string[];
  /** Codes of refusals: each said that nothing was executed, and nothing was stored. */
  readonly refusals: string[];
}

/** A halt as it was acknowledged. Times are `machineMs`. */
export interface HaltHeard {
  readonly id: string;
  readonly operation: string | undefined;
  readonly sent: ReadonlySet<string>;
  readonly acknowledgedAt: number;
  /** When its end was asked for, if it was. */
  resumeAskedAt?: number;
  resumed?: boolean;
}

/** Everything asked of one store. */
export class Journal {
  readonly #byKey = new Map<string, Asked>();
  readonly halts: HaltHeard[] = [];

  /** Notes a proposal before it is made. */
  asked(key: string, payment: Payment): Asked {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const asked: Asked = { key, payment, id: undefined, states: [], refusals: [] };
    this.#byKey.set(key, asked);
    return asked;
  }

  /** Notes an answer. */
  answered(key: string, id: string, state: string): void {
    const asked = this.#byKey.get(key);
    if (asked === undefined) throw new Error(`nobody asked \`${key}\``);
    asked.id ??= id;
    // Another id for the same key would be a second action: it is kept, and found.
    asked.states.push(asked.id === id ? state : `another action \`${id}\``);
  }

  /** Notes a refusal. */
  refused(key: string, code: string): void {
    this.#byKey.get(key)?.refusals.push(code);
  }

  all(): readonly Asked[] {
    return [...this.#byKey.values()];
  }

  /** Those nobody answered, whose proposer would ask again. */
  unanswered(): readonly Asked[] {
    return this.all().filter(
      ({ states, refusals }) => states.length === 0 && refusals.length === 0,
    );
  }
}
