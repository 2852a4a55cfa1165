/** What a store counts about itself: commits by how long they took, and what they wrote. */

/** Bounds of the commit histogram, in milliseconds: from a fast disk's flush to one that is failing. */
const COMMIT_MS_BOUNDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000] as const;

/** Counts since the store was opened. */
export class Measures {
  readonly entries: Record<string, number> = {};
  readonly proposed: Record<string, number> = {};
  readonly changed: Record<string, number> = {};
  readonly #commits: number[] = [...COMMIT_MS_BOUNDS.map(() => 0), 0];
  commitMs = 0;
  commandsCount = 0;

  /** Counts entries of a command that is durable. */
  wrote(kinds: readonly string[]): void {
    for (const kind of kinds) add(this.entries, kind);
  }

  /** Counts a change of an action that is durable, by the state it left. */
  left(state: string, parts: { readonly proposal: boolean }): void {
    add(parts.proposal ? this.proposed : this.changed, state);
  }

  /** Counts a commit. */
  committed(tookMs: number, commandsCount: number): void {
    const bound = COMMIT_MS_BOUNDS.findIndex((upToMs) => tookMs <= upToMs);
    const place = bound < 0 ? COMMIT_MS_BOUNDS.length : bound;
    this.#commits[place] = (this.#commits[place] ?? 0) + 1;
    this.commitMs += tookMs;
    this.commandsCount += commandsCount;
  }

  /** The commit histogram. */
  get commits(): readonly { readonly upToMs: number | undefined; readonly count: number }[] {
    return this.#commits.map((count, place) => ({ upToMs: COMMIT_MS_BOUNDS[place], count }));
  }
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
