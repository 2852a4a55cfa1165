import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CalendarPattern, Requirement, Rule } from '../policy.ts';
import { policyDigest, requirementDigest, type PolicyParts } from './canonical.ts';

const position = { file: 'p', line: 1, column: 1 };
const WEEKLY: CalendarPattern = { kind: 'weekly', days: [1], startMinute: 0, endMinute: 60 };
const EARLIER: CalendarPattern = { ...WEEKLY, days: [2] };
const SPAN: CalendarPattern = { kind: 'span', from: '2026-01-01T00:00', until: '2026-01-02T00:00' };

const LIMIT: Requirement = {
  kind: 'limit',
  name: 'l',
  perMs: 1000,
  bound: { kind: 'sum', sum: 'measures.amount', max: '500' },
};
const CONFIRMATION: Requirement = { kind: 'confirmation', validForMs: 1000 };

function identified(requirement: Requirement): Rule['requires'][number] {
  return { digest: requirementDigest(requirement), requirement, position };
}

const RULE: Rule = {
  id: 'a',
  effect: 'allow',
  match: {
    targets: { names: ['x', 'y'], negated: false },
    labels: { team: 'pay' },
  },
  requires: [identified(LIMIT), identified(CONFIRMATION)],
  shadow: false,
  position,
};
const OTHER: Rule = { ...RULE, id: 'b', match: {} };
const THIRD: Rule = { ...RULE, id: 'c', match: {} };

const PARTS: PolicyParts = {
  rules: [RULE, OTHER, THIRD],
  roles: ['lead', 'support', 'finance'],
  calendars: new Map([
    [
      'n',
      { name: 'n', zone: 'UTC', open: [WEEKLY, EARLIER, SPAN], closed: [SPAN, WEEKLY], position },
    ],
    ['m', { name: 'm', zone: 'UTC', open: [WEEKLY], closed: [], position }],
  ]),
  facts: new Map([
    [
      'f',
      {
        name: 'f',
        type: { kind: 'boolean' },
        source: { kind: 'file', path: '/f', pointer: '' },
        timeoutMs: 1000,
        position,
      },
    ],
  ]),
};

function withRule(rule: Partial<Rule>): PolicyParts {
  return { ...PARTS, rules: [{ ...RULE, ...rule }, OTHER, THIRD] };
}

function withCalendar(parts: Readonly<Record<string, unknown>>): PolicyParts {
  const [[, calendar] = []] = PARTS.calendars;
  assert.ok(calendar !== undefined);
  return { ...PARTS, calendars: new Map([...PARTS.calendars, ['n', { ...calendar, ...parts }]]) };
}

function withFactParts(parts: Readonly<Record<string, unknown>>): PolicyParts {
  const fact = PARTS.facts.get('f');
  assert.ok(fact !== undefined);
  return { ...PARTS, facts: new Map([['f', { ...fact, ...parts }]]) };
}

describe('the digest of a policy', () => {
  test('stays the same from version to version, because stores hold it', () => {
    assert.equal(
      policyDigest(PARTS),
      '378c10885d8c4f21fe364d0f4f9ed3ad481272f48da819fc82e4dbddf74bd3ac',
    );
  });

  const elsewhere = { file: 'q', line: 9, column: 9 };
  const same: readonly (readonly [string, PolicyParts])[] = [
    ['the order of rules', { ...PARTS, rules: [THIRD, RULE, OTHER] }],
    ['the order of rules, turned', { ...PARTS, rules: [THIRD, OTHER, RULE] }],
    ['the order of roles', { ...PARTS, roles: ['support', 'finance', 'lead'] }],
    ['a role named twice', { ...PARTS, roles: ['lead', 'support', 'finance', 'lead'] }],
    ['the order of calendars', { ...PARTS, calendars: new Map([...PARTS.calendars].toReversed()) }],
    ['the order of open times', withCalendar({ open: [EARLIER, SPAN, WEEKLY] })],
    ['the order of open times, turned', withCalendar({ open: [SPAN, EARLIER, WEEKLY] })],
    ['the order of closed times', withCalendar({ closed: [WEEKLY, SPAN] })],
    ['the order of requirements', withRule({ requires: [...RULE.requires].toReversed() })],
    [
      'the order of names',
      withRule({ match: { ...RULE.match, targets: { names: ['y', 'x'], negated: false } } }),
    ],
    [
      'a name given twice',
      withRule({ match: { ...RULE.match, targets: { names: ['y', 'x', 'y'], negated: false } } }),
    ],
    ['the place of a rule', withRule({ position: elsewhere })],
    ['the place of a calendar', withCalendar({ position: elsewhere })],
    ['the place of a fact', withFactParts({ position: elsewhere })],
  ];
  for (const [what, parts] of same) {
    test(`does not depend on ${what}`, () => {
      assert.equal(policyDigest(parts), policyDigest(PARTS));
    });
  }

  const different: readonly (readonly [string, PolicyParts])[] = [
    ['a rule', { ...PARTS, rules: [RULE, OTHER] }],
    ['an id', withRule({ id: 'aa' })],
    ['an effect', withRule({ effect: 'require' })],
    ['a condition', withRule({ when: 'true' })],
    ['a message', withRule({ message: 'no' })],
    ['a shadow', withRule({ shadow: true })],
    ['a requirement', withRule({ requires: [identified(LIMIT)] })],
    ['labels', withRule({ match: { ...RULE.match, labels: { team: 'ops' } } })],
    ['no labels', withRule({ match: { targets: { names: ['x', 'y'], negated: false } } })],
    [
      'a negation',
      withRule({ match: { ...RULE.match, targets: { names: ['x', 'y'], negated: true } } }),
    ],
    ['a name', withRule({ match: { ...RULE.match, targets: { names: ['x'], negated: false } } })],
    [
      'the field of a name',
      withRule({
        match: { labels: { team: 'pay' }, owners: { names: ['x', 'y'], negated: false } },
      }),
    ],
    ['a role', { ...PARTS, roles: ['lead', 'support'] }],
    ['a calendar', { ...PARTS, calendars: new Map([...PARTS.calendars].slice(1)) }],
    ['a zone', withCalendar({ zone: 'Europe/Berlin' })],
    ['an open time', withCalendar({ open: [WEEKLY] })],
    ['a closed time', withCalendar({ closed: [] })],
    ['a fact', { ...PARTS, facts: new Map() }],
    ['the type of a fact', withFactParts({ type: { kind: 'string' } })],
    ['the source of a fact', withFactParts({ source: { kind: 'file', path: '/g', pointer: '' } })],
    ['the timeout of a fact', withFactParts({ timeoutMs: 2 })],
  ];
  test('differs with everything that counts', () => {
    const base = policyDigest(PARTS);
    const seen = new Map<string, string>([[base, 'the policy itself']]);
    for (const [what, parts] of different) {
      const digest = policyDigest(parts);
      assert.equal(seen.get(digest), undefined, what);
      seen.set(digest, what);
    }
  });
});

const sum = (max: string): Requirement => ({
  ...LIMIT,
  bound: { kind: 'sum', sum: 'measures.amount', max },
});

describe('the digest of a requirement', () => {
  test('is one for one maximum, however many zeros it has', () => {
    assert.equal(requirementDigest(sum('500.00')), requirementDigest(LIMIT));
  });

  test('differs with everything that counts', () => {
    const all: readonly Requirement[] = [
      LIMIT,
      sum('500.01'),
      { ...LIMIT, by: 'target.name' },
      { ...LIMIT, by: 'principal.agent' },
      { ...LIMIT, name: 'm' },
      { ...LIMIT, perMs: 2000 },
      { ...LIMIT, bound: { kind: 'sum', sum: 'measures.rows', max: '500' } },
      { ...LIMIT, bound: { kind: 'count', count: 500 } },
      { ...LIMIT, bound: { kind: 'count', count: 501 } },
      CONFIRMATION,
      { ...CONFIRMATION, askForMs: 1 },
      { kind: 'evidence', declaration: { type: 'x' } },
      { kind: 'evidence', declaration: { type: 'y' } },
      { kind: 'authorized', declaration: { type: 'x' } },
      { kind: 'authorized', declaration: { type: 'y' } },
      { kind: 'window', calendar: 'n' },
    ];
    assert.equal(new Set(all.map((each) => requirementDigest(each))).size, all.length);
  });
});
