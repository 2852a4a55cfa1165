/** The names that expressions may begin with: one list for checking (here) and reading (`scope.ts`). */
import { objectOf, STRING, TIMESTAMP, DYN, type ObjectType, type ValueType } from './value-type.ts';
import type { Environment, Root } from './checking.ts';

/** What differs from rule to rule. */
export interface EnvironmentTypes {
  readonly args: ObjectType;
  readonly measures: ObjectType;
  readonly facts: ObjectType;
  readonly labels: ObjectType;
}

/** The names that a `when` and a requirement see. */
export function ruleEnvironment(types: EnvironmentTypes): Environment {
  const target: ObjectType = {
    kind: 'object',
    what: 'target',
    fields: new Map([
      ['name', { type: STRING, optional: false }],
      ['environment', { type: STRING, optional: false }],
      ['owner', { type: STRING, optional: true }],
      ['labels', { type: types.labels, optional: false }],
    ]),
  };
  return new Map<string, Root>([
    root('args', types.args),
    root('measures', types.measures),
    root('preview', DYN),
    root('context', DYN),
    root('target', target),
    root('operation', objectOf('operation', { name: STRING, kind: STRING, class: STRING })),
    root('principal', PRINCIPAL),
    ['facts', { type: types.facts, foreign: true }],
    root('now', TIMESTAMP),
  ]);
}

const PRINCIPAL: ObjectType = {
  kind: 'object',
  what: 'principal',
  fields: new Map<string, { type: ValueType; optional: boolean }>([
    ['agent', { type: STRING, optional: false }],
    ['roles', { type: { kind: 'list', items: STRING, itemsMax: 100 }, optional: false }],
    ['delegator', { type: STRING, optional: true }],
  ]),
};

/** The same names, and `fact` for the value that a fact requirement is about. */
export function withFact(environment: Environment, type: ValueType): Environment {
  return new Map([...environment, ['fact', { type, foreign: true }]]);
}

/** The names that an operation's measures see. */
export function measureEnvironment(args: ObjectType): Environment {
  return new Map<string, Root>([root('args', args), root('preview', DYN), root('context', DYN)]);
}

/** The names that an operation's `once` sees. */
export function onceEnvironment(args: ObjectType): Environment {
  return new Map<string, Root>([root('args', args)]);
}

function root(name: string, type: ValueType): [string, Root] {
  return [name, { type, foreign: false }];
}
