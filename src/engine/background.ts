/**
 * What an engine does by itself: wakes holds that are due, renews the leases of what it executes, calls
 * lost what others left, and looks for evidence of unknown outcomes. Nothing here waits for a target
 * before it looks at the rest, and what keeps failing is left alone for a while.
 */
import type { ActionId, TenantName } from '../kernel/id.ts';
import { addMs } from '../kernel/instant.ts';
import type { Configuration, Life } from './life.ts';
import { StoreError } from './ports.ts';
import { callLost, reconcile } from './recovery.ts';

/** How often everything is looked at. */
const TICK_MS = 250;
/** Holds that are advanced by themselves at once. */
const ADVANCING_MAX = 32;
/** Holds whose advance failed, left alone until later; more are looked at again at once. */
const RESTING_MAX = 1000;
/** Unknown outcomes looked at in one round. */
const UNKNOWN_MAX = 500;

/** What the background needs of its engine. */
export interface BackgroundParts {
  readonly life: Life;
  readonly tenants: () => Iterable<TenantName>;
  readonly configuration: (tenant: TenantName) => Configuration;
  /** Moves an action as far as it goes; `false` where it could not be looked at. */
  readonly advance: (tenant: TenantName, id: ActionId) => Promise<boolean>;
}

/** The work of one engine that nobody asks for. */
export class Background {
  readonly #parts: BackgroundParts;
  readonly #advancing = new Set<ActionId>();
  readonly #resting = new Map<ActionId, number>();
  readonly #nextLook = new Map<ActionId, { readonly atMs: number; readonly waitMs: number }>();
  #timers: readonly NodeJS.Timeout[] = [];
  #turning: Promise<void> = Promise.resolve();
  #turnWanted = false;
  #reconciling: Promise<void> | undefined;
  #reconciledMs = Number.NEGATIVE_INFINITY;

  constructor(parts: BackgroundParts) {
    this.#parts = parts;
  }

  start(): void {
    const { leaseMs } = this.#parts.life.limits;
    this.#timers = [
      setInterval(() => this.poke(), TICK_MS),
      setInterval(() => void this.#guarded(this.#keepLeases()), Math.max(TICK_MS, leaseMs / 3)),
    ];
    this.poke();
  }

  /** Resolves when the round that is under way is over; advances it began go on. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#turnWanted = true;
    await this.#turning;
  }

  /** Looks soon. One round at a time, and at most one more waiting: it serves everybody who asked. */
  poke(): void {
    if (this.#turnWanted) return;
    this.#turnWanted = true;
    this.#turning = this.#turning.then(async () => {
      if (this.#timers.length === 0) return;
      this.#turnWanted = false;
      await this.#guarded(this.#turn());
    });
  }

  async #turn(): Promise<void> {
    await this.#advanceDue();
    const nowMs = this.#parts.life.clock.monotonicMs();
    if (this.#reconciling !== undefined) return;
    if (nowMs - this.#reconciledMs < Math.min(1000, this.#parts.life.limits.reconcileMs)) return;
    this.#reconciledMs = nowMs;
    this.#reconciling = this.#guarded(this.#reconcileAll()).finally(() => {
      this.#reconciling = undefined;
    });
  }

  /** Begins with what is due, and does not wait for it. */
  async #advanceDue(): Promise<void> {
    const { life } = this.#parts;
    const nowMs = life.clock.monotonicMs();
    for (const [id, untilMs] of this.#resting) if (untilMs <= nowMs) this.#resting.delete(id);
    const places = ADVANCING_MAX - this.#advancing.size;
    if (places <= 0) return;
    const count = ADVANCING_MAX + this.#advancing.size + this.#resting.size;
    const due = await life.store.due(life.clock.now(), count);
    const ready = due.filter(({ id }) => !this.#advancing.has(id) && !this.#resting.has(id));
    for (const { tenant, id } of ready.slice(0, places)) {
      this.#advancing.add(id);
      void this.#advanceOne(tenant, id);
    }
  }

  async #advanceOne(tenant: TenantName, id: ActionId): Promise<void> {
    const { life, advance } = this.#parts;
    const looked = await advance(tenant, id);
    this.#advancing.delete(id);
    if (looked) return;
    if (this.#resting.size < RESTING_MAX) {
      this.#resting.set(id, life.clock.monotonicMs() + life.limits.retryMs);
    }
  }

  async #keepLeases(): Promise<void> {
    const { life } = this.#parts;
    const executions = [...life.executing.keys()];
    if (executions.length > 0) {
      const until = addMs(life.clock.now(), life.limits.leaseMs);
      await life.store.renew(life.engine, executions, until);
    }
    await callLost(life);
  }

  /** Looks for evidence of unknown outcomes, less and less often for each. */
  async #reconcileAll(): Promise<void> {
    const { life, configuration, tenants } = this.#parts;
    const seen = new Set<ActionId>();
    for (const tenant of tenants()) {
      const unknown = await life.store.actions({ tenant, states: ['unknown'], count: UNKNOWN_MAX });
      for (const record of unknown) {
        seen.add(record.id);
        const nowMs = life.clock.monotonicMs();
        const look = this.#nextLook.get(record.id) ?? { atMs: 0, waitMs: life.limits.reconcileMs };
        if (look.atMs > nowMs || life.stopping.aborted) continue;
        const resolved = await reconcile(life, configuration(tenant), record);
        const waitMs = Math.min(look.waitMs * 2, life.limits.reconcileMsMax);
        if (resolved === undefined) {
          this.#nextLook.set(record.id, { atMs: life.clock.monotonicMs() + look.waitMs, waitMs });
        }
      }
    }
    for (const id of this.#nextLook.keys()) if (!seen.has(id)) this.#nextLook.delete(id);
  }

  /** The next round tries again: what failed is told and forgotten. */
  async #guarded(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#parts.life.trouble(...troubleOf(error));
    }
  }
}

/** An error as code and message, without secrets. */
export function troubleOf(error: unknown): [string, string] {
  if (error instanceof StoreError) return [error.code, error.message];
  return ['advance_failed', error instanceof Error ? error.message : 'no error'];
}
