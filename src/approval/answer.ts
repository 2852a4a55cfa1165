/**
 * A person's answer to a hold, judged under lock: may this person answer it, which requirements does
 * the yes cover, and what is stored. Whether the yes still counts when the action crosses is for
 * `decide` to say; here the same rules keep out what never could.
 */
import { consentDigest, type Action, type ConsentSubject } from '../kernel/action.ts';
import { whyNotEntitled } from '../kernel/consent.ts';
import type { Approval, Ask, LocalFacts } from '../kernel/decision.ts';
import type { Digest } from '../kernel/digest.ts';
import type { ApprovalId, PersonName } from '../kernel/id.ts';
import { addMs, type Instant } from '../kernel/instant.ts';
import { movedParts } from '../kernel/moved.ts';
import { confirmersOf, personOf, samePerson, type SamePerson } from '../kernel/people.ts';

/** What an answer is judged by. */
export interface Question {
  readonly now: Instant;
  readonly person: PersonName;
  /** What the person was shown and says yes to. */
  readonly consent: Digest;
  /** What that digest stood for when it was shown, to say what moved; absent where nobody kept it. */
  readonly shown?: ConsentSubject;
  /** What the action is now, and what is asked now, both from the stored hold. */
  readonly subject: ConsentSubject | undefined;
  readonly asks: readonly Ask[];
  readonly action: Pick<Action, 'principal' | 'deadline'>;
  readonly local: Pick<LocalFacts, 'agent' | 'people' | 'approvals'>;
  /** A fresh id for each approval. */
  readonly nextId: () => ApprovalId;
}

/** Who is who, without what was answered. */
type Knowing = Pick<LocalFacts, 'agent' | 'people'>;

/** Why an answer is refused, in order of precedence. */
export const ANSWER_REFUSALS = [
  'account_revoked',
  'not_asked',
  'consent_moved',
  'not_entitled',
  'already_answered',
] as const;

/** The stable code of a refusal. */
export type AnswerRefusal = (typeof ANSWER_REFUSALS)[number];

/** What an answer comes to. */
export type JudgedAnswer =
  /** One for each requirement that the yes covers. */
  | { readonly kind: 'approvals'; readonly approvals: readonly Approval[] }
  | { readonly kind: 'refuse'; readonly code: AnswerRefusal; readonly message: string };

/** Judges a yes. It covers every open ask that this person is entitled to. */
export function judgeAnswer(question: Question): JudgedAnswer {
  const { now, person, subject, asks, local } = question;
  if (personOf(local.people, person)?.live !== true) {
    return refuse('account_revoked', `\`${person}\` has no live account`);
  }
  const open = asks.filter((ask) => now < ask.until);
  if (subject === undefined || open.length === 0 || now >= question.action.deadline) {
    return refuse('not_asked', 'nobody is asked about this action now');
  }
  if (consentDigest(subject) !== question.consent) return moved(question, subject);
  const same = samePerson(local.people);
  const reasons = open.map((ask) => whyNot(question, ask, same));
  const entitled = open.filter((_, index) => reasons[index] === undefined);
  if (entitled.length === 0) {
    // mutant: whoever is entitled to none of the open asks has a first reason.
    return refuse('not_entitled', `\`${person}\` cannot answer this: ${reasons[0] ?? ''}`);
  }
  const unanswered = entitled.filter((ask) => !hasAnswered(question, ask, same));
  if (unanswered.length === 0) {
    return refuse('already_answered', `\`${person}\` said yes to this already`);
  }
  const approvals = unanswered.map((ask) => approvalOf(question, ask, subject));
  return { kind: 'approvals', approvals };
}

/** The asks that this person may answer with a yes, of those that are open. */
export function asksFor(
  question: Pick<Question, 'person' | 'asks' | 'action' | 'now'> & { readonly local: Knowing },
): readonly Ask[] {
  const same = samePerson(question.local.people);
  return question.asks.filter(
    (ask) => question.now < ask.until && whyNot(question, ask, same) === undefined,
  );
}

/** Whether this person may say no: whoever could answer it, confirm it, or is asked for it. */
export function judgeRejection(
  question: Pick<Question, 'person' | 'asks' | 'action'> & { readonly local: Knowing },
): { readonly kind: 'reject' } | Extract<JudgedAnswer, { readonly kind: 'refuse' }> {
  const { person, asks, action, local } = question;
  if (personOf(local.people, person)?.live !== true) {
    return refuse('account_revoked', `\`${person}\` has no live account`);
  }
  const same = samePerson(local.people);
  const entitled = asks.some((ask) => whyNot(question, ask, same) === undefined);
  if (entitled || confirmersOf(action.principal, local.agent).includes(person)) {
    return { kind: 'reject' };
  }
  return refuse('not_entitled', `\`${person}\` is not asked about this action`);
}

function whyNot(
  question: Pick<Question, 'person' | 'action'> & { readonly local: Knowing },
  ask: Ask,
  same: SamePerson,
): string | undefined {
  const requirement =
    // mutant: for a confirmation only its kind is looked at.
    ask.from === 'delegator' ? { kind: ask.kind } : { kind: ask.kind, from: ask.from };
  return whyNotEntitled({ requirement, person: question.person, input: question, same });
}

function moved(question: Question, subject: ConsentSubject): JudgedAnswer {
  const parts = question.shown === undefined ? [] : movedParts(question.shown, subject);
  const what = parts.length === 0 ? 'it is not what was shown any more' : parts.join('; ');
  return refuse('consent_moved', `the action moved: ${what}`);
}

function hasAnswered(
  { now, consent, person, local }: Question,
  ask: Ask,
  same: SamePerson,
): boolean {
  return local.approvals.some(
    (approval) =>
      approval.requirement === ask.requirement &&
      approval.consent === consent &&
      !approval.consumed &&
      now < approval.expiresAt &&
      same(approval.approver) === same(person),
  );
}

function approvalOf(
  { now, person, consent, action, nextId }: Question,
  ask: Ask,
  subject: ConsentSubject,
): Approval {
  const end = addMs(now, ask.validForMs);
  return Object.freeze({
    id: nextId(),
    kind: ask.kind,
    requirement: ask.requirement,
    consent,
    subject,
    approver: person,
    at: now,
    // mutant: where both are the same instant, either is it.
    expiresAt: end < action.deadline ? end : action.deadline,
    consumed: false,
  });
}

function refuse(
  code: AnswerRefusal,
  message: string,
): Extract<JudgedAnswer, { readonly kind: 'refuse' }> {
  return { kind: 'refuse', code, message };
}
