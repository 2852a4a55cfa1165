/**
 * Approvals and confirmations, counted at the moment of decision (DESIGN section 5): a yes counts
 * only for the requirement and the occasion it was given for, while it is fresh, unused, and given by
 * somebody who is entitled now and is not among those who request.
 */
import type { Approval, DecisionInput } from './decision.ts';
import type { Digest } from './digest.ts';
import { confirmersOf, personOf, requestersOf, type People, type SamePerson } from './people.ts';
import type { Requirement } from './policy.ts';

/** A requirement that only people can meet. */
export type ConsentRequirement = Extract<
  Requirement,
  { readonly kind: 'approval' | 'confirmation' }
>;

/** The answers to one requirement, sorted by what became of them. */
export interface Tally {
  /** One for each distinct person, in order of id; these can be consumed. */
  readonly counted: readonly Approval[];
  /** Would count if they are to what the action turns out to be; only while that is not known. */
  readonly unclear: readonly Approval[];
  readonly moved: readonly Approval[];
  readonly expired: readonly Approval[];
  /** With the reason, such as `lost role:lead`. */
  readonly notEntitled: readonly { readonly approval: Approval; readonly reason: string }[];
}

/** What a tally is taken from. `consent` is what a yes must be to now; absent while it is not known. */
export interface TallyQuestion {
  readonly requirement: ConsentRequirement;
  readonly digest: Digest;
  readonly input: DecisionInput;
  readonly consent: Digest | undefined;
  readonly same: SamePerson;
}

/** How many distinct people must say yes. */
export function needOf(requirement: ConsentRequirement): number {
  return requirement.kind === 'approval' ? requirement.count : 1;
}

/** Who may say yes, in the words of the policy. */
export function fromText(requirement: ConsentRequirement): string {
  if (requirement.kind === 'confirmation') return 'the delegator';
  return 'role' in requirement.from
    ? `role:${requirement.from.role}`
    : `person:${requirement.from.person}`;
}

/** From when on an approval no longer counts: the sooner of its own expiry and the policy's `validFor`. */
export function endOf(approval: Approval, requirement: ConsentRequirement): number {
  return Math.min(approval.expiresAt, approval.at + requirement.validForMs);
}

/** Counts the answers to one requirement. Consumed ones and answers to other requirements are nobody's. */
export function tallyOf(question: TallyQuestion): Tally {
  const { requirement, digest, input, consent, same } = question;
  const counted = new Map<string, Approval>();
  const unclear = new Map<string, Approval>();
  const moved: Approval[] = [];
  const expired: Approval[] = [];
  const notEntitled: { approval: Approval; reason: string }[] = [];
  for (const approval of input.local.approvals) {
    if (approval.kind !== requirement.kind || approval.requirement !== digest) continue;
    if (approval.consumed) continue;
    const reason = whyNotEntitled({ requirement, person: approval.approver, input, same });
    if (reason !== undefined) notEntitled.push({ approval, reason });
    else if (consent !== undefined && approval.consent !== consent) moved.push(approval);
    else if (input.now >= endOf(approval, requirement)) expired.push(approval);
    else {
      const kept = consent === undefined ? unclear : counted;
      keepBetter(kept, same(approval.approver), { approval, requirement });
    }
  }
  return {
    counted: inOrder(counted),
    unclear: inOrder(unclear),
    moved,
    expired,
    notEntitled,
  };
}

function inOrder(kept: ReadonlyMap<string, Approval>): readonly Approval[] {
  return [...kept.values()].sort(byId);
}

/** Whether and why this person's yes cannot count for the requirement, now. */
export function whyNotEntitled(question: {
  readonly requirement: Pick<ConsentRequirement, 'kind'> & {
    readonly from?: { readonly role: string } | { readonly person: string };
  };
  readonly person: string;
  readonly input: {
    readonly action: Pick<DecisionInput['action'], 'principal'>;
    readonly local: Pick<DecisionInput['local'], 'agent' | 'people'>;
  };
  readonly same: SamePerson;
}): string | undefined {
  const { requirement, person, input, same } = question;
  const { agent, people } = input.local;
  const account = personOf(people, person);
  if (account === undefined || !account.live) return 'account is revoked';
  const { principal } = input.action;
  if (requirement.kind === 'confirmation') {
    return confirmersOf(principal, agent).includes(person) ? undefined : 'is not the delegator';
  }
  const self = same(person);
  if (requestersOf(principal, agent).some((name) => same(name) === self)) {
    return 'requests it and cannot approve it';
  }
  return lacks(requirement.from, { person, people });
}

function lacks(
  from: { readonly role: string } | { readonly person: string } | undefined,
  { person, people }: { readonly person: string; readonly people: People },
): string | undefined {
  if (from === undefined) return 'nobody is named';
  if ('person' in from) return from.person === person ? undefined : `is not person:${from.person}`;
  // mutant: whoever has no account is out already.
  const roles = personOf(people, person)?.roles ?? [];
  return roles.includes(from.role) ? undefined : `has no role:${from.role}`;
}

/** Of two answers of one person the one that lasts longer counts, so that the other changes nothing. */
function keepBetter(
  counted: Map<string, Approval>,
  person: string,
  { approval, requirement }: { approval: Approval; requirement: ConsentRequirement },
): void {
  const known = counted.get(person);
  if (known === undefined) {
    counted.set(person, approval);
    return;
  }
  const gain = endOf(approval, requirement) - endOf(known, requirement);
  // mutant: which of two is the older is told by a sign that is never 0.
  if (gain > 0 || (gain === 0 && byId(approval, known) < 0)) counted.set(person, approval);
}

function byId(left: Approval, right: Approval): number {
  // mutant: no two have one id, and only the sign is read.
  return left.id < right.id ? -1 : 1;
}
