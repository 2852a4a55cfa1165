/** The shape of a fault: what is done to the layer, how often, and what was found. */

/** A row of the table. Each is one file in `rows/`. */
export interface FaultRow {
  /** Short and stable: `--only` takes it. */
  readonly name: string;
  /** What is done, in one line. */
  readonly title: string;
  /** Runs in `npm test`, and in the long run. */
  readonly quick: number;
  readonly long: number;
  run(asked: RunAsked): Promise<Ran>;
}

/** How often, and who hears of it. */
export interface RunAsked {
  readonly count: number;
  /** Told now and then how far it is. */
  readonly progress: (done: number) => void;
  /** A defect planted on purpose, so that the row is shown able to fail. */
  readonly flaw?: Flaw;
}

/** What a row found. */
export interface Ran {
  readonly runs: number;
  /** Each a sentence about one broken promise. */
  readonly violations: readonly string[];
  /** What this machine could not do: it is said aloud, and never counted as passed. */
  readonly skipped?: { readonly count: number; readonly why: string };
}

/** Defects that can be planted into the layer under test. */
export const FLAWS = [
  /** Recovery sends what it finds without an outcome once more. */
  'resend',
  /** An outcome is answered before it is committed. */
  'answer_early',
  /** The effect is sent while it is prepared, before the crossing. */
  'send_early',
  /** What an unknown outcome reserved is given back. */
  'forget_limits',
  /** A halt is acknowledged once it is stored, without barring what is on its way. */
  'halt_early',
  /** The disk says that it flushed, and did not. */
  'lying_disk',
] as const;

/** One of them. */
export type Flaw = (typeof FLAWS)[number];
