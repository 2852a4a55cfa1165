/**
 * The actions written last, as they lie in the file: most are settled moments after they crossed, and
 * need not be read and parsed again for it. The file belongs to this process alone, so that what was
 * written last is what is there; a rollback forgets all of it.
 */
import type { ActionId } from '../../kernel/id.ts';
import type { StoredAction } from './actions.ts';

/** Actions kept at most. */
export const RECENT_ACTIONS_MAX = 1024;

/** A bounded memory of actions, the oldest given up first. */
export class RecentActions {
  readonly #actions = new Map<string, StoredAction>();

  get(tenant: number, action: ActionId): StoredAction | undefined {
    return this.#actions.get(key(tenant, action));
  }

  /** Call with what was just written, whole. */
  put(stored: StoredAction): void {
    const name = key(stored.tenant, stored.record.id);
    this.#actions.delete(name);
    this.#actions.set(name, stored);
    if (this.#actions.size <= RECENT_ACTIONS_MAX) return;
    const [oldest] = this.#actions.keys();
    if (oldest !== undefined) this.#actions.delete(oldest);
  }

  /** After a rollback, and after writes that reach actions by other ways than their own. */
  forget(): void {
    this.#actions.clear();
  }
}

function key(tenant: number, action: ActionId): string {
  return `${String(tenant)} ${action}`;
}
