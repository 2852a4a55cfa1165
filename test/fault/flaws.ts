/**
 * Defects planted on purpose. A harness that finds nothing proves nothing until it was seen to find
 * something: each flaw breaks one promise the way real layers break it, outside of the code under test.
 */
import { randomUUID } from 'node:crypto';
import type { Engine, Halted } from '../../src/engine/engine.ts';
import type { ActionRecord, Executor, Store } from '../../src/engine/ports.ts';
import { parseHaltId, uuidV7 } from '../../src/kernel/id.ts';
import { controlEntry } from '../../src/engine/entries.ts';
import { argumentsOf } from './stored-json.ts';
import type { Flaw } from './row.ts';

/** How long an answer is ahead of its commit, where that is the flaw. */
const EARLY_MS = 400;

/** The store, or one that breaks a promise. */
export function flawedStore(store: Store, flaw: Flaw | undefined): Store {
  const close = (): Promise<void> => store.close();
  if (flaw === 'answer_early') return { ...store, close, change: answeringEarly(store) };
  if (flaw === 'forget_limits') return { ...store, close, change: forgettingLimits(store) };
  return store;
}

function answeringEarly(store: Store): Store['change'] {
  return async (command) => {
    const record = await store.action(command.tenant, command.action);
    const judged = record && command.judge(record.updatedAt, record);
    if (record === undefined || judged?.kind !== 'write') return store.change(command);
    // Where the layer ends before this, what was answered never was.
    setTimeout(() => void store.change(command).catch(() => undefined), EARLY_MS);
    return { kind: 'written', record: { ...record, state: judged.state } };
  };
}

function forgettingLimits(store: Store): Store['change'] {
  return (command) =>
    store.change({
      ...command,
      judge: (now, record) => {
        const judged = command.judge(now, record);
        return judged.kind === 'write' && judged.limits === 'unknown'
          ? { ...judged, limits: 'void' }
          : judged;
      },
    });
}

/** The executor, or one that sends when it should only prepare. */
export function flawedExecutor(
  executor: Executor,
  flaw: Flaw | undefined,
  targetPort: number,
): Executor {
  if (flaw !== 'send_early') return executor;
  return {
    ...executor,
    prepare: async (request, ...rest) => {
      await post(targetPort, request.operation.name, { ...request.args, execution: randomUUID() });
      return executor.prepare(request, ...rest);
    },
  };
}

/** Stores a halt, and forgets what is on its way. */
export async function flawedHalt(
  engine: Engine,
  asked: Omit<Parameters<Engine['halt']>[0], 'by'> & { readonly by: 'operator' },
): Promise<Halted> {
  const { tenant, scope, reason, by } = asked;
  const { clock, randomness, salt } = engine.life;
  const id = parseHaltId(uuidV7(clock.now(), randomness.bytes(10)));
  if (id === undefined) throw new Error('a fresh UUIDv7 has its form');
  const halt = await engine.store.halt({ tenant, id, scope, reason, by }, (at) =>
    controlEntry('halted', { tenant, at, by, body: { halt: id }, salt }),
  );
  return { halt, sent: [] };
}

/** Sends what recovery found, as a layer does that takes an unknown outcome for a failure. */
export async function resendLost(lost: readonly ActionRecord[], targetPort: number): Promise<void> {
  for (const record of lost) {
    const { to, amount } = argumentsOf(record.bytes);
    await post(targetPort, record.operation, { to, amount, execution: record.execution?.id ?? '' });
  }
}

async function post(port: number, operation: string, body: object): Promise<void> {
  try {
    await fetch(`http://127.0.0.1:${String(port)}/${operation}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  } catch {
    // The bank may lose its answer; that it was asked is what counts.
  }
}
