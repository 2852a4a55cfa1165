/** What people are asked and answer: consent to a hold, and the truth about an unknown outcome. */
import * as z from 'zod';
import type { JsonObject } from '../kernel/json/value.ts';
import { findingView, type FindingView } from './finding-view.ts';
import { REASON_LENGTH_MAX } from './headers.ts';
import { ACTION_STATES, instantText, jsonObject, type ActionState } from './words.ts';

/** One requirement that this person may answer. */
export interface AskView {
  readonly kind: 'approval' | 'confirmation';
  /** `role:…`, `person:…` or `delegator`. */
  readonly from: string;
  readonly have: number;
  readonly need: number;
  /** How long a yes is good. */
  readonly validForMs: number;
  /** Until when it is asked. */
  readonly until: string;
}

/** What the names in the action mean now. */
export interface ResolutionView {
  /** The system's own answer to who it is; `null` where it has no probe. */
  readonly identity: string | null;
  readonly environment: string;
  /** Digests of the operation's definition and of the compiled effect. */
  readonly operation: string;
  readonly effect: string;
  /** The credential's reference, never its value. */
  readonly credential: string | null;
  readonly executor: string;
  readonly files: Readonly<Record<string, string>>;
  readonly observedAt: string;
  readonly ageMs: number;
}

/** What the action would do now: `material` is consented to, `context` only shown. */
export interface PreviewView {
  readonly material: JsonObject;
  readonly context: JsonObject;
  readonly observedAt: string;
  readonly ageMs: number;
}

/**
 * The faithful picture of one held action, made from its stored bytes, with what it takes to answer
 * it. Only people get it: `challenge` is single-use and bound to this person and this action.
 */
export interface ConsentView {
  readonly id: string;
  readonly state: ActionState;
  /** The digest that a yes is to. */
  readonly consent: string;
  readonly challenge: string;
  readonly challengeExpiresAt: string;
  readonly asks: readonly AskView[];
  /** The action exactly as stored: principal, target, operation, arguments, deadline (milliseconds since 1970). */
  readonly action: JsonObject;
  readonly actionDigest: string;
  readonly resolution: ResolutionView;
  /** `null` where the operation has no preview. */
  readonly preview: PreviewView | null;
  readonly findings: readonly FindingView[];
  readonly expiresAt: string;
  /** The agent's own words; nothing else here comes from it unchecked. */
  readonly agentNote?: string;
}

const digestText = z.string().regex(/^[0-9a-f]{64}$/u, 'must be 64 lower-case hex digits');

/** A {@link ConsentView} as sent. */
export const consentView: z.ZodType<ConsentView> = z.object({
  id: z.string(),
  state: z.enum(ACTION_STATES),
  consent: digestText,
  challenge: z.string(),
  challengeExpiresAt: instantText,
  asks: z.array(
    z.object({
      kind: z.enum(['approval', 'confirmation']),
      from: z.string(),
      have: z.int(),
      need: z.int(),
      validForMs: z.int(),
      until: instantText,
    }),
  ),
  action: jsonObject,
  actionDigest: digestText,
  resolution: z.object({
    identity: z.string().nullable(),
    environment: z.string(),
    operation: z.string(),
    effect: z.string(),
    credential: z.string().nullable(),
    executor: z.string(),
    files: z.record(z.string(), z.string()),
    observedAt: instantText,
    ageMs: z.int(),
  }),
  preview: z
    .object({
      material: jsonObject,
      context: jsonObject,
      observedAt: instantText,
      ageMs: z.int(),
    })
    .nullable(),
  findings: z.array(findingView),
  expiresAt: instantText,
  agentNote: z.string().exactOptional(),
});

/** A yes or a no to exactly what was shown. */
export interface AnswerRequest {
  readonly consent: string;
  readonly challenge: string;
  readonly decision: 'approve' | 'reject';
  /** Required with a no. */
  readonly reason?: string;
}

const reason = z.string().trim().min(1).max(REASON_LENGTH_MAX);

/** An {@link AnswerRequest} as received. */
export const answerRequest: z.ZodType<AnswerRequest> = z.strictObject({
  consent: digestText,
  challenge: z.string().min(1).max(200),
  decision: z.enum(['approve', 'reject']),
  reason: reason.exactOptional(),
});

/** A named person's word about an unknown outcome. */
export interface ResolutionRequest {
  readonly outcome: 'succeeded' | 'failed' | 'not_executed';
  readonly reason: string;
}

/** A {@link ResolutionRequest} as received. */
export const resolutionRequest: z.ZodType<ResolutionRequest> = z.strictObject({
  outcome: z.enum(['succeeded', 'failed', 'not_executed']),
  reason,
});
