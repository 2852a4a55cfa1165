/**
 * Executions that an executor outside of the layer has: they belong to no engine, which may end at any
 * time, but to whom redeemed the permit, for as long as that may take to settle. The row's `engine` says
 * who has it and who handed it over, and its lease is the time to settle in.
 */
import type { Target } from '../kernel/inventory.ts';
import type { ExecutionRecord } from './ports.ts';

/** To whom an execution at this target goes, and for how long; `undefined` where the layer performs it itself. */
export function handoverOf(
  engine: string,
  target: Target | undefined,
): { readonly engine: string; readonly leaseMs: number } | undefined {
  const executor = target?.executor;
  if (executor?.kind !== 'permit') return undefined;
  // Names of accounts hold no space.
  return { engine: `permit ${executor.audience} ${engine}`, leaseMs: executor.settleWithinMs };
}

/** The executor that has it; `undefined` where an engine has. */
export function redeemerOf(execution: Pick<ExecutionRecord, 'engine'>): string | undefined {
  return /^permit (\S+) /u.exec(execution.engine)?.[1];
}

/** Whether this engine handed it over: then its crossing was decided before anything else is asked. */
export function isHandedOverBy(
  engine: string,
  execution: Pick<ExecutionRecord, 'engine'> | undefined,
): boolean {
  return /^permit \S+ (.*)$/u.exec(execution?.engine ?? '')?.[1] === engine;
}
