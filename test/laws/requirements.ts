/** One requirement judged by itself, in circumstances that are calm but for what an example changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hear } from '../../src/kernel/hearing.ts';
import { assess } from '../../src/kernel/requirement.ts';
import type { Assessment } from '../../src/kernel/requirement/assessment.ts';
import { exampleOf, plainly, requiring, type Example } from './examples.ts';
import { must } from './world.ts';

/** Circumstances alone: the rules are given by the requirement. */
export type Circumstances = Omit<Example, 'rules'>;

/** Nothing is bounded in time. */
export const FOREVER: { readonly until: number; readonly wakeAt: number } = {
  until: Infinity,
  wakeAt: Infinity,
};

/** What is met for as long as nothing else changes. */
export const MET: object = { status: 'met', drafts: [], ...FOREVER };

/** Judges the requirement of a rule. */
export function assessed(requirement: unknown, circumstances: Circumstances = {}): Assessment {
  const { policy, input } = exampleOf({ ...circumstances, rules: requiring(requirement) });
  const rule = must(policy.compiled.find((each) => each.rule.id === 'require'));
  return assess(must(rule.requires[0]), hear(input));
}

/** The wording of the first reason why it is not met. */
export function wording(requirement: unknown, circumstances: Circumstances = {}): string {
  return assessed(requirement, circumstances).drafts[0]?.message ?? '';
}

/** The digest that a requirement has in a policy. */
export function digestOfRequirement(requirement: unknown): string {
  const { policy } = exampleOf({ rules: requiring(requirement) });
  const rule = must(policy.rules.find(({ id }) => id === 'require'));
  return must(rule.requires[0]).digest;
}

/** What is not met for one reason; `unmet` where the reason gives no other status. */
export function unmet(draft: object): unknown {
  const { at = Infinity, status = 'unmet' } = draft as { at?: number; status?: string };
  return { status, drafts: [{ status, ...draft }], until: Infinity, wakeAt: at };
}

/** Title, requirement, circumstances, and the assessment but for its wording and the digest of what is asked. */
export type Case = readonly [string, unknown, Circumstances, unknown];

/** A test for each case. */
export function table(cases: readonly Case[]): void {
  for (const [title, requirement, circumstances, expected] of cases) {
    test(title, () => {
      const { ask, ...assessment } = assessed(requirement, circumstances);
      assert.equal(ask?.requirement, ask && digestOfRequirement(requirement));
      const { requirement: _requirement, ...asked } = ask ?? { requirement: undefined };
      const plain = plainly(assessment);
      assert.deepEqual(ask === undefined ? plain : { ...plain, ask: asked }, expected);
    });
  }
}
