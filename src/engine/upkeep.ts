/** What a store is asked besides actions: to erase what is old, and what it is doing. */
import type { TenantName } from '../kernel/id.ts';
import type { Instant } from '../kernel/instant.ts';
import type { ActionRecord } from './ports.ts';

/** Which actions to erase the content of: one batch, from the place where the last one ended. */
export interface PurgeCommand {
  readonly tenant: TenantName;
  /** Settled actions that last changed before this; none if absent. */
  readonly settledBefore: Instant | undefined;
  /** Actions that never ran, and last changed before this; none if absent. */
  readonly deniedBefore: Instant | undefined;
  /** 0, or the `next` of the last batch. */
  readonly after: number;
  /** Counts, and erases nothing. */
  readonly dryRun: boolean;
}

/** What a batch erased. */
export interface Purged {
  readonly actions: number;
  /** Payloads beside the ledger. */
  readonly payloads: number;
  /** Where the next batch begins; `undefined` after the last one. */
  readonly next: number | undefined;
}

/** What became of an erasure of one action; of one that was erased before, nothing is left to erase. */
export type Erased =
  | {
      readonly kind: 'erased' | 'erased_before';
      readonly record: ActionRecord;
      readonly payloads: number;
    }
  | { readonly kind: 'not_final'; readonly record: ActionRecord }
  | { readonly kind: 'unknown_action' };

/** Numbers of one store in this process, for whoever watches it. Counts begin at the start. */
export interface StoreMeasures {
  /** Actions of one tenant that are not final. */
  readonly open: Readonly<Record<'held' | 'executing' | 'unknown', number>>;
  /** Committed ledger entries by kind, of all tenants. */
  readonly entries: Readonly<Record<string, number>>;
  /** Proposals by the state they came into first, of all tenants. */
  readonly proposed: Readonly<Record<string, number>>;
  /** Committed changes of actions by the state that they left, of all tenants. */
  readonly changed: Readonly<Record<string, number>>;
  /** Committed commands, and those that wait now. */
  readonly commandsCount: number;
  readonly queueCount: number;
  /** Commits by how long they took; the last one, without a bound, takes the rest. */
  readonly commits: readonly { readonly upToMs: number | undefined; readonly count: number }[];
  /** All commits together, in milliseconds. */
  readonly commitMs: number;
}
