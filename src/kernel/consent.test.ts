import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  endOf,
  fromText,
  needOf,
  tallyOf,
  whyNotEntitled,
  type ConsentRequirement,
} from './consent.ts';
import type { Approval, DecisionInput, PersonState } from './decision.ts';
import { digestOf } from './digest.ts';
import { parseAgentName, parseApprovalId, parsePersonName, type PersonName } from './id.ts';
import { instantOf } from './instant.ts';
import { samePerson } from './people.ts';

const NOW = 1_000_000;
const REQUIREMENT = digestOf('exequatur/requirement/v1', 'lead');
const CONSENT = digestOf('exequatur/consent/v1', 'this');

function must<Value>(value: Value | undefined): Value {
  assert.ok(value !== undefined);
  return value;
}

const person = (name: string): PersonName => must(parsePersonName(name));
const bot = must(parseAgentName('bot'));

function account(roles: readonly string[], aliases: readonly string[] = []): PersonState {
  return { live: true, roles, aliases: aliases.map(person) };
}

const PEOPLE = {
  mei: account(['lead']),
  tomas: account(['lead'], ['tom']),
  tom: account(['lead']),
  dana: account(['lead']),
  olga: account(['lead'], ['zed']),
  zed: account(['lead']),
  kim: account([]),
  gone: { ...account(['lead']), live: false },
};

const APPROVAL = {
  kind: 'approval',
  from: { role: 'lead' },
  count: 2,
  validForMs: 1000,
} as unknown as ConsentRequirement;
const CONFIRMATION = { kind: 'confirmation', validForMs: 1000 } as unknown as ConsentRequirement;

function yes(number: number, parts: Partial<Approval> = {}): Approval {
  return {
    id: must(parseApprovalId(`01930000-0000-7000-8000-${String(number).padStart(12, '0')}`)),
    kind: 'approval',
    requirement: REQUIREMENT,
    consent: CONSENT,
    approver: person('mei'),
    at: instantOf(NOW - 500),
    expiresAt: instantOf(NOW + 5000),
    consumed: false,
    ...parts,
  } as Approval;
}

function tally(
  approvals: readonly Approval[],
  parts: { readonly consent?: 'unknown'; readonly requirement?: ConsentRequirement } = {},
): Readonly<Record<string, readonly string[]>> {
  const input = {
    now: NOW,
    action: { principal: { agent: bot, delegator: person('dana') } },
    local: {
      approvals,
      people: PEOPLE,
      agent: { name: bot, live: true, roles: [], owners: [person('olga')], delegationLive: true },
    },
  } as unknown as DecisionInput;
  const { notEntitled, ...sorted } = tallyOf({
    requirement: parts.requirement ?? APPROVAL,
    digest: REQUIREMENT,
    input,
    consent: parts.consent === 'unknown' ? undefined : CONSENT,
    same: samePerson(PEOPLE),
  });
  const told = Object.entries(sorted).map(([what, list]: [string, readonly Approval[]]) => [
    what,
    list.map(({ id }) => id.slice(-1)),
  ]);
  const reasons = notEntitled.map(({ approval, reason }) => `${approval.id.slice(-1)} ${reason}`);
  return Object.fromEntries([...told, ['notEntitled', reasons]].filter(([, list]) => list?.length));
}

/** A yes that was given and ends then. */
function lasting(atMs: number, expiresAtMs: number): Approval {
  return yes(1, { at: instantOf(atMs), expiresAt: instantOf(expiresAtMs) });
}

function by(name: string): Approval {
  return yes(1, { approver: person(name) });
}

function confirmed(name: string): unknown {
  const approvals = [yes(1, { kind: 'confirmation', approver: person(name) })];
  return tally(approvals, { requirement: CONFIRMATION });
}

function why(name: string, from?: { readonly person: string }): string | undefined {
  return whyNotEntitled({
    requirement: { kind: 'approval', ...(from === undefined ? {} : { from }) },
    person: name,
    input: { action: { principal: { agent: bot } }, local: { agent: undefined, people: PEOPLE } },
    same: samePerson(PEOPLE),
  });
}

describe('a yes', () => {
  test('counts while it is live, fresh, to this, and of somebody entitled', () => {
    assert.deepEqual(tally([yes(1)]), { counted: ['1'] });
    assert.deepEqual(tally([yes(1, { kind: 'confirmation' })]), {});
    assert.deepEqual(tally([yes(1, { requirement: CONSENT })]), {});
    assert.deepEqual(tally([yes(1, { consumed: true })]), {});
    assert.deepEqual(tally([yes(1, { consent: REQUIREMENT })]), { moved: ['1'] });
    assert.deepEqual(tally([yes(1, { consent: REQUIREMENT })], { consent: 'unknown' }), {
      unclear: ['1'],
    });
  });

  test('is over at its own expiry, and at the end of what the policy allows, whichever is sooner', () => {
    assert.deepEqual(tally([lasting(NOW - 999, NOW + 9)]), { counted: ['1'] });
    assert.deepEqual(tally([lasting(NOW - 1000, NOW + 9)]), { expired: ['1'] });
    assert.deepEqual(tally([lasting(NOW - 1, NOW + 1)]), { counted: ['1'] });
    assert.deepEqual(tally([lasting(NOW - 1, NOW)]), { expired: ['1'] });
    assert.equal(endOf(lasting(5, 2000), APPROVAL), 1005);
    assert.equal(endOf(lasting(5, 900), APPROVAL), 900);
  });

  test('of one person counts once, as the one that lasts longer, and then the older id', () => {
    const longer = { at: instantOf(NOW - 100) };
    assert.deepEqual(tally([yes(1), yes(2, longer)]), { counted: ['2'] });
    assert.deepEqual(tally([yes(2, longer), yes(1)]), { counted: ['2'] });
    assert.deepEqual(tally([yes(1), yes(2, { at: instantOf(NOW - 499) })]), { counted: ['2'] });
    assert.deepEqual(tally([yes(2), yes(1)]), { counted: ['1'] });
    assert.deepEqual(tally([yes(1), yes(2)]), { counted: ['1'] });
    const [tomas, tom] = [{ approver: person('tomas') }, { approver: person('tom') }];
    assert.deepEqual(tally([yes(1, tomas), yes(2, tom)]), { counted: ['1'] });
    assert.deepEqual(tally([yes(3), yes(1, tomas)]), { counted: ['1', '3'] });
    assert.deepEqual(tally([yes(1, tomas), yes(3), yes(2)]), { counted: ['1', '2'] });
  });

  test('of who may not give it is told with the reason', () => {
    for (const [name, reason] of [
      ['kim', 'has no role:lead'],
      ['gone', 'account is revoked'],
      ['nobody', 'account is revoked'],
      ['dana', 'requests it and cannot approve it'],
      ['olga', 'requests it and cannot approve it'],
      ['zed', 'requests it and cannot approve it'],
    ] as const) {
      assert.deepEqual(tally([by(name)]), { notEntitled: [`1 ${reason}`] });
    }
    assert.deepEqual(confirmed('dana'), { counted: ['1'] });
    assert.deepEqual(confirmed('olga'), { notEntitled: ['1 is not the delegator'] });
  });
});

test('a requirement tells how many and whom it asks', () => {
  assert.equal(needOf(APPROVAL), 2);
  assert.equal(needOf(CONFIRMATION), 1);
  assert.equal(fromText(APPROVAL), 'role:lead');
  const named = { ...APPROVAL, from: { person: 'mei' } } as unknown as ConsentRequirement;
  assert.equal(fromText(named), 'person:mei');
  assert.equal(fromText(CONFIRMATION), 'the delegator');
});

test('a person asked by name is that person alone, and where nobody is named nobody can', () => {
  assert.equal(why('mei', { person: 'mei' }), undefined);
  assert.equal(why('kim', { person: 'mei' }), 'is not person:mei');
  assert.equal(why('mei'), 'nobody is named');
});
