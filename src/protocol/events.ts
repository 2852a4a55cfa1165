/** Events: the ledger as it grows. To agents only that something happened to an action of theirs. */
import * as z from 'zod';
import type { JsonObject } from '../kernel/json/value.ts';
import { wholeNumber } from './query.ts';
import { instantText, jsonObject } from './words.ts';

/** The data of one event; its `id` is the sequence, its `event` the kind. */
export interface EventView {
  readonly sequence: number;
  /** Such as `proposed`, `decided`, `approved`, `crossed`, `settled`, `halted`. */
  readonly kind: string;
  readonly at: string;
  readonly action?: string;
  /** What the ledger's entry says; for people and the operator. */
  readonly body?: JsonObject;
}

/** An {@link EventView} as sent. */
export const eventView: z.ZodType<EventView> = z.object({
  sequence: z.int(),
  kind: z.string(),
  at: instantText,
  action: z.string().exactOptional(),
  body: jsonObject.exactOptional(),
});

/** Where events start. */
export interface EventsQuery {
  /** After this sequence; `Last-Event-ID` comes first. Only what is new, if neither is given. */
  readonly after?: number;
}

/** The history of one action, oldest first. */
export interface History {
  readonly events: readonly EventView[];
  /** Whether all of it is here; of a very long history only the newest part is. */
  readonly complete: boolean;
}

/** A {@link History} as sent. */
export const history: z.ZodType<History> = z.object({
  events: z.array(eventView),
  complete: z.boolean(),
});

/** An {@link EventsQuery} as received. */
export const eventsQuery: z.ZodType<EventsQuery> = z.strictObject({
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).exactOptional(),
});
