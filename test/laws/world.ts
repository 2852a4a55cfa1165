/**
 * A small world for the laws of the kernel: names, instants, and an inventory of two targets.
 */
import { digestOf, type Digest } from '../../src/kernel/digest.ts';
import {
  parseActionId,
  parseAgentName,
  parseApprovalId,
  parseHaltId,
  parsePersonName,
  parseTenantName,
  type ActionId,
  type AgentName,
  type ApprovalId,
  type HaltId,
  type PersonName,
  type TenantName,
} from '../../src/kernel/id.ts';
import { instantOf, type Instant } from '../../src/kernel/instant.ts';
import type { Inventory, Operation, Target } from '../../src/kernel/inventory.ts';

/** The instant around which everything happens. */
export const NOW: Instant = instantOf(1_800_000_000_000);
export const HOUR_MS = 3_600_000;

/** An instant so many hours from {@link NOW}. */
export function hours(count: number): Instant {
  return instantOf(NOW + Math.round(count * HOUR_MS));
}

/** The value, which a fixture promises is there. */
export function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('a fixture is not what it should be');
  return value;
}

export const TENANT: TenantName = must(parseTenantName('shop'));
export const AGENT: AgentName = must(parseAgentName('bot'));
export const ACTION_ID: ActionId = must(parseActionId('01930000-0000-7000-8000-000000000005'));
export const EARLIER_ID: ActionId = must(parseActionId('01930000-0000-7000-8000-000000000004'));
export const LATER_ID: ActionId = must(parseActionId('01930000-0000-7000-8000-000000000006'));
export const HALT_ID: HaltId = must(parseHaltId('01930000-0000-7000-8000-0000000000aa'));
export const ACTION_DIGEST: Digest = digestOf('exequatur/action/v1', 'the action');

/** A person's name. */
export function person(name: string): PersonName {
  return must(parsePersonName(name));
}

/** The id of the approval with this number. */
export function approvalId(number: number): ApprovalId {
  return must(parseApprovalId(`01930000-0000-7000-8000-1${String(number).padStart(11, '0')}`));
}

// ---------------------------------------------------------------- inventory

const PROCESS = {
  kind: 'process',
  directory: '/srv',
  environmentNames: [],
  environmentValues: {},
} as const;

function binding(preview: boolean): Operation['binding'] {
  return {
    kind: 'process',
    run: [[{ kind: 'literal', text: '/bin/true' }]],
    files: [],
    exits: {},
    outputBytesMax: 1000,
    ...(preview ? { preview: { run: [], material: [], context: [] } } : {}),
  };
}

type OperationParts = Pick<Operation, 'name' | 'target' | 'kind'> & Partial<Operation>;

function operation(parts: OperationParts): Operation {
  return {
    arguments: {},
    measures: {},
    conflictKey: parts.target,
    precondition: 'unconditioned',
    safing: false,
    timeoutMs: 60_000,
    visibleToAgents: [],
    binding: binding(false),
    digest: digestOf('exequatur/operation/v1', `${parts.target}/${parts.name}`),
    ...parts,
  };
}

/** Pays back; `pay` shows beforehand to whom. */
export const REFUND: Operation = operation({
  name: 'refund',
  target: 'pay',
  kind: 'money.transfer',
  arguments: {
    amount: { type: { kind: 'money', currency: 'EUR', minorDigits: 2 }, optional: false },
    charge: { type: { kind: 'string', lengthMax: 50 }, optional: false },
  },
  measures: { amount: 'args.amount', payee: 'preview.customer' },
  precondition: 'read-then-act',
  visibleToAgents: ['amount'],
  binding: binding(true),
});
const PURGE = operation({
  name: 'purge',
  target: 'db',
  kind: 'data.delete',
  measures: { rows: 'preview.rows' },
  precondition: 'conditional',
  binding: binding(true),
});
const STOP = operation({ name: 'stop', target: 'db', kind: 'api.call', safing: true });
const BACKUP = operation({ name: 'backup', target: 'db', kind: 'api.call' });

function target(
  parts: Omit<Partial<Target>, 'operations'> & {
    readonly name: string;
    readonly operations: readonly Operation[];
  },
): Target {
  return {
    environment: 'production',
    labels: {},
    executor: PROCESS,
    credentials: {},
    ...parts,
    operations: new Map(parts.operations.map((each) => [each.name, each])),
  };
}

/** `pay` says itself which environment it is; `db` is what the inventory says. */
export const PAY: Target = target({
  name: 'pay',
  owner: 'team-pay',
  labels: { tier: 'gold' },
  probe: {
    kind: 'http',
    path: '/account',
    identity: '/id',
    environment: { pointer: '/mode', values: { live: 'production', test: 'staging' } },
  },
  locked: { identity: 'acct_1', files: { '/srv/tool': digestOf('exequatur/effect/v1', 'tool') } },
  operations: [REFUND],
});
export const DB: Target = target({
  name: 'db',
  environment: 'staging',
  labels: { tier: 'iron' },
  operations: [PURGE, STOP, BACKUP],
});

export const INVENTORY: Inventory = {
  targets: new Map([
    ['pay', PAY],
    ['db', DB],
  ]),
  digest: digestOf('exequatur/inventory/v1', 'world'),
};
