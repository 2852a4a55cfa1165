/** What the runner and its worker tell each other. */

/** The worker's task. Paths are from the root, with forward slashes. */
export interface Begin {
  readonly root: string;
  readonly source: string;
  readonly tests: readonly string[];
  /** Mutants that were tried by a worker before. */
  readonly done: readonly number[];
  /** Tests that take longer are left out, and named. */
  readonly testMsMax: number;
}

/** What became of a mutant. */
export type Verdict =
  | { readonly kind: 'killed'; readonly by: string }
  | { readonly kind: 'survived'; readonly tests: number }
  | { readonly kind: 'timeout' };

/** What the worker says. */
export type Told =
  | {
      readonly kind: 'ready';
      /** How long its tests take together. */
      readonly tookMs: number;
      readonly leftOut: readonly string[];
    }
  | { readonly kind: 'trying'; readonly id: number }
  | { readonly kind: 'tried'; readonly id: number; readonly verdict: Verdict }
  | { readonly kind: 'broken'; readonly message: string };
