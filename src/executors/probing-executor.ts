/** An executor as the command `inventory probe` needs it: it also says what is worth writing down. */
import type { Attempt, Executor } from '../engine/ports.ts';
import type { LockedTarget, Target } from '../kernel/inventory.ts';

/** An executor that tells what a target is before any action is proposed. */
export interface ProbingExecutor extends Executor {
  /** Identity and environment as the system says, and the digests of all files its operations pin. */
  probe(target: Target, signal: AbortSignal): Promise<Attempt<LockedTarget>>;
}
