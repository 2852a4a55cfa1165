/** The naive reference's requirements, one function a kind; see `reference.ts`. */
import { consentDigest } from '../../src/kernel/action.ts';
import type { Approval, DecisionInput } from '../../src/kernel/decision.ts';
import type { Digest } from '../../src/kernel/digest.ts';
import type { Operation, Target } from '../../src/kernel/inventory.ts';
import type { SampleRequirement } from './sample.ts';

/** How a requirement stands. */
export interface Result {
  readonly status: 'met' | 'unmet' | 'undetermined' | 'impossible';
  readonly codes: readonly string[];
  readonly digest: Digest;
  readonly consumes?: readonly Approval[];
  readonly reserve?: string;
  readonly ask?: string;
  readonly until?: number;
  readonly wakeAt?: number;
}

/** An input whose target and operation are in the inventory. */
export interface Known {
  readonly input: DecisionInput;
  readonly target: Target;
  readonly operation: Operation;
}

const MINUTE_MS = 60_000;

/** Judges one requirement, as its rule's own words say. */
export function judge(requirement: SampleRequirement, digest: Digest, known: Known): Result {
  switch (requirement.kind) {
    case 'approval':
    case 'confirmation':
      return judgeConsent(requirement, digest, known);
    case 'window':
      return judgeWindow(requirement, digest, known);
    case 'fact':
      return judgeFact(requirement, digest, known);
    case 'count':
    case 'sum':
      return judgeLimit(requirement, digest, known);
    case 'after':
      return judgeAfter(requirement, digest, known);
    default:
      return requirement satisfies never;
  }
}

/** Everybody whom aliases connect with this person, by growing the set until it no longer grows. */
export function circleOf(person: string, people: DecisionInput['local']['people']): Set<string> {
  const circle = new Set([person]);
  for (let size = 0; size < circle.size;) {
    size = circle.size;
    for (const [name, { aliases }] of Object.entries(people)) {
      const all = [name, ...aliases];
      if (all.some((each) => circle.has(each))) all.forEach((each) => circle.add(each));
    }
  }
  return circle;
}

function judgeConsent(
  requirement: Extract<SampleRequirement, { kind: 'approval' | 'confirmation' }>,
  digest: Digest,
  { input }: Known,
): Result {
  const { people, agent, approvals } = input.local;
  const { delegator } = input.action.principal;
  const owners: readonly string[] = agent?.owners ?? [];
  const requesters = [
    input.action.principal.agent,
    ...owners,
    ...(delegator === undefined ? [] : [delegator]),
  ];
  const excluded = new Set(requesters.flatMap((name) => [...circleOf(name, people)]));
  const entitled = (name: string): boolean => {
    const account = people[name];
    if (account?.live !== true) return false;
    if (requirement.kind === 'confirmation') {
      return delegator === undefined ? owners.includes(name) : delegator === name;
    }
    if (excluded.has(name)) return false;
    const [sort, value = ''] = requirement.from.split(':');
    return sort === 'role' ? account.roles.includes(value) : name === value;
  };
  const mine = approvals.filter(
    (each) => each.kind === requirement.kind && each.requirement === digest && !each.consumed,
  );
  const endOf = (each: Approval): number =>
    Math.min(each.expiresAt, each.at + requirement.validFor * MINUTE_MS);
  const current = input.consent && consentDigest(input.consent);
  const able = mine.filter((each) => entitled(each.approver));
  const fresh = able.filter((each) => input.now < endOf(each));
  const persons = (among: readonly Approval[]): Approval[] => {
    const best = new Map<string, Approval>();
    for (const each of among) {
      const key = [...circleOf(each.approver, people)].sort().join();
      const other = best.get(key);
      const longer = other === undefined || endOf(each) > endOf(other);
      if (longer || (endOf(each) === endOf(other) && each.id < other.id)) best.set(key, each);
    }
    return [...best.values()].sort((left, right) => (left.id < right.id ? -1 : 1));
  };
  const counted = persons(fresh.filter((each) => each.consent === current));
  const need = requirement.kind === 'approval' ? requirement.count : 1;
  if (counted.length >= need) {
    const consumes = counted.slice(0, need);
    return { status: 'met', codes: [], digest, consumes, until: Math.min(...consumes.map(endOf)) };
  }
  const deadline = input.action.deadline;
  const until =
    requirement.askFor === undefined
      ? deadline
      : Math.min(deadline, input.askedSince + requirement.askFor * MINUTE_MS);
  const code = requirement.kind === 'approval' ? 'approval_missing' : 'confirmation_missing';
  const unclear = current === undefined ? persons(fresh).length : 0;
  const over = input.now >= until;
  if (over && unclear >= need) {
    return { status: 'undetermined', codes: [`${code} undetermined`], digest };
  }
  const status = over ? 'impossible' : 'unmet';
  const moved = able.filter((each) => current !== undefined && each.consent !== current);
  const expired = able.filter((each) => !moved.includes(each) && input.now >= endOf(each));
  const codes = [
    ...moved.map(() => `consent_moved ${status}`),
    ...expired.map(() => `approval_expired ${status}`),
    ...mine.filter((each) => !able.includes(each)).map(() => `approver_not_entitled ${status}`),
    over ? 'approval_ask_over impossible' : `${code} unmet`,
  ];
  if (over) return { status, codes, digest };
  const ask = `${String(counted.length)}/${String(need)} ${String(until)}`;
  return { status, codes, digest, ask, wakeAt: until };
}

function judgeWindow(
  requirement: Extract<SampleRequirement, { kind: 'window' }>,
  digest: Digest,
  { input, operation }: Known,
): Result {
  if (operation.safing) return { status: 'met', codes: [], digest };
  const state = input.windows[requirement.calendar];
  if (state === undefined) {
    return { status: 'undetermined', codes: ['window_closed undetermined'], digest };
  }
  const inTime = (at: number | undefined): at is number =>
    at !== undefined && at < input.action.deadline;
  if (!state.open) {
    return inTime(state.opensAt)
      ? { status: 'unmet', codes: ['window_closed unmet'], digest, wakeAt: state.opensAt }
      : { status: 'impossible', codes: ['window_closed impossible'], digest };
  }
  if (state.closesAt === undefined) return { status: 'met', codes: [], digest };
  const leadMs =
    requirement.lastStart === undefined ? operation.timeoutMs : requirement.lastStart * MINUTE_MS;
  const last = state.closesAt - leadMs;
  if (input.now < last) return { status: 'met', codes: [], digest, until: last };
  const next = Math.max(state.closesAt, state.opensAt ?? 0);
  return inTime(next)
    ? { status: 'unmet', codes: ['window_too_short unmet'], digest, wakeAt: next }
    : { status: 'impossible', codes: ['window_too_short impossible'], digest };
}

function judgeFact(
  requirement: Extract<SampleRequirement, { kind: 'fact' }>,
  digest: Digest,
  { input, operation }: Known,
): Result {
  if (operation.safing) return { status: 'met', codes: [], digest };
  const fact = input.facts[requirement.name];
  if (fact?.kind !== 'known') {
    return { status: 'undetermined', codes: ['fact_unavailable undetermined'], digest };
  }
  const maxMs = requirement.maxAge * MINUTE_MS;
  const { value, observedAt } = fact.value;
  if (maxMs > 0 && input.now - observedAt > maxMs) {
    return { status: 'unmet', codes: ['fact_stale unmet'], digest };
  }
  const good = requirement.name === 'level' ? Number(value) >= 3 : value === true;
  if (!good) return { status: 'unmet', codes: ['fact_unmet unmet'], digest };
  const until = maxMs > 0 ? { until: observedAt + maxMs + 1 } : {};
  return { status: 'met', codes: [], digest, ...until };
}

function judgeLimit(
  requirement: Extract<SampleRequirement, { kind: 'count' | 'sum' }>,
  digest: Digest,
  { input }: Known,
): Result {
  const sum = requirement.kind === 'sum';
  const by = sum ? undefined : requirement.by;
  const source = by && { agent: 'principal.agent', target: 'target.name' }[by];
  const value = by && { agent: input.action.principal.agent, target: input.action.target }[by];
  const identity = sum
    ? ['money', 86_400_000, 'measures.amount', null]
    : ['uses', 3_600_000, null, source ?? null];
  const key = `limit:${JSON.stringify(identity)}:${value ?? ''}`;
  const state = input.local.limits[key];
  const undetermined = {
    status: 'undetermined',
    codes: ['over_limit undetermined'],
    digest,
  } as const;
  if (state === undefined) return undetermined;
  const scale = sum ? 100 : 1;
  const amount = sum ? centsOf(input) : 1;
  const max = sum ? requirement.max : requirement.count;
  if (Number(state.used) * scale + amount <= max) {
    const { amount: given } = input.action.args;
    const written = typeof given === 'string' && sum ? given : '1';
    return { status: 'met', codes: [], digest, reserve: `${key} ${written}` };
  }
  if (amount > max) return { status: 'impossible', codes: ['over_limit impossible'], digest };
  const free = state.frees.find(({ used }) => Number(used) * scale + amount <= max);
  const wakeAt = free === undefined || free.at >= input.action.deadline ? {} : { wakeAt: free.at };
  return { status: 'unmet', codes: ['over_limit unmet'], digest, ...wakeAt };
}

function judgeAfter(
  requirement: Extract<SampleRequirement, { kind: 'after' }>,
  digest: Digest,
  { input }: Known,
): Result {
  const at = input.local.after['after:db/backup'];
  if (at === undefined) return { status: 'unmet', codes: ['after_missing unmet'], digest };
  const end = requirement.within === undefined ? Infinity : at + requirement.within * MINUTE_MS;
  if (input.now > end) return { status: 'unmet', codes: ['after_too_late unmet'], digest };
  const start = at + (requirement.atLeast ?? 0) * MINUTE_MS;
  if (input.now >= start) return { status: 'met', codes: [], digest, until: end + 1 };
  return start >= input.action.deadline
    ? { status: 'impossible', codes: ['after_too_soon impossible'], digest }
    : { status: 'unmet', codes: ['after_too_soon unmet'], digest, wakeAt: start };
}

/** The amount of a refund. */
export function centsOf(input: DecisionInput): number {
  return Math.round(Number(input.action.args['amount']) * 100);
}
