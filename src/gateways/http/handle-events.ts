/**
 * Events (server-sent): the ledger as it grows, resumable by sequence. A stream reads from the ledger
 * only when its reader has room, so a slow reader costs one batch of memory and nothing else.
 */
import { parseActionId } from '../../kernel/id.ts';
import { HEADERS } from '../../protocol/headers.ts';
import { ApiProblem } from './api-problem.ts';
import { bearerOf, callerKey, whoHas, type Who } from './authenticate.ts';
import { whoOf, type Handlers, type Served } from './call.ts';
import { findAction } from './about-action.ts';
import { ledgerEnd, readEntry, viewEntry, type ReadEntry } from './ledger-events.ts';
import type { Leave } from './places.ts';

/** Routes that read the ledger. */
export const EVENT_HANDLERS: Handlers<'events' | 'history'> = {
  async events(call) {
    const { served, headers, query } = call;
    const who = whoOf(call);
    const after =
      readLastEventId(headers) ?? query.after ?? (await ledgerEnd(served.engine.store, who.tenant));
    if (call.method === 'HEAD') return new Response(null, { headers: STREAM_HEADERS });
    const leave = served.streams.enter(callerKey(who));
    if (leave === 'full') throw new ApiProblem('overloaded');
    if (leave === 'full_for_key') throw new ApiProblem('too_many_streams');
    const stream = new EventStream({
      served,
      who,
      key: bearerOf(headers),
      after,
      signal: call.signal,
      leave,
    });
    return new Response(stream.open(), { headers: STREAM_HEADERS });
  },

  async history(call) {
    const { served } = call;
    const record = await findAction(call);
    const rows = await served.engine.store.history(record.tenant, record.id);
    const newest = rows.slice(-served.limits.historyCountMax);
    const events = newest.flatMap((row) => {
      const entry = readEntry(row);
      return entry === undefined ? [] : [viewEntry(entry, true)];
    });
    return { status: 200, body: { events, complete: newest.length === rows.length } };
  },
};

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // A proxy that collects before it passes on would hold back events.
  'x-accel-buffering': 'no',
} as const;

function readLastEventId(headers: Headers): number | undefined {
  const text = headers.get(HEADERS.lastEventId);
  if (text === null || text === '') return undefined;
  if (!/^\d{1,15}$/u.test(text)) {
    throw new ApiProblem('header_invalid', { detail: '`Last-Event-ID` is a sequence' });
  }
  return Number(text);
}

interface StreamParts {
  readonly served: Served;
  readonly who: Who;
  readonly key: string;
  readonly after: number;
  readonly signal: AbortSignal;
  readonly leave: Leave;
}

/** One client's stream, from its opening to the first reason to end it. */
class EventStream {
  readonly #parts: StreamParts;
  readonly #owners = new Map<string, boolean>();
  #after: number;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #reading = false;
  #wanted = false;
  #ended = false;
  #lastTakenMs: number;
  #stop: () => void = () => undefined;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#after = parts.after;
    this.#lastTakenMs = parts.served.engine.life.clock.monotonicMs();
  }

  open(): ReadableStream<Uint8Array> {
    const { served, signal } = this.#parts;
    const end = (): void => this.#end();
    const heartbeat = setInterval(() => void this.#beat(), served.limits.heartbeatMs);
    const unlisten = served.engine.watch.listenAll(() => void this.#read());
    signal.addEventListener('abort', end);
    served.stopping.addEventListener('abort', end);
    this.#stop = () => {
      clearInterval(heartbeat);
      unlisten();
      signal.removeEventListener('abort', end);
      served.stopping.removeEventListener('abort', end);
      this.#parts.leave();
    };
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        // Headers reach the client with the first bytes.
        this.#write(`: after ${String(this.#after)}\n\n`);
      },
      pull: async () => {
        this.#lastTakenMs = served.engine.life.clock.monotonicMs();
        await this.#read();
      },
      cancel: end,
    });
  }

  /** Reads on from the ledger while the reader has room. */
  async #read(): Promise<void> {
    this.#wanted = true;
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#wanted && !this.#ended && (this.#controller?.desiredSize ?? 0) > 0) {
        this.#wanted = false;
        await this.#readBatch();
      }
    } catch (error) {
      // The store is closing. The client comes back with the last sequence it saw.
      this.#parts.served.engine.life.trouble(
        'events_failed',
        error instanceof Error ? error.message : 'the ledger was not read',
      );
      this.#end();
    } finally {
      this.#reading = false;
    }
  }

  async #readBatch(): Promise<void> {
    const { served, who } = this.#parts;
    const { streamBatchCountMax } = served.limits;
    const rows = await served.engine.store.ledger(who.tenant, this.#after, streamBatchCountMax);
    let text = '';
    for (const row of rows) {
      this.#after = row.sequence;
      const entry = readEntry(row);
      if (entry === undefined || !(await this.#mayRead(entry))) continue;
      const data = served.masker.text(JSON.stringify(viewEntry(entry, who.sort !== 'agent')));
      text += `id: ${String(entry.sequence)}\nevent: ${entry.kind}\ndata: ${data}\n\n`;
    }
    if (text !== '') this.#write(text);
    if (rows.length === streamBatchCountMax) this.#wanted = true;
  }

  /** Agents read of their own actions only. */
  async #mayRead({ action }: ReadEntry): Promise<boolean> {
    const { served, who } = this.#parts;
    if (who.sort !== 'agent') return true;
    const id = action === undefined ? undefined : parseActionId(action);
    if (id === undefined) return false;
    const known = this.#owners.get(id);
    if (known !== undefined) return known;
    const record = await served.engine.store.action(who.tenant, id);
    const own = record?.agent === who.agent;
    if (this.#owners.size >= OWNERS_MAX) this.#owners.clear();
    this.#owners.set(id, own);
    return own;
  }

  /** Says that the stream is alive; ends it where its key is nobody's any more or nobody reads it. */
  async #beat(): Promise<void> {
    const { served, key } = this.#parts;
    const idleMs = served.engine.life.clock.monotonicMs() - this.#lastTakenMs;
    const hasRoom = (this.#controller?.desiredSize ?? 0) > 0;
    if (!hasRoom && idleMs > served.limits.streamStalledMsMax) return this.#end();
    const holder = await whoHas(served.ring, key).catch(() => undefined);
    if (holder === undefined) return this.#end();
    if (hasRoom) this.#write(': alive\n\n');
    return this.#read();
  }

  #write(text: string): void {
    if (!this.#ended) this.#controller?.enqueue(Buffer.from(text, 'utf8'));
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop();
    try {
      this.#controller?.close();
    } catch {
      // Cancelled by its reader: closed already.
    }
  }
}

const OWNERS_MAX = 1024;
