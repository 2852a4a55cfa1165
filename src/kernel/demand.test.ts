import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  ALLOW,
  exampleOf,
  local,
  operation,
  requiring,
  type Example,
} from '../../test/laws/examples.ts';
import { demandOf } from './demand.ts';
import type { Demand } from './decision.ts';

const NOTHING: Demand = { facts: [], windows: [], limits: [], after: [] };

function demanded(example: Example): Demand {
  const { policy, input } = exampleOf(example);
  return demandOf(policy, input);
}

const READY = { fact: { name: 'ready', maxAge: '5m' } };
const uses = (name: string, by?: string): unknown => ({
  limit: { name, count: 5, per: '1h', ...(by === undefined ? {} : { by }) },
});
const after = (name: string): unknown => ({ after: { operation: name, target: 'db' } });
const counter = (name: string, by: string | null = null, value = ''): unknown => ({
  key: `limit:["${name}",3600000,null,${JSON.stringify(by)}]:${value}`,
  perMs: 3_600_000,
});
const success = (name: string): unknown => ({
  key: `after:db/${name}`,
  target: 'db',
  operation: name,
});
const safing = operation({ safing: true });
const ready = (maxAgeMs: number): unknown => ({ name: 'ready', maxAgeMs });
const level = (maxAgeMs: number): unknown => ({ name: 'level', maxAgeMs });

const CASES: readonly (readonly [string, Example, object])[] = [
  ['nothing for a rule that asks nothing', {}, {}],
  [
    'everything in order, each once',
    {
      rules: [
        ...requiring(
          { window: 'week' },
          { window: 'night' },
          uses('z'),
          uses('a'),
          after('purge'),
          after('backup'),
          READY,
          { fact: { name: 'level', is: 'fact > 1', maxAge: '1m' } },
        ),
        { id: 'z-again', match: {}, require: [{ window: 'night' }, uses('a'), after('purge')] },
      ],
    },
    {
      facts: [level(60_000), ready(300_000)],
      windows: ['night', 'week'],
      limits: [counter('a'), counter('z')],
      after: [success('backup'), success('purge')],
    },
  ],
  [
    'no fact for what is only called like one',
    {
      rules: [allowIf('preview.facts.ready == "yes"', { operation: 'refund' })],
    },
    {},
  ],
  [
    'of two ages the smaller',
    {
      rules: requiring(READY, { fact: { name: 'ready', maxAge: '1m' } }),
    },
    { facts: [ready(60_000)] },
  ],
  [
    'of two ages the smaller, whichever comes first',
    {
      rules: requiring({ fact: { name: 'ready', maxAge: '1m' } }, READY),
    },
    { facts: [ready(60_000)] },
  ],
  [
    'a fact that a condition reads as it is now',
    { rules: [allowIf('facts.ready'), ...requiring(READY).slice(1)] },
    { facts: [ready(0)] },
  ],
  [
    'a fact that the condition of a requirement reads as it is now',
    {
      rules: requiring({
        fact: { name: 'level', is: 'fact > 1 && facts.ready', maxAge: '1m' },
      }),
    },
    { facts: [level(60_000), ready(0)] },
  ],
  [
    'a fact that a limit counts',
    { rules: requiring({ limit: { name: 'l', sum: 'facts.level', max: '5', per: '1h' } }) },
    {
      facts: [level(0)],
      limits: [{ key: 'limit:["l",3600000,"facts.level",null]:', perMs: 3_600_000 }],
    },
  ],
  [
    'a fact that a limit counts by, before its counter',
    { rules: requiring(uses('u', 'facts.ready ? "a" : "b"')) },
    { facts: [ready(0)] },
  ],
  [
    'the counter of the agent',
    { rules: requiring(uses('u', 'principal.agent')) },
    { limits: [counter('u', 'principal.agent', 'bot')] },
  ],
  [
    'no counter while it is not known whose',
    { rules: requiring(uses('u', 'principal.agent')), change: local({ agent: undefined }) },
    {},
  ],
  [
    'nothing for a rule that does not apply',
    {
      rules: [ALLOW, { id: 'no', match: {}, when: 'principal.agent == "other"', require: [READY] }],
    },
    {},
  ],
  [
    'everything for a rule that applies',
    {
      rules: [ALLOW, { id: 'yes', match: {}, when: 'principal.agent == "bot"', require: [READY] }],
    },
    { facts: [ready(300_000)] },
  ],
  [
    'everything for a rule that may apply',
    { rules: [ALLOW, { id: 'no', match: {}, when: 'facts.level > 1', require: [READY] }] },
    { facts: [level(0), ready(300_000)] },
  ],
  [
    'nothing for a rule about another operation',
    { rules: [ALLOW, { id: 'no', match: { operation: 'purge' }, require: [READY] }] },
    {},
  ],
  [
    'no windows and no facts for a safing operation, whose requirements of these are met',
    {
      rules: requiring(READY, { window: 'night' }, uses('u'), after('backup')),
      change: safing,
    },
    { limits: [counter('u')], after: [success('backup')] },
  ],
];

function allowIf(when: string, match: object = {}): object {
  return { id: 'allow', match, when, allow: [] };
}

describe('rules demand', () => {
  for (const [title, example, expected] of CASES) {
    test(title, () => assert.deepEqual(demanded(example), { ...NOTHING, ...expected }));
  }

  test('nothing about an operation that is not known', () => {
    const { policy, input } = exampleOf({ rules: requiring(READY) });
    const demand = demandOf(policy, { ...input, operation: undefined });
    assert.deepEqual(demand, NOTHING);
    assert.ok(Object.isFrozen(demand));
  });
});
