/**
 * How far an effect on a file has come, so that an interruption can be told honestly.
 *
 * | stage     | entered                                   | interrupted here, it is              |
 * |-----------|-------------------------------------------|--------------------------------------|
 * | looking   | at the start                              | `not_executed`, nothing sent         |
 * | preparing | after the last question was answered yes  | `not_executed`: only a temporary file |
 * | effect    | with the call that takes hold             | `unknown`                            |
 *
 * A call to the operating system cannot be taken back; one that hangs is left behind, and INVARIANT:
 * after that no later stage is entered.
 */
import type { Clock, Outcome, SendOptions } from '../../engine/ports.ts';
import { notSent } from '../prepared.ts';
import { ExecutorRefusal } from '../refusal.ts';

type Stage = 'looking' | 'preparing' | 'effect';

/** Ends work that was given up, or that cannot go on; nothing of it took hold. */
export class NotDone extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'NotDone';
    this.code = code;
  }
}

/** The stage of one effect. */
export class Progress {
  #stage: Stage = 'looking';
  #abandoned = false;

  get stage(): Stage {
    return this.#stage;
  }

  /** Throws {@link NotDone} where the effect was given up; else what is called next may happen. */
  enter(stage: Stage): void {
    if (this.#abandoned) throw new NotDone('abandoned', 'given up before this step');
    this.#stage = stage;
  }

  /** Gives up; the stage stays what it was. */
  abandon(): void {
    this.#abandoned = true;
  }
}

/** What an effect may take. */
export interface Bounds extends Pick<SendOptions, 'signal'> {
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Runs an effect within its time. A refusal on the way says that nothing took hold. */
export async function withinBounds(
  work: (progress: Progress) => Promise<Outcome>,
  { signal, timeoutMs, clock }: Bounds,
): Promise<Outcome> {
  const progress = new Progress();
  const ended = new AbortController();
  const worked = work(progress).catch((error: unknown) => unfinished(progress, error));
  const stopped = clock
    .sleep(timeoutMs, AbortSignal.any([signal, ended.signal]))
    .then(() => interrupted(progress, signal.aborted ? 'cancelled' : 'timeout'));
  const outcome = await Promise.race([worked, stopped]);
  ended.abort();
  return outcome;
}

function unfinished(progress: Progress, error: unknown): Outcome {
  const known = error instanceof ExecutorRefusal || error instanceof NotDone;
  const system = error instanceof Error && 'syscall' in error;
  if (!known && !system) throw error;
  if (progress.stage === 'effect') {
    const message = 'the system failed; whether it took hold is not known';
    return { state: 'unknown', sent: true, code: 'call_failed', message, result: null };
  }
  if (known) return notDone(progress, error.code, error.message);
  return notDone(progress, 'call_refused', 'the system refused before anything took hold');
}

function interrupted(progress: Progress, code: 'cancelled' | 'timeout'): Outcome {
  progress.abandon();
  if (progress.stage !== 'effect') {
    return notDone(progress, code, 'given up before anything took hold');
  }
  const message = 'the system did not answer in time; whether it took hold is not known';
  return { state: 'unknown', sent: true, code, message, result: null };
}

function notDone(progress: Progress, code: string, message: string): Outcome {
  const outcome = notSent(code, message);
  return progress.stage === 'looking' ? outcome : { ...outcome, sent: true };
}
