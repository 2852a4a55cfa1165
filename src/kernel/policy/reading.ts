/** What the readers of a policy's parts share: the collected problems, and the names that exist. */
import { didYouMean } from '../did-you-mean.ts';
import type { Position } from '../document.ts';
import type { DocumentReader } from '../document-reader.ts';
import { KINDS } from '../kind.ts';
import type { Inventory } from '../inventory.ts';
import type { CalendarSpec, FactSpec } from '../policy.ts';

/** The names that a policy may refer to. */
export interface KnownNames {
  readonly kinds: ReadonlySet<string>;
  readonly targets: ReadonlySet<string>;
  readonly environments: ReadonlySet<string>;
  readonly owners: ReadonlySet<string>;
  readonly operations: ReadonlySet<string>;
  /** The values that each label has somewhere. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The state of reading one policy. */
export interface PolicyReading {
  readonly reader: DocumentReader;
  readonly inventory: Inventory;
  readonly names: KnownNames;
  readonly roles: Set<string>;
  readonly calendars: Map<string, CalendarSpec>;
  readonly facts: Map<string, FactSpec>;
}

/** The problem codes of policies, beside those of any document and of expressions. */
export const POLICY_CODES = [
  'bad_version',
  'duplicate_rule',
  'duplicate_name',
  'unknown_kind',
  'unknown_target',
  'unknown_environment',
  'unknown_owner',
  'unknown_operation',
  'unknown_class',
  'unknown_label',
  'unknown_role',
  'unknown_calendar',
  'unknown_fact',
  'no_effect',
  'two_effects',
  'never_matches',
  'bad_approver',
  'bad_zone',
  'bad_pattern',
  'bad_fact_source',
  'bad_amount',
  'bad_requirement',
  'too_many_rules',
  'kind_unused',
  'measure_unmapped',
] as const;

/** The stable code of a policy's problem. */
export type PolicyCode = (typeof POLICY_CODES)[number];

/** Every name of the inventory that a policy may refer to. */
export function knownNames(inventory: Inventory): KnownNames {
  const environments = new Set<string>();
  const owners = new Set<string>();
  const operations = new Set<string>();
  const labels = new Map<string, Set<string>>();
  for (const target of inventory.targets.values()) {
    environments.add(target.environment);
    for (const environment of Object.values(target.probe?.environment?.values ?? {})) {
      environments.add(environment);
    }
    if (target.owner !== undefined) owners.add(target.owner);
    for (const name of target.operations.keys()) operations.add(name);
    for (const [name, value] of Object.entries(target.labels)) {
      labels.set(name, (labels.get(name) ?? new Set()).add(value));
    }
  }
  return {
    kinds: new Set(Object.keys(KINDS)),
    targets: new Set(inventory.targets.keys()),
    environments,
    owners,
    operations,
    labels,
  };
}

/** A name that must exist. */
export interface Reference {
  readonly code: PolicyCode;
  /** What it names, in the user's words, such as `role`. */
  readonly what: string;
  readonly name: string;
  readonly position: Position;
  readonly known: ReadonlySet<string> | ReadonlyMap<string, unknown>;
  readonly hint?: string;
}

/** Whether the name exists; notes it where it does not. */
export function isKnownName(reader: DocumentReader, reference: Reference): boolean {
  const { code, what, name, position, known, hint } = reference;
  if (known.has(name)) return true;
  reader.error({
    code,
    position,
    message: `there is no ${what} \`${name}\``,
    hint: didYouMean(name, known.keys()) ?? hint,
  });
  return false;
}
