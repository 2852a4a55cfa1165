/**
 * `exequatur/sdk`: what an agent's code imports to act through a layer. It runs wherever there is
 * `fetch`, imports no `node:*` module and no package, and keeps no state but its settings.
 */
export { createClient, type ActOptions, type Client, type ClientOptions } from './client.ts';
export type { Answer, Done, JsonObject, JsonValue, Refused, Unknown, Waiting } from './answer.ts';
export { ApiError, ExequaturError, NotDoneError, UnansweredError, UsageError } from './errors.ts';
export type { PutBlobOptions } from './blobs.ts';
export { guard, type GuardedOperation } from './guard.ts';
export type { EventsOptions } from './events.ts';
export type { ActionView, ForecastView, ProposeRequest } from '../protocol/actions.ts';
export type { EventView } from '../protocol/events.ts';
export type { FindingView } from '../protocol/finding-view.ts';
export type { ActionState, Executed } from '../protocol/words.ts';
