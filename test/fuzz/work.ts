/** What goes into a worker, and what comes out of it. */

/** What a worker is started with. */
export interface Work {
  /** A module that exports `SUBJECTS`. */
  readonly module: string;
  readonly subjects: readonly string[];
  readonly seed: number;
  /** The first case and how many, for each subject; an end by the clock where `ms` is given. */
  readonly from: number;
  readonly cases: number;
  readonly ms: number | undefined;
  /** A case that computes for longer, twice, is a hang, whatever it answers. */
  readonly caseMsMax: number;
  /** Two counters: how many subjects are done, and the case that runs now. */
  readonly progress: SharedArrayBuffer;
}

/** What came of one subject. */
export interface Tally {
  readonly subject: string;
  readonly cases: number;
  readonly accepted: number;
  readonly refused: number;
  /** The case that took the most time of the processor, in milliseconds. */
  readonly slowestMs: number;
  /** How many cases were refused with each code. */
  readonly codes: Readonly<Record<string, number>>;
  readonly failure?: Failure;
}

/** The first defect; the case can be played again by its number. */
export interface Failure {
  readonly case: number;
  readonly message: string;
  readonly input: string;
}

/** The number of the case while none runs: modules load and subjects open and close. */
export const BETWEEN_CASES: number = -1;
