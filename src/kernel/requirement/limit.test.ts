import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { exampleOf, local, plainly } from '../../../test/laws/examples.ts';
import { MET, unmet } from '../../../test/laws/requirements.ts';
import { hours, must, NOW } from '../../../test/laws/world.ts';
import type { DecisionInput, LimitState } from '../decision.ts';
import { hear } from '../hearing.ts';
import { instantOf } from '../instant.ts';
import { assess } from '../requirement.ts';
import type { Assessment } from './assessment.ts';

type Change = (input: DecisionInput) => DecisionInput;

const SUM = {
  limit: { name: 'money', sum: 'measures.amount', max: '50.00', per: '1d' },
};
const COUNT = { limit: { name: 'uses', count: 5, per: '1h' } };
const BY_AGENT = { limit: { name: 'uses', by: 'principal.agent', count: 5, per: '1h' } };
const SUM_KEY = 'limit:["money",86400000,"measures.amount",null]:';
const COUNT_KEY = 'limit:["uses",3600000,null,null]:';

function ofRefunds(requirement: unknown): readonly unknown[] {
  return [
    { id: 'require', match: { operation: 'refund' }, require: [requirement] },
    { id: 'allow', match: {}, allow: [] },
  ];
}

function counted(
  requirement: unknown,
  states: Readonly<Record<string, LimitState>>,
  change: Change = (input) => input,
): Assessment {
  const { policy, input } = exampleOf({
    rules: ofRefunds(requirement),
    change: (calm) => change(local({ limits: states })(calm)),
  });
  const rule = must(policy.compiled.find((each) => each.rule.id === 'require'));
  return assess(must(rule.requires[0]), hear(input));
}

function used(text: string, frees: LimitState['frees'] = []): LimitState {
  return { used: text, frees };
}

const over = (draft: object): unknown => unmet({ code: 'over_limit', ...draft });
const UNCOUNTED = over({ status: 'undetermined', waitsFor: 'fact' });

function paying(amount: string): Change {
  return (input) => ({
    ...input,
    action: { ...input.action, args: { amount, charge: 'ch' } },
  });
}

const LEVELS = { limit: { name: 'levels', sum: 'facts.level', max: '5', per: '1d' } };
const LEVELS_KEY = 'limit:["levels",86400000,"facts.level",null]:';

/** A limit of which one is used, by a fact that says this. */
function levels(value: number): unknown {
  const fact = { value, source: 'test', observedAt: NOW, tookMs: 1 };
  const states = { [LEVELS_KEY]: used('1') };
  return plainly(
    counted(LEVELS, states, (input) => ({
      ...input,
      facts: { level: { kind: 'known', value: fact } },
    })),
  );
}

function levelsReserve(amount: string): unknown {
  return { ...MET, reserve: { key: LEVELS_KEY, perMs: 86_400_000, amount } };
}

function usedWording(frees: LimitState['frees']): string {
  return counted(COUNT, { [COUNT_KEY]: used('5', frees) }).drafts[0]?.message ?? '';
}

describe('a limit', () => {
  const cases: readonly (readonly [string, () => Assessment, unknown])[] = [
    [
      'is met where used and this are the maximum together, and reserves the amount',
      () => counted(SUM, { [SUM_KEY]: used('40.00') }),
      { ...MET, reserve: { key: SUM_KEY, perMs: 86_400_000, amount: '10.00' } },
    ],
    [
      'is not met a cent above, and says the amount that fits',
      () => counted(SUM, { [SUM_KEY]: used('40.01') }),
      over({ actual: '50.01', needed: '50.00', change: 'amount <= 9.99', waitsFor: SUM_KEY }),
    ],
    [
      'that is used up has no amount that fits',
      () => counted(SUM, { [SUM_KEY]: used('50') }),
      over({ actual: '60.00', needed: '50.00', waitsFor: SUM_KEY }),
    ],
    [
      'that the amount alone is over is never met, and says the most there is',
      () => counted(SUM, { [SUM_KEY]: used('20') }, paying('50.01')),
      over({ status: 'impossible', actual: '70.01', needed: '50.00', change: 'amount <= 50.00' }),
    ],
    [
      'that the amount alone uses up is met when all else is freed',
      () => counted(SUM, { [SUM_KEY]: used('20', [{ at: hours(1), used: '0' }]) }, paying('50.00')),
      over({
        actual: '70.00',
        needed: '50.00',
        change: 'amount <= 30.00',
        at: hours(1),
        waitsFor: SUM_KEY,
      }),
    ],
    [
      'is met again as soon as enough is freed',
      () =>
        counted(SUM, {
          [SUM_KEY]: used('48', [
            { at: hours(1), used: '41' },
            { at: hours(2), used: '40' },
            { at: hours(3), used: '0' },
          ]),
        }),
      over({
        actual: '58.00',
        needed: '50.00',
        change: 'amount <= 2.00',
        at: hours(2),
        waitsFor: SUM_KEY,
      }),
    ],
    [
      'whose freed use is no number is met at the next that is one',
      () =>
        counted(COUNT, {
          [COUNT_KEY]: used('5', [
            { at: hours(1), used: 'many' },
            { at: hours(2), used: '4' },
          ]),
        }),
      over({ actual: '6', needed: '5', at: hours(2), waitsFor: COUNT_KEY }),
    ],
    [
      'that has a cent left says so',
      () => counted(SUM, { [SUM_KEY]: used('49.99') }),
      over({ actual: '59.99', needed: '50.00', change: 'amount <= 0.01', waitsFor: SUM_KEY }),
    ],
    [
      'of a sum of several values proposes none of them',
      () =>
        counted(
          {
            limit: { name: 'm', sum: 'measures.amount + measures.amount', max: '50.00', per: '1d' },
          },
          { 'limit:["m",86400000,"measures.amount + measures.amount",null]:': used('40') },
        ),
      over({
        actual: '60.00',
        needed: '50.00',
        waitsFor: 'limit:["m",86400000,"measures.amount + measures.amount",null]:',
      }),
    ],
    [
      'that is freed at the deadline has no instant',
      () => counted(SUM, { [SUM_KEY]: used('48', [{ at: hours(4), used: '0' }]) }),
      over({ actual: '58.00', needed: '50.00', change: 'amount <= 2.00', waitsFor: SUM_KEY }),
    ],
    [
      'that is freed just before it has one',
      () => counted(SUM, { [SUM_KEY]: used('48', [{ at: instantOf(hours(4) - 1), used: '0' }]) }),
      over({
        actual: '58.00',
        needed: '50.00',
        change: 'amount <= 2.00',
        at: hours(4) - 1,
        waitsFor: SUM_KEY,
      }),
    ],
    [
      'counts one where it counts',
      () => counted(COUNT, { [COUNT_KEY]: used('4') }),
      { ...MET, reserve: { key: COUNT_KEY, perMs: 3_600_000, amount: '1' } },
    ],
    [
      'that counts proposes no other amount',
      () => counted(COUNT, { [COUNT_KEY]: used('5') }),
      over({ actual: '6', needed: '5', waitsFor: COUNT_KEY }),
    ],
    ['whose use is not known cannot be counted', () => counted(COUNT, {}), UNCOUNTED],
    [
      'whose use is no number cannot be counted',
      () => counted(COUNT, { [COUNT_KEY]: used('many') }),
      UNCOUNTED,
    ],
    [
      'that only every object has cannot be counted',
      () => counted(COUNT, Object.create({ [COUNT_KEY]: used('0') }) as Record<string, LimitState>),
      UNCOUNTED,
    ],
    [
      'of each agent has a counter for each',
      () => counted(BY_AGENT, { 'limit:["uses",3600000,null,"principal.agent"]:bot': used('0') }),
      {
        ...MET,
        reserve: {
          key: 'limit:["uses",3600000,null,"principal.agent"]:bot',
          perMs: 3_600_000,
          amount: '1',
        },
      },
    ],
    [
      'of each agent cannot be counted where the agent is not known',
      () => counted(BY_AGENT, {}, local({ agent: undefined })),
      UNCOUNTED,
    ],
    [
      'of what is not known yet cannot be counted',
      () =>
        counted(
          { limit: { name: 'money', sum: 'facts.level', max: '5', per: '1d' } },
          { 'limit:["money",86400000,"facts.level",null]:': used('0') },
        ),
      UNCOUNTED,
    ],
  ];
  for (const [title, assessment, expected] of cases) {
    test(title, () => assert.deepEqual(plainly(assessment()), expected));
  }

  test('counts whole numbers, and nothing', () => {
    assert.deepEqual(levels(4), levelsReserve('4'));
    assert.deepEqual(levels(0), levelsReserve('0'));
  });

  test('takes no negative amount, which would make room for others', () => {
    assert.deepEqual(levels(-1), UNCOUNTED);
  });

  test('of a value that the action does not bring proposes no other amount', () => {
    assert.deepEqual(levels(5), over({ actual: '6', needed: '5', waitsFor: LEVELS_KEY }));
  });

  test('whose maximum is no number is an error, and no limit without one', () => {
    const { policy, input } = exampleOf({ rules: ofRefunds(SUM) });
    const rule = must(policy.compiled.find((each) => each.rule.id === 'require'));
    const compiled = must(rule.requires[0]);
    const { requirement } = compiled.identified;
    assert.equal(requirement.kind, 'limit');
    const bound = { kind: 'sum', sum: 'measures.amount', max: 'much' } as const;
    const forged = {
      ...compiled,
      identified: { ...compiled.identified, requirement: { ...requirement, bound } },
    };
    assert.throws(() => assess(forged, hear(input)), /has the maximum `much`/u);
  });

  test('says until when it is used up, where that is in time', () => {
    assert.match(usedWording([]), /is used$/u);
    assert.match(usedWording([{ at: hours(1), used: '4' }]), /is used, until 2027-01-15T09:00/u);
  });
});
