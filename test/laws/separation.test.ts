/** Law 10, separation of duty, against set theory on random graphs of identities. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { consentDigest } from '../../src/kernel/action.ts';
import { decide } from '../../src/kernel/decide.ts';
import type { DecisionInput } from '../../src/kernel/decision.ts';
import type { CompiledPolicy } from '../../src/kernel/policy/compiled.ts';
import { CALM, inputOf, questionsOf } from './circumstances.ts';
import { policyOf } from './policies.ts';
import { circleOf } from './reference-requirements.ts';
import { AGENT, approvalId, hours, person } from './world.ts';

const SEED = Number(process.env['EXEQUATUR_SEED'] ?? Date.now() % 1_000_000);
console.log(`seed ${String(SEED)} (EXEQUATUR_SEED repeats it)`);

test('law 10: who requests never approves, and k approvers are k distinct people', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;
  const graph = fc.record({
    edges: fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)), {
      maxLength: 6,
    }),
    owners: fc.subarray([...names], { maxLength: 2 }),
    delegator: fc.option(fc.constantFrom(...names), { nil: undefined }),
    leads: fc.subarray([...names]),
    dead: fc.subarray([...names], { maxLength: 2 }),
    yes: fc.array(fc.constantFrom(...names), { maxLength: 7 }),
    count: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(graph, ({ edges, owners, delegator, leads, dead, yes, count }) => {
      const policy = policyOf([
        { id: 'allow', match: {}, allow: [{ approval: { from: 'role:lead', count } }] },
      ]);
      const input = graphInput(policy, { edges, owners, delegator, leads, dead, yes });
      const { people } = input.local;

      const requesters = [AGENT, ...owners, ...(delegator === undefined ? [] : [delegator])];
      const excluded = new Set(requesters.flatMap((name) => [...circleOf(name, people)]));
      const able = yes.filter(
        (name) => leads.includes(name) && !dead.includes(name) && !excluded.has(name),
      );
      const persons = new Set(able.map((name) => [...circleOf(name, people)].sort().join()));
      const expected = persons.size >= count ? 'admit' : 'hold';
      const decision = decide(policy, input);
      assert.equal(decision.verdict, expected);
      assert.equal(decision.consumes.length, expected === 'admit' ? count : 0);
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

function graphInput(
  policy: CompiledPolicy,
  of: {
    readonly edges: readonly (readonly [string, string])[];
    readonly owners: readonly string[];
    readonly delegator: string | undefined;
    readonly leads: readonly string[];
    readonly dead: readonly string[];
    readonly yes: readonly string[];
  },
): DecisionInput {
  const base = inputOf({ ...CALM, delegator: undefined, owners: of.owners }, policy);
  const people = Object.fromEntries(
    ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => [
      name,
      {
        // A delegator who is revoked stops the action by another law.
        live: !of.dead.includes(name) || name === of.delegator,
        roles: of.leads.includes(name) ? ['lead'] : [],
        aliases: of.edges.flatMap(([from, to]) => (from === name ? [person(to)] : [])),
      },
    ]),
  );
  const { consent } = base;
  const [question] = questionsOf(policy);
  assert.ok(consent && question);
  const approvals = of.yes.map((name, index) => ({
    id: approvalId(index),
    kind: question.kind,
    requirement: question.digest,
    consent: consentDigest(consent),
    subject: consent,
    approver: person(name),
    at: hours(-0.1),
    expiresAt: hours(1),
    consumed: false,
  }));
  const { action } = base;
  const principal =
    of.delegator === undefined
      ? action.principal
      : { ...action.principal, delegator: person(of.delegator) };
  return {
    ...base,
    action: { ...action, principal },
    local: { ...base.local, people, approvals },
  };
}
