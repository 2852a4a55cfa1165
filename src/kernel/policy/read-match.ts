/** Reads the `match` of a rule: which actions it is about. */
import type { DocumentNode, Position } from '../document.ts';
import type { PreconditionClass } from '../inventory.ts';
import { isKind, type Kind } from '../kind.ts';
import type { Match, NameSet } from '../policy.ts';
import { POLICY_LIMITS } from './limits.ts';
import { isKnownName, type PolicyCode, type PolicyReading } from './reading.ts';

const CLASSES: ReadonlySet<string> = new Set<PreconditionClass>([
  'conditional',
  'read-then-act',
  'unconditioned',
]);

/** The match, without what could not be read; problems are noted. */
export function readMatch(reading: PolicyReading, node: DocumentNode): Match {
  const { reader, names } = reading;
  const members = reader.mapping(node, {
    what: 'match',
    optional: ['kind', 'target', 'operation', 'principal', 'class'],
  });
  if (members === undefined) return {};
  const kinds = readSet<Kind>(reading, members.get('kind'), {
    what: 'kind',
    code: 'unknown_kind',
    known: names.kinds,
    is: isKind,
  });
  const operations = readSet(reading, members.get('operation'), {
    what: 'operation',
    code: 'unknown_operation',
    known: names.operations,
    is: isText,
  });
  const classes = readSet<PreconditionClass>(reading, members.get('class'), {
    what: 'class',
    code: 'unknown_class',
    known: CLASSES,
    is: isClass,
  });
  const target = members.get('target');
  const principal = members.get('principal');
  return {
    ...(kinds === undefined ? {} : { kinds }),
    ...(target === undefined ? {} : readTarget(reading, target)),
    ...(operations === undefined ? {} : { operations }),
    ...(classes === undefined ? {} : { classes }),
    ...(principal === undefined ? {} : readPrincipal(reading, principal)),
  };
}

/** A target's name or names, or a mapping of what targets are like. `{ not: ... }` names targets too. */
function readTarget(reading: PolicyReading, node: DocumentNode): Match {
  const { names, reader } = reading;
  const isNames = node.kind !== 'mapping' || node.entries.some(({ key }) => key === 'not');
  if (isNames) {
    const targets = readSet(reading, node, targetSet(reading));
    return targets === undefined ? {} : { targets };
  }
  const members = reader.mapping(node, {
    what: 'target',
    optional: ['name', 'environment', 'owner', 'labels'],
  });
  const targets = readSet(reading, members?.get('name'), targetSet(reading));
  const environments = readSet(reading, members?.get('environment'), {
    what: 'environment',
    code: 'unknown_environment',
    known: names.environments,
    is: isText,
  });
  const owners = readSet(reading, members?.get('owner'), {
    what: 'owner',
    code: 'unknown_owner',
    known: names.owners,
    is: isText,
  });
  const labels = members?.get('labels');
  return {
    ...(targets === undefined ? {} : { targets }),
    ...(environments === undefined ? {} : { environments }),
    ...(owners === undefined ? {} : { owners }),
    ...(labels === undefined ? {} : { labels: readLabels(reading, labels) }),
  };
}

function targetSet({ names }: PolicyReading): SetOf<string> {
  return { what: 'target', code: 'unknown_target', known: names.targets, is: isText };
}

function readLabels(reading: PolicyReading, node: DocumentNode): Readonly<Record<string, string>> {
  const { reader, names } = reading;
  const labels: Record<string, string> = Object.create(null);
  for (const { key, keyPosition, value } of reader.entries(node, 'labels') ?? []) {
    const text = reader.string(value, `label \`${key}\``);
    const label = {
      code: 'unknown_label',
      what: 'label',
      name: key,
      position: keyPosition,
    } as const;
    if (!isKnownName(reader, { ...label, known: names.labels }) || text === undefined) continue;
    labels[key] = text;
    isKnownName(reader, {
      code: 'unknown_label',
      what: `value of the label \`${key}\``,
      name: text,
      position: value.position,
      known: names.labels.get(key) ?? new Set(),
    });
  }
  return labels;
}

function readPrincipal(reading: PolicyReading, node: DocumentNode): Match {
  const { reader } = reading;
  const members = reader.mapping(node, {
    what: 'principal',
    optional: ['agent', 'role', 'delegator'],
  });
  const agents = readSet(reading, members?.get('agent'), { what: 'agent', is: isText });
  const delegators = readSet(reading, members?.get('delegator'), { what: 'delegator', is: isText });
  const roles = readSet(reading, members?.get('role'), {
    what: 'role',
    code: 'unknown_role',
    known: reading.roles,
    is: isText,
    hint: 'declare it under `roles:`',
  });
  return {
    ...(agents === undefined ? {} : { agents }),
    ...(roles === undefined ? {} : { roles }),
    ...(delegators === undefined ? {} : { delegators }),
  };
}

/** What a set is of; names without `known` are people and agents, which no file lists. */
interface SetOf<Name extends string> {
  readonly what: string;
  readonly code?: PolicyCode;
  readonly known?: ReadonlySet<string>;
  readonly is: (text: string) => text is Name;
  readonly hint?: string;
}

/** A name, a list of names, or `{ not: ... }` of either. */
function readSet<Name extends string>(
  reading: PolicyReading,
  node: DocumentNode | undefined,
  of: SetOf<Name>,
): NameSet<Name> | undefined {
  if (node === undefined) return undefined;
  const { reader } = reading;
  if (node.kind !== 'mapping') return setOf(readNames(reading, node, of), false);
  const members = reader.mapping(node, { what: `${of.what} set`, required: ['not'] });
  const not = members?.get('not');
  return not === undefined ? undefined : setOf(readNames(reading, not, of), true);
}

function setOf<Name extends string>(
  names: readonly Name[] | undefined,
  negated: boolean,
): NameSet<Name> | undefined {
  return names === undefined || names.length === 0 ? undefined : { names, negated };
}

function readNames<Name extends string>(
  reading: PolicyReading,
  node: DocumentNode,
  of: SetOf<Name>,
): readonly Name[] | undefined {
  const { reader } = reading;
  const items = reader.oneOrMore(node, of.what);
  if (items !== undefined && items.length > POLICY_LIMITS.namesMax) {
    const message = `${of.what} has ${String(items.length)} names, at most ${String(POLICY_LIMITS.namesMax)} are allowed`;
    return reader.error({ code: 'out_of_range', position: node.position, message });
  }
  const names = new Set<Name>();
  for (const item of items ?? []) {
    const name = reader.string(item, of.what);
    if (name === undefined) continue;
    if (isReadable(reading, { name, position: item.position, of }) && of.is(name)) names.add(name);
  }
  return [...names];
}

function isReadable<Name extends string>(
  { reader }: PolicyReading,
  {
    name,
    position,
    of,
  }: { readonly name: string; readonly position: Position; readonly of: SetOf<Name> },
): boolean {
  const { what, code, known, hint } = of;
  if (code === undefined || known === undefined) return reader.isName(name, position, what);
  return isKnownName(reader, {
    code,
    what,
    name,
    position,
    known,
    ...(hint === undefined ? {} : { hint }),
  });
}

function isText(_text: string): _text is string {
  return true;
}

function isClass(text: string): text is PreconditionClass {
  return CLASSES.has(text);
}
