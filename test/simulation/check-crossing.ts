/**
 * The laws of a crossing: once, on what is so now, by people who may, within limits. Judged from the
 * plain rules of the boundary, never by `decide`.
 */
import {
  BASE_MS,
  EVERYBODY,
  FACT_AGE_MS_MAX,
  LIMIT_MAX,
  WINDOWS_MS,
  approvalsNeeded,
  isDenied,
} from './boundary.ts';
import { listOf, numberOf, objectOf, textOf, type Entry } from './history.ts';
import { isCovered, type ActionTale, type ExecutionTale, type Tale } from './tale.ts';

/** A clock that stands still after a small step back, and an engine's own clock, may hide so much of an age. */
const AGE_SLACK_MS = 1100;
/** How far the store's time may stay ahead of a wall clock that was set back. */
const CLOCK_BACK_MS_MAX = 1000;
const CLOCK_FORWARD_MS_MAX = 86_400_000;

/** Checks a crossing entry against everything before it, and remembers the execution. */
export function crossed(tale: Tale, entry: Entry, action: ActionTale): void {
  const execution = executionOf(tale, entry, action);
  checkOnce(tale, action);
  checkControl(tale, entry, action);
  checkClock(tale, entry, action);
  checkNow(tale, action);
  checkConsent(tale, entry, execution);
  checkLimits(tale, execution);
  action.executions.push(execution);
  action.state = 'executing';
  tale.executions.set(execution.id, execution);
}

function executionOf(tale: Tale, { at, body }: Entry, action: ActionTale): ExecutionTale {
  return {
    id: textOf(body['execution']),
    action,
    crossedMs: tale.atMs,
    crossedAt: at,
    consumes: listOf(body['consumes']).map(textOf),
    reserves: listOf(body['reserves']).map((each) => {
      const { key, perMs, amount } = objectOf(each);
      return { key: textOf(key), perMs: numberOf(perMs), amount: Number(textOf(amount)) };
    }),
    barred: false,
    beganCount: 0,
    sender: undefined,
    arrivals: 0,
    tookHold: false,
    replies: [],
    evidence: [],
    misled: false,
  };
}

/** Law 3. */
function checkOnce(tale: Tale, action: ActionTale): void {
  if (action.state !== 'held') tale.breaks('law 3', `an action crosses that is ${action.state}`);
  if (tale.liveOf(action) !== undefined) tale.breaks('law 3', 'an action crosses a second time');
  if (action.effectKey === undefined) return;
  for (const other of tale.actions.values()) {
    if (other === action || other.effectKey !== action.effectKey) continue;
    const busy = other.state === 'executing' || other.state === 'unknown';
    if (busy) tale.breaks('law 3', `an action crosses while one with its effect is ${other.state}`);
    if (action.rules.once && other.state === 'succeeded') {
      tale.breaks('law 3', 'an effect that was to happen once crosses again');
    }
  }
}

/** Law 7: halts, revocations and epochs bind everything after them. */
function checkControl(tale: Tale, entry: Entry, action: ActionTale): void {
  for (const { scope, over } of tale.halts.values()) {
    if (!over && isCovered(scope, action)) tale.breaks('law 7', 'an action crosses under a halt');
  }
  for (const name of [action.agent, action.delegator ?? '']) {
    if (tale.revoked.has(name))
      tale.breaks('law 7', `an action of \`${name}\` crosses, who is revoked`);
  }
  const epoch = numberOf(entry.body['epoch']);
  if (epoch !== tale.epoch) {
    tale.breaks('law 7', `an action crosses on epoch ${String(epoch)} in ${String(tale.epoch)}`);
  }
  if (isDenied(action.operation, action.proposed.amount, tale.variant)) {
    tale.breaks('law 9', 'an action crosses that the policy denies');
  }
}

/** Law 8: on the store's clock, and only while that clock can be believed. */
function checkClock(tale: Tale, { at }: Entry, action: ActionTale): void {
  const { deadline, notBefore } = action.proposed;
  if (at >= deadline) tale.breaks('law 8', 'an action crosses at or after its deadline');
  if (at < notBefore) tale.breaks('law 8', 'an action crosses before it may');
  const wall = BASE_MS + tale.atMs + tale.clockAheadMs;
  if (at < wall)
    tale.breaks('law 8', `a crossing instant lies ${String(wall - at)} ms in the past`);
  if (at > wall + CLOCK_BACK_MS_MAX)
    tale.breaks('law 8', 'an action crosses on a clock that went back');
  if (tale.lastAt > 0 && at > tale.lastAt + CLOCK_FORWARD_MS_MAX) {
    tale.breaks('law 8', 'an action crosses on a clock that jumped ahead');
  }
  const open = WINDOWS_MS.some(([from, until]) => at >= BASE_MS + from && at < BASE_MS + until);
  if (action.rules.windowed && !open) tale.breaks('law 8', 'an action crosses outside its window');
}

/** Law 6: what it rests on was asked for just now. */
function checkNow(tale: Tale, action: ActionTale): void {
  if (!action.rules.factual) return;
  const since = tale.atMs - FACT_AGE_MS_MAX - AGE_SLACK_MS;
  const fresh = tale.facts.some(({ askedMs, value }) => value && askedMs >= since);
  if (!fresh) tale.breaks('law 6', 'an action crosses on a fact that nobody read lately');
}

/** Law 10, and law 8 for each yes. */
function checkConsent(tale: Tale, entry: Entry, execution: ExecutionTale): void {
  const { action, consumes } = execution;
  const counted = new Set<string>();
  const requesters = requestersOf(action);
  for (const id of consumes) {
    const approval = tale.approvals.get(id);
    if (approval === undefined || approval.action !== action.id) {
      tale.breaks('law 10', 'an approval is counted that nobody gave for this action');
      continue;
    }
    const { approver } = approval;
    const who = oneName(approver);
    if (entry.at >= approval.expiresAt)
      tale.breaks('law 8', `the yes of \`${approver}\` had expired`);
    if (approval.consent !== textOf(entry.body['consent'])) {
      tale.breaks('law 10', `\`${approver}\` said yes to something else`);
    }
    if (requesters.has(who)) tale.breaks('law 10', `\`${approver}\` counts, who requests it`);
    if (tale.revoked.has(approver))
      tale.breaks('law 7', `the yes of \`${approver}\` counts, who is revoked`);
    else if (tale.roles.get(approver)?.includes('lead') !== true) {
      tale.breaks('law 10', `\`${approver}\` counts, who is no lead any more`);
    }
    if (wasUsed(tale, id)) tale.breaks('law 10', `the yes of \`${approver}\` counts twice`);
    counted.add(who);
  }
  const need = approvalsNeeded(action.operation, action.proposed.amount, tale.variant);
  if (counted.size < need) {
    tale.breaks('law 10', `${String(counted.size)} of ${String(need)} people said yes`);
  }
}

function wasUsed(tale: Tale, approval: string): boolean {
  for (const { consumes, barred } of tale.executions.values()) {
    if (!barred && consumes.includes(approval)) return true;
  }
  return false;
}

function requestersOf({ agent, delegator }: ActionTale): ReadonlySet<string> {
  const owners = EVERYBODY.find(({ name }) => name === agent)?.owners ?? [];
  return new Set([...owners, ...(delegator === undefined ? [] : [delegator])].map(oneName));
}

/** People with the same alias are one. */
function oneName(person: string): string {
  const aliases = EVERYBODY.find(({ name }) => name === person)?.aliases ?? [];
  return [person, ...aliases].sort()[0] ?? person;
}

/** Law 11: what is posted within the period, reserved or unknown stays within the limit. */
function checkLimits(tale: Tale, execution: ExecutionTale): void {
  const { action, reserves, crossedAt } = execution;
  const max = LIMIT_MAX[action.operation];
  if (max === undefined) return;
  const due = action.operation === 'pay' ? action.proposed.amount : 1;
  const [reserved] = reserves;
  if (reserved?.amount !== due) {
    tale.breaks(
      'law 11',
      `a crossing reserves ${String(reserved?.amount)} instead of ${String(due)}`,
    );
    return;
  }
  let used = due;
  for (const other of tale.executions.values()) {
    const amount = other.reserves.find(({ key }) => key === reserved.key)?.amount ?? 0;
    const { state } = other.action;
    const isLast = other.action.executions.at(-1) === other;
    const freed = other.barred || (isLast && state === 'not_executed');
    const open = isLast && (state === 'executing' || state === 'unknown');
    if (!freed && (open || other.crossedAt > crossedAt - reserved.perMs)) used += amount;
  }
  if (used > max) tale.breaks('law 11', `${String(used)} are used under a limit of ${String(max)}`);
}
