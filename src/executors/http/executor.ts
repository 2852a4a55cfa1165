/**
 * The executor for systems reached by HTTP (`http/1`): every address of the target checked and the
 * connection pinned to one of them, no redirects, no proxies, no shared connections; credential,
 * `Idempotency-Key` and `If-Match` added only here, in the instant of sending.
 *
 * Precondition class: conditional where the operation sends `If-Match`, read-then-act where it has a
 * preview, unconditioned else.
 */
import type { Clock, EffectRequest, Prepared } from '../../engine/ports.ts';
import type { Preview, Resolution } from '../../kernel/action.ts';
import type { LockedTarget, Target } from '../../kernel/inventory.ts';
import type { Environment } from '../credentials.ts';
import type { Masker } from '../mask.ts';
import { prepareOnce } from '../prepared.ts';
import type { ProbingExecutor } from '../probing-executor.ts';
import { attempt, refuse } from '../refusal.ts';
import { leaseSecrets } from '../secrets.ts';
import { EXECUTION_PLACEHOLDER } from '../template.ts';
import { httpCredential, leaseAuthentication } from './authentication.ts';
import {
  compileRequest,
  httpBinding,
  httpEffect,
  HTTP_CONTRACT,
  type HttpBinding,
} from './compile.ts';
import { checkClear, connectPinned, lookUpAll, resolveAddresses, type Lookup } from './connect.ts';
import { exchange } from './exchange.ts';
import { isStrongEtag, previewHttp, probeHttp, reconcileHttp, type HttpTools } from './look.ts';
import { createTokenCache } from './oauth2.ts';
import { exchangeOutcome } from './outcome.ts';

/** What the executor needs: who masks, where credentials are, time, and how names are resolved. */
export interface HttpExecutorOptions {
  readonly masker: Masker;
  readonly environment: Environment;
  readonly clock: Clock;
  /** The system's resolver if absent. */
  readonly lookup?: Lookup;
  /** PEM certificates to trust instead of Node's own. */
  readonly certificateAuthorities?: readonly string[];
}

/** Makes the executor of contract `http/1`. */
export function createHttpExecutor(options: HttpExecutorOptions): ProbingExecutor {
  const { lookup = lookUpAll, certificateAuthorities } = options;
  const tools: HttpTools = {
    ...options,
    lookup,
    certificateAuthorities,
    tokens: createTokenCache(options.clock),
  };
  return {
    contract: HTTP_CONTRACT,
    resolve: (request, signal) => attempt(() => resolve(request, tools, signal)),
    preview: (request, signal) => attempt(() => previewHttp(request, tools, signal)),
    prepare: (request, resolution, preview, signal) =>
      attempt(() => prepare({ request, resolution, preview, signal }, tools)),
    reconcile: (request, execution, signal) =>
      attempt(() => reconcileHttp(request, execution, tools, signal)),
    probe: (target, signal) => attempt(() => probe(target, tools, signal)),
  };
}

async function resolve(
  request: EffectRequest,
  tools: HttpTools,
  signal: AbortSignal,
): Promise<Resolution> {
  const observedAt = tools.clock.now();
  const { target, operation } = request;
  const binding = httpBinding(target, operation);
  const effect = httpEffect(request);
  const credential = actReference(target, binding);
  const probed = await probeHttp(target, binding.target, tools, signal);
  return {
    identity: probed.identity,
    environment: probed.environment,
    operation: operation.digest,
    effect,
    credential: credential ?? null,
    executor: HTTP_CONTRACT,
    files: {},
    recorded: probed.recorded,
    observedAt,
  };
}

/** The credential that acts; a target that takes one must have one. */
function actReference(target: Target, { target: executor }: HttpBinding): string | undefined {
  if (executor.auth === 'none') return undefined;
  const { act } = target.credentials;
  return act ?? refuse('credential_missing', `target \`${target.name}\` has no credential to act`);
}

interface Preparing {
  readonly request: EffectRequest;
  readonly resolution: Resolution;
  readonly preview: Preview | 'none';
  readonly signal: AbortSignal;
}

/** Connects, and TLS with it; no byte of the request leaves here. */
async function prepare(preparing: Preparing, tools: HttpTools): Promise<Prepared> {
  const { request, resolution, signal } = preparing;
  const binding = httpBinding(request.target, request.operation);
  if (httpEffect(request) !== resolution.effect) {
    refuse('effect_changed', 'the effect is not the one that was resolved');
  }
  const precondition = preconditionOf(binding, preparing.preview);
  const addresses = await resolveAddresses(binding.target, tools, signal);
  checkClear(binding.target, addresses);
  const credential = httpCredential(request.target, 'act');
  const secrets = await leaseSecrets(request, tools);
  const authentication = await orRelease(
    () => leaseAuthentication(credential, binding.target, tools, signal),
    secrets.release,
  );
  const release = (): void => {
    authentication.release();
    secrets.release();
  };
  const { operation } = binding;
  const addedTo = (execution: string): Readonly<Record<string, string>> => ({
    ...precondition,
    ...(operation.method === 'GET' ? {} : { 'idempotency-key': execution }),
  });
  const network = { ...tools, client: authentication.client };
  const socket = await orRelease(() => {
    // What cannot be signed or is too large is refused here, and not after the crossing.
    const placeholder = compileRequest(request, EXECUTION_PLACEHOLDER, secrets.texts);
    authentication.headers(placeholder, addedTo(EXECUTION_PLACEHOLDER));
    return connectPinned(binding.target, addresses, network, signal);
  }, release);
  return prepareOnce({
    request,
    effect: () => httpEffect(request),
    release() {
      release();
      socket.destroy();
    },
    async perform(execution, { signal: cancel, sending }) {
      const compiled = compileRequest(request, execution.id, secrets.texts);
      const added = addedTo(execution.id);
      const exchanged = await exchange({
        socket,
        compiled,
        added: { ...added, ...authentication.headers(compiled, added) },
        responseBytesMax: operation.responseBytesMax,
        timeoutMs: request.operation.timeoutMs,
        clock: tools.clock,
        signal: cancel,
        sending,
      });
      if (exchanged.kind === 'answered') authentication.answered(exchanged.status);
      return exchangeOutcome(exchanged, operation, tools.masker);
    },
  });
}

/** Takes a step; where that fails, what is leased already is let go. */
async function orRelease<Result>(
  step: () => Promise<Result>,
  release: () => void,
): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    release();
    throw error;
  }
}

/** The `If-Match` of a conditional operation, from the preview that was consented to. */
function preconditionOf(
  { operation }: HttpBinding,
  preview: Preview | 'none',
): Readonly<Record<string, string>> {
  if (operation.ifMatch === undefined) return {};
  const etag = preview === 'none' ? undefined : preview.material['etag'];
  if (!isStrongEtag(etag)) return refuse('preview_etag_missing', 'the preview has no strong etag');
  return { 'if-match': etag };
}

async function probe(target: Target, tools: HttpTools, signal: AbortSignal): Promise<LockedTarget> {
  if (target.executor.kind !== 'http') {
    return refuse('binding_unsupported', `target \`${target.name}\` is not reached by http`);
  }
  const { identity, environment } = await probeHttp(target, target.executor, tools, signal);
  return { ...(identity === null ? {} : { identity, environment }), files: {} };
}
