import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { exampleOf } from '../../test/laws/examples.ts';
import { AGENT, DB } from '../../test/laws/world.ts';
import type { KnownInput } from './hearing.ts';
import { couldMatch, environmentIsOpen } from './match.ts';
import type { Match, NameSet } from './policy.ts';

function calm(): KnownInput {
  return exampleOf({}).input;
}

function isOpen(changes: Partial<Pick<KnownInput, 'resolution' | 'target'>>): boolean {
  return environmentIsOpen({ ...calm(), ...changes });
}

function only<Name extends string>(...names: readonly Name[]): NameSet<Name> {
  return { names, negated: false };
}

function but<Name extends string>(...names: readonly Name[]): NameSet<Name> {
  return { names, negated: true };
}

/** A refund at `pay`, which team-pay owns and is labelled gold, by bot for dana. */
const CASES: readonly (readonly [string, Match, boolean])[] = [
  ['nothing in particular', {}, true],
  ['its kind', { kinds: only('data.delete', 'money.transfer') }, true],
  ['another kind', { kinds: only('data.delete') }, false],
  ['any kind but its own', { kinds: but('money.transfer') }, false],
  ['its target', { targets: only('pay') }, true],
  ['another target', { targets: only('db') }, false],
  ['its operation', { operations: only('refund') }, true],
  ['another operation', { operations: only('purge') }, false],
  ['its class', { classes: only('read-then-act') }, true],
  ['another class', { classes: only('conditional') }, false],
  ['its owner', { owners: only('team-pay') }, true],
  ['another owner', { owners: but('team-pay') }, false],
  ['its agent', { agents: only('bot') }, true],
  ['another agent', { agents: but('bot') }, false],
  ['its delegator', { delegators: only('dana') }, true],
  ['another delegator', { delegators: only('olga') }, false],
  ['a role of its agent', { roles: only('lead', 'release') }, true],
  ['a role that its agent lacks', { roles: only('lead') }, false],
  ['any role but one that its agent has', { roles: but('release') }, false],
  ['any role but one that its agent lacks', { roles: but('lead') }, true],
  ['its label', { labels: { tier: 'gold' } }, true],
  ['another label', { labels: { tier: 'gold', zone: 'a' } }, false],
  ['an environment, whichever', { environments: only('elsewhere') }, true],
];

describe('a rule could be about an action', () => {
  for (const [title, match, expected] of CASES) {
    test(`${expected ? 'if' : 'unless'} it is about ${title}`, () =>
      assert.equal(couldMatch(match, calm()), expected));
  }

  test('without a delegator or an owner only if it is about any but some', () => {
    const input = calm();
    const alone = { ...input, action: { ...input.action, principal: { agent: AGENT } } };
    assert.equal(couldMatch({ delegators: only('dana') }, alone), false);
    assert.equal(couldMatch({ delegators: but('dana') }, alone), true);
    const ownerless = { ...input, target: DB };
    assert.equal(couldMatch({ owners: only('team-pay') }, ownerless), false);
    assert.equal(couldMatch({ owners: but('team-pay') }, ownerless), true);
  });

  test('of an agent that is not known as of one without roles', () => {
    const input = calm();
    const unknown = { ...input, local: { ...input.local, agent: undefined } };
    assert.equal(couldMatch({ roles: only('release') }, unknown), false);
    assert.equal(couldMatch({ roles: but('release') }, unknown), true);
  });
});

test('the environment is open while only a system can say it that has not', () => {
  assert.equal(isOpen({}), false);
  assert.equal(isOpen({ resolution: { kind: 'absent' } }), true);
  assert.equal(isOpen({ resolution: { kind: 'absent' }, target: DB }), false);
});
