/** One action from its proposal through a person's yes to its outcome, with everything said noted. */
import { oneOf } from './machine.ts';
import type { Journal } from './journal.ts';
import type { Heard, Layer } from './layer.ts';
import { LEADS, type Payment } from './shop.ts';

/** Longer than any crossing, also of a traced layer. */
const CROSSING_MS_MAX = 8000;
const FINAL: ReadonlySet<string> = new Set([
  'succeeded',
  'failed',
  'not_executed',
  'unknown',
  'denied',
]);

/** Takes actions of one layer through their lives, one after the other. */
export class OneCrossing {
  readonly #layer: Layer;
  readonly #journal: Journal;
  #n = 0;
  #hear: (heard: Heard) => void = () => undefined;

  constructor(layer: Layer, journal: Journal) {
    this.#layer = layer;
    this.#journal = journal;
    layer.listen((heard) => this.#hear(heard));
  }

  /** Resolves when it is settled or refused, or its layer is gone. */
  async run(key: string, operation: Payment['operation'] = 'pay-asked'): Promise<void> {
    const payment: Payment = { operation, to: key.slice(0, 13), amount: '1.25' };
    this.#journal.asked(key, payment);
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CROSSING_MS_MAX);
      this.#hear = (heard) => {
        if (heard.said === 'refused') {
          if (heard.n === 1) this.#journal.refused(key, heard.code);
          resolve();
        }
        if (heard.said !== 'answered') return;
        this.#journal.answered(key, heard.id, heard.state);
        if (heard.state === 'held' && this.#n === 1) this.#approve(heard.id);
        else if (FINAL.has(heard.state)) resolve();
      };
    });
    this.#n = 1;
    this.#layer.tell({ do: 'propose', n: 1, key, payment });
    await Promise.race([over, this.#layer.ended]);
    clearTimeout(timer);
  }

  #approve(id: string): void {
    this.#n = 2;
    this.#layer.tell({ do: 'approve', n: 2, id, person: oneOf(LEADS) });
  }
}
