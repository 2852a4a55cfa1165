/** Server-sent events as an async iterator: a lost stream is taken up after the last event that came. */
import type { EventView } from '../protocol/events.ts';
import { isRecord } from './answer.ts';
import { ApiError, UnansweredError } from './errors.ts';
import { pause, read, send, type Place } from './exchange.ts';

/** Where events start, and how they end. */
export interface EventsOptions {
  /** After this sequence; only what is new if absent. */
  readonly after?: number;
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal;
}

const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 10_000;
/** Characters of one event at most; the layer's are far shorter. */
const EVENT_LENGTH_MAX = 1_048_576;

/**
 * Events until the signal aborts. Ends with {@link ApiError} where the layer refuses the stream for
 * good, such as `unauthenticated`; everything else is tried again.
 */
export async function* events(
  place: Place,
  { after, signal }: EventsOptions = {},
): AsyncGenerator<EventView, void, undefined> {
  const cursor: Cursor = { after };
  for (let failures = 0; !isAborted(signal); failures += 1) {
    // Leaving the loop early must end the request as well.
    const ending = new AbortController();
    const end = (): void => ending.abort();
    signal?.addEventListener('abort', end);
    try {
      for await (const event of open(place, cursor, ending.signal)) {
        failures = 0;
        yield event;
      }
    } catch (error) {
      if (isFinal(error)) throw error;
    } finally {
      signal?.removeEventListener('abort', end);
      end();
    }
    const waitMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(failures, 10));
    // An abort ends the iteration at the head of the loop.
    await pause(waitMs, signal).catch(() => undefined);
  }
}

/** After which sequence the stream is taken up. */
interface Cursor {
  after: number | undefined;
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** Refused in a way that waiting does not change. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && error.status !== 429 && error.status !== 503;
}

async function* open(
  place: Place,
  cursor: Cursor,
  signal: AbortSignal,
): AsyncGenerator<EventView, void, undefined> {
  const response = await send(
    place,
    {
      method: 'GET',
      path: '/v1/events',
      headers: {
        accept: 'text/event-stream',
        ...(cursor.after === undefined ? {} : { 'last-event-id': String(cursor.after) }),
      },
    },
    signal,
  );
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  if (response.status !== 200 || !isStream || response.body === null) {
    read(response, await response.text());
    throw new UnansweredError('not_a_layer', 'what answers sends no events', {});
  }
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    if (text.length > EVENT_LENGTH_MAX) {
      throw new UnansweredError('not_a_layer', 'an event is too long', {});
    }
    for (const block of blocks) {
      // The layer says first where the stream starts: nothing is missed if it breaks before an event.
      const start = /^: after (\d{1,15})$/u.exec(block)?.[1];
      if (start !== undefined) cursor.after = Number(start);
      const event = eventOf(block);
      if (event === undefined) continue;
      cursor.after = event.sequence;
      yield event;
    }
  }
}

/** The event of a block; `undefined` for comments, which only say that the stream is alive. */
function eventOf(block: string): EventView | undefined {
  const line = block.split('\n').find((each) => each.startsWith('data: '));
  if (line === undefined) return undefined;
  const value: unknown = JSON.parse(line.slice('data: '.length));
  return isEvent(value) ? value : undefined;
}

function isEvent(value: unknown): value is EventView {
  return (
    isRecord(value) &&
    typeof value['sequence'] === 'number' &&
    typeof value['kind'] === 'string' &&
    typeof value['at'] === 'string'
  );
}
