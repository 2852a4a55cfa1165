/**
 * Whether a rule's `match` could still hold while it is not known which environment the target is:
 * only the target's own answer says so, and before it came nothing may be taken for certain that
 * depends on it.
 */
import type { KnownInput } from './hearing.ts';
import type { Match, NameSet } from './policy.ts';
import { readEnvironment } from './scope.ts';

/** Whether the system itself may still say which environment it is. */
export function environmentIsOpen(input: KnownInput): boolean {
  return readEnvironment(input).kind !== 'value';
}

/** Whether the match holds in some environment, whichever that is. */
export function couldMatch(match: Match, input: KnownInput): boolean {
  const { action, target, operation, local } = input;
  const { agent, delegator } = action.principal;
  return (
    couldHold(match.kinds, operation.kind) &&
    couldHold(match.targets, action.target) &&
    couldHold(match.operations, action.operation) &&
    couldHold(match.classes, operation.precondition) &&
    couldHold(match.owners, target.owner) &&
    couldHold(match.agents, agent) &&
    couldHold(match.delegators, delegator) &&
    couldHoldAny(match.roles, local.agent?.roles ?? []) &&
    Object.entries(match.labels ?? {}).every(([name, value]) => target.labels[name] === value)
  );
}

function couldHold(set: NameSet<string> | undefined, name: string | undefined): boolean {
  // mutant: nothing is not among names.
  return set === undefined || (name !== undefined && set.names.includes(name)) !== set.negated;
}

function couldHoldAny(set: NameSet<string> | undefined, names: readonly string[]): boolean {
  return set === undefined || names.some((name) => set.names.includes(name)) !== set.negated;
}
