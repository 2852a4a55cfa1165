/**
 * The production store as an engine sees it from its own process: every call takes time, and the engine
 * can die before its command arrives or after the commit and before the answer. The store itself lives
 * on, as a database does.
 */
import type { Store } from '../../src/engine/ports.ts';
import { StoreError } from '../../src/engine/ports.ts';
import { bent, bentAdvance, bentAnswer, type Flaw } from './flaws.ts';
import type { Outside } from './outside.ts';
import type { Owner } from './virtual-time.ts';

/** What one engine's view of the store is made of. */
export interface CrashPointParts {
  readonly store: Store;
  readonly flaw: Flaw | undefined;
  readonly outside: Outside;
  /** Whose process the store is. */
  readonly keeper: Owner;
  readonly engine: Owner;
  /** Told after each command, still in the store's process: something may have been committed. */
  readonly committed: () => Promise<void>;
  readonly crash: (downMs: number) => void;
}

type Method = (...given: readonly unknown[]) => Promise<unknown>;

/** Answered at once when they arrive, and never in a plan's way. */
const READS: ReadonlySet<string | symbol> = new Set<keyof Store>([
  'look',
  'halts',
  'accounts',
  'keys',
  'holder',
  'action',
  'proposed',
  'actions',
  'approvals',
  'due',
  'lost',
  'executing',
  'ledger',
  'history',
  'payload',
  'measures',
]);

/** The store, seen from one engine. Everything that is no read is a command, those of later ports too. */
export function withCrashPoints(parts: CrashPointParts): Store {
  const { store, flaw } = parts;
  const own: Partial<Store> = {
    look: (query) =>
      reading(parts, async () => {
        const { now, local } = await store.look(query);
        return { now, local: bent(flaw, local) };
      }),
    advance: (command) =>
      writing(parts, 'advance', () => store.advance(bentAdvance(flaw, command))),
    answer: (command) => writing(parts, 'answer', () => store.answer(bentAnswer(flaw, command))),
    change: (command) => writing(parts, 'change', () => store.change(command)),
    halt: (halt, entry) => writing(parts, 'halt', () => store.halt(halt, entry)),
    close: () => Promise.resolve(),
    ...(flaw === 'never looks at a hold again' ? { due: () => Promise.resolve([]) } : {}),
  };
  return new Proxy(store, {
    get: (target, name): unknown => {
      const mine: unknown = Reflect.get(own, name);
      if (mine !== undefined) return mine;
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      const call = (given: readonly unknown[]) => (): Promise<unknown> =>
        (method as Method).apply(target, [...given]);
      return READS.has(name)
        ? (...given: readonly unknown[]) => reading(parts, call(given))
        : (...given: readonly unknown[]) => writing(parts, 'other', call(given));
    },
  });
}

function reading<Value>(
  { outside, keeper, engine }: CrashPointParts,
  work: () => Promise<Value>,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const back = (then: () => void): void => outside.time.after(engine, 0, then);
    outside.time.after(keeper, outside.latencyMs(), () => {
      work().then(
        (value) => back(() => resolve(value)),
        (error: unknown) => back(() => reject(error)),
      );
    });
  });
}

function writing<Value>(
  { outside, keeper, engine, committed, crash }: CrashPointParts,
  call: 'advance' | 'change' | 'answer' | 'halt' | 'other',
  work: () => Promise<Value>,
): Promise<Value> {
  const death = call === 'other' ? undefined : outside.fault('crash', call);
  const refusal = call === 'other' ? undefined : outside.fault('refuse', call);
  return new Promise((resolve, reject) => {
    const back = (then: () => void): void => outside.time.after(engine, outside.latencyMs(), then);
    outside.time.after(keeper, outside.latencyMs(), () => {
      if (death?.when === 'before') {
        crash(death.downMs);
        return;
      }
      if (refusal !== undefined) {
        back(() => reject(new StoreError(refusal.code, 'refused by the plan')));
        return;
      }
      noted(work, committed).then(
        (value) => {
          // A commit whose answer nobody hears any more.
          if (death !== undefined) crash(death.downMs);
          back(() => resolve(value));
        },
        (error: unknown) => back(() => reject(error)),
      );
    });
  });
}

/** Does it, and notes what was committed before anybody hears how it ended. */
async function noted<Value>(
  work: () => Promise<Value>,
  committed: () => Promise<void>,
): Promise<Value> {
  try {
    return await work();
  } finally {
    await committed();
  }
}
