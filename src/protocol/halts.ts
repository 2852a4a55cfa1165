/** Halts over the wire. */
import * as z from 'zod';
import { REASON_LENGTH_MAX } from './headers.ts';
import { instantText } from './words.ts';

/** What a halt covers; every member given must hold, and none given covers everything. */
export interface HaltScopeView {
  readonly target?: string;
  readonly operation?: string;
  readonly kind?: string;
  readonly agent?: string;
  readonly environment?: string;
}

const word = z.string().min(1).max(64);
const scope = z.strictObject({
  target: word.exactOptional(),
  operation: word.exactOptional(),
  kind: word.exactOptional(),
  agent: word.exactOptional(),
  environment: word.exactOptional(),
});

/** Stops what is in scope. `scope` is required, so that nobody stops everything by leaving it out. */
export interface HaltRequest {
  readonly scope: HaltScopeView;
  readonly reason: string;
}

/** A {@link HaltRequest} as received. */
export const haltRequest: z.ZodType<HaltRequest> = z.strictObject({
  scope,
  reason: z.string().trim().min(1).max(REASON_LENGTH_MAX),
});

/** A halt that stands. */
export interface HaltView {
  readonly id: string;
  readonly scope: HaltScopeView;
  readonly reason: string;
  readonly by: string;
  readonly at: string;
}

/** A {@link HaltView} as sent. */
export const haltView: z.ZodType<HaltView> = z.object({
  id: z.string(),
  scope,
  reason: z.string(),
  by: z.string(),
  at: instantText,
});

/** A halt that is acknowledged: nothing in its scope is sent from now on. */
export interface HaltedView {
  readonly halt: HaltView;
  /** Ids of actions in scope that were sent before. */
  readonly sent: readonly string[];
}

/** A {@link HaltedView} as sent. */
export const haltedView: z.ZodType<HaltedView> = z.object({
  halt: haltView,
  sent: z.array(z.string()),
});

/** All halts that stand. */
export interface HaltList {
  readonly halts: readonly HaltView[];
}

/** A {@link HaltList} as sent. */
export const haltList: z.ZodType<HaltList> = z.object({ halts: z.array(haltView) });
