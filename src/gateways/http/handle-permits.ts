/**
 * The routes of permits: an agent proposes and is given a claim, the executor that it is for redeems it
 * once, and says how it ended.
 */
import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose';
import {
  claimable,
  redeem,
  settlePermit,
  type Claimable,
  type Redeemed,
} from '../../engine/permits.ts';
import type { ActionRecord, Outcome } from '../../engine/ports.ts';
import { actionJson } from '../../kernel/action.ts';
import { parseDigest } from '../../kernel/digest.ts';
import { parseActionId, parseExecutionId, type ActionId } from '../../kernel/id.ts';
import { formatInstant, instantOf } from '../../kernel/instant.ts';
import type { JsonValue } from '../../kernel/json/value.ts';
import { canonicalBytes } from '../../kernel/json/write.ts';
import { readAction } from '../../kernel/read-action.ts';
import type { ActionView, ClaimView } from '../../protocol/actions.ts';
import {
  permitKey,
  verifyPermitClaim,
  writePermit,
  type PermitClaim,
  type PermitKey,
} from '../../protocol/permit-claim.ts';
import type { RedeemedView, SettleRequest } from '../../protocol/permits.ts';
import { findAction, orUnknown } from './about-action.ts';
import { ApiProblem, refusedProblem } from './api-problem.ts';
import {
  executorOf,
  parameterOf,
  whoOf,
  type Call,
  type Handlers,
  type PermitDesk,
  type Served,
} from './call.ts';
import { proposedReply } from './handle-actions.ts';
import { executedOf, viewAction } from './view-action.ts';

/** The largest action that a claim carries, and the largest result that is kept, in bytes. */
const ACTION_BYTES_MAX = 65_536;
const RESULT_BYTES_MAX = 65_536;
/** How long caches may keep the keys: shorter than any overlap of a rotation. */
const KEYS_MAX_AGE_SECONDS = 300;

/** Routes about permits. */
export const PERMIT_HANDLERS: Handlers<
  'issuePermit' | 'permit' | 'redeemPermit' | 'settlePermit' | 'permitKeys'
> = {
  async issuePermit(call) {
    const { cnf, ...proposal } = call.body;
    const desk = deskOf(call);
    refuseUnfit(call, { ...proposal, bytes: canonicalBytes(proposal.args ?? {}) });
    const { record, reply } = await proposedReply(call, proposal);
    const permit = await claimOf(call, desk, { record, keyThumbprint: cnf?.jkt });
    return { ...reply, body: withPermit(reply.body, permit) };
  },

  async permit(call) {
    const { engine } = call.served;
    const desk = deskOf(call);
    const found = await findAction(call);
    refuseUnfit(call, found);
    const permit = await claimOf(call, desk, { record: found, keyThumbprint: call.query.jkt });
    // What stands in its way may have come since it was looked at.
    const isStale = permit === undefined && found.state === 'held';
    const record = isStale ? ((await engine.advance(found.tenant, found.id)) ?? found) : found;
    return { status: 200, body: withPermit(viewAction(engine, record, whoOf(call)), permit) };
  },

  async redeemPermit(call) {
    const { engine } = call.served;
    const { signer, issuer } = deskOf(call);
    const { tenant, executor } = executorOf(call);
    const verified = await verifyPermitClaim(call.body.permit, {
      keys: await keysOf(signer.publicKeys),
      issuer,
      audience: executor,
      nowMs: engine.life.clock.now(),
    });
    if (verified.kind === 'refused') {
      const { code, message } = verified;
      // The keys are here: that they could not be had is a defect.
      throw new ApiProblem(code === 'keys_unavailable' ? 'internal_error' : code, {
        detail: message,
      });
    }
    const { claim } = verified;
    const action = parseActionId(claim.id);
    const digest = parseDigest(claim.digests.action);
    const effect = parseDigest(claim.digests.effect);
    if (action === undefined || digest === undefined || effect === undefined) {
      throw new ApiProblem('permit_malformed');
    }
    const expiresAt = instantOf(claim.expiresAtSeconds * 1000);
    const redemption = { by: executor, effect, expiresAt };
    const redeemed = redeem(engine, { tenant, action, digest, redemption });
    return { status: 200, body: redeemedView(await orUnknown(redeemed, action)) };
  },

  async settlePermit(call) {
    const { engine } = call.served;
    const { tenant, executor } = executorOf(call);
    const action = parseActionId(parameterOf(call, 'id'));
    const execution = parseExecutionId(call.body.execution);
    if (action === undefined) throw new ApiProblem('permit_unknown');
    if (execution === undefined) throw new ApiProblem('not_redeemer');
    const outcome = outcomeOf(call.served, call.body);
    const by = executor;
    const settled = await settlePermit(engine, { tenant, action, execution, by, outcome });
    if (settled.kind === 'refused') {
      const code = settled.code === 'action_unknown' ? 'permit_unknown' : settled.code;
      const { code: known, message, parts } = refusedProblem({ ...settled, code });
      const record =
        code === 'permit_settled' ? await engine.store.action(tenant, action) : undefined;
      const about = record === undefined ? {} : aboutRecord(record);
      throw new ApiProblem(known, { ...parts, detail: message, ...about });
    }
    const { record } = settled;
    const { id, state } = record;
    return { status: 200, body: { id, state, executed: executedOf(record) } };
  },

  async permitKeys(call) {
    const keys = await Promise.all(deskOf(call).signer.publicKeys.map(permitKey));
    const headers = { 'cache-control': `public, max-age=${String(KEYS_MAX_AGE_SECONDS)}` };
    return { status: 200, body: { keys }, headers };
  },
};

type AnyCall = Pick<Call<unknown, unknown>, 'served' | 'who'>;

function deskOf({ served }: Pick<AnyCall, 'served'>): PermitDesk {
  if (served.permits === undefined) throw new ApiProblem('permits_off');
  return served.permits;
}

async function keysOf(publicKeys: readonly Uint8Array[]): Promise<JWTVerifyGetKey> {
  const keys: PermitKey[] = await Promise.all(publicKeys.map(permitKey));
  return createLocalJWKSet({ keys });
}

// ---------------------------------------------------------------- claims

/** What the layer performs itself has no permit; what is not known is denied, as in every proposal. */
function refuseUnfit(
  call: AnyCall,
  {
    target: name,
    operation,
    bytes,
  }: Pick<ActionRecord, 'bytes'> & { readonly target: string; readonly operation: string },
): void {
  const { tenant } = whoOf(call);
  const { targets } = call.served.engine.configuration(tenant).policy.inventory;
  const target = targets.get(name);
  if (target?.operations.has(operation) === true && target.executor.kind !== 'permit') {
    throw new ApiProblem('not_a_permit');
  }
  if (bytes.length > ACTION_BYTES_MAX) throw new ApiProblem('permit_too_large');
}

/** The claim, where nothing but its executor is waited for. That it cannot be made now changes nothing stored. */
async function claimOf(
  call: AnyCall,
  desk: PermitDesk,
  asked: { readonly record: ActionRecord; readonly keyThumbprint: string | undefined },
): Promise<ClaimView | undefined> {
  const { engine } = call.served;
  try {
    const ready = await claimable(engine, asked.record);
    return ready && (await written(ready, desk, asked.keyThumbprint));
  } catch (error) {
    engine.life.trouble('claim_failed', error instanceof Error ? error.message : 'no error');
    return undefined;
  }
}

function withPermit(view: ActionView, permit: ClaimView | undefined): ActionView {
  if (permit === undefined) return view;
  const message = `Hand the permit to \`${permit.audience}\`, which redeems it once. Nothing was executed.`;
  return { ...view, message, permit };
}

async function written(
  ready: Claimable,
  { signer, issuer }: PermitDesk,
  keyThumbprint: string | undefined,
): Promise<ClaimView | undefined> {
  const { record, operation, audience } = ready;
  const action = readAction(record.bytes, record.digest);
  const [publicKey] = signer.publicKeys;
  if (action === undefined || publicKey === undefined) return undefined;
  const expiresAtSeconds = Math.floor(ready.expiresAt / 1000);
  const issuedAtSeconds = Math.floor(ready.at / 1000);
  // Less than a second is left: there would be nothing to redeem.
  if (expiresAtSeconds <= issuedAtSeconds) return undefined;
  const { agent, delegator } = record;
  const claim: PermitClaim = {
    issuer,
    audience,
    subject: delegator === undefined ? `agent:${agent}` : `person:${delegator}`,
    actor: `agent:${agent}`,
    id: record.id,
    issuedAtSeconds,
    expiresAtSeconds,
    ...(keyThumbprint === undefined ? {} : { keyThumbprint }),
    kind: operation.kind,
    environment: ready.environment,
    target: record.target,
    operation: record.operation,
    action: actionJson(action),
    digests: { action: record.digest, operation: operation.digest, effect: ready.effect },
  };
  const { kid } = await permitKey(publicKey);
  const sign = (bytes: Uint8Array): Uint8Array => {
    const [signature] = signer.sign(bytes);
    if (signature === undefined) throw new Error('a signer signs with each of its keys');
    return signature;
  };
  return {
    claim: writePermit(claim, { kid, sign }),
    audience,
    expiresAt: formatInstant(instantOf(expiresAtSeconds * 1000)),
    action: textOf(record.bytes),
  };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

// ---------------------------------------------------------------- redeeming

function redeemedView(redeemed: Redeemed): RedeemedView {
  switch (redeemed.kind) {
    case 'redeemed': {
      const { record, execution, settleBy } = redeemed;
      return {
        id: record.id,
        state: 'executing',
        executed: 'unknown',
        execution: execution.id,
        target: record.target,
        operation: record.operation,
        action: textOf(record.bytes),
        digest: record.digest,
        settleBy: formatInstant(settleBy),
      };
    }
    case 'not_admitted':
      throw notAdmitted(redeemed.record);
    case 'over':
      throw redeemed.record.execution === undefined
        ? notAdmitted(redeemed.record)
        : new ApiProblem('permit_redeemed', aboutRecord(redeemed.record));
    case 'refused':
      throw new ApiProblem(redeemed.code);
    default:
      return redeemed satisfies never;
  }
}

/** Codes alone: what rules say is not its executor's to know. */
function notAdmitted(record: ActionRecord): ApiProblem {
  const against = record.decision?.findings.filter(({ status }) => status !== 'met') ?? [];
  const codes = [...new Set(against.map(({ code }) => code))].join(', ');
  const why = codes === '' ? '' : `: ${codes}`;
  const detail = `the action is ${record.state}${why}; nothing was handed over`;
  return new ApiProblem('permit_not_admitted', { ...aboutRecord(record), detail });
}

function aboutRecord(record: ActionRecord): {
  readonly id: ActionId;
  readonly executed: ReturnType<typeof executedOf>;
} {
  return { id: record.id, executed: executedOf(record) };
}

// ---------------------------------------------------------------- settling

const MESSAGES = {
  succeeded: 'its executor says that it succeeded',
  failed: 'its executor says that it failed',
  not_executed: 'its executor has evidence that nothing was executed',
  unknown: 'its executor cannot tell what became of it',
} as const;

function outcomeOf({ masker }: Pick<Served, 'masker'>, body: SettleRequest): Outcome {
  const { outcome, message, result, evidence } = body;
  if (outcome === 'not_executed' && isEmpty(evidence)) throw new ApiProblem('evidence_missing');
  const told: JsonValue =
    evidence === undefined
      ? (result ?? null)
      : { evidence, ...(result === undefined ? {} : { result }) };
  if (canonicalBytes(told).length > RESULT_BYTES_MAX) throw new ApiProblem('result_too_large');
  return {
    state: outcome,
    sent: outcome !== 'not_executed',
    code: 'settled_by_executor',
    message: masker.text(message?.replaceAll(/\s+/gu, ' ') ?? MESSAGES[outcome]),
    result: masker.json(told),
  };
}

function isEmpty(evidence: JsonValue | undefined): boolean {
  if (evidence === undefined || evidence === null || evidence === false) return true;
  if (typeof evidence === 'string') return evidence.trim() === '';
  return typeof evidence === 'object' && Object.keys(evidence).length === 0;
}
