/** One action's life as its ledger entries tell it: what a receipt is about. */
import type { ReadEntry } from './read-entry.ts';

/** One action's life. Instants are milliseconds since 1970. */
export interface Story {
  readonly tenant: string;
  readonly action: string;
  readonly proposed: Proposed;
  readonly answers: readonly Answer[];
  /** The last decision, with its entry. */
  readonly decision: Decided | undefined;
  /** The crossing that was not barred. */
  readonly crossing: Crossing | undefined;
  /** Crossings that were barred before anything was sent. */
  readonly barred: number;
  readonly ending: Ending | undefined;
  /** When somebody erased what it carried. */
  readonly erasures: readonly Erasure[];
  readonly state: string;
  /** Payloads that are not there any more. */
  readonly erased: readonly { readonly sequence: number; readonly payload: string }[];
}

/** What was proposed. */
export interface Proposed {
  readonly entry: ReadEntry;
  readonly digest: string;
  readonly request: string;
  readonly agent: string;
  readonly delegator: string | null;
  readonly target: string;
  readonly operation: string;
}

/** A person's yes. */
export interface Answer {
  readonly entry: ReadEntry;
  readonly id: string;
  readonly approver: string;
  readonly consent: string;
  readonly requirement: string;
  readonly expiresAt: number;
  /** Whether the crossing used it up. */
  readonly consumed: boolean;
}

/** What was decided. */
export interface Decided {
  readonly entry: ReadEntry;
  readonly verdict: string;
  readonly matched: readonly string[];
  readonly codes: readonly string[];
  /** Of a crossing, the rules that let it through; `null` of other decisions. */
  readonly rules: readonly string[] | null;
  readonly policy: string;
  readonly epoch: number;
}

/** A crossing. */
export interface Crossing {
  readonly entry: ReadEntry;
  readonly execution: string;
  readonly effect: string | null;
  readonly consent: string | null;
  readonly consumes: readonly string[];
}

/** How the execution ended. */
export interface Ending {
  readonly entry: ReadEntry;
  readonly outcome: string;
  readonly code: string;
  readonly sent: boolean;
  /** Who resolved it: a person, or `evidence`; `null` where the executor said so. */
  readonly by: string | null;
}

/** Somebody erased what the action carried. */
export interface Erasure {
  readonly entry: ReadEntry;
  readonly by: string;
}
