/**
 * The action's states, and the only ways between them (DESIGN section 3). Pure: stores and engine
 * write what it says, and the exhaustive search in `test/laws` walks it.
 *
 * ```
 *             ┌─────────── rejected · withdrawn · expired (deadline)
 * propose ──▶ held ──▶ executing ──▶ succeeded | failed | not_executed
 *    │          │ ▲        │ │
 *    └─▶ denied ┘ └─barred─┘ └────▶ unknown ──▶ succeeded | failed | not_executed
 * ```
 *
 * - `held` is entered by a proposal or an advance whose verdict is `hold`, and again when an execution
 *   is barred; it is left by a crossing, a denial, a rejection, a withdrawal or the deadline.
 * - `executing` is entered by a crossing only. It is left when the outcome is settled, when the
 *   execution is barred before anything was sent, or as `unknown` when its engine is lost.
 * - `unknown` is left only by conclusive evidence or a named person.
 * - Every other state is final.
 */
import type { Verdict } from '../kernel/decision.ts';

/** Where an action is. `new` is an action that is not stored yet. */
export type ActionState =
  | 'held'
  | 'executing'
  | 'succeeded'
  | 'failed'
  | 'not_executed'
  | 'unknown'
  | 'denied'
  | 'rejected'
  | 'withdrawn'
  | 'expired';

/** How an execution can end. */
export type OutcomeState = 'succeeded' | 'failed' | 'not_executed' | 'unknown';

/** What can happen to an action. */
export type ActionEvent =
  | { readonly kind: 'decided'; readonly verdict: Verdict; readonly deadlinePassed: boolean }
  | { readonly kind: 'rejected' }
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'barred' }
  | { readonly kind: 'settled'; readonly outcome: OutcomeState }
  | { readonly kind: 'lost' }
  | { readonly kind: 'resolved'; readonly outcome: Exclude<OutcomeState, 'unknown'> };

/** The next state, or why there is none. */
export type Transition =
  | { readonly ok: true; readonly state: ActionState }
  | {
      readonly ok: false;
      readonly code: 'already_final' | 'already_executing' | 'not_executing' | 'not_unknown';
    };

/**
 * A crossing on its way to the target, in its engine. `waiting` until the last question before the
 * first byte; `sending` once that was answered yes, and for good; `barred` once something forbade it;
 * `over` when it ended otherwise.
 */
export type SendState = 'waiting' | 'sending' | 'barred' | 'over';

/** The next send state. Only a waiting crossing begins, and what has begun cannot be barred. */
export function sendTransition(state: SendState, event: 'begin' | 'bar' | 'end'): SendState {
  if (state !== 'waiting') return state;
  return SENT[event];
}

const SENT = { begin: 'sending', bar: 'barred', end: 'over' } as const;

const FINAL: ReadonlySet<ActionState> = new Set([
  'succeeded',
  'failed',
  'not_executed',
  'denied',
  'rejected',
  'withdrawn',
  'expired',
]);

/** Whether nothing can change an action in this state any more. */
export function isFinal(state: ActionState): boolean {
  return FINAL.has(state);
}

/** The state after `event`, for an action in `state` (`new` before it is stored). */
export function transition(state: ActionState | 'new', event: ActionEvent): Transition {
  switch (event.kind) {
    case 'decided':
      if (state !== 'new' && state !== 'held') return refusal(state);
      return to(event.deadlinePassed && state === 'held' ? 'expired' : DECIDED[event.verdict]);
    case 'rejected':
      return state === 'held' ? to('rejected') : refusal(state);
    case 'withdrawn':
      return state === 'held' ? to('withdrawn') : refusal(state);
    case 'barred':
      return state === 'executing' ? to('held') : { ok: false, code: 'not_executing' };
    case 'settled':
      return state === 'executing' ? to(event.outcome) : { ok: false, code: 'not_executing' };
    case 'lost':
      return state === 'executing' ? to('unknown') : { ok: false, code: 'not_executing' };
    case 'resolved':
      return state === 'unknown' ? to(event.outcome) : { ok: false, code: 'not_unknown' };
    default:
      return event satisfies never;
  }
}

const DECIDED = { admit: 'executing', hold: 'held', deny: 'denied' } as const;

function to(state: ActionState): Transition {
  return { ok: true, state };
}

function refusal(state: ActionState | 'new'): Transition {
  return { ok: false, code: state === 'executing' ? 'already_executing' : 'already_final' };
}
