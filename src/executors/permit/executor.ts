/**
 * The executor for targets whose executor lies elsewhere (`permit/1`). It touches no system and holds no
 * credential: what it sends is the answer to a redemption, and how it ended arrives when the redeemer
 * settles. Precondition class: unconditioned, for nobody here sees what is done there.
 */
import type { Clock, EffectRequest, Outcome } from '../../engine/ports.ts';
import type { Resolution } from '../../kernel/action.ts';
import { digestOf, DIGEST_TAGS, type Digest } from '../../kernel/digest.ts';
import type { PermitTarget } from '../../kernel/inventory.ts';
import { notSent, prepareOnce } from '../prepared.ts';
import type { ProbingExecutor } from '../probing-executor.ts';
import { attempt, refuse } from '../refusal.ts';

/** The version of what an effect means; part of every resolution. */
const PERMIT_CONTRACT = 'permit/1';

/** What the executor needs. */
export interface PermitExecutorOptions {
  readonly clock: Clock;
}

/** Makes the executor of contract `permit/1`. */
export function createPermitExecutor({ clock }: PermitExecutorOptions): ProbingExecutor {
  return {
    contract: PERMIT_CONTRACT,
    resolve: (request) => attempt(() => Promise.resolve(resolve(request, clock))),
    preview: () => Promise.resolve({ ok: true, value: 'none' }),
    prepare: (request, resolution) =>
      attempt(async () => {
        if (effectOf(request) !== resolution.effect) {
          refuse('effect_changed', 'the effect is not the one that was resolved');
        }
        return Promise.resolve(
          prepareOnce({
            request,
            effect: () => effectOf(request),
            release: () => undefined,
            perform: (_execution, { sending }) => Promise.resolve(handOver(sending)),
          }),
        );
      }),
    // Only the redeemer knows, and it says so by itself.
    reconcile: () => Promise.resolve({ ok: true, value: undefined }),
    probe: () => Promise.resolve({ ok: true, value: { files: {} } }),
  };
}

function resolve(request: EffectRequest, clock: Clock): Resolution {
  const { target, operation } = request;
  const { audience } = executorOf(request);
  return {
    identity: null,
    environment: target.environment,
    operation: operation.digest,
    effect: effectOf(request),
    credential: null,
    executor: PERMIT_CONTRACT,
    files: {},
    recorded: { audience },
    observedAt: clock.now(),
  };
}

/** What the redeemer is given to do: this action at this target by this definition, and by nobody else. */
function effectOf(request: EffectRequest): Digest {
  const { action, target, operation, args } = request;
  return digestOf(DIGEST_TAGS.effect, {
    action,
    args,
    audience: executorOf(request).audience,
    executor: PERMIT_CONTRACT,
    operation: operation.digest,
    target: target.name,
  });
}

function executorOf({ target, operation }: EffectRequest): PermitTarget {
  if (target.executor.kind !== 'permit') {
    return refuse('binding_unsupported', `\`${operation.name}\` has no executor elsewhere`);
  }
  return target.executor;
}

/** From the last question on the redeemer is told to go; it may begin at any instant. */
function handOver(sending: () => boolean): Outcome {
  if (!sending()) return notSent('not_handed_over', 'stopped before its executor was told');
  return {
    state: 'unknown',
    sent: true,
    code: 'handed_over',
    message: 'its executor has it, and will say how it ended',
    result: null,
  };
}
