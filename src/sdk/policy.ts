/**
 * A policy written in TypeScript: the same document as `policy.yaml`, with types that know the
 * inventory. Nothing is checked or decided here; `exequatur policy check` and every start do that.
 *
 * `exequatur inventory types > inventory.types.ts` writes the types, and `exequatur policy print
 * policy.ts > policy.yaml` the document that a layer loads.
 */

/** What `exequatur inventory types` writes: every target with its operations. */
export interface InventoryTypes {
  readonly targets: Readonly<Record<string, TargetTypes>>;
}

/** One target as types. */
export interface TargetTypes {
  /** What it is called by the inventory, and what the system itself may say. */
  readonly environment: string;
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly operations: Readonly<Record<string, OperationTypes>>;
}

/** One operation as types. */
export interface OperationTypes {
  readonly kind: PolicyKind;
  readonly class: 'conditional' | 'read-then-act' | 'unconditioned';
  readonly args: object;
  /** The names of the measures that it maps. */
  readonly measures: string;
}

/** The kinds of consequence. */
export type PolicyKind =
  | 'code.execute'
  | 'api.call'
  | 'infra.create'
  | 'infra.change'
  | 'data.delete'
  | 'data.write'
  | 'data.read'
  | 'money.transfer'
  | 'access.grant'
  | 'device.control'
  | 'contract.commit'
  | 'message.send'
  | 'control.change';

/** A name, a list of names, or everything but those. */
export type Names<Name extends string> =
  Name | readonly Name[] | { readonly not: Name | readonly Name[] };

/** A duration such as `90s`, `15m` or `1h30m`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}${string}`;

/** An expression of CEL, checked when the policy is loaded. */
export type Cel = string;

type TargetOf<Inventory extends InventoryTypes> = Inventory['targets'][keyof Inventory['targets']];
type OperationsOf<Target> = Target extends TargetTypes ? Target['operations'] : never;
type KeysOf<Value> = Value extends unknown ? keyof Value & string : never;
type ValuesOf<Value> = Value extends unknown ? Value[keyof Value] : never;
type MeasuresOf<Inventory extends InventoryTypes> =
  ValuesOf<OperationsOf<TargetOf<Inventory>>> extends infer Operation
    ? Operation extends OperationTypes
      ? Operation['measures']
      : never
    : never;

/** The names of targets. */
export type TargetName<Inventory extends InventoryTypes> = keyof Inventory['targets'] & string;

/** The names of operations, of one target or of all. */
export type OperationName<
  Inventory extends InventoryTypes,
  Target extends TargetName<Inventory> = TargetName<Inventory>,
> = KeysOf<OperationsOf<Inventory['targets'][Target]>>;

/** The arguments of an operation, as an agent gives them. */
export type ArgumentsOf<
  Inventory extends InventoryTypes,
  Target extends TargetName<Inventory>,
  Operation extends OperationName<Inventory, Target>,
> = OperationsOf<Inventory['targets'][Target]>[Operation] extends { readonly args: infer Args }
  ? Args
  : never;

/** Which actions a rule is about; every member given must hold. */
export interface PolicyMatch<Inventory extends InventoryTypes> {
  readonly kind?: Names<PolicyKind>;
  readonly target?:
    | Names<TargetName<Inventory>>
    | {
        readonly name?: Names<TargetName<Inventory>>;
        readonly environment?: Names<TargetOf<Inventory>['environment']>;
        readonly owner?: Names<TargetOf<Inventory>['owner']>;
        readonly labels?: Readonly<Record<string, string>>;
      };
  readonly operation?: Names<OperationName<Inventory>>;
  readonly class?: Names<OperationTypes['class']>;
  readonly principal?: {
    readonly agent?: Names<string>;
    readonly role?: Names<string>;
    readonly delegator?: Names<string>;
  };
}

interface LimitBase {
  readonly name: string;
  /** One counter for each value of this text. */
  readonly by?: Cel;
  readonly per: Duration;
}

/** One condition that a rule asks for; see docs/policy.md. */
export type PolicyRequirement<Inventory extends InventoryTypes> =
  | {
      readonly approval: {
        readonly from: `role:${string}` | `person:${string}`;
        readonly count?: number;
        readonly askFor?: Duration;
        readonly validFor?: Duration;
      };
    }
  | {
      readonly confirmation: true | { readonly askFor?: Duration; readonly validFor?: Duration };
    }
  | { readonly window: string | { readonly calendar: string; readonly lastStart?: Duration } }
  | { readonly fact: { readonly name: string; readonly is?: Cel; readonly maxAge?: Duration } }
  | {
      readonly limit: LimitBase &
        (
          | { readonly count: number }
          | {
              // oxlint-disable-next-line typescript/ban-types -- keeps the suggestions beside any text
              readonly sum: `measures.${MeasuresOf<Inventory>}` | (Cel & {});
              /** A decimal text such as `2000.00`. */
              readonly max: `${number}`;
            }
        );
    }
  | {
      readonly after: {
        readonly operation: OperationName<Inventory>;
        readonly target?: TargetName<Inventory>;
        readonly within?: Duration;
        readonly atLeast?: Duration;
      };
    }
  | { readonly evidence: object }
  | { readonly authorized: object };

/** One rule; it does exactly one of `deny`, `require` and `allow`. */
export type PolicyRule<Inventory extends InventoryTypes> = {
  readonly id: string;
  readonly match?: PolicyMatch<Inventory>;
  readonly when?: Cel;
  /** Records what it would have done, and does nothing. */
  readonly shadow?: boolean;
} & (
  | { readonly deny: string }
  | { readonly require: readonly PolicyRequirement<Inventory>[] }
  | { readonly allow: true | readonly PolicyRequirement<Inventory>[] }
);

/** When a window is open, in local time. */
export type CalendarPattern =
  | { readonly weekly: string }
  | { readonly rrule: string; readonly start: string; readonly duration: Duration }
  | { readonly from: string; readonly until: string };

/** The declared shape of a fact's value. */
export type FactType =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'decimal'
  | 'instant'
  | { readonly list: FactType }
  | { readonly object: Readonly<Record<string, FactType>> };

/** A policy, as `policy.yaml` has it. */
export interface PolicyDocument<Inventory extends InventoryTypes = InventoryTypes> {
  readonly version: 1;
  readonly roles?: readonly string[];
  readonly calendars?: Readonly<
    Record<
      string,
      {
        readonly zone: string;
        readonly open: readonly CalendarPattern[];
        readonly closed?: readonly CalendarPattern[];
      }
    >
  >;
  readonly facts?: Readonly<
    Record<
      string,
      {
        readonly type: FactType;
        readonly source:
          | { readonly file: string; readonly pointer?: string }
          | {
              readonly http: string;
              readonly pointer?: string;
              readonly allow?: string | readonly string[];
            };
        readonly timeout?: Duration;
      }
    >
  >;
  readonly rules: readonly PolicyRule<Inventory>[];
}

/**
 * A policy with types from the inventory; returns the document as it is.
 *
 * ```ts
 * import { definePolicy } from 'exequatur/policy';
 * import type { Inventory } from './inventory.types.ts';
 *
 * export const policy = definePolicy<Inventory>({
 *   version: 1,
 *   rules: [{ id: 'reading-is-free', match: { kind: 'data.read' }, allow: true }],
 * });
 * ```
 */
export function definePolicy<Inventory extends InventoryTypes = InventoryTypes>(
  document: PolicyDocument<Inventory>,
): PolicyDocument<Inventory> {
  return document;
}

/** The document as a file that a layer loads: JSON, which is YAML too. */
export function toYaml<Inventory extends InventoryTypes>(
  document: PolicyDocument<Inventory>,
): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
