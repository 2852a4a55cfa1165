/**
 * Values that many commands of one batch read and change: read from the file once, changed in memory,
 * and written once before the batch commits. The file belongs to this process alone, so memory and
 * file agree at every commit; a rollback forgets everything here.
 */

import type { Connection } from './connection.ts';

/** How one table keeps such values, and how many are kept in memory between batches. */
export interface WriteBackParts<Value> {
  readonly db: Connection;
  readonly read: (tenant: number, key: string) => Value | undefined;
  readonly write: (tenant: number, key: string, value: Value) => void;
  readonly keptMax: number;
}

interface Kept<Value> {
  readonly tenant: number;
  readonly key: string;
  value: Value | undefined;
  changed: boolean;
}

/** Values by tenant and key. */
export class WriteBack<Value> {
  readonly #parts: WriteBackParts<Value>;
  readonly #kept = new Map<string, Kept<Value>>();
  #changed: Kept<Value>[] = [];

  constructor(parts: WriteBackParts<Value>) {
    this.#parts = parts;
  }

  get(tenant: number, key: string): Value | undefined {
    return this.#find(tenant, key).value;
  }

  /** Only inside a transaction, and before anything that `value` shares with memory changes. */
  set(tenant: number, key: string, value: Value): void {
    this.#parts.db.touch();
    const kept = this.#find(tenant, key);
    kept.value = value;
    if (kept.changed) return;
    kept.changed = true;
    this.#changed.push(kept);
  }

  /** Writes what changed, as part of the transaction that is about to commit. */
  flush(): void {
    for (const kept of this.#changed) {
      if (kept.value !== undefined) this.#parts.write(kept.tenant, kept.key, kept.value);
      kept.changed = false;
    }
    this.#changed = [];
  }

  /** After a rollback. */
  forget(): void {
    this.#kept.clear();
    this.#changed = [];
  }

  #find(tenant: number, key: string): Kept<Value> {
    const name = `${String(tenant)} ${key}`;
    const known = this.#kept.get(name);
    if (known !== undefined) return known;
    if (this.#kept.size >= this.#parts.keptMax) this.#giveUp();
    const kept = { tenant, key, value: this.#parts.read(tenant, key), changed: false };
    this.#kept.set(name, kept);
    return kept;
  }

  /** Gives up the oldest that the file has as it is here; while a batch changes all of them, none. */
  #giveUp(): void {
    for (const [name, { changed }] of this.#kept) {
      if (changed) continue;
      this.#kept.delete(name);
      return;
    }
  }
}
