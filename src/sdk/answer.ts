/** The four answers to an action, read from what the layer says of it. */
import type { ActionView, ProposeRequest } from '../protocol/actions.ts';
import type { FindingView } from '../protocol/finding-view.ts';
import type { ActionState, Executed } from '../protocol/words.ts';

/** Any JSON value. */
export type JsonValue = Exclude<ActionView['result'], undefined>;

/** Any JSON object. */
export type JsonObject = Exclude<ProposeRequest['args'], undefined>;

/** What every answer says. */
interface AnswerParts {
  /** The action's id. */
  readonly id: string;
  /** One line for people, or for a model that reads it. */
  readonly message: string;
  /** Everything that the layer told. */
  readonly action: ActionView;
}

/** It is settled, which is not the same as well: `state` says how it ended. */
export interface Done extends AnswerParts {
  readonly kind: 'done';
  readonly state: 'succeeded' | 'failed' | 'not_executed';
  /** `partly`: it ran, reported failure, and may have had some effect. */
  readonly executed: Executed;
  /** What the target answered, masked and bounded; absent where it answered nothing. */
  readonly result?: JsonValue;
}

/** It is not settled yet. Ask for this id again; proposing again would be a second action. */
export interface Waiting extends AnswerParts {
  readonly kind: 'waiting';
  readonly state: 'held' | 'executing';
  /** `no` while it is held, `unknown` while it is executing. */
  readonly executed: Executed;
  /** What a held action waits for, the first reason first. */
  readonly waitingFor: readonly FindingView[];
  /** Milliseconds after which asking again makes sense. */
  readonly pollAfterMs?: number;
}

/** It will never run, and nothing was executed. */
export interface Refused extends AnswerParts {
  readonly kind: 'refused';
  readonly state: 'denied' | 'rejected' | 'expired' | 'withdrawn';
  readonly executed: 'no';
  /** What stands against it. */
  readonly findings: readonly FindingView[];
}

/** It may have been executed. Never repeat it: evidence of the target or a named person settles it. */
export interface Unknown extends AnswerParts {
  readonly kind: 'unknown';
  readonly state: 'unknown';
  readonly executed: 'unknown';
}

/** What became of an action, by `kind`. */
export type Answer = Done | Waiting | Refused | Unknown;

/** The answer that a view of an action is. */
export function answerOf(action: ActionView): Answer {
  const { id, message, state, executed, result, waitingFor, findings, pollAfterMs } = action;
  const parts = { id, message, action };
  switch (state) {
    case 'succeeded':
    case 'failed':
    case 'not_executed':
      return {
        kind: 'done',
        ...parts,
        state,
        executed,
        ...(result === undefined ? {} : { result }),
      };
    case 'held':
    case 'executing':
      return {
        kind: 'waiting',
        ...parts,
        state,
        executed,
        waitingFor: waitingFor ?? [],
        ...(pollAfterMs === undefined ? {} : { pollAfterMs }),
      };
    case 'denied':
    case 'rejected':
    case 'expired':
    case 'withdrawn':
      return { kind: 'refused', ...parts, state, executed: 'no', findings: findings ?? [] };
    case 'unknown':
      return { kind: 'unknown', ...parts, state, executed: 'unknown' };
    default:
      return state satisfies never;
  }
}

/** Every state with nothing but its name, so that one of a newer layer is not taken for one of these. */
const STATES: Readonly<Record<ActionState, true>> = {
  held: true,
  executing: true,
  succeeded: true,
  failed: true,
  not_executed: true,
  unknown: true,
  denied: true,
  rejected: true,
  withdrawn: true,
  expired: true,
};

/** Whether a document is about an action: an answer, or a problem that an action stands beside. */
export function isActionView(value: unknown): value is ActionView {
  return (
    isRecord(value) &&
    typeof value['id'] === 'string' &&
    typeof value['state'] === 'string' &&
    Object.hasOwn(STATES, value['state']) &&
    typeof value['executed'] === 'string' &&
    typeof value['message'] === 'string' &&
    typeof value['target'] === 'string' &&
    typeof value['operation'] === 'string'
  );
}

/** Whether a value is an object with members. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
