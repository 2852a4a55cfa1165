/**
 * Reads a history and names every law that it breaks. It knows the boundary's rules in plain words and
 * what was seen; it asks neither the engine nor `decide`.
 */
import { SEND_DELAY_MS_MAX, epochDigest } from './boundary.ts';
import { crossed } from './check-crossing.ts';
import { numberOf, objectOf, textOf, type Entry, type History, type Seen } from './history.ts';
import {
  Tale,
  isCovered,
  rulesOf,
  type ActionTale,
  type ExecutionTale,
  type Violation,
} from './tale.ts';

export type { Violation } from './tale.ts';

/** Every law that the history breaks, in the order in which it does. */
export function check(history: History): readonly Violation[] {
  const tale = new Tale();
  for (const happening of history) {
    tale.atMs = happening.atMs;
    read(tale, happening);
  }
  finish(tale);
  return tale.violations;
}

function read(tale: Tale, seen: Seen): void {
  switch (seen.kind) {
    case 'entry':
      return readEntry(tale, seen.entry);
    case 'clock':
      tale.clockAheadMs = seen.aheadMs;
      return;
    case 'proposed':
      tale.proposals.set(seen.request, seen);
      return;
    case 'unanswered':
      tale.refusedOnly.set(seen.request, false);
      return;
    case 'refused':
      if (!tale.refusedOnly.has(seen.request)) tale.refusedOnly.set(seen.request, true);
      return;
    case 'told':
      return told(tale, seen);
    case 'answering':
      tale.answers.add(`${seen.person} ${seen.action} ${seen.decision}`);
      return;
    case 'accepted':
      if (tale.challengesSpent.has(seen.challenge)) {
        tale.breaks('law 10', `two answers of \`${seen.person}\` spend one challenge`);
      }
      tale.challengesSpent.add(seen.challenge);
      return;
    case 'word':
      tale.words.add(`${seen.action} ${seen.person} ${seen.outcome}`);
      return;
    case 'halted':
      return halted(tale, seen);
    case 'began':
      return began(tale, seen);
    case 'arrived':
      return arrived(tale, seen);
    case 'replied':
    case 'evidence':
    case 'lied':
      return heard(tale, seen);
    case 'fact':
      tale.facts.push(seen);
      return;
    case 'engine':
      return engineChanged(tale, seen);
    case 'trouble':
      if (seen.broken) tale.breaks('invariant', `an engine says \`${seen.code}\``);
      return;
    case 'ended':
      return ended(tale, seen);
    case 'note':
      return;
    default:
      return seen satisfies never;
  }
}

// ---------------------------------------------------------------- what the layer says

function told(tale: Tale, { action, state, executed }: Extract<Seen, { kind: 'told' }>): void {
  const known = tale.actions.get(action);
  // Law 12: nobody is told of an action before it is on record.
  if (known === undefined) {
    tale.breaks('law 12', 'somebody is told of an action that is not on record');
    return;
  }
  tale.refusedOnly.set(known.proposed.request, false);
  if (executed === 'no' && state !== 'held') tale.toldNever.add(action);
  if (isEnd(state) && known.state !== state && known.state !== 'denied') {
    tale.breaks('law 12', `somebody is told \`${state}\`, and the record says \`${known.state}\``);
  }
}

function isEnd(state: string): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'not_executed';
}

/** Law 7: nothing that is acknowledged as stopped begins afterwards; what is on its way is told. */
function halted(tale: Tale, { halt, sent }: Extract<Seen, { kind: 'halted' }>): void {
  const known = tale.halts.get(halt);
  if (known === undefined) {
    tale.breaks('law 12', 'a halt is acknowledged that is not on record');
    return;
  }
  known.acknowledged = true;
  // Somebody ended it before its answer was out.
  if (known.over) return;
  for (const { action, sender, beganCount } of tale.executions.values()) {
    if (beganCount === 0 || sender === undefined || !isCovered(known.scope, action)) continue;
    if (!sent.includes(action.id)) {
      tale.breaks('law 7', 'a halt’s answer does not list what is being sent');
    }
  }
}

function ended(tale: Tale, { action, state, executed }: Extract<Seen, { kind: 'ended' }>): void {
  const known = tale.actions.get(action);
  if (known === undefined) {
    tale.breaks('law 12', 'an action is stored that is not on record');
    return;
  }
  if (executed === 'no') tale.toldNever.add(action);
  const same = known.state === state || (known.state === 'denied' && state === 'expired');
  if (!same)
    tale.breaks('law 12', `the row says \`${state}\`, and the record says \`${known.state}\``);
  if (state === 'held' || state === 'executing') {
    tale.breaks('progress', `an action is \`${state}\` for ever`);
  }
  if (state === 'unknown' && known.rules.tells) {
    tale.breaks('progress', 'an outcome stays unknown that the system would tell');
  }
}

// ---------------------------------------------------------------- what happens outside

function began(tale: Tale, { execution, engine }: Extract<Seen, { kind: 'began' }>): void {
  const known = tale.executions.get(execution);
  if (known === undefined) {
    tale.breaks('law 12', 'something is sent before its crossing is on record');
    return;
  }
  known.beganCount += 1;
  known.sender = engine;
  if (known.beganCount > 1) tale.breaks('law 4', 'an execution is sent twice');
  if (known.barred) tale.breaks('law 4', 'an execution is sent that was barred');
  else if (known.action.state !== 'executing') {
    tale.breaks('law 5', `an execution is sent that is called ${known.action.state} already`);
  }
  const lateMs = tale.atMs - known.crossedMs;
  if (lateMs > SEND_DELAY_MS_MAX) {
    tale.breaks('law 6', `something is sent ${String(lateMs)} ms after its crossing`);
  }
  for (const { scope, acknowledged, over } of tale.halts.values()) {
    if (acknowledged && !over && isCovered(scope, known.action)) {
      tale.breaks('law 7', 'something is sent after a halt over it was acknowledged');
    }
  }
}

function arrived(tale: Tale, seen: Extract<Seen, { kind: 'arrived' }>): void {
  const known = tale.executions.get(seen.execution);
  if (known === undefined || known.beganCount === 0) {
    tale.breaks('law 1', 'an effect arrives that no crossing allowed');
    return;
  }
  if (seen.content !== known.action.proposed.content) {
    tale.breaks('law 2', 'what arrives is not what was proposed');
  }
  if (seen.copy === 1) known.arrivals += 1;
  if (known.arrivals > 1) tale.breaks('law 4', 'an execution arrives twice');
  if (seen.tookHold) known.tookHold = true;
}

function heard(tale: Tale, seen: Extract<Seen, { kind: 'replied' | 'evidence' | 'lied' }>): void {
  const known = tale.executions.get(seen.execution);
  if (known === undefined) return;
  if (seen.kind === 'lied') {
    known.misled = true;
  } else if (seen.kind === 'replied') {
    known.replies = [...known.replies, seen.outcome];
    known.sender = undefined;
  } else {
    known.evidence = [...known.evidence, seen.outcome];
    if (!seen.honest) known.misled = true;
  }
}

/** What a process had under way is nobody's once it is gone. */
function engineChanged(tale: Tale, { engine, what }: Extract<Seen, { kind: 'engine' }>): void {
  if (what !== 'crashed' && what !== 'stopped') return;
  for (const execution of tale.executions.values()) {
    if (execution.sender === engine) execution.sender = undefined;
  }
}

// ---------------------------------------------------------------- the ledger

function readEntry(tale: Tale, entry: Entry): void {
  if (entry.sequence !== tale.lastSequence + 1 && tale.lastSequence > 0) {
    tale.breaks('law 13', 'the ledger has a gap');
  }
  tale.lastSequence = entry.sequence;
  if (entry.at < tale.lastAt) tale.breaks('law 8', 'the store’s clock goes back');
  if (entry.kind === 'proposed') proposed(tale, entry);
  else if (entry.action === '') control(tale, entry);
  else {
    const action = tale.actions.get(entry.action);
    if (action === undefined)
      tale.breaks('law 12', 'an entry is about an action that is not on record');
    else change(tale, entry, action);
  }
  tale.lastAt = entry.at;
}

function proposed(tale: Tale, { action, body }: Entry): void {
  const seen = tale.proposals.get(textOf(body['request']));
  const operation = textOf(body['operation']);
  const rules = rulesOf(operation);
  if (seen === undefined || rules === undefined || seen.what !== operation) {
    tale.breaks('law 2', 'an action is on record that nobody proposed');
    return;
  }
  if (seen.agent !== textOf(body['agent'])) tale.breaks('law 2', 'an action is another agent’s');
  tale.actions.set(action, {
    id: action,
    operation,
    rules,
    target: textOf(body['target']),
    agent: textOf(body['agent']),
    delegator: textOf(body['delegator']) || undefined,
    effectKey: textOf(body['effectKey']) || undefined,
    proposed: seen,
    state: 'held',
    executions: [],
  });
}

function change(tale: Tale, entry: Entry, action: ActionTale): void {
  switch (entry.kind) {
    case 'crossed':
      return crossed(tale, entry, action);
    case 'decided':
      if (entry.body['verdict'] === 'deny') leaveHeld(tale, action, 'denied');
      return;
    case 'withdrawn':
    case 'rejected':
      return leaveHeld(tale, action, entry.kind);
    case 'approved':
      return approved(tale, entry, action);
    case 'barred':
      return barred(tale, action);
    case 'settled':
    case 'resolved':
      return settled(tale, entry, action);
    default:
      tale.breaks('law 12', `nobody knows what \`${entry.kind}\` means for an action`);
  }
}

function leaveHeld(tale: Tale, action: ActionTale, state: string): void {
  if (action.state !== 'held')
    tale.breaks('law 3', `an action that is ${action.state} becomes ${state}`);
  action.state = state;
}

function approved(tale: Tale, { body }: Entry, action: ActionTale): void {
  const approver = textOf(body['approver']);
  if (!tale.answers.has(`${approver} ${action.id} approve`)) {
    tale.breaks('law 10', `a yes of \`${approver}\` is on record that was never said`);
  }
  const id = textOf(body['approval']);
  tale.approvals.set(id, {
    id,
    action: action.id,
    approver,
    consent: textOf(body['consent']),
    expiresAt: numberOf(body['expiresAt']),
  });
}

function barred(tale: Tale, action: ActionTale): void {
  const live = tale.liveOf(action);
  if (live === undefined || action.state !== 'executing') {
    tale.breaks('law 3', 'an action is barred that is not executing');
    return;
  }
  if (live.beganCount > 0) tale.breaks('law 9', 'an execution is called barred that was sent');
  live.barred = true;
  action.state = 'held';
}

/** Law 5: an outcome is what somebody who can know said. */
function settled(tale: Tale, { kind, body }: Entry, action: ActionTale): void {
  const outcome = textOf(body['outcome']);
  const live = tale.liveOf(action);
  const from = kind === 'settled' ? 'executing' : 'unknown';
  if (live === undefined || live.id !== body['execution'] || action.state !== from) {
    tale.breaks('law 3', `an action that is ${action.state} becomes ${outcome}`);
    return;
  }
  if (outcome !== 'unknown' && !isFounded(tale, { kind, outcome, live, by: textOf(body['by']) })) {
    tale.breaks('law 5', `an outcome is called ${outcome} without evidence`);
  }
  action.state = outcome;
}

function isFounded(
  tale: Tale,
  given: {
    readonly kind: string;
    readonly outcome: string;
    readonly live: ExecutionTale;
    readonly by: string;
  },
): boolean {
  const { kind, outcome, live, by } = given;
  if (live.replies.includes(outcome)) return true;
  if (kind === 'settled') return false;
  if (by === 'evidence') return live.evidence.includes(outcome);
  const spoken = tale.words.has(`${live.action.id} ${by} ${outcome}`);
  // A person answers for what they say; from then on nothing more can be held against the layer.
  if (spoken) live.misled = true;
  return spoken;
}

function control(tale: Tale, { kind, body }: Entry): void {
  switch (kind) {
    case 'halted': {
      const scope = objectOf(body['scope']);
      tale.halts.set(textOf(body['halt']), { scope, acknowledged: false, over: false });
      return;
    }
    case 'resumed': {
      const halt = tale.halts.get(textOf(body['halt']));
      if (halt !== undefined) halt.over = true;
      return;
    }
    case 'directory': {
      const name = textOf(body['name']);
      if (body['change'] === 'revoke') tale.revoked.add(name);
      if (body['change'] === 'roles') tale.roles.set(name, []);
      return;
    }
    case 'epoch':
      tale.epoch = numberOf(body['epoch']);
      tale.variant = body['digest'] === epochDigest('strict') ? 'strict' : 'calm';
      return;
    default:
      tale.breaks('law 12', `nobody knows what \`${kind}\` means`);
  }
}

// ---------------------------------------------------------------- when all is over

/** Law 9: what was said not to have happened never did. */
function finish(tale: Tale): void {
  for (const {
    id,
    proposed: { request },
    executions,
    state,
  } of tale.actions.values()) {
    const happened = executions.find(({ tookHold }) => tookHold);
    if (happened !== undefined && !happened.misled && tale.toldNever.has(id)) {
      tale.breaks('law 9', `an effect took hold, and its action is called ${state}`);
    }
    if (happened !== undefined && tale.refusedOnly.get(request) === true) {
      tale.breaks('law 9', 'a proposal was refused every time, and its effect took hold');
    }
    const last = executions.at(-1);
    if (state === 'succeeded' && last?.tookHold === false && !last.misled) {
      tale.breaks('law 5', 'an action is called succeeded that never took hold');
    }
  }
}
