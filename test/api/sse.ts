/** Reads server-sent events from an answer, one at a time. */

/** One event as it came. */
export interface Sent {
  readonly id: number;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A stream of events that is being read. */
export interface SentEvents {
  /** The next event, or `undefined` where the stream ended or `waitMs` passed. */
  next(waitMs?: number): Promise<Sent | undefined>;
  /** Everything that came, comments included. */
  readonly text: () => string;
  close(): Promise<void>;
}

/** Reads the body of an answer as events. */
export function readEvents(response: Response): SentEvents {
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error('the answer has no body');
  let text = '';
  let taken = 0;
  let pending: ReturnType<typeof reader.read> | undefined;
  return {
    text: () => text,
    close: () => reader.cancel(),
    async next(waitMs = 3000) {
      const until = Date.now() + waitMs;
      for (;;) {
        const end = text.indexOf('\n\n', taken);
        if (end >= 0) {
          const sent = eventOf(text.slice(taken, end));
          taken = end + 2;
          if (sent !== undefined) return sent;
          continue;
        }
        pending ??= reader.read();
        const read = await Promise.race([pending, passed(until - Date.now())]);
        if (read === undefined) return undefined;
        pending = undefined;
        if (read.done) return undefined;
        text += Buffer.from(read.value).toString('utf8');
      }
    },
  };
}

function passed(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), Math.max(0, ms)).unref();
  });
}

function eventOf(block: string): Sent | undefined {
  const fields = new Map(
    block.split('\n').map((line) => {
      const [name = '', value = ''] = line.split(/: ?(.*)/su);
      return [name, value] as const;
    }),
  );
  const data = fields.get('data');
  if (data === undefined) return undefined;
  const value: unknown = JSON.parse(data);
  return {
    id: Number(fields.get('id')),
    kind: fields.get('event') ?? '',
    data: typeof value === 'object' && value !== null ? { ...value } : {},
  };
}
