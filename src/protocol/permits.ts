/** Permits over the wire: what their executor redeems, what it is given then, and how it says that it ended. */
import * as z from 'zod';
import type { JsonValue } from '../kernel/json/value.ts';
import { REASON_LENGTH_MAX } from './headers.ts';
import { PERMIT_LENGTH_MAX, type PermitKey } from './permit-claim.ts';
import {
  ACTION_STATES,
  EXECUTED,
  instantText,
  jsonValue,
  type ActionState,
  type Executed,
} from './words.ts';

/** Which claim to make. */
export interface PermitQuery {
  /** Thumbprint (RFC 7638) of the key that whoever presents the claim has to prove. */
  readonly jkt?: string;
}

/** A {@link PermitQuery} as received. */
export const permitQuery: z.ZodType<PermitQuery> = z.strictObject({
  jkt: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/u, 'must be a SHA-256 thumbprint in base64url')
    .exactOptional(),
});

/** Redeems a permit. */
export interface RedeemRequest {
  /** The claim, as its agent handed it over. */
  readonly permit: string;
}

/** A {@link RedeemRequest} as received. */
export const redeemRequest: z.ZodType<RedeemRequest> = z.strictObject({
  permit: z.string().min(1).max(PERMIT_LENGTH_MAX),
});

/** The action crossed, and is the redeemer's to execute, once and exactly as it stands here. */
export interface RedeemedView {
  readonly id: string;
  readonly state: 'executing';
  readonly executed: 'unknown';
  /** Names this one execution: to the target, and to settle. */
  readonly execution: string;
  readonly target: string;
  readonly operation: string;
  /** The action's canonical JSON: its very bytes. */
  readonly action: string;
  /** SHA-256 over `exequatur/action/v1`, a zero byte and those bytes. */
  readonly digest: string;
  /** Settled later than this, the outcome was unknown meanwhile. */
  readonly settleBy: string;
}

/** A {@link RedeemedView} as sent. */
export const redeemedView: z.ZodType<RedeemedView> = z.object({
  id: z.string(),
  state: z.literal('executing'),
  executed: z.literal('unknown'),
  execution: z.string(),
  target: z.string(),
  operation: z.string(),
  action: z.string(),
  digest: z.string(),
  settleBy: instantText,
});

/** How an executor says that an execution ended. */
export const SETTLED_OUTCOMES = ['succeeded', 'failed', 'not_executed', 'unknown'] as const;

/** Says how a redeemed action ended. */
export interface SettleRequest {
  /** The one that redeeming answered. */
  readonly execution: string;
  /** `unknown` where the executor itself cannot tell: nobody has to wait for the time to run out. */
  readonly outcome: (typeof SETTLED_OUTCOMES)[number];
  /** One line for people. */
  readonly message?: string;
  /** What the target answered; secrets are masked, more than 65,536 bytes refused. */
  readonly result?: JsonValue;
  /** Why it is certain that nothing happened; needed to settle as `not_executed`. */
  readonly evidence?: JsonValue;
}

/** A {@link SettleRequest} as received. */
export const settleRequest: z.ZodType<SettleRequest> = z.strictObject({
  execution: z.string().min(1).max(64),
  outcome: z.enum(SETTLED_OUTCOMES),
  message: z.string().min(1).max(REASON_LENGTH_MAX).exactOptional(),
  result: jsonValue.exactOptional(),
  evidence: jsonValue.exactOptional(),
});

/** What became of the action. */
export interface SettledView {
  readonly id: string;
  readonly state: ActionState;
  readonly executed: Executed;
}

/** A {@link SettledView} as sent. */
export const settledView: z.ZodType<SettledView> = z.object({
  id: z.string(),
  state: z.enum(ACTION_STATES),
  executed: z.enum(EXECUTED),
});

/** The keys that claims are signed with (RFC 7517); while they rotate, all of them. */
export interface KeySetView {
  readonly keys: readonly PermitKey[];
}

/** A {@link KeySetView} as sent. */
export const keySetView: z.ZodType<KeySetView> = z.object({
  keys: z.array(
    z.object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: z.string(),
      kid: z.string(),
      use: z.literal('sig'),
      alg: z.literal('EdDSA'),
    }),
  ),
});
