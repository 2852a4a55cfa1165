/**
 * The layer under test: the real store, engine and HTTP executor in front of one bank, with what a
 * crash could confuse: effects that may happen once, limits, approvals, unknown outcomes with and
 * without evidence. Opened by the child programs that are killed and by the drivers that look after.
 */
import { randomBytes } from 'node:crypto';
import { enrol } from '../../src/engine/directory.ts';
import { Engine } from '../../src/engine/engine.ts';
import { controlEntry } from '../../src/engine/entries.ts';
import type { EngineLimits } from '../../src/engine/limits.ts';
import type { Caller } from '../../src/engine/life.ts';
import type { ActionRecord, Clock } from '../../src/engine/ports.ts';
import type { Proposed } from '../../src/engine/proposal.ts';
import { createHttpExecutor } from '../../src/executors/http/executor.ts';
import { createMasker } from '../../src/executors/mask.ts';
import { createCalendars } from '../../src/facts/calendar/calendars.ts';
import { readYaml } from '../../src/facts/document/yaml.ts';
import { compileInventory } from '../../src/facts/inventory/compile.ts';
import { digestOf } from '../../src/kernel/digest.ts';
import type { DocumentNode } from '../../src/kernel/document.ts';
import {
  parseAgentName,
  parsePersonName,
  parseTenantName,
  type PersonName,
  type TenantName,
} from '../../src/kernel/id.ts';
import { instantOf } from '../../src/kernel/instant.ts';
import { compilePolicy } from '../../src/kernel/policy/compile.ts';
import type { CompiledPolicy } from '../../src/kernel/policy/compiled.ts';
import { openSqliteStore, type SqliteStore } from '../../src/stores/sqlite/open.ts';
import { systemClock } from '../fixtures/clock.ts';
import { flawedExecutor, flawedHalt, flawedStore, resendLost } from './flaws.ts';
import type { Flaw } from './row.ts';

/** What the bank can be asked. */
export type Payment = {
  readonly operation: 'pay' | 'pay-blind' | 'pay-once' | 'pay-asked' | 'pay-after';
  readonly to: string;
  /** In euros, such as `1.00`. */
  readonly amount: string;
};

/** How a shop is opened. Plain values only: they are also a child program's argument. */
export interface ShopParts {
  readonly directory: string;
  readonly targetPort: number;
  /** Euros that may be spent in 30 days. */
  readonly limitMax?: string;
  readonly engineLimits?: Partial<EngineLimits>;
  readonly openPerAgentMax?: number;
  readonly flaw?: Flaw;
  /** Further rules and calendars, as YAML after the shop's own. */
  readonly rules?: string;
  readonly calendars?: string;
}

/** What only a driver in the same process can give. */
export interface ShopTools {
  readonly clock?: Clock;
  readonly fatal?: (error: unknown) => void;
}

/** An open shop. Nothing is recovered before {@link Shop.start}. */
export interface Shop {
  readonly engine: Engine;
  readonly store: SqliteStore;
  readonly caller: Caller;
  /** What went wrong without stopping anything, as `code: message`. */
  readonly trouble: readonly string[];
  /** Recovers, and begins to look at what is due. */
  start(): Promise<readonly ActionRecord[]>;
  propose(key: string, payment: Payment, deadline?: number): Promise<Proposed>;
  halt(scope: { readonly operation?: string }): ReturnType<Engine['halt']>;
  close(): Promise<void>;
}

/** The people who may say yes. */
export const LEADS: readonly string[] = ['kim', 'mei'];

/** A limit that nothing reaches. */
export const NO_LIMIT = '999999999.00';

/** The shop's policy as people write it. */
export function policyText({
  limitMax = NO_LIMIT,
  rules = '',
  calendars = '',
}: Omit<ShopParts, 'directory'>): string {
  return `version: 1
roles: [lead]
${calendars}rules:
  - id: spending
    match: { kind: money.transfer }
    allow:
      - limit: { name: spending, by: target.name, sum: measures.amount, max: '${limitMax}', per: 30d }
  - id: asked
    match: { operation: pay-asked }
    require:
      - approval: { from: role:lead, count: 1, askFor: 8h, validFor: 1h }
  - id: after
    match: { operation: pay-after }
    require:
      - after: { operation: pay, target: bank, within: 1d }
${rules}`;
}

/** The shop's inventory as people write it. */
export function inventoryText(port: number): string {
  return `version: 1
targets:
  bank:
    http: { url: "http://127.0.0.1:${String(port)}", allow: [127.0.0.0/8] }
    operations:
${operationText('pay', "        reconcile: { GET: '/payments?to={to}', find: execution }\n")}
${operationText('pay-blind', '')}
${operationText('pay-once', '        once: args.to\n')}
${operationText('pay-asked', '')}
${operationText('pay-after', '')}
`;
}

function operationText(name: string, more: string): string {
  return `      ${name}:
        kind: money.transfer
        args: { to: string(80), amount: money(EUR) }
        request: { POST: /${name}, json: { to: $to, amount: $amount, execution: $executionId } }
        measures: { amount: args.amount }
        timeout: 5s
${more}`;
}

/** Opens the store and makes the engine; accounts and epoch are written where they are not yet. */
export async function openShop(parts: ShopParts, tools: ShopTools = {}): Promise<Shop> {
  const { clock = systemClock, fatal } = tools;
  const masker = createMasker();
  const trouble: string[] = [];
  const { openPerAgentMax = 1_000_000 } = parts;
  const store = await openSqliteStore({
    directory: parts.directory,
    clock,
    limits: { openPerAgentMax },
    corrupt: (error) => trouble.push(`${error.code}: ${error.message}`),
    ...(fatal === undefined ? {} : { fatal }),
  });
  const executor = createHttpExecutor({ masker, environment: {}, clock });
  const engine = new Engine({
    store: flawedStore(store, parts.flaw),
    executors: { http: flawedExecutor(executor, parts.flaw, parts.targetPort) },
    facts: { fetch: async () => ({ kind: 'absent' }) },
    calendars: createCalendars(),
    clock,
    randomness: { bytes: (count) => new Uint8Array(randomBytes(count)) },
    name: 'shop',
    limits: { denialsPerMinuteMax: 1_000_000, ...parts.engineLimits },
    trouble: (code, message) => {
      if (trouble.length < 1000) trouble.push(`${code}: ${message}`);
    },
  });
  try {
    await activate(engine, compiled(parts));
    await enrolAll(engine);
  } catch (error) {
    await store.close();
    throw error;
  }
  return new OpenShop({ parts, engine, store, trouble });
}

class OpenShop implements Shop {
  readonly engine: Engine;
  readonly store: SqliteStore;
  readonly caller: Caller = { tenant: TENANT, agent: AGENT, delegator: undefined };
  readonly trouble: readonly string[];
  readonly #parts: ShopParts;

  constructor(open: Pick<Shop, 'engine' | 'store' | 'trouble'> & { readonly parts: ShopParts }) {
    this.engine = open.engine;
    this.store = open.store;
    this.trouble = open.trouble;
    this.#parts = open.parts;
  }

  async start(): Promise<readonly ActionRecord[]> {
    const lost = await this.engine.start();
    if (this.#parts.flaw === 'resend') await resendLost(lost, this.#parts.targetPort);
    return lost;
  }

  propose(key: string, payment: Payment, deadline?: number): Promise<Proposed> {
    const { operation, to, amount } = payment;
    return this.engine.propose(this.caller, {
      idempotencyKey: key,
      requestDigest: digestOf('exequatur/action/v1', { operation, to, amount }),
      target: 'bank',
      operation,
      args: Object.freeze({ to, amount }),
      ...(deadline === undefined ? {} : { deadline: instantOf(deadline) }),
    });
  }

  halt(scope: { readonly operation?: string }): ReturnType<Engine['halt']> {
    const asked = { tenant: TENANT, scope, reason: 'fault', by: 'operator' } as const;
    return this.#parts.flaw === 'halt_early'
      ? flawedHalt(this.engine, asked)
      : this.engine.halt(asked);
  }

  async close(): Promise<void> {
    await this.engine.stop(2000);
    await this.store.close();
  }
}

async function activate(engine: Engine, policy: CompiledPolicy): Promise<void> {
  const digest = digestOf('exequatur/epoch/v1', [policy.inventory.digest, policy.digest]);
  const epoch = await engine.store.activate(TENANT, digest, (at, number) =>
    controlEntry('epoch', {
      tenant: TENANT,
      at,
      by: 'operator',
      body: { digest, epoch: number },
      salt: engine.life.salt,
    }),
  );
  engine.configure({ tenant: TENANT, epoch, policy });
}

async function enrolAll(engine: Engine): Promise<void> {
  const known = new Set((await engine.store.accounts(TENANT)).map(({ name }) => name));
  const accounts = [
    { kind: 'person', name: 'dana', roles: [] },
    ...LEADS.map((name) => ({ kind: 'person', name, roles: ['lead'] }) as const),
    { kind: 'agent', name: AGENT, roles: [] },
  ] as const;
  for (const { kind, name, roles } of accounts) {
    if (known.has(name)) continue;
    const enrolled = await enrol(engine.life, {
      tenant: TENANT,
      kind,
      name,
      roles,
      owners: kind === 'agent' ? [personOf('dana')] : [],
      aliases: [],
      delegator: undefined,
      by: 'operator',
    });
    if (enrolled.kind !== 'enrolled') throw new Error(JSON.stringify(enrolled));
  }
}

/** A person's name, parsed. */
export function personOf(text: string): PersonName {
  return required(parsePersonName(text));
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('a name of the shop is no name');
  return value;
}

const TENANT: TenantName = required(parseTenantName('shop'));
const AGENT: Caller['agent'] = required(parseAgentName('bot'));

/** Compiled once for each text: a driver opens thousands of shops. */
const compiledByText = new Map<string, CompiledPolicy>();

function compiled(parts: ShopParts): CompiledPolicy {
  const texts = { policy: policyText(parts), inventory: inventoryText(parts.targetPort) };
  const key = JSON.stringify(texts);
  const known = compiledByText.get(key);
  if (known !== undefined) return known;
  const read = compileInventory({
    document: documentFrom(texts.inventory, 'inventory.yaml'),
    baseDirectory: '/',
  });
  if (read.inventory === undefined) throw new Error(JSON.stringify(read.problems));
  const documents = [documentFrom(texts.policy, 'policy.yaml')];
  const { policy, problems } = compilePolicy({ documents, inventory: read.inventory });
  if (policy === undefined) throw new Error(JSON.stringify(problems));
  compiledByText.set(key, policy);
  return policy;
}

function documentFrom(text: string, file: string): DocumentNode {
  const { document, problems } = readYaml(text, file);
  if (document === undefined) throw new Error(JSON.stringify(problems));
  return document;
}
