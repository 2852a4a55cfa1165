/**
 * The looks of the HTTP executor: who the system is, what the effect would do, and whether it was
 * done. Each is one GET on a connection of its own, with the credential `look` where there is one.
 */
import type { EffectRequest, Outcome } from '../../engine/ports.ts';
import type { Preview } from '../../kernel/action.ts';
import type { ExecutionId } from '../../kernel/id.ts';
import type { HttpTarget, Target, Template } from '../../kernel/inventory.ts';
import type { JsonObject, JsonValue } from '../../kernel/json/value.ts';
import { parseAnswer } from '../answer.ts';
import type { Environment } from '../credentials.ts';
import type { Masker } from '../mask.ts';
import { childOf, isJsonArray, isJsonObject, readProbe, select } from '../pointer.ts';
import { refuse, type RefusalCode } from '../refusal.ts';
import { knowSecrets } from '../secrets.ts';
import { EXECUTION_PLACEHOLDER } from '../template.ts';
import type { CheckedAddress } from './address.ts';
import { httpCredential, leaseAuthentication } from './authentication.ts';
import { compileUrl, httpBinding, valuesOf, type CompiledRequest } from './compile.ts';
import { checkClear, connectPinned, resolveAddresses, type Network } from './connect.ts';
import { exchange } from './exchange.ts';
import { isEncoded, type Answered } from './outcome.ts';
import type { TokenCache } from './oauth2.ts';

/** What the executor was made with. */
export interface HttpTools extends Network {
  readonly masker: Masker;
  readonly environment: Environment;
  readonly tokens: TokenCache;
}

/** The largest answer to a look, in bytes. */
const LOOK_BYTES_MAX = 1_048_576;
/** A look takes no longer than this, connecting aside. */
const LOOK_MS_MAX = 15_000;

/** What a probe found, and at which addresses. */
export interface HttpProbed {
  readonly identity: string | null;
  readonly environment: string;
  readonly recorded: JsonObject;
}

/** Resolves the target and, where it has a probe, asks it who it is. */
export async function probeHttp(
  target: Target,
  executor: HttpTarget,
  tools: HttpTools,
  signal: AbortSignal,
): Promise<HttpProbed> {
  const addresses = await resolveAddresses(executor, tools, signal);
  checkClear(executor, addresses);
  const found = { addresses: addresses.map(({ address }) => address).toSorted() };
  const { probe } = target;
  if (probe === undefined) {
    return { identity: null, environment: target.environment, recorded: found };
  }
  if (probe.kind !== 'http') {
    return refuse('probe_unsupported', `target \`${target.name}\` is probed by a request only`);
  }
  const url = compileUrl(
    executor,
    { path: [{ kind: 'literal', text: probe.path }], query: {} },
    { args: {}, fields: {}, execution: EXECUTION_PLACEHOLDER },
  );
  const { answer, json } = await get(
    { target, executor, url, signal, addresses, failure: 'probe_failed' },
    tools,
  );
  if (answer.status !== 200 || json === undefined) {
    return refuse('probe_failed', `the probe answered with status ${String(answer.status)}`);
  }
  const { identity, environment } = readProbe(probe, json, target.environment);
  return {
    identity,
    environment,
    recorded: { ...found, probeCredential: lookKind(target, executor) },
  };
}

/** With which credential a look is made: `act` only where nothing weaker is declared, and only for a GET. */
function lookKind(target: Target, executor: HttpTarget): 'none' | 'look' | 'act' {
  if (executor.auth === 'none') return 'none';
  return target.credentials.look === undefined ? 'act' : 'look';
}

/** What the declared GET shows; its ETag is material where the effect is conditional on it. */
export async function previewHttp(
  request: EffectRequest,
  tools: HttpTools,
  signal: AbortSignal,
): Promise<Preview | 'none'> {
  const observedAt = tools.clock.now();
  const { target: executor, operation } = httpBinding(request.target, request.operation);
  const { preview } = operation;
  if (preview === undefined) return 'none';
  const { answer, json } = await lookAt(request, preview, EXECUTION_PLACEHOLDER, {
    tools,
    signal,
    executor,
    failure: 'preview_failed',
  });
  if (answer.status !== 200 || json === undefined) {
    return refuse('preview_failed', `the preview answered with status ${String(answer.status)}`);
  }
  const material = select(json, preview.material, true);
  const context = select(json, preview.context, false);
  if (operation.ifMatch === undefined) return { material, context, observedAt };
  // A masked tag is not ASCII any more and is refused with the weak ones.
  const etag = tools.masker.text(answer.headers['etag'] ?? '');
  if (!isStrongEtag(etag) || 'etag' in material) {
    return refuse('preview_etag_missing', 'the preview has no strong etag of its own');
  }
  return { material: { ...material, etag }, context, observedAt };
}

/** Whether a text is a strong entity tag (RFC 9110 section 8.8.3), the only sort that `If-Match` compares. */
export function isStrongEtag(text: JsonValue | undefined): text is string {
  return typeof text === 'string' && text.length <= 512 && /^"[\x21\x23-\x7e]*"$/u.test(text);
}

/**
 * Evidence of an execution. Found: it succeeded. Not found, in an answer that is whole: it did not
 * happen, but only where the operation declares that a late arrival is impossible.
 */
export async function reconcileHttp(
  request: EffectRequest,
  execution: ExecutionId,
  tools: HttpTools,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { target: executor, operation } = httpBinding(request.target, request.operation);
  const { reconcile } = operation;
  if (reconcile === undefined) return undefined;
  const { answer, json } = await lookAt(request, reconcile, execution, {
    tools,
    signal,
    executor,
    failure: 'reconcile_failed',
  });
  const isFound = answer.status === 200 && json !== undefined;
  if (!isFound && answer.status !== 404) {
    refuse('reconcile_failed', `the search answered with status ${String(answer.status)}`);
  }
  const { candidates, whole } = candidatesIn(isFound && json !== undefined ? json : []);
  const evidence = candidates.find((each) => valueAtDots(each, reconcile.find) === execution);
  const hasNextPage = /rel="?next/iu.test(answer.headers['link'] ?? '');
  if (evidence !== undefined) {
    const message = 'the target knows the execution';
    return { state: 'succeeded', sent: true, code: 'evidence_found', message, result: evidence };
  }
  if (!whole || hasNextPage || !reconcile.absenceConclusive) return undefined;
  const message = 'the target does not know the execution and refuses it from now on';
  // Nobody can say that no byte was sent, only that none took hold.
  return { state: 'not_executed', sent: true, code: 'evidence_absent', message, result: null };
}

interface Candidates {
  readonly candidates: readonly JsonValue[];
  /** `false`: there may be more than the answer shows. */
  readonly whole: boolean;
}

/** The answer itself and the members of its list; an object with several lists is not clear enough to miss anything. */
function candidatesIn(json: JsonValue): Candidates {
  if (isJsonArray(json)) return { candidates: json, whole: true };
  if (!isJsonObject(json)) return { candidates: [], whole: false };
  const lists = Object.values(json).filter(isJsonArray);
  const [list = []] = lists;
  const more = PAGE_MEMBERS.some((name) => Object.hasOwn(json, name) && isGiven(json[name]));
  if (lists.length > 1) return { candidates: [json], whole: false };
  return { candidates: [json, ...list], whole: !more };
}

/** Members by which answers say that there is another page. */
const PAGE_MEMBERS = [
  'has_more',
  'hasMore',
  'next',
  'next_page',
  'nextPage',
  'next_cursor',
  'nextCursor',
  'next_page_token',
  'nextPageToken',
];

function isGiven(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && value !== false && value !== '';
}

function valueAtDots(value: JsonValue, path: string): JsonValue | undefined {
  let at: JsonValue | undefined = value;
  for (const name of path.split('.')) at = childOf(at, name);
  return at;
}

// ---------------------------------------------------------------- one GET

interface LookContext {
  readonly tools: HttpTools;
  readonly signal: AbortSignal;
  readonly executor: HttpTarget;
  readonly failure: RefusalCode;
}

interface Looked {
  readonly answer: Answered;
  /** Masked; `undefined` where the answer is not strict JSON. */
  readonly json: JsonValue | undefined;
}

async function lookAt(
  request: EffectRequest,
  place: { readonly path: Template; readonly query: Readonly<Record<string, Template>> },
  execution: string,
  { tools, signal, executor, failure }: LookContext,
): Promise<Looked> {
  const url = compileUrl(executor, place, valuesOf(request, execution));
  const addresses = await resolveAddresses(executor, tools, signal);
  await knowSecrets(request, tools);
  return await get({ target: request.target, executor, url, signal, addresses, failure }, tools);
}

interface Get {
  readonly target: Target;
  readonly executor: HttpTarget;
  readonly url: URL;
  readonly signal: AbortSignal;
  readonly addresses: readonly CheckedAddress[];
  /** The code where the answer does not come. */
  readonly failure: RefusalCode;
}

async function get(options: Get, tools: HttpTools): Promise<Looked> {
  const { target, executor, url, signal, addresses, failure } = options;
  checkClear(executor, addresses);
  const credential = httpCredential(target, target.credentials.look === undefined ? 'act' : 'look');
  const compiled: CompiledRequest = { method: 'GET', url, headers: {}, body: undefined };
  const authentication = await leaseAuthentication(credential, executor, tools, signal);
  try {
    const network = { ...tools, client: authentication.client };
    const socket = await connectPinned(executor, addresses, network, signal);
    const exchanged = await exchange({
      socket,
      compiled,
      added: authentication.headers(compiled, {}),
      responseBytesMax: LOOK_BYTES_MAX,
      timeoutMs: LOOK_MS_MAX,
      clock: tools.clock,
      signal,
      sending: () => true,
    });
    if (exchanged.kind !== 'answered') {
      const isEnd = exchanged.code === 'timeout' || exchanged.code === 'cancelled';
      return refuse(isEnd ? exchanged.code : failure, exchanged.message);
    }
    authentication.answered(exchanged.status);
    if (!exchanged.complete) return refuse(failure, 'the answer is too long');
    const json = isEncoded(exchanged) ? undefined : parseAnswer(exchanged.body, tools.masker);
    return { answer: exchanged, json };
  } finally {
    authentication.release();
  }
}
