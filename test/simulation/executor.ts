/**
 * The executor of the simulated systems: as honest as a real one, over a network that is not. It
 * records the first byte of each send, which is what the laws are about.
 */
import { isExecution } from '../../src/engine/execution.ts';
import type {
  Attempt,
  Clock,
  EffectRequest,
  Executor,
  Outcome,
  Prepared,
} from '../../src/engine/ports.ts';
import type { Preview, Resolution } from '../../src/kernel/action.ts';
import { digestOf } from '../../src/kernel/digest.ts';
import { writeCanonical } from '../../src/kernel/json/write.ts';
import { OPERATIONS } from './boundary.ts';
import type { Flaw } from './flaws.ts';
import type { Answer, Outside, Sent } from './outside.ts';
import type { Owner } from './virtual-time.ts';

/** What an executor is made of. */
export interface ExecutorParts {
  readonly outside: Outside;
  /** The engine's process: what it waits for dies with it. */
  readonly owner: Owner;
  readonly clock: Clock;
  readonly flaw: Flaw | undefined;
}

/** Makes the executor of one engine. */
export function createSimulatedExecutor(parts: ExecutorParts): Executor {
  const { outside, clock } = parts;
  return {
    contract: 'simulated/1',
    resolve: (request, signal) => {
      const observedAt = clock.now();
      return attempt<Resolution>(parts, 'resolve', signal, () => ({
        identity: request.target.name === 'shop' ? outside.identity : null,
        environment: 'production',
        operation: request.operation.digest,
        effect: effectOf(request),
        credential: null,
        executor: 'simulated/1',
        files: {},
        recorded: {},
        observedAt,
      }));
    },
    preview: async (request, signal) => {
      if (request.operation.binding.preview === undefined) return { ok: true, value: 'none' };
      const observedAt = clock.now();
      return attempt<Preview | 'none'>(parts, 'preview', signal, () => ({
        material: { version: outside.version },
        context: {},
        observedAt,
      }));
    },
    prepare: (request, resolution, _preview, signal) =>
      attempt<Prepared>(parts, 'prepare', signal, () => {
        if (parts.flaw === 'sends while it prepares')
          outside.carry(sentOf(request, request.action), undefined, 0, () => undefined);
        return prepared(parts, request, resolution);
      }),
    reconcile: (request, execution, signal) => reconcile(parts, request, execution, signal),
  };
}

function effectOf({ target, operation, args }: EffectRequest): Resolution['effect'] {
  return digestOf('exequatur/effect/v1', [target.name, operation.name, args]);
}

/** Asks something of a system that may fail, or never answer until the asker gives up. */
function attempt<Value>(
  { outside, owner }: ExecutorParts,
  kind: 'resolve' | 'preview' | 'prepare',
  signal: AbortSignal,
  make: () => Value,
): Promise<Attempt<Value>> {
  const fault = outside.fault('ask', kind);
  return new Promise((resolve) => {
    const gaveUp = { ok: false, code: 'timeout', message: 'the system did not answer' } as const;
    signal.addEventListener('abort', () => resolve(gaveUp), { once: true });
    if (fault?.how === 'stall') return;
    outside.time.after(owner, outside.latencyMs(), () => {
      resolve(
        fault === undefined
          ? { ok: true, value: make() }
          : { ok: false, code: 'unreachable', message: 'the system is not there' },
      );
    });
  });
}

function prepared(parts: ExecutorParts, request: EffectRequest, resolution: Resolution): Prepared {
  let used = false;
  return {
    send: async (execution, { signal, sending }) => {
      if (used) throw new Error('a second send of one preparation');
      used = true;
      if (!isExecution(execution)) throw new Error('no crossing made this execution');
      if (execution.effect !== resolution.effect) throw new Error('another effect was decided');
      await parts.outside.time.sleep(parts.owner, parts.outside.latencyMs());
      const may = sending() || parts.flaw === 'sends without asking whether it still may';
      if (!may) return outcomeOf('not_executed', 'barred', false);
      const fault = parts.outside.fault('send');
      if (fault?.how === 'cut before the first byte') {
        parts.outside.see({ kind: 'replied', execution: execution.id, outcome: 'not_executed' });
        return outcomeOf('not_executed', 'connection_refused', false);
      }
      const once = (): Promise<Outcome> =>
        sendOnce(parts, request, execution.id, { fault, signal });
      const outcome = await once();
      return outcome.state === 'unknown' && parts.flaw === 'sends again after no answer'
        ? once()
        : outcome;
    },
    discard: () => Promise.resolve(),
  };
}

/** One request, and what comes back of it within the operation's time. */
async function sendOnce(
  { outside, owner, flaw }: ExecutorParts,
  request: EffectRequest,
  execution: string,
  options: {
    readonly fault: ReturnType<typeof outside.fault<'send'>>;
    readonly signal: AbortSignal;
  },
): Promise<Outcome> {
  const { fault, signal } = options;
  outside.see({ kind: 'began', execution, action: request.action, engine: owner.name });
  const sent = {
    ...sentOf(request, execution),
    ...(flaw === 'sends other arguments than were decided' ? { content: '{}' } : {}),
  };
  const answer = await new Promise<Answer | undefined>((resolve) => {
    outside.carry(sent, fault?.how, fault?.lateMs ?? 0, (said) => {
      outside.time.after(owner, 0, () => resolve(said));
    });
    outside.time.after(owner, request.operation.timeoutMs, () => resolve(undefined));
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const silence = flaw === 'says that a silence was no execution' ? 'not_executed' : 'unknown';
  const state = answer === undefined ? silence : answer === 'done' ? 'succeeded' : 'failed';
  outside.see({ kind: 'replied', execution, outcome: state });
  return outcomeOf(state, answer ?? 'timeout', true);
}

function sentOf({ action, operation, args }: EffectRequest, execution: string): Sent {
  return { execution, action, operation: operation.name, content: writeCanonical(args) };
}

/** Looks for evidence, where the system can tell. */
async function reconcile(
  parts: ExecutorParts,
  request: EffectRequest,
  execution: string,
  signal: AbortSignal,
): Promise<Attempt<Outcome | undefined>> {
  const { outside, owner } = parts;
  const trustsAbsence = parts.flaw === 'calls absence conclusive while a request travels';
  if (OPERATIONS[request.operation.name]?.tells !== true && !trustsAbsence) {
    return { ok: true, value: undefined };
  }
  const fault = outside.fault('look');
  return new Promise((resolve) => {
    const gaveUp = { ok: false, code: 'timeout', message: 'the system did not answer' } as const;
    signal.addEventListener('abort', () => resolve(gaveUp), { once: true });
    if (fault?.how === 'stall') return;
    outside.time.after(outside.network, outside.latencyMs(), () => {
      if (trustsAbsence && !outside.knows(execution)) {
        resolve({ ok: true, value: outcomeOf('not_executed', 'not_found', false) });
        return;
      }
      const look = fault?.how === 'fail' ? 'none' : outside.look(execution, fault?.how === 'lie');
      outside.time.after(owner, outside.latencyMs(), () => {
        resolve({ ok: true, value: look === 'none' ? undefined : outcomeOf(look, 'looked', true) });
      });
    });
  });
}

function outcomeOf(state: Outcome['state'], code: string, sent: boolean): Outcome {
  return { state, sent, code, message: `the simulated system: ${code}`, result: null };
}
