/** Load on a layer, with every question and answer noted: payments of all sorts, yeses, halts. */
import { randomUUID } from 'node:crypto';
import { between, machineMs, oneOf, pause } from './machine.ts';
import type { Journal } from './journal.ts';
import type { Command, Heard, Layer } from './layer.ts';
import { LEADS, type Payment } from './shop.ts';

/** How a load behaves. */
export interface LoadParts {
  readonly journal: Journal;
  /** Payments under way at once. */
  readonly inFlight: number;
  /** Cents of one payment at most. */
  readonly centsMax?: number;
  /** In a hundred turns, how many are halts of one operation; each is ended a little later. */
  readonly haltsPercent?: number;
}

const OPERATIONS = ['pay', 'pay', 'pay-blind', 'pay-once', 'pay-asked', 'pay-after'] as const;
const BEHAVIOURS = ['', '', '', '', '!lose', '!slow', '!refuse', '!fail'] as const;
/** Payees of `pay-once`: few, so that effects meet. */
const PAYEES = 12;
const HALT_MS = 25;
const WAITING_MS_MAX = 3000;
const LITTLE_MS_MAX = 15;

type CommandBody = Command extends infer Each
  ? Each extends Command
    ? Omit<Each, 'n'>
    : never
  : never;

/** A payment somebody might ask for. */
export function anyPayment(centsMax: number): Payment {
  const operation = oneOf(OPERATIONS);
  const cents = between(1, centsMax);
  const amount = `${String(Math.floor(cents / 100))}.${String(cents % 100).padStart(2, '0')}`;
  if (operation === 'pay-once') {
    const payee = between(1, PAYEES);
    // A payee's behaviour is always the same, or its payments would not be one effect.
    return { operation, to: `payee-${String(payee)}${payee % 4 === 0 ? '!lose' : ''}`, amount };
  }
  return { operation, to: `${randomUUID().slice(0, 13)}${oneOf(BEHAVIOURS)}`, amount };
}

/** Runs until it is stopped or the layer is gone. */
export class Load {
  readonly #layer: Layer;
  readonly #parts: LoadParts;
  readonly #waiting = new Map<number, (heard: Heard) => void>();
  #n = 0;
  #stopped = false;
  answersCount = 0;

  constructor(layer: Layer, parts: LoadParts) {
    this.#layer = layer;
    this.#parts = parts;
    layer.listen((heard) => {
      if (!('n' in heard)) return;
      this.answersCount += 1;
      this.#waiting.get(heard.n)?.(heard);
    });
    // What a kill left standing is ended, or less and less would happen.
    for (const halt of parts.journal.halts) if (halt.resumed !== true) this.#resume(halt);
    // What was in flight when an earlier layer ended is asked again, as a proposer would.
    const again = parts.journal.unanswered().slice(0, parts.inFlight);
    for (const { key, payment } of again) this.#propose(key, payment);
    for (let index = again.length; index < parts.inFlight; index += 1) this.#next();
  }

  /** Resolves at a random instant: after up to so many answers, and a little. Never waits for long. */
  async someAnswers(most: number): Promise<void> {
    const least = between(0, most);
    const untilMs = machineMs() + WAITING_MS_MAX;
    while (this.answersCount < least && machineMs() < untilMs) await pause(1);
    await pause(between(0, LITTLE_MS_MAX));
  }

  /** Asks for nothing more. */
  stop(): void {
    this.#stopped = true;
  }

  #next(): void {
    if (this.#stopped) return;
    const { haltsPercent = 0, centsMax = 500 } = this.#parts;
    if (between(1, 100) <= haltsPercent) this.#halt();
    else this.#propose(randomUUID(), anyPayment(centsMax));
  }

  #tell(command: CommandBody, hear: (heard: Heard) => void): void {
    this.#n += 1;
    this.#waiting.set(this.#n, hear);
    this.#layer.tell({ ...command, n: this.#n });
  }

  #propose(key: string, payment: Payment): void {
    const { journal } = this.#parts;
    journal.asked(key, payment);
    let heardOnce = false;
    this.#tell({ do: 'propose', key, payment }, (heard) => {
      if (heard.said === 'refused') journal.refused(key, heard.code);
      if (heard.said === 'answered') {
        journal.answered(key, heard.id, heard.state);
        if (heard.state === 'held' && payment.operation === 'pay-asked')
          this.#approve(key, heard.id);
      }
      if (!heardOnce) this.#next();
      heardOnce = true;
    });
  }

  #approve(key: string, id: string): void {
    this.#tell({ do: 'approve', id, person: oneOf(LEADS) }, (heard) => {
      if (heard.said === 'answered') this.#parts.journal.answered(key, id, heard.state);
    });
  }

  #halt(): void {
    const operation = 'pay-blind';
    this.#tell({ do: 'halt', operation }, (heard) => {
      if (heard.said !== 'halted') return;
      const halt = {
        id: heard.id,
        operation,
        sent: new Set(heard.sent),
        acknowledgedAt: heard.machineMs,
      };
      this.#parts.journal.halts.push(halt);
      setTimeout(() => this.#resume(halt), HALT_MS);
      this.#next();
    });
  }

  #resume(halt: Journal['halts'][number]): void {
    halt.resumeAskedAt ??= machineMs();
    this.#tell({ do: 'resume', id: halt.id }, () => {
      halt.resumed = true;
    });
  }
}
