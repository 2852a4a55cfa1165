/** What the layer says of itself. Only {@link ReadyView} is told without a key, and it names nothing. */
import * as z from 'zod';
import { REASON_LENGTH_MAX } from './headers.ts';
import { instantText, nameText } from './words.ts';

/** Why the layer is not as it should be. */
export interface ReasonView {
  readonly code: string;
  readonly message: string;
}

const reasonView = z.object({ code: z.string(), message: z.string() });

/** Whether proposals are taken. `degraded` still takes them; `unavailable` is told with status 503. */
export interface ReadyView {
  readonly status: 'ready' | 'degraded' | 'unavailable';
  readonly reasons: readonly ReasonView[];
}

/** A {@link ReadyView} as sent. */
export const readyView: z.ZodType<ReadyView> = z.object({
  status: z.enum(['ready', 'degraded', 'unavailable']),
  reasons: z.array(reasonView),
});

/** The process is alive. */
export interface HealthView {
  readonly status: 'alive';
}

/** A {@link HealthView} as sent. */
export const healthView: z.ZodType<HealthView> = z.object({ status: z.literal('alive') });

/** How many; `more` where there are more than were counted. */
export interface CountView {
  readonly count: number;
  readonly more: boolean;
}

const countView = z.object({ count: z.int(), more: z.boolean() });

/** What is active of policy, inventory and calendars. */
export interface EpochView {
  readonly number: number;
  readonly digest: string;
  readonly at: string;
}

const epochView = z.object({ number: z.int(), digest: z.string(), at: instantText });

/** Everything an operator or a person wants to see at a glance. */
export interface StatusView {
  readonly version: string;
  /** `development` or `enforce`. */
  readonly mode: string;
  /** What separates the layer from the agent: `none` makes it advice. */
  readonly isolation: string;
  /** Targets whose programs run as the layer's own user and can read what it can. */
  readonly sameUserTargets: readonly string[];
  readonly tenant: string;
  readonly status: 'ready' | 'degraded' | 'unavailable';
  readonly reasons: readonly ReasonView[];
  readonly epoch: EpochView;
  /** Actions that are not final. */
  readonly open: {
    readonly held: CountView;
    readonly executing: CountView;
    readonly unknown: CountView;
  };
  readonly haltsCount: number;
  /** Of this process since its start, by name, such as `unauthenticated`. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A {@link StatusView} as sent. */
export const statusView: z.ZodType<StatusView> = z.object({
  version: z.string(),
  mode: z.string(),
  isolation: z.string(),
  sameUserTargets: z.array(z.string()),
  tenant: z.string(),
  status: z.enum(['ready', 'degraded', 'unavailable']),
  reasons: z.array(reasonView),
  epoch: epochView,
  open: z.object({ held: countView, executing: countView, unknown: countView }),
  haltsCount: z.int(),
  counts: z.record(z.string(), z.int()),
});

/** Asks for a backup; `name` is the time where it is absent. */
export interface BackupRequest {
  readonly name?: string;
}

/** A {@link BackupRequest} as received. */
export const backupRequest: z.ZodType<BackupRequest> = z.strictObject({
  name: nameText.exactOptional(),
});

/** A backup on the layer's own disk. */
export interface BackupView {
  readonly path: string;
  readonly bytes: number;
  readonly at: string;
}

/** A {@link BackupView} as sent. */
export const backupView: z.ZodType<BackupView> = z.object({
  path: z.string(),
  bytes: z.int(),
  at: instantText,
});

/** Erases the content of final actions that last changed so long ago: a day at least. */
export interface PurgeRequest {
  readonly olderThanMs: number;
  /** Only says what it would erase. */
  readonly dryRun?: boolean;
}

/** A {@link PurgeRequest} as received. */
export const purgeRequest: z.ZodType<PurgeRequest> = z.strictObject({
  olderThanMs: z.int().min(86_400_000).max(8_640_000_000_000),
  dryRun: z.boolean().exactOptional(),
});

/** What a purge erased, or would. */
export interface PurgeView {
  readonly actions: number;
  /** Payloads beside the ledger. */
  readonly payloads: number;
  /** `false` where it stopped for its time; ask again. */
  readonly complete: boolean;
}

/** A {@link PurgeView} as sent. */
export const purgeView: z.ZodType<PurgeView> = z.object({
  actions: z.int(),
  payloads: z.int(),
  complete: z.boolean(),
});

/** Erases the content of one final action; the reason stays in the ledger. */
export interface EraseRequest {
  readonly reason: string;
}

/** An {@link EraseRequest} as received. */
export const eraseRequest: z.ZodType<EraseRequest> = z.strictObject({
  reason: z.string().trim().min(1).max(REASON_LENGTH_MAX),
});

/** What was erased. */
export interface EraseView {
  readonly id: string;
  /** Payloads beside the ledger. */
  readonly payloads: number;
  /** It had been erased before, and nothing was left to erase. */
  readonly before: boolean;
}

/** An {@link EraseView} as sent. */
export const eraseView: z.ZodType<EraseView> = z.object({
  id: z.string(),
  payloads: z.int(),
  before: z.boolean(),
});

/** What a reload came to; an invalid configuration is a `configuration_invalid` problem instead. */
export interface ReloadView {
  /** Whether another epoch is active now. */
  readonly changed: boolean;
  readonly epoch: EpochView;
}

/** A {@link ReloadView} as sent. */
export const reloadView: z.ZodType<ReloadView> = z.object({
  changed: z.boolean(),
  epoch: epochView,
});
