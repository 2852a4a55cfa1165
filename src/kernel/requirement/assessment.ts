/** The result of one requirement, before it is known which rule asked. */
import type { Ask, Reservation } from '../decision.ts';
import { NO_DRAFTS, type Draft } from '../finding.ts';
import type { ApprovalId } from '../id.ts';

/** The result of one requirement. Instants are plain numbers here; `Infinity` is never. */
export interface Assessment {
  readonly status: 'met' | 'unmet' | 'undetermined' | 'impossible';
  /** Empty exactly when it is met. */
  readonly drafts: readonly Draft[];
  readonly ask?: Ask;
  readonly consumes?: readonly ApprovalId[];
  readonly reserve?: Reservation;
  /** While met: from when on it may no longer be. */
  readonly until: number;
  /** While not met: when time alone may change it. */
  readonly wakeAt: number;
}

/** Met, for as long as nothing else changes. */
export const MET: Assessment = Object.freeze({
  status: 'met',
  drafts: NO_DRAFTS,
  until: Infinity,
  wakeAt: Infinity,
});

/** Met until an instant. */
export function metUntil(until: number): Assessment {
  return { status: 'met', drafts: NO_DRAFTS, until, wakeAt: Infinity };
}

/** Not met, for one reason; `draft.at` is when time alone may change it. */
export function failing(draft: Draft): Assessment {
  const { status } = draft;
  if (status === 'met') throw new TypeError('a failing requirement is not met');
  return { status, drafts: [draft], until: Infinity, wakeAt: draft.at ?? Infinity };
}
