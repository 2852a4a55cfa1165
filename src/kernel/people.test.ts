import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { AgentState, PersonState } from './decision.ts';
import { parseAgentName, parsePersonName, type AgentName, type PersonName } from './id.ts';
import { confirmersOf, personOf, requestersOf, samePerson } from './people.ts';

function person(name: string): PersonName {
  const parsed = parsePersonName(name);
  assert.ok(parsed !== undefined);
  return parsed;
}

function bot(): AgentName {
  const parsed = parseAgentName('bot');
  assert.ok(parsed !== undefined);
  return parsed;
}

const AGENT: AgentState = {
  name: bot(),
  live: true,
  roles: [],
  owners: [person('olga'), person('zed')],
  delegationLive: true,
};

function account(...aliases: readonly string[]): PersonState {
  return { live: true, roles: [], aliases: aliases.map(person) };
}

test('the agent, its owners and a proven delegator request; without an account there are no owners', () => {
  const principal = { agent: bot(), delegator: person('dana') };
  assert.deepEqual(requestersOf(principal, AGENT), ['bot', 'olga', 'zed', 'dana']);
  assert.deepEqual(requestersOf({ agent: bot() }, AGENT), ['bot', 'olga', 'zed']);
  assert.deepEqual(requestersOf({ agent: bot() }, undefined), ['bot']);
});

test('the delegator confirms, or any owner where none is proven', () => {
  assert.deepEqual(confirmersOf({ agent: bot(), delegator: person('dana') }, AGENT), ['dana']);
  assert.deepEqual(confirmersOf({ agent: bot() }, AGENT), ['olga', 'zed']);
  assert.deepEqual(confirmersOf({ agent: bot() }, undefined), []);
});

test('an account is never what objects inherit', () => {
  const people = Object.assign(Object.create({ inherited: account() }), { mei: account() });
  assert.deepEqual(personOf(people, 'mei'), account());
  assert.equal(personOf(people, 'inherited'), undefined);
  assert.equal(personOf(people, 'toString'), undefined);
});

test('people that aliases connect are one, however far, and the smallest name stands for them', () => {
  const same = samePerson({
    mei: account('zoe'),
    zoe: account('adam'),
    adam: account(),
    kim: account('kim'),
    tomas: account(),
  });
  assert.deepEqual(['mei', 'zoe', 'adam'].map(same), ['adam', 'adam', 'adam']);
  assert.deepEqual(['kim', 'tomas', 'stranger'].map(same), ['kim', 'tomas', 'stranger']);
});
