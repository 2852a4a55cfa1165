/**
 * The simulated boundary: who there is, what exists, and what may happen, as real inventory and policy.
 * Beside them the same rules in plain words, for the checker: it must not ask `decide` what is right.
 */
import { compileInventory } from '../../src/facts/inventory/compile.ts';
import { readYaml } from '../../src/facts/document/yaml.ts';
import { digestOf, type Digest } from '../../src/kernel/digest.ts';
import type { DocumentNode } from '../../src/kernel/document.ts';
import {
  parsePersonName,
  parseTenantName,
  type PersonName,
  type TenantName,
} from '../../src/kernel/id.ts';
import { compilePolicy } from '../../src/kernel/policy/compile.ts';
import type { CompiledPolicy } from '../../src/kernel/policy/compiled.ts';

/** Where true time begins, in milliseconds since 1970. */
export const BASE_MS: number = Date.UTC(2026, 10, 22, 8);

/** Which policy is active. */
export type Variant = 'calm' | 'strict';

const INVENTORY = `version: 1
targets:
  bank:
    http: { url: "https://bank.example" }
    operations:
      pay:
        kind: money.transfer
        args: { to: string(20), amount: money(EUR) }
        request: { POST: /pay, json: { to: $to, amount: $amount, execution: $executionId } }
        measures: { amount: args.amount }
        timeout: 800ms
      refund:
        kind: money.transfer
        args: { charge: string(20), amount: money(EUR) }
        request: { POST: /refund, json: { charge: $charge, amount: $amount, execution: $executionId } }
        measures: { amount: args.amount }
        once: args.charge
        timeout: 800ms
      stop:
        kind: device.control
        args: { why: string(20) }
        request: { POST: /stop, json: { why: $why } }
        safing: true
        timeout: 800ms
  shop:
    environment: staging
    http: { url: "https://shop.example" }
    operations:
      deploy:
        kind: infra.change
        args: { release: string(20) }
        request: { POST: /deploy, json: { release: $release } }
        preview: { GET: /deployed, material: [/version], context: [/note] }
        timeout: 800ms
      look:
        kind: data.read
        args: { page: string(20) }
        request: { GET: '/pages/{page}' }
        timeout: 800ms
`;

const COMMON = `version: 1
roles: [lead]
calendars:
  maintenance: { zone: UTC, open: [{ weekly: 'Mon-Sun 00:00-00:00' }] }
facts:
  ready: { type: boolean, source: { file: /nowhere/ready.json, pointer: /ready }, timeout: 900ms }
rules:
  - id: payments
    match: { operation: pay }
    allow:
      - limit: { name: spend, by: target.name, sum: measures.amount, max: '70.00', per: 1m }
  - id: refunds
    match: { operation: refund }
    allow:
      - approval: { from: role:lead, count: 1, askFor: 30s, validFor: 1s }
  - id: deployments
    match: { operation: deploy }
    allow:
      - window: maintenance
      - fact: { name: ready, is: fact, maxAge: 1s }
  - id: stopping
    match: { operation: stop }
    allow: true
  - id: looking
    match: { operation: look }
    allow:
      - limit: { name: looks, by: principal.agent, count: 2, per: 1m }
`;

const POLICIES: Readonly<Record<Variant, string>> = {
  calm: `${COMMON}
  - id: large-payments
    match: { operation: pay }
    when: measures.amount > 30.00
    require:
      - approval: { from: role:lead, count: 2, askFor: 30s, validFor: 1s }
`,
  strict: `${COMMON}
  - id: no-large-payments
    match: { operation: pay }
    when: measures.amount > 30.00
    deny: Not today.
  - id: deployments-need-a-lead
    match: { operation: deploy }
    require:
      - approval: { from: role:lead, count: 1, askFor: 30s, validFor: 1s }
`,
};

/** An operation, in plain words. */
export interface OperationRules {
  readonly kind: string;
  /** What the inventory calls the target, and what the system says of itself. */
  readonly environments: readonly string[];
  readonly safing: boolean;
  readonly once: boolean;
  readonly windowed: boolean;
  readonly factual: boolean;
  /** Whether the system can tell what became of an execution, and keep a late one out. */
  readonly tells: boolean;
}

/** By operation; their names are unique here. */
export const OPERATIONS: Readonly<Record<string, OperationRules>> = {
  pay: rulesOf('money.transfer', { tells: true }),
  refund: rulesOf('money.transfer', { tells: true, once: true }),
  stop: rulesOf('device.control', { safing: true, tells: true }),
  deploy: rulesOf('infra.change', {
    environments: ['staging', 'production'],
    windowed: true,
    factual: true,
  }),
  look: rulesOf('data.read', { environments: ['staging', 'production'] }),
};

function rulesOf(kind: string, rules: Partial<OperationRules>): OperationRules {
  return {
    kind,
    environments: ['production'],
    safing: false,
    once: false,
    windowed: false,
    factual: false,
    tells: false,
    ...rules,
  };
}

/** The longest that anything may be between its crossing instant and its first byte. */
export const SEND_DELAY_MS_MAX = 300;
/** How old a fact may be. */
export const FACT_AGE_MS_MAX = 1000;
/** What may be used under the limits in {@link LIMIT_PERIOD_MS}, by the beginning of the counter's operation. */
export const LIMIT_MAX: Readonly<Record<string, number>> = { pay: 70, look: 2 };
export const LIMIT_PERIOD_MS = 60_000;

/** How many leads an operation needs. */
export function approvalsNeeded(operation: string, amount: number, variant: Variant): number {
  if (operation === 'refund') return 1;
  if (operation === 'pay' && variant === 'calm') return amount > 30 ? 2 : 0;
  return operation === 'deploy' && variant === 'strict' ? 1 : 0;
}

/** Whether a policy denies it outright. */
export function isDenied(operation: string, amount: number, variant: Variant): boolean {
  return operation === 'pay' && variant === 'strict' && amount > 30;
}

/** When the calendar is open, from true start, by the store's clock. */
export const WINDOWS_MS: readonly (readonly [number, number])[] = [
  [800, 3000],
  [4500, 600_000],
];

/** Somebody enrolled. */
export interface Enrolled {
  readonly kind: 'agent' | 'person';
  readonly name: string;
  readonly roles: readonly string[];
  readonly owners: readonly string[];
  readonly aliases: readonly string[];
  readonly delegator?: string;
}

/** Everybody. `tom` is `tomas` by another name; `olga` is a lead who owns an agent. */
export const EVERYBODY: readonly Enrolled[] = [
  person('mei', ['lead']),
  person('tomas', ['lead'], ['tom']),
  person('tom', ['lead'], ['tomas']),
  person('lea', ['lead']),
  person('olga', ['lead']),
  person('dana', ['lead']),
  { ...person('bot-a', []), kind: 'agent', owners: ['olga'] },
  { ...person('bot-b', []), kind: 'agent', owners: ['olga', 'mei'], delegator: 'dana' },
];

function person(name: string, roles: readonly string[], aliases: readonly string[] = []): Enrolled {
  return { kind: 'person', name, roles, owners: [], aliases };
}

/** The one tenant. */
export const TENANT: TenantName = the(parseTenantName('acme'));

/** A person's name. */
export function personNamed(name: string): PersonName {
  return the(parsePersonName(name));
}

/** What is there; throws where it is not. */
export function the<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('there is nothing of that name');
  return value;
}

const compiled = new Map<Variant, CompiledPolicy>();

/** The compiled policy of a variant, made once: it is only read. */
export function policyOf(variant: Variant): CompiledPolicy {
  const known = compiled.get(variant);
  if (known !== undefined) return known;
  const { inventory, problems } = compileInventory({
    document: documentOf(INVENTORY, 'inventory.yaml'),
    baseDirectory: '/',
  });
  if (inventory === undefined) throw new Error(JSON.stringify(problems));
  const result = compilePolicy({
    documents: [documentOf(POLICIES[variant], 'policy.yaml')],
    inventory,
  });
  if (result.policy === undefined) throw new Error(JSON.stringify(result.problems));
  compiled.set(variant, result.policy);
  return result.policy;
}

/** The digest by which an epoch names a variant. */
export function epochDigest(variant: Variant): Digest {
  const policy = policyOf(variant);
  return digestOf('exequatur/epoch/v1', [policy.inventory.digest, policy.digest]);
}

function documentOf(text: string, file: string): DocumentNode {
  const { document, problems } = readYaml(text, file);
  if (document === undefined) throw new Error(JSON.stringify(problems));
  return document;
}
