/**
 * The life of one action as its ledger entries tell it, from the proposal on. The entries have to make
 * one life in the order of DESIGN section 3; a set of entries that does not is no receipt, however well
 * each of them is proved.
 *
 * | entry              | from               | to                                      |
 * |---|---|---|
 * | proposed           | (nothing)          | proposed                                |
 * | decided            | proposed, held     | held, denied; expired past the deadline |
 * | approved, confirmed| held               | held                                    |
 * | rejected, withdrawn| held               | rejected, withdrawn                     |
 * | crossed            | proposed, held     | executing                               |
 * | barred             | executing          | held                                    |
 * | settled            | executing          | its outcome                             |
 * | resolved           | unknown            | its outcome                             |
 * | erased             | (any)              | the same                                |
 */
import type { JsonObject } from '../kernel/json/value.ts';
import { checkAction, checkAnswer, checkCrossing } from './consented.ts';
import { Doubt } from './doubt.ts';
import { countOf, malformed, textOf, textOrNull, textsOf } from './fields.ts';
import type { ReadEntry } from './read-entry.ts';
import type { Answer, Crossing, Decided, Ending, Erasure, Proposed, Story } from './story.ts';

/** Reads entries, in the order of the log, as one life. Throws `Doubt`. */
export function tellStory(entries: readonly ReadEntry[]): Story {
  const [first] = entries;
  if (first?.action === undefined) throw mismatch('the entries are about no action');
  const { tenant, action } = first;
  const telling: Telling = {
    proposed: undefined,
    answers: [],
    consumed: new Set(),
    decision: undefined,
    crossing: undefined,
    barred: 0,
    ending: undefined,
    erasures: [],
    state: 'new',
  };
  let last = 0;
  for (const entry of entries) {
    if (entry.tenant !== tenant || entry.action !== action) {
      throw mismatch(`entry ${String(entry.sequence)} is about another action`);
    }
    if (entry.sequence <= last) throw mismatch('the entries are not in the order of the log');
    last = entry.sequence;
    tell(telling, entry);
  }
  const { proposed } = telling;
  if (proposed === undefined) throw mismatch('the first entry is not the proposal');
  return {
    tenant,
    action,
    proposed,
    answers: telling.answers.map((answer) => ({
      ...answer,
      consumed: telling.consumed.has(answer.id),
    })),
    decision: telling.decision,
    crossing: telling.crossing,
    barred: telling.barred,
    ending: telling.ending,
    erasures: telling.erasures,
    state: telling.state,
    erased: entries.flatMap(({ sequence, erased }) =>
      erased.map((payload) => ({ sequence, payload })),
    ),
  };
}

interface Telling {
  proposed: Proposed | undefined;
  readonly answers: Omit<Answer, 'consumed'>[];
  readonly consumed: Set<string>;
  decision: Decided | undefined;
  crossing: Crossing | undefined;
  barred: number;
  ending: Ending | undefined;
  readonly erasures: Erasure[];
  state: string;
}

type Step = (telling: Telling, entry: ReadEntry, proposed: Proposed) => void;

const STEPS: ReadonlyMap<string, Step> = new Map<string, Step>([
  ['decided', decided],
  ['approved', answered],
  ['confirmed', answered],
  ['rejected', ended],
  ['withdrawn', ended],
  ['crossed', crossed],
  ['barred', barred],
  ['settled', settled],
  ['resolved', settled],
  ['erased', erase],
]);

function tell(telling: Telling, entry: ReadEntry): void {
  if (entry.kind === 'proposed') return propose(telling, entry);
  const step = STEPS.get(entry.kind);
  if (step === undefined) {
    throw new Doubt(
      'unknown_kind',
      `entry ${String(entry.sequence)} is of kind \`${entry.kind}\`, which this verifier does not know`,
    );
  }
  if (telling.proposed === undefined) throw mismatch('the first entry is not the proposal');
  step(telling, entry, telling.proposed);
}

function propose(telling: Telling, entry: ReadEntry): void {
  from(telling, entry, ['new']);
  const { body } = entry;
  const where = named(entry);
  telling.proposed = {
    entry,
    digest: textOf(body['digest'], where),
    request: textOf(body['request'], where),
    agent: textOf(body['agent'], where),
    delegator: textOrNull(body['delegator'], where),
    target: textOf(body['target'], where),
    operation: textOf(body['operation'], where),
  };
  checkAction(entry, telling.proposed);
  telling.state = 'proposed';
}

function decided(telling: Telling, entry: ReadEntry): void {
  const held = telling.state === 'held';
  from(telling, entry, ['proposed', 'held']);
  const decision = decisionOf(entry);
  telling.decision = decision;
  if (decision.verdict === 'hold') telling.state = 'held';
  else if (decision.verdict !== 'deny') throw malformed(named(entry));
  else telling.state = held && decision.codes.includes('deadline_passed') ? 'expired' : 'denied';
}

function answered(telling: Telling, entry: ReadEntry, proposed: Proposed): void {
  from(telling, entry, ['held']);
  const { body } = entry;
  const where = named(entry);
  const answer = {
    entry,
    id: textOf(body['approval'], where),
    approver: textOf(body['approver'], where),
    consent: textOf(body['consent'], where),
    requirement: textOf(body['requirement'], where),
    expiresAt: countOf(body['expiresAt'], where),
  };
  if (telling.answers.some(({ id }) => id === answer.id)) {
    throw mismatch(`${where} gives an approval that was given before`);
  }
  checkAnswer(entry, { digest: proposed.digest, consent: answer.consent });
  telling.answers.push(answer);
}

function ended(telling: Telling, entry: ReadEntry): void {
  from(telling, entry, ['held']);
  telling.state = entry.kind;
}

function crossed(telling: Telling, entry: ReadEntry, proposed: Proposed): void {
  from(telling, entry, ['proposed', 'held']);
  const { body } = entry;
  const where = named(entry);
  const crossing = {
    entry,
    execution: textOf(body['execution'], where),
    effect: textOrNull(body['effect'], where),
    consent: textOrNull(body['consent'], where),
    consumes: textsOf(body['consumes'], where),
  };
  telling.decision = decisionOf(entry);
  if (telling.decision.verdict !== 'admit') throw malformed(where);
  for (const id of crossing.consumes) consume(telling, crossing, id);
  checkCrossing(entry, { digest: proposed.digest, consent: crossing.consent });
  telling.crossing = crossing;
  telling.state = 'executing';
}

/** A crossing uses approvals that are in the receipt, that were given for exactly this, and not used yet. */
function consume(telling: Telling, { entry, consent }: Crossing, id: string): void {
  const where = named(entry);
  const answer = telling.answers.find((each) => each.id === id);
  if (answer === undefined) throw mismatch(`the approval that ${where} uses is not in the receipt`);
  if (answer.consent !== consent) throw mismatch(`${where} uses an approval of something else`);
  if (answer.expiresAt <= entry.at) throw mismatch(`${where} uses an approval that had expired`);
  if (telling.consumed.has(id)) throw mismatch(`${where} uses an approval a second time`);
  telling.consumed.add(id);
}

function barred(telling: Telling, entry: ReadEntry): void {
  const crossing = executing(telling, entry, 'executing');
  // Nothing was sent, so that what the crossing used up is given back.
  for (const id of crossing.consumes) telling.consumed.delete(id);
  telling.crossing = undefined;
  telling.barred += 1;
  telling.state = 'held';
}

function settled(telling: Telling, entry: ReadEntry): void {
  const late = entry.kind === 'resolved';
  executing(telling, entry, late ? 'unknown' : 'executing');
  const { body } = entry;
  const where = named(entry);
  const outcome = textOf(body['outcome'], where);
  const sent = body['sent'];
  const possible = OUTCOMES.has(outcome) && !(late && outcome === 'unknown');
  if (!possible || typeof sent !== 'boolean') throw malformed(where);
  telling.ending = {
    entry,
    outcome,
    code: textOf(body['code'], where),
    sent,
    by: textOrNull(body['by'], where),
  };
  telling.state = outcome;
}

function erase({ erasures }: Telling, entry: ReadEntry): void {
  erasures.push({ entry, by: textOf(entry.body['by'], named(entry)) });
}

const OUTCOMES: ReadonlySet<string> = new Set(['succeeded', 'failed', 'not_executed', 'unknown']);

/** The crossing whose execution the entry is about. */
function executing(telling: Telling, entry: ReadEntry, state: string): Crossing {
  from(telling, entry, [state]);
  const { crossing } = telling;
  if (crossing === undefined || entry.body['execution'] !== crossing.execution) {
    throw mismatch(`${named(entry)} is about another execution`);
  }
  return crossing;
}

function decisionOf(entry: ReadEntry): Decided {
  const body: JsonObject = entry.body;
  const where = named(entry);
  return {
    entry,
    verdict: textOf(body['verdict'], where),
    matched: textsOf(body['matched'], where),
    codes: textsOf(body['codes'], where),
    rules: body['rules'] === undefined ? null : textsOf(body['rules'], where),
    policy: textOf(body['policy'], where),
    epoch: countOf(body['epoch'], where),
  };
}

function from(telling: Telling, entry: ReadEntry, states: readonly string[]): void {
  if (states.includes(telling.state)) return;
  const before = telling.state === 'new' ? 'was not proposed' : `is ${telling.state}`;
  throw mismatch(`${named(entry)} says \`${entry.kind}\` of an action that ${before}`);
}

function named({ sequence }: ReadEntry): string {
  return `entry ${String(sequence)}`;
}

function mismatch(message: string): Doubt {
  return new Doubt('story_mismatch', message);
}
