/** Writes histories by hand, for tests of the checker: right ones unless they are told otherwise. */
import type { JsonObject } from '../../src/kernel/json/value.ts';
import { BASE_MS } from './boundary.ts';
import type { Happening, History, Seen } from './history.ts';

/** Writes a history, with time and ledger positions counted on. */
export class Writer {
  readonly #happenings: Happening[] = [];
  #atMs = 1000;
  #sequence = 9;

  see(seen: Seen, afterMs = 10): this {
    this.#atMs += afterMs;
    this.#happenings.push({ atMs: this.#atMs, ...seen });
    return this;
  }

  /** A ledger entry, on a right clock unless said otherwise. */
  record(kind: string, action: string, body: JsonObject = {}, aheadMs = 0, afterMs = 10): this {
    this.#sequence += 1;
    const at = BASE_MS + this.#atMs + afterMs + aheadMs;
    return this.see(
      { kind: 'entry', entry: { sequence: this.#sequence, kind, at, action, body } },
      afterMs,
    );
  }

  propose(
    action: string,
    parts: { operation?: string; amount?: number; agent?: string; effect?: string } = {},
  ): this {
    const {
      operation = 'pay',
      amount = 20,
      agent = 'bot-a',
      effect = `effect of ${action}`,
    } = parts;
    const request = `request of ${action}`;
    this.see({
      kind: 'proposed',
      agent,
      request,
      what: operation,
      content: '{"to":"x"}',
      amount,
      deadline: BASE_MS + 60_000,
      notBefore: 0,
    });
    const target = operation === 'deploy' || operation === 'look' ? 'shop' : 'bank';
    return this.record('proposed', action, {
      agent,
      effectKey: effect,
      operation,
      request,
      target,
      delegator: null,
    });
  }

  cross(action: string, body: JsonObject = {}, aheadMs = 0, afterMs = 10): this {
    return this.record(
      'crossed',
      action,
      {
        consent: 'consent',
        consumes: [],
        epoch: 1,
        execution: `execution of ${action}`,
        reserves: [{ key: 'spend', perMs: 60_000, amount: '20.00' }],
        ...body,
      },
      aheadMs,
      afterMs,
    );
  }

  begin(action: string, afterMs = 10): this {
    return this.see(
      { kind: 'began', execution: `execution of ${action}`, action, engine: 'engine-a' },
      afterMs,
    );
  }

  arrive(
    action: string,
    parts: { content?: string; copy?: number; tookHold?: boolean } = {},
  ): this {
    const { content = '{"to":"x"}', copy = 1, tookHold = true } = parts;
    return this.see({
      kind: 'arrived',
      execution: `execution of ${action}`,
      action,
      content,
      copy,
      tookHold,
    });
  }

  reply(action: string, outcome: 'succeeded' | 'failed' | 'not_executed' | 'unknown'): this {
    return this.see({ kind: 'replied', execution: `execution of ${action}`, outcome });
  }

  settle(action: string, outcome: string, kind = 'settled', body: JsonObject = {}): this {
    return this.record(kind, action, { execution: `execution of ${action}`, outcome, ...body });
  }

  end(action: string, state: string, executed: string): this {
    return this.see({ kind: 'ended', action, state, executed });
  }

  /** Everything that a payment comes to when nothing goes wrong. */
  pay(action: string, parts: Parameters<Writer['propose']>[1] = {}): this {
    return this.propose(action, parts)
      .cross(action)
      .begin(action)
      .arrive(action)
      .reply(action, 'succeeded')
      .settle(action, 'succeeded');
  }

  /** A yes, said and recorded. */
  approve(action: string, person: string, body: JsonObject = {}): this {
    this.see({
      kind: 'answering',
      person,
      action,
      decision: 'approve',
      challenge: `challenge of ${person}`,
    });
    return this.record('approved', action, {
      approval: `yes of ${person}`,
      approver: person,
      consent: 'consent',
      expiresAt: BASE_MS + 60_000,
      requirement: 'requirement',
      ...body,
    });
  }

  get history(): History {
    return this.#happenings;
  }
}
