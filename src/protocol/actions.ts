/** Actions over the wire: what an agent proposes, and what everyone is answered about one. */
import * as z from 'zod';
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import { findingView, type FindingView } from './finding-view.ts';
import { LIST_COUNT_MAX, NOTE_LENGTH_MAX } from './headers.ts';
import { wholeNumber } from './query.ts';
import {
  ACTION_STATES,
  EXECUTED,
  instantInput,
  instantText,
  jsonObject,
  jsonValue,
  type ActionState,
  type Executed,
} from './words.ts';

/** The body of a proposal. Who proposes is not in it: that comes from the key alone. */
export interface ProposeRequest {
  readonly target: string;
  readonly operation: string;
  readonly args?: JsonObject;
  /** RFC 3339; the layer's default if absent. */
  readonly deadline?: string;
  readonly notBefore?: string;
  /** The agent's own words, shown to people as such and no part of the action. */
  readonly note?: string;
}

/** The body of a forecast. */
export interface ForecastRequest extends ProposeRequest {
  /** Ask the target, as a proposal would; else only what is known here. */
  readonly touch?: boolean;
}

/** The body of a proposal whose executor lies elsewhere. */
export interface PermitRequest extends ProposeRequest {
  /** Binds the claim to a key: whoever presents it has to prove that key, by DPoP or otherwise. */
  readonly cnf?: { readonly jkt: string };
}

const proposal = {
  target: z.string().min(1).max(64),
  operation: z.string().min(1).max(64),
  args: jsonObject.exactOptional(),
  deadline: instantInput.exactOptional(),
  notBefore: instantInput.exactOptional(),
  note: z.string().max(NOTE_LENGTH_MAX).exactOptional(),
};

/** A {@link ProposeRequest} as received. */
export const proposeRequest: z.ZodType<ProposeRequest> = z.strictObject(proposal);

/** A {@link ForecastRequest} as received. */
export const forecastRequest: z.ZodType<ForecastRequest> = z.strictObject({
  ...proposal,
  touch: z.boolean().exactOptional(),
});

/** A {@link PermitRequest} as received. */
export const permitRequest: z.ZodType<PermitRequest> = z.strictObject({
  ...proposal,
  cnf: z
    .strictObject({
      jkt: z.string().regex(/^[A-Za-z0-9_-]{43}$/u, 'must be a SHA-256 thumbprint in base64url'),
    })
    .exactOptional(),
});

/** A claim, with what goes to its executor beside it. */
export interface ClaimView {
  /** The JWT. It admits nothing by itself, and only its audience can redeem it. */
  readonly claim: string;
  readonly audience: string;
  readonly expiresAt: string;
  /** The action's canonical JSON: the very bytes that the claim is about. */
  readonly action: string;
}

/** A {@link ClaimView} as sent. */
const claimView: z.ZodType<ClaimView> = z.object({
  claim: z.string(),
  audience: z.string(),
  expiresAt: instantText,
  action: z.string(),
});

/** One action as it is now. */
export interface ActionView {
  readonly id: string;
  readonly state: ActionState;
  readonly executed: Executed;
  readonly target: string;
  readonly operation: string;
  /** As the target itself says, once it was asked. */
  readonly environment?: string;
  readonly agent: string;
  readonly delegator?: string;
  readonly proposedAt: string;
  /** The deadline: held until then, never admitted at or after it. */
  readonly expiresAt: string;
  /** One line for people. */
  readonly message: string;
  /** What a held action waits for, the first reason first. */
  readonly waitingFor?: readonly FindingView[];
  /** What stands against an action that will never run. */
  readonly findings?: readonly FindingView[];
  /** What rules in shadow would have done; they did nothing. Told to people only. */
  readonly shadow?: readonly { readonly rule: string; readonly would: 'admit' | 'hold' | 'deny' }[];
  /** How the execution ended, with what the target answered (masked, bounded). */
  readonly outcome?: { readonly code: string; readonly message: string };
  readonly result?: JsonValue;
  /** Why a person said no; who, is told to people only. */
  readonly ended?: { readonly reason: string; readonly by?: string };
  /** The agent's own words. */
  readonly note?: string;
  /** Where the proof of what became of it is; absent while that is open. */
  readonly receipt?: string;
  /** Milliseconds after which asking again makes sense; absent where nothing will change. */
  readonly pollAfterMs?: number;
  /** On the routes of permits, where nothing but its executor is waited for. */
  readonly permit?: ClaimView;
}

/** An {@link ActionView} as sent. */
export const actionView: z.ZodType<ActionView> = z.object({
  id: z.string(),
  state: z.enum(ACTION_STATES),
  executed: z.enum(EXECUTED),
  target: z.string(),
  operation: z.string(),
  environment: z.string().exactOptional(),
  agent: z.string(),
  delegator: z.string().exactOptional(),
  proposedAt: instantText,
  expiresAt: instantText,
  message: z.string(),
  waitingFor: z.array(findingView).exactOptional(),
  findings: z.array(findingView).exactOptional(),
  shadow: z
    .array(z.object({ rule: z.string(), would: z.enum(['admit', 'hold', 'deny']) }))
    .exactOptional(),
  outcome: z.object({ code: z.string(), message: z.string() }).exactOptional(),
  result: jsonValue.exactOptional(),
  ended: z.object({ reason: z.string(), by: z.string().exactOptional() }).exactOptional(),
  note: z.string().exactOptional(),
  receipt: z.string().exactOptional(),
  pollAfterMs: z.int().exactOptional(),
  permit: claimView.exactOptional(),
});

/** A page of actions, newest first. */
export interface ActionList {
  readonly actions: readonly ActionView[];
  /** The `before` of the next page; absent on the last one. */
  readonly before?: string;
}

/** An {@link ActionList} as sent. */
export const actionList: z.ZodType<ActionList> = z.object({
  actions: z.array(actionView),
  before: z.string().exactOptional(),
});

/** Which actions to list. */
export interface ActionsQuery {
  /** Any of these; all if absent. */
  readonly state?: readonly ActionState[];
  /** Only those of this agent; agents see none but their own. */
  readonly agent?: string;
  readonly before?: string;
  readonly count?: number;
}

/** An {@link ActionsQuery} as received: `state` with commas, `count` from 1 to 200. */
export const actionsQuery: z.ZodType<ActionsQuery> = z.strictObject({
  state: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(ACTION_STATES)).min(1).max(ACTION_STATES.length))
    .exactOptional(),
  agent: z.string().max(64).exactOptional(),
  before: z.string().max(36).exactOptional(),
  count: wholeNumber(1, LIST_COUNT_MAX).exactOptional(),
});

/** What would happen now. Nothing was stored and nothing executed. */
export interface ForecastView {
  readonly verdict: 'admit' | 'hold' | 'deny';
  readonly executed: 'no';
  readonly target: string;
  readonly operation: string;
  readonly environment?: string;
  readonly message: string;
  /** Everything that is not met. */
  readonly findings: readonly FindingView[];
  /** Whether the target was asked. */
  readonly touched: boolean;
}

/** A {@link ForecastView} as sent. */
export const forecastView: z.ZodType<ForecastView> = z.object({
  verdict: z.enum(['admit', 'hold', 'deny']),
  executed: z.literal('no'),
  target: z.string(),
  operation: z.string(),
  environment: z.string().exactOptional(),
  message: z.string(),
  findings: z.array(findingView),
  touched: z.boolean(),
});

/** Why an action is as it is: `text` for people, findings for programs. */
export interface ExplanationView {
  readonly id: string;
  readonly state: ActionState;
  readonly executed: Executed;
  /** The same as the answer in `text/plain`. */
  readonly text: string;
  readonly findings: readonly FindingView[];
}

/** An {@link ExplanationView} as sent. */
export const explanationView: z.ZodType<ExplanationView> = z.object({
  id: z.string(),
  state: z.enum(ACTION_STATES),
  executed: z.enum(EXECUTED),
  text: z.string(),
  findings: z.array(findingView),
});
