/** What handlers are given and give back, typed from the protocol's route table. */
import type { Checkpoints } from '../../engine/checkpoints.ts';
import type { Engine } from '../../engine/engine.ts';
import type { BlobStore, Signer } from '../../engine/ports.ts';
import type { JsonValue } from '../../kernel/json/value.ts';
import type { DocumentProblem } from '../../protocol/errors.ts';
import type { Route, RouteName, RouteTable } from '../../protocol/routes.ts';
import type { EpochView, ReasonView } from '../../protocol/status.ts';
import { ApiProblem } from './api-problem.ts';
import type { AgentWho, ExecutorWho, KeyRing, PersonWho, Who } from './authenticate.ts';
import type { HttpLimits } from './limits.ts';
import type { Places } from './places.ts';

/** What the gateway says of the layer it stands before. */
export interface LayerFacts {
  readonly version: string;
  readonly mode: 'development' | 'enforce';
  /** What separates the layer from the agent; `none` makes it advice. */
  readonly isolation: string;
}

/** What reading the configuration again came to. */
export type Reloaded =
  | { readonly kind: 'active'; readonly changed: boolean; readonly epoch: EpochView }
  | { readonly kind: 'invalid'; readonly problems: readonly DocumentProblem[] };

/** Copies the store under a name; `undefined` where that is taken. */
export type BackUp = (
  name: string,
) => Promise<{ readonly path: string; readonly bytes: number } | undefined>;

/** Takes secrets out of what leaves: out of text, and out of a JSON value at every depth. */
export interface OutgoingMask {
  text(text: string): string;
  json(value: JsonValue): JsonValue;
}

/** What permits are made with. */
export interface PermitDesk {
  readonly signer: Signer;
  /** Who the layer is in its claims: a name or address that does not change. */
  readonly issuer: string;
}

/** What the ledger is shown and proved with. */
export interface LedgerDesk {
  readonly checkpoints: Checkpoints;
  readonly signer: Signer;
  /** Checkpoint and tiles are for everybody. */
  readonly isPublic: boolean;
}

/** Everything the handlers share. */
export interface Served {
  readonly engine: Engine;
  readonly ring: KeyRing;
  readonly layer: LayerFacts;
  /** What is degraded now, beside what the gateway sees itself, such as a failed reload. */
  readonly reasons: () => readonly ReasonView[];
  readonly reload: () => Promise<Reloaded>;
  readonly backup: BackUp;
  readonly blobs: BlobStore;
  /** Without it there are no permits. */
  readonly permits: PermitDesk | undefined;
  /** Without it the ledger is kept, and neither signed nor shown. */
  readonly ledger: LedgerDesk | undefined;
  readonly limits: HttpLimits;
  readonly waiting: Places;
  readonly streams: Places;
  /** Of this process, by name. */
  readonly counts: Record<string, number>;
  /** Aborted when waits and streams must end. */
  readonly stopping: AbortSignal;
  /** Whether nothing new is taken. */
  readonly isDraining: () => boolean;
  readonly masker: OutgoingMask;
}

/** One request, authenticated and checked. */
export interface Call<Body, Query> {
  readonly served: Served;
  /** `undefined` on routes without authentication, and of what is public where nobody says who asks. */
  readonly who: Who | undefined;
  readonly body: Body;
  /** The body as parsed, before the schema. */
  readonly json: JsonValue | undefined;
  /** The body of a route that takes bytes, where there is one. */
  readonly stream: ReadableStream<Uint8Array> | undefined;
  readonly query: Query;
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: Headers;
  readonly method: string;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
}

/** An answer that is no error. */
export interface Reply<Answer> {
  readonly status: number;
  readonly body: Answer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers one route. */
type Handler<Name extends RouteName> =
  RouteTable[Name] extends Route<infer Body, infer Query, infer Answer>
    ? (call: Call<Body, Query>) => Promise<Reply<Answer> | Response>
    : never;

/** Some of the routes with their handlers. */
export type Handlers<Name extends RouteName> = { readonly [Each in Name]: Handler<Each> };

/** The caller of a route that takes keys. */
export function whoOf({ who }: Pick<Call<unknown, unknown>, 'who'>): Who {
  if (who === undefined) throw new Error('the route table lets nobody in here without a key');
  return who;
}

/** The agent of a route that takes only agents. */
export function agentOf(call: Pick<Call<unknown, unknown>, 'who'>): AgentWho {
  const who = whoOf(call);
  if (who.sort !== 'agent') throw new Error('the route table lets only agents in here');
  return who;
}

/** The person of a route that takes only people. */
export function personOf(call: Pick<Call<unknown, unknown>, 'who'>): PersonWho {
  const who = whoOf(call);
  if (who.sort !== 'person') throw new Error('the route table lets only people in here');
  return who;
}

/** The executor of a route that takes only executors. */
export function executorOf(call: Pick<Call<unknown, unknown>, 'who'>): ExecutorWho {
  const who = whoOf(call);
  if (who.sort !== 'executor') throw new Error('the route table lets only executors in here');
  return who;
}

/** A parameter of the path. */
export function parameterOf(
  call: Pick<Call<unknown, unknown>, 'parameters'>,
  name: string,
): string {
  const value = call.parameters[name];
  if (value === undefined) throw new ApiProblem('route_unknown');
  return value;
}
