/** One engine over one store in this process, as the daemon composes them, with an executor that does nothing. */
import { randomUUID } from 'node:crypto';
import { Engine } from '../src/engine/engine.ts';
import { enrol } from '../src/engine/directory.ts';
import { controlEntry } from '../src/engine/entries.ts';
import type { Executor } from '../src/engine/ports.ts';
import { digestOf } from '../src/kernel/digest.ts';
import {
  parseAgentName,
  parseTenantName,
  type AgentName,
  type TenantName,
} from '../src/kernel/id.ts';
import type { JsonObject } from '../src/kernel/json/value.ts';
import type { CompiledPolicy } from '../src/kernel/policy/compiled.ts';
import { openSqliteStore, type SqliteStore } from '../src/stores/sqlite/open.ts';
import { SYSTEM_CLOCK, SYSTEM_RANDOMNESS } from '../src/server/system.ts';
import { noOpExecutor } from './setup.ts';

/** How many actions are under way at once. */
export const IN_FLIGHT = 256;

/** A layer to be measured. */
export interface BenchLayer {
  readonly engine: Engine;
  readonly store: SqliteStore;
  readonly tenant: TenantName;
  readonly agent: AgentName;
  /** The agent's key. */
  readonly key: string;
  /** Proposes the action of this number and waits for its success. */
  readonly act: (index: number) => Promise<void>;
  close(): Promise<void>;
}

/** Arguments of some 400 bytes, of a body of some 600. */
export function argsOf(index: number): JsonObject {
  return Object.freeze({
    charge: `ch_${String(index)}`,
    amount: '49.90',
    reason: 'x'.repeat(300),
  });
}

/** Opens a layer over a directory. */
export async function openLayer(
  policy: CompiledPolicy,
  directory: string,
  executor: Executor = noOpExecutor(Date.now),
): Promise<BenchLayer> {
  const store = await openSqliteStore({ directory, clock: SYSTEM_CLOCK });
  const engine = new Engine({
    store,
    executors: { http: executor },
    facts: { fetch: async () => ({ kind: 'absent' }) },
    calendars: { at: () => ({ open: true }) },
    clock: SYSTEM_CLOCK,
    randomness: SYSTEM_RANDOMNESS,
    name: 'bench',
    trouble: (code, message) => console.error(`bench: ${code}: ${message}`),
  });
  const tenant = parseTenantName('default');
  const name = `bench-agent-${randomUUID().slice(0, 8)}`;
  const agent = parseAgentName(name);
  if (tenant === undefined || agent === undefined) throw new Error('these are names');
  const { life } = engine;
  const epoch = await store.activate(tenant, policy.digest, (at) =>
    controlEntry('epoch', { tenant, at, by: 'operator', body: {}, salt: life.salt }),
  );
  engine.configure({ tenant, epoch, policy });
  const account = { kind: 'agent', name, roles: [], owners: [], aliases: [] } as const;
  const enrolled = await enrol(life, {
    ...account,
    tenant,
    delegator: undefined,
    by: 'operator',
  });
  if (enrolled.kind !== 'enrolled') throw new Error(JSON.stringify(enrolled));
  await engine.start();
  return {
    engine,
    store,
    tenant,
    agent,
    key: enrolled.key,
    act: (index) => act({ engine, tenant, agent }, index),
    close: async () => {
      await engine.stop(1000);
      await store.close();
    },
  };
}

async function act(
  { engine, tenant, agent }: Pick<BenchLayer, 'engine' | 'tenant' | 'agent'>,
  index: number,
): Promise<void> {
  const proposed = await engine.propose(
    { tenant, agent, delegator: undefined },
    {
      idempotencyKey: randomUUID(),
      requestDigest: digestOf('exequatur/action/v1', index),
      target: 'shop-0',
      operation: 'refund',
      args: argsOf(index),
    },
  );
  if (proposed.kind !== 'record') throw new Error(proposed.message);
  const record = await engine.settledWithin(tenant, proposed.record.id, 10_000);
  if (record?.state !== 'succeeded') throw new Error(`not succeeded: ${String(record?.state)}`);
}
