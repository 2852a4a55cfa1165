import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { operation } from '../../../test/laws/examples.ts';
import { MET, table, unmet, wording, type Circumstances } from '../../../test/laws/requirements.ts';
import { NOW } from '../../../test/laws/world.ts';
import type { DecisionInput, Fact } from '../decision.ts';
import { instantOf } from '../instant.ts';
import type { JsonValue } from '../json/value.ts';

const READY = { fact: { name: 'ready', maxAge: '1m' } };
const LEVEL = { fact: { name: 'level', is: 'fact >= 3', maxAge: '1m' } };
const READY_NOW = { fact: { name: 'ready', maxAge: '0s' } };

function gathered(name: string, value: Fact['value'], ageMs: number): Circumstances {
  const fact = { value, source: 'test', observedAt: instantOf(NOW - ageMs), tookMs: 1 };
  return { sample: { facts: { [name]: { kind: 'known', value: fact } } } };
}

const UNAVAILABLE = unmet({
  code: 'fact_unavailable',
  status: 'undetermined',
  waitsFor: 'fact',
});
const factUnmet = (actual: JsonValue, needed: JsonValue): unknown =>
  unmet({ code: 'fact_unmet', actual, needed, waitsFor: 'fact' });

describe('a fact', () => {
  table([
    ['that was not read is not known', READY, {}, UNAVAILABLE],
    [
      'that could not be read is not known',
      READY,
      { sample: { facts: { ready: { kind: 'failed', code: 'timeout', message: 'no answer' } } } },
      UNAVAILABLE,
    ],
    [
      'that every object has is not known',
      READY,
      {
        change: (input) => ({
          ...input,
          facts: Object.create(input.facts) as object as DecisionInput['facts'],
        }),
        ...gathered('ready', true, 0),
      },
      UNAVAILABLE,
    ],
    [
      'that is true is met while it is fresh',
      READY,
      gathered('ready', true, 1000),
      { ...MET, until: NOW + 59_001 },
    ],
    [
      'counts at its greatest age',
      READY,
      gathered('ready', true, 60_000),
      { ...MET, until: NOW + 1 },
    ],
    [
      'is stale a millisecond later',
      READY,
      gathered('ready', true, 60_001),
      unmet({ code: 'fact_stale', actual: 60_001, needed: 60_000, waitsFor: 'fact' }),
    ],
    ['without an age is met as it was read', READY_NOW, gathered('ready', true, 90_000), MET],
    ['that is false is not met', READY, gathered('ready', false, 0), factUnmet(false, true)],
    [
      'that is not a boolean is not true',
      READY,
      gathered('ready', 'true', 0),
      factUnmet('true', true),
    ],
    [
      'that is as the policy wants it is met',
      LEVEL,
      gathered('level', 3, 0),
      { ...MET, until: NOW + 60_001 },
    ],
    ['that is otherwise is not met', LEVEL, gathered('level', 2, 0), factUnmet(2, 'fact >= 3')],
    [
      'that may be a millisecond old is stale at two',
      { fact: { name: 'ready', maxAge: '1ms' } },
      gathered('ready', true, 2),
      unmet({ code: 'fact_stale', actual: 2, needed: 1, waitsFor: 'fact' }),
    ],
    [
      'that may be a millisecond old is met for that and the present one',
      { fact: { name: 'ready', maxAge: '1ms' } },
      gathered('ready', true, 0),
      { ...MET, until: NOW + 2 },
    ],
    ['that cannot be compared is not known', LEVEL, gathered('level', 'three', 0), UNAVAILABLE],
    [
      'does not hold up a safing operation',
      READY,
      { ...gathered('ready', false, 0), change: operation({ safing: true }) },
      MET,
    ],
  ]);

  test('that is not known says why', () => {
    assert.match(wording(READY), /not read yet$/u);
    const failed = { kind: 'failed', code: 'timeout', message: 'no answer' } as const;
    assert.match(wording(READY, { sample: { facts: { ready: failed } } }), /timeout: no answer$/u);
  });

  test('that is not met says what is needed', () => {
    assert.match(wording(READY, gathered('ready', 0, 0)), /needed is true$/u);
    assert.match(wording(LEVEL, gathered('level', 0, 0)), /needed is fact >= 3$/u);
  });
});
