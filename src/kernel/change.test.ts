import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changesToEscape, changeText, changeToReach } from './change.ts';
import type { Clause, CompiledRule, Scope } from './policy/compiled.ts';

type Comparison = NonNullable<Clause['comparison']>;

const SCOPE = {} as Scope;

/** A clause that comes to this, and compares this. */
function clause(value: boolean | 'missing', comparison?: Comparison): Clause {
  const evaluate: Clause['evaluate'] = () =>
    value === 'missing'
      ? { kind: 'missing', reference: 'args.x', message: 'not given' }
      : { kind: 'value', value };
  return { evaluate, ...(comparison === undefined ? {} : { comparison }) } as Clause;
}

function rule(...clauses: readonly Clause[]): CompiledRule {
  return { when: { clauses } } as unknown as CompiledRule;
}

const ALWAYS = {} as CompiledRule;
const AMOUNT: Comparison = { reference: 'args.amount', operator: '<=', literal: '20.00' };
const FACT: Comparison = { reference: 'facts.level', operator: '<', literal: '3' };

test('a change is told by the last part of what it changes', () => {
  assert.equal(changeText(AMOUNT), 'amount <= 20.00');
  assert.equal(changeText({ ...AMOUNT, reference: 'measures.rows' }), 'rows <= 20.00');
  assert.equal(changeText(FACT), 'facts.level < 3');
  assert.equal(changeText({ ...FACT, reference: 'x.args.amount' }), 'x.args.amount < 3');
});

test('each comparison of the action’s own values is escaped by its opposite', () => {
  for (const [operator, opposite] of [
    ['<', '>='],
    ['<=', '>'],
    ['>', '<='],
    ['>=', '<'],
    ['==', '!='],
    ['!=', '=='],
  ] as const) {
    const own = clause(true, { ...AMOUNT, operator });
    assert.deepEqual(changesToEscape(rule(own, clause(true), clause(true, FACT))), [
      { ...AMOUNT, operator: opposite },
    ]);
  }
  assert.deepEqual(changesToEscape(ALWAYS), []);
});

test('a rule is reached by the one clause that stands in the way', () => {
  const met = clause(true, FACT);
  const wanted = clause(false, AMOUNT);
  assert.deepEqual(changeToReach(rule(met, wanted, met), SCOPE), AMOUNT);
  assert.equal(changeToReach(rule(wanted, wanted), SCOPE), undefined);
  assert.equal(changeToReach(rule(clause('missing', AMOUNT)), SCOPE), undefined);
  assert.equal(changeToReach(rule(clause(false, FACT)), SCOPE), undefined);
  assert.equal(changeToReach(rule(clause(false)), SCOPE), undefined);
  assert.equal(changeToReach(rule(met), SCOPE), undefined);
  assert.equal(changeToReach(ALWAYS, SCOPE), undefined);
});
