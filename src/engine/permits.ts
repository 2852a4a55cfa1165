/**
 * Permits (DESIGN section 9): actions whose executor lies elsewhere. A claim says what the layer would
 * admit now, and is no crossing; redeeming it is the crossing, decided anew at that instant; whoever
 * redeemed it says how it ended.
 *
 * ```
 * held ──claim──▶ held ──redeem──▶ executing ──settle──▶ succeeded | failed | not_executed
 *                                      └──(time is over)──▶ unknown ──settle──▶ …
 * ```
 *
 * Nothing is stored of a claim. A crash before the crossing's commit leaves the hold; after it, an
 * execution that its redeemer settles, or whose time runs out, whichever engine runs then.
 */
import type { Redemption } from '../kernel/decision.ts';
import type { Digest } from '../kernel/digest.ts';
import type { ActionId, ExecutionId, TenantName } from '../kernel/id.ts';
import { addMs, type Instant } from '../kernel/instant.ts';
import type { Operation } from '../kernel/inventory.ts';
import { LIMITS_AFTER, forecast } from './advance.ts';
import type { Engine } from './engine.ts';
import { changedEntry } from './entries.ts';
import { redeemerOf } from './handed-over.ts';
import type { ActionRecord, ChangeResult, ExecutionRecord, Outcome } from './ports.ts';
import { rereadOf } from './proposal.ts';
import { transition, type ActionEvent } from './transition.ts';

/** What a claim may say now: nothing but redeeming stands against the action. */
export interface Claimable {
  readonly record: ActionRecord;
  readonly operation: Operation;
  readonly audience: string;
  readonly environment: string;
  readonly effect: Digest;
  readonly at: Instant;
  readonly expiresAt: Instant;
}

/** A claim is good for as long at least: what ages faster is asked again when it is redeemed. */
const CLAIM_MS_MIN = 5000;

/** Whether the action would cross if its executor redeemed it now; the world is asked, nothing is written. */
export async function claimable(
  engine: Engine,
  record: ActionRecord,
): Promise<Claimable | undefined> {
  const configuration = engine.configuration(record.tenant);
  const target = configuration.policy.inventory.targets.get(record.target);
  const operation = target?.operations.get(record.operation);
  const effect = record.subject?.resolution.effect;
  if (record.state !== 'held' || target?.executor.kind !== 'permit') return undefined;
  const candidate = rereadOf(record);
  if (operation === undefined || effect === undefined || candidate === undefined) return undefined;
  const { audience, validForMs } = target.executor;
  const longest = earlier(addMs(engine.life.clock.now(), validForMs), record.deadline);
  const redemption: Redemption = { by: audience, effect, expiresAt: longest };
  const asked = { ...candidate, redemption };
  const { input, decision } = await forecast(engine.life, configuration, asked, true);
  if (decision.verdict !== 'admit') return undefined;
  const least = earlier(longest, addMs(input.now, CLAIM_MS_MIN));
  const expiresAt = earlier(longest, decision.validUntil);
  return {
    record,
    operation,
    audience,
    environment: target.environment,
    effect,
    at: input.now,
    expiresAt: expiresAt < least ? least : expiresAt,
  };
}

function earlier(one: Instant, other: Instant): Instant {
  return one < other ? one : other;
}

/** A permit as presented: genuine, for this caller, not yet expired. */
export interface Presented {
  readonly tenant: TenantName;
  readonly action: ActionId;
  /** The digest of the action that the claim names. */
  readonly digest: Digest;
  readonly redemption: Redemption;
}

/** What redeeming came to. In every case but `redeemed` nothing was handed over. */
export type Redeemed =
  | {
      readonly kind: 'redeemed';
      readonly record: ActionRecord;
      readonly execution: ExecutionRecord;
      readonly settleBy: Instant;
    }
  /** It was decided anew, and not admitted; or stopped between crossing and answer. */
  | { readonly kind: 'not_admitted'; readonly record: ActionRecord }
  /** It left its hold before: redeemed, or ended otherwise. */
  | { readonly kind: 'over'; readonly record: ActionRecord }
  | {
      readonly kind: 'refused';
      readonly code: 'permit_unknown' | 'draining' | 'overloaded' | 'unsettled';
    };

/** Redeems a permit: the crossing. Rejects only with a `StoreError`: then nothing crossed. */
export async function redeem(engine: Engine, presented: Presented): Promise<Redeemed> {
  const { tenant, action, redemption } = presented;
  const stored = await engine.store.action(tenant, action);
  if (stored?.digest !== presented.digest) return { kind: 'refused', code: 'permit_unknown' };
  const advanced = await engine.redeem(tenant, action, redemption);
  switch (advanced.kind) {
    case 'crossed': {
      // Handed over, or barred on the last question: either is decided when this resolves.
      const record = await advanced.settled;
      const { execution } = record;
      if (record.state !== 'executing' || execution === undefined) {
        return { kind: 'not_admitted', record };
      }
      return { kind: 'redeemed', record, execution, settleBy: execution.leaseUntil };
    }
    case 'stopped':
      return { kind: 'not_admitted', record: advanced.record };
    case 'not_held':
      return advanced.record === undefined
        ? { kind: 'refused', code: 'permit_unknown' }
        : { kind: 'over', record: advanced.record };
    case 'draining':
    case 'overloaded':
    case 'unsettled':
      return { kind: 'refused', code: advanced.kind };
    case 'stale':
    case 'existing':
    case 'key_reused':
    case 'too_many_open':
      // Only proposals end so, and a stale one was tried again.
      return { kind: 'refused', code: 'unsettled' };
    default:
      return advanced satisfies never;
  }
}

/** How the redeemer says that it ended. `execution` is the one that redeeming answered. */
export interface Settlement {
  readonly tenant: TenantName;
  readonly action: ActionId;
  readonly execution: ExecutionId;
  readonly by: string;
  readonly outcome: Outcome;
}

/**
 * Stores how a redeemed action ended. After its time was over it is evidence for an unknown outcome; the
 * same word again changes nothing. Codes: `permit_unknown`, `not_redeemer`, `permit_settled`.
 */
export async function settlePermit(engine: Engine, given: Settlement): Promise<ChangeResult> {
  const { life } = engine;
  let before: ActionRecord | undefined;
  const result = await engine.store.change({
    tenant: given.tenant,
    action: given.action,
    judge: (at, record) => {
      before = record;
      const { execution } = record;
      if (execution === undefined || redeemerOf(execution) === undefined) return UNKNOWN;
      if (redeemerOf(execution) !== given.by || execution.id !== given.execution) return ANOTHER;
      const { outcome } = given;
      const event = eventOf(record, outcome);
      const next = transition(record.state, event);
      if (!next.ok) return SETTLED;
      return {
        kind: 'write',
        state: next.state,
        limits: LIMITS_AFTER[outcome.state],
        restoreApprovals: false,
        outcome,
        entries: [
          changedEntry(event.kind, {
            record,
            at,
            body: { by: given.by },
            outcome,
            salt: life.salt,
          }),
        ],
      };
    },
  });
  if (result.kind === 'written') {
    life.changed(result.record);
    engine.poke();
    return result;
  }
  if (result.code !== 'permit_settled' || before?.state !== given.outcome.state) return result;
  const said = before.execution?.outcome?.code;
  return said === given.outcome.code ? { kind: 'written', record: before } : result;
}

/** After its time was over, what its executor knows is evidence. */
function eventOf(
  { state }: ActionRecord,
  outcome: Outcome,
): Extract<ActionEvent, { readonly kind: 'settled' | 'resolved' }> {
  return state === 'unknown' && outcome.state !== 'unknown'
    ? { kind: 'resolved', outcome: outcome.state }
    : { kind: 'settled', outcome: outcome.state };
}

const UNKNOWN = refuse('permit_unknown', 'there is no redeemed permit of this id');
const ANOTHER = refuse('not_redeemer', 'only who redeemed the permit settles it');
const SETTLED = refuse('permit_settled', 'how it ended is known already');

function refuse(
  code: string,
  message: string,
): { readonly kind: 'refuse'; readonly code: string; readonly message: string } {
  return { kind: 'refuse', code, message };
}
