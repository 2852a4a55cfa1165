/** A stored action as answers tell it: whole to people, without what is not theirs to agents. */
import type { Engine } from '../../engine/engine.ts';
import type { ActionRecord, Outcome, StoredDecision } from '../../engine/ports.ts';
import type { Ask, Finding } from '../../kernel/decision.ts';
import { forAgent } from '../../kernel/for-agent.ts';
import { formatInstant } from '../../kernel/instant.ts';
import type { Operation } from '../../kernel/inventory.ts';
import type { JsonArray, JsonValue } from '../../kernel/json/value.ts';
import type { ActionView } from '../../protocol/actions.ts';
import type { FindingView } from '../../protocol/finding-view.ts';
import { pathOf } from '../../protocol/routes.ts';
import type { Executed } from '../../protocol/words.ts';
import type { Who } from './authenticate.ts';

/** Milliseconds after which asking again makes sense. */
const POLL_MS = { held: 5000, executing: 1000, unknown: 5000 } as const;
const POLL_MS_MIN = 500;

/** The action as this caller may see it. */
export function viewAction(engine: Engine, record: ActionRecord, who: Who): ActionView {
  const { state, subject, execution, delegator, ended, note } = record;
  const { inventory } = engine.configuration(record.tenant).policy;
  const target = inventory.targets.get(record.target);
  const environment = subject?.resolution.environment ?? target?.environment;
  const against = findingsOf(record.decision, target?.operations.get(record.operation), who);
  const outcome = execution?.outcome;
  return {
    id: record.id,
    state,
    executed: executedOf(record),
    target: record.target,
    operation: record.operation,
    ...(environment === undefined ? {} : { environment }),
    agent: record.agent,
    ...(delegator === undefined ? {} : { delegator }),
    proposedAt: formatInstant(record.proposedAt),
    expiresAt: formatInstant(record.deadline),
    message: messageOf(record, against),
    ...(state === 'held' ? { waitingFor: against } : {}),
    ...(isNever(record) ? { findings: against } : {}),
    ...shadowOf(record, who),
    ...(outcome === undefined
      ? {}
      : {
          outcome: { code: outcome.code, message: outcome.message },
          ...(outcome.result === null ? {} : { result: canonicalOrder(outcome.result) }),
        }),
    ...(ended === undefined
      ? {}
      : { ended: { reason: ended.reason, ...(who.sort === 'agent' ? {} : { by: ended.by }) } }),
    ...(note === undefined ? {} : { note }),
    ...(isOpen(record) ? {} : { receipt: pathOf('receipt', { id: record.id }) }),
    ...pollAfter(engine, record),
  };
}

/** The value with members in canonical order, as it is read back from the store: an answer and its replay are equal. */
function canonicalOrder(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) return value.map(canonicalOrder);
  const members = Object.entries(value).map(
    ([name, member]) => [name, canonicalOrder(member)] as const,
  );
  // RFC 8785 section 3.2.3 sorts by UTF-16 code units, which is what `<` compares.
  return Object.fromEntries(members.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function isArray(value: JsonValue): value is JsonArray {
  return Array.isArray(value);
}

/** An agent that saw what a rule would do could work around it before it does. */
function shadowOf({ decision }: ActionRecord, who: Who): Pick<ActionView, 'shadow'> {
  if (who.sort === 'agent' || decision === undefined) return {};
  return decision.shadow.length === 0 ? {} : { shadow: decision.shadow };
}

/** Whether it is not known yet what becomes of the action. */
export function isOpen({ state }: Pick<ActionRecord, 'state'>): boolean {
  return state === 'held' || state === 'executing' || state === 'unknown';
}

/** Whether the action will never run and never did. */
function isNever({ state }: Pick<ActionRecord, 'state'>): boolean {
  return state === 'denied' || state === 'rejected' || state === 'expired' || state === 'withdrawn';
}

/** What became of the effect. */
export function executedOf(record: Pick<ActionRecord, 'state' | 'execution'>): Executed {
  switch (record.state) {
    case 'succeeded':
      return 'yes';
    case 'failed':
      return record.execution?.outcome?.sent === false ? 'no' : 'partly';
    case 'executing':
    case 'unknown':
      return 'unknown';
    case 'held':
    case 'denied':
    case 'rejected':
    case 'expired':
    case 'withdrawn':
    case 'not_executed':
      return 'no';
    default:
      return record.state satisfies never;
  }
}

/** What stands against an action in a decision, for this caller. */
export function findingsOf(
  decision: Pick<StoredDecision, 'findings' | 'asks'> | undefined,
  operation: Operation | undefined,
  who: Who,
): readonly FindingView[] {
  if (decision === undefined) return [];
  const { findings, asks } = decision;
  if (who.sort === 'agent') return forAgent(findings, operation, asks);
  return findings
    .filter((finding) => finding.status !== 'met')
    .map((finding) => viewFinding(finding, asks));
}

/** A finding whole, for people. */
function viewFinding(finding: Finding, asks: readonly Ask[]): FindingView {
  const { code, status, message, rule, actual, needed, change, at, requirement } = finding;
  const ask = code.endsWith('_missing')
    ? asks.find((each) => requirement !== undefined && each.requirement === requirement)
    : undefined;
  return {
    code,
    status,
    message,
    ...(rule === undefined
      ? {}
      : {
          rule: {
            id: rule.id,
            effect: rule.effect,
            file: rule.position.file,
            line: rule.position.line,
          },
        }),
    ...(actual === undefined ? {} : { actual }),
    ...(needed === undefined ? {} : { needed }),
    ...(change === undefined ? {} : { change }),
    ...(at === undefined ? {} : { at: formatInstant(at) }),
    ...(ask === undefined ? {} : { have: ask.have, need: ask.need, from: askedOf(ask) }),
  };
}

/** Whom an ask is for, in the policy's words. */
export function askedOf({ from }: Pick<Ask, 'from'>): string {
  if (from === 'delegator') return from;
  return 'role' in from ? `role:${from.role}` : `person:${from.person}`;
}

/** One line about where the action is. */
function messageOf(record: ActionRecord, against: readonly FindingView[]): string {
  const outcome = record.execution?.outcome;
  switch (record.state) {
    case 'held':
      return `${sentence(waitingText(against[0]))} Poll this id; do not propose again.`;
    case 'executing':
      return 'Executing. Poll this id; do not propose again.';
    case 'unknown':
      return 'It may have been executed. Poll this id; do not propose again: evidence or a person will settle it.';
    case 'succeeded':
      return 'Executed.';
    case 'failed':
      return `It ran and reported failure${told(outcome)}; the effect may be partial.`;
    case 'not_executed':
      return `It was provably not executed${told(outcome)}.`;
    case 'denied':
      return against[0] === undefined
        ? 'Denied. Nothing was executed.'
        : `${sentence(`Denied: ${phraseOf(against[0])}`)} Nothing was executed.`;
    case 'rejected':
      return record.ended === undefined
        ? 'A person said no. Nothing was executed.'
        : `${sentence(`A person said no: ${record.ended.reason}`)} Nothing was executed.`;
    case 'expired':
      return 'The deadline passed while it was held. Nothing was executed.';
    case 'withdrawn':
      return 'Withdrawn by its agent. Nothing was executed.';
    default:
      return record.state satisfies never;
  }
}

/** The text as a sentence: policies and people write their own with or without the last full stop. */
function sentence(text: string): string {
  const trimmed = text.trimEnd();
  return /[.!?…]$/u.test(trimmed) ? trimmed : `${trimmed}.`;
}

function told(outcome: Outcome | undefined): string {
  return outcome === undefined || outcome.message === '' ? '' : ` (${outcome.message})`;
}

function waitingText(first: FindingView | undefined): string {
  if (first === undefined) return 'Waiting';
  const { have, need } = first;
  if (have === undefined || need === undefined) return `Waiting: ${phraseOf(first)}`;
  const missing = need - have;
  const what = first.code.startsWith('confirmation') ? 'confirmation' : 'approval';
  return `Waiting for ${String(missing)} ${what}${missing === 1 ? '' : 's'}`;
}

/** What is told of a finding: its own sentence where the caller may read it, else its code in words. */
function phraseOf({ message, code }: FindingView): string {
  return message ?? code.replaceAll('_', ' ');
}

function pollAfter(engine: Engine, record: ActionRecord): { readonly pollAfterMs?: number } {
  const { state, decision } = record;
  if (state !== 'held' && state !== 'executing' && state !== 'unknown') return {};
  const usualMs = POLL_MS[state];
  const { wakeAt } = decision ?? {};
  if (state !== 'held' || wakeAt === undefined) return { pollAfterMs: usualMs };
  const untilMs = wakeAt - engine.life.clock.now();
  return { pollAfterMs: Math.max(POLL_MS_MIN, Math.min(usualMs, Math.ceil(untilMs))) };
}
