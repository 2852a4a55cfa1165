/** Waiting for a stored action to change: long polls and events ask here. */
import type { ActionId } from '../kernel/id.ts';
import type { ActionRecord } from './ports.ts';

type Listener = (record: ActionRecord) => void;

/** Who waits for what, in this process. A missed change is harmless: every waiter also has a time limit. */
export class Watch {
  readonly #byAction = new Map<ActionId, Set<Listener>>();
  readonly #all = new Set<() => void>();

  /** Tells everyone who waits for this action, and everyone who waits for anything. */
  changed(record: ActionRecord): void {
    for (const listener of this.#byAction.get(record.id) ?? []) listener(record);
    this.touched();
  }

  /** Tells everyone who waits for anything: the ledger grew. */
  touched(): void {
    for (const listener of this.#all) listener();
  }

  /** Calls `listener` at each change of the action until the returned function is called. */
  listen(action: ActionId, listener: Listener): () => void {
    const listeners = this.#byAction.get(action) ?? new Set();
    listeners.add(listener);
    this.#byAction.set(action, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#byAction.delete(action);
    };
  }

  /** Calls `listener` whenever anything changed, until the returned function is called. */
  listenAll(listener: () => void): () => void {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  /** Resolves with the first record for which `done` holds, or with `undefined` after `waitMs`. */
  async until(
    action: ActionId,
    waitMs: number,
    done: (record: ActionRecord) => boolean,
  ): Promise<ActionRecord | undefined> {
    return new Promise((resolve) => {
      const end = (record: ActionRecord | undefined): void => {
        clearTimeout(timer);
        stop();
        resolve(record);
      };
      const stop = this.listen(action, (record) => {
        if (done(record)) end(record);
      });
      const timer = setTimeout(() => end(undefined), waitMs);
    });
  }
}
