/**
 * The execution: the one try that a crossing allows. Only a store's crossing makes one, from a decision
 * that admits, and executors refuse anything else.
 */
import type { Decision } from '../kernel/decision.ts';
import { isDecision } from '../kernel/decide.ts';
import type { Digest } from '../kernel/digest.ts';
import type { ActionId, ExecutionId, TenantName } from '../kernel/id.ts';
import type { Instant } from '../kernel/instant.ts';

/** One crossing, as committed. */
export interface Execution {
  readonly tenant: TenantName;
  readonly action: ActionId;
  readonly id: ExecutionId;
  readonly crossedAt: Instant;
  readonly effect: Digest;
}

const minted = new WeakSet<Execution>();

/**
 * Makes the execution of a committed crossing. Called by stores only, after the commit returned; the
 * architecture test holds that.
 */
export function mintExecution(decision: Decision, execution: Execution): Execution {
  if (!isDecision(decision) || decision.verdict !== 'admit') {
    throw new Error('an execution is made from a decision that admits');
  }
  const frozen = Object.freeze({ ...execution });
  minted.add(frozen);
  return frozen;
}

/** Whether a crossing made this execution. */
export function isExecution(execution: Execution): boolean {
  return minted.has(execution);
}
