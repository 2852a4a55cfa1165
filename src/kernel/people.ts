/**
 * Who is who to separation of duty (law 10): people that are connected by aliases, however far, are
 * one; whoever requests never approves; k approvers are k distinct people. Pure set logic, used by
 * `consent.ts` when a decision counts approvals and by `approval/` when somebody wants to answer.
 */
import type { Principal } from './action.ts';
import type { AgentState, PersonState } from './decision.ts';
import { compareText } from './finding.ts';

/** Accounts by name. */
export type People = Readonly<Record<string, PersonState>>;

/** Gives each name the one name that stands for all who are the same person. */
export type SamePerson = (name: string) => string;

/** Everybody who counts as requester: the agent, its owners, and the delegator where one is proven. */
export function requestersOf(
  principal: Principal,
  agent: AgentState | undefined,
): readonly string[] {
  const names: string[] = [principal.agent, ...(agent?.owners ?? [])];
  if (principal.delegator !== undefined) names.push(principal.delegator);
  return names;
}

/** Whose confirmation counts: the delegator's, or any owner's where no delegator is proven. */
export function confirmersOf(
  principal: Principal,
  agent: AgentState | undefined,
): readonly string[] {
  return principal.delegator === undefined ? (agent?.owners ?? []) : [principal.delegator];
}

/** The account under this name, never what an object inherits. */
export function personOf(people: People, name: string): PersonState | undefined {
  return Object.hasOwn(people, name) ? people[name] : undefined;
}

/** The equivalence closure of all aliases; the smallest name of a class stands for it. */
export function samePerson(people: People): SamePerson {
  const parents = new Map<string, string>();
  const root = (name: string): string => {
    let at = name;
    for (let up = parents.get(at); up !== undefined; up = parents.get(at)) at = up;
    return at;
  };
  for (const [name, { aliases }] of Object.entries(people)) {
    for (const alias of aliases) {
      const [first, second] = [root(name), root(alias)].sort(compareText);
      // mutant: two names stay two when they are sorted.
      if (first !== undefined && second !== undefined && first !== second) {
        parents.set(second, first);
      }
    }
  }
  return root;
}
