/** Which mutant is awake, what was reached, and when a run is too long: read by instrumented sources. */

/** Rounds that any run may take, however short it was without a mutant. */
const ROUNDS_FREE = 300_000;
const ROUNDS_RATIO = 30;

let awakeId = 0;
let reached: Set<number> = new Set();
let rounds = 0;
let roundsMax = Number.POSITIVE_INFINITY;
let isLate = false;

/** Whether this mutant is the one that is tried. */
export function awake(id: number): boolean {
  round();
  reached.add(id);
  return id === awakeId;
}

/** Counts a round of a loop, and ends a run that goes round far more often than it would. */
export function round(): void {
  rounds += 1;
  if (rounds > roundsMax) {
    isLate = true;
    throw new Error('this run takes far more rounds than without the mutant');
  }
}

/** What one run came through. */
export interface Passage {
  readonly reached: ReadonlySet<number>;
  readonly rounds: number;
  /** Whether it was ended for going round too often, even if something swallowed that. */
  readonly isLate: boolean;
}

/** Begins a run with this mutant awake, 0 for none; `usual` is the count of rounds without a mutant. */
export function beginRun(id: number, usual?: number): void {
  awakeId = id;
  reached = new Set();
  rounds = 0;
  isLate = false;
  roundsMax = usual === undefined ? Number.POSITIVE_INFINITY : usual * ROUNDS_RATIO + ROUNDS_FREE;
}

/** Ends the run that was begun last. */
export function endRun(): Passage {
  const passage = { reached, rounds, isLate };
  beginRun(0);
  return passage;
}
