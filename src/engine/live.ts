/**
 * The crossings that this engine is between committing and having sent. A halt asks here: what is not
 * being sent yet is barred, what is being sent is listed, and its acknowledgement waits for the rest.
 */
import type { HaltScope } from '../kernel/decision.ts';
import type { ActionId } from '../kernel/id.ts';
import { sendTransition, type SendState } from './transition.ts';

/** What a halt's scope is compared with. */
export interface Scoped {
  readonly target: string;
  readonly operation: string;
  readonly kind: string;
  readonly agent: string;
  /** What the inventory calls it, and what the system calls itself: a halt of either covers it. */
  readonly environments: readonly string[];
}

/** Whether a halt with this scope covers the action. Every member given must hold. */
export function halts(scope: HaltScope, scoped: Scoped): boolean {
  return (
    (scope.target === undefined || scope.target === scoped.target) &&
    (scope.operation === undefined || scope.operation === scoped.operation) &&
    (scope.kind === undefined || scope.kind === scoped.kind) &&
    (scope.agent === undefined || scope.agent === scoped.agent) &&
    (scope.environment === undefined || scoped.environments.includes(scope.environment))
  );
}

/** One crossing of this engine, from before its transaction until it is sent, barred or did not cross. */
export class LiveCrossing {
  readonly action: ActionId;
  readonly scoped: Scoped;
  readonly safing: boolean;
  /** Resolves when it is known whether anything is sent. */
  readonly decided: Promise<void>;
  readonly #decide: () => void;
  #state: SendState = 'waiting';

  constructor(parts: {
    readonly action: ActionId;
    readonly scoped: Scoped;
    readonly safing: boolean;
  }) {
    this.action = parts.action;
    this.scoped = parts.scoped;
    this.safing = parts.safing;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.decided = promise;
    this.#decide = resolve;
  }

  /** Whether its first byte may have left. */
  get sending(): boolean {
    return this.#state === 'sending';
  }

  /** Forbids the send, unless it began. It is decided once its engine has let go of it. */
  bar(): void {
    this.#state = sendTransition(this.#state, 'bar');
  }

  /** The last question before the first byte: true once, and never after {@link bar}. */
  mayBegin(): boolean {
    const before = this.#state;
    this.#state = sendTransition(before, 'begin');
    if (this.#state === 'sending') this.#decide();
    return before === 'waiting' && this.#state === 'sending';
  }

  /** Nothing will be sent any more, or everything was. */
  end(): void {
    this.#state = sendTransition(this.#state, 'end');
    this.#decide();
  }
}

/** All of them. */
export class LiveCrossings {
  readonly #all = new Set<LiveCrossing>();

  add(crossing: LiveCrossing): void {
    this.#all.add(crossing);
  }

  remove(crossing: LiveCrossing): void {
    crossing.end();
    this.#all.delete(crossing);
  }

  /**
   * Bars what is in scope and not sent, waits until each is decided, and answers those being sent.
   * Called after the halt is committed: a crossing that begins later sees the halt in its transaction.
   */
  async halt(scope: HaltScope): Promise<readonly ActionId[]> {
    const covered = [...this.#all].filter((each) => !each.safing && halts(scope, each.scoped));
    for (const crossing of covered) crossing.bar();
    await Promise.all(covered.map((crossing) => crossing.decided));
    return covered.filter((crossing) => crossing.sending).map((crossing) => crossing.action);
  }
}
