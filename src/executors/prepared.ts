/**
 * The last gate before an effect, the same for every executor: one execution that a crossing made,
 * for this action, for exactly this effect, once.
 */
import type { EffectRequest, Outcome, Prepared, SendOptions } from '../engine/ports.ts';
import { isExecution, type Execution } from '../engine/execution.ts';
import type { Digest } from '../kernel/digest.ts';

/** What an executor gives to be guarded. */
export interface PreparedParts {
  readonly request: EffectRequest;
  /** Compiles the effect again from the request, with placeholders. */
  readonly effect: () => Digest;
  /** Performs the effect; it asks `sending` itself, right before the first byte. */
  readonly perform: (execution: Execution, options: SendOptions) => Promise<Outcome>;
  /** Lets go of credential and connection. Called once. */
  readonly release: () => void;
}

/** A second send of one prepared effect: no outcome would be true of it, so there is none. */
class AlreadySentError extends Error {
  readonly code = 'already_sent';

  constructor() {
    super('a prepared effect is sent once');
    this.name = 'AlreadySentError';
  }
}

/**
 * Guards a prepared effect. An execution that does not fit ends `not_executed` with nothing sent, with
 * `execution_not_made`, `execution_of_another_action`, `effect_mismatch`, `discarded` or `cancelled`;
 * a second send throws {@link AlreadySentError}.
 */
export function prepareOnce(parts: PreparedParts): Prepared {
  let state: 'ready' | 'sent' | 'discarded' = 'ready';

  function objection(execution: Execution, options: SendOptions): string | undefined {
    const { request } = parts;
    if (!isExecution(execution)) return 'execution_not_made';
    if (execution.tenant !== request.tenant || execution.action !== request.action) {
      return 'execution_of_another_action';
    }
    if (parts.effect() !== execution.effect) return 'effect_mismatch';
    if (state === 'discarded') return 'discarded';
    return options.signal.aborted ? 'cancelled' : undefined;
  }

  return {
    async send(execution, options) {
      // INVARIANT: between this question and the next assignment nothing is awaited.
      if (state === 'sent') throw new AlreadySentError();
      const code = objection(execution, options);
      if (code !== undefined) return notSent(code, OBJECTIONS[code] ?? 'nothing was sent');
      state = 'sent';
      try {
        return await parts.perform(execution, options);
      } finally {
        parts.release();
      }
    },
    discard() {
      // While a send runs, what it holds is its own until it ends.
      if (state === 'ready') {
        state = 'discarded';
        parts.release();
      }
      return Promise.resolve();
    },
  };
}

const OBJECTIONS: Readonly<Record<string, string>> = {
  execution_not_made: 'no crossing made this execution',
  execution_of_another_action: 'the execution belongs to another action',
  effect_mismatch: 'the execution is for another effect',
  discarded: 'the prepared effect was discarded',
  cancelled: 'cancelled before anything was sent',
};

/** The outcome of an effect of which provably no byte left. */
export function notSent(code: string, message: string): Outcome {
  return { state: 'not_executed', sent: false, code, message, result: null };
}
