import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Environment } from './checking.ts';
import { measureEnvironment, onceEnvironment, ruleEnvironment, withFact } from './roots.ts';
import { DYN, INT, objectOf, STRING, TIMESTAMP, type ObjectType } from './value-type.ts';

const ARGS = objectOf('args', { a: INT });
const MEASURES = objectOf('measures', { m: INT });
const FACTS = objectOf('facts', { f: INT });
const LABELS = objectOf('target.labels', { l: STRING });
const RULE = ruleEnvironment({ args: ARGS, measures: MEASURES, facts: FACTS, labels: LABELS });

function textsOf(what: string, optional: Readonly<Record<string, boolean>>): ObjectType {
  const fields = Object.entries(optional).map(
    ([name, isOptional]) => [name, { type: STRING, optional: isOptional }] as const,
  );
  return { kind: 'object', what, fields: new Map(fields) };
}

function namesOf(environment: Environment): readonly string[] {
  return [...environment.keys()];
}

describe('the names that an expression may begin with', () => {
  test('of a rule are everything that is known of an action', () => {
    const target = textsOf('target', { name: false, environment: false, owner: true });
    const principal = textsOf('principal', { agent: false, delegator: true });
    const roles = { kind: 'list', items: STRING, itemsMax: 100 } as const;
    assert.deepEqual(Object.fromEntries(RULE), {
      args: { type: ARGS, foreign: false },
      measures: { type: MEASURES, foreign: false },
      preview: { type: DYN, foreign: false },
      context: { type: DYN, foreign: false },
      target: {
        type: {
          ...target,
          fields: new Map([...target.fields, ['labels', { type: LABELS, optional: false }]]),
        },
        foreign: false,
      },
      operation: {
        type: textsOf('operation', { name: false, kind: false, class: false }),
        foreign: false,
      },
      principal: {
        type: {
          ...principal,
          fields: new Map([...principal.fields, ['roles', { type: roles, optional: false }]]),
        },
        foreign: false,
      },
      // Only facts come from elsewhere, without having been held against their types.
      facts: { type: FACTS, foreign: true },
      now: { type: TIMESTAMP, foreign: false },
    });
  });

  test('of a fact requirement are those of a rule and the fact', () => {
    const environment = withFact(RULE, INT);
    assert.deepEqual(namesOf(environment), [...namesOf(RULE), 'fact']);
    assert.deepEqual(environment.get('fact'), { type: INT, foreign: true });
  });

  test('of a measure are the arguments and what the target said', () => {
    assert.deepEqual(Object.fromEntries(measureEnvironment(ARGS)), {
      args: { type: ARGS, foreign: false },
      preview: { type: DYN, foreign: false },
      context: { type: DYN, foreign: false },
    });
  });

  test('of `once` are the arguments alone', () => {
    assert.deepEqual(Object.fromEntries(onceEnvironment(ARGS)), {
      args: { type: ARGS, foreign: false },
    });
  });
});
