/** Reads the requirements of a rule: what must be given before the action may run. */
import { parseDecimal } from '../decimal.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { DocumentNode, MappingEntry, ScalarNode } from '../document.ts';
import type { Members } from '../document-reader.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import type { Requirement } from '../policy.ts';
import { POLICY_LIMITS, VALID_FOR_MS_DEFAULT } from './limits.ts';
import { isKnownName, type PolicyReading } from './reading.ts';

/** A requirement as read, with the nodes of its expressions for their positions. */
export interface ReadRequirement {
  readonly requirement: Requirement;
  readonly node: DocumentNode;
  readonly expressions: { readonly [Name in 'is' | 'by' | 'sum']?: ScalarNode };
}

type RequirementOf<KindName extends Requirement['kind']> = Extract<
  Requirement,
  { readonly kind: KindName }
>;

type Read = Omit<ReadRequirement, 'node'> | undefined;

const READERS: Readonly<Record<string, (reading: PolicyReading, entry: MappingEntry) => Read>> = {
  approval: readApproval,
  confirmation: readConfirmation,
  window: readWindow,
  fact: readFact,
  limit: readLimit,
  after: readAfter,
  evidence: readDeclared,
  authorized: readDeclared,
};

/** The requirements of a list; those that could not be read are noted and left out. */
export function readRequirements(
  reading: PolicyReading,
  node: DocumentNode,
  what: string,
): readonly ReadRequirement[] {
  const { reader } = reading;
  const items = reader.list(node, what) ?? [];
  if (items.length > POLICY_LIMITS.requirementsMax) {
    const message = `${what} has ${String(items.length)} requirements, at most ${String(POLICY_LIMITS.requirementsMax)} are allowed`;
    reader.error({ code: 'out_of_range', position: node.position, message });
    return [];
  }
  return items.flatMap((item) => {
    const read = readRequirement(reading, item);
    return read === undefined ? [] : [{ ...read, node: item }];
  });
}

function readRequirement(reading: PolicyReading, node: DocumentNode): Read {
  const { reader } = reading;
  const entries = reader.entries(node, 'requirement');
  if (entries === undefined) return undefined;
  const [entry, another] = entries;
  if (entry === undefined || another !== undefined) {
    return reader.error({
      code: 'bad_requirement',
      position: another?.keyPosition ?? node.position,
      message: 'a requirement has exactly one key, such as `approval`',
      hint: 'begin each requirement with its own dash',
    });
  }
  const read = Object.hasOwn(READERS, entry.key) ? READERS[entry.key] : undefined;
  if (read !== undefined) return read(reading, entry);
  return reader.error({
    code: 'bad_requirement',
    position: entry.keyPosition,
    message: `there is no requirement \`${entry.key}\``,
    hint: didYouMean(entry.key, Object.keys(READERS)),
  });
}

const LONG = { min: 1000, max: POLICY_LIMITS.durationMsMax };

function readApproval(reading: PolicyReading, { value }: MappingEntry): Read {
  const { reader } = reading;
  const members = reader.mapping(value, {
    what: 'approval',
    required: ['from'],
    optional: ['count', 'askFor', 'validFor'],
  });
  const fromNode = members?.get('from');
  const from = fromNode === undefined ? undefined : readApprover(reading, fromNode);
  const countNode = members?.get('count');
  const range = { min: 1, max: POLICY_LIMITS.approversMax };
  const count = countNode === undefined ? 1 : reader.integer(countNode, 'count', range);
  const times = readTimes(reading, members);
  if (from === undefined || count === undefined) return undefined;
  if (count > 1 && 'person' in from) {
    const message = `one person cannot approve ${String(count)} times`;
    return reader.error({ code: 'bad_approver', position: value.position, message });
  }
  return { requirement: { kind: 'approval', from, count, ...times }, expressions: {} };
}

function readApprover(
  reading: PolicyReading,
  node: DocumentNode,
): RequirementOf<'approval'>['from'] | undefined {
  const { reader } = reading;
  const text = reader.string(node, 'from');
  if (text === undefined) return undefined;
  const [kind, name = ''] = text.split(/:(.*)/su);
  if (kind === 'role') {
    const reference = {
      code: 'unknown_role',
      what: 'role',
      name,
      position: node.position,
    } as const;
    const hint = 'declare it under `roles:`';
    return isKnownName(reader, { ...reference, known: reading.roles, hint })
      ? { role: name }
      : undefined;
  }
  if (kind === 'person')
    return reader.isName(name, node.position, 'person') ? { person: name } : undefined;
  return reader.error({
    code: 'bad_approver',
    position: node.position,
    message: `\`${text}\` does not say who approves`,
    hint: 'write role:executive or person:mei',
  });
}

function readTimes(
  { reader }: PolicyReading,
  members: Members | undefined,
): { readonly askForMs?: number; readonly validForMs: number } {
  const [askForNode, validForNode] = [members?.get('askFor'), members?.get('validFor')];
  const askForMs =
    askForNode === undefined ? undefined : reader.duration(askForNode, 'askFor', LONG);
  const validForMs =
    validForNode === undefined ? undefined : reader.duration(validForNode, 'validFor', LONG);
  return {
    ...(askForMs === undefined ? {} : { askForMs }),
    validForMs: validForMs ?? VALID_FOR_MS_DEFAULT,
  };
}

function readConfirmation(reading: PolicyReading, { value }: MappingEntry): Read {
  const { reader } = reading;
  if (value.kind === 'scalar' && value.value === true) {
    return {
      requirement: { kind: 'confirmation', validForMs: VALID_FOR_MS_DEFAULT },
      expressions: {},
    };
  }
  const members = reader.mapping(value, { what: 'confirmation', optional: ['askFor', 'validFor'] });
  if (members === undefined) return undefined;
  return { requirement: { kind: 'confirmation', ...readTimes(reading, members) }, expressions: {} };
}

function readWindow(reading: PolicyReading, { value }: MappingEntry): Read {
  const { reader } = reading;
  const members =
    value.kind === 'scalar'
      ? undefined
      : reader.mapping(value, { what: 'window', required: ['calendar'], optional: ['lastStart'] });
  const nameNode = value.kind === 'scalar' ? value : members?.get('calendar');
  const calendar = nameNode === undefined ? undefined : reader.string(nameNode, 'window');
  const lastStartNode = members?.get('lastStart');
  const range = { min: 0, max: POLICY_LIMITS.durationMsMax };
  const lastStartMs =
    lastStartNode === undefined ? undefined : reader.duration(lastStartNode, 'lastStart', range);
  if (calendar === undefined || nameNode === undefined) return undefined;
  isKnownName(reader, {
    code: 'unknown_calendar',
    what: 'calendar',
    name: calendar,
    position: nameNode.position,
    known: reading.calendars,
    hint: 'declare it under `calendars:`',
  });
  const requirement: Requirement = {
    kind: 'window',
    calendar,
    ...(lastStartMs === undefined ? {} : { lastStartMs }),
  };
  return { requirement, expressions: {} };
}

function readFact(reading: PolicyReading, { value }: MappingEntry): Read {
  const { reader } = reading;
  const members = reader.mapping(value, {
    what: 'fact',
    required: ['name'],
    optional: ['is', 'maxAge'],
  });
  const nameNode = members?.get('name');
  const name = nameNode === undefined ? undefined : reader.string(nameNode, 'name');
  const is = readExpression(reading, members?.get('is'), 'is');
  const ageNode = members?.get('maxAge');
  const range = { min: 0, max: POLICY_LIMITS.durationMsMax };
  const maxAgeMs = ageNode === undefined ? 0 : reader.duration(ageNode, 'maxAge', range);
  if (name === undefined || nameNode === undefined) return undefined;
  const known = isKnownName(reader, {
    code: 'unknown_fact',
    what: 'fact',
    name,
    position: nameNode.position,
    known: reading.facts,
    hint: 'declare it under `facts:`',
  });
  if (!known || maxAgeMs === undefined) return undefined;
  if (is === undefined && reading.facts.get(name)?.type.kind !== 'boolean') {
    const message = `the fact \`${name}\` is not true or false by itself`;
    return reader.error({
      code: 'bad_requirement',
      position: value.position,
      message,
      hint: 'add `is:`',
    });
  }
  return {
    requirement: { kind: 'fact', name, maxAgeMs, ...(is === undefined ? {} : { is: is.text }) },
    expressions: is === undefined ? {} : { is },
  };
}

function readLimit(reading: PolicyReading, { value }: MappingEntry): Read {
  const { reader } = reading;
  const members = reader.mapping(value, {
    what: 'limit',
    required: ['name', 'per'],
    optional: ['by', 'count', 'sum', 'max'],
  });
  const [nameNode, perNode] = [members?.get('name'), members?.get('per')];
  const name = nameNode === undefined ? undefined : reader.name(nameNode, 'limit');
  const perMs = perNode === undefined ? undefined : reader.duration(perNode, 'per', LONG);
  const by = readExpression(reading, members?.get('by'), 'by');
  const bound = members === undefined ? undefined : readBound(reading, members);
  if (name === undefined || perMs === undefined || bound === undefined) return undefined;
  const base = {
    kind: 'limit',
    name,
    perMs,
    ...(by === undefined ? {} : { by: by.text }),
  } as const;
  return {
    requirement: { ...base, bound: bound.bound },
    expressions: {
      ...(by === undefined ? {} : { by }),
      ...(bound.sum === undefined ? {} : { sum: bound.sum }),
    },
  };
}

interface ReadBound {
  readonly bound: RequirementOf<'limit'>['bound'];
  readonly sum?: ScalarNode;
}

function readBound(reading: PolicyReading, members: Members): ReadBound | undefined {
  const { reader } = reading;
  const [countNode, sumNode, maxNode] = [
    members.get('count'),
    members.get('sum'),
    members.get('max'),
  ];
  if (countNode !== undefined && sumNode === undefined && maxNode === undefined) {
    const count = reader.integer(countNode, 'count', { min: 0, max: POLICY_LIMITS.countMax });
    return count === undefined ? undefined : { bound: { kind: 'count', count } };
  }
  if (countNode !== undefined || sumNode === undefined || maxNode === undefined) {
    return reader.error({
      code: 'bad_requirement',
      position: members.position,
      message: 'a limit has either `count`, or `sum` and `max`',
    });
  }
  const sum = readExpression(reading, sumNode, 'sum');
  // The spelling is what counts: 500.00 is read as written and never as a binary fraction.
  const max = maxNode.kind === 'scalar' ? parseDecimal(maxNode.text) : undefined;
  if (maxNode.kind !== 'scalar' || max === undefined || max.unscaled < 0n) {
    const message = 'max must be an amount such as 500.00';
    return reader.error({ code: 'bad_amount', position: maxNode.position, message });
  }
  return sum === undefined
    ? undefined
    : { bound: { kind: 'sum', sum: sum.text, max: maxNode.text }, sum };
}

function readAfter(reading: PolicyReading, { value }: MappingEntry): Read {
  const { reader, names } = reading;
  const members = reader.mapping(value, {
    what: 'after',
    required: ['operation'],
    optional: ['target', 'within', 'atLeast'],
  });
  const [operationNode, targetNode] = [members?.get('operation'), members?.get('target')];
  const operation =
    operationNode === undefined ? undefined : reader.string(operationNode, 'operation');
  const target = targetNode === undefined ? undefined : reader.string(targetNode, 'target');
  const times = readAges(reading, members);
  if (operation === undefined || operationNode === undefined || times === undefined)
    return undefined;
  if (target !== undefined && targetNode !== undefined) {
    const reference = { code: 'unknown_target', what: 'target', name: target } as const;
    const known = names.targets;
    if (!isKnownName(reader, { ...reference, position: targetNode.position, known }))
      return undefined;
  }
  const there =
    target === undefined ? undefined : reading.inventory.targets.get(target)?.operations;
  isKnownName(reader, {
    code: 'unknown_operation',
    what: 'operation',
    name: operation,
    position: operationNode.position,
    known: there ?? names.operations,
  });
  return {
    requirement: {
      kind: 'after',
      operation,
      ...(target === undefined ? {} : { target }),
      ...times,
    },
    expressions: {},
  };
}

function readAges(
  { reader }: PolicyReading,
  members: Members | undefined,
): { readonly withinMs?: number; readonly atLeastMs?: number } | undefined {
  const [withinNode, atLeastNode] = [members?.get('within'), members?.get('atLeast')];
  const withinMs =
    withinNode === undefined ? undefined : reader.duration(withinNode, 'within', LONG);
  const range = { min: 0, max: POLICY_LIMITS.durationMsMax };
  const atLeastMs =
    atLeastNode === undefined ? undefined : reader.duration(atLeastNode, 'atLeast', range);
  if (
    withinMs !== undefined &&
    atLeastMs !== undefined &&
    atLeastMs >= withinMs &&
    atLeastNode !== undefined
  ) {
    const message = '`atLeast` must be less than `within`, or it can never be met';
    return reader.error({ code: 'never_matches', position: atLeastNode.position, message });
  }
  return {
    ...(withinMs === undefined ? {} : { withinMs }),
    ...(atLeastMs === undefined ? {} : { atLeastMs }),
  };
}

function readDeclared({ reader }: PolicyReading, { key, value }: MappingEntry): Read {
  if (reader.entries(value, key) === undefined) return undefined;
  const declaration = jsonOf(value);
  if (!isMembers(declaration)) return undefined;
  const kind = key === 'evidence' ? 'evidence' : 'authorized';
  return { requirement: { kind, declaration }, expressions: {} };
}

function isMembers(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A node as JSON; numbers that JSON cannot hold exactly keep their spelling as texts. */
function jsonOf(node: DocumentNode): JsonValue {
  if (node.kind === 'sequence') return node.items.map(jsonOf);
  if (node.kind === 'mapping') {
    return Object.fromEntries(node.entries.map(({ key, value }) => [key, jsonOf(value)]));
  }
  if (typeof node.value === 'bigint') {
    return Number.isSafeInteger(Number(node.value)) ? Number(node.value) : node.text;
  }
  return typeof node.value === 'number' ? node.text : node.value;
}

/** A scalar that holds an expression. */
export function readExpression(
  { reader }: PolicyReading,
  node: DocumentNode | undefined,
  what: string,
): ScalarNode | undefined {
  if (node === undefined) return undefined;
  // `when: true` is an expression too, although YAML reads it as something else.
  if (node.kind === 'scalar' && node.value !== null && node.text.trim() !== '') return node;
  reader.text(node, what);
  return undefined;
}
