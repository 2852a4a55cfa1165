/**
 * The operations of the inventory that a `match` can hold for, and the types that its expressions
 * therefore may use. Rules with equal matches share both.
 */
import type { Environment } from '../expression/checking.ts';
import { ruleEnvironment } from '../expression/roots.ts';
import {
  STRING,
  typeOfArgument,
  typeOfFact,
  typeOfMeasure,
  unify,
  type ObjectField,
  type ObjectType,
} from '../expression/value-type.ts';
import { measuresOfKind } from '../operation-expressions.ts';
import type { Inventory, Operation, Target } from '../inventory.ts';
import { KINDS, isKind, type Kind } from '../kind.ts';
import type { Match, NameSet } from '../policy.ts';
import type { KnownNames, PolicyReading } from './reading.ts';

/** What can match, and the names that expressions see. */
export interface Candidates {
  readonly operations: readonly Operation[];
  readonly environment: Environment;
}

/** A function that finds candidates; one for each policy, since it remembers what it found. */
export type FindCandidates = (match: Match) => Candidates;

/** Makes the function that finds candidates. */
export function candidateFinder(reading: PolicyReading): FindCandidates {
  const found = new Map<string, Candidates>();
  const environments = new Map<string, Environment>();
  const facts = factsType(reading);
  const labels = labelsType(reading.names);
  return (match) => {
    const {
      kinds,
      targets,
      environments: places,
      owners,
      labels: pairs,
      operations,
      classes,
    } = match;
    const key = JSON.stringify([kinds, targets, places, owners, pairs, operations, classes]);
    const known = found.get(key);
    if (known !== undefined) return known;
    const matching = operationsOf(reading.inventory, match);
    const typesKey = JSON.stringify([kinds, matching.map(({ target, name }) => [target, name])]);
    const environment =
      environments.get(typesKey) ??
      ruleEnvironment({
        args: argsType(matching),
        measures: measuresType(match, matching),
        facts,
        labels,
      });
    environments.set(typesKey, environment);
    const candidates = { operations: matching, environment };
    found.set(key, candidates);
    return candidates;
  };
}

function operationsOf(inventory: Inventory, match: Match): readonly Operation[] {
  const operations: Operation[] = [];
  for (const target of targetsOf(inventory, match.targets)) {
    if (!targetCanMatch(match, target)) continue;
    for (const operation of target.operations.values()) {
      const holds =
        inSet(match.operations, operation.name) &&
        inSet(match.kinds, operation.kind) &&
        inSet(match.classes, operation.precondition);
      if (holds) operations.push(operation);
    }
  }
  return operations;
}

function targetsOf(inventory: Inventory, set: NameSet<string> | undefined): Iterable<Target> {
  if (set === undefined || set.negated) return inventory.targets.values();
  return set.names.flatMap((name) => inventory.targets.get(name) ?? []);
}

function targetCanMatch(match: Match, target: Target): boolean {
  if (!inSet(match.targets, target.name) || !inSet(match.owners, target.owner)) return false;
  // The system itself may say another environment than the inventory does.
  const environments = [
    target.environment,
    ...Object.values(target.probe?.environment?.values ?? {}),
  ];
  if (!environments.some((environment) => inSet(match.environments, environment))) return false;
  return Object.entries(match.labels ?? {}).every(([name, value]) => target.labels[name] === value);
}

function inSet(set: NameSet<string> | undefined, name: string | undefined): boolean {
  if (set === undefined) return true;
  // mutant: no set holds what is not there.
  return (name !== undefined && set.names.includes(name)) !== set.negated;
}

/** Arguments that every operation has; the others say why they cannot be used. */
function argsType(operations: readonly Operation[]): ObjectType {
  const fields = new Map<string, ObjectField>();
  const refused = new Map<string, string>();
  const names = new Set(operations.flatMap((operation) => Object.keys(operation.arguments)));
  for (const name of names) {
    const field = commonArgument(operations, name);
    if (typeof field === 'string') refused.set(name, field);
    else fields.set(name, field);
  }
  return {
    kind: 'object',
    what: 'args',
    fields,
    explain: (name) => {
      if (operations.length === 0)
        return { message: 'no operation that could match is in the inventory yet' };
      const message = refused.get(name);
      return message === undefined ? undefined : { message, hint: 'match fewer operations' };
    },
  };
}

function commonArgument(operations: readonly Operation[], name: string): ObjectField | string {
  let common: ObjectField | undefined;
  for (const operation of operations) {
    const where = `\`${operation.name}\` of \`${operation.target}\``;
    const declared = Object.hasOwn(operation.arguments, name)
      ? operation.arguments[name]
      : undefined;
    if (declared === undefined) return `${where} can match and has no argument \`${name}\``;
    const type = typeOfArgument(`args.${name}`, declared.type);
    const unified = common === undefined ? type : unify(common.type, type);
    if (unified === undefined) return `${where} can match and has \`${name}\` of another type`;
    common = { type: unified, optional: declared.optional || common?.optional === true };
  }
  // mutant: the name is of one of the operations.
  return common ?? `no operation has an argument \`${name}\``;
}

/** Measures that every kind has which can match: those of the match, else those of the inventory. */
function measuresType(match: Match, operations: readonly Operation[]): ObjectType {
  const kinds = kindsOf(match, operations);
  const fields = new Map<string, ObjectField>();
  for (const [name, type] of kinds.flatMap((kind) => Object.entries(measuresOfKind(kind)))) {
    if (kinds.every((kind) => measuresOfKind(kind)[name] === type)) {
      fields.set(name, { type: typeOfMeasure(type), optional: false });
    }
  }
  return {
    kind: 'object',
    what: 'measures',
    fields,
    explain: (name) => {
      const without = kinds.find((kind) => !Object.hasOwn(measuresOfKind(kind), name));
      const having = Object.keys(KINDS).filter(
        // mutant: every key is a kind.
        (kind) => isKind(kind) && Object.hasOwn(KINDS[kind], name),
      );
      if (without === undefined || having.length === 0) return undefined;
      return {
        message: `\`${without}\` can match and has no measure \`${name}\``,
        hint: `match kind: ${having.length === 1 ? having.join() : `[${having.join(', ')}]`}`,
      };
    },
  };
}

function kindsOf(match: Match, operations: readonly Operation[]): readonly Kind[] {
  if (match.kinds !== undefined && !match.kinds.negated) return match.kinds.names;
  if (operations.length > 0) return [...new Set(operations.map((operation) => operation.kind))];
  // mutant (method): every key is a kind.
  return Object.keys(KINDS)
    .filter(isKind)
    .filter((kind) => inSet(match.kinds, kind));
}

function factsType({ facts }: PolicyReading): ObjectType {
  const fields = [...facts.values()].map(({ name, type }): [string, ObjectField] => [
    name,
    { type: typeOfFact(`facts.${name}`, type), optional: false },
  ]);
  return { kind: 'object', what: 'facts', fields: new Map(fields) };
}

function labelsType({ labels }: KnownNames): ObjectType {
  const fields = [...labels.keys()].map((name): [string, ObjectField] => [
    name,
    { type: STRING, optional: true },
  ]);
  return { kind: 'object', what: 'target.labels', fields: new Map(fields) };
}
