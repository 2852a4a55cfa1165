/** Waiting for an action, bounded in time, in all and for one caller. */
import type { ActionRecord } from '../../engine/ports.ts';
import { HEADERS, WAIT_SECONDS_DEFAULT, WAIT_SECONDS_MAX } from '../../protocol/headers.ts';
import { ApiProblem } from './api-problem.ts';
import { callerKey, type Who } from './authenticate.ts';
import type { Served } from './call.ts';

/** How long a request wants to wait, in milliseconds, and what it was granted by a preference. */
export interface WaitWish {
  readonly waitMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads `Prefer: wait=N` (RFC 7240); other preferences are ignored. Throws `header_invalid`. */
export function waitWish(
  headers: Headers,
  otherwiseSeconds: number = WAIT_SECONDS_DEFAULT,
): WaitWish {
  for (const preference of (headers.get(HEADERS.prefer) ?? '').split(',')) {
    const [name = '', value = ''] = (preference.split(';')[0] ?? '').split('=');
    if (name.trim().toLowerCase() !== 'wait') continue;
    const seconds = /^\s*"?(\d{1,6})"?\s*$/u.exec(value)?.[1];
    if (seconds === undefined) {
      throw new ApiProblem('header_invalid', { detail: '`Prefer: wait` takes whole seconds' });
    }
    const granted = Math.min(Number(seconds), WAIT_SECONDS_MAX);
    return {
      waitMs: granted * 1000,
      headers: { [HEADERS.preferenceApplied]: `wait=${String(granted)}` },
    };
  }
  return { waitMs: otherwiseSeconds * 1000, headers: {} };
}

/** Whether nothing will change any more by itself. */
function isOver({ state }: ActionRecord): boolean {
  return state !== 'held' && state !== 'executing';
}

/** The state a waiter returns at: anything final or unknown, and where `holdEnough`, a hold for people or time. */
export interface WaitOptions {
  readonly who: Who;
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Returns with a hold that does not pass by itself soon. */
  readonly holdEnough: boolean;
}

/**
 * The action once it is over, or as it is when the time is. Where all places for waiting are taken, as
 * it is now: the caller polls.
 */
export async function waitFor(
  served: Served,
  record: ActionRecord,
  { who, waitMs, signal, holdEnough }: WaitOptions,
): Promise<ActionRecord> {
  const done = (each: ActionRecord): boolean =>
    isOver(each) || (holdEnough && each.state === 'held' && !isBusy(each));
  if (waitMs <= 0 || done(record)) return record;
  const leave = served.waiting.enter(callerKey(who));
  if (typeof leave === 'string') {
    served.counts['waits_refused'] = (served.counts['waits_refused'] ?? 0) + 1;
    return record;
  }
  const { engine, stopping } = served;
  const ended = Promise.withResolvers<void>();
  const end = (): void => ended.resolve();
  const stop = engine.watch.listen(record.id, (changed) => {
    if (done(changed)) end();
  });
  const timer = setTimeout(end, waitMs);
  signal.addEventListener('abort', end);
  stopping.addEventListener('abort', end);
  try {
    // Between the caller's look and our listening it may have changed.
    const now = await engine.store.action(record.tenant, record.id);
    if (now === undefined || done(now) || signal.aborted || stopping.aborted) return now ?? record;
    await ended.promise;
    return (await engine.store.action(record.tenant, record.id)) ?? now;
  } finally {
    stop();
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    stopping.removeEventListener('abort', end);
    leave();
  }
}

/** Held only for the end of another action, which may come any moment. */
function isBusy({ decision }: ActionRecord): boolean {
  const against = decision?.findings.filter(({ status }) => status !== 'met') ?? [];
  return (
    against.length > 0 &&
    against.every(({ code }) => code === 'target_busy' || code === 'effect_busy')
  );
}
