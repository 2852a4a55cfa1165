import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { SampleAnswer, SampleInput } from '../../../test/laws/circumstances.ts';
import {
  assessed,
  digestOfRequirement,
  FOREVER,
  MET,
  table,
  wording,
  type Circumstances,
} from '../../../test/laws/requirements.ts';
import { approvalId, hours, NOW } from '../../../test/laws/world.ts';
import type { DecisionInput } from '../decision.ts';
import { instantOf } from '../instant.ts';

type Change = (input: DecisionInput) => DecisionInput;

const LEAD = { approval: { from: 'role:lead', askFor: '30m', validFor: '1h' } };
const LEADS = { approval: { from: 'role:lead', count: 2, validFor: '1h' } };
const MEI = { approval: { from: 'person:mei', askFor: '30m', validFor: '1h' } };
const CONFIRM = { confirmation: { validFor: '1h' } };

function yes(approver: string, changes: Partial<SampleAnswer> = {}): SampleAnswer {
  return {
    question: 0,
    approver,
    moved: false,
    consumed: false,
    atHours: -0.1,
    expiresHours: 1,
    ...changes,
  };
}

function answered(
  answers: readonly SampleAnswer[],
  changes: Partial<SampleInput> = {},
): Circumstances {
  return { sample: { answers, ...changes } };
}

function asking(changes: object): object {
  return {
    ask: {
      kind: 'approval',
      from: { role: 'lead' },
      have: 0,
      need: 1,
      validForMs: 3_600_000,
      until: hours(0.5),
      ...changes,
    },
  };
}

function missing(have: number, need: number, changes: object = {}): object {
  return {
    code: 'approval_missing',
    status: 'unmet',
    actual: have,
    needed: need,
    waitsFor: 'approval',
    ...changes,
  };
}

const waiting = (asked: object, drafts: readonly object[], wakeAt: number): unknown => ({
  status: 'unmet',
  drafts,
  ...asked,
  until: Infinity,
  wakeAt,
});

const ASK_OVER = { code: 'approval_ask_over', status: 'impossible', actual: 0, needed: 1 };
const failed = { resolution: 'failed' } as const;

describe('the yes of people', () => {
  table([
    [
      'is asked for until the end of the time for it',
      LEAD,
      {},
      waiting(asking({}), [missing(0, 1)], hours(0.5)),
    ],
    [
      'is asked for until the deadline where no time is given',
      LEADS,
      {},
      waiting(asking({ need: 2, until: hours(4) }), [missing(0, 2)], hours(4)),
    ],
    [
      'is asked for until the deadline where that is sooner',
      LEAD,
      { sample: { deadlineHours: 0.4 } },
      waiting(asking({ until: hours(0.4) }), [missing(0, 1)], hours(0.4)),
    ],
    [
      'of one person is asked of that person',
      MEI,
      {},
      waiting(asking({ from: { person: 'mei' } }), [missing(0, 1)], hours(0.5)),
    ],
    [
      'of the delegator is a confirmation',
      CONFIRM,
      {},
      waiting(
        asking({ kind: 'confirmation', from: 'delegator', until: hours(4) }),
        [missing(0, 1, { code: 'confirmation_missing' })],
        hours(4),
      ),
    ],
    [
      'that came is counted, and the rest asked for',
      LEADS,
      answered([yes('mei')]),
      waiting(asking({ have: 1, need: 2, until: hours(4) }), [missing(1, 2)], hours(4)),
    ],
    [
      'is consumed as far as it is needed, and counts until the first one ends',
      LEADS,
      answered([yes('mei', { expiresHours: 0.5 }), yes('tomas', { expiresHours: 0.7 })]),
      { ...MET, consumes: [approvalId(0), approvalId(1)], until: hours(0.5) },
    ],
    [
      'that nobody needs is not consumed, and does not shorten anything',
      LEAD,
      answered([yes('mei', { expiresHours: 0.7 }), yes('tomas', { expiresHours: 0.5 })]),
      { ...MET, consumes: [approvalId(0)], until: hours(0.7) },
    ],
    [
      'that is needed no longer than the policy says counts no longer',
      LEAD,
      answered([yes('mei', { atHours: -0.5, expiresHours: 3 })]),
      { ...MET, consumes: [approvalId(0)], until: hours(0.5) },
    ],
    [
      'to something else is said with what moved',
      LEAD,
      answered([yes('mei', { moved: true })]),
      waiting(
        asking({}),
        [
          {
            code: 'consent_moved',
            status: 'unmet',
            actual: ['environment: elsewhere → production'],
            waitsFor: 'approval',
          },
          missing(0, 1),
        ],
        hours(0.5),
      ),
    ],
    [
      'that expired is said with when',
      LEAD,
      answered([yes('mei', { expiresHours: -0.05 })]),
      waiting(
        asking({}),
        [
          {
            code: 'approval_expired',
            status: 'unmet',
            actual: '2027-01-15T07:57:00.000Z',
            waitsFor: 'approval',
          },
          missing(0, 1),
        ],
        hours(0.5),
      ),
    ],
    [
      'of somebody who may not is said',
      LEAD,
      answered([yes('dana')]),
      waiting(
        asking({}),
        [{ code: 'approver_not_entitled', status: 'unmet', waitsFor: 'approval' }, missing(0, 1)],
        hours(0.5),
      ),
    ],
    [
      'can be asked for a millisecond before the end',
      LEAD,
      { change: (input) => ({ ...input, askedSince: instantOf(hours(-0.5) + 1) }) },
      waiting(asking({ until: NOW + 1 }), [missing(0, 1)], NOW + 1),
    ],
    [
      'is over at the end of the time for it',
      LEAD,
      { sample: { askedHours: -0.5 } },
      { status: 'impossible', drafts: [ASK_OVER], ...FOREVER },
    ],
    [
      'that does not count is for good when the time for it is over',
      LEAD,
      answered([yes('dana')], { askedHours: -1 }),
      {
        status: 'impossible',
        drafts: [
          { code: 'approver_not_entitled', status: 'impossible', waitsFor: 'approval' },
          ASK_OVER,
        ],
        ...FOREVER,
      },
    ],
    [
      'counts although the time for it is over',
      LEAD,
      answered([yes('mei')], { askedHours: -1 }),
      { ...MET, consumes: [approvalId(0)], until: hours(0.9) },
    ],
    [
      'may count, when the time for it is over, while a system does not answer',
      LEAD,
      answered([yes('mei')], { ...failed, askedHours: -1 }),
      {
        status: 'undetermined',
        drafts: [missing(0, 1, { status: 'undetermined', waitsFor: 'fact' })],
        ...FOREVER,
      },
    ],
    [
      'of too few cannot, whatever the system answers',
      { approval: { from: 'role:lead', count: 2, askFor: '30m', validFor: '1h' } },
      answered([yes('mei')], { ...failed, askedHours: -1 }),
      { status: 'impossible', drafts: [{ ...ASK_OVER, needed: 2 }], ...FOREVER },
    ],
  ]);

  test('to another action, or to other arguments, counts for nothing', () => {
    const answer = { sample: { answers: [yes('mei')] } };
    const other = (changes: object): unknown => {
      const change: Change = (input) =>
        input.consent === undefined
          ? input
          : { ...input, consent: { ...input.consent, ...changes } };
      return assessed(LEAD, { ...answer, change }).status;
    };
    assert.equal(other({}), 'met');
    assert.equal(other({ action: approvalId(1) }), 'unmet');
    assert.equal(other({ actionDigest: digestOfRequirement(LEAD) }), 'unmet');
  });

  test('is told in the words of the policy', () => {
    assert.equal(wording(LEADS), '0 of 2 from role:lead');
    assert.equal(wording(MEI), '0 of 1 from person:mei');
    assert.equal(wording(CONFIRM), '0 of 1 from the delegator');
  });

  test('that moved is told with everything that moved', () => {
    const [draft] = assessed(LEAD, answered([yes('mei', { moved: true })])).drafts;
    assert.equal(
      draft?.message,
      'mei consented before this moved: environment: elsewhere → production',
    );
  });
});
