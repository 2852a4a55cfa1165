import assert from 'node:assert/strict';
import { test } from 'node:test';

import { consentDigest, type ConsentSubject } from '../kernel/action.ts';
import type { Approval, Ask, PersonState } from '../kernel/decision.ts';
import { digestOf } from '../kernel/digest.ts';
import {
  parseActionId,
  parseAgentName,
  parseApprovalId,
  parsePersonName,
  parseTenantName,
  type PersonName,
} from '../kernel/id.ts';
import { addMs, instantOf } from '../kernel/instant.ts';
import { ANSWER_REFUSALS, asksFor, judgeAnswer, judgeRejection, type Question } from './answer.ts';

function must<Value>(value: Value | undefined): Value {
  assert.ok(value !== undefined);
  return value;
}

const NOW = instantOf(1_800_000_000_000);
const HOUR_MS = 3_600_000;
const person = (name: string): PersonName => must(parsePersonName(name));
const digest = (text: string): Ask['requirement'] => digestOf('exequatur/requirement/v1', text);

const SUBJECT: ConsentSubject = {
  tenant: must(parseTenantName('shop')),
  action: must(parseActionId('01930000-0000-7000-8000-000000000001')),
  nonce: '00',
  actionDigest: digestOf('exequatur/action/v1', 'action'),
  resolution: {
    identity: null,
    environment: 'staging',
    operation: digest('operation'),
    effect: digest('effect'),
    credential: null,
    executor: 'process/1',
    files: {},
    recorded: {},
    observedAt: NOW,
  },
  preview: null,
};

function ask(parts: Partial<Ask>): Ask {
  return {
    kind: 'approval',
    requirement: digest('lead'),
    from: { role: 'lead' },
    have: 0,
    need: 1,
    validForMs: HOUR_MS,
    until: addMs(NOW, 8 * HOUR_MS),
    ...parts,
  };
}

const CONFIRM = ask({ kind: 'confirmation', requirement: digest('confirm'), from: 'delegator' });
const FINANCE = ask({ requirement: digest('finance'), from: { role: 'finance' } });

function account(roles: readonly string[], aliases: readonly string[] = []): PersonState {
  return { live: true, roles, aliases: aliases.map(person) };
}

function question(parts: Partial<Question> = {}): Question {
  let count = 0;
  return {
    now: NOW,
    person: person('mei'),
    consent: consentDigest(SUBJECT),
    subject: SUBJECT,
    asks: [ask({})],
    action: {
      principal: { agent: must(parseAgentName('bot')), delegator: person('dana') },
      deadline: addMs(NOW, 2 * HOUR_MS),
    },
    local: {
      agent: {
        name: must(parseAgentName('bot')),
        live: true,
        roles: [],
        owners: [person('olga')],
        delegationLive: true,
      },
      people: {
        mei: account(['lead', 'finance']),
        tomas: account(['lead']),
        dana: account(['lead']),
        olga: account(['lead']),
        double: account(['lead'], ['dana']),
        gone: { ...account(['lead']), live: false },
      },
      approvals: [],
    },
    nextId: () => must(parseApprovalId(`01930000-0000-7000-8000-00000000000${String(count++)}`)),
    ...parts,
  };
}

function codeOf(parts: Partial<Question>): string {
  const judged = judgeAnswer(question(parts));
  return judged.kind === 'refuse' ? judged.code : judged.kind;
}

function approvalsOf(parts: Partial<Question>): readonly Approval[] {
  const judged = judgeAnswer(question(parts));
  assert.equal(judged.kind, 'approvals', JSON.stringify(judged));
  return judged.kind === 'approvals' ? judged.approvals : [];
}

test('one yes covers every open requirement that the person is entitled to, and no other', () => {
  const approvals = approvalsOf({ asks: [ask({}), FINANCE, CONFIRM] });
  assert.deepEqual(
    approvals.map(({ requirement, kind }) => [requirement, kind]),
    [
      [digest('lead'), 'approval'],
      [digest('finance'), 'approval'],
    ],
  );
});

test('a yes lasts as long as the requirement says, and never beyond the deadline', () => {
  const [short] = approvalsOf({});
  assert.equal(short?.expiresAt, addMs(NOW, HOUR_MS));
  const [long] = approvalsOf({ asks: [ask({ validForMs: 9 * HOUR_MS })] });
  assert.equal(long?.expiresAt, addMs(NOW, 2 * HOUR_MS));
});

test('the delegator confirms and does not approve', () => {
  const approvals = approvalsOf({ person: person('dana'), asks: [ask({}), CONFIRM] });
  assert.deepEqual(
    approvals.map(({ kind }) => kind),
    ['confirmation'],
  );
  assert.equal(codeOf({ person: person('dana') }), 'not_entitled');
});

test('an owner of the agent, and an alias of who requests, cannot approve', () => {
  assert.equal(codeOf({ person: person('olga') }), 'not_entitled');
  assert.equal(codeOf({ person: person('double') }), 'not_entitled');
});

test('every refusal has a case', () => {
  const answered = question().local;
  const [given] = approvalsOf({});
  const refused: Readonly<Record<(typeof ANSWER_REFUSALS)[number], Partial<Question>>> = {
    account_revoked: { person: person('gone') },
    not_asked: { asks: [] },
    consent_moved: { consent: digest('what was shown') },
    not_entitled: { person: person('tomas'), asks: [FINANCE] },
    already_answered: { local: { ...answered, approvals: [must(given)] } },
  };
  assert.deepEqual(Object.keys(refused), [...ANSWER_REFUSALS]);
  for (const [code, parts] of Object.entries(refused)) assert.equal(codeOf(parts), code);
});

test('nobody is asked once the ask or the deadline is over', () => {
  assert.equal(codeOf({ asks: [ask({ until: NOW })] }), 'not_asked');
  assert.equal(codeOf({ now: addMs(NOW, 2 * HOUR_MS) }), 'not_asked');
});

test('someone whom no account knows is refused as a revoked account is', () => {
  assert.equal(codeOf({ person: person('nobody') }), 'account_revoked');
  assert.equal(judgeRejection(question({ person: person('nobody') })).kind, 'refuse');
});

test('without a subject there is nothing that anybody could say yes to', () => {
  assert.equal(codeOf({ subject: undefined }), 'not_asked');
});

test('who is entitled to none of several requirements is told why the first one is not theirs', () => {
  const judged = judgeAnswer(question({ person: person('tomas'), asks: [FINANCE, CONFIRM] }));
  assert.deepEqual(judged, {
    kind: 'refuse',
    code: 'not_entitled',
    message: '`tomas` cannot answer this: has no role:finance',
  });
});

test('the questions to a person are those that are open and theirs', () => {
  const over = ask({ requirement: digest('over'), until: NOW });
  const last = ask({ requirement: digest('last'), until: addMs(NOW, 1) });
  const asks = [ask({}), FINANCE, CONFIRM, over, last];
  const theirs = (name: string): readonly Ask[] =>
    asksFor(question({ person: person(name), asks }));
  assert.deepEqual(theirs('mei'), [ask({}), FINANCE, last]);
  assert.deepEqual(theirs('tomas'), [ask({}), last]);
  assert.deepEqual(theirs('dana'), [CONFIRM]);
});

test('a yes is the same one only for the same requirement and consent, live, not used, and of the same person', () => {
  const [given] = approvalsOf({});
  const yes = must(given);
  const after = (other: Partial<Approval>): string =>
    codeOf({ local: { ...question().local, approvals: [{ ...yes, ...other }] } });
  assert.equal(after({}), 'already_answered');
  assert.equal(after({ expiresAt: addMs(NOW, 1) }), 'already_answered');
  assert.equal(after({ requirement: digest('finance') }), 'approvals');
  assert.equal(after({ consent: digest('another') }), 'approvals');
  assert.equal(after({ consumed: true }), 'approvals');
  assert.equal(after({ expiresAt: NOW }), 'approvals');
  assert.equal(after({ approver: person('tomas') }), 'approvals');
});

test('a yes is written down whole, and frozen', () => {
  const [given] = approvalsOf({});
  assert.deepEqual(given, {
    id: must(parseApprovalId('01930000-0000-7000-8000-000000000000')),
    kind: 'approval',
    requirement: digest('lead'),
    consent: consentDigest(SUBJECT),
    subject: SUBJECT,
    approver: person('mei'),
    at: NOW,
    expiresAt: addMs(NOW, HOUR_MS),
    consumed: false,
  });
  assert.ok(Object.isFrozen(given));
});

test('an answer to what moved says what moved', () => {
  const shown = { ...SUBJECT, resolution: { ...SUBJECT.resolution, environment: 'production' } };
  const judged = judgeAnswer(question({ consent: consentDigest(shown), shown }));
  assert.equal(
    judged.kind === 'refuse' && judged.message,
    'the action moved: environment: production → staging',
  );
});

test('an answer to what nobody kept says that it is not what was shown', () => {
  const judged = judgeAnswer(question({ consent: digest('what was shown') }));
  assert.equal(
    judged.kind === 'refuse' && judged.message,
    'the action moved: it is not what was shown any more',
  );
});

test('a no is for whoever is asked and for the delegator, and for nobody else', () => {
  assert.equal(judgeRejection(question()).kind, 'reject');
  assert.equal(judgeRejection(question({ person: person('dana') })).kind, 'reject');
  assert.equal(judgeRejection(question({ asks: [FINANCE, ask({})] })).kind, 'reject');
  assert.deepEqual(judgeRejection(question({ person: person('olga') })), {
    kind: 'refuse',
    code: 'not_entitled',
    message: '`olga` is not asked about this action',
  });
  assert.deepEqual(judgeRejection(question({ person: person('gone') })), {
    kind: 'refuse',
    code: 'account_revoked',
    message: '`gone` has no live account',
  });
  // One of two asks is enough to be asked.
  const tomas = judgeRejection(question({ person: person('tomas'), asks: [FINANCE, ask({})] }));
  assert.equal(tomas.kind, 'reject');
});
